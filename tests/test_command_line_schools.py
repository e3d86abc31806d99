"""What `broker check` warns of about schools."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.commands.school_warnings import warn_of_schools
from broker.domain.ids import SchoolId
from broker.flow.release import day_of
from broker.flow.school_counts import Count, CountKind
from broker.settings import LoadedSettings, Settings


def test_a_told_drop_is_warned_of_the_day_after(tmp_path: Path) -> None:
    loaded = LoadedSettings(Settings(issuer="http://localhost:8000"), tmp_path)
    loaded.data_folder.mkdir()
    upgrade_database(loaded.data_folder / "registry.db", "registry")
    assert list(warn_of_schools(loaded)) == [], "there is no register yet"
    path = loaded.data_folder / "register.db"
    upgrade_database(path, "register")
    today = day_of(datetime.now(UTC))

    async def count() -> None:
        register = SqlitePersonRegister(path)
        for school, days in (("vuurvogel", 1), ("regenboog", 3)):
            day = today - timedelta(days=days)
            await register.apply((), [Count(SchoolId(school), day, CountKind.SHARE_ALARMED)])
        await register.apply((), [Count(SchoolId("kompas"), today, CountKind.LOGINS)])
        await register.close()

    asyncio.run(count())
    assert [each.file for each in warn_of_schools(loaded)] == ["schools/vuurvogel"]
