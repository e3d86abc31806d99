"""Single sign-on: the session of a browser in place of the school's login.

Every rule of a login runs again for the next supplier, on what the school stated then: for whom
the school speaks, agreement and release, who it is, budgets, notices, receipts. What was stated
then and not kept, because no agreement was about it, makes the school's login speak again.
"""

from datetime import datetime

from broker.domain.dutch_days import day_of
from broker.domain.federation import School, SingleSignOn
from broker.domain.identity import VerifiedLogin
from broker.domain.release import RequiredAttributeNotStated
from broker.flow.agreed import is_agreed_at
from broker.flow.answers import Step
from broker.flow.arrivals import Arrivals
from broker.flow.at_school import SchoolAnswer
from broker.flow.held_state.handles import Handle
from broker.flow.held_state.records import ChoosingLogin, PendingLogin, SupplierRequest
from broker.flow.parties import Parties, follow_idp
from broker.flow.ports import Clock, Snapshots
from broker.flow.refusals import LoginStepUsed, PersonForgotten
from broker.flow.school_logins import LoginWish
from broker.flow.sessions.session_records import HeldSession
from broker.flow.sessions.session_rules import SESSION_RULES, Offer, asks_new_login
from broker.flow.sessions.sessions import SessionInHand, Sessions
from broker.oidc_op.asked_claims import AcrNotMet, PersonNotExpected
from broker.oidc_op.request import CheckedAuthorizationRequest

_LET_THE_SCHOOL_SPEAK = (
    RequiredAttributeNotStated,
    AcrNotMet,
    PersonNotExpected,
    LoginStepUsed,  # the session was ended meanwhile
    PersonForgotten,
)


class SessionLogins:
    """Answers suppliers from a browser's session. Keeps nothing between steps."""

    def __init__(
        self, *, snapshots: Snapshots, sessions: Sessions, arrivals: Arrivals, clock: Clock
    ) -> None:
        self._snapshots = snapshots
        self._sessions = sessions
        self._arrivals = arrivals
        self._clock = clock

    async def answer(
        self,
        login: ChoosingLogin,
        asked: SupplierRequest,
        parties: Parties,
        *,
        hinted: School | None,
        wish: LoginWish,
    ) -> Step | None:
        """Return the step that the browser's session allows; None: the school must be asked.

        Args:
            login: with what is kept of the request.
            asked: the whole request.

        Raises:
            Refusal: as in a login whose school has just answered.
        """
        if not wish.unverified_session or asks_new_login(asked):
            return None
        found = await self._sessions.find(wish.unverified_session)
        if found is None:
            return None
        handle, session = found
        registry, now = self._snapshots.registry, self._clock()
        offer = Offer(session, asked, hinted, registry, now)
        if not all(fits(offer) for fits in SESSION_RULES):
            return None
        if asked.passive and not is_agreed_at(
            (registry.schools[each] for each in session.schools),
            parties.supplier,
            registry=registry,
            today=day_of(now),
        ):
            return None
        idp = registry.idps[session.idp]
        follow_idp(idp)
        asks = any(
            registry.schools[each].single_sign_on is SingleSignOn.ASK for each in session.schools
        )
        if asks and asked.passive:  # who was shown a page there before may be told without one
            asks = not await self._sessions.takes_part(handle, asked.relying_party)
        pending = PendingLogin(
            login=login.login,
            request=login.request,
            idp=idp.id,
            school=session.school,
            request_id="",
            sent_at=now,
            choose_again=login.choose_again,
        )
        told = await self._find_told(handle, asked) or now
        stated = VerifiedLogin(idp, session.attributes, told, session.acr)
        try:
            return await self._arrivals.arrive(
                pending,
                SchoolAnswer(stated),
                idp=idp,
                parties=parties,
                closed="",
                session=SessionInHand(HeldSession(handle=handle.text, is_new=False, asks=asks)),
            )
        except _LET_THE_SCHOOL_SPEAK:
            if asked.passive:
                raise
            return None

    async def _find_told(self, session: Handle, asked: SupplierRequest) -> datetime | None:
        """A relying party that asks when the login took place hears what it heard before: nobody
        logged in since. One more trip, for who asks."""
        if not (isinstance(asked, CheckedAuthorizationRequest) and asked.wants_auth_time):
            return None
        return await self._sessions.find_told(session, asked.relying_party)
