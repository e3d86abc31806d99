"""Roles, invitations and links of the console in `registry.db`, each change with its audit entry.

No login reads them, so a change adds no version: the console reads them anew for every request.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from broker.adapters.databases.registry_file import open_registry
from broker.adapters.databases.sql import transaction
from broker.adapters.databases.sql_console_audit import append_entry
from broker.domain.console_roles import ConsoleUserId, HeldRole, LoginPlace, PlaceKind, Role
from broker.domain.ids import BoardId, SchoolId
from broker.flow.console.console_audit import ConsoleEntry, read_moment, write_moment
from broker.flow.console.role_book import (
    GivenRole,
    Invitation,
    NewInvitation,
    NewLink,
    NewRole,
)

_UNREADABLE = (ValueError, msgspec.DecodeError)

Written = TypeVar("Written")

_ROLES = """SELECT number, user, login_kind, login_place, role, kind, place, last_day, given_at,
given_by, withdrawn_at FROM console_roles"""
_INVITATIONS = """SELECT number, role, kind, places, last_day, login_kind, login_place, invited_at,
invited_by, expires_at, outcome FROM console_invitations"""
_GIVE = """INSERT INTO console_roles (user, login_kind, login_place, role, kind, place, last_day,
given_at, given_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_SUPERSEDE = """UPDATE console_roles SET withdrawn_at = ?, withdrawn_by = ?
WHERE user = ? AND role = ? AND kind = ? AND place = ? AND withdrawn_at IS NULL"""
_WITHDRAW = """UPDATE console_roles SET withdrawn_at = ?, withdrawn_by = ?
WHERE number = ? AND withdrawn_at IS NULL"""
_INVITE = """INSERT INTO console_invitations (code, role, kind, places, last_day, login_kind,
login_place, invited_at, invited_by, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_END_INVITATION = """UPDATE console_invitations SET ended_at = :at, outcome = :outcome
WHERE ended_at IS NULL"""
_KEEP_LINK = """INSERT INTO console_links (code, user, made_at, made_by, expires_at)
VALUES (?, ?, ?, ?, ?)"""
_LINK = """SELECT user FROM console_links WHERE code = ? AND used_at IS NULL AND expires_at > ?"""
_USE_LINK = """UPDATE console_links SET used_at = :at
WHERE code = :code AND used_at IS NULL AND expires_at > :at"""


@dataclass(frozen=True, slots=True)
class SqliteRoleBook:
    """`RoleBook` on a SQLite database.

    Args:
        path: of a database that `upgrade_database(path, "registry")` made.
    """

    path: Path

    def roles_of(self, user: ConsoleUserId) -> tuple[GivenRole, ...]:
        """Return what was given to somebody and not withdrawn, ended or not."""
        return self._roles("WHERE user = ? AND withdrawn_at IS NULL ORDER BY number", [user])

    def roles_at(
        self, *, schools: Sequence[SchoolId] = (), board: BoardId | None = None, supplier: str = ""
    ) -> tuple[GivenRole, ...]:
        """Return what is held at places, the newest first; at nothing: at the federation."""
        whose, values = _at_places(schools, board, supplier)
        return self._roles(f"WHERE withdrawn_at IS NULL AND ({whose}) ORDER BY number DESC", values)

    def find_role(self, number: int) -> GivenRole | None:
        """Return one that was not withdrawn."""
        found = self._roles("WHERE number = ? AND withdrawn_at IS NULL", [number])
        return found[0] if found else None

    async def give(
        self, roles: Sequence[NewRole], *, at: datetime, entries: Sequence[ConsoleEntry]
    ) -> None:
        """Give roles; one that the person holds already is given anew, with its new end."""
        await asyncio.to_thread(self.give_now, roles, at=at, entries=entries)

    def give_now(
        self, roles: Sequence[NewRole], *, at: datetime, entries: Sequence[ConsoleEntry]
    ) -> None:
        """Give roles, for a command that waits."""
        with self._opened() as connection, transaction(connection):
            _give(connection, roles, at=at)
            _append(connection, entries)

    async def withdraw(self, number: int, *, at: datetime, by: str, entry: ConsoleEntry) -> bool:
        """Take a role away; False when it was gone already, and nothing is written."""

        def write(connection: sqlite3.Connection) -> bool:
            done = connection.execute(_WITHDRAW, (write_moment(at), by, number)).rowcount == 1
            _append(connection, [entry] if done else [])
            return done

        return await self._write(write)

    async def invite(self, invitation: NewInvitation, *, at: datetime, entry: ConsoleEntry) -> int:
        """Keep an invitation and return its number."""
        row = (
            invitation.code,
            invitation.role.value,
            invitation.kind.value,
            msgspec.json.encode(invitation.places).decode(),
            _write_day(invitation.last_day),
            invitation.login.kind.value,
            invitation.login.place,
            write_moment(at),
            invitation.invited_by,
            write_moment(invitation.expires_at),
        )

        def write(connection: sqlite3.Connection) -> int:
            number = connection.execute(_INVITE, row).lastrowid
            _append(connection, [entry])
            return number or 0

        return await self._write(write)

    def invitation_by(self, code: bytes) -> Invitation | None:
        """Return the invitation of a code, over or not."""
        return self._invitation("WHERE code = ?", [code])

    def find_invitation(self, number: int) -> Invitation | None:
        """Return an invitation, over or not."""
        return self._invitation("WHERE number = ?", [number])

    def waiting_at(
        self, *, schools: Sequence[SchoolId] = (), board: BoardId | None = None, supplier: str = ""
    ) -> tuple[Invitation, ...]:
        """Return invitations that nobody accepted or withdrew, the newest first."""
        kinds: dict[PlaceKind, set[str]] = {
            PlaceKind.SCHOOL: set(schools),
            PlaceKind.BOARD: set() if board is None else {board},
            PlaceKind.SUPPLIER: {supplier} if supplier else set(),
            PlaceKind.FEDERATION: set() if schools or board or supplier else {""},
        }
        with self._opened() as connection:
            rows = connection.execute(
                f"{_INVITATIONS} WHERE ended_at IS NULL ORDER BY number DESC"
            ).fetchall()
        found = map(_read_invitation, rows)
        return tuple(each for each in found if kinds[each.kind] & set(each.places))

    async def accept(
        self,
        code: bytes,
        roles: Sequence[NewRole],
        *,
        at: datetime,
        entries: Sequence[ConsoleEntry],
    ) -> bool:
        """Use an invitation up and give its roles; False when it was over already."""

        def write(connection: sqlite3.Connection) -> bool:
            values = {"at": write_moment(at), "outcome": "accepted", "code": code}
            ended = connection.execute(
                f"{_END_INVITATION} AND code = :code AND expires_at > :at", values
            )
            if ended.rowcount != 1:
                return False
            _give(connection, roles, at=at)
            _append(connection, entries)
            return True

        return await self._write(write)

    async def take_back(self, number: int, *, at: datetime, entry: ConsoleEntry) -> bool:
        """Withdraw an invitation; False when it was over already."""

        def write(connection: sqlite3.Connection) -> bool:
            values = {"at": write_moment(at), "outcome": "withdrawn", "number": number}
            ended = connection.execute(f"{_END_INVITATION} AND number = :number", values)
            _append(connection, [entry] if ended.rowcount == 1 else [])
            return ended.rowcount == 1

        return await self._write(write)

    async def keep_link(
        self, link: NewLink, *, at: datetime, entries: Sequence[ConsoleEntry]
    ) -> None:
        """Keep a one-time link."""
        by = ", ".join(link.made_by)
        row = (link.code, link.user, write_moment(at), by, write_moment(link.expires_at))

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(_KEEP_LINK, row)
            _append(connection, entries)

        await self._write(write)

    def link_user(self, code: bytes, *, now: datetime) -> ConsoleUserId | None:
        """Return whose link this is; None when it is used, over or unknown."""
        with self._opened() as connection:
            return _link_user(connection, code, now)

    async def use_link(
        self, code: bytes, *, at: datetime, entries: Sequence[ConsoleEntry]
    ) -> ConsoleUserId | None:
        """Use a link up and return whose it is; None when it is used, over or unknown."""

        def write(connection: sqlite3.Connection) -> ConsoleUserId | None:
            user = _link_user(connection, code, at)
            if user is not None:
                connection.execute(_USE_LINK, {"code": code, "at": write_moment(at)})
                _append(connection, entries)
            return user

        return await self._write(write)

    def _roles(self, where: str, values: Sequence[object]) -> tuple[GivenRole, ...]:
        with self._opened() as connection:
            rows = connection.execute(f"{_ROLES} {where}", values).fetchall()
        return tuple(map(_read_role, rows))

    def _invitation(self, where: str, values: Sequence[object]) -> Invitation | None:
        with self._opened() as connection:
            row = connection.execute(f"{_INVITATIONS} {where}", values).fetchone()
        return None if row is None else _read_invitation(row)

    async def _write(self, write: Callable[[sqlite3.Connection], Written]) -> Written:
        """Do it in one transaction; a command that writes holds up no login."""

        def write_now() -> Written:
            with self._opened() as connection, transaction(connection):
                return write(connection)

        return await asyncio.to_thread(write_now)

    def _opened(self) -> AbstractContextManager[sqlite3.Connection]:
        return open_registry(self.path, unreadable=_UNREADABLE)


def _give(connection: sqlite3.Connection, roles: Sequence[NewRole], *, at: datetime) -> None:
    moment = write_moment(at)
    for each in roles:
        held = (each.held.role.value, each.held.kind.value, each.held.place)
        connection.execute(_SUPERSEDE, (moment, each.given_by, each.user, *held))
        login = (each.login.kind.value, each.login.place)
        end = _write_day(each.held.last_day)
        connection.execute(_GIVE, (each.user, *login, *held, end, moment, each.given_by))


def _append(connection: sqlite3.Connection, entries: Sequence[ConsoleEntry]) -> None:
    for each in entries:
        append_entry(connection, each)


def _link_user(connection: sqlite3.Connection, code: bytes, now: datetime) -> ConsoleUserId | None:
    row = connection.execute(_LINK, (code, write_moment(now))).fetchone()
    return None if row is None else ConsoleUserId(row[0])


def _at_places(
    schools: Sequence[SchoolId], board: BoardId | None, supplier: str
) -> tuple[str, list[object]]:
    parts = [f"kind = 'school' AND place IN ({', '.join('?' * len(schools))})"] if schools else []
    values: list[object] = [*schools]
    for kind, place in (("board", board), ("supplier", supplier)):
        if place:
            parts.append(f"kind = '{kind}' AND place = ?")
            values.append(place)
    return " OR ".join(parts) or "kind = 'federation'", values


def _write_day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _read_day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _read_role(row: tuple[str, ...]) -> GivenRole:
    number, user, login_kind, login_place, role, kind, place, last_day, at, by, withdrawn = row
    return GivenRole(
        number=int(number),
        user=ConsoleUserId(user),
        login=LoginPlace(PlaceKind(login_kind), login_place),
        held=HeldRole(Role(role), PlaceKind(kind), place, _read_day(last_day)),
        given_at=read_moment(at),
        given_by=by,
        withdrawn_at=None if withdrawn is None else read_moment(withdrawn),
    )


def _read_invitation(row: tuple[str, ...]) -> Invitation:
    number, role, kind, places, last_day, login_kind, login_place, at, by, expires, outcome = row
    return Invitation(
        number=int(number),
        role=Role(role),
        kind=PlaceKind(kind),
        places=msgspec.json.decode(places, type=tuple[str, ...]),
        last_day=_read_day(last_day),
        login=LoginPlace(PlaceKind(login_kind), login_place),
        invited_at=read_moment(at),
        invited_by=by,
        expires_at=read_moment(expires),
        outcome=outcome or "",
    )
