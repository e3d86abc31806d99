"""How many tests of a school's login ended how, on SQLite."""

import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from broker.adapters.databases.sql_login_tests import KEPT_DAYS, SqliteLoginTests
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.domain.ids import SchoolId, SchoolIdpId
from broker.flow.federation.snapshots import RegistryUnreadable
from broker.flow.login_tests.login_tests import LoginTestOutcome

SCHOOL, OTHER = SchoolId("vuurvogel"), SchoolId("kompas")
IDP, TODAY = SchoolIdpId("vuurvogel-login"), date(2026, 3, 2)
FINE, INCOMPLETE = LoginTestOutcome.FINE, LoginTestOutcome.INCOMPLETE


@pytest.fixture
def tests(tmp_path: Path) -> SqliteLoginTests:
    path = tmp_path / "registry.db"
    upgrade_database(path, "registry")
    return SqliteLoginTests(path)


async def test_the_last_day_of_each_outcome_counts(tests: SqliteLoginTests) -> None:
    for days, outcome in ((0, FINE), (0, FINE), (3, FINE), (5, INCOMPLETE)):
        await tests.keep(SCHOOL, IDP, outcome, TODAY - timedelta(days=days))
    await tests.keep(OTHER, IDP, INCOMPLETE, TODAY)
    assert tests.last_tests(SCHOOL) == {
        (IDP, FINE): TODAY,
        (IDP, INCOMPLETE): TODAY - timedelta(days=5),
    }
    with closing(sqlite3.connect(tests.path)) as connection:
        rows = list(connection.execute("SELECT * FROM login_tests WHERE day = ?", ("2026-03-02",)))
    assert sorted(rows) == [
        ("kompas", "vuurvogel-login", "2026-03-02", "incomplete", 1),
        ("vuurvogel", "vuurvogel-login", "2026-03-02", "fine", 2),
    ]


async def test_old_tests_are_forgotten(tests: SqliteLoginTests) -> None:
    await tests.keep(SCHOOL, IDP, INCOMPLETE, TODAY - timedelta(days=KEPT_DAYS + 1))
    await tests.keep(SCHOOL, IDP, FINE, TODAY - timedelta(days=KEPT_DAYS))
    await tests.keep(SCHOOL, IDP, FINE, TODAY)
    assert tests.last_tests(SCHOOL).keys() == {(IDP, FINE)}


async def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    tests = SqliteLoginTests(tmp_path / "nothing" / "registry.db")
    with pytest.raises(RegistryUnreadable):
        tests.last_tests(SCHOOL)
    with pytest.raises(RegistryUnreadable):
        await tests.keep(SCHOOL, IDP, FINE, TODAY)
