"""Rows of `documents`: from a document to what rests, and back; and single ones, by what they are
kept. Whole versions are `sql_registry`'s."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from sqlalchemy import bindparam, insert, select, update

from broker.adapters.databases.packed_agreements import pack_agreement
from broker.adapters.databases.sql import prepare
from broker.adapters.databases.tables_registry import documents, pins
from broker.domain.agreements import Agreement
from broker.domain.documents import DOCUMENT_TYPES, Kind
from broker.flow.federation.change import CompiledDocument
from broker.flow.federation.documents import Key, StatedDocument
from broker.flow.federation.narrow_change import StoredDocument

IN_FORCE = documents.c.last_version.is_(None)
_this_one = (documents.c.kind == bindparam("of_kind"), documents.c.id == bindparam("of_id"))
stated_rows = select(documents.c.kind, documents.c.id, documents.c.stated)
_STATED_EVER = prepare(stated_rows.where(*_this_one))
_ONE_IN_FORCE = prepare(
    select(documents.c.stated, documents.c.first_version).where(*_this_one, IN_FORCE)
)
_SINCE = prepare(select(documents.c.first_version).where(*_this_one, IN_FORCE))
_END = prepare(update(documents).where(*_this_one, IN_FORCE).values(last_version=bindparam("last")))
_ADD = prepare(
    insert(documents).values(
        {name: bindparam(name) for name in ("kind", "id", "first_version", "compiled", "stated")}
    )
)
_PIN = prepare(select(pins.c.epoch).where(pins.c.supplier == bindparam("of_supplier")))


class _Stored(msgspec.Struct, frozen=True):
    """The column `stated`: all that a document was compiled from."""

    document: msgspec.Raw
    files: dict[str, str] = {}
    fetched: dict[str, str] = {}


def stated_of(kind: str, id_: str, text: str) -> StatedDocument:
    """Return the document of a row."""
    stored = msgspec.json.decode(text, type=_Stored)
    return StatedDocument(
        Kind(kind),
        msgspec.json.decode(stored.document, type=DOCUMENT_TYPES[Kind(kind)]),
        file=f"registry: {kind}/{id_}",
        files=stored.files,
        fetched=stored.fetched,
    )


def read_stored(connection: sqlite3.Connection, keys: Sequence[Key]) -> dict[Key, StoredDocument]:
    """Return those of these documents that are in force."""
    found: dict[Key, StoredDocument] = {}
    for kind, id_ in keys:
        row = connection.execute(_ONE_IN_FORCE, {"of_kind": kind, "of_id": id_}).fetchone()
        if row is not None:
            text, since = row
            found[kind, id_] = StoredDocument(stated_of(kind, id_, text), since)
    return found


def read_since(connection: sqlite3.Connection, key: Key) -> int:
    """Return the version that brought the form of a document in force; 0 when there is none."""
    row = connection.execute(_SINCE, {"of_kind": key[0], "of_id": key[1]}).fetchone()
    return 0 if row is None else int(row[0])


def read_ever(connection: sqlite3.Connection, keys: Sequence[Key]) -> Iterator[StatedDocument]:
    """Yield every form that these documents ever had."""
    for kind, id_ in keys:
        for row in connection.execute(_STATED_EVER, {"of_kind": kind, "of_id": id_}):
            yield stated_of(*row)


def read_pins(connection: sqlite3.Connection, suppliers: Sequence[str]) -> Mapping[str, str]:
    """Return the letters of the epochs to which suppliers are pinned."""
    found: dict[str, str] = {}
    for each in suppliers:
        for (epoch,) in connection.execute(_PIN, {"of_supplier": each}):
            found[each] = epoch
    return found


def end_documents(connection: sqlite3.Connection, keys: Sequence[Key], *, last: int) -> None:
    """Let documents end with a version, within the caller's transaction."""
    connection.executemany(
        _END, ({"of_kind": kind, "of_id": id_, "last": last} for kind, id_ in keys)
    )


def add_documents(
    connection: sqlite3.Connection, compiled: Sequence[CompiledDocument], *, version: int
) -> None:
    """Let documents begin with a version, within the caller's transaction."""
    connection.executemany(_ADD, (_row_of(each, version) for each in compiled))


def _row_of(each: CompiledDocument, version: int) -> dict[str, object]:
    kind, id_ = each.stated.key
    stored = _Stored(
        msgspec.Raw(msgspec.json.encode(each.stated.document)),
        dict(each.stated.files),
        dict(each.stated.fetched),
    )
    return {
        "kind": kind.value,
        "id": id_,
        "first_version": version,
        "compiled": pack_agreement(each.record)
        if isinstance(each.record, Agreement)
        else msgspec.msgpack.encode(each.record),
        "stated": msgspec.json.encode(stored).decode(),
    }
