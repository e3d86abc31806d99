"""Reading sheets: what anybody with a role may, and what a supplier's own people may.

A published sheet is no secret among those who work with the federation: a school reads it before
there is an agreement. What is drafted, and who signed what, is the supplier's own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from broker.domain.console_roles import Permission
from broker.domain.federation import Supplier
from broker.domain.ids import SupplierId
from broker.domain.sheet_changes import SheetChanges, compare_sheets
from broker.domain.sheet_documents import SheetDocument
from broker.domain.sheets import NO_VERSION, ServiceSheet, sheet_of
from broker.flow.console.actors import Actor, find_supplier
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.ports import Snapshots
from broker.flow.sheets.sheet_refusals import SheetVersionUnknown
from broker.flow.sheets.sheet_store import SheetStore, StoredForm


@dataclass(frozen=True, slots=True)
class ReadableSheet:
    """A sheet as somebody reads it.

    Attributes:
        sheet: of version 0, with no more than its attributes, while none was published.
        published_in: UTC hour, as `2026-11-27T13Z`.
    """

    supplier: Supplier = field(repr=False)
    sheet: ServiceSheet = field(repr=False)
    published_in: str

    @property
    def is_published(self) -> bool:
        """Tell whether the supplier ever published it."""
        return self.sheet.version != NO_VERSION


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """One version of a sheet, and what it changed."""

    sheet: ServiceSheet = field(repr=False)
    published_in: str
    changes: SheetChanges

    @property
    def version(self) -> int:
        """Return its number."""
        return self.sheet.version


class SheetReader:
    """Reads published sheets.

    Every method raises `NotAllowed` for somebody without a role, and for a supplier that is not
    there; and `RegistryUnreadable`.
    """

    def __init__(self, *, store: SheetStore, snapshots: Snapshots) -> None:
        self._store = store
        self._snapshots = snapshots

    def read(self, actor: Actor, supplier: str) -> ReadableSheet:
        """Return the sheet in force."""
        record = self._find(actor, supplier)
        form = self.form_of(record.id)
        return ReadableSheet(record, readable(form), _since(form, self._store))

    def read_version(self, actor: Actor, supplier: str, version: int) -> PublishedVersion:
        """Return a version of before, such as the one that an agreement was signed on.

        Raises:
            SheetVersionUnknown
        """
        for each in self.history(actor, supplier):
            if each.version == version:
                return each
        raise SheetVersionUnknown("check_version_published")

    def history(self, actor: Actor, supplier: str) -> tuple[PublishedVersion, ...]:
        """Return every version that was published, the newest first."""
        record = self._find(actor, supplier)
        return tuple(reversed(_list_versions(self._store.versions(record.id))))

    def changes_since(self, actor: Actor, supplier: str, version: int) -> SheetChanges:
        """Return what the sheet in force changes of an earlier version.

        Args:
            version: that was read when somebody signed; one that was never published, as of an
                agreement without one, is compared as if nothing was known.
        """
        record = self._find(actor, supplier)
        now = readable(self.form_of(record.id))
        earlier = {each.sheet_version: each.sheet for each in self._store.versions(record.id)}
        before = earlier.get(version) if version != NO_VERSION else None
        return compare_sheets(before, now)

    def form_of(self, supplier: SupplierId) -> StoredForm:
        """Return what is stored of a supplier that is in force.

        Raises:
            NotAllowed: it was removed meanwhile.
        """
        form = self._store.read(supplier)
        if form is None:
            raise NotAllowed("check_supplier_there")
        return form

    def own(self, actor: Actor, supplier: str, permission: Permission) -> Supplier:
        """Return a supplier at which the actor may do this."""
        return find_supplier(
            actor, permission, unverified_supplier=supplier, registry=self._snapshots.registry
        )

    def _find(self, actor: Actor, supplier: str) -> Supplier:
        record = self._snapshots.registry.suppliers.get(SupplierId(supplier))
        if record is None or not actor.held:
            raise NotAllowed("check_supplier_there")
        return record


def readable(form: StoredForm) -> ServiceSheet:
    """Return the sheet of a form, or what stands in for one that was never published."""
    document = form.document
    empty = SheetDocument(version=NO_VERSION)
    return sheet_of(document) or ServiceSheet(sheet=empty, attributes=document.attribute)


def _list_versions(forms: Iterable[StoredForm]) -> list[PublishedVersion]:
    """Return each version once, oldest first: other parts of the document change too."""
    found: dict[int, PublishedVersion] = {}
    last: ServiceSheet | None = None
    for form in forms:
        sheet = form.sheet
        if sheet is not None and sheet.version not in found:
            changes = compare_sheets(last, sheet)
            found[sheet.version] = PublishedVersion(sheet, form.applied_in, changes)
            last = sheet
    return list(found.values())


def _since(form: StoredForm, store: SheetStore) -> str:
    if form.sheet is None:
        return ""
    forms: Sequence[StoredForm] = store.versions(SupplierId(form.document.id))
    return next(
        (each.applied_in for each in forms if each.sheet_version == form.sheet_version),
        form.applied_in,
    )
