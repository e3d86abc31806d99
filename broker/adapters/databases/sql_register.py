"""The person register on SQLite: look-ups on a kept connection, writes in groups on a thread.

A look-up runs on the event loop: it takes some microseconds, a tenth of what handing it to a
thread costs. A write waits for the disk, so it never does; on the first of September half a
country's rows are written, and many share one commit.
"""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_not

from broker.adapters.databases.group_commit import GroupCommit
from broker.adapters.databases.sql import OpenedFile, prepare, transaction
from broker.adapters.databases.sql_enrolments import remove_person
from broker.adapters.databases.sql_letters import remove_letters
from broker.adapters.databases.sql_school_counts import add_count
from broker.adapters.databases.sql_shields import remove_shielded_person
from broker.adapters.databases.sql_supplier_counts import move_counts
from broker.adapters.databases.tables_register import persons, takeover_tags, transfers
from broker.flow.operators.operator_refusals import PersonChanged
from broker.flow.persons.register import (
    CLOSED_ROW,
    RegisterUnavailable,
    RowRewrite,
    RowWrite,
    StoredRow,
    SupplierMove,
    mark_of,
)
from broker.flow.persons.school_counts import Count, CountFull

READ_BUSY_TIMEOUT_MS = 200  # in WAL mode a reader waits only while the log is being recovered

_CHANGED = -1
"""In place of a number of rows: they are not what they must be."""

_FULL = -2
"""In place of a number of rows: a count would go beyond its bound."""

_DATABASE_FAULTS = (sqlite3.Error, OSError)

_row = select(persons.c.tag, persons.c.sealed, persons.c.school_year, persons.c.life)
_FIND_ONE = prepare(_row.where(persons.c.tag == bindparam("t0")))

_ADD = prepare(insert_or_not(persons).on_conflict_do_nothing())
_REPLACE = prepare(
    update(persons)
    .where(persons.c.tag == bindparam("of_tag"), persons.c.sealed == bindparam("replaces"))
    .values(
        sealed=bindparam("new_sealed"),
        school_year=bindparam("new_school_year"),
        life=bindparam("new_life"),
    )
)
_ERASE = prepare(
    delete(persons).where(
        persons.c.tag == bindparam("of_tag"), persons.c.sealed != bindparam("closed")
    )
)
_CLOSE = prepare(
    update(persons)
    .where(persons.c.tag == bindparam("of_tag"), persons.c.sealed != bindparam("closed"))
    .values(
        sealed=bindparam("closed_sealed"),
        school_year=bindparam("no_year"),
        life=bindparam("no_life"),
    )
)


_LEAVE_LIST = prepare(delete(takeover_tags).where(takeover_tags.c.tag == bindparam("of_tag")))
_NO_TRANSFER = prepare(delete(transfers).where(transfers.c.person_tag == bindparam("of_tag")))
_REMOVE = prepare(
    delete(persons).where(
        persons.c.tag == bindparam("of_tag"), persons.c.sealed == bindparam("replaces")
    )
)


@cache
def _find_statement(count: int) -> str:
    """Return the look-up of so many tags; most logins have one or two."""
    if count == 1:
        return _FIND_ONE
    return prepare(
        _row.where(or_(*(persons.c.tag == bindparam(f"t{index}") for index in range(count))))
    )


@dataclass(frozen=True, slots=True)
class _Login:
    writes: Sequence[RowWrite] = field(repr=False)
    counts: Sequence[Count]


@dataclass(frozen=True, slots=True)
class _Rewriting:
    rewrites: Sequence[RowRewrite] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Erasure:
    marks: Mapping[bytes, bytes] = field(repr=False)
    moves: Sequence[SupplierMove] = field(repr=False)
    closes: Collection[bytes] = field(repr=False)


_Part = _Login | _Rewriting | _Erasure


