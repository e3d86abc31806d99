"""One login, from a supplier's request to the answer. This file shows all of it.

    begin         a checked request      -> the school's login, or the chooser
    choose        a school was clicked   -> the school's login
    finish_saml   its answer by SAML     -> a page with one button, or the answer
    finish_oidc   its answer by OIDC     -> the same
    go_on         that button            -> the answer
    not_me        "that is not me"       -> the same login, which must ask again

Each step takes what the one before left, decides, and leaves one record or none. No step returns
to an earlier one. A refusal becomes a page of ours or an answer to the supplier in one place,
`_refuse`; what is refused before a relying party is known goes up to the edge.

Trips to the login store for a login without pages: a put by `begin`, a take and a put by
`finish_*`, and a take by `token.py`. Person register: one look-up. Receipts: one append.
"""

from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace

from broker.domain.attributes import IGNORE
from broker.domain.federation import School, SchoolIdp
from broker.domain.identity import Identity, read_identity, reportable_name
from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal
from broker.domain.school_search import find_hinted_idp
from broker.flow.answers import ChooseSchool, LoginCookie, Refused, Step, Welcome
from broker.flow.audit import AuditEvent, AuditLog, make_reference, note_refusal
from broker.flow.browser_steps import BrowserStep, BrowserSteps, follow
from broker.flow.parties import (
    Parties,
    check_school_open,
    find_asking_parties,
    find_idp,
    find_parties,
    follow_idp,
)
from broker.flow.ports import Clock, Random, Snapshots
from broker.flow.records import (
    CHOOSING,
    PENDING,
    PREPARED,
    ChoosingLogin,
    PendingLogin,
    SupplierRequest,
    another_try,
    kept_of,
)
from broker.flow.refusals import InteractionRequired, SchoolNotOpen, SchoolUnknown
from broker.flow.release import ReleaseDesk, released_names
from broker.flow.school_side import SchoolAnswer, SchoolSide
from broker.flow.supplier_side import SupplierSide
from broker.flow.trail import Outcome, current_trail, make_login_id
from broker.saml_idp.refusals import AnswerableRefusal

MAX_UNKNOWN_NAMES = 20
MAX_NAME_CHARACTERS = 64
"""Of attribute names that no mapping knows; a school chooses them, so the log bounds them."""

ReadAnswer = Callable[[SchoolIdp], Awaitable[SchoolAnswer]]


