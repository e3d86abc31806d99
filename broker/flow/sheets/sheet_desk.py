"""A supplier's own people at work on their sheet: draft, check, publish, look back.

A draft waits in `registry.db` until it is published or thrown away; a supplier has at most one. A
form carries what it was based on, and a stale one changes nothing. Publishing is one narrow change
of the supplier's document: version one up, what is new marked with it, everything else of the
document as it stands. So a supplier never widens what a school approved: what it asks anew waits.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from broker.domain.console_roles import Permission, Role
from broker.domain.federation import Supplier
from broker.domain.ids import SupplierId
from broker.domain.sheet_changes import SheetChanges, compare_sheets
from broker.domain.sheets import (
    ServiceSheet,
    follow_up,
    with_sheet,
    without_versions,
)
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.console.actors import Actor, check_may
from broker.flow.console.console_audit import ConsoleEntry, entry_of
from broker.flow.ports import Snapshots
from broker.flow.sheets.sheet_checks import SheetProblem, check_sheet
from broker.flow.sheets.sheet_reading import SheetReader, readable
from broker.flow.sheets.sheet_refusals import (
    SheetEditedMeanwhile,
    SheetFieldUnusable,
    SheetNotReady,
)
from broker.flow.sheets.sheet_store import SheetDraft, SheetDrafts, SheetPublisher, StoredForm
from broker.flow.sheets.signed_sheets import SignedSheetReader

NO_REVISION = 0
"""Of a draft that was not begun yet."""


@dataclass(frozen=True, slots=True)
class DraftView:
    """A supplier's next sheet as it stands.

    Attributes:
        content: of the draft; of the sheet in force while there is none.
        problems: what stands between it and its publication; none while there is no draft.
        changes: from the sheet in force to what would be published.
        revision: what a form carries beside `based_on`, so that a stale one is seen.
        begun_on: version of the sheet that was in force when the draft was saved last.
    """

    supplier: Supplier = field(repr=False)
    in_force: ServiceSheet = field(repr=False)
    content: ServiceSheet = field(repr=False)
    problems: tuple[SheetProblem, ...]
    changes: SheetChanges
    revision: int
    begun_on: int
    changed_in: str = ""

    @property
    def based_on(self) -> int:
        """Return what a form of this page is based on: what it shows as in force."""
        return self.in_force.version

    @property
    def has_draft(self) -> bool:
        """Tell whether somebody began one."""
        return self.revision != NO_REVISION

    @property
    def is_overtaken(self) -> bool:
        """Tell whether a sheet was published since it was saved."""
        return self.has_draft and self.begun_on != self.in_force.version


@dataclass(frozen=True, slots=True, kw_only=True)
class FormBasis:
    """What a form was shown with.

    Attributes:
        revision: of the draft; 0: there was none.
        based_on: version of the sheet in force then.
    """

    revision: int
    based_on: int


class SheetDesk:
    """What a supplier's own people do.

    Every method raises `NotAllowed`, and `RegistryUnreadable` when nothing can be read or written.
    """

    def __init__(
        self,
        *,
        reader: SheetReader,
        signed: SignedSheetReader,
        drafts: SheetDrafts,
        publisher: SheetPublisher,
        snapshots: Snapshots,
        audit: AuditLog,
        clock: Callable[[], datetime],
    ) -> None:
        self.reader = reader
        self.signed = signed
        self._drafts = drafts
        self._publisher = publisher
        self._snapshots = snapshots
        self._audit = audit
        self._clock = clock

    def look(self, actor: Actor, supplier: str) -> DraftView:
        """Return the draft with its problems, or what it would begin with."""
        record = self.reader.own(actor, supplier, Permission.SEE_SUPPLIER)
        return self._view(record, self.reader.form_of(record.id), self._drafts.find(record.id))

    async def save(
        self, actor: Actor, supplier: str, content: ServiceSheet, *, basis: FormBasis
    ) -> DraftView:
        """Keep a draft; saving the same again does nothing.

        Raises:
            SheetEditedMeanwhile: the draft, or the sheet in force, is another one by now.
            SheetFieldUnusable: a text is too long, or has another form than it must.
        """
        record, role = self._may(actor, supplier, Permission.EDIT_SHEET)
        form, before = self.reader.form_of(record.id), self._drafts.find(record.id)
        wanted = _checked(content, version=form.sheet_version)
        if before is not None and before.content == wanted:
            return self._view(record, form, before)
        self._check_basis(form, before, basis=basis, wanted=wanted)
        draft = SheetDraft(
            record.id, basis.based_on, basis.revision + 1, wanted, _hour(self._clock())
        )
        entry = self._entry(
            actor,
            role,
            "sheet-draft-saved",
            record.id,
            before=None if before is None else before.content,
            after=wanted,
        )
        if not await self._drafts.save(draft, entry=entry):
            raise self._edited(self._drafts.find(record.id), form, wanted=wanted)
        return self._view(record, form, draft)

    async def discard(self, actor: Actor, supplier: str, *, basis: FormBasis) -> None:
        """Throw the draft away; one that is gone already stays so.

        Raises:
            SheetEditedMeanwhile: it is another one by now.
        """
        record, role = self._may(actor, supplier, Permission.EDIT_SHEET)
        draft = self._drafts.find(record.id)
        if draft is None:
            return
        entry = self._entry(
            actor, role, "sheet-draft-discarded", record.id, before=draft.content, after=None
        )
        if not await self._drafts.discard(record.id, revision=basis.revision, entry=entry):
            form = self.reader.form_of(record.id)
            raise self._edited(self._drafts.find(record.id), form, wanted=draft.content)

    async def publish(self, actor: Actor, supplier: str, *, basis: FormBasis) -> int:
        """Put the draft in force as the next version, and return that version.

        Publishing twice does nothing twice: the second time finds the version that the first made.

        Raises:
            SheetNotReady: it lacks something.
            SheetEditedMeanwhile: the draft, or the sheet in force, is another one by now.
            SheetNotAccepted: the federation's rules refuse the document with it.
        """
        record, role = self._may(actor, supplier, Permission.PUBLISH_SHEET)
        form, draft = self.reader.form_of(record.id), self._drafts.find(record.id)
        if draft is None and form.sheet_version == basis.based_on + 1:
            return form.sheet_version
        wanted = readable(form) if draft is None else draft.content
        self._check_basis(form, draft, basis=basis, wanted=wanted)
        problems = check_sheet(wanted, form.document)
        if problems or draft is None:  # without a draft nothing changed, which is a problem too
            raise SheetNotReady("check_sheet_complete", problems=problems)
        after = follow_up(form.document, wanted)
        entry = self._entry(
            actor,
            role,
            "sheet-published",
            record.id,
            before=form.sheet,
            after=after,
        )
        document = with_sheet(form.document, after)
        await self._publisher.publish(document, instead_of=form, entry=entry)
        self._audit.record(
            AuditEvent(
                action="console-sheet-published",
                supplier=record.id,
                names=tuple(each.name for each in after.attributes),
                counts=(("version", after.version),),
            )
        )
        used = self._entry(
            actor, role, "sheet-draft-used", record.id, before=draft.content, after=None
        )
        await self._drafts.discard(record.id, revision=draft.revision, entry=used)
        return after.version

    def _may(self, actor: Actor, supplier: str, permission: Permission) -> tuple[Supplier, Role]:
        record = self.reader.own(actor, supplier, permission)
        registry = self._snapshots.registry
        return record, check_may(actor, permission, supplier=record.id, registry=registry)

    def _view(self, supplier: Supplier, form: StoredForm, draft: SheetDraft | None) -> DraftView:
        in_force = readable(form)
        if draft is None:
            content = ServiceSheet(
                sheet=in_force.sheet, attributes=without_versions(in_force.attributes)
            )
            none = compare_sheets(in_force, in_force)
            version = in_force.version
            return DraftView(supplier, in_force, content, (), none, NO_REVISION, version)
        after = follow_up(form.document, draft.content)
        return DraftView(
            supplier,
            in_force,
            draft.content,
            check_sheet(draft.content, form.document),
            compare_sheets(form.sheet, after),
            draft.revision,
            draft.based_on,
            draft.changed_in,
        )

    def _check_basis(
        self,
        form: StoredForm,
        draft: SheetDraft | None,
        *,
        basis: FormBasis,
        wanted: ServiceSheet,
    ) -> None:
        """A form that was shown with something else would take back what somebody else did."""
        revision = NO_REVISION if draft is None else draft.revision
        if (revision, form.sheet_version) != (basis.revision, basis.based_on):
            raise self._edited(draft, form, wanted=wanted)

    def _edited(
        self, draft: SheetDraft | None, form: StoredForm, *, wanted: ServiceSheet
    ) -> SheetEditedMeanwhile:
        now = readable(form) if draft is None else draft.content
        others = compare_sheets(wanted, now)
        return SheetEditedMeanwhile("check_draft_unchanged", others=others)

    def _entry(
        self,
        actor: Actor,
        role: Role,
        action: str,
        supplier: SupplierId,
        *,
        before: ServiceSheet | None,
        after: ServiceSheet | None,
    ) -> ConsoleEntry:
        return entry_of(
            actor,
            role,
            action,
            at=self._clock(),
            supplier=supplier,
            before="" if before is None else summarise_sheet(before),
            after="" if after is None else summarise_sheet(after),
            document_hash="" if after is None else hash_sheet(after),
        )


def hash_sheet(sheet: ServiceSheet) -> str:
    """Return the SHA-256 of all of a sheet, in hexadecimal digits."""
    return sha256(msgspec.json.encode(sheet, order="deterministic")).hexdigest()


def summarise_sheet(sheet: ServiceSheet) -> str:
    """Return what the audit keeps of a sheet: what is asked of whom, and its digest."""
    asked = {
        each.name: {"required": each.required, "of": sorted(each.populations)}
        for each in sheet.attributes
    }
    facts = {"version": sheet.version, "attributes": asked, "sha256": hash_sheet(sheet)}
    return msgspec.json.encode(facts).decode()


def _checked(content: ServiceSheet, *, version: int) -> ServiceSheet:
    """Return a draft's content as it would be read again, or refuse what nobody could store."""
    numbered = ServiceSheet(
        # Of no meaning in a draft; `follow_up` counts. A form cannot state it.
        sheet=msgspec.structs.replace(content.sheet, version=max(version, 1)),
        attributes=without_versions(content.attributes),
    )
    try:
        return msgspec.convert(msgspec.to_builtins(numbered), type=ServiceSheet)
    except msgspec.ValidationError as error:
        raise SheetFieldUnusable("check_draft_storable") from error


def _hour(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%HZ}"
