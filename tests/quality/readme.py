"""The README as the tests read it: its text, its tables and its examples."""

import re
from functools import cache

from tests.quality.sources import ROOT

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


@cache
def readme() -> str:
    """Return the whole page."""
    return (ROOT / "README.md").read_text()


@cache
def prose() -> str:
    """Return the page without its fenced blocks."""
    return FENCE.sub("", readme())


def fenced(language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    return [body for named, body in FENCE.findall(readme()) if named == language]


def table(first_column: str) -> dict[str, list[str]]:
    """Return the rows of the one table with that first heading: first cell -> the other cells.

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


def heading_anchors() -> set[str]:
    """Return the anchors of the headings, as code hosts make them."""
    titles = re.findall(r"^#+ (.+)$", prose(), re.M)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in titles}
