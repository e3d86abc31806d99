"""The HTML and CSS of every page by the Nu Html Checker, which the WHATWG and the W3C check with.

Chosen among the checkers that run without a network because it is the specification's own (content
models, ARIA, attributes' values; CSS too) and takes three seconds for all pages at once.
"""

import json
import subprocess
from pathlib import Path

from broker.web.assets import STATIC_FOLDER
from tests.looks.every_example import FRAMES, every_example
from tests.looks.stage import PACKAGES

JAR = PACKAGES / "vnu-jar/build/dist/vnu.jar"
JAVA = ("java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss4m")
TOLERATED = (
    # Safari forgets that a list without bullets is one, unless it is told.
    "The “list” role is unnecessary for element “ul”.",
    "The “list” role is unnecessary for element “ol”.",
)


def check(*paths: Path, kind: str = "--skip-non-html") -> list[str]:
    """Return what is wrong with these files or folders."""
    # It guesses languages: examples in English hold what a Dutch supplier wrote.
    how = ["--no-langdetect", "--format", "json", "--exit-zero-always"]
    program = [*JAVA, "-jar", str(JAR), kind, *how]
    ran = subprocess.run([*program, *map(str, paths)], capture_output=True, text=True, check=True)
    told = json.loads(ran.stderr)["messages"]
    return [
        f"{Path(each['url']).name}: {each['message']}: {each.get('extract', '')}"
        for each in told
        if each["message"] not in TOLERATED
    ]


def test_every_page_is_valid_html_in_both_languages(tmp_path: Path) -> None:
    for language, frame in FRAMES.items():
        for example in every_example():
            name = example.name.replace("/", "-").replace(":", "")
            file = tmp_path / f"{name} {language.value}.html"
            file.write_text(example.render(frame), encoding="utf-8")
    assert len(list(tmp_path.iterdir())) == 2 * len(every_example())
    assert check(tmp_path) == []


def test_every_style_sheet_is_valid_css() -> None:
    sheets = sorted(STATIC_FOLDER.glob("*.css"))
    assert check(*sheets, kind="--css") == []


def test_the_checker_finds_what_is_wrong(tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text('<!doctype html><html lang="nl"><title>x</title><p><div></p></html>')
    (fault, *_) = check(bad)
    assert "p" in fault
