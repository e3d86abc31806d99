"""One login, from a supplier's request to the answer. This file shows all of it.

    begin            a checked request -> the school, or the chooser
    choose           a school was clicked -> the school
    finish_saml      the school's answer, SAML             \\
    finish_oidc      the school's answer, OpenID Connect    > -> a page with one button, or the answer
    go_on            that button -> the answer
    not_me           "that is not me" -> the same school, which must ask again

Each step takes what the one before left, decides, and leaves one record or none. No step returns
to an earlier one. A refusal becomes a page of ours or an answer to the supplier in one place,
`_refuse`; refusals before a relying party is known go up to the edge.

Trips to the login store for a login without pages: 1 put here, 1 take and 1 put in `finish_*`,
and 1 take by `token.py`. Person register: 1 look-up. Receipts: 1 append.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from broker.domain.attributes import GIVEN_NAME, Population
from broker.domain.federation import (
    NoticeMode,
    RelyingParty,
    School,
    SchoolIdp,
    Supplier,
)
from broker.domain.identity import Identity, read_identity
from broker.domain.ids import RelyingPartyId, SchoolId
from broker.domain.refusals import Refusal
from broker.domain.registry import Registry
from broker.domain.release import ReleaseDecision, decide_release
from broker.domain.school_search import find_hinted_idp
from broker.flow.answers import (
    Answer,
    ChooseSchool,
    LoginCookie,
    Refused,
    Step,
    Welcome,
)
from broker.flow.audit import AuditEvent, AuditLog, make_reference, note_refusal
from broker.flow.login_store import (
    Absent,
    Claim,
    ClaimedBefore,
    LoginStoreRefusal,
    StoreUnsure,
    TakenBefore,
)
from broker.flow.person_records import Presented
from broker.flow.person_rules import JoinRules
from broker.flow.persons import (
    KnownPerson,
    identify_person,
    note_notice_seen,
    present_person,
)
from broker.flow.ports import Clock, FlowKeys, Random, Snapshots
from broker.flow.receipts import (
    ReceiptLog,
    SealedReceipt,
    build_receipt,
    derive_receipt_keys,
    seal_receipt,
)
from broker.flow.records import (
    CHOOSING,
    PENDING,
    PREPARED,
    ChoosingLogin,
    PendingLogin,
    PreparedRelease,
    SealedReceiptFields,
    SupplierRequest,
)
from broker.flow.refusals import (
    AgreementChanged,
    AssertionUsed,
    InteractionRequired,
    LoginStepAbsent,
    LoginStepUsed,
    SchoolNotOpen,
    SchoolUnknown,
    StatesDiffer,
    StoreUnavailable,
    SupplierNotOpen,
)
from broker.flow.register import PersonRegister
from broker.flow.school_side import SchoolAnswer, SchoolSide
from broker.flow.sealed_state import Handle, RecordT, SealedState, StateKind, parse_handle
from broker.flow.supplier_side import SupplierSide
from broker.pseudonyms.derivation import PersonRoot, derive_pseudonym
from broker.pseudonyms.epochs import select_key

NETHERLANDS = ZoneInfo("Europe/Amsterdam")
"""Agreements begin and end at midnight there."""

NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Parties:
    """Who takes part in one login, looked up anew at every step: all of them enabled."""

    relying_party: RelyingParty
    supplier: Supplier


@dataclass(frozen=True, slots=True)
class BrowserStep:
    """What a browser shows of a step: the login's state, and the handle in its cookie."""

    state: str
    unverified_handle: str


