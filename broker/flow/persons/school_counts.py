"""Counts by school and day: coarse, of nobody, and shared by all workers.

    pupils             pupils who logged in in a school year (its day is 1 August)
    arrived            pupils known elsewhere who were let in
    left               pupils who were let in elsewhere
    first              pupils let in whom nobody stated by ECK iD before
    first-in-year      the same in a school year (its day is 1 August)
    protected          pupils whom this school's list protected, in a school year
    waited             pupils who were not let in, because a budget was spent; once a day a worker
    alarmed            whether that was told of this school
    left-alarmed       whether it was told of a school of before
    logins             logins of pupils, and
    eck-id-logins      those among them that stated an ECK iD
    share-alarmed      whether a sudden drop of that share was told
    first-alarmed      whether it was told that many came whom nobody stated before

A budget is spent in the transaction that lets the pupil in, so two workers never overspend it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from broker.domain.ids import SchoolId
from broker.flow.persons.person_records import SCHOOL_YEAR_FIRST_MONTH, school_year_of


class CountKind(StrEnum):
    """What is counted."""

    PUPILS = "pupils"
    ARRIVED = "arrived"
    LEFT = "left"
    FIRST = "first"
    FIRST_IN_YEAR = "first-in-year"
    PROTECTED = "protected"
    WAITED = "waited"
    ALARMED = "alarmed"
    LEFT_ALARMED = "left-alarmed"
    LOGINS = "logins"
    ECK_ID_LOGINS = "eck-id-logins"
    SHARE_ALARMED = "share-alarmed"
    FIRST_ALARMED = "first-alarmed"


@dataclass(frozen=True, slots=True)
class Count:
    """To be added to a count.

    Attributes:
        at_most: what the count may be afterwards; beyond it nothing is stored.
    """

    school: SchoolId
    day: date
    kind: CountKind
    add: int = 1
    at_most: int | None = None


Counted = Mapping[tuple[date, CountKind], int]
"""What was counted of one school."""


class CountFull(Exception):  # noqa: N818 -- an answer of the port, which the flow words
    """A count would go beyond its bound; nothing was stored."""


def year_day(today: date) -> date:
    """Return the day under which a school year is counted.

    >>> year_day(date(2027, 7, 31)), year_day(date(2027, 8, 1))
    (datetime.date(2026, 8, 1), datetime.date(2027, 8, 1))
    """
    return date(school_year_of(today), SCHOOL_YEAR_FIRST_MONTH, 1)
