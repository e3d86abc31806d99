"""The registry on SQLite: every version with its documents, and what a worker loads of the last.

Workers decode compiled records; documents are read by `broker apply` and `broker check` alone.
"""

import asyncio
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import bindparam, or_, select
from sqlalchemy.dialects.sqlite import insert as insert_or_not

from broker.adapters.databases.document_rows import (
    IN_FORCE,
    add_documents,
    end_documents,
    read_ever,
    read_pins,
    read_stored,
    stated_of,
    stated_rows,
)
from broker.adapters.databases.narrow_writes import write_narrow
from broker.adapters.databases.registry_file import open_registry
from broker.adapters.databases.registry_loading import RegistryLoader, read_records
from broker.adapters.databases.registry_versions import add_version, read_version
from broker.adapters.databases.sql import prepare, transaction
from broker.adapters.databases.sql_metadata import read_entities, read_sources, write_updates
from broker.adapters.databases.tables_registry import documents, pins
from broker.domain.documents import AnyDocument, Kind
from broker.domain.federation import SchoolIdp, Supplier
from broker.domain.registry import Registry
from broker.flow.console.console_audit import ConsoleEntry
from broker.flow.federation.change import (
    CheckedChange,
    CurrentFederation,
    RegistryMoved,
)
from broker.flow.federation.documents import Key, StatedDocument
from broker.flow.federation.narrow_change import NarrowChange, StoredDocument
from broker.flow.federation.plan import Action

_UNREADABLE = (msgspec.MsgspecError, KeyError)

_STATED_IN_FORCE = prepare(stated_rows.where(IN_FORCE).order_by(documents.c.kind, documents.c.id))
_STATED_AT = prepare(
    stated_rows.where(
        documents.c.first_version <= bindparam("at_version"),
        or_(IN_FORCE, documents.c.last_version >= bindparam("at_version")),
    ).order_by(documents.c.kind, documents.c.id)
)
_EVER_OF_KIND = prepare(stated_rows.where(documents.c.kind == bindparam("of_kind")))
_PINS = prepare(select(pins.c.supplier, pins.c.epoch))
_ADD_PIN = prepare(insert_or_not(pins).on_conflict_do_nothing())


@dataclass(frozen=True, slots=True)
class SqliteRegistry:
    """`FederationStore` and `RegistrySource` on a SQLite database.

    Every method raises `RegistryUnreadable` when the database cannot be read or written, or holds
    what this program does not understand.

    Args:
        path: of a database that `upgrade_database(path, "registry")` made.
    """

    path: Path
    _loader: RegistryLoader = field(default_factory=RegistryLoader, repr=False, compare=False)
    """What the next load of this object goes on from; one thread loads at a time."""

    def version(self) -> int:
        """Return the version in force.

        Opened anew each time: a database that was restored in its place is seen too.
        """
        with self._reading() as connection:
            return read_version(connection)

    def load(self, *, now: datetime | None = None) -> Registry:
        """Return the snapshot in force, as workers use it.

        Args:
            now: parties whose metadata are no longer valid then are switched off; None, for whoever
                lets nobody log in: none is.
        """
        with self._reading() as connection:
            return self._loader.load(connection, self.path, now=now)

    def records(self) -> Mapping[Key, SchoolIdp | Supplier]:
        """Return what logins and suppliers in force compiled to, metadata and all."""
        found: dict[Key, SchoolIdp | Supplier] = {}
        with self._reading() as connection:
            for idp in read_records(connection, Kind.IDENTITY_PROVIDER, SchoolIdp):
                found[Kind.IDENTITY_PROVIDER, idp.id] = idp
            for supplier in read_records(connection, Kind.SUPPLIER, Supplier):
                found[Kind.SUPPLIER, supplier.id] = supplier
        return found

    def current(self) -> CurrentFederation:
        """Return what is in force, as stated."""
        with self._reading() as connection:
            return CurrentFederation(
                read_version(connection),
                _read_stated(connection, _STATED_IN_FORCE, {}),
                dict(connection.execute(_PINS)),
                read_sources(connection),
                read_entities(connection),
            )

    def documents_at(self, version: int) -> Mapping[Key, StatedDocument] | None:
        """Return the documents of an earlier version, or None when there is no such version."""
        with self._reading() as connection:
            if not 1 <= version <= read_version(connection):
                return None
            return _read_stated(connection, _STATED_AT, {"at_version": version})

    def ever_stated(self, keys: Sequence[Key]) -> Iterator[StatedDocument]:
        """Yield every form that these documents ever had."""
        with self._reading() as connection:
            yield from read_ever(connection, keys)

    def read_documents(self, keys: Sequence[Key]) -> Mapping[Key, StoredDocument]:
        """Return those of these documents that are in force."""
        with self._reading() as connection:
            return read_stored(connection, keys)

    def pins_of(self, suppliers: Sequence[str]) -> Mapping[str, str]:
        """Return the letters of the epochs to which suppliers are pinned."""
        with self._reading() as connection:
            return read_pins(connection, suppliers)

    async def put_in_force(
        self, change: NarrowChange, *, by: str, at: datetime, entries: Sequence[ConsoleEntry]
    ) -> int:
        """Put documents in force with their entries of the audit, all or nothing."""
        return await asyncio.to_thread(self._put_in_force, change, by, at, entries)

    def _put_in_force(
        self, change: NarrowChange, by: str, at: datetime, entries: Sequence[ConsoleEntry]
    ) -> int:
        with self._open() as connection, transaction(connection):
            return write_narrow(connection, change, by=by, at=at, entries=entries)

    def ever_of_kind(self, kind: Kind) -> Iterator[AnyDocument]:
        """Yield every form that any document of a kind ever had."""
        with self._reading() as connection:
            for row in connection.execute(_EVER_OF_KIND, {"of_kind": kind}):
                yield stated_of(*row).document

    def write(self, change: CheckedChange, *, by: str, at: datetime) -> int:
        """Put a change in force, all or nothing, and return the new version.

        Raises:
            RegistryMoved: the change was checked on another version.
        """
        with self._open() as connection, transaction(connection):
            return _write(connection, change, by=by, at=at)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view, whatever is written meanwhile."""
        with self._open() as connection:
            connection.execute("BEGIN")
            yield connection

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return open_registry(self.path, unreadable=_UNREADABLE)


def _read_stated(
    connection: sqlite3.Connection, statement: str, parameters: Mapping[str, Any]
) -> dict[Key, StatedDocument]:
    stated = (stated_of(*row) for row in connection.execute(statement, parameters))
    return {each.key: each for each in stated}


def _write(connection: sqlite3.Connection, change: CheckedChange, *, by: str, at: datetime) -> int:
    if read_version(connection) != change.base:
        raise RegistryMoved
    counts = {each.value: change.plan.count(each) for each in Action}
    version = add_version(connection, note=change.note, by=by, at=at, **counts)
    end_documents(connection, change.plan.keys(Action.CHANGED, Action.REMOVED), last=change.base)
    add_documents(connection, change.put, version=version)
    connection.executemany(
        _ADD_PIN,
        (
            {"supplier": supplier, "epoch": epoch, "version": version}
            for supplier, epoch in change.new_pins.items()
        ),
    )
    write_updates(connection, change.sources)
    return version
