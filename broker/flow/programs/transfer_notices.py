"""A school's program asks what the school is told of pupils who change school.

Who left is told once the day is over: a program that asked each minute would else learn the moment
at which one of its pupils logged in elsewhere.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from broker.domain.federation import School
from broker.domain.ids import SchoolId
from broker.flow.persons.arrival_budgets import ArrivalRules, budget_of
from broker.flow.persons.school_counts import Counted
from broker.flow.persons.transfer_notice import (
    DayOfTransfers,
    TransferNotice,
    first_day_told,
    notice_of,
)


@dataclass(frozen=True, slots=True)
class TransferNotices:
    """What it works over.

    Attributes:
        read: returns what was counted of a school from a day on; may block.
        rules: the numbers of the settings.
    """

    read: Callable[[SchoolId, date], Counted] = field(repr=False)
    rules: ArrivalRules

    async def of(self, school: School, *, today: date) -> TransferNotice:
        """Return what a school is told.

        Raises:
            RegisterUnavailable: the counts cannot be read.
        """
        counted = await asyncio.to_thread(self.read, school.id, first_day_told(today))
        budget = budget_of(school.pupils, rules=self.rules, today=today)
        notice = notice_of(counted, budget=budget, today=today)
        return replace(notice, days=_without_who_left_today(notice.days, today=today))


def _without_who_left_today(
    days: Sequence[DayOfTransfers], *, today: date
) -> tuple[DayOfTransfers, ...]:
    told = (replace(each, left=0) if each.day == today else each for each in days)
    return tuple(each for each in told if each.came or each.left or each.waited)
