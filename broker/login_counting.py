"""Keeping the shared counts of logins while a broker serves, and showing what they tell."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from datetime import timedelta

from broker.adapters.databases.sql_school_counts import SqliteSchoolCounts
from broker.domain.dutch_days import day_of
from broker.flow.audit import AuditLog
from broker.flow.persons.login_tally import LoginTally, SchoolAlarm, keep_tally, schools_told_of
from broker.flow.persons.register import PersonRegister, RegisterUnavailable
from broker.flow.persons.school_counts import CountKind
from broker.flow.ports import Clock

COUNT_SECONDS = 60
"""How much of what was tallied a killed worker loses at most."""
TOLD_DAYS = 1
"""For how long after its day an alarm is shown."""


async def keep_counting(
    tally: LoginTally,
    *,
    register: PersonRegister,
    counts: SqliteSchoolCounts,
    alarms: Sequence[SchoolAlarm],
    audit: AuditLog,
    clock: Clock,
    show: Callable[[CountKind, int], None],
) -> None:
    """Add the tally to the counts once in a while, until cancelled, and then once more.

    Args:
        show: is told of how many schools each alarm was told lately.
    """

    async def once() -> None:
        today = day_of(clock())
        try:
            await keep_tally(
                tally,
                register=register,
                read=lambda school, since: counts.read(school, since=since),
                alarms=alarms,
                audit=audit,
                today=today,
            )
            since = today - timedelta(days=TOLD_DAYS)
            counted = dict(counts.read_all(since=since))
            for each in alarms:
                show(each.kind, len(schools_told_of(each.kind, counted, since=since)))
        except (RegisterUnavailable, sqlite3.Error, OSError):
            pass  # the next time; the register's own health tells that it is down

    try:
        while True:
            await asyncio.sleep(COUNT_SECONDS)
            await once()
    finally:
        await once()
