"""A supplier asks, by sending the browser here: is somebody logged in?

    true     a session here that may answer this supplier
    remote   none, but the school of this browser is known: a login there needs no chooser
    false    neither

Only suppliers whose document says so may ask, and the answer goes to the one place that it
registers. It says nothing of who it is or of which school, and speaks only of schools whose
agreement with this supplier is in force: of any other one the answer is `false` (see `agreed`).
Anybody can send a browser here; the answer goes to that supplier all the same, with the `state`
that was brought.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlencode

from broker.domain.dutch_days import day_of
from broker.domain.federation import School
from broker.domain.ids import RelyingPartyId, SchoolId
from broker.domain.refusals import Refusal, WhoseTask
from broker.domain.registry import Registry
from broker.flow.agreed import is_agreed_at
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.following.trail import current_trail
from broker.flow.parties import Parties, find_parties
from broker.flow.ports import Clock, Snapshots
from broker.flow.refusals import StoreUnavailable, SupplierNotOpen
from broker.flow.sessions.session_rules import goes_on
from broker.flow.sessions.sessions import Sessions

MAX_STATE_CHARS = 512
_STATE = re.compile(rf"[\x20-\x7e]{{0,{MAX_STATE_CHARS}}}\Z")


class MayNotAsk(Refusal):
    """No system that is registered to ask; nothing is answered anywhere."""

    code = "E-ASK-1"
    whose_task = WhoseTask.SUPPLIER
    what = "A website asked us whether you are logged in, and it may not ask that."
    remedy = "Open your learning material and log in there."
    http_status = 403


class QuestionUnreadable(Refusal):
    """Its `state` is too long, or holds what no address may."""

    code = "E-ASK-2"
    whose_task = WhoseTask.SUPPLIER
    what = "A website asked us whether you are logged in, in a way that we cannot read."
    remedy = "Open your learning material and log in there."


class LoggedIn(StrEnum):
    """The answers."""

    TRUE = "true"
    REMOTE = "remote"
    FALSE = "false"


@dataclass(frozen=True, slots=True)
class SessionQuestion:
    """What a supplier asks, and what the browser holds; nothing of it is proven.

    Attributes:
        relying_party: id of the system that asks.
        state: given back as it is.
        session: handle of the browser's session, or "".
        schools: ids of schools that this browser was told or chose, the first known one counts.
    """

    relying_party: str
    state: str = field(repr=False)
    session: str = field(repr=False)
    schools: tuple[str, ...] = ()


class SessionQuestions:
    """Answers whether somebody is logged in. Keeps nothing."""

    def __init__(
        self,
        *,
        issuer: str,
        snapshots: Snapshots,
        sessions: Sessions,
        audit: AuditLog,
        clock: Clock,
    ) -> None:
        self._issuer = issuer
        self._snapshots = snapshots
        self._sessions = sessions
        self._audit = audit
        self._clock = clock

    async def answer(self, question: SessionQuestion) -> str:
        """Return the address to which the browser goes with the answer.

        Raises:
            MayNotAsk, QuestionUnreadable
        """
        parties = find_asker(self._snapshots.registry, question.relying_party)
        current_trail().relying_party = parties.relying_party.id
        if not _STATE.match(question.state):
            raise QuestionUnreadable("check_question_state")
        try:
            said = {"logged_in": str(await self._find(question, parties))}
        except StoreUnavailable:
            said = {"error": StoreUnavailable.oauth_error}
        said |= {"iss": self._issuer} | ({"state": question.state} if question.state else {})
        self._audit.record(
            AuditEvent(
                action="session-asked",
                supplier=parties.supplier.id,
                relying_party=parties.relying_party.id,
            )
        )
        place = parties.relying_party.session_answer_url
        return f"{place}{'&' if '?' in place else '?'}{urlencode(said)}"

    async def _find(self, question: SessionQuestion, parties: Parties) -> LoggedIn:
        registry = self._snapshots.registry
        found = await self._sessions.find(question.session) if question.session else None
        if found is not None and goes_on(found[1], registry):
            at = [registry.schools[each] for each in found[1].schools]
            if self._is_agreed(at, parties):
                return LoggedIn.TRUE
        known = _first_known(registry, question.schools)
        if known is not None and registry.has_login(known.id) and self._is_agreed([known], parties):
            return LoggedIn.REMOTE
        return LoggedIn.FALSE

    def _is_agreed(self, schools: list[School], parties: Parties) -> bool:
        registry, today = self._snapshots.registry, day_of(self._clock())
        opened = [each for each in schools if each.enabled]
        return is_agreed_at(opened, parties.supplier, registry=registry, today=today)


def find_asker(registry: Registry, unverified_id: str) -> Parties:
    """Return a system that may ask.

    Raises:
        MayNotAsk
    """
    try:
        parties = find_parties(registry, RelyingPartyId(unverified_id))
    except SupplierNotOpen:
        raise MayNotAsk("check_may_ask") from None
    if not (parties.supplier.may_ask_session and parties.relying_party.session_answer_url):
        raise MayNotAsk("check_may_ask")
    return parties


def _first_known(registry: Registry, named: tuple[str, ...]) -> School | None:
    found = (registry.schools.get(SchoolId(each)) for each in named)
    return next((each for each in found if each is not None), None)
