"""One login, from a supplier's request to the answer. This file shows all of it.

    begin         a checked request      -> the school's login, the chooser, or the answer when
                                            the browser's session gives it
    choose        a school was clicked   -> the school's login
    finish_saml   its answer by SAML     -> a page with one button, or the answer
    finish_oidc   its answer by OIDC     -> the same
    choose_own    a school of several    -> the same
    go_on         that button            -> the answer
    not_me        "that is not me"       -> the same login, which must ask again

Each step takes what the one before left, decides, and leaves one record or none. No step returns
to an earlier one. A refusal becomes a page of ours or an answer to the supplier in one place,
`login_refusals`; what is refused before a relying party is known goes up to the edge. What lies
between the steps: `departures` (to the school), `arrivals` (from it), `sessions.session_logins` (in
its place), `release` and `supplier_side` (to the supplier).

Trips to the login store for a login without pages: a put by `begin`, a take and a put by
`finish_*`, and a take by `token.py`. Person register: one look-up. Receipts: one append.
"""

import dataclasses
from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace

from broker.domain.dutch_days import day_of
from broker.domain.federation import School, SchoolIdp
from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal
from broker.flow.agreed import check_agreed_when_passive
from broker.flow.answers import ChooseLogin, Step
from broker.flow.arrivals import Arrivals
from broker.flow.at_school import SchoolAnswer
from broker.flow.audit import AuditLog
from broker.flow.authorization_requests import RefusedRequest
from broker.flow.departures import Departures
from broker.flow.following.trail import Outcome, current_trail, make_login_id
from broker.flow.held_state.browser_steps import BrowserStep, BrowserSteps, follow
from broker.flow.held_state.records import (
    CHOOSING,
    OFFERED,
    PENDING,
    PREPARED,
    ChoosingLogin,
    PendingLogin,
    PreparedRelease,
    SchoolsOffered,
    SupplierRequest,
    another_try,
    kept_of,
)
from broker.flow.listed_schools import find_asked_school
from broker.flow.login_refusals import LoginRefusals
from broker.flow.parties import (
    Parties,
    find_asking_parties,
    find_idp,
    find_parties,
    follow_idp,
)
from broker.flow.ports import Clock, Random, Snapshots
from broker.flow.refusals import NotLoggedIn, SchoolNotOpen, SchoolUnknown
from broker.flow.release import ReleaseDesk
from broker.flow.school_logins import NO_WISH, LoginWish, choose_login, wish_for
from broker.flow.school_side import SchoolSide
from broker.flow.sessions.id_token_hints import IdTokenHints
from broker.flow.sessions.session_logins import SessionLogins
from broker.flow.sessions.sessions import Sessions
from broker.flow.supplier_side import SupplierSide
from broker.flow.wanted_level import without_level
from broker.saml_idp.refusals import AnswerableRefusal

ReadAnswer = Callable[[SchoolIdp], Awaitable[SchoolAnswer]]


