"""A supplier's desk for its sheet over a store in memory, and those who sit at it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from broker.domain.agreements import Agreement
from broker.domain.console_roles import ConsoleUserId, HeldRole, PlaceKind, Role
from broker.domain.documents import Kind, SupplierDocument
from broker.domain.federation import Supplier
from broker.domain.ids import SupplierId
from broker.domain.registry import Registry, build_registry
from broker.domain.sheets import ServiceSheet
from broker.flow.audit import AuditEvent
from broker.flow.console.actors import Actor, ActorKind
from broker.flow.console.console_audit import ConsoleEntry
from broker.flow.federation.documents import StatedDocument
from broker.flow.sheets.sheet_desk import SheetDesk
from broker.flow.sheets.sheet_reading import SheetReader
from broker.flow.sheets.sheet_store import SheetDraft, StoredForm
from broker.flow.sheets.signed_sheets import SignedSheetReader
from tests.builders import a_supplier
from tests.flow.sheet_builders import a_supplier_document

NOW = datetime(2026, 11, 27, 13, 45, tzinfo=UTC)
REKENRIJK, BIOSFEER = SupplierId("rekenrijk"), SupplierId("biosfeer")


def an_actor(role: Role = Role.SUPPLIER_ADMIN, place: str = "rekenrijk") -> Actor:
    kinds = {Role.SUPPLIER_ADMIN: PlaceKind.SUPPLIER, Role.OPERATOR: PlaceKind.FEDERATION}
    held = HeldRole(role, kinds.get(role, PlaceKind.SCHOOL), place)
    return Actor(ConsoleUserId("u" * 32), ActorKind.PERSON, (held,), since=NOW)


NOBODY = replace(an_actor(), held=())


@dataclass
class MemorySheets:
    """Documents, drafts and entries in memory."""

    forms: dict[SupplierId, list[StoredForm]] = field(default_factory=dict)
    drafts: dict[SupplierId, SheetDraft] = field(default_factory=dict)
    entries: list[ConsoleEntry] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)

    async def agreements_of(self, supplier: SupplierId) -> Sequence[Agreement]:
        return [each for each in self.agreements if each.supplier == supplier]

    def put(self, document: SupplierDocument) -> None:
        forms = self.forms.setdefault(SupplierId(document.id), [])
        number = sum(map(len, self.forms.values())) + 1
        stated = StatedDocument(Kind.SUPPLIER, document)
        forms.append(StoredForm(document, stated, number, f"2026-11-{number:02}T09Z"))

    def read(self, supplier: SupplierId) -> StoredForm | None:
        return self.forms[supplier][-1] if supplier in self.forms else None

    def versions(self, supplier: SupplierId) -> Sequence[StoredForm]:
        return self.forms.get(supplier, [])

    def find(self, supplier: SupplierId) -> SheetDraft | None:
        return self.drafts.get(supplier)

    async def save(self, draft: SheetDraft, *, entry: ConsoleEntry) -> bool:
        before = self.drafts.get(draft.supplier)
        if (0 if before is None else before.revision) != draft.revision - 1:
            return False
        self.drafts[draft.supplier] = draft
        self.entries.append(entry)
        return True

    async def discard(self, supplier: SupplierId, *, revision: int, entry: ConsoleEntry) -> bool:
        before = self.drafts.get(supplier)
        if before is None or before.revision != revision:
            return False
        del self.drafts[supplier]
        self.entries.append(entry)
        return True

    async def publish(
        self, document: SupplierDocument, *, instead_of: StoredForm, entry: ConsoleEntry
    ) -> None:
        assert self.read(SupplierId(document.id)) == instead_of
        self.put(document)
        self.entries.append(entry)


@dataclass
class SheetWorld:
    """Rekenrijk and Biosfeer, of which Rekenrijk's people write a sheet."""

    sheets: MemorySheets
    desk: SheetDesk
    events: list[AuditEvent]

    def in_force(self) -> SupplierDocument:
        form = self.sheets.read(REKENRIJK)
        assert form is not None
        return form.document


def registry_of(*suppliers: Supplier) -> Registry:
    return build_registry(1, schools=(), idps=(), suppliers=suppliers, agreements=())


def a_sheet_world(sheet: ServiceSheet | None = None, **changes: Any) -> SheetWorld:
    sheets, events = MemorySheets(), list[AuditEvent]()
    sheets.put(a_supplier_document(sheet, **changes))
    sheets.put(a_supplier_document(id="biosfeer"))
    registry = registry_of(*(a_supplier(id=each) for each in (REKENRIJK, BIOSFEER)))
    snapshots: Any = SimpleNamespace(registry=registry)
    audit: Any = SimpleNamespace(record=events.append)
    reader = SheetReader(store=sheets, snapshots=snapshots)
    desk = SheetDesk(
        reader=reader,
        signed=SignedSheetReader(sheets, reader, snapshots, lambda: NOW),
        drafts=sheets,
        publisher=sheets,
        snapshots=snapshots,
        audit=audit,
        clock=lambda: NOW,
    )
    return SheetWorld(sheets, desk, events)
