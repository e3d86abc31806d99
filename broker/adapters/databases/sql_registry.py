"""The registry on SQLite: every version with its documents, and what a worker loads of the last.

Workers decode compiled records; documents are read by `broker apply` and `broker check` alone.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

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
from broker.adapters.databases.packed_agreements import (
    PackedAgreements,
    of_board,
    of_school,
)
from broker.adapters.databases.registry_file import open_registry
from broker.adapters.databases.registry_versions import add_version, read_version
from broker.adapters.databases.sql import prepare, transaction
from broker.adapters.databases.sql_metadata import read_entities, read_sources, write_updates
from broker.adapters.databases.sql_rotations import read_windows
from broker.adapters.databases.sql_switches import read_switches
from broker.adapters.databases.sql_takeovers import read_takeovers
from broker.adapters.databases.tables_registry import documents, pins
from broker.domain.documents import AnyDocument, Kind
from broker.domain.federation import Relation, School, SchoolIdp, Supplier
from broker.domain.metadata_sources import build_validity
from broker.domain.metadata_validity import valid_logins, valid_suppliers, without_unread
from broker.domain.registry import Registry, build_registry
from broker.flow.console.console_audit import ConsoleEntry
from broker.flow.federation.change import (
    CheckedChange,
    CurrentFederation,
    RegistryMoved,
)
from broker.flow.federation.documents import Key, StatedDocument
from broker.flow.federation.logins import with_built_in_names
from broker.flow.federation.narrow_change import NarrowChange, StoredDocument
from broker.flow.federation.plan import Action

Record = TypeVar("Record", School, SchoolIdp, Supplier, Relation)

SCHOOL_SIDE, BOARD_SIDE = "school/", "board/"
"""How the ids of agreements begin."""

_UNREADABLE = (msgspec.MsgspecError, KeyError)

_COMPILED = prepare(
    select(documents.c.id, documents.c.compiled)
    .where(documents.c.kind == bindparam("of_kind"), IN_FORCE)
    .order_by(documents.c.id)
)
_NUMBERED = prepare(
    select(documents.c.number, documents.c.compiled)
    .where(documents.c.kind == bindparam("of_kind"), IN_FORCE)
    .order_by(documents.c.id)
)
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
    _kept: dict[Kind, dict[int, Any]] = field(default_factory=dict, repr=False, compare=False)
    """By row, which never changes: schools and logins of the last load, for the next one."""

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
            return _load(connection, self._kept, now=now)

    def records(self) -> Mapping[Key, SchoolIdp | Supplier]:
        """Return what logins and suppliers in force compiled to, metadata and all."""
        found: dict[Key, SchoolIdp | Supplier] = {}
        with self._reading() as connection:
            for idp in _records(connection, Kind.IDENTITY_PROVIDER, SchoolIdp):
                found[Kind.IDENTITY_PROVIDER, idp.id] = idp
            for supplier in _records(connection, Kind.SUPPLIER, Supplier):
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


def _load(
    connection: sqlite3.Connection, kept: dict[Kind, dict[int, Any]], *, now: datetime | None
) -> Registry:
    validity = build_validity(read_sources(connection), read_entities(connection))
    pinned, windows = dict(connection.execute(_PINS)), read_windows(connection)
    suppliers = [
        # A rotation moves the pin, and says what came before: the document knows neither.
        msgspec.structs.replace(
            each,
            epoch=pinned[each.id],
            previous_epoch=windows[each.id].previous_epoch if each.id in windows else None,
        )
        for each in _records(connection, Kind.SUPPLIER, Supplier)
    ]
    registry = build_registry(
        read_version(connection),
        schools=_again(connection, kept, Kind.SCHOOL, School),
        idps=valid_logins(
            _again(connection, kept, Kind.IDENTITY_PROVIDER, SchoolIdp, finish=_for_logins),
            validity,
            now=now,
        ),
        suppliers=valid_suppliers(suppliers, validity, now=now),
        agreements=(),
        relations=_records(connection, Kind.RELATION, Relation),
        takeovers=read_takeovers(connection),
        switches=read_switches(connection),
    )
    return replace(
        registry,
        school_agreements=PackedAgreements(_agreements(connection, SCHOOL_SIDE), unpack=of_school),
        board_agreements=PackedAgreements(_agreements(connection, BOARD_SIDE), unpack=of_board),
        metadata_end=None if now is None else validity.next_end(now=now),
    )


def _records(connection: sqlite3.Connection, kind: Kind, type_: type[Record]) -> Iterator[Record]:
    decoder = msgspec.msgpack.Decoder(type_)
    for _, compiled in connection.execute(_COMPILED, {"of_kind": kind}):
        yield decoder.decode(compiled)


def _again(
    connection: sqlite3.Connection,
    kept: dict[Kind, dict[int, Any]],
    kind: Kind,
    type_: type[Record],
    *,
    finish: Callable[[Iterator[Record]], Iterator[Record]] = iter,
) -> list[Record]:
    """Return the records of a kind, in order; those of rows that were loaded before are the same
    objects, so that another version costs the memory of what changed."""
    decoder, before, found = msgspec.msgpack.Decoder(type_), kept.get(kind, {}), {}
    number = 0

    def decode_new() -> Iterator[Record]:
        nonlocal number
        for number, compiled in connection.execute(_NUMBERED, {"of_kind": kind}):
            if number in before:
                found[number] = before[number]
            else:
                yield decoder.decode(compiled)

    for record in finish(decode_new()):
        found[number] = record
    kept[kind] = found
    return list(found.values())


def _for_logins(idps: Iterator[SchoolIdp]) -> Iterator[SchoolIdp]:
    return with_built_in_names(map(without_unread, idps))


def _agreements(connection: sqlite3.Connection, side: str) -> Iterator[tuple[str, bytes]]:
    for id_, compiled in connection.execute(_COMPILED, {"of_kind": Kind.AGREEMENT}):
        if id_.startswith(side):
            yield id_.removeprefix(side), compiled


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
