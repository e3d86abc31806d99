"""Static files: their names, and the colours of the style sheet."""

import re
from pathlib import Path

import pytest

from broker.web.assets import (
    STATIC_FOLDER,
    StaticAsset,
    UnknownStaticFileError,
    load_static_assets,
)
from broker.web.pages import Theme

CSS = (STATIC_FOLDER / "schuilnaam.css").read_text(encoding="utf-8")

BACKGROUND, CARD = "default-bg-document", "default-bg-default"
TINT, ACCENT = "accent-1-bg-subtle", "accent-1-bg-default"
TEXT_PAIRS = [
    *[("default-color-document", each) for each in (BACKGROUND, CARD, TINT, ACCENT)],
    *[("default-color-subtle", each) for each in (BACKGROUND, CARD, TINT)],
    *[("action-1-color-default", each) for each in (BACKGROUND, CARD, TINT, ACCENT)],
    *[("action-1-inverse-color-default", f"action-1-bg-{each}") for each in ("default", "hover")],
]
EDGE_PAIRS = [
    ("default-border-default", CARD),
    ("accent-1-border-default", CARD),
    ("positive-color-default", "positive-bg-default"),
]


def read_tokens(css: str, theme: Theme) -> dict[str, str]:
    """Return the colours of one theme, its own over those that all share."""
    tokens: dict[str, str] = {}
    for selector in (r"\.schuilnaam-theme", rf"\.schuilnaam-theme--{theme.value}"):
        for block in re.findall(rf"^\s*{selector} \{{(.*?)\}}", css, re.DOTALL | re.MULTILINE):
            tokens.update(re.findall(r"--basis-color-([a-z0-9-]+): (#[0-9a-f]{3,6});", block))
    return tokens


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rgb` or `#rrggbb` (WCAG 2.2)."""
    digits = colour[1:] if len(colour) == 7 else "".join(each * 2 for each in colour[1:])
    channels = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", Theme)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_read(theme: Theme, scheme: str) -> None:
    light, _, rest = CSS.partition("@media (prefers-color-scheme: dark)")
    dark, _, _ = rest.partition("/* Page */")
    tokens = read_tokens(light, theme)
    if scheme == "dark":
        tokens |= read_tokens(dark, theme)
    for text, ground in TEXT_PAIRS:
        assert contrast(tokens[text], tokens[ground]) >= 4.5, (text, ground)  # WCAG 1.4.3
    for edge, ground in EDGE_PAIRS:
        assert contrast(tokens[edge], tokens[ground]) >= 3, (edge, ground)  # WCAG 1.4.11


def test_style_sheet_asks_nothing_of_others() -> None:
    assert not re.search(r"url\(|@import|@font-face", CSS)


class TestLoadStaticAssets:
    def test_names_change_with_the_content(self, tmp_path: Path) -> None:
        (tmp_path / "a.css").write_text("a {}")
        before = load_static_assets((tmp_path,)).url("a.css")
        assert re.fullmatch(r"/static/a\.[0-9a-f]{16}\.css", before)
        assert load_static_assets((tmp_path,)).url("a.css") == before
        (tmp_path / "a.css").write_text("b {}")
        assert load_static_assets((tmp_path,)).url("a.css") != before

    def test_serves_by_path_what_it_names(self, tmp_path: Path) -> None:
        (tmp_path / "a.js").write_text("let x;")
        assets = load_static_assets((tmp_path,), prefix="/demo/")
        served = assets.by_url_path[assets.url("a.js")]
        assert served == StaticAsset(
            assets.url("a.js"), "text/javascript; charset=utf-8", b"let x;"
        )
        assert served.url_path.startswith("/demo/a.")

    def test_a_later_folder_wins(self, tmp_path: Path) -> None:
        (tmp_path / "mask.svg").write_text("<svg/>")
        assets = load_static_assets((STATIC_FOLDER, tmp_path))
        assert assets.by_name["mask.svg"].body == b"<svg/>"
        assert assets.by_name["schuilnaam.css"].body == CSS.encode()

    def test_refuses_a_name_that_is_not_there(self) -> None:
        with pytest.raises(UnknownStaticFileError):
            load_static_assets().url("gone.css")

    def test_refuses_a_kind_that_it_does_not_serve(self, tmp_path: Path) -> None:
        (tmp_path / "tracker.gif").write_bytes(b"GIF89a")
        with pytest.raises(UnknownStaticFileError, match=r"tracker\.gif"):
            load_static_assets((tmp_path,))
