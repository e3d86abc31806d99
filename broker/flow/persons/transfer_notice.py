"""What a school is told of pupils who change school: counts by day, of nobody.

Both schools are told, and neither of the other: the new one how many came, the one of before how
many left. Which pupil it is only finds out who presents the number (`person_objection`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from broker.flow.persons.arrival_budgets import ArrivalBudget
from broker.flow.persons.school_counts import Counted, CountKind, year_day

LISTED_DAYS = 30


@dataclass(frozen=True, slots=True)
class DayOfTransfers:
    """One day at one school.

    Attributes:
        came: pupils of other schools who were let in.
        left: pupils of this school who were let in elsewhere.
        waited: pupils who were not let in, because a budget was spent.
    """

    day: date
    came: int
    left: int
    waited: int


@dataclass(frozen=True, slots=True)
class TransferNotice:
    """What a school is told.

    Attributes:
        budget: how many may come.
        pupils: who logged in this school year.
        first: pupils of this school year whom nobody stated by ECK iD before.
        protected: pupils whom this school's lists protected this school year.
        days: on which there was something to tell, the newest first.
    """

    budget: ArrivalBudget
    pupils: int
    first: int
    protected: int
    days: tuple[DayOfTransfers, ...]


def first_day_told(today: date) -> date:
    """Return from which day on counts are needed."""
    return min(year_day(today), today - timedelta(days=LISTED_DAYS))


def notice_of(counted: Counted, *, budget: ArrivalBudget, today: date) -> TransferNotice:
    """Return what a school is told on one day.

    Args:
        counted: of this school, from `first_day_told` on.
    """
    pupils, first, protected = (
        counted.get((year_day(today), kind), 0)
        for kind in (CountKind.PUPILS, CountKind.FIRST_IN_YEAR, CountKind.PROTECTED)
    )
    return TransferNotice(
        budget=budget,
        pupils=pupils,
        first=first,
        protected=protected,
        days=tuple(_days(counted, today=today)),
    )


def _days(counted: Counted, *, today: date) -> Iterator[DayOfTransfers]:
    for days in range(LISTED_DAYS):
        day = today - timedelta(days=days)
        numbers = [
            counted.get((day, kind), 0)
            for kind in (CountKind.ARRIVED, CountKind.LEFT, CountKind.WAITED)
        ]
        if any(numbers):
            yield DayOfTransfers(day, *numbers)
