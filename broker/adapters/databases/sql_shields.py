"""Shields on SQLite: looked up on the event loop, as the register; written on a thread."""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from time import monotonic

from sqlalchemy import and_, bindparam, delete, or_, select
from sqlalchemy.dialects.sqlite import insert as insert_or_not

from broker.adapters.databases.register_file import RegisterFile
from broker.adapters.databases.sql import prepare
from broker.adapters.databases.tables_register import (
    person_requests,
    shielding_schools,
    shields,
)
from broker.domain.ids import SchoolId
from broker.domain.shielding import ShieldedBy
from broker.flow.persons.register import RegisterUnavailable
from broker.flow.requests.person_requests import RequestState
from broker.flow.shielding.shields import StoredShield

KNOWN_SECONDS = 1.0
"""How long it is believed which schools have any; a change is in force within two."""

_NEW_SCHOOLS = prepare(
    select(shielding_schools.c.number, shielding_schools.c.school)
    .where(shielding_schools.c.number > bindparam("known"))
    .order_by(shielding_schools.c.number)
)
_NOTE_SCHOOL = prepare(
    insert_or_not(shielding_schools).values(school=bindparam("school")).on_conflict_do_nothing()
)
_PUT = prepare(insert_or_not(shields).on_conflict_do_nothing())
_own = and_(shields.c.tag == bindparam("of_tag"), shields.c.by == bindparam("by_school"))
_IDS = prepare(select(shields.c.id).where(_own))
_REMOVE = prepare(
    delete(shields).where(
        shields.c.id == bindparam("of_id"), shields.c.by == bindparam("by_school")
    )
)
_OF_SCHOOL = prepare(
    select(shields.c.tag, shields.c.id).where(
        shields.c.school == bindparam("of_school"), shields.c.by == bindparam("by_school")
    )
)
_BY_SCHOOL = {"by_school": ShieldedBy.SCHOOL.value}
_ERASED = (
    "DELETE FROM person_requests WHERE id IN (SELECT id FROM request_persons WHERE tag = :of_tag)",
    "DELETE FROM shields WHERE id IN (SELECT id FROM shields WHERE tag = :of_tag)",
    "DELETE FROM request_persons WHERE id IN (SELECT id FROM request_persons WHERE tag = :of_tag)",
)


@cache
def _find_statement(count: int) -> str:
    """Return the look-up of so many tags; most logins have one or two."""
    return prepare(
        select(shields.c.tag, shields.c.id, shields.c.by, shields.c.sealed)
        .select_from(shields.outerjoin(person_requests, person_requests.c.id == shields.c.id))
        .where(
            or_(*(shields.c.tag == bindparam(f"t{index}") for index in range(count))),
            or_(
                shields.c.by == bindparam("by_school"),
                person_requests.c.state == bindparam("granted"),
                and_(person_requests.c.state == bindparam("open"), person_requests.c.blocks),
            ),
        )
    )


class SqliteShields:
    """`broker.flow.shielding.shields.ShieldBook`.

    Args:
        path: of a database that `upgrade_database(path, "register")` made.
    """

    def __init__(self, path: Path) -> None:
        self._file = RegisterFile(path)
        self._schools: set[str] = set()
        self._newest = 0
        self._known_until = 0.0
        self._closed = False

    def has_any(self, school: SchoolId) -> bool:
        """Tell whether a school ever shielded anybody, or got an objection.

        Once a second it is asked which schools came by since.

        Raises:
            RegisterUnavailable: nobody knows.
        """
        if school in self._schools:
            return True
        if monotonic() >= self._known_until:
            self._look_again()
        return school in self._schools

    async def find(self, tags: Sequence[bytes]) -> Sequence[StoredShield]:
        """Return what rests under a few tags and holds.

        Raises:
            RegisterUnavailable: it cannot be read.
        """
        named = {f"t{index}": tag for index, tag in enumerate(tags)}
        states = {"granted": RequestState.GRANTED.value, "open": RequestState.OPEN.value}

        def look(connection: sqlite3.Connection) -> list[StoredShield]:
            rows = connection.execute(_find_statement(len(tags)), {**named, **states, **_BY_SCHOOL})
            return [StoredShield(tag, of, ShieldedBy(by), sealed) for tag, of, by, sealed in rows]

        return self._file.read(look)

    async def put(self, school: SchoolId, rows: Sequence[StoredShield]) -> None:
        """Store a school's own decision, durably, in place of all that rest under these tags.

        Raises:
            RegisterUnavailable: nobody knows whether it is stored.
        """

        def write(connection: sqlite3.Connection) -> None:
            _remove(connection, [each.tag for each in rows])
            put_shields(connection, school, rows)

        await self._file.write(write)
        self._known_until = 0.0

    async def add(self, school: SchoolId, rows: Sequence[StoredShield]) -> None:
        """Store rows of shields that are there already, under another tag of the same person.

        Raises:
            RegisterUnavailable: nobody knows whether they are stored.
        """
        await self._file.write(lambda connection: put_shields(connection, school, rows))

    async def remove(self, tags: Sequence[bytes]) -> int:
        """Delete a school's own decisions under these tags, and return how many ids that were.

        Raises:
            RegisterUnavailable: nobody knows whether they are gone.
        """
        return await self._file.write(lambda connection: _remove(connection, tags))

    async def tags_of(self, school: SchoolId) -> Mapping[bytes, str]:
        """Return the tags that a school's own decisions have, with their ids.

        Raises:
            RegisterUnavailable: they cannot be read.
        """
        of = {"of_school": school, **_BY_SCHOOL}
        return self._file.read(lambda connection: dict(connection.execute(_OF_SCHOOL, of)))

    async def close(self) -> None:
        """Close the database; after that everything is refused."""
        self._closed = True
        self._file.close()

    def _look_again(self) -> None:
        if self._closed:
            raise RegisterUnavailable("check_not_closed")
        known = {"known": self._newest}
        for number, school in self._file.read(
            lambda connection: connection.execute(_NEW_SCHOOLS, known).fetchall()
        ):
            self._schools.add(school)
            self._newest = number
        self._known_until = monotonic() + KNOWN_SECONDS


def put_shields(
    connection: sqlite3.Connection, school: SchoolId, rows: Sequence[StoredShield]
) -> None:
    """Store shields of one person at a school, and that it has some."""
    for each in rows:
        row = {"tag": each.tag, "id": each.id, "by": each.by.value, "school": school}
        connection.execute(_PUT, {**row, "sealed": each.sealed})
    if rows:
        connection.execute(_NOTE_SCHOOL, {"school": school})


def remove_shielded_person(connection: sqlite3.Connection, tag: bytes) -> None:
    """Delete a person's shields and requests, within the transaction that erases them."""
    for statement in _ERASED:
        connection.execute(statement, {"of_tag": tag})


def _remove(connection: sqlite3.Connection, tags: Sequence[bytes]) -> int:
    ids = {
        found
        for tag in tags
        for (found,) in connection.execute(_IDS, {"of_tag": tag, **_BY_SCHOOL}).fetchall()
    }
    for each in sorted(ids):
        connection.execute(_REMOVE, {"of_id": each, **_BY_SCHOOL})
    return len(ids)
