"""Every page of the console and of /me has an example, so that tests look at all of them."""

from broker.web.rendering import TEMPLATES_FOLDER
from tests.web.console_examples import find_examples

PARTS = {"base.html"}
"""What pages are made of; so is what extends nothing."""


def test_every_template_has_an_example() -> None:
    made = {
        file.relative_to(TEMPLATES_FOLDER).as_posix()
        for area in ("console", "me")
        for file in (TEMPLATES_FOLDER / area).glob("*.html")
        if file.name not in PARTS and "{% extends" in file.read_text()
    }
    shown = {page.template for page in find_examples().values()}
    missing = sorted(made - shown)
    assert missing == [], "add an example of each to tests/web/console_examples/<area>.py"
