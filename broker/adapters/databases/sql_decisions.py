"""Decisions in `registry.db`: drafts that wait, and what was signed with what it put in force."""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from sqlalchemy import bindparam, delete, insert, select

from broker.adapters.databases.document_rows import IN_FORCE, read_stored, stated_of
from broker.adapters.databases.narrow_writes import write_narrow
from broker.adapters.databases.sql import prepare, transaction
from broker.adapters.databases.sql_console_audit import append_entry
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.tables_decisions import decision_drafts, signed_decisions
from broker.adapters.databases.tables_registry import documents
from broker.domain.console_roles import Role
from broker.domain.documents import Kind, SupplierDocument
from broker.domain.ids import BoardId, SchoolId, SupplierId
from broker.flow.console.console_audit import ConsoleEntry, read_moment, write_moment
from broker.flow.decisions.decision_store import DraftMoved, NewDraft, NewSigned
from broker.flow.decisions.decision_types import Decider, Draft, PreparedDecision, SignedDecision
from broker.flow.federation.narrow_change import NarrowChange

_drafts, _signed = decision_drafts.c, signed_decisions.c
_DRAFTS = prepare(select(decision_drafts))
_ADD_DRAFT = prepare(
    insert(decision_drafts).values({each.name: bindparam(each.name) for each in _drafts})
)
_REMOVE_DRAFT = prepare(
    delete(decision_drafts).where(
        _drafts.number == bindparam("of_number"), _drafts.revision == bindparam("of_revision")
    )
)
_SIGNED = prepare(select(signed_decisions))
_ADD_SIGNED = prepare(
    insert(signed_decisions).values(
        {each.name: bindparam(each.name) for each in _signed if each.name != "number"}
    )
)
_SUPPLIERS = prepare(
    select(documents.c.id, documents.c.first_version).where(
        documents.c.kind == bindparam("of_kind"), IN_FORCE
    )
)
_STATED = prepare(
    select(documents.c.stated).where(
        documents.c.kind == bindparam("of_kind"), documents.c.id == bindparam("of_id"), IN_FORCE
    )
)


@dataclass(frozen=True, slots=True)
class SqliteDecisions(SqliteRegistry):
    """`DecisionStore` on a SQLite database."""

    _categories: dict[tuple[str, int], str] = field(default_factory=dict, repr=False, compare=False)
    """By supplier and form, which never changes."""

    def categories(self) -> Mapping[SupplierId, str]:
        """Return the category of each supplier's sheet."""
        found: dict[SupplierId, str] = {}
        with self._reading() as connection:
            for id_, since in connection.execute(_SUPPLIERS, {"of_kind": Kind.SUPPLIER}).fetchall():
                if (id_, since) not in self._categories:
                    values = {"of_kind": Kind.SUPPLIER, "of_id": id_}
                    (text,) = connection.execute(_STATED, values).fetchone()
                    self._categories[id_, since] = _category(text, id_)
                found[SupplierId(id_)] = self._categories[id_, since]
        return found

    def suppliers(self, ids: Sequence[SupplierId]) -> Mapping[SupplierId, SupplierDocument]:
        """Return the documents of suppliers."""
        with self._reading() as connection:
            stored = read_stored(connection, [(Kind.SUPPLIER, each) for each in ids])
        found = (each.stated.document for each in stored.values())
        return {SupplierId(each.id): each for each in found if isinstance(each, SupplierDocument)}

    def drafts_of(self, decider: Decider) -> tuple[PreparedDecision, ...]:
        """Return what waits of a school or board, the newest first."""
        return self._find_drafts(
            "board = ? AND school = ? ORDER BY prepared_at DESC, number DESC", *_side(decider)
        )

    def draft_for(self, decider: Decider, supplier: SupplierId) -> PreparedDecision | None:
        """Return what waits about one supplier."""
        found = self._find_drafts(
            "board = ? AND school = ? AND supplier = ?", *_side(decider), supplier
        )
        return found[0] if found else None

    def find_draft(self, number: int) -> PreparedDecision | None:
        """Return one draft."""
        found = self._find_drafts("number = ?", number)
        return found[0] if found else None

    def drafts_in(self, batch: str) -> tuple[PreparedDecision, ...]:
        """Return the drafts of a batch that still wait."""
        return self._find_drafts("batch = ? AND batch != '' ORDER BY number", batch)

    def _find_drafts(self, where: str, *values: object) -> tuple[PreparedDecision, ...]:
        with self._reading() as connection:
            rows = connection.execute(f"{_DRAFTS} WHERE {where}", values).fetchall()
            return tuple(map(_read_draft, rows))

    async def keep_drafts(
        self, drafts: Sequence[NewDraft], *, entries: Sequence[ConsoleEntry]
    ) -> tuple[PreparedDecision, ...]:
        """Keep drafts, all or none."""
        return await asyncio.to_thread(self._keep_drafts, drafts, entries)

    def _keep_drafts(
        self, drafts: Sequence[NewDraft], entries: Sequence[ConsoleEntry]
    ) -> tuple[PreparedDecision, ...]:
        with self._open() as connection, transaction(connection):
            kept = tuple(_keep_draft(connection, each) for each in drafts)
            for each in entries:
                append_entry(connection, each)
        return kept

    async def discard_draft(self, number: int, *, revision: int, entry: ConsoleEntry) -> bool:
        """Remove a draft."""
        return await asyncio.to_thread(self._discard_draft, number, revision, entry)

    def _discard_draft(self, number: int, revision: int, entry: ConsoleEntry) -> bool:
        with self._open() as connection, transaction(connection):
            if not _remove_draft(connection, number, revision):
                return False
            append_entry(connection, entry)
        return True

    async def sign(
        self,
        change: NarrowChange,
        signed: Sequence[NewSigned],
        *,
        by: str,
        at: datetime,
        entries: Sequence[ConsoleEntry],
    ) -> tuple[SignedDecision, ...]:
        """Put agreements in force, keep what was signed and remove the drafts: all or nothing."""
        return await asyncio.to_thread(self._sign, change, signed, by, at, entries)

    def _sign(
        self,
        change: NarrowChange,
        signed: Sequence[NewSigned],
        by: str,
        at: datetime,
        entries: Sequence[ConsoleEntry],
    ) -> tuple[SignedDecision, ...]:
        with self._open() as connection, transaction(connection):
            for each in signed:
                if not _remove_draft(connection, each.number, each.revision):
                    raise DraftMoved
            write_narrow(connection, change, by=by, at=at, entries=entries)
            return tuple(_keep_signed(connection, each, at) for each in signed)

    def signed_of(self, decider: Decider, supplier: SupplierId) -> tuple[SignedDecision, ...]:
        """Return what was signed, the newest first."""
        return self._find_signed(
            "board = ? AND school = ? AND supplier = ? ORDER BY version DESC",
            *_side(decider),
            supplier,
        )

    def signed_from(self, draft: int) -> SignedDecision | None:
        """Return what was signed of a draft."""
        found = self._find_signed("draft = ?", draft)
        return found[0] if found else None

    def _find_signed(self, where: str, *values: object) -> tuple[SignedDecision, ...]:
        with self._reading() as connection:
            rows = connection.execute(f"{_SIGNED} WHERE {where}", values).fetchall()
            return tuple(map(_read_signed, rows))


