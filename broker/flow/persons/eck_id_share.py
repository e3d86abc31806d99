"""How many of a school's logins state an ECK iD, and whether that suddenly drops.

When a school's login stops stating ECK iDs, nobody notices at first: pupils go on by their numbers,
and the new ones get accounts that no other school will find again. So it is told when today's share
is far below that of the weeks before.
"""

from dataclasses import dataclass
from datetime import date

from broker.flow.persons.login_tally import SchoolAlarm, days_before, sum_of
from broker.flow.persons.school_counts import Counted, CountKind


@dataclass(frozen=True, slots=True)
class ShareRules:
    """When a drop is one.

    Attributes:
        least_logins: today, and in the days before: fewer say nothing.
        dropped_percent: points by which today's share is below that of the days before.
    """

    least_logins: int = 20
    dropped_percent: int = 30


def share_alarm(rules: ShareRules) -> SchoolAlarm:
    """Return the alarm of a drop."""
    return SchoolAlarm(
        CountKind.SHARE_ALARMED,
        "eck-id-share-dropped",
        lambda _, counted, today: has_dropped(counted, today=today, rules=rules),
    )


def has_dropped(counted: Counted, *, today: date, rules: ShareRules) -> bool:
    """Tell whether today's share of logins with ECK iD is far below that of the days before."""
    before = days_before(today)
    logins = sum_of(counted, [today], CountKind.LOGINS)
    logins_before = sum_of(counted, before, CountKind.LOGINS)
    if min(logins, logins_before) < rules.least_logins:
        return False
    share = 100 * sum_of(counted, [today], CountKind.ECK_ID_LOGINS) / logins
    share_before = 100 * sum_of(counted, before, CountKind.ECK_ID_LOGINS) / logins_before
    return share_before - share >= rules.dropped_percent
