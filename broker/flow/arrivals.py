"""From what a school stated to the supplier's answer, or to the pages that may stand between.

    arrive        a school's answer      -> for which of several schools, or on to the release
    choose        one of them            -> the release
    the release                          -> the answer, or the page with one button

Refusals go up: `broker.flow.login` turns them into answers.
"""

from collections.abc import Sequence
from datetime import datetime

from broker.domain.dutch_days import day_of
from broker.domain.federation import SchoolIdp
from broker.domain.identity import read_stated
from broker.domain.ids import SchoolId
from broker.domain.relations import former_brins
from broker.flow.agreed import check_agreed_when_passive
from broker.flow.answers import OtherLogin, Step, Welcome, WhichSchool
from broker.flow.asked import confirm_on_device, find_acr, keep_asked_of, wants_pseudonym
from broker.flow.at_school import SchoolAnswer
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.held_state.browser_steps import BrowserSteps
from broker.flow.held_state.login_store import Claim, Put
from broker.flow.held_state.records import (
    CHOOSING,
    OFFERED,
    PREPARED,
    DecidedRelease,
    PendingLogin,
    SchoolsOffered,
    another_try,
)
from broker.flow.own_schools import find_offered
from broker.flow.page_between import first_name_of, released_names
from broker.flow.parties import Parties
from broker.flow.ports import Clock, Snapshots
from broker.flow.proxied import keep_for_all
from broker.flow.refusals import InteractionRequired
from broker.flow.release import ReleaseDesk
from broker.flow.school_faults import note_exceptions, note_unknown_names
from broker.flow.school_logins import find_login_to_go_on_at
from broker.flow.school_side import wants_other_account
from broker.flow.sessions.session_records import HeldSession
from broker.flow.sessions.sessions import SessionInHand, Sessions
from broker.flow.still_allowed import check_still_allowed


