"""A school whose logins suddenly state no ECK iD any more is told of, once a day."""

from datetime import date, timedelta

import pytest

from broker.domain.ids import SchoolId
from broker.flow.audit import AuditEvent
from broker.flow.persons.eck_id_share import ShareRules, has_dropped, share_alarm
from broker.flow.persons.login_tally import (
    COMPARED_DAYS,
    LoginTally,
    keep_tally,
    schools_told_of,
)
from broker.flow.persons.register import RegisterUnavailable
from broker.flow.persons.school_counts import Counted, CountKind
from tests.flow.login_parties import REKENRIJK
from tests.flow.login_world import DAAN, ELS, SANNE, LoginWorld
from tests.flow.memory_register import MemoryRegister
from tests.flow.register_world import FIRST_DAY, REGENBOOG, VUURVOGEL

LOGINS, WITH = CountKind.LOGINS, CountKind.ECK_ID_LOGINS


class Events:
    def __init__(self) -> None:
        self.seen: list[AuditEvent] = []

    def record(self, event: AuditEvent) -> None:
        self.seen.append(event)


def counts_of(*days: tuple[int, int, int]) -> Counted:
    """Days before today, logins, and how many with an ECK iD."""
    counted: dict[tuple[date, CountKind], int] = {}
    for before, logins, with_eck_id in days:
        day = FIRST_DAY - timedelta(days=before)
        counted |= {(day, LOGINS): logins, (day, WITH): with_eck_id}
    return counted


@pytest.mark.parametrize(
    ("days", "dropped"),
    [
        ([(0, 100, 10), (1, 100, 95)], True),
        ([(0, 100, 70), (1, 100, 99)], False),
        ([(0, 100, 69), (1, 100, 99)], True),
        ([(0, 19, 0), (1, 100, 95)], False),
        ([(0, 100, 0), (1, 19, 19)], False),
        ([(0, 100, 0), (COMPARED_DAYS, 100, 95)], True),
        ([(0, 100, 0), (COMPARED_DAYS + 1, 100, 95)], False),
        ([(0, 100, 0), (1, 100, 0)], False),
        ([(0, 100, 100), (1, 100, 0)], False),
        ([(1, 100, 95)], False),
    ],
)
def test_drop_needs_enough_logins_and_a_far_lower_share(
    days: list[tuple[int, int, int]], dropped: bool
) -> None:
    assert has_dropped(counts_of(*days), today=FIRST_DAY, rules=ShareRules()) is dropped


async def keep(register: MemoryRegister, tally: LoginTally, audit: Events) -> None:
    def read(school: SchoolId, since: date) -> Counted:
        return {
            (day, kind): count
            for (of, day, kind), count in register.counts.items()
            if of == school and day >= since
        }

    await keep_tally(
        tally,
        register=register,
        read=read,
        alarms=[share_alarm(ShareRules())],
        audit=audit,
        today=FIRST_DAY,
    )


def fill(tally: LoginTally, school: SchoolId, *, with_eck_id: bool) -> None:
    for _ in range(30):
        tally.note(school, today=FIRST_DAY, with_eck_id=with_eck_id)


async def test_drop_is_told_once_a_day_of_the_school_that_dropped() -> None:
    register, tally, audit = MemoryRegister(), LoginTally(), Events()
    yesterday = FIRST_DAY - timedelta(days=1)
    for school in (VUURVOGEL, REGENBOOG):
        register.counts |= {(school, yesterday, LOGINS): 50, (school, yesterday, WITH): 50}
    fill(tally, REGENBOOG, with_eck_id=True)
    for _ in range(2):
        fill(tally, VUURVOGEL, with_eck_id=False)
        await keep(register, tally, audit)
    assert [(each.action, each.school) for each in audit.seen] == [
        ("eck-id-share-dropped", VUURVOGEL)
    ]
    assert register.counts[VUURVOGEL, FIRST_DAY, LOGINS] == 60
    assert register.counts[REGENBOOG, FIRST_DAY, WITH] == 30
    written = register.written
    await keep(register, tally, audit)
    assert register.written == written, "nothing tallied costs no write"


async def test_what_could_not_be_stored_is_kept() -> None:
    register, tally, audit = MemoryRegister(), LoginTally(), Events()
    fill(tally, VUURVOGEL, with_eck_id=False)
    register.down = True
    with pytest.raises(RegisterUnavailable):
        await keep(register, tally, audit)
    register.down = False
    fill(tally, VUURVOGEL, with_eck_id=False)
    await keep(register, tally, audit)
    assert register.counts[VUURVOGEL, FIRST_DAY, LOGINS] == 60
    assert (VUURVOGEL, FIRST_DAY, WITH) not in register.counts


def test_schools_of_which_a_drop_was_told() -> None:
    told = {(FIRST_DAY, CountKind.SHARE_ALARMED): 1}
    counted = {VUURVOGEL: told, REGENBOOG: counts_of((0, 100, 0))}
    assert schools_told_of(CountKind.SHARE_ALARMED, counted, since=FIRST_DAY) == (VUURVOGEL,)
    assert (
        schools_told_of(CountKind.SHARE_ALARMED, counted, since=FIRST_DAY + timedelta(days=1)) == ()
    )


async def test_logins_of_pupils_are_tallied_and_those_of_staff_are_not() -> None:
    world = LoginWorld()
    for person in (SANNE, DAAN, ELS):
        await world.log_in(REKENRIJK, person)
    tallied = {each.kind: each.add for each in world.tally.empty()}
    assert tallied == {LOGINS: 2, WITH: 1}
