"""Sheets in `registry.db`: the history of a supplier's document, and drafts of the next sheet.

A draft is nothing that a worker reads, so it adds no version.
"""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import bindparam, delete, insert, select, update

from broker.adapters.databases.agreements_following import SCHOOL_SIDE
from broker.adapters.databases.document_rows import stated_of
from broker.adapters.databases.packed_agreements import of_board, of_school
from broker.adapters.databases.registry_file import open_registry
from broker.adapters.databases.sql import prepare, transaction
from broker.adapters.databases.sql_console_audit import append_entry
from broker.adapters.databases.tables_registry import documents, versions
from broker.adapters.databases.tables_sheets import sheet_drafts
from broker.domain.agreements import Agreement
from broker.domain.documents import Kind, SupplierDocument
from broker.domain.ids import BoardId, SchoolId, SupplierId
from broker.domain.sheets import ServiceSheet
from broker.flow.console.console_audit import ConsoleEntry
from broker.flow.sheets.sheet_store import SheetDraft, StoredForm

_UNREADABLE = (msgspec.MsgspecError, KeyError)

_forms = (
    select(
        documents.c.kind,
        documents.c.id,
        documents.c.stated,
        documents.c.first_version,
        versions.c.applied_in,
    )
    .join(versions, versions.c.version == documents.c.first_version)
    .where(documents.c.kind == bindparam("of_kind"), documents.c.id == bindparam("of_supplier"))
)
_FORM_IN_FORCE = prepare(_forms.where(documents.c.last_version.is_(None)))
_FORMS = prepare(_forms.order_by(documents.c.first_version))

_AGREEMENTS = prepare(
    select(documents.c.id, documents.c.compiled).where(
        documents.c.kind == bindparam("of_kind"),
        documents.c.id.like(bindparam("of_form")),  # slugs hold none of its signs
        documents.c.last_version.is_(None),
    )
)

_rows = sheet_drafts.c
_DRAFT = prepare(select(sheet_drafts).where(_rows.supplier == bindparam("of_supplier")))
_ADD = prepare(insert(sheet_drafts).values({each.name: bindparam(each.name) for each in _rows}))
_this_one = (_rows.supplier == bindparam("of_supplier"), _rows.revision == bindparam("before"))
_CHANGE = prepare(
    update(sheet_drafts)
    .where(*_this_one)
    .values({each.name: bindparam(each.name) for each in _rows if each.name != "supplier"})
)
_REMOVE = prepare(delete(sheet_drafts).where(*_this_one))


@dataclass(frozen=True, slots=True)
class SqliteSheets:
    """`SheetStore` and `SheetDrafts` on a SQLite database.

    Every method raises `RegistryUnreadable` when the database cannot be read or written, or holds
    what this program does not understand.

    Args:
        path: of a database that `upgrade_database(path, "registry")` made.
    """

    path: Path

    def read(self, supplier: SupplierId) -> StoredForm | None:
        """Return the form of its document in force, or None when there is no such supplier."""
        with self._opened() as connection:
            return next(_read_forms(connection, _FORM_IN_FORCE, supplier), None)

    def versions(self, supplier: SupplierId) -> tuple[StoredForm, ...]:
        """Return every form that its document had, oldest first."""
        with self._opened() as connection:
            return tuple(_read_forms(connection, _FORMS, supplier))

    async def agreements_of(self, supplier: SupplierId) -> tuple[Agreement, ...]:
        """Return the agreements with a supplier, ended and stopped ones too.

        The ids of all agreements are looked through, beside the loop that answers logins: 0.1 s
        for 200,000.
        """
        return await asyncio.to_thread(self._agreements_of, supplier)

    def _agreements_of(self, supplier: SupplierId) -> tuple[Agreement, ...]:
        of = {"of_kind": Kind.AGREEMENT, "of_form": f"%/{supplier}"}
        with self._opened() as connection:
            return tuple(
                _unpack(id_, packed) for id_, packed in connection.execute(_AGREEMENTS, of)
            )

    def find(self, supplier: SupplierId) -> SheetDraft | None:
        """Return the draft of a supplier, or None."""
        with self._opened() as connection:
            row = connection.execute(_DRAFT, {"of_supplier": supplier}).fetchone()
            if row is None:
                return None
            _, based_on, revision, changed_in, content = row
            sheet = msgspec.json.decode(content, type=ServiceSheet)
        return SheetDraft(supplier, based_on, revision, sheet, changed_in)

    async def save(self, draft: SheetDraft, *, entry: ConsoleEntry) -> bool:
        """Keep a draft in place of the one with the revision before it."""
        return await asyncio.to_thread(self.save_now, draft, entry=entry)

    async def discard(self, supplier: SupplierId, *, revision: int, entry: ConsoleEntry) -> bool:
        """Remove the draft with this revision."""
        return await asyncio.to_thread(self._discard, supplier, revision, entry)

    def save_now(self, draft: SheetDraft, *, entry: ConsoleEntry) -> bool:
        """Do as `save`, for a caller who waits."""
        row = {
            "supplier": draft.supplier,
            "based_on": draft.based_on,
            "revision": draft.revision,
            "changed_in": draft.changed_in,
            "content": msgspec.json.encode(draft.content).decode(),
        }
        before = draft.revision - 1
        with self._opened() as connection, transaction(connection):
            if before:
                this_one = {"of_supplier": draft.supplier, "before": before}
                if not connection.execute(_CHANGE, row | this_one).rowcount:
                    return False
            elif connection.execute(_DRAFT, {"of_supplier": draft.supplier}).fetchone():
                return False
            else:
                connection.execute(_ADD, row)
            append_entry(connection, entry)
        return True

    def _discard(self, supplier: SupplierId, revision: int, entry: ConsoleEntry) -> bool:
        this_one = {"of_supplier": supplier, "before": revision}
        with self._opened() as connection, transaction(connection):
            if not connection.execute(_REMOVE, this_one).rowcount:
                return False
            append_entry(connection, entry)
        return True

    def _opened(self) -> AbstractContextManager[sqlite3.Connection]:
        return open_registry(self.path, unreadable=_UNREADABLE)


def _unpack(id_: str, packed: bytes) -> Agreement:
    side, signer, supplier = id_.split("/")
    if f"{side}/" == SCHOOL_SIDE:
        return of_school(SchoolId(signer), SupplierId(supplier), bytearray(packed))
    return of_board(BoardId(signer), SupplierId(supplier), bytearray(packed))


def _read_forms(
    connection: sqlite3.Connection, statement: str, supplier: SupplierId
) -> Iterator[StoredForm]:
    of = {"of_kind": Kind.SUPPLIER, "of_supplier": supplier}
    rows = connection.execute(statement, of)
    for kind, id_, text, first_version, applied_in in rows:
        stated = stated_of(kind, id_, text)
        if isinstance(stated.document, SupplierDocument):
            yield StoredForm(stated.document, stated, first_version, applied_in)
