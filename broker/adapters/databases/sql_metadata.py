"""What is known of sources of metadata, in `registry.db`: until when they are valid, and how the
last look at them went.

What ends later than before needs no version: a broker that runs looks again when something ends.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from sqlalchemy import bindparam, delete, insert, select

from broker.adapters.databases.registry_file import open_registry
from broker.adapters.databases.sql import prepare, transaction
from broker.adapters.databases.tables_registry import (
    documents,
    metadata_entities,
    metadata_sources,
)
from broker.domain.documents import Kind
from broker.domain.metadata_sources import (
    EntityStanding,
    MetadataSource,
    Origin,
    SourceStanding,
    SourceUpdate,
)

_UNREADABLE = (msgspec.MsgspecError, ValueError)

_SOURCES = prepare(select(*metadata_sources.columns))
_ENTITIES = prepare(select(*metadata_entities.columns))
_PUT_SOURCE = prepare(insert(metadata_sources).prefix_with("OR REPLACE"))
_PUT_ENTITY = prepare(insert(metadata_entities).prefix_with("OR REPLACE"))
_DROP_SOURCE = prepare(
    delete(metadata_sources).where(metadata_sources.c.source == bindparam("of_source"))
)
_DROP_ENTITIES = prepare(
    delete(metadata_entities).where(metadata_entities.c.source == bindparam("of_source"))
)
_COMPILED_SOURCES = prepare(
    select(documents.c.compiled).where(
        documents.c.kind == bindparam("of_kind"), documents.c.last_version.is_(None)
    )
)


def read_sources(connection: sqlite3.Connection) -> dict[str, SourceStanding]:
    """Return what is known of each source."""
    return {row[0]: _standing_of(*row[1:]) for row in connection.execute(_SOURCES)}


def read_entities(connection: sqlite3.Connection) -> dict[Origin, EntityStanding]:
    """Return what is known of parties that differ from the rest of their source."""
    return {
        Origin(source, entity_id): EntityStanding(
            valid_until=_read(valid_until), etag=etag, last_modified=last_modified
        )
        for source, entity_id, valid_until, etag, last_modified in connection.execute(_ENTITIES)
    }


def write_updates(connection: sqlite3.Connection, updates: Iterable[SourceUpdate]) -> None:
    """Keep what looks at sources found, within the caller's transaction."""
    for each in updates:
        if each.all_entities:
            connection.execute(_DROP_ENTITIES, {"of_source": each.source})
        if each.standing is None:
            connection.execute(_DROP_SOURCE, {"of_source": each.source})
        else:
            connection.execute(_PUT_SOURCE, _row_of(each.source, each.standing))
        connection.executemany(
            _PUT_ENTITY,
            (
                {
                    "source": each.source,
                    "entity_id": entity_id,
                    "valid_until": _write(entity.valid_until),
                    "etag": entity.etag,
                    "last_modified": entity.last_modified,
                }
                for entity_id, entity in each.entities.items()
            ),
        )


@dataclass(frozen=True, slots=True)
class SqliteMetadata:
    """The sources of a registry. Raises `RegistryUnreadable` when it cannot be read or written.

    Args:
        path: of a database that `upgrade_database(path, "registry")` made.
    """

    path: Path

    def sources(self) -> Mapping[str, tuple[MetadataSource, SourceStanding | None]]:
        """Return each source that a document states, and what is known of it."""
        with self._open() as connection:
            known = read_sources(connection)
            decoder = msgspec.msgpack.Decoder(MetadataSource)
            rows = connection.execute(_COMPILED_SOURCES, {"of_kind": Kind.METADATA_SOURCE})
            found = (decoder.decode(compiled) for (compiled,) in rows)
            return {each.id: (each, known.get(each.id)) for each in found}

    def standing(self) -> tuple[dict[str, SourceStanding], dict[Origin, EntityStanding]]:
        """Return what is known of sources, and of parties that differ from the rest of theirs."""
        with self._open() as connection:
            return read_sources(connection), read_entities(connection)

    def keep(self, update: SourceUpdate) -> None:
        """Keep what a look found that changed no document and shortened nothing."""
        with self._open() as connection, transaction(connection):
            write_updates(connection, [update])

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return open_registry(self.path, unreadable=_UNREADABLE)


def _standing_of(
    document: bytes,
    etag: str,
    last_modified: str,
    valid_until: str | None,
    confirmed_at: str,
    looked_at: str,
    failures: int,
    failure: str,
) -> SourceStanding:
    return SourceStanding(
        document=document,
        etag=etag,
        last_modified=last_modified,
        valid_until=None if valid_until is None else _read(valid_until),
        confirmed_at=_read(confirmed_at),
        looked_at=_read(looked_at),
        failures=failures,
        failure=failure,
    )


def _row_of(source: str, each: SourceStanding) -> dict[str, object]:
    return {
        "source": source,
        "document": each.document,
        "etag": each.etag,
        "last_modified": each.last_modified,
        "valid_until": None if each.valid_until is None else _write(each.valid_until),
        "confirmed_at": _write(each.confirmed_at),
        "looked_at": _write(each.looked_at),
        "failures": each.failures,
        "failure": each.failure,
    }


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _write(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
