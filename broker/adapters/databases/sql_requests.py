"""Requests of pupils and parents, in `register.db`."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, delete, exists, func, or_, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_not

from broker.adapters.databases.register_file import RegisterFile
from broker.adapters.databases.sql import prepare
from broker.adapters.databases.sql_shields import put_shields
from broker.adapters.databases.tables_register import person_requests as table
from broker.adapters.databases.tables_register import request_persons, shields
from broker.domain.ids import SchoolId
from broker.domain.shielding import ShieldedBy
from broker.flow.requests.person_requests import (
    KEPT_DAYS,
    Filing,
    Grounds,
    RequestId,
    RequestKind,
    RequestMove,
    RequestState,
    StoredRequest,
    TooManyRequests,
)
from broker.flow.shielding.shields import StoredShield

_row = select(
    *(table.c.id, table.c.school, table.c.kind, table.c.state, table.c.filed_on),
    *(table.c.deadline, table.c.blocks, table.c.subject, table.c.decided_on, table.c.grounds),
)
_OF_SCHOOL = prepare(
    _row.where(table.c.school == bindparam("of_school")).order_by(table.c.deadline, table.c.id)
)
_OF_PERSON = prepare(
    _row.join(request_persons, request_persons.c.id == table.c.id)
    .where(request_persons.c.tag == bindparam("of_tag"))
    .order_by(table.c.filed_on.desc(), table.c.id)
)
_PERSONS = prepare(
    select(request_persons.c.tag, request_persons.c.id)
    .join(table, table.c.id == request_persons.c.id)
    .where(table.c.school == bindparam("of_school"))
)
_SAME = prepare(
    select(table.c.id).where(
        table.c.same == bindparam("of_same"), table.c.state == bindparam("open")
    )
)
_OPEN = prepare(
    select(func.count())
    .select_from(table)
    .join(request_persons, request_persons.c.id == table.c.id)
    .where(request_persons.c.tag == bindparam("of_tag"), table.c.state == bindparam("open"))
)
_ADD = prepare(insert_or_not(table))
_PERSON = prepare(insert_or_not(request_persons).on_conflict_do_nothing())
_MOVE = prepare(
    update(table)
    .where(
        table.c.id == bindparam("of_id"),
        table.c.school == bindparam("of_school"),
        table.c.state == bindparam("before"),
    )
    .values(
        state=bindparam("after"), decided_on=bindparam("on_day"), grounds=bindparam("new_grounds")
    )
)
_FORGET = prepare(
    delete(table).where(
        table.c.decided_on < bindparam("before"),
        or_(table.c.state != bindparam("granted"), table.c.kind != bindparam("objection")),
    )
)
_without_request = ~exists().where(table.c.id == request_persons.c.id)
_FORGET_PERSONS = prepare(delete(request_persons).where(_without_request))
_FORGET_SHIELDS = prepare(
    delete(shields).where(
        shields.c.by == bindparam("by_objection"), ~exists().where(table.c.id == shields.c.id)
    )
)


class SqliteRequests:
    """`broker.flow.requests.person_requests.RequestBook`.

    Args:
        path: of a database that `upgrade_database(path, "register")` made.
    """

    def __init__(self, path: Path) -> None:
        self._file = RegisterFile(path)

    async def file(self, filing: Filing) -> RequestId:
        """Store a request durably and return its id; that of the same one if that is open.

        Raises:
            TooManyRequests: nothing was stored.
            RegisterUnavailable: nobody knows whether it is stored.
        """
        return await self._file.write(lambda connection: _file(connection, filing))

    async def of_persons(self, tags: Sequence[bytes]) -> Sequence[StoredRequest]:
        """Return the requests of somebody at one school, newest first.

        Raises:
            RegisterUnavailable: they cannot be read.
        """

        def look(connection: sqlite3.Connection) -> list[StoredRequest]:
            found = {
                each.id: each
                for tag in tags
                for each in map(_stored, connection.execute(_OF_PERSON, {"of_tag": tag}))
            }
            return sorted(found.values(), key=lambda each: (-each.filed_on.toordinal(), each.id))

        return self._file.read(look)

    async def of_school(self, school: SchoolId) -> Sequence[StoredRequest]:
        """Return the requests at a school, those with the first deadline first.

        Raises:
            RegisterUnavailable: they cannot be read.
        """
        of = {"of_school": school}
        return self._file.read(
            lambda connection: [_stored(each) for each in connection.execute(_OF_SCHOOL, of)]
        )

    async def persons_of(self, school: SchoolId) -> Mapping[bytes, Sequence[RequestId]]:
        """Return which requests at a school each tag has.

        Raises:
            RegisterUnavailable: they cannot be read.
        """

        def look(connection: sqlite3.Connection) -> dict[bytes, list[RequestId]]:
            found: dict[bytes, list[RequestId]] = {}
            for tag, request_id in connection.execute(_PERSONS, {"of_school": school}):
                found.setdefault(tag, []).append(RequestId(request_id))
            return found

        return self._file.read(look)

    async def move(self, move: RequestMove) -> bool:
        """Put a request in another state, durably; False when it is not as expected.

        Raises:
            RegisterUnavailable: nobody knows whether it is.
        """
        values = {
            "of_id": move.id,
            "of_school": move.school,
            "before": move.before.value,
            "after": move.after.value,
            "on_day": move.on.isoformat(),
            "new_grounds": None if move.grounds is None else move.grounds.value,
        }
        return await self._file.write(
            lambda connection: connection.execute(_MOVE, values).rowcount == 1
        )

    async def close(self) -> None:
        """Close the database."""
        self._file.close()


def _file(connection: sqlite3.Connection, filing: Filing) -> RequestId:
    request, is_open = filing.request, {"open": RequestState.OPEN.value}
    _forget(connection, request.filed_on)
    same = connection.execute(_SAME, {"of_same": filing.same, **is_open}).fetchone()
    if same is not None:
        return RequestId(same[0])
    for tag in filing.persons:
        (count,) = connection.execute(_OPEN, {"of_tag": tag, **is_open}).fetchone()
        if count >= filing.most_open:
            raise TooManyRequests("check_few_requests_open")
    connection.execute(
        _ADD,
        {
            "id": request.id,
            "school": request.school,
            "kind": request.kind.value,
            "state": request.state.value,
            "filed_on": request.filed_on.isoformat(),
            "deadline": request.deadline.isoformat(),
            "blocks": request.blocks,
            "same": filing.same,
            "subject": request.subject,
            "decided_on": None,
            "grounds": None,
        },
    )
    for tag in filing.persons:
        connection.execute(_PERSON, {"tag": tag, "id": request.id})
    rows = [
        StoredShield(tag, request.id, ShieldedBy.OBJECTION, sealed)
        for tag, sealed in filing.shields
    ]
    put_shields(connection, request.school, rows)
    return request.id


def _forget(connection: sqlite3.Connection, today: date) -> None:
    gone = connection.execute(
        _FORGET,
        {
            "before": (today - timedelta(days=KEPT_DAYS)).isoformat(),
            "granted": RequestState.GRANTED.value,
            "objection": RequestKind.OBJECTION.value,
        },
    )
    if gone.rowcount:
        connection.execute(_FORGET_PERSONS)
        connection.execute(_FORGET_SHIELDS, {"by_objection": ShieldedBy.OBJECTION.value})


def _stored(row: tuple[Any, ...]) -> StoredRequest:
    request_id, school, kind, state, filed_on, deadline, blocks, subject, decided_on, grounds = row
    return StoredRequest(
        id=RequestId(request_id),
        school=SchoolId(school),
        kind=RequestKind(kind),
        state=RequestState(state),
        filed_on=date.fromisoformat(filed_on),
        deadline=date.fromisoformat(deadline),
        blocks=bool(blocks),
        subject=subject,
        decided_on=None if decided_on is None else date.fromisoformat(decided_on),
        grounds=None if grounds is None else Grounds(grounds),
    )