class LoginFlow:
    """The journey of one login over its ports. Keeps nothing between steps."""

    def __init__(
        self,
        *,
        snapshots: Snapshots,
        steps: BrowserSteps,
        schools: SchoolSide,
        suppliers: SupplierSide,
        desk: ReleaseDesk,
        audit: AuditLog,
        clock: Clock,
        random: Random,
    ) -> None:
        self._snapshots = snapshots
        self._steps = steps
        self._schools = schools
        self._suppliers = suppliers
        self._desk = desk
        self._audit = audit
        self._clock = clock
        self._random = random

    async def begin(self, request: SupplierRequest) -> Step:
        """Send a checked request's browser to the school that it hints at, or to the chooser."""
        login = ChoosingLogin(login=make_login_id(self._random), request=request)
        follow(login)
        parties = find_asking_parties(self._snapshots.registry, request)
        try:
            hinted = find_hinted_idp(
                self._snapshots.index, request.hints, state=parties.supplier.state
            )
            login = replace(login, request=kept_of(request))
            if hinted is not None:
                school, idp = hinted
                step = await self._send(login, parties, school, idp)
            elif request.passive:
                raise InteractionRequired("check_school_known_when_passive")
            else:
                cookie = await self._steps.open(CHOOSING, login)
                step = Step(ChooseSchool(cookie.name), opened=cookie)
        except Refusal as refusal:
            return await self._refuse(refusal, login, parties)
        current_trail().outcome = Outcome.BEGUN
        return step

    def refuse_saml(self, refusal: AnswerableRefusal) -> Step:
        """Tell a service provider that its request failed a check, at its registered place."""
        parties = find_parties(self._snapshots.registry, refusal.answer_to.relying_party)
        return Step(
            self._suppliers.refuse_unchecked(
                refusal.answer_to, refusal, parties=parties, now=self._clock()
            )
        )

    async def read_choosing(self, step: BrowserStep) -> Parties:
        """Return for whom a school is being chosen; the record stays, for the back button.

        Raises:
            LoginStepAbsent, StoreUnavailable, SupplierNotOpen
        """
        choosing = await self._steps.look(CHOOSING, step)
        return find_asking_parties(self._snapshots.registry, choosing.request)

    async def choose(self, step: BrowserStep, *, unverified_school: str) -> Step:
        """Send the browser to the login of the school that was clicked."""
        choosing = await self._steps.look(CHOOSING, step)
        registry = self._snapshots.registry
        parties = find_asking_parties(registry, choosing.request)
        try:
            school = registry.schools.get(SchoolId(unverified_school))
            if school is None:
                raise SchoolUnknown("check_school_known")
            idps = registry.idps_of_school.get(school.id)
            if not idps:
                raise SchoolNotOpen("check_school_has_login")
            return await self._send(choosing, parties, school, idps[0])
        except Refusal as refusal:
            return await self._refuse(refusal, choosing, parties)

    async def finish_saml(self, step: BrowserStep, *, form: Sequence[tuple[str, str]]) -> Step:
        """Read a school's SAML response and go on to the supplier."""
        pending = await self._steps.take(PENDING, step)

        async def read(idp: SchoolIdp) -> SchoolAnswer:
            return self._schools.read_saml(pending, idp, form=form)

        return await self._finish(pending, step, read=read)

    async def finish_oidc(
        self, step: BrowserStep, *, parameters: Sequence[tuple[str, str]]
    ) -> Step:
        """Read the callback from a school's OpenID Provider and go on to the supplier."""
        pending = await self._steps.take(PENDING, step)

        async def read(idp: SchoolIdp) -> SchoolAnswer:
            return await self._schools.read_oidc(pending, idp, parameters=parameters)

        return await self._finish(pending, step, read=read)

    async def go_on(self, step: BrowserStep) -> Step:
        """Release what the page showed, now that its button was pressed."""
        prepared = await self._steps.take(PREPARED, step)
        registry = self._snapshots.registry
        parties = find_asking_parties(registry, prepared.request)
        try:
            answer = await self._desk.hand_over(
                prepared, parties=parties, registry=registry, claims=(), now=self._clock()
            )
            await self._desk.note_notice(prepared, parties=parties)
        except Refusal as refusal:
            return await self._refuse(
                refusal,
                another_try(prepared, ask_again=False),
                parties,
                closed=step.state,
                clicked=prepared.clicked,
            )
        return Step(answer, closed=step.state)

    async def not_me(self, step: BrowserStep) -> Step:
        """Throw away what was prepared and let the school's login ask again who this is."""
        prepared = await self._steps.take(PREPARED, step)
        registry, again = self._snapshots.registry, another_try(prepared, ask_again=True)
        parties = find_asking_parties(registry, prepared.request)
        try:
            school, idp = registry.schools.get(prepared.clicked), find_idp(registry, prepared.idp)
            if school is None:
                raise SchoolNotOpen("check_school_known")
            return await self._send(again, parties, school, idp, closed=step.state)
        except Refusal as refusal:
            return await self._refuse(
                refusal, again, parties, closed=step.state, clicked=prepared.clicked
            )

    async def _send(
        self,
        login: ChoosingLogin,
        parties: Parties,
        school: School,
        idp: SchoolIdp,
        *,
        closed: str = "",
    ) -> Step:
        follow_idp(idp)
        check_school_open(school, parties.supplier, idp)
        state = self._steps.make_state()
        pending, answer = self._schools.send(login, school=school, idp=idp, state=state)
        cookie = await self._steps.open(PENDING, pending, state=state)
        return Step(answer, opened=cookie, closed=closed)

    async def _finish(self, pending: PendingLogin, step: BrowserStep, *, read: ReadAnswer) -> Step:
        """Read the school's answer, and go on with what it states."""
        registry = self._snapshots.registry
        parties = find_asking_parties(registry, pending.request)
        try:
            idp = find_idp(registry, pending.idp)
            follow_idp(idp)
            answer = await read(idp)
        except Refusal as refusal:
            return await self._refuse_answer(refusal, pending, parties, step)
        return await self._arrive(pending, step, answer)

    async def _arrive(self, pending: PendingLogin, step: BrowserStep, answer: SchoolAnswer) -> Step:
        """From what the school stated to the supplier's answer, or to a page with one button.

        The registry is read anew: a provider may take seconds to answer, in which somebody may
        have been switched off.
        """
        registry, now, request = self._snapshots.registry, self._clock(), pending.request
        parties = find_asking_parties(registry, request)
        try:
            idp = find_idp(registry, pending.idp)
            identity = read_identity(answer.login, schools=registry.schools_of(idp))
            self._note_unknown(identity, unreadable=answer.unreadable, idp=idp)
            prepared, page = await self._desk.prepare(
                identity, idp=idp, pending=pending, parties=parties, registry=registry, now=now
            )
            if page is None:
                done = await self._desk.hand_over(
                    prepared, parties=parties, registry=registry, claims=answer.claims, now=now
                )
                return Step(done, closed=step.state)
            if request.passive:
                raise InteractionRequired("check_no_page_when_passive")
            cookie = await self._steps.open(PREPARED, prepared, claims=answer.claims)
        except Refusal as refusal:
            return await self._refuse_answer(refusal, pending, parties, step)
        welcome = Welcome(
            login=cookie.name,
            csrf_bound_to=cookie.handle.text,
            school=registry.schools[identity.school],
            supplier=parties.supplier,
            first_name=page.first_name,
            shared=released_names(prepared) if page.notice else None,
            may_switch=page.may_switch,
        )
        return Step(welcome, opened=cookie, closed=step.state)

    def _note_unknown(
        self, identity: Identity, *, unreadable: Sequence[str], idp: SchoolIdp
    ) -> None:
        """Report what no mapping knows, and what came in a form that no attribute has."""
        lost = (reportable_name(each) for each in unreadable if idp.attributes.get(each) != IGNORE)
        named = (*identity.unknown, *lost)[:MAX_UNKNOWN_NAMES]
        if named:
            self._audit.record(
                AuditEvent(
                    action="unknown-attributes",
                    school=identity.school,
                    idp=identity.idp,
                    names=tuple(each[:MAX_NAME_CHARACTERS] for each in named),
                )
            )

    async def _refuse_answer(
        self, refusal: Refusal, pending: PendingLogin, parties: Parties, step: BrowserStep
    ) -> Step:
        return await self._refuse(
            refusal,
            another_try(pending, ask_again=pending.ask_again),
            parties,
            closed=step.state,
            clicked=pending.school,
        )

    async def _refuse(
        self,
        refusal: Refusal,
        login: ChoosingLogin,
        parties: Parties,
        *,
        closed: str = "",
        clicked: SchoolId | None = None,
    ) -> Step:
        """Turn a refusal into an answer to the supplier, or a page of ours with a way on.

        The supplier is told what it must know, and everything when it asked for no page at all.
        """
        reference, request = make_reference(self._random), login.request
        note_refusal(
            self._audit,
            refusal,
            reference=reference,
            school=clicked,
            supplier=parties.supplier.id,
            relying_party=parties.relying_party.id,
        )
        if refusal.may_redirect or request.passive:
            answer = self._suppliers.refuse(request, refusal, parties=parties, now=self._clock())
            current_trail().outcome = Outcome.TOLD
            return Step(answer, closed=closed)
        retry = await self._offer_retry(refusal, login)
        page = Refused(
            refusal=refusal,
            reference=reference,
            way_back=parties.relying_party.start_url,
            way_back_name=parties.supplier.display_name,
            retry=retry,
            retry_school=clicked or "",
        )
        return Step(page, opened=retry, closed=closed)

    async def _offer_retry(self, refusal: Refusal, login: ChoosingLogin) -> LoginCookie | None:
        """Keep the supplier's request, and with it the deep link, for another try."""
        if not refusal.may_retry:
            return None
        try:
            return await self._steps.open(CHOOSING, login)
        except Refusal:  # the store is unsure: then the page has its way back only
            return None
