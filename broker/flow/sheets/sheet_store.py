"""Ports: the sheets that are and were in force, and the draft of each supplier's next one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from broker.domain.agreements import Agreement
from broker.domain.documents import SupplierDocument
from broker.domain.ids import SupplierId
from broker.domain.sheets import NO_VERSION, ServiceSheet, sheet_of
from broker.flow.console.console_audit import ConsoleEntry
from broker.flow.federation.documents import StatedDocument


@dataclass(frozen=True, slots=True)
class StoredForm:
    """One form that a supplier's document had.

    Attributes:
        stated: the document with its files, as it can be put in force again.
        first_version: of the registry, that brought this form.
        applied_in: UTC hour of that, as `2026-11-27T13Z`.
    """

    document: SupplierDocument
    stated: StatedDocument = field(repr=False)
    first_version: int
    applied_in: str

    @property
    def sheet(self) -> ServiceSheet | None:
        """Return the sheet in it."""
        return sheet_of(self.document)

    @property
    def sheet_version(self) -> int:
        """Return the version of the sheet in it."""
        return self.document.sheet.version if self.document.sheet is not None else NO_VERSION


class SheetStore(Protocol):
    """The history of suppliers' documents; what it costs does not depend on how many there are."""

    def read(self, supplier: SupplierId) -> StoredForm | None:
        """Return the form in force, or None when there is no such supplier."""
        ...

    def versions(self, supplier: SupplierId) -> Sequence[StoredForm]:
        """Return every form that its document had, oldest first."""
        ...

    async def agreements_of(self, supplier: SupplierId) -> Sequence[Agreement]:
        """Return the agreements with it that stand in the registry, ended and stopped ones too."""
        ...


@dataclass(frozen=True, slots=True)
class SheetDraft:
    """The next sheet of a supplier, while its people write it.

    Attributes:
        based_on: version of the sheet in force when it was begun.
        revision: counts what was saved, from 1; what a form carries, so that a stale one is seen.
        changed_in: UTC hour of the last change.
    """

    supplier: SupplierId
    based_on: int
    revision: int
    content: ServiceSheet
    changed_in: str


class SheetDrafts(Protocol):
    """At most one draft of each supplier; no worker loads them."""

    def find(self, supplier: SupplierId) -> SheetDraft | None:
        """Return the draft, or None."""
        ...

    async def save(self, draft: SheetDraft, *, entry: ConsoleEntry) -> bool:
        """Keep a draft in place of the one with the revision before it, in one transaction with
        the entry of the audit; False when another one is there by now, and nothing was changed."""
        ...

    async def discard(self, supplier: SupplierId, *, revision: int, entry: ConsoleEntry) -> bool:
        """Remove the draft with this revision; False when another one is there by now."""
        ...


class SheetPublisher(Protocol):
    """Puts a supplier's document with its next sheet in force."""

    async def publish(
        self, document: SupplierDocument, *, instead_of: StoredForm, entry: ConsoleEntry
    ) -> None:
        """Put it in force in place of the form that it was made of, with the entry of the audit.

        Raises:
            SheetEditedMeanwhile: another form is in force by now.
            SheetNotAccepted: the federation would not hold together.
        """
        ...
