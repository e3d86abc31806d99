"""Schools' lists on SQLite: a login's row on a kept connection, a whole list on a thread."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from broker.adapters.databases.group_commit import GroupCommit
from broker.adapters.databases.sql import OpenedFile, open_sqlite, prepare, transaction
from broker.adapters.databases.tables_register import enrolment_feeds, enrolment_persons, enrolments
from broker.flow.enrolment.enrolments import FeedChange, StoredEnrolment, StoredFeed
from broker.flow.persons.register import RegisterUnavailable

READ_BUSY_TIMEOUT_MS = 200  # as of the register
_FAULTS = (sqlite3.Error, OSError, ValueError)

_FIND = prepare(
    select(enrolments.c.sealed, enrolment_feeds.c.sent_on)
    .join(enrolment_feeds, enrolment_feeds.c.of == enrolments.c.of)
    .where(enrolments.c.tag == bindparam("with_tag"))
)
_FEED = prepare(
    select(enrolment_feeds.c.version).where(enrolment_feeds.c.of == bindparam("of_school"))
)
_ROWS = prepare(
    select(enrolments.c.tag, enrolments.c.sealed).where(enrolments.c.of == bindparam("of_school"))
)
_added = insert(enrolments).values({name: bindparam(name) for name in ("tag", "of", "sealed")})
_PUT = prepare(
    _added.on_conflict_do_update(
        index_elements=[enrolments.c.tag],
        set_={"of": _added.excluded.of, "sealed": _added.excluded.sealed},
    )
)
_REMOVE = prepare(delete(enrolments).where(enrolments.c.tag == bindparam("with_tag")))
_PERSON = prepare(
    insert(enrolment_persons)
    .values(tag=bindparam("with_tag"), person=bindparam("of_person"))
    .on_conflict_do_nothing()
)
_NOBODY = prepare(delete(enrolment_persons).where(enrolment_persons.c.tag == bindparam("with_tag")))
_TAGS_OF_PERSON = prepare(
    select(enrolment_persons.c.tag).where(enrolment_persons.c.person == bindparam("of_person"))
)
_feed = insert(enrolment_feeds).values(
    {name: bindparam(name) for name in ("of", "version", "sent_on")}
)
_NEXT = prepare(
    _feed.on_conflict_do_update(
        index_elements=[enrolment_feeds.c.of],
        set_={"version": _feed.excluded.version, "sent_on": _feed.excluded.sent_on},
    )
)


class SqliteEnrolments:
    """`broker.flow.enrolment.enrolments.EnrolmentBook`.

    Args:
        path: of a database that `upgrade_database(path, "register")` made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reading: OpenedFile | None = None
        self._closed = False
        self._group: GroupCommit[FeedChange, bool] = GroupCommit(
            self._commit, refusal=RegisterUnavailable, expected=_FAULTS
        )

    async def find(self, tag: bytes) -> StoredEnrolment | None:
        """Return the row of a login identifier, or None.

        Raises:
            RegisterUnavailable: it cannot be read.
        """
        if self._closed:
            raise RegisterUnavailable("check_not_closed")
        try:
            if self._reading is None:
                self._reading = OpenedFile(self._path, busy_timeout_ms=READ_BUSY_TIMEOUT_MS)
            found = self._reading.connection().execute(_FIND, {"with_tag": tag}).fetchone()
            return None if found is None else StoredEnrolment(found[0], _day(found[1]))
        except _FAULTS as error:
            self._close_reading()
            raise RegisterUnavailable("check_readable") from error

    async def read_feed(self, of: bytes) -> StoredFeed:
        """Return all that rests of one school.

        Raises:
            RegisterUnavailable: it cannot be read.
        """
        try:
            return await asyncio.to_thread(self._read_feed, of)
        except _FAULTS as error:
            raise RegisterUnavailable("check_readable") from error

    async def replace(self, change: FeedChange) -> bool:
        """Put a list in force, durably, all or nothing; False when another one came between.

        Who vanished is overwritten in the database (`secure_delete`).

        Raises:
            RegisterUnavailable: nobody knows whether it is in force.
        """
        return await self._group.submit(change)

    async def close(self) -> None:
        """Write what waits; after that everything is refused."""
        self._closed = True
        self._close_reading()
        await self._group.close(lambda: None)

    def _read_feed(self, of: bytes) -> StoredFeed:
        with closing(open_sqlite(self._path)) as connection:
            connection.execute("BEGIN")  # version and rows of one moment
            found = connection.execute(_FEED, {"of_school": of}).fetchone()
            rows = connection.execute(_ROWS, {"of_school": of})
            return StoredFeed(0 if found is None else found[0], dict(rows))

    def _commit(self, batch: Sequence[FeedChange]) -> list[bool]:
        with closing(open_sqlite(self._path)) as connection:
            return [_replace(connection, each) for each in batch]

    def _close_reading(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None


def _replace(connection: sqlite3.Connection, change: FeedChange) -> bool:
    with transaction(connection):
        found = connection.execute(_FEED, {"of_school": change.of}).fetchone()
        if (0 if found is None else found[0]) != change.replaces:
            return False
        connection.executemany(
            _PUT, ({"tag": tag, "of": change.of, "sealed": each} for tag, each in change.put)
        )
        connection.executemany(_REMOVE, ({"with_tag": tag} for tag in change.remove))
        others = (*(tag for tag, _ in change.put), *change.remove)
        connection.executemany(_NOBODY, ({"with_tag": tag} for tag in others))
        connection.executemany(
            _PERSON, ({"with_tag": tag, "of_person": person} for tag, person in change.persons)
        )
        connection.execute(
            _NEXT,
            {
                "of": change.of,
                "version": change.replaces + 1,
                "sent_on": change.sent_on.isoformat(),
            },
        )
    return True


def remove_person(connection: sqlite3.Connection, person: bytes) -> None:
    """Delete the rows of a person at a school, within the transaction that erases them."""
    tags = connection.execute(_TAGS_OF_PERSON, {"of_person": person}).fetchall()
    for (tag,) in tags:
        connection.execute(_REMOVE, {"with_tag": tag})
        connection.execute(_NOBODY, {"with_tag": tag})


def _day(stored: str) -> date:
    return date.fromisoformat(stored)
