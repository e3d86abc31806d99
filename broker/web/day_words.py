"""Days and counts as people write them: "31 December 2026", "7.021", "fewer than 10"."""

from collections.abc import Callable
from datetime import date

from markupsafe import Markup

from broker.web.texts import N_

MONTHS = (
    N_("January"),
    N_("February"),
    N_("March"),
    N_("April"),
    N_("May"),
    N_("June"),
    N_("July"),
    N_("August"),
    N_("September"),
    N_("October"),
    N_("November"),
    N_("December"),
)

FEWEST_SHOWN = 10
"""Fewer people than this are not counted on a page: they could be recognised."""

Say = Callable[[str], str]


def write_day(day: date | str, *, say: Say) -> Markup:
    """Return a day in words, for people and for programs.

    Args:
        day: or its ISO 8601 form, of which the time of day is left out.
        say: translates a message id.

    Raises:
        ValueError: the text is no day.

    >>> write_day("2026-12-31", say=str)
    Markup('<time datetime="2026-12-31">31 December 2026</time>')
    """
    read = date.fromisoformat(day[:10]) if isinstance(day, str) else day
    words = f"{read.day} {say(MONTHS[read.month - 1])} {read.year}"
    return Markup('<time datetime="{}">{}</time>').format(read.strftime("%Y-%m-%d"), words)


def write_count(count: int, *, say: Say) -> str:
    """Return a number with its thousands apart, as the language does.

    >>> write_count(7021, say=str)
    '7,021'
    """
    return f"{count:,}".replace(",", say(N_(",")))


def write_people(count: int, *, say: Say) -> str:
    """Return how many people; nothing exact below ten but none.

    >>> write_people(3, say=str)
    'fewer than 10'
    >>> write_people(0, say=str)
    '0'
    """
    return say(N_("fewer than 10")) if 0 < count < FEWEST_SHOWN else write_count(count, say=say)
