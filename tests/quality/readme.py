"""The README and the pages beside it as the tests read them: text, tables and examples.

What one table tells stands on one page only; which page that is, is no matter of the tests.
"""

import re
from functools import cache

from tests.quality.sources import ROOT

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


PAGES = ("README.md", "config/OPERATING.md", "config/ERROR-CODES.md", "tests/bench/README.md")
"""The main page and what was taken from it, as paths from the root."""
LINKED_PAGES = (
    *(*PAGES, "config/README.md", "config/CONNECTING.md"),
    *("keys/README.md", "docker/README.md"),
)


@cache
def page(path: str) -> str:
    """Return one page without its fenced blocks."""
    return FENCE.sub("", (ROOT / path).read_text())


@cache
def readme() -> str:
    """Return all of `PAGES`, one after the other."""
    return "\n".join((ROOT / each).read_text() for each in PAGES)


@cache
def prose() -> str:
    """Return the same without fenced blocks."""
    return FENCE.sub("", readme())


def fenced(language: str) -> list[str]:
    """Return the fenced blocks of one language, of all pages."""
    return [body for named, body in FENCE.findall(readme()) if named == language]


def table(first_column: str) -> dict[str, list[str]]:
    """Return the rows of the one table with that first heading: first cell -> the other cells.

    No other page holds one with that heading.

    >>> table("Word")["agreement"]
    ['what a school approved for a supplier: attributes, version, dates']
    """
    found = re.findall(
        rf"^\| {re.escape(first_column)} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", prose(), re.M
    )
    (rows,) = found
    cells = [[each.strip() for each in line.strip("|").split("|")] for line in rows.splitlines()]
    named = {first: rest for first, *rest in cells}
    if len(named) != len(cells):
        raise ValueError(f"{first_column}: a row stands there twice")
    return named


def code_of(cell: str) -> list[str]:
    """Return the texts between backticks.

    >>> code_of("`a`, `b` and c")
    ['a', 'b']
    """
    return re.findall(r"`([^`]+)`", cell)


def heading_anchors(path: str) -> set[str]:
    """Return the anchors of one page's headings, as code hosts make them."""
    titles = re.findall(r"^#+ (.+)$", page(path), re.M)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in titles}