class LoginFlow:
    """The journey of one login over its ports. Keeps nothing between steps."""

    def __init__(
        self,
        *,
        snapshots: Snapshots,
        steps: BrowserSteps,
        sessions: Sessions,
        hints: IdTokenHints,
        schools: SchoolSide,
        suppliers: SupplierSide,
        desk: ReleaseDesk,
        audit: AuditLog,
        clock: Clock,
        random: Random,
    ) -> None:
        self._snapshots = snapshots
        self._steps = steps
        self._sessions = sessions
        self._hints = hints
        self._schools = schools
        self._departures = Departures(
            snapshots=snapshots, steps=steps, schools=schools, clock=clock
        )
        self._suppliers = suppliers
        self._desk = desk
        self._clock = clock
        self._random = random
        self._arrivals = Arrivals(
            snapshots=snapshots, steps=steps, sessions=sessions, desk=desk, audit=audit, clock=clock
        )
        self._session_logins = SessionLogins(
            snapshots=snapshots, sessions=sessions, arrivals=self._arrivals, clock=clock
        )
        self._refusals = LoginRefusals(
            steps=steps, suppliers=suppliers, audit=audit, clock=clock, random=random
        )

    async def begin(self, request: SupplierRequest, *, wish: LoginWish = NO_WISH) -> Step:
        """Answer from the browser's session, or send it to the school hinted at or the chooser."""
        login = ChoosingLogin(login=make_login_id(self._random), request=request)
        follow(login)
        parties = find_asking_parties(self._snapshots.registry, request)
        try:
            request = self._hints.read(request)
            hinted = find_asked_school(
                self._snapshots.index,
                request,
                wish,
                state=parties.supplier.state,
                today=day_of(self._clock()),
            )
            if hinted is not None and request.passive:
                self._check_hinted(*hinted, parties)
            login = replace(login, request=kept_of(request), choose_again=wish.own_school_again)
            done = await self._session_logins.answer(
                login, request, parties, hinted=None if hinted is None else hinted[0], wish=wish
            )
            if done is not None:
                return done
            if hinted is not None:
                school, named = hinted
                step = await self._departures.go_to(
                    school, login, parties, named=named, wish=wish_for(request, wish)
                )
            elif request.passive:
                raise NotLoggedIn("check_school_known_when_passive")
            else:
                step = await self._departures.ask_school(login)
        except Refusal as refusal:
            return await self._refusals.answer(refusal, login, parties)
        current_trail().outcome = Outcome.BEGUN
        return step

    def _check_hinted(self, school: School, named: SchoolIdp | None, parties: Parties) -> None:
        """A hint is no way to ask schools about their people who did not agree to it."""
        registry = self._snapshots.registry
        check_agreed_when_passive(
            (school,) if named is None else registry.schools_of(named).values(),
            parties.supplier,
            registry=registry,
            today=day_of(self._clock()),
        )

    def refuse_oidc(self, refused: RefusedRequest) -> Step:
        """Tell a relying party that its request failed a check, at its proven redirect URI."""
        address = refused.address
        parties = find_parties(self._snapshots.registry, address.relying_party)
        return Step(self._suppliers.refuse_at(address, refused.refusal, parties=parties))

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
            anew = wish_for(choosing.request, wish)
            idp = choose_login(registry, school, wish=anew, may_ask=True, today=today)
            if idp is None:  # the record stays, for the page that asks
                return Step(ChooseLogin(step.state, school.id))
            again = choosing.choose_again or wish.own_school_again
            choosing = replace(choosing, choose_again=again)
            return await self._departures.send(choosing, parties, school, idp)
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
        session = self._sessions.for_browser(prepared.session)
        return Step(answer, closed=step.state, session=session)

    async def choose_own(self, step: BrowserStep, *, unverified_school: str) -> Step:
        """Go on in the name of the school that a person of several schools chose."""
        offered = await self._steps.take(OFFERED, step)
        parties = find_asking_parties(self._snapshots.registry, offered.request)
        try:
            return await self._arrivals.choose(
                offered, parties, unverified_school=unverified_school, closed=step.state
            )
        except Refusal as refusal:
            return await self._refusals.answer(
                refusal,
                another_try(offered, ask_again=False),
                parties,
                closed=step.state,
                clicked=offered.school,
            )

    async def not_me(self, step: BrowserStep) -> Step:
        """Throw away what was prepared and let the school's login ask again who this is."""
        prepared = await self._steps.take(PREPARED, step)
        return await self._ask_anew(prepared, prepared.clicked, step)

    async def not_me_at_schools(self, step: BrowserStep) -> Step:
        """Do the same on the page that asks for which school this is."""
        offered = await self._steps.take(OFFERED, step)
        return await self._ask_anew(offered, offered.school, step)

    async def _ask_anew(
        self, of: SchoolsOffered | PreparedRelease, clicked: SchoolId, step: BrowserStep
    ) -> Step:
        registry, again = self._snapshots.registry, another_try(of, ask_again=True)
        parties = find_asking_parties(registry, of.request)
        try:
            if of.session is not None:
                await self._sessions.drop(of.session)
            school, idp = registry.schools.get(clicked), find_idp(registry, of.idp)
            if school is None:
                raise SchoolNotOpen("check_school_known")
            today, wish = day_of(self._clock()), LoginWish(unverified_clicked=idp.id)
            idp = choose_login(registry, school, wish=wish, may_ask=False, today=today) or idp
            sent = await self._departures.send(again, parties, school, idp, closed=step.state)
            left = of.session is not None and not of.session.is_new
            return dataclasses.replace(sent, leaves_session=left)
        except Refusal as refusal:
            return await self._refusals.answer(
                refusal, again, parties, closed=step.state, clicked=clicked
            )

    async def _finish(self, pending: PendingLogin, step: BrowserStep, *, read: ReadAnswer) -> Step:
        """Read the school's answer, and go on with what it states."""
        registry = self._snapshots.registry
        parties = find_asking_parties(registry, pending.request)
        try:
            idp = find_idp(registry, pending.idp)
            follow_idp(idp)
            answer = await read(idp)
        except Refusal as refusal:
            again = without_level(pending, refusal)
            if again is not None:
                return await self._ask_without_level(again, pending, parties, step)
            return await self._refuse_answer(refusal, pending, parties, step)
        return await self._arrive(pending, step, answer)

    async def _arrive(self, pending: PendingLogin, step: BrowserStep, answer: SchoolAnswer) -> Step:
        """From what the school stated to the supplier's answer, or to a page with one button.

        The registry is read anew: a provider may take seconds to answer, in which somebody may
        have been switched off.
        """
        registry = self._snapshots.registry
        parties = find_asking_parties(registry, pending.request)
        try:
            return await self._arrivals.arrive(
                pending,
                answer,
                idp=find_idp(registry, pending.idp),
                parties=parties,
                closed=step.state,
            )
        except Refusal as refusal:
            return await self._refuse_answer(refusal, pending, parties, step)

    async def _ask_without_level(
        self, again: ChoosingLogin, pending: PendingLogin, parties: Parties, step: BrowserStep
    ) -> Step:
        try:
            return await self._departures.send_without_level(
                again, pending, parties, closed=step.state
            )
        except Refusal as refusal:
            return await self._refuse_answer(refusal, pending, parties, step)

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
