"""Counts by school and day on SQLite: added inside the register's own transactions, and read."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.sqlite import insert as insert_or_add

from broker.adapters.databases.sql import open_sqlite, prepare
from broker.adapters.databases.tables_register import school_counts
from broker.domain.ids import SchoolId
from broker.flow.persons.register import RegisterUnavailable
from broker.flow.persons.school_counts import Count, Counted, CountKind

KEPT_DAYS = 400  # a school year and a month: what a report of the year before may ask for

_added = insert_or_add(school_counts).values(
    {name: bindparam(name) for name in ("school", "day", "kind", "count")}
)
_ADD = prepare(
    _added.on_conflict_do_update(
        index_elements=[school_counts.c.school, school_counts.c.day, school_counts.c.kind],
        set_={"count": school_counts.c.count + _added.excluded.count},
    )
)
_of_one = (
    (school_counts.c.school == bindparam("of_school"))
    & (school_counts.c.day == bindparam("of_day"))
    & (school_counts.c.kind == bindparam("of_kind"))
)
_READ_ONE = prepare(select(school_counts.c.count).where(_of_one))
_READ_SCHOOL = prepare(
    select(school_counts.c.day, school_counts.c.kind, school_counts.c.count).where(
        school_counts.c.school == bindparam("of_school"), school_counts.c.day >= bindparam("since")
    )
)
_SCHOOLS = prepare(
    select(school_counts.c.school)
    .where(school_counts.c.day >= bindparam("since"))
    .distinct()
    .order_by(school_counts.c.school)
)
_SUMS = prepare(
    select(school_counts.c.kind, func.sum(school_counts.c.count))
    .where(
        school_counts.c.school == bindparam("of_school"),
        school_counts.c.day >= bindparam("since"),
        school_counts.c.day < bindparam("until"),
    )
    .group_by(school_counts.c.kind)
)
_FORGET = prepare(
    delete(school_counts).where(
        school_counts.c.school == bindparam("of_school"), school_counts.c.day < bindparam("before")
    )
)


def add_count(connection: sqlite3.Connection, count: Count) -> bool:
    """Add to a count inside the caller's transaction; False when it would go beyond its bound.

    To add nothing only looks at the bound.

    The first count of a school's day forgets what is older than `KEPT_DAYS`.
    """
    one = {"of_school": count.school, "of_day": count.day.isoformat(), "of_kind": count.kind.value}
    row = connection.execute(_READ_ONE, one).fetchone()
    if count.at_most is not None and (0 if row is None else row[0]) + count.add > count.at_most:
        return False
    if count.add == 0:
        return True
    if row is None:
        before = (count.day - timedelta(days=KEPT_DAYS)).isoformat()
        connection.execute(_FORGET, {"of_school": count.school, "before": before})
    connection.execute(
        _ADD,
        {
            "school": count.school,
            "day": count.day.isoformat(),
            "kind": count.kind.value,
            "count": count.add,
        },
    )
    return True


def read_counts(connection: sqlite3.Connection, school: SchoolId, *, since: date) -> Counted:
    """Return what was counted of a school from a day on."""
    rows = connection.execute(
        _READ_SCHOOL, {"of_school": school, "since": since.isoformat()}
    ).fetchall()
    known = {each.value: each for each in CountKind}
    return {
        (date.fromisoformat(day), known[kind]): count for day, kind, count in rows if kind in known
    }


class SqliteSchoolCounts:
    """Reads the counts of `register.db`, for commands and alarms.

    Args:
        path: of a database that `upgrade_database(path, "register")` made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, school: SchoolId, *, since: date) -> Counted:
        """Return what was counted of a school from a day on.

        Raises:
            sqlite3.Error: the database cannot be read.
        """
        with closing(open_sqlite(self._path)) as connection:
            return read_counts(connection, school, since=since)

    def read_or_refuse(self, school: SchoolId, since: date) -> Counted:
        """Return the same, for who asks while the broker serves.

        Raises:
            RegisterUnavailable: the database cannot be read.
        """
        try:
            return self.read(school, since=since)
        except sqlite3.Error:
            pass  # refused below: what it says of the database is for nobody outside
        raise RegisterUnavailable("check_counts_readable")

    def sum_logins(
        self, schools: Iterable[SchoolId], *, since: date, before: date
    ) -> Mapping[SchoolId, tuple[int, int]]:
        """Return logins of pupils by school, and those with an ECK iD; see `LoginCounts`.

        School by school, by the table's own order: there is no other index, for each would cost
        every login.
        """
        days = {"since": since.isoformat(), "until": before.isoformat()}
        found: dict[SchoolId, tuple[int, int]] = {}
        is_readable = True
        try:
            with closing(open_sqlite(self._path)) as connection:
                for school in schools:
                    sums = dict(connection.execute(_SUMS, {"of_school": school, **days}))
                    if sums:
                        logins = sums.get(CountKind.LOGINS.value, 0)
                        found[school] = logins, sums.get(CountKind.ECK_ID_LOGINS.value, 0)
        except sqlite3.Error:
            is_readable = False  # refused below, as in `read_or_refuse`
        if not is_readable:
            raise RegisterUnavailable("check_counts_readable")
        return found

    def read_all(self, *, since: date) -> Iterator[tuple[SchoolId, Counted]]:
        """Return each school of which something was counted from a day on, with its counts.

        Raises:
            sqlite3.Error: the database cannot be read.
        """
        with closing(open_sqlite(self._path)) as connection:
            rows = connection.execute(_SCHOOLS, {"since": since.isoformat()}).fetchall()
            for (school,) in rows:
                yield SchoolId(school), read_counts(connection, SchoolId(school), since=since)
