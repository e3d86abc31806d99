"""Sums of logins, school by school, of whole days."""

from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from broker.adapters.databases.sql import open_sqlite
from broker.adapters.databases.sql_school_counts import SqliteSchoolCounts, add_count
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.domain.ids import SchoolId
from broker.flow.persons.register import RegisterUnavailable
from broker.flow.persons.school_counts import Count, CountKind

TODAY = date(2026, 11, 27)
SINCE = TODAY - timedelta(days=7)
VUURVOGEL, KOMPAS, REGENBOOG = map(SchoolId, ("vuurvogel", "kompas", "regenboog"))


def test_sums_of_the_days_before(tmp_path: Path) -> None:
    path = tmp_path / "register.db"
    upgrade_database(path, "register")
    counted = [
        Count(VUURVOGEL, TODAY, CountKind.LOGINS, add=100),  # today is not over
        Count(VUURVOGEL, TODAY - timedelta(days=1), CountKind.LOGINS, add=20),
        Count(VUURVOGEL, SINCE, CountKind.LOGINS, add=10),
        Count(VUURVOGEL, SINCE, CountKind.ECK_ID_LOGINS, add=7),
        Count(VUURVOGEL, SINCE - timedelta(days=1), CountKind.LOGINS, add=1000),
        Count(KOMPAS, SINCE, CountKind.ARRIVED, add=3),
        Count(REGENBOOG, SINCE, CountKind.LOGINS, add=5),
    ]
    with closing(open_sqlite(path)) as connection, connection:
        for each in counted:
            assert add_count(connection, each)
    counts = SqliteSchoolCounts(path)
    found = counts.sum_logins([VUURVOGEL, KOMPAS], since=SINCE, before=TODAY)
    assert found == {VUURVOGEL: (30, 7), KOMPAS: (0, 0)}
    assert REGENBOOG in counts.sum_logins([REGENBOOG], since=SINCE, before=TODAY)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegisterUnavailable):
        SqliteSchoolCounts(tmp_path / "gone" / "register.db").sum_logins(
            [VUURVOGEL], since=SINCE, before=TODAY
        )
