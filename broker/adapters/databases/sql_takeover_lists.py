"""Lists of pupils for the take-over of accounts, in `register.db`."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Integer, bindparam, cast, delete, func, literal_column, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_not

from broker.adapters.databases.sql import OpenedFile, open_sqlite, prepare, transaction
from broker.adapters.databases.tables_register import takeover_tags as tags_table
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.takeover_refusals import TakeoversUnavailable
from broker.flow.takeover.takeover_lists import ListKind, ListOf

Result = TypeVar("Result")

READ_BUSY_TIMEOUT_MS = 200  # as the register's: a reader waits only while a log is recovered

_FAULTS = (sqlite3.Error, OSError)
_of = (
    tags_table.c.list == bindparam("of_list"),
    tags_table.c.school == bindparam("of_school"),
    tags_table.c.supplier == bindparam("of_supplier"),
)
_FIND = prepare(select(tags_table.c.arrived).where(tags_table.c.tag == bindparam("of_tag")))
_ADD = prepare(
    insert_or_not(tags_table)
    .values(
        tag=bindparam("tag"),
        list=bindparam("of_list"),
        school=bindparam("of_school"),
        supplier=bindparam("of_supplier"),
        arrived=literal_column("0"),
    )
    .on_conflict_do_nothing()
)
_ARRIVED = prepare(
    update(tags_table)
    .where(tags_table.c.tag == bindparam("of_tag"))
    .values(arrived=literal_column("1"))
)
_LISTED = prepare(select(tags_table.c.tag).where(*_of))
_REMOVE = prepare(delete(tags_table).where(tags_table.c.tag == bindparam("of_tag")))
_COUNTS = prepare(
    select(
        tags_table.c.list,
        tags_table.c.school,
        tags_table.c.supplier,
        func.count(),
        func.sum(cast(tags_table.c.arrived, Integer)),
    ).group_by(tags_table.c.list, tags_table.c.school, tags_table.c.supplier)
)


class SqliteTakeoverLists:
    """`broker.flow.takeover.takeover_lists.TakeoverLists`. Looks up on the event loop, writes on
    threads.

    Args:
        path: of a database that `upgrade_database(path, "register")` made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reading: OpenedFile | None = None

    async def find(self, tags: Sequence[bytes]) -> Mapping[bytes, bool]:
        """Return those of a few tags that are listed, each with whether its person arrived."""

        def look(connection: sqlite3.Connection) -> dict[bytes, bool]:
            found = {tag: connection.execute(_FIND, {"of_tag": tag}).fetchone() for tag in tags}
            return {tag: bool(row[0]) for tag, row in found.items() if row is not None}

        return self._read(look)

    async def replace(self, of: ListOf, tags: Sequence[bytes]) -> None:
        """Put a list in place of the one of before, all or nothing; who arrived, has arrived."""

        def write(connection: sqlite3.Connection) -> None:
            listed = {tag for (tag,) in connection.execute(_LISTED, _parties(of))}
            gone = [{"of_tag": tag} for tag in listed - set(tags)]
            connection.executemany(_REMOVE, gone)
            connection.executemany(_ADD, [{**_parties(of), "tag": tag} for tag in tags])

        await self._write(write)

    async def note_arrived(self, tags: Sequence[bytes]) -> None:
        """Note that somebody listed arrived at the supplier."""
        rows = [{"of_tag": tag} for tag in tags]
        await self._write(lambda connection: connection.executemany(_ARRIVED, rows))

    async def counts(self) -> Mapping[ListOf, tuple[int, int]]:
        """Return how many are listed, and how many of them arrived."""

        def count(connection: sqlite3.Connection) -> dict[ListOf, tuple[int, int]]:
            return {
                ListOf(ListKind(kind), SchoolId(school), SupplierId(supplier)): (listed, arrived)
                for kind, school, supplier, listed, arrived in connection.execute(_COUNTS)
            }

        return self._read(count)

    async def close(self) -> None:
        """Close the database."""
        if self._reading is not None:
            self._reading.close()
            self._reading = None

    def _read(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            if self._reading is None:
                self._reading = OpenedFile(self._path, busy_timeout_ms=READ_BUSY_TIMEOUT_MS)
            return work(self._reading.connection())
        except _FAULTS as error:
            if self._reading is not None:
                self._reading.close()
                self._reading = None
            raise TakeoversUnavailable("check_lists_readable") from error

    async def _write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        def write() -> None:
            with closing(open_sqlite(self._path)) as connection, transaction(connection):
                work(connection)

        try:
            await asyncio.to_thread(write)
        except _FAULTS as error:
            raise TakeoversUnavailable("check_lists_written") from error


def _parties(of: ListOf) -> dict[str, str]:
    return {"of_list": of.kind.value, "of_school": of.school, "of_supplier": of.supplier}