def _category(text: str, supplier: str) -> str:
    document = stated_of(Kind.SUPPLIER, supplier, text).document
    sheet = document.sheet if isinstance(document, SupplierDocument) else None
    return "" if sheet is None or sheet.category is None else sheet.category.value


def _side(decider: Decider) -> tuple[str, str]:
    return decider.board or "", decider.school or ""


def _keep_draft(connection: sqlite3.Connection, new: NewDraft) -> PreparedDecision:
    board, school = _side(new.draft.decider)
    number, revision = None, 0
    if new.replaces is not None:
        number, revision = new.replaces
        if not _remove_draft(connection, number, revision):
            raise DraftMoved
    row = {
        "number": number,
        "school": school,
        "board": board,
        "supplier": new.draft.supplier,
        "revision": revision + 1,
        "batch": new.batch,
        "content": msgspec.json.encode(new.draft).decode(),
        "prepared_by": new.prepared_by,
        "prepared_role": new.prepared_role.value,
        "prepared_at": write_moment(new.prepared_at),
    }
    try:
        added = connection.execute(_ADD_DRAFT, row)
    except sqlite3.IntegrityError:  # one waits already
        raise DraftMoved from None
    return PreparedDecision(
        number=added.lastrowid or 0,
        revision=revision + 1,
        draft=new.draft,
        prepared_by=new.prepared_by,
        prepared_role=new.prepared_role,
        prepared_at=read_moment(write_moment(new.prepared_at)),
        batch=new.batch,
    )


def _remove_draft(connection: sqlite3.Connection, number: int, revision: int) -> bool:
    values = {"of_number": number, "of_revision": revision}
    return connection.execute(_REMOVE_DRAFT, values).rowcount == 1


def _keep_signed(connection: sqlite3.Connection, new: NewSigned, at: datetime) -> SignedDecision:
    board, school = _side(new.decider)
    row = {
        "school": school,
        "board": board,
        "supplier": new.supplier,
        "version": new.version,
        "draft": new.number,
        "signed_at": write_moment(at),
        "document": new.document,
        "hash": new.document_hash,
    }
    number = connection.execute(_ADD_SIGNED, row).lastrowid or 0
    return _read_signed((number, *row.values()))


def _read_draft(row: Sequence[object]) -> PreparedDecision:
    found = dict(zip((each.name for each in _drafts), row, strict=True))
    text = {name: str(value) for name, value in found.items()}
    return PreparedDecision(
        number=int(text["number"]),
        revision=int(text["revision"]),
        draft=msgspec.json.decode(text["content"], type=Draft),
        prepared_by=text["prepared_by"],
        prepared_role=Role(text["prepared_role"]),
        prepared_at=read_moment(text["prepared_at"]),
        batch=text["batch"],
    )


def _read_signed(row: Sequence[object]) -> SignedDecision:
    text = {each.name: str(value) for each, value in zip(_signed, row, strict=True)}
    return SignedDecision(
        number=int(text["number"]),
        decider=Decider(
            school=SchoolId(text["school"]) if text["school"] else None,
            board=BoardId(text["board"]) if text["board"] else None,
        ),
        supplier=SupplierId(text["supplier"]),
        version=int(text["version"]),
        signed_at=read_moment(text["signed_at"]),
        document=text["document"],
        document_hash=text["hash"],
    )
