"""From an identity to what leaves: decide, name, derive, write down, hand over.

`prepare` decides and derives and changes nothing but the person register; `hand_over` writes the
receipt first and only then lets the answer exist. Between the two a page may wait for a button,
and what waits holds released values only, never the identity.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from broker.domain.attributes import GIVEN_NAME, AttributeName, Population
from broker.domain.federation import Agreement, NoticeMode, School, SchoolIdp
from broker.domain.identity import Identity
from broker.domain.membership import state_membership
from broker.domain.registry import Registry
from broker.domain.relations import find_agreement, notice_signer
from broker.domain.release import decide_release, why_withheld
from broker.domain.takeover_scope import is_taken_over
from broker.flow.answers import Answer
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.login_store import Claim
from broker.flow.naming import SupplierNames, check_epoch_unchanged, epoch_of, name_person
from broker.flow.parties import Parties, check_school_open, find_idp, follow_idp
from broker.flow.person_records import Presented, as_root
from broker.flow.person_rules import JoinRules
from broker.flow.person_suppliers import Visit
from broker.flow.persons import KnownPerson, identify_person, note_notice_seen, present_person
from broker.flow.ports import FlowKeys, Random
from broker.flow.receipts import (
    ReceiptContent,
    ReceiptLog,
    SealedReceipt,
    build_receipt,
    derive_receipt_keys,
    seal_receipt,
)
from broker.flow.records import PendingLogin, PreparedRelease
from broker.flow.refusals import AgreementChanged, SchoolNotOpen
from broker.flow.register import PersonRegister, RegisterUnavailable
from broker.flow.supplier_side import SupplierSide, wants_pseudonym
from broker.flow.takeover_arrival import note_arrival
from broker.flow.takeover_lists import TakeoverLists
from broker.flow.trail import Outcome, current_trail

NETHERLANDS = ZoneInfo("Europe/Amsterdam")
"""Agreements begin and end at midnight there."""

RECEIPT_NONCE_BYTES = 12  # NIST SP 800-38D 5.2.1.1


@dataclass(frozen=True, slots=True)
class PageNeeded:
    """What the page between school and supplier must show, if one must be shown.

    Attributes:
        first_name: to be shown and forgotten.
        notice: whether it tells what is shared.
        may_switch: whether it offers "that is not me".
    """

    first_name: str = field(repr=False)
    notice: bool
    may_switch: bool


@dataclass(frozen=True, slots=True)
class ReleasePorts:
    """Where persons and receipts rest, and what derives and writes."""

    register: PersonRegister
    receipts: ReceiptLog
    keys: FlowKeys
    join_rules: JoinRules
    suppliers: SupplierSide
    takeover_lists: TakeoverLists
    audit: AuditLog
    random: Random


class ReleaseDesk:
    """Prepares and hands over releases."""

    def __init__(self, ports: ReleasePorts) -> None:
        self._ports = ports

    async def prepare(
        self,
        identity: Identity,
        *,
        idp: SchoolIdp,
        pending: PendingLogin,
        parties: Parties,
        registry: Registry,
        now: datetime,
    ) -> tuple[PreparedRelease, PageNeeded | None]:
        """Decide what this login releases, and to whom it belongs.

        The decision comes before the register: who may not go on leaves no trace there.

        Raises:
            Refusal: of `domain.release`, `person_rules` or `parties`.
        """
        ports, supplier = self._ports, parties.supplier
        school = registry.schools[identity.school]
        check_school_open(school, supplier, idp)
        found = find_agreement(registry, school, supplier.id, day_of(now))
        agreement = None if found is None else found.agreement
        decision = decide_release(
            supplier=supplier,
            school=school.id,
            agreement=agreement,
            carried_from=() if found is None else found.carried_from,
            population=identity.population,
            stated=state_membership(identity, school=school, supplier=supplier),
            elsewhere=identity.elsewhere,
            today=day_of(now),
            taken_over=is_taken_over(registry, school.id, supplier.id, today=day_of(now)),
        )
        presented = present_person(identity, key=ports.keys.root)
        named = wants_pseudonym(pending.request)
        rotating = supplier.previous_epoch is not None
        person = await identify_person(
            presented,
            register=ports.register,
            keys=ports.keys.register,
            school=school.id,
            eck_id_required=school.eck_id_required,
            today=day_of(now),
            random=ports.random,
            rules=ports.join_rules,
            visit=Visit(supplier.id, supplier.epoch, window_open=rotating) if named else None,
        )
        for event in person.events:
            ports.audit.record(AuditEvent(action=event.value, school=school.id))
        page = find_page_needed(
            identity,
            school=school,
            agreement=agreement,
            seen=person.seen_notice(notice_signer(decision.carried_from, school.id), supplier.id),
        )
        names: SupplierNames | None = None
        if named:
            names = name_person(person, supplier=supplier, keys=ports.keys.pairwise)
            await note_arrival(
                presented,
                takeover=registry.takeovers.get((school.id, supplier.id)),
                lists=ports.takeover_lists,
                keys=ports.keys.register,
                audit=ports.audit,
                today=day_of(now),
            )
        notice = page is not None and page.notice
        prepared = PreparedRelease(
            login=pending.login,
            request=pending.request,
            idp=pending.idp,
            clicked=pending.school,
            decision=decision,
            pseudonym=None if names is None else names.pseudonym,
            previous=None if names is None else names.previous,
            receipt=self._seal_receipt(
                build_receipt(
                    decision,
                    relying_party=parties.relying_party.id,
                    epoch="" if names is None else epoch_of(names.pseudonym),
                    previous_epoch="" if names is None else epoch_of(names.previous),
                    now=now,
                ),
                person=person,
            ),
            authenticated_at=identity.authenticated_at,
            population=presented.population,
            eck_root=presented.eck_id if notice else None,
            local_root=presented.local if notice else None,
            notice=notice,
        )
        return prepared, page

    def _seal_receipt(self, content: ReceiptContent, *, person: KnownPerson) -> SealedReceipt:
        keys = derive_receipt_keys(
            self._ports.keys.receipts, root=person.root, school=content.school, salt=person.salt
        )
        return seal_receipt(content, keys=keys, nonce=self._ports.random(RECEIPT_NONCE_BYTES))

    async def hand_over(
        self,
        prepared: PreparedRelease,
        *,
        parties: Parties,
        registry: Registry,
        claims: Sequence[Claim],
        now: datetime,
    ) -> Answer:
        """Return the answer to the supplier, once its receipt is durable.

        Built and linted first, so that a fault of ours leaves no receipt; written down second;
        one-shot values used up and the grant kept last, in one trip.

        Raises:
            SchoolNotOpen, StatesDiffer: somebody was switched off while a page was waiting.
            AgreementChanged: the school decided anew meanwhile.
            PseudonymsRotated: the supplier's epoch moved meanwhile.
            ClaimsBeyondDecision, ReceiptsUnavailable, AssertionUsed, StoreUnavailable
        """
        check_school_still_open(prepared, parties=parties, registry=registry)
        check_agreement_unchanged(prepared, parties=parties, registry=registry, today=day_of(now))
        check_epoch_unchanged(prepared.pseudonym, supplier=parties.supplier)
        ports = self._ports
        built = ports.suppliers.build(prepared, parties=parties, now=now)
        await ports.receipts.append(prepared.receipt)
        await ports.suppliers.keep(built, claims=claims)
        ports.audit.record(
            AuditEvent(
                action="released",
                school=prepared.decision.school,
                idp=prepared.idp,
                supplier=parties.supplier.id,
                relying_party=parties.relying_party.id,
                names=released_names(prepared),
                withheld=tuple((each.name, each.reason) for each in prepared.decision.withheld),
                missing=prepared.decision.missing,
            )
        )
        current_trail().outcome = Outcome.RELEASED
        return built.answer

    async def note_notice(self, prepared: PreparedRelease, *, parties: Parties) -> None:
        """Remember that this person saw this version of the notice; at worst it shows again.

        Comes after the release and refuses nothing: the answer is out of our hands by then.
        """
        if not prepared.notice:
            return
        try:
            await note_notice_seen(
                _presented(prepared),
                school=notice_signer(prepared.decision.carried_from, prepared.decision.school),
                supplier=parties.supplier.id,
                version=prepared.decision.agreement_version,
                register=self._ports.register,
                keys=self._ports.keys.register,
                random=self._ports.random,
            )
        except RegisterUnavailable as refusal:
            self._ports.audit.record(
                AuditEvent(
                    action="notice-not-noted",
                    code=refusal.code,
                    check=refusal.check,
                    school=prepared.decision.school,
                )
            )


def day_of(now: datetime) -> date:
    """Return the day in the Netherlands."""
    return now.astimezone(NETHERLANDS).date()


def find_page_needed(
    identity: Identity, *, school: School, agreement: Agreement | None, seen: int
) -> PageNeeded | None:
    """Return what a page must show before anything leaves, or None when none is needed.

    Args:
        seen: newest version of the notice that this person saw.
    """
    notice = (
        agreement is not None
        and agreement.notice is NoticeMode.INFORM
        and identity.population is not Population.STAFF
        and seen < agreement.version
    )
    if not (notice or school.shared_devices):
        return None
    first_names = identity.attributes.get(GIVEN_NAME, ("",))
    return PageNeeded(
        first_name=first_names[0] if school.shared_devices else "",
        notice=notice,
        may_switch=school.shared_devices,
    )


def check_school_still_open(
    prepared: PreparedRelease, *, parties: Parties, registry: Registry
) -> None:
    """Refuse when the stated school, or the login that spoke for it, was switched off since.

    Raises:
        SchoolNotOpen, StatesDiffer
    """
    idp = find_idp(registry, prepared.idp)
    follow_idp(idp)
    school = registry.schools.get(prepared.decision.school)
    if school is None or school.id not in idp.schools:
        raise SchoolNotOpen("check_school_of_idp")
    check_school_open(school, parties.supplier, idp)


def check_agreement_unchanged(
    prepared: PreparedRelease, *, parties: Parties, registry: Registry, today: date
) -> None:
    """Refuse when what was decided on was withdrawn or replaced, by the school or the supplier.

    Raises:
        AgreementChanged: also when the relying party is another supplier's by now, and when an
            attribute that would go out is not declared, approved or entitled any more, or is
            withheld by a take-over of accounts.
    """
    decision, supplier = prepared.decision, parties.supplier
    found = find_agreement(registry, registry.schools[decision.school], supplier.id, today)
    if (
        found is None
        or decision.supplier != supplier.id
        or decision.carried_from != found.carried_from
        or found.agreement.version != decision.agreement_version
        or not found.agreement.is_in_force(today)
    ):
        raise AgreementChanged("check_agreement_unchanged", subject=supplier.display_name)
    declared = {each.name: each for each in supplier.attributes}
    taken_over = is_taken_over(registry, decision.school, supplier.id, today=today)
    for each in decision.released:
        reason = why_withheld(
            each.name,
            declared=declared.get(each.name),
            agreement=found.agreement,
            entitled=supplier.eck_id_entitled,
            population=prepared.population,
            taken_over=taken_over,
        )
        if reason is not None:
            raise AgreementChanged("check_released_still_allowed", subject=supplier.display_name)


def released_names(prepared: PreparedRelease) -> tuple[AttributeName, ...]:
    """Return the names of what goes out, for the page that tells so."""
    return tuple(each.name for each in prepared.decision.released)


def _presented(prepared: PreparedRelease) -> Presented:
    eck, local = prepared.eck_root, prepared.local_root
    return Presented(
        population=prepared.population,
        eck_id=None if eck is None else as_root(eck),
        local=None if local is None else as_root(local),
    )
