"""The console's audit in `registry.db`: a chain of entries, each over all before it.

What changes the same database writes its entry in its own transaction, by `append_entry`.
"""

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert, select

from broker.adapters.databases.registry_file import open_registry
from broker.adapters.databases.sql import prepare, transaction
from broker.adapters.databases.tables_console import console_audit
from broker.domain.console_roles import Role
from broker.domain.ids import BoardId, SchoolId, SupplierId
from broker.flow.console.actors import ActorKind
from broker.flow.console.console_audit import (
    FIRST_LINK,
    AuditPage,
    ConsoleEntry,
    KeptEntry,
    link_entry,
    read_moment,
    write_moment,
)

_COLUMNS = [each.name for each in console_audit.columns]
_ADD = prepare(insert(console_audit))
_READ = prepare(select(console_audit))
_COUNT = "SELECT count(*) FROM console_audit"
_TIP = "SELECT number, link FROM console_audit ORDER BY number DESC LIMIT 1"

_UNREADABLE = (ValueError,)


def append_entry(connection: sqlite3.Connection, entry: ConsoleEntry) -> KeptEntry:
    """Write an entry within the caller's transaction."""
    number, before = connection.execute(_TIP).fetchone() or (0, FIRST_LINK)
    link = link_entry(entry, after=before)
    connection.execute(
        _ADD,
        {
            "number": number + 1,
            "at": write_moment(entry.at),
            "actor": entry.actor,
            "kind": entry.kind.value,
            "role": "" if entry.role is None else entry.role.value,
            "action": entry.action,
            "school": entry.school or "",
            "board": entry.board or "",
            "supplier": entry.supplier or "",
            "before": entry.before,
            "after": entry.after,
            "document": entry.document_hash,
            "link": link,
        },
    )
    return KeptEntry(number + 1, entry, link)


@dataclass(frozen=True, slots=True)
class SqliteConsoleAudit:
    """`ConsoleAudit` on a SQLite database.

    Args:
        path: of a database that `upgrade_database(path, "registry")` made.
    """

    path: Path

    async def record(self, *entries: ConsoleEntry) -> None:
        """Write entries down; a command that writes holds up no login."""
        await asyncio.to_thread(self._record, entries)

    def _record(self, entries: tuple[ConsoleEntry, ...]) -> None:
        with self._opened() as connection, transaction(connection):
            for each in entries:
                append_entry(connection, each)

    def look(
        self,
        *,
        schools: Iterable[SchoolId] | None = None,
        board: BoardId | None = None,
        supplier: SupplierId | None = None,
        action: str = "",
        first: int = 0,
        count: int = 50,
    ) -> AuditPage:
        """Return entries, the newest first."""
        where, values = _condition(schools, board, supplier, action)
        with self._opened() as connection:
            (found,) = connection.execute(f"{_COUNT} {where}", values).fetchone()
            rows = connection.execute(
                f"{_READ} {where} ORDER BY number DESC LIMIT ? OFFSET ?", [*values, count, first]
            )
            return AuditPage(tuple(map(_read, rows)), found)

    def verify(self) -> int | None:
        """Return the number of the first entry that does not follow on its predecessor, or None."""
        link, number = FIRST_LINK, 0
        with self._opened() as connection:
            for row in connection.execute(f"{_READ} ORDER BY number"):
                kept, number = _read(row), number + 1
                if kept.number != number or kept.link != link_entry(kept.entry, after=link):
                    return number
                link = kept.link
        return None

    def _opened(self) -> AbstractContextManager[sqlite3.Connection]:
        return open_registry(self.path, unreadable=_UNREADABLE)


def _condition(
    schools: Iterable[SchoolId] | None,
    board: BoardId | None,
    supplier: SupplierId | None,
    action: str,
) -> tuple[str, list[object]]:
    whose: list[str] = []
    values: list[object] = []
    if schools is not None:
        named = list(schools)
        whose.append(f"school IN ({', '.join('?' * len(named))})")
        values += named
    if board is not None:
        whose.append("board = ?")
        values.append(board)
    if supplier is not None:  # what a school does about a supplier is the school's
        whose.append("supplier = ? AND school = '' AND board = ''")
        values.append(supplier)
    parts = [f"({' OR '.join(whose)})"] if whose else []
    if action:
        parts.append("substr(action, 1, ?) = ?")
        values += [len(action), action]
    return (f"WHERE {' AND '.join(parts)}" if parts else ""), values


def _read(row: tuple[object, ...]) -> KeptEntry:
    found = dict(zip(_COLUMNS, row, strict=True))
    text = {name: str(value) for name, value in found.items()}
    entry = ConsoleEntry(
        at=read_moment(text["at"]),
        actor=text["actor"],
        kind=ActorKind(text["kind"]),
        role=Role(text["role"]) if text["role"] else None,
        action=text["action"],
        school=SchoolId(text["school"]) if text["school"] else None,
        board=BoardId(text["board"]) if text["board"] else None,
        supplier=SupplierId(text["supplier"]) if text["supplier"] else None,
        before=text["before"],
        after=text["after"],
        document_hash=text["document"],
    )
    link = found["link"]
    return KeptEntry(int(text["number"]), entry, link if isinstance(link, bytes) else b"")
