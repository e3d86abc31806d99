"""One login, from a supplier's request to the answer. This file shows all of it.

    begin         a checked request      -> the school's login, or the chooser
    choose        a school was clicked   -> the school's login
    finish_saml   its answer by SAML     -> a page with one button, or the answer
    finish_oidc   its answer by OIDC     -> the same
    go_on         that button            -> the answer
    not_me        "that is not me"       -> the same login, which must ask again

Each step takes what the one before left, decides, and leaves one record or none. No step returns
to an earlier one. A refusal becomes a page of ours or an answer to the supplier in one place,
`login_refusals`; what is refused before a relying party is known goes up to the edge.

Trips to the login store for a login without pages: a put by `begin`, a take and a put by
`finish_*`, and a take by `token.py`. Person register: one look-up. Receipts: one append.
"""

from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace

from broker.domain.federation import School, SchoolIdp
from broker.domain.identity import Identity, read_identity
from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal
from broker.domain.relations import former_brins
from broker.domain.school_search import find_hinted_school
from broker.flow.answers import (
    ChooseLogin,
    ChooseSchool,
    OtherLogin,
    Step,
    Welcome,
)
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.browser_steps import BrowserStep, BrowserSteps, follow
from broker.flow.login_refusals import LoginRefusals
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
from broker.flow.release import ReleaseDesk, day_of, released_names
from broker.flow.school_logins import NO_WISH, LoginWish, choose_login, find_login_to_go_on_at
from broker.flow.school_side import SchoolAnswer, SchoolSide
from broker.flow.supplier_side import SupplierSide
from broker.flow.trail import Outcome, current_trail, make_login_id
from broker.flow.unknown_names import note_unknown_names
from broker.saml_idp.refusals import AnswerableRefusal

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
        self._refusals = LoginRefusals(
            steps=steps, suppliers=suppliers, audit=audit, clock=clock, random=random
        )

    async def begin(self, request: SupplierRequest, *, wish: LoginWish = NO_WISH) -> Step:
        """Send a checked request's browser to the school that it hints at, or to the chooser."""
        login = ChoosingLogin(login=make_login_id(self._random), request=request)
        follow(login)
        parties = find_asking_parties(self._snapshots.registry, request)
        try:
            hinted = find_hinted_school(
                self._snapshots.index, request.hints, state=parties.supplier.state
            )
            login = replace(login, request=kept_of(request))
            if hinted is not None:
                school, named = hinted
                idp = choose_login(
                    self._snapshots.registry,
                    school,
                    named=named,
                    wish=wish,
                    may_ask=not request.passive,
                    today=day_of(self._clock()),
                )
                step = await self._send_or_ask(login, parties, school, idp)
            elif request.passive:
                raise InteractionRequired("check_school_known_when_passive")
            else:
                cookie = await self._steps.open(CHOOSING, login)
                step = Step(ChooseSchool(cookie.name), opened=cookie)
        except Refusal as refusal:
            return await self._refusals.answer(refusal, login, parties)
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

    async def choose(
        self, step: BrowserStep, *, unverified_school: str, wish: LoginWish = NO_WISH
    ) -> Step:
        """Send the browser to the login of the school that was clicked, or let it choose one."""
        choosing = await self._steps.look(CHOOSING, step)
        registry = self._snapshots.registry
        parties = find_asking_parties(registry, choosing.request)
        try:
            school = registry.schools.get(SchoolId(unverified_school))
            if school is None:
                raise SchoolUnknown("check_school_known")
            today = day_of(self._clock())
            idp = choose_login(registry, school, wish=wish, may_ask=True, today=today)
            if idp is None:  # the record stays, for the page that asks
                return Step(ChooseLogin(step.state, school.id))
            return await self._send(choosing, parties, school, idp)
        except Refusal as refusal:
            return await self._refusals.answer(refusal, choosing, parties)

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
            return await self._refusals.answer(
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
            today, wish = day_of(self._clock()), LoginWish(unverified_clicked=idp.id)
            idp = choose_login(registry, school, wish=wish, may_ask=False, today=today) or idp
            return await self._send(again, parties, school, idp, closed=step.state)
        except Refusal as refusal:
            return await self._refusals.answer(
                refusal, again, parties, closed=step.state, clicked=prepared.clicked
            )

    async def _send_or_ask(
        self, login: ChoosingLogin, parties: Parties, school: School, idp: SchoolIdp | None
    ) -> Step:
        if idp is not None:
            return await self._send(login, parties, school, idp)
        cookie = await self._steps.open(CHOOSING, login)
        return Step(ChooseLogin(cookie.name, school.id), opened=cookie)

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
            identity = read_identity(
                answer.login,
                schools=registry.schools_of(idp),
                former=former_brins(registry, idp.schools, day_of(now)),
            )
            note_unknown_names(self._audit, identity, unreadable=answer.unreadable, idp=idp)
            other = find_login_to_go_on_at(
                identity, idp, registry=registry, pending=pending, today=day_of(now)
            )
            if other is not None:
                return await self._send_on(pending, step, answer, identity=identity, other=other)
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

    async def _send_on(
        self,
        pending: PendingLogin,
        step: BrowserStep,
        answer: SchoolAnswer,
        *,
        identity: Identity,
        other: SchoolIdp,
    ) -> Step:
        """Show one button that goes on at the other login; what the school stated is forgotten."""
        again = another_try(pending, ask_again=pending.ask_again)
        cookie = await self._steps.open(CHOOSING, again, claims=answer.claims)
        school = self._snapshots.registry.schools[identity.school]
        self._audit.record(AuditEvent(action="sent-on", school=school.id, idp=other.id))
        page = OtherLogin(cookie.name, csrf_bound_to=cookie.handle.text, school=school, idp=other)
        return Step(page, opened=cookie, closed=step.state)

    async def _refuse_answer(
        self, refusal: Refusal, pending: PendingLogin, parties: Parties, step: BrowserStep
    ) -> Step:
        return await self._refusals.answer(
            refusal,
            another_try(pending, ask_again=pending.ask_again),
            parties,
            closed=step.state,
            clicked=pending.school,
        )
