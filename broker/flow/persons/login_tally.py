"""Logins of pupils by school, tallied by each worker, and what they tell operators about a school.

Each worker adds its tally to the shared counts once in a while, and looks at the counts of the
schools in it. An alarm of a school is told once, on whichever worker. What was tallied last is lost
when a worker is killed: the counts are coarse.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from broker.domain.ids import SchoolId
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.persons.register import PersonRegister
from broker.flow.persons.school_counts import Count, Counted, CountFull, CountKind
from broker.flow.persons.waiting_pupils import WaitingPupils

COMPARED_DAYS = 14
"""Two weeks before today: as many of each day of the week."""


@dataclass(frozen=True, slots=True)
class SchoolAlarm:
    """What may be told of a school.

    Attributes:
        kind: under which it is counted that it was told.
        action: the event.
        is_raised: of a school, from its counts of today and `COMPARED_DAYS` before.
    """

    kind: CountKind
    action: str
    is_raised: Callable[[SchoolId, Counted, date], bool]


class LoginTally:
    """Logins of pupils since it was last emptied, in one worker.

    Attributes:
        waiting: who was counted as waiting today.
    """

    def __init__(self) -> None:
        self.waiting = WaitingPupils()
        self._counts: dict[tuple[SchoolId, date, CountKind], int] = {}

    def note(self, school: SchoolId, *, today: date, with_eck_id: bool) -> None:
        """Count one login of a pupil."""
        kinds = (CountKind.LOGINS, CountKind.ECK_ID_LOGINS)[: 1 + with_eck_id]
        for kind in kinds:
            key = (school, today, kind)
            self._counts[key] = self._counts.get(key, 0) + 1

    def empty(self) -> tuple[Count, ...]:
        """Return what was counted, and begin anew."""
        counts, self._counts = self._counts, {}
        return tuple(Count(*key, add=count) for key, count in counts.items())

    def put_back(self, counts: tuple[Count, ...]) -> None:
        """Count again what could not be stored."""
        for each in counts:
            key = (each.school, each.day, each.kind)
            self._counts[key] = self._counts.get(key, 0) + each.add


async def keep_tally(
    tally: LoginTally,
    *,
    register: PersonRegister,
    read: Callable[[SchoolId, date], Counted],
    alarms: Sequence[SchoolAlarm],
    audit: AuditLog,
    today: date,
) -> None:
    """Add what was tallied to the shared counts, and tell of each school's alarms once a day.

    Args:
        read: returns what was counted of a school from a day on.

    Raises:
        RegisterUnavailable: nothing was told; what was tallied is kept for the next time.
    """
    counts = tally.empty()
    if not counts:
        return
    try:
        await register.apply((), counts)
    except Exception:
        tally.put_back(counts)
        raise
    for school in sorted({each.school for each in counts}):
        counted = read(school, today - timedelta(days=COMPARED_DAYS))
        for alarm in alarms:
            if not alarm.is_raised(school, counted, today):
                continue
            try:
                await register.apply((), [Count(school, today, alarm.kind, at_most=1)])
            except CountFull:
                continue  # told today already
            audit.record(AuditEvent(action=alarm.action, school=school))


def schools_told_of(
    kind: CountKind, counted: Mapping[SchoolId, Counted], *, since: date
) -> tuple[SchoolId, ...]:
    """Return the schools of which an alarm was told from a day on.

    Args:
        kind: the alarm's.
    """
    return tuple(
        school
        for school, counts in sorted(counted.items())
        if any(each is kind and day >= since for day, each in counts)
    )


def days_before(today: date) -> list[date]:
    """Return the days with which today is compared."""
    return [today - timedelta(days=days) for days in range(1, COMPARED_DAYS + 1)]


def sum_of(counted: Counted, days: Sequence[date], kind: CountKind) -> int:
    """Return what was counted on some days."""
    return sum(counted.get((day, kind), 0) for day in days)
