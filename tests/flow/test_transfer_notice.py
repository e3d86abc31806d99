"""What a school is told of pupils who change school."""

from datetime import date, timedelta

import pytest

from broker.flow.persons.arrival_budgets import ArrivalRules, budget_of
from broker.flow.persons.register import RegisterUnavailable
from broker.flow.persons.school_counts import Counted, CountKind, year_day
from broker.flow.persons.transfer_notice import LISTED_DAYS, DayOfTransfers, notice_of
from broker.flow.programs.transfer_notices import TransferNotices
from tests.builders import a_school

TODAY = date(2026, 11, 27)
YESTERDAY = TODAY - timedelta(days=1)
LONG_AGO = TODAY - timedelta(days=LISTED_DAYS)
RULES = ArrivalRules()
SCHOOL = a_school(pupils=400)
COUNTED: Counted = {
    (year_day(TODAY), CountKind.PUPILS): 391,
    (year_day(TODAY), CountKind.FIRST_IN_YEAR): 380,
    (year_day(TODAY), CountKind.PROTECTED): 2,
    (TODAY, CountKind.ARRIVED): 5,
    (TODAY, CountKind.LEFT): 1,
    (TODAY, CountKind.WAITED): 3,
    (TODAY, CountKind.LOGINS): 200,
    (YESTERDAY, CountKind.LEFT): 2,
    (LONG_AGO, CountKind.LEFT): 7,
}


def test_it_counts_by_day_and_by_school_year() -> None:
    budget = budget_of(400, rules=RULES, today=TODAY)
    notice = notice_of(COUNTED, budget=budget, today=TODAY)
    assert (notice.pupils, notice.first, notice.protected) == (391, 380, 2)
    assert notice.budget == budget
    assert notice.days == (DayOfTransfers(TODAY, 5, 1, 3), DayOfTransfers(YESTERDAY, 0, 2, 0))


async def ask(counted: Counted) -> tuple[DayOfTransfers, ...]:
    def read(school: str, since: date) -> Counted:
        assert (school, since) == (SCHOOL.id, year_day(TODAY))
        return counted

    return (await TransferNotices(read, RULES).of(SCHOOL, today=TODAY)).days


async def test_a_program_learns_who_left_once_the_day_is_over() -> None:
    """Who asks each minute would learn when one of its pupils logged in elsewhere."""
    assert await ask(COUNTED) == (
        DayOfTransfers(TODAY, 5, 0, 3),
        DayOfTransfers(YESTERDAY, 0, 2, 0),
    )
    assert await ask({(TODAY, CountKind.LEFT): 1}) == ()
    assert await ask({(YESTERDAY, CountKind.LEFT): 1}) == (DayOfTransfers(YESTERDAY, 0, 1, 0),)


async def test_counts_that_cannot_be_read_are_no_counts_of_nothing() -> None:
    def read(school: str, since: date) -> Counted:
        raise RegisterUnavailable("check_counts_readable")

    with pytest.raises(RegisterUnavailable):
        await TransferNotices(read, RULES).of(SCHOOL, today=TODAY)
