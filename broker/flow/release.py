"""From an identity to what leaves: decide, name, derive, write down, hand over.

`prepare` decides and derives and changes nothing but the person register; `hand_over` writes the
receipt first and only then lets the answer exist. Between the two a page may wait for a button,
and what waits holds released values only, never the identity.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from broker.domain.dutch_days import day_of
from broker.domain.federation import SchoolIdp
from broker.domain.identity import StatedLogin
from broker.domain.ids import SupplierId
from broker.domain.membership import date_membership
from broker.domain.registry import Registry
from broker.domain.relations import find_agreement, notice_signer
from broker.flow.answers import Answer
from broker.flow.asked import wants_pseudonym
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.enrolment.enrolments import SchoolLists
from broker.flow.following.trail import Outcome, current_trail
from broker.flow.held_state.login_store import Claim, Put
from broker.flow.held_state.records import (
    DecidedRelease,
    PendingLogin,
    PreparedRelease,
    SchoolsOffered,
)
from broker.flow.naming import (
    SupplierNames,
    check_epoch_unchanged,
    epoch_of,
    name_person,
)
from broker.flow.notices import note_notice
from broker.flow.own_schools import (
    decide_schools,
    find_remembered,
    presented_by,
    remember_at_others,
)
from broker.flow.page_between import PageNeeded, find_page_needed, released_names
from broker.flow.parties import Parties
from broker.flow.persons.arrival_budgets import ArrivalRules
from broker.flow.persons.login_tally import LoginTally
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.persons import KnownPerson
from broker.flow.persons.recognition import make_visit, recognise_person
from broker.flow.persons.register import PersonRegister
from broker.flow.persons.successors import find_succession
from broker.flow.ports import FlowKeys, Random
from broker.flow.proxied import check_behind_still_allowed
from broker.flow.receipts.receipts import (
    RECEIPT_NONCE_BYTES,
    ReceiptContent,
    ReceiptLog,
    SealedReceipt,
    build_receipt,
    derive_receipt_keys,
    seal_receipt,
)
from broker.flow.sessions.session_records import HeldSession
from broker.flow.shielding.shielded_logins import check_not_shielded_since, hold_for_later
from broker.flow.shielding.shields import Shielding
from broker.flow.still_allowed import check_still_allowed
from broker.flow.supplier_side import SupplierSide
from broker.flow.switching.switched_classes import find_classes
from broker.flow.takeover.takeover_arrival import note_arrival
from broker.flow.takeover.takeover_lists import TakeoverLists
from broker.flow.tokens.held_person import hold_for_refresh
from broker.oidc_op.asked_claims import check_person_expected
from broker.oidc_op.request import CheckedAuthorizationRequest


@dataclass(frozen=True, slots=True)
class ReleasePorts:
    """Where persons and receipts rest, and what derives and writes."""

    register: PersonRegister
    receipts: ReceiptLog
    keys: FlowKeys
    join_rules: JoinRules
    arrival_rules: ArrivalRules
    tally: LoginTally
    lists: SchoolLists
    shielding: Shielding
    suppliers: SupplierSide
    takeover_lists: TakeoverLists
    audit: AuditLog
    random: Random


class ReleaseDesk:
    """Prepares and hands over releases."""

    def __init__(self, ports: ReleasePorts) -> None:
        self._ports = ports

    async def decide(
        self,
        stated: StatedLogin,
        *,
        idp: SchoolIdp,
        parties: Parties,
        registry: Registry,
        now: datetime,
    ) -> tuple[DecidedRelease, ...]:
        """Decide what each school that a login states would release; at least one.

        The decision comes before the register: who may not go on leaves no trace there. A school's
        list is only read.

        Raises:
            Refusal: of `own_schools.decide_schools`.
        """
        return await decide_schools(
            stated,
            idp=idp,
            supplier=parties.supplier,
            registry=registry,
            today=day_of(now),
            lists=self._ports.lists,
            shielding=self._ports.shielding,
            key=self._ports.keys.root,
        )

    async def find_classes(
        self, stated: StatedLogin, *, idp: SchoolIdp, registry: Registry, now: datetime
    ) -> tuple[str, ...]:
        """Return the classes that decide at which login somebody goes on, as `find_classes`."""
        lists = self._ports.lists
        return await find_classes(stated, idp, registry=registry, lists=lists, today=day_of(now))

    async def find_own_school(
        self, decided: Sequence[DecidedRelease], *, supplier: SupplierId, choose_again: bool
    ) -> DecidedRelease | None:
        """Return for which of a person's schools this login is; None when the person must say.

        Args:
            choose_again: what was chosen before does not count.

        Raises:
            RegisterUnavailable: it cannot be looked up.
        """
        if len(decided) == 1:
            return decided[0]
        if choose_again:
            return None
        ports = self._ports
        return await find_remembered(
            decided, supplier=supplier, register=ports.register, keys=ports.keys.register
        )

    async def prepare(
        self,
        decided: DecidedRelease,
        *,
        of: PendingLogin | SchoolsOffered,
        first_name: str,
        authenticated_at: datetime,
        acr: str,
        parties: Parties,
        registry: Registry,
        session: HeldSession | None = None,
        now: datetime,
    ) -> tuple[PreparedRelease, PageNeeded | None]:
        """Name the person of a decided release, and seal its receipt.

        Args:
            of: the login; when its person has just chosen the school, the choice is remembered.
            first_name: to be shown and forgotten.
            acr: the level to tell, or "".

        Raises:
            PersonNotExpected: the supplier asked for somebody else.
            Refusal: of `person_rules` or `still_allowed`.
        """
        ports, supplier, decision = self._ports, parties.supplier, decided.decision
        school = registry.schools[decision.school]
        found = find_agreement(registry, school, supplier.id, day_of(now))
        presented = presented_by(decided)
        chosen = school.id if isinstance(of, SchoolsOffered) else None
        named = wants_pseudonym(of.request, parties.relying_party)
        visit = make_visit(supplier, chosen=chosen, rules=ports.arrival_rules) if named else None
        person = await recognise_person(
            presented,
            school=school,
            visit=visit,
            confirms=of.confirms_arrival,
            succession=find_succession(registry, school.id, day_of(now), decided.old_roots),
            ports=ports,
            today=day_of(now),
            known_only=session is not None and not session.is_new,
        )
        if isinstance(of, SchoolsOffered):
            await remember_at_others(
                of.offered,
                chosen=school.id,
                supplier=supplier.id,
                register=ports.register,
                keys=ports.keys.register,
                random=ports.random,
            )
        greeted = isinstance(of, SchoolsOffered) and of.greeted
        page = find_page_needed(
            first_name,
            population=decided.role,
            school=school,
            agreement=None if found is None else found.agreement,
            seen=person.seen_notice(notice_signer(decision.carried_from, school.id), supplier.id),
            greeted=greeted,
            asks_who=session is not None and session.asks and not greeted,
        )
        if decided.role is not None:
            decision = date_membership(
                decision, school=school, population=decided.role, since_year=person.since_year
            )
        names: SupplierNames | None = None
        if named:
            names = name_person(person, supplier=supplier, keys=ports.keys.pairwise)
            if isinstance(of.request, CheckedAuthorizationRequest):
                check_person_expected(of.request, names.every)
            await note_arrival(
                presented,
                account=person.root,
                takeover=registry.takeovers.get((school.id, supplier.id)),
                lists=ports.takeover_lists,
                keys=ports.keys.register,
                audit=ports.audit,
                today=day_of(now),
            )
        notice = page is not None and page.notice
        prepared = PreparedRelease(
            login=of.login,
            request=of.request,
            idp=of.idp,
            clicked=of.school,
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
            authenticated_at=authenticated_at,
            acr=acr,
            population=presented.population,
            eck_root=presented.eck_id if notice else None,
            local_root=presented.local if notice else None,
            notice=notice,
            session=session,
            person=(held := hold_for_refresh(of.request, person, school, parties, ports.keys)),
            shields=decided.shields
            if held is None
            else hold_for_later(
                presented, school=school.id, held=decided.shields, shielding=ports.shielding
            ),
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
        puts: Sequence[Put] = (),
        now: datetime,
    ) -> Answer:
        """Return the answer to the supplier, once its receipt is durable.

        Built and linted first, so that a fault of ours leaves no receipt; written down second;
        one-shot values used up and the grant kept last, in one trip.

        Raises:
            SchoolNotOpen, StatesDiffer: somebody was switched off while a page was waiting.
            AgreementChanged: the school decided anew meanwhile, of this person or of all.
            PseudonymsRotated: the supplier's epoch moved meanwhile.
            ClaimsBeyondDecision, ReceiptsUnavailable, AssertionUsed, StoreUnavailable
        """
        check_still_allowed(
            prepared.decision,
            idp=prepared.idp,
            population=prepared.population,
            parties=parties,
            registry=registry,
            today=day_of(now),
        )
        check_behind_still_allowed(
            prepared.request, prepared.decision.school, registry=registry, today=day_of(now)
        )
        check_epoch_unchanged(prepared.pseudonym, supplier=parties.supplier)
        ports, supplier = self._ports, parties.supplier
        await check_not_shielded_since(
            prepared.shields,
            supplier=supplier.id,
            name=supplier.display_name,
            book=ports.shielding.book,
        )
        built = ports.suppliers.build(prepared, parties=parties, now=now)
        await ports.receipts.append(prepared.receipt)
        await ports.suppliers.keep(built, claims=claims, puts=puts)
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
        """Remember that this person saw the notice, after the release; as `notices.note_notice`."""
        ports = self._ports
        await note_notice(
            prepared,
            supplier=parties.supplier.id,
            register=ports.register,
            keys=ports.keys.register,
            audit=ports.audit,
            random=ports.random,
        )
