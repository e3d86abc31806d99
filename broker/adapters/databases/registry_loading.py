"""From the rows of `registry.db` to the snapshot that a worker uses, again and again.

A load costs what changed since the one before: records of rows that were read are the same objects,
agreements are followed (`agreements_following`), and where nothing but agreements changed, all
indexes are those of before.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy import bindparam, select

from broker.adapters.databases.agreements_following import (
    FollowedAgreements,
    follow_agreements,
    load_agreements,
)
from broker.adapters.databases.document_rows import IN_FORCE
from broker.adapters.databases.registry_versions import read_version
from broker.adapters.databases.sql import prepare
from broker.adapters.databases.sql_metadata import read_entities, read_sources
from broker.adapters.databases.sql_rotations import read_windows
from broker.adapters.databases.sql_switches import read_switches
from broker.adapters.databases.sql_takeovers import read_takeovers
from broker.adapters.databases.tables_registry import documents, pins, versions
from broker.domain.documents import Kind
from broker.domain.federation import Relation, School, SchoolIdp, Supplier
from broker.domain.metadata_sources import build_validity
from broker.domain.metadata_validity import valid_logins, valid_suppliers, without_unread
from broker.domain.registry import Registry, build_registry
from broker.flow.federation.logins import with_built_in_names

Record = TypeVar("Record", School, SchoolIdp, Supplier, Relation)

_of_kind = documents.c.kind == bindparam("of_kind")
_COMPILED = prepare(
    select(documents.c.id, documents.c.compiled).where(_of_kind, IN_FORCE).order_by(documents.c.id)
)
_NUMBERED = prepare(
    select(documents.c.number, documents.c.compiled)
    .where(_of_kind, IN_FORCE)
    .order_by(documents.c.id)
)
_PINS = prepare(select(pins.c.supplier, pins.c.epoch))
_changed = select(documents.c.kind, documents.c.id)
_CHANGED = prepare(  # two ranges, each by its own index
    _changed.where(documents.c.first_version > bindparam("since")).union(
        _changed.where(documents.c.last_version >= bindparam("since"))
    )
)
_VERSION_ROW = prepare(select(versions).where(versions.c.version == bindparam("of_version")))


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A load, and by what the next one knows that it goes on from it.

    Attributes:
        file: which file it was; another one has another history.
        row: of its version; where it says something else by now, so has another history.
        at: the moment that it was asked for; None: parties are as they are stated.
        beside: what is read beside documents.
    """

    file: tuple[int, int]
    row: tuple[object, ...] | None
    at: datetime | None
    beside: tuple[object, ...]
    agreements: FollowedAgreements
    registry: Registry


@dataclass(slots=True)
class RegistryLoader:
    """Loads snapshots, one after the other."""

    last: _Loaded | None = None
    rows: dict[Kind, dict[int, Any]] = field(default_factory=dict)
    """By row, which never changes: schools and logins of the last load, for the next one."""

    def load(self, connection: sqlite3.Connection, path: Path, *, now: datetime | None) -> Registry:
        """Return the snapshot in force.

        Args:
            connection: one consistent view of the database at `path`.
            now: parties whose metadata are no longer valid then are switched off; None: none is.
        """
        status = os.stat(path)
        file, version = (status.st_dev, status.st_ino), read_version(connection)
        last = self.last
        if last is None or last.file != file or _row(connection, last.registry.version) != last.row:
            self.rows, last = {}, None
        beside = _read_beside(connection, is_timeless=now is None)
        if last is None:
            agreements = load_agreements(connection, version=version)
            registry = self._build(connection, version, now=now)
        else:
            since = {"since": last.registry.version}
            changed = connection.execute(_CHANGED, since).fetchall()
            ids = [id_ for kind, id_ in changed if kind == Kind.AGREEMENT]
            agreements = follow_agreements(connection, last.agreements, ids, version=version)
            others = len(changed) - len(ids)
            registry = (
                replace(last.registry, version=version)
                if not others and _can_go_on(last, beside, now=now)
                else self._build(connection, version, now=now)
            )
        registry = replace(
            registry,
            school_agreements=agreements.of_schools,
            board_agreements=agreements.of_boards,
        )
        self.last = _Loaded(file, _row(connection, version), now, beside, agreements, registry)
        return registry

    def _build(
        self, connection: sqlite3.Connection, version: int, *, now: datetime | None
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
            for each in read_records(connection, Kind.SUPPLIER, Supplier)
        ]
        logins = self._again(connection, Kind.IDENTITY_PROVIDER, SchoolIdp, finish=_for_logins)
        registry = build_registry(
            version,
            schools=self._again(connection, Kind.SCHOOL, School),
            idps=valid_logins(logins, validity, now=now),
            suppliers=valid_suppliers(suppliers, validity, now=now),
            agreements=(),
            relations=read_records(connection, Kind.RELATION, Relation),
            takeovers=read_takeovers(connection),
            switches=read_switches(connection),
        )
        return replace(registry, metadata_end=None if now is None else validity.next_end(now=now))

    def _again(
        self,
        connection: sqlite3.Connection,
        kind: Kind,
        type_: type[Record],
        *,
        finish: Callable[[Iterator[Record]], Iterator[Record]] = iter,
    ) -> list[Record]:
        """Return the records of a kind, in order; those of rows that were loaded before are the
        same objects, so that another version costs the memory of what changed."""
        before: dict[int, Any] = self.rows.get(kind, {})
        decoder, found = msgspec.msgpack.Decoder(type_), {}
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
        self.rows[kind] = found
        return list(found.values())


def read_records(
    connection: sqlite3.Connection, kind: Kind, type_: type[Record]
) -> Iterator[Record]:
    """Yield the records of a kind in force, in order."""
    decoder = msgspec.msgpack.Decoder(type_)
    for _, compiled in connection.execute(_COMPILED, {"of_kind": kind}):
        yield decoder.decode(compiled)


def _read_beside(connection: sqlite3.Connection, *, is_timeless: bool) -> tuple[object, ...]:
    return (
        is_timeless,
        connection.execute(_PINS).fetchall(),
        read_windows(connection),
        read_sources(connection),
        read_entities(connection),
        tuple(read_takeovers(connection)),
        read_switches(connection),
    )


def _can_go_on(last: _Loaded, beside: tuple[object, ...], *, now: datetime | None) -> bool:
    """Tell whether all that is no document is as in the last load."""
    if beside != last.beside:
        return False
    ends = last.registry.metadata_end
    is_later = now is None or last.at is None or last.at <= now
    return is_later and (ends is None or now is None or now < ends)


def _row(connection: sqlite3.Connection, version: int) -> tuple[object, ...] | None:
    row = connection.execute(_VERSION_ROW, {"of_version": version}).fetchone()
    return None if row is None else tuple(row)


def _for_logins(idps: Iterator[SchoolIdp]) -> Iterator[SchoolIdp]:
    return with_built_in_names(map(without_unread, idps))