class LoginFlow:
    """The journey of one login over its ports. Holds no state of its own between steps."""

    def __init__(
        self,
        *,
        snapshots: Snapshots,
        state: SealedState,
        schools: SchoolSide,
        suppliers: SupplierSide,
        register: PersonRegister,
        receipts: ReceiptLog,
        keys: FlowKeys,
        join_rules: JoinRules,
        audit: AuditLog,
        clock: Clock,
        random: Random,
    ) -> None:
        self._snapshots = snapshots
        self._state = state
        self._schools = schools
        self._suppliers = suppliers
        self._register = register
        self._receipts = receipts
        self._keys = keys
        self._join_rules = join_rules
        self._audit = audit
        self._clock = clock
        self._random = random

    # ---- the supplier's request ----

    async def begin(self, request: SupplierRequest) -> Step:
        """Send a checked request's browser to the school that it hints at, or to the chooser."""
        parties = find_parties(self._snapshots.registry, request.relying_party)
        try:
            hinted = find_hinted_idp(
                self._snapshots.index, request.hints, state=parties.supplier.state
            )
            if hinted is not None:
                return await self._send_to_school(request, *hinted)
            if request.passive:
                raise InteractionRequired("check_school_known_when_passive")
            return await self._open_chooser(ChoosingLogin(request=request))
        except (Refusal, LoginStoreRefusal) as reason:
            return await self._refuse(request, parties, reason)

    async def read_choosing(self, step: BrowserStep) -> Parties:
        """Return for whom a school is being chosen; the record stays, for the back button.

        Raises:
            LoginStepAbsent, StoreUnavailable, SupplierNotOpen
        """
        choosing = await self._get(CHOOSING, step)
        return find_parties(self._snapshots.registry, choosing.request.relying_party)

    async def choose(self, step: BrowserStep, *, unverified_school: str) -> Step:
        """Send the browser to the school that was clicked."""
        choosing = await self._get(CHOOSING, step)
        request = choosing.request
        registry = self._snapshots.registry
        parties = find_parties(registry, request.relying_party)
        try:
            school = registry.schools.get(SchoolId(unverified_school))
            if school is None:
                raise SchoolUnknown("check_school_known")
            idps = registry.idps_of_school.get(school.id, ())
            if not (school.enabled and idps):
                raise SchoolNotOpen("check_school_enabled")
            return await self._send_to_school(
                request, school, idps[0], force_login=choosing.force_login
            )
        except (Refusal, LoginStoreRefusal) as reason:
            return await self._refuse(request, parties, reason)

    async def _open_chooser(self, choosing: ChoosingLogin) -> Step:
        cookie = await self._put(CHOOSING, choosing)
        return Step(ChooseSchool(cookie.name), opened=cookie)

    async def _send_to_school(
        self,
        request: SupplierRequest,
        school: School,
        idp: SchoolIdp,
        *,
        force_login: bool = False,
        choose_account: bool = False,
    ) -> Step:
        supplier = find_parties(self._snapshots.registry, request.relying_party).supplier
        check_same_state(school, idp, supplier)
        state = self._make_state()
        pending, answer = self._schools.send(
            request,
            idp=idp,
            school=school.id,
            state=state,
            force_login=force_login,
            choose_account=choose_account,
        )
        cookie = await self._put(PENDING, pending, state=state)
        return Step(answer, opened=cookie)

    # ---- the school's answer ----

    async def finish_saml(self, step: BrowserStep, *, form: list[tuple[str, str]]) -> Step:
        """Read a school's SAML response and go on to the supplier."""
        pending = await self._take(PENDING, step)
        return await self._finish(
            pending, step, read=lambda idp: self._schools.read_saml(pending, idp, form=form)
        )

    async def finish_oidc(self, step: BrowserStep, *, parameters: list[tuple[str, str]]) -> Step:
        """Read the callback from a school's OpenID Provider and go on to the supplier."""
        pending = await self._take(PENDING, step)
        return await self._finish(
            pending,
            step,
            read=lambda idp: self._schools.read_oidc(pending, idp, parameters=parameters),
        )

    async def _finish(self, pending: PendingLogin, step: BrowserStep, *, read: ReadAnswer) -> Step:
        registry = self._snapshots.registry
        request = pending.request
        parties = find_parties(registry, request.relying_party)
        try:
            idp = registry.idps.get(pending.idp)
            if idp is None or not idp.enabled:
                raise SchoolNotOpen("check_idp_enabled")
            answer = await read(idp)
            identity = read_identity(answer.login, schools=registry.schools_of(idp))
            self._note_unknown_attributes(identity)
            prepared, welcome = await self._prepare(pending, idp, identity, parties, registry)
            if welcome is None:
                return await self._release(prepared, parties, claims=answer.claims, closed=step)
            if request.passive:
                raise InteractionRequired("check_no_page_when_passive")
            cookie = await self._put(PREPARED, prepared, claims=answer.claims)
            page = Welcome(login=cookie.name, **welcome)
            return Step(page, opened=cookie, closed=step.state)
        except (Refusal, LoginStoreRefusal) as reason:
            return await self._refuse(
                request, parties, reason, closed=step.state, school=pending.school
            )
