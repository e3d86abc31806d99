"""A school that states many pupils whom nobody stated before is told of: once, and in time."""

from datetime import date, timedelta

import pytest

from broker.domain.ids import SchoolId
from broker.flow.audit import AuditEvent
from broker.flow.persons.arrival_budgets import ArrivalRules, budget_of
from broker.flow.persons.first_stated import first_stated_alarm, many_of, stated_many
from broker.flow.persons.login_tally import COMPARED_DAYS, LoginTally, keep_tally
from broker.flow.persons.school_counts import Count, Counted, CountKind
from tests.flow.memory_register import MemoryRegister
from tests.flow.register_world import FIRST_DAY, REGENBOOG, VUURVOGEL

FIRST, TOLD = CountKind.FIRST, CountKind.FIRST_ALARMED


def counts_of(**days: int) -> Counted:
    """Of kinds and days before today: `first_3=10`."""
    parts = ((name.rpartition("_"), count) for name, count in days.items())
    return {
        (FIRST_DAY - timedelta(days=int(before)), FIRST if kind == "first" else TOLD): count
        for (kind, _, before), count in parts
    }


@pytest.mark.parametrize(
    ("days", "many"),
    [
        ({"first_0": 360}, False),
        ({"first_0": 361}, True),
        ({"first_0": 1, f"first_{COMPARED_DAYS}": 360}, True),
        ({"first_0": 1, f"first_{COMPARED_DAYS + 1}": 360}, False),
        ({"first_0": 361, "told_1": 1}, False),
        ({"first_0": 361, f"told_{COMPARED_DAYS + 1}": 1}, True),
    ],
)
def test_it_is_many_beyond_an_intake_and_told_once_in_the_time(
    days: dict[str, int], many: bool
) -> None:
    counted = counts_of(**days)
    assert stated_many(counted, pupils=900, today=FIRST_DAY, rules=ArrivalRules()) is many


@pytest.mark.parametrize("pupils", [None, 20, 400, 30_000])
def test_it_is_told_before_the_bound_is_reached(pupils: int | None) -> None:
    rules = ArrivalRules()
    bound = budget_of(pupils, rules=rules, today=FIRST_DAY).first_in_all
    assert many_of(pupils, rules=rules) <= bound


async def test_only_the_school_that_did_is_told_and_once() -> None:
    register, tally, seen = MemoryRegister(), LoginTally(), list[AuditEvent]()

    class Events:
        def record(self, event: AuditEvent) -> None:
            seen.append(event)

    def read(school: SchoolId, since: date) -> Counted:
        return {
            (day, kind): count
            for (of, day, kind), count in register.counts.items()
            if of == school and day >= since
        }

    head_counts = {VUURVOGEL: 900, REGENBOOG: None}
    alarm = first_stated_alarm(ArrivalRules(), pupils_of=head_counts.__getitem__)
    for school in head_counts:
        await register.apply((), [Count(school, FIRST_DAY, FIRST, add=300)])
    for days in (0, 0, 1):
        today = FIRST_DAY + timedelta(days=days)
        for school in head_counts:
            tally.note(school, today=today, with_eck_id=True)
        await keep_tally(
            tally, register=register, read=read, alarms=[alarm], audit=Events(), today=today
        )
    assert [(each.action, each.school) for each in seen] == [
        ("many-pupils-stated-first", REGENBOOG)
    ]
