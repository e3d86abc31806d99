"""How many of a school's logins state an ECK iD, and whether that suddenly drops.

When a school's login stops stating ECK iDs, nobody notices at first: pupils go on by their numbers,
and the new ones get accounts that no other school will find again. So each worker tallies logins of
pupils by school, adds them to the shared counts once in a while, and looks whether today's share
is far below that of the weeks before. What was tallied last is lost when a worker is killed: the
counts are coarse.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from broker.domain.ids import SchoolId
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.persons.register import PersonRegister
from broker.flow.persons.school_counts import Count, Counted, CountFull, CountKind

COMPARED_DAYS = 14
"""Two weeks: as many of each day of the week."""


@dataclass(frozen=True, slots=True)
class ShareRules:
    """When a drop is one.

    Attributes:
        least_logins: today, and in the days before: fewer say nothing.
        dropped_percent: points by which today's share is below that of the days before.
    """

    least_logins: int = 20
    dropped_percent: int = 30


class LoginTally:
    """Logins of pupils since it was last emptied, in one worker."""

    def __init__(self) -> None:
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


def has_dropped(counted: Counted, *, today: date, rules: ShareRules) -> bool:
    """Tell whether today's share of logins with ECK iD is far below that of the days before."""
    before = [today - timedelta(days=days) for days in range(1, COMPARED_DAYS + 1)]
    logins = _sum(counted, [today], CountKind.LOGINS)
    logins_before = _sum(counted, before, CountKind.LOGINS)
    if min(logins, logins_before) < rules.least_logins:
        return False
    share = 100 * _sum(counted, [today], CountKind.ECK_ID_LOGINS) / logins
    share_before = 100 * _sum(counted, before, CountKind.ECK_ID_LOGINS) / logins_before
    return share_before - share >= rules.dropped_percent


async def keep_tally(
    tally: LoginTally,
    *,
    register: PersonRegister,
    read: Callable[[SchoolId, date], Counted],
    rules: ShareRules,
    audit: AuditLog,
    today: date,
) -> None:
    """Add what was tallied to the shared counts, and tell of each school's drop once a day.

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
        if not has_dropped(counted, today=today, rules=rules):
            continue
        try:
            await register.apply((), [Count(school, today, CountKind.SHARE_ALARMED, at_most=1)])
        except CountFull:
            continue  # told today already
        audit.record(AuditEvent(action="eck-id-share-dropped", school=school))


def dropped_schools(counted: Mapping[SchoolId, Counted], *, since: date) -> tuple[SchoolId, ...]:
    """Return the schools of which a drop was told from a day on."""
    return tuple(
        school
        for school, counts in sorted(counted.items())
        if any(kind is CountKind.SHARE_ALARMED and day >= since for day, kind in counts)
    )


def _sum(counted: Counted, days: list[date], kind: CountKind) -> int:
    return sum(counted.get((day, kind), 0) for day in days)
