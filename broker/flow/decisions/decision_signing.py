"""Signing what waits, one draft or a batch of them, and stopping what is in force."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from broker.domain.agreements import StoppedBy
from broker.domain.console_roles import PLACES, Permission, PlaceKind, Role
from broker.domain.decision_outline import NOTHING
from broker.domain.documents import AgreementDocument
from broker.domain.federation import School
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.console.actors import Actor, check_may, check_may_sign
from broker.flow.console.console_audit import ConsoleEntry, entry_of
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.decisions.decision_making import stopped_agreement
from broker.flow.decisions.decision_reading import (
    DecisionReader,
    find_counting,
    lacking_processor_agreement,
    needs_four_eyes,
    schools_at,
)
from broker.flow.decisions.decision_refusals import (
    DecisionEditedMeanwhile,
    FourEyesNeeded,
    ProcessorAgreementMissing,
)
from broker.flow.decisions.decision_store import DecisionStore, DraftMoved, NewSigned
from broker.flow.decisions.decision_types import (
    Decider,
    Draft,
    PreparedDecision,
    SignedDecision,
)
from broker.flow.decisions.draft_standing import (
    DraftStanding,
    check_made_on,
    check_usable,
    read_standings,
    unusable,
)
from broker.flow.decisions.signed_documents import build_signed, canonical_json, digest
from broker.flow.federation.change import Compiler
from broker.flow.federation.documents import FederationProblems
from broker.flow.federation.narrow_change import (
    MAX_ATTEMPTS,
    EditedMeanwhile,
    LeaningMoved,
    change_narrowly,
    check_narrow,
)
from broker.flow.ports import Random

BY = "console"
"""Who changed the registry, in the list of its versions; who it was, says the console's audit."""
TOLD_CHARACTERS = 4000
"""Of a setting in the audit; a longer one stands there by its digest."""


@dataclass(frozen=True, slots=True)
class DecisionPorts:
    """What deciding works with."""

    reader: DecisionReader
    store: DecisionStore
    compiler: Compiler
    audit: AuditLog
    random: Random = field(repr=False)

    def schools_of_board(self, board: str) -> Iterable[str]:
        """Return the schools of a board, by the registry in memory."""
        schools = self.reader.snapshots.registry.schools.values()
        return [each.id for each in schools if each.board == board]


@dataclass(frozen=True, slots=True)
class _MaySign:
    role: Role
    four_eyes: bool
    lacking: tuple[School, ...]
    name: str