class SqlitePersonRegister:
    """`broker.flow.persons.register.PersonRegister` on a SQLite database.

    Args:
        path: of a database that `upgrade_database(path, "register")` made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reading: OpenedFile | None = None
        self._writing: OpenedFile | None = None
        self._readable = True
        self._closed = False
        self._group: GroupCommit[_Part, int] = GroupCommit(
            self._commit,
            refusal=RegisterUnavailable,
            expected=_DATABASE_FAULTS,
        )

    @property
    def healthy(self) -> bool:
        """False from a failed look-up or write until the next of its kind that succeeds."""
        return self._readable and self._group.healthy

    async def find(self, tags: Sequence[bytes]) -> Mapping[bytes, StoredRow]:
        """Return the rows that are there, by tag.

        Raises:
            RegisterUnavailable: the register cannot be read.
        """
        try:
            rows = self._reading_connection().execute(
                _find_statement(len(tags)), {f"t{index}": tag for index, tag in enumerate(tags)}
            )
            found = {tag: StoredRow(sealed, year, life or b"") for tag, sealed, year, life in rows}
        except _DATABASE_FAULTS as error:
            self._close_reading()
            self._readable = False
            raise RegisterUnavailable("check_readable") from error
        self._readable = True
        return found

    async def apply(self, writes: Sequence[RowWrite], counts: Sequence[Count] = ()) -> bool:
        """Store all and count, durably, or nothing; False when a row is not as its write expects.

        Raises:
            CountFull: a count would go beyond its bound; nothing was stored.
            RegisterUnavailable: nobody knows whether they are stored.
        """
        done = await self._group.submit(_Login(writes, counts))
        if done == _FULL:
            raise CountFull
        return bool(done)

    async def rewrite(self, rewrites: Sequence[RowRewrite]) -> None:
        """Put rows in place of others, durably, all or none.

        Raises:
            PersonChanged: something else is there; nothing was stored.
            RegisterUnavailable: nobody knows whether they are stored.
        """
        if await self._group.submit(_Rewriting(rewrites)) == _CHANGED:
            raise PersonChanged("check_person_unchanged")

    async def erase(
        self,
        marks: Mapping[bytes, bytes],
        moves: Sequence[SupplierMove] = (),
        *,
        closes: Collection[bytes] = (),
    ) -> int:
        """Delete rows for good, all or none, and return how many there were.

        The rows are overwritten in the database (`secure_delete`), and the write-ahead log that
        may still hold them is emptied.

        Args:
            marks: by tag, the `mark_of` what must be there.
            moves: out of the counts of suppliers.
            closes: of these tags, those where `CLOSED` stands from now on in place of a row.

        Raises:
            PersonChanged: something else is there; nothing was deleted.
            RegisterUnavailable: nobody knows whether they are gone.
        """
        erased = await self._group.submit(_Erasure(marks, moves, closes))
        if erased == _CHANGED:
            raise PersonChanged("check_person_unchanged")
        return erased

    async def close(self) -> None:
        """Write what waits and close the database; after that everything is refused."""
        self._closed = True
        self._close_reading()
        await self._group.close(self._close_writing)

    def _commit(self, batch: Sequence[_Part]) -> list[int]:
        """Do every waiter's part in one durable transaction, each all or nothing."""
        try:
            if self._writing is None:
                self._writing = OpenedFile(self._path)
            connection = self._writing.connection()
            with transaction(connection):
                results = [_do(connection, each) for each in batch]
            if any(isinstance(each, _Erasure) for each in batch):
                _empty_log(connection)
        except BaseException:
            self._close_writing()
            raise
        return results

    def _reading_connection(self) -> sqlite3.Connection:
        if self._closed:
            raise RegisterUnavailable("check_not_closed")
        if self._reading is None:
            self._reading = OpenedFile(self._path, busy_timeout_ms=READ_BUSY_TIMEOUT_MS)
        return self._reading.connection()

    def _close_reading(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None

    def _close_writing(self) -> None:
        if self._writing is not None:
            self._writing.close()
            self._writing = None


def _do(connection: sqlite3.Connection, part: _Part) -> int:
    match part:
        case _Erasure():
            return _erase(connection, part)
        case _Rewriting():
            return _rewrite(connection, part.rewrites)
        case _Login():
            return _apply(connection, part)


def _apply(connection: sqlite3.Connection, login: _Login) -> int:
    """Return 1 when every row was as expected and is stored, 0 or `_FULL` when nothing is."""
    connection.execute("SAVEPOINT one_login")
    done = int(all(_write(connection, each) for each in login.writes))
    if done and not all(add_count(connection, each) for each in login.counts):
        done = _FULL
    if done == 1:
        for each in login.writes:
            move_counts(connection, each.moves)
    else:
        connection.execute("ROLLBACK TO one_login")
    connection.execute("RELEASE one_login")
    return done


def _rewrite(connection: sqlite3.Connection, rewrites: Sequence[RowRewrite]) -> int:
    """Return how many rows were put in place of others; a login that came in between stops it."""
    found = [connection.execute(_FIND_ONE, {"t0": each.tag}).fetchone() for each in rewrites]
    for each, row in zip(rewrites, found, strict=True):
        if mark_of(None if row is None else row[1]) != each.mark:
            return _CHANGED
    for each, row in zip(rewrites, found, strict=True):
        before = None if row is None else row[1]
        if each.row is not None:
            new = each.row
            write = RowWrite(each.tag, new.sealed, new.school_year, before, life=new.life)
            _write(connection, write)
        elif before is not None:
            connection.execute(_REMOVE, {"of_tag": each.tag, "replaces": before})
        move_counts(connection, each.moves)
    return len(rewrites)


def _write(connection: sqlite3.Connection, write: RowWrite) -> bool:
    """Tell whether the row was as expected, and is now what it shall be."""
    if write.replaces is None:
        cursor = connection.execute(
            _ADD,
            {
                "tag": write.tag,
                "sealed": write.sealed,
                "school_year": write.school_year,
                "life": write.life,
            },
        )
    else:
        cursor = connection.execute(
            _REPLACE,
            {
                "of_tag": write.tag,
                "replaces": write.replaces,
                "new_sealed": write.sealed,
                "new_school_year": write.school_year,
                "new_life": write.life,
            },
        )
    return cursor.rowcount == 1


def _erase(connection: sqlite3.Connection, erasure: _Erasure) -> int:
    """Return how many rows were deleted; a login that came in between stops it."""
    for tag, mark in erasure.marks.items():
        row = connection.execute(_FIND_ONE, {"t0": tag}).fetchone()
        if mark_of(None if row is None else row[1]) != mark:
            return _CHANGED
    for tag in erasure.marks:
        connection.execute(_LEAVE_LIST, {"of_tag": tag})
        connection.execute(_NO_TRANSFER, {"of_tag": tag})
        remove_person(connection, tag)
        remove_shielded_person(connection, tag)
        remove_letters(connection, tag)
    move_counts(connection, erasure.moves)
    stays = {"closed": CLOSED_ROW.sealed}
    put = {
        "closed_sealed": CLOSED_ROW.sealed,
        "no_year": CLOSED_ROW.school_year,
        "no_life": CLOSED_ROW.life,
    }
    there_were = 0
    for tag in erasure.marks:
        closes = tag in erasure.closes
        one = {"of_tag": tag, **stays, **(put if closes else {})}
        there_were += connection.execute(_CLOSE if closes else _ERASE, one).rowcount
    return there_were


def _empty_log(connection: sqlite3.Connection) -> None:
    """Overwrite the erased rows in the database file, and empty the log that still holds them."""
    (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise sqlite3.OperationalError("a reader keeps the write-ahead log from being emptied")
