"""Quotas: spent whole or not at all, by all workers together, and forgotten with their period."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from broker.adapters.databases.sql import open_sqlite
from broker.adapters.databases.sql_quotas import SqliteQuotas
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.flow.programs.quotas import Quota, QuotaExceeded, QuotaLedger, QuotasUnavailable
from tests.flow.memory_quotas import MemoryQuotas

TODAY = Quota(purpose="takeover", of="vuurvogel/rekenrijk", period="2026-09-01", limit=10)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "register.db"
    upgrade_database(made, "register")
    return made


@pytest.fixture
async def on_sqlite(path: Path) -> AsyncIterator[SqliteQuotas]:
    made = SqliteQuotas(path)
    yield made
    await made.close()


@pytest.fixture(params=["memory", "sqlite"])
async def quotas(request: pytest.FixtureRequest, on_sqlite: SqliteQuotas) -> QuotaLedger:
    return MemoryQuotas() if request.param == "memory" else on_sqlite


async def test_what_is_left_can_be_spent(quotas: QuotaLedger) -> None:
    await quotas.spend(TODAY, 7)
    with pytest.raises(QuotaExceeded):
        await quotas.spend(TODAY, 4)
    await quotas.spend(TODAY, 3)
    with pytest.raises(QuotaExceeded):
        await quotas.spend(TODAY, 1)
    with pytest.raises(QuotaExceeded):
        await quotas.spend(replace(TODAY, of="kompas/rekenrijk"), 11)


async def test_each_count_stands_alone(quotas: QuotaLedger) -> None:
    await quotas.spend(TODAY, 10)
    for other in ({"of": "kompas/rekenrijk"}, {"purpose": "conversion"}, {"period": "2026-09-02"}):
        await quotas.spend(replace(TODAY, **other), 10)  # type: ignore[arg-type]


async def test_racers_share_it(on_sqlite: SqliteQuotas, path: Path) -> None:
    other = SqliteQuotas(path)
    raced = await asyncio.gather(
        *(each.spend(TODAY, 1) for each in (on_sqlite, other) for _ in range(20)),
        return_exceptions=True,
    )
    await other.close()
    assert raced.count(None) == 10
    assert all(isinstance(each, QuotaExceeded) for each in raced if each is not None)


async def test_earlier_periods_are_forgotten(on_sqlite: SqliteQuotas, path: Path) -> None:
    for_good = replace(TODAY, purpose="total", period="")
    for quota in (TODAY, for_good, replace(TODAY, period="2026-09-02"), for_good):
        await on_sqlite.spend(quota, 1)
    connection = open_sqlite(path)
    rows = connection.execute("SELECT purpose, period, used FROM api_quotas ORDER BY purpose")
    assert rows.fetchall() == [("takeover", "2026-09-02", 1), ("total", "", 2)]
    connection.close()


async def test_a_database_that_is_away_gives_nothing(on_sqlite: SqliteQuotas, path: Path) -> None:
    await on_sqlite.spend(TODAY, 1)
    path.rename(path.with_suffix(".away"))
    with pytest.raises(QuotasUnavailable):
        await on_sqlite.spend(TODAY, 1)
    path.with_suffix(".away").rename(path)
    await on_sqlite.spend(TODAY, 9)
    with pytest.raises(QuotaExceeded):
        await on_sqlite.spend(TODAY, 1)