class DecisionSigning:
    """Puts decisions in force. Keeps nothing."""

    def __init__(self, ports: DecisionPorts) -> None:
        self._ports = ports
        self._reader, self._store = ports.reader, ports.store

    async def sign(self, actor: Actor, number: int, *, revision: int) -> SignedDecision:
        """Put one draft in force; as `DecisionDesk.sign`."""
        prepared = self._store.find_draft(number)
        if prepared is None:
            return self._signed_before(actor, number)
        (signed,) = await self._sign(actor, [prepared], {number: revision})
        return signed

    async def sign_many(
        self, actor: Actor, batch: str, *, revisions: Mapping[int, int]
    ) -> tuple[SignedDecision, ...]:
        """Put a batch in force; as `DecisionDesk.sign_many`."""
        prepared = self._store.drafts_in(batch)
        if not prepared:  # signed before, or never there
            return tuple(self._signed_before(actor, each) for each in revisions)
        if {each.number for each in prepared} != revisions.keys():
            raise DecisionEditedMeanwhile("check_drafts_as_shown")
        return await self._sign(actor, prepared, revisions)

    async def stop(
        self, actor: Actor, *, school: str, board: str, supplier: str, based_on: int
    ) -> int:
        """Stop an agreement at once; as `DecisionDesk.stop`."""
        reader = self._reader
        decider = reader.decider(actor, Permission.STOP_DECISION, school=school, board=board)
        record, role = (
            reader.supplier(decider, supplier),
            self._role(actor, Permission.STOP_DECISION, decider),
        )
        of = Draft(decider=decider, supplier=record.id, choice=NOTHING, from_day=reader.today)
        (standing,) = await asyncio.to_thread(read_standings, self._store, [of])
        own = standing.own
        if own is not None and own.stopped is not None:
            return own.version  # pressed twice
        if based_on != (0 if own is None else own.version):
            raise DecisionEditedMeanwhile("check_agreement_as_shown", agreement=own)
        if own is None and not find_counting(
            reader.snapshots.registry, decider, record.id, reader.today
        ):
            raise NotAllowed("check_agreement_there")
        stopped = stopped_agreement(
            own, of=of, by=_stopped_by(role), version=standing.version, today=reader.today
        )
        now = reader.clock()
        entry = self._entry(actor, role, "decision-stopped", of, own, stopped, at=now)
        try:
            await change_narrowly(
                self._store,
                [standing.put(stopped)],
                schools_of_board=self._ports.schools_of_board,
                compiler=self._ports.compiler,
                note="stopped",
                by=BY,
                at=now,
                entries=[entry],
            )
        except EditedMeanwhile as moved:
            raise _edited(moved) from None
        except FederationProblems as found:
            raise unusable(found.problems) from None
        self._log("console-decision-stopped", [of])
        return standing.version

    async def _sign(
        self, actor: Actor, prepared: Sequence[PreparedDecision], revisions: Mapping[int, int]
    ) -> tuple[SignedDecision, ...]:
        now = self._reader.clock()
        may = {each: self._may_sign(actor, each) for each in {of.draft.decider for of in prepared}}
        check_may_sign(actor, now=now)
        for each in prepared:
            _check_signable(each, may[each.draft.decider], actor, revisions[each.number])
        moved = LeaningMoved()
        for _ in range(MAX_ATTEMPTS):
            try:
                signed = await self._put(actor, prepared, may, now)
            except LeaningMoved as again:
                moved = again
            else:
                self._log("console-decision-signed", [each.draft for each in prepared])
                return signed
        raise moved

    async def _put(
        self,
        actor: Actor,
        prepared: Sequence[PreparedDecision],
        may: Mapping[Decider, _MaySign],
        now: datetime,
    ) -> tuple[SignedDecision, ...]:
        drafts = [each.draft for each in prepared]
        standings = await asyncio.to_thread(read_standings, self._store, drafts)
        today = self._reader.today
        agreements, signed, entries = [], [], []
        for each, standing in zip(prepared, standings, strict=True):
            check_made_on(standing)
            check_usable(standing, today=today)
            agreement, by = standing.agreement(today), may[each.draft.decider]
            document = self._document(actor, each, standing, agreement, by, now)
            agreements.append(standing.put(agreement))
            signed.append(_new_signed(each, standing, document))
            entries.append(
                self._entry(
                    actor,
                    by.role,
                    "decision-signed",
                    each.draft,
                    standing.own,
                    agreement,
                    at=now,
                    document_hash=digest(document),
                )
            )
        try:
            change = await asyncio.to_thread(
                check_narrow,
                self._store,
                agreements,
                schools_of_board=self._ports.schools_of_board,
                compiler=self._ports.compiler,
                note="signed",
            )
            return await self._store.sign(change, signed, by=BY, at=now, entries=entries)
        except FederationProblems as found:
            raise unusable(found.problems) from None
        except EditedMeanwhile as edited:
            raise _edited(edited) from None
        except DraftMoved:
            raise DecisionEditedMeanwhile("check_draft_as_shown") from None

    def _document(
        self,
        actor: Actor,
        prepared: PreparedDecision,
        standing: DraftStanding,
        agreement: AgreementDocument,
        by: _MaySign,
        now: datetime,
    ) -> str:
        return build_signed(
            agreement,
            supplier=standing.supplier,
            decider_name=by.name,
            prepared=prepared,
            signed_by=actor.id,
            signed_role=by.role,
            at=now,
        )

    def _may_sign(self, actor: Actor, decider: Decider) -> _MaySign:
        registry = self._reader.snapshots.registry
        named = self._reader.decider(
            actor,
            Permission.SIGN_DECISION,
            school=decider.school or "",
            board=decider.board or "",
        )
        schools = schools_at(registry, named)
        return _MaySign(
            self._role(actor, Permission.SIGN_DECISION, named),
            needs_four_eyes(registry, named),
            lacking_processor_agreement(registry, named),
            schools[0].name if named.school is not None else str(named.board),
        )

    def _role(self, actor: Actor, permission: Permission, decider: Decider) -> Role:
        registry = self._reader.snapshots.registry
        school = None if decider.school is None else registry.schools[decider.school]
        return check_may(actor, permission, school=school, board=decider.board, registry=registry)

    def _signed_before(self, actor: Actor, number: int) -> SignedDecision:
        """Return what a draft became: the form was sent twice."""
        signed = self._store.signed_from(number)
        if signed is None:
            raise NotAllowed("check_draft_there")
        self._may_sign(actor, signed.decider)
        return signed

    def _entry(
        self,
        actor: Actor,
        role: Role,
        action: str,
        draft: Draft,
        before: AgreementDocument | None,
        after: AgreementDocument,
        *,
        at: datetime,
        document_hash: str = "",
    ) -> ConsoleEntry:
        return entry_of(
            actor,
            role,
            action,
            at=at,
            school=draft.decider.school,
            board=draft.decider.board,
            supplier=draft.supplier,
            before="" if before is None else tell_shortly(before),
            after=tell_shortly(after),
            document_hash=document_hash,
        )

    def _log(self, action: str, drafts: Sequence[Draft]) -> None:
        first = drafts[0]
        self._ports.audit.record(
            AuditEvent(
                action=action,
                school=first.decider.school if len(drafts) == 1 else None,
                supplier=first.supplier if len(drafts) == 1 else None,
                counts=(("decisions", len(drafts)),),
            )
        )


def tell_shortly(setting: msgspec.Struct) -> str:
    """Return a setting as the audit holds it: its text, or its digest when it is long."""
    text = canonical_json(msgspec.to_builtins(setting))
    return text if len(text) <= TOLD_CHARACTERS else canonical_json({"sha256": digest(text)})


def _check_signable(prepared: PreparedDecision, may: _MaySign, actor: Actor, revision: int) -> None:
    if prepared.revision != revision:
        raise DecisionEditedMeanwhile("check_draft_as_shown", draft=prepared)
    if may.four_eyes and actor.is_same(prepared.prepared_by):
        raise FourEyesNeeded("check_somebody_else_signs")
    if may.lacking:
        raise ProcessorAgreementMissing("check_processor_agreement", subject=may.lacking[0].name)


def _new_signed(prepared: PreparedDecision, standing: DraftStanding, document: str) -> NewSigned:
    return NewSigned(
        number=prepared.number,
        revision=prepared.revision,
        decider=prepared.draft.decider,
        supplier=prepared.draft.supplier,
        version=standing.version,
        document=document,
        document_hash=digest(document),
    )


def _stopped_by(role: Role) -> StoppedBy:
    return StoppedBy.BOARD if PlaceKind.BOARD in PLACES[role] else StoppedBy.SCHOOL


def _edited(moved: EditedMeanwhile) -> DecisionEditedMeanwhile:
    there = None if moved.there is None else moved.there.stated.document
    agreement = there if isinstance(there, AgreementDocument) else None
    return DecisionEditedMeanwhile("check_agreement_as_shown", agreement=agreement)