class Arrivals:
    """Takes in what schools state. Keeps nothing between steps."""

    def __init__(
        self,
        *,
        snapshots: Snapshots,
        steps: BrowserSteps,
        sessions: Sessions,
        desk: ReleaseDesk,
        audit: AuditLog,
        clock: Clock,
    ) -> None:
        self._snapshots = snapshots
        self._steps = steps
        self._sessions = sessions
        self._desk = desk
        self._audit = audit
        self._clock = clock

    async def arrive(
        self,
        pending: PendingLogin,
        answer: SchoolAnswer,
        *,
        idp: SchoolIdp,
        parties: Parties,
        closed: str,
        session: SessionInHand | None = None,
    ) -> Step:
        """Go on with what a school stated.

        Args:
            closed: the step that was taken.
            session: that of before in whose place nobody asked the school; None: a new one begins.

        Raises:
            Refusal: nothing was released.
        """
        registry, now = self._snapshots.registry, self._clock()
        stated = read_stated(
            answer.login,
            schools=registry.schools_of(idp),
            former=former_brins(registry, idp.schools, day_of(now)),
        )
        if pending.request.passive:
            check_agreed_when_passive(
                (registry.schools[each] for each in stated.schools),
                parties.supplier,
                registry=registry,
                today=day_of(now),
            )
        note_unknown_names(self._audit, stated, unreadable=answer.unreadable, idp=idp)
        note_exceptions(self._audit, answer.exceptions, school=stated.schools[0], idp=idp)
        other = find_login_to_go_on_at(
            stated,
            idp,
            classes=await self._desk.find_classes(stated, idp=idp, registry=registry, now=now),
            registry=registry,
            pending=pending,
            today=day_of(now),
        )
        if other is not None:
            return await self._send_on(
                pending, answer, school=stated.schools[0], other=other, closed=closed
            )

        async def decide(of: Parties) -> tuple[DecidedRelease, ...]:
            return await self._desk.decide(stated, idp=idp, parties=of, registry=registry, now=now)

        decided = await keep_for_all(
            keep_asked_of(pending.request, await decide(parties), parties=parties),
            pending.request,
            registry=registry,
            decide=decide,
        )
        acr = find_acr(pending.request, answer.login)  # told to nobody without an agreement
        own = await self._desk.find_own_school(
            decided,
            supplier=parties.supplier.id,
            choose_again=pending.choose_again or wants_other_account(pending.request),
        )
        session = session or self._sessions.begin(
            stated,
            school=pending.school,
            registry=registry,
            today=day_of(now),
            now=now,
            named=answer.named,
        )
        first_name = first_name_of(stated)
        if own is None:
            return await self._ask_own_school(
                pending, parties, decided, answer, acr, first_name=first_name, closed=closed,
                session=session,
            )  # fmt: skip
        return await self._release(
            own,
            pending,
            parties,
            first_name=first_name,
            authenticated_at=answer.login.authenticated_at,
            acr=acr,
            claims=answer.claims,
            closed=closed,
            session=session,
        )

    async def choose(
        self, offered: SchoolsOffered, parties: Parties, *, unverified_school: str, closed: str
    ) -> Step:
        """Go on in the name of the school that a person of several schools chose.

        Raises:
            Refusal: nothing was released; `SchoolUnknown` when this login did not state it.
        """
        decided = find_offered(offered, unverified_school)
        check_still_allowed(
            decided.decision,
            idp=offered.idp,
            population=decided.population,
            parties=parties,
            registry=self._snapshots.registry,
            today=day_of(self._clock()),
        )
        return await self._release(
            decided,
            offered,
            parties,
            first_name="",
            authenticated_at=offered.authenticated_at,
            acr=offered.acr,
            claims=(),
            closed=closed,
            session=None if offered.session is None else SessionInHand(offered.session),
        )

    async def _send_on(
        self,
        pending: PendingLogin,
        answer: SchoolAnswer,
        *,
        school: SchoolId,
        other: SchoolIdp,
        closed: str,
    ) -> Step:
        """Show one button that goes on at the other login; what the school stated is forgotten."""
        again = another_try(pending, ask_again=pending.ask_again)
        cookie = await self._steps.open(CHOOSING, again, claims=answer.claims)
        self._audit.record(AuditEvent(action="sent-on", school=school, idp=other.id))
        page = OtherLogin(
            cookie.name,
            csrf_bound_to=cookie.handle.text,
            school=self._snapshots.registry.schools[school],
            idp=other,
        )
        return Step(page, opened=cookie, closed=closed)

    async def _ask_own_school(
        self,
        pending: PendingLogin,
        parties: Parties,
        decided: Sequence[DecidedRelease],
        answer: SchoolAnswer,
        acr: str,
        *,
        first_name: str,
        closed: str,
        session: SessionInHand | None,
    ) -> Step:
        """Keep what each of the person's schools would release, and ask for which one this is."""
        if pending.request.passive:
            raise InteractionRequired("check_own_school_known_when_passive")
        schools = self._snapshots.registry.schools
        offered = sorted(decided, key=lambda each: each.decision.school != pending.school)
        shared = any(schools[each.decision.school].shared_devices for each in offered)
        held, puts = _parts_of(session)
        shows_who = shared or (held is not None and held.asks)
        kept = SchoolsOffered(
            login=pending.login,
            request=pending.request,
            idp=pending.idp,
            school=pending.school,
            offered=tuple(offered),
            authenticated_at=answer.login.authenticated_at,
            acr=acr,
            greeted=shows_who,
            confirms_arrival=pending.confirms_arrival,
            session=held,
        )
        cookie = await self._steps.open(OFFERED, kept, claims=answer.claims, puts=puts)
        page = WhichSchool(
            login=cookie.name,
            csrf_bound_to=cookie.handle.text,
            schools=tuple(schools[each.decision.school] for each in offered),
            supplier=parties.supplier,
            first_name=first_name if shows_who else "",
            may_switch=shows_who,
            is_remembered=wants_pseudonym(pending.request, parties.relying_party),
        )
        return Step(page, opened=cookie, closed=closed)

    async def _release(
        self,
        decided: DecidedRelease,
        of: PendingLogin | SchoolsOffered,
        parties: Parties,
        *,
        first_name: str,
        authenticated_at: datetime,
        acr: str,
        claims: Sequence[Claim],
        closed: str,
        session: SessionInHand | None,
    ) -> Step:
        """Hand over what was decided, or show the page with one button first."""
        registry, now = self._snapshots.registry, self._clock()
        held, puts = _parts_of(session)
        prepared, page = await self._desk.prepare(
            decided,
            of=of,
            first_name=first_name,
            authenticated_at=authenticated_at,
            acr=acr,
            parties=parties,
            registry=registry,
            session=held,
            now=now,
        )
        page = page or confirm_on_device(of.request, parties)
        if page is None:
            done = await self._desk.hand_over(
                prepared, parties=parties, registry=registry, claims=claims, puts=puts, now=now
            )
            return Step(done, closed=closed, session=self._sessions.for_browser(held))
        if of.request.passive:
            raise InteractionRequired("check_no_page_when_passive")
        cookie = await self._steps.open(PREPARED, prepared, claims=claims, puts=puts)
        welcome = Welcome(
            login=cookie.name,
            csrf_bound_to=cookie.handle.text,
            school=registry.schools[decided.decision.school],
            supplier=parties.supplier,
            first_name=page.first_name,
            shared=released_names(prepared) if page.notice else None,
            may_switch=page.may_switch,
        )
        return Step(welcome, opened=cookie, closed=closed)


def _parts_of(session: SessionInHand | None) -> tuple[HeldSession | None, tuple[Put, ...]]:
    return (None, ()) if session is None else (session.held, session.puts)
