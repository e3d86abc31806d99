"""The tally of logins reaches the shared counts while a broker serves, and at its end."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broker import login_counting
from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.databases.sql_school_counts import SqliteSchoolCounts
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolId
from broker.flow.audit import AuditEvent
from broker.flow.persons.eck_id_share import ShareRules, share_alarm
from broker.flow.persons.login_tally import LoginTally
from broker.flow.persons.school_counts import Count, CountKind
from broker.login_counting import keep_counting
from broker.person_settings import school_alarms_of
from broker.settings import Settings
from tests.builders import a_school
from tests.flow.login_parties import registry_of
from tests.flow.port_fakes import SwappedSnapshots
from tests.flow.register_world import VUURVOGEL

NOW = datetime(2026, 9, 7, 9, tzinfo=UTC)


class Events:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def record(self, event: AuditEvent) -> None:
        self.seen.append(event.action)


async def test_drop_is_shown_and_the_last_tally_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_counting, "COUNT_SECONDS", 0)
    path, today, shown = tmp_path / "register.db", day_of(NOW), asyncio.Queue[int]()
    upgrade_database(path, "register")
    register, tally, events = SqlitePersonRegister(path), LoginTally(), Events()
    for kind in (CountKind.LOGINS, CountKind.ECK_ID_LOGINS):
        yesterday = today - timedelta(days=1)
        await register.apply((), [Count(VUURVOGEL, yesterday, kind, add=50)])
    task = asyncio.create_task(
        keep_counting(
            tally,
            register=register,
            counts=SqliteSchoolCounts(path),
            alarms=[share_alarm(ShareRules())],
            audit=events,
            clock=lambda: NOW,
            show=lambda kind, schools: shown.put_nowait(schools),
        )
    )
    assert await shown.get() == 0
    for _ in range(20):
        tally.note(VUURVOGEL, today=today, with_eck_id=False)
    while await shown.get() == 0:
        pass
    assert events.seen == ["eck-id-share-dropped"]
    path.rename(tmp_path / "away")
    tally.note(VUURVOGEL, today=today, with_eck_id=True)
    while shown.qsize():
        shown.get_nowait()
    (tmp_path / "away").rename(path)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await register.close()
    counted = SqliteSchoolCounts(path).read(VUURVOGEL, since=today)
    assert counted[today, CountKind.LOGINS] == 21


def test_alarms_go_by_the_settings_and_the_registry_in_force() -> None:
    school = a_school(pupils=100)
    snapshots = SwappedSnapshots(registry_of({school.id: school}))
    settings = Settings(issuer="http://localhost:8000")
    of_share, of_first = school_alarms_of(settings, snapshots)
    assert of_share.kind is CountKind.SHARE_ALARMED
    today = day_of(NOW)
    counted = {(today, CountKind.FIRST): 41}
    assert of_first.is_raised(school.id, counted, today)
    assert not of_first.is_raised(SchoolId("not-there-any-more"), counted, today)
