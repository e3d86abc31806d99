"""Logging out, from a request to the page that says where a person is logged out and where not yet.

    begin, receive   a checked request       -> our own page, by a redirect
    show             that page               -> the button; or, when the request proves itself, the
                                                end, and the parties to which the browser is brought
    confirm          the button was pressed  -> the end
    receive          a party's answer        -> that page again: the next party, or who asked

Between request and end lies a redirect, because a relying party's post from its own site does not
bring our cookies along. What is meant, and how it ends, is `session_ends`' business; how who took
part is told that of `logout_telling`. A party that the browser is brought to gets one chance: who
comes back to the page without its answer goes on without it.
"""

from collections.abc import Sequence

from broker.domain.ids import RelyingPartyId
from broker.domain.refusals import Refusal
from broker.domain.relying_parties import RelyingParty
from broker.flow.audit import AuditEvent
from broker.flow.following.trail import Outcome, current_trail
from broker.flow.held_state.browser_steps import BrowserStep, store_in_words
from broker.flow.held_state.handles import Handle, parse_handle
from broker.flow.held_state.login_store import Absent, Claim, ClaimedBefore
from broker.flow.random_texts import make_state
from broker.flow.refusals import LogoutStepAbsent
from broker.flow.sessions.logout_answers import (
    AnswerTaken,
    AskLogout,
    AskParty,
    LoggedOut,
    LogoutBegun,
    LogoutPorts,
)
from broker.flow.sessions.logout_records import (
    LOGGED_OUT,
    LOGOUT,
    LeftSchool,
    LoggedOutRecord,
    LogoutRecord,
)
from broker.flow.sessions.logout_stops import LogoutStops
from broker.flow.sessions.logout_telling import LogoutTelling
from broker.flow.sessions.saml_peers import Side
from broker.flow.sessions.session_ends import (
    Ended,
    end_meant,
    find_meant,
    find_own_parts,
    leave_session,
    read_standings,
)
from broker.oidc_op.logout import CheckedLogout, LogoutRequest, check_logout_request
from broker.saml_xml.forms import PostedForm
from broker.saml_xml.logout.messages import decode_envelope, decode_logout
from broker.saml_xml.logout.refusals import LogoutMalformed, LogoutNotAsked, LogoutUsed


class LogoutFlow:
    """The journey of one logout. Keeps nothing between steps."""

    def __init__(self, ports: LogoutPorts) -> None:
        self._ports = ports
        self._telling = LogoutTelling(ports)
        self._stops = LogoutStops(ports, self._telling)

    async def begin(self, request: LogoutRequest) -> LogoutBegun:
        """Keep what a request proves, until the browser comes to our own page.

        Raises:
            Refusal: of `oidc_op.logout`, or the store is unsure.
        """
        ports = self._ports
        checked = check_logout_request(
            request,
            registry=ports.snapshots.registry,
            keys=ports.keys.token,
            issuer=ports.issuer,
        )
        return await self._open(_record_of(checked))

    async def receive(
        self, message: bytes | PostedForm, *, side: Side, held: Sequence[BrowserStep]
    ) -> LogoutBegun | AnswerTaken:
        """Take a SAML message that a browser brings: a request, or an answer to ours.

        Args:
            message: the raw query, or the posted form.
            held: the logouts that this browser has under way.

        Raises:
            LogoutNotAsked: an answer to nothing that this browser was sent for.
            LogoutUsed: a request that came before.
            Refusal: of `saml_xml`, or the store is unsure.
        """
        ports = self._ports
        with side.blamed():
            arrived = decode_logout(message, xml=ports.xml)
            if arrived.is_request:
                asked = ports.saml.read_request(arrived, side=side)
                return await self._open(asked.record, claims=asked.claims)
            found = await self._stops.find_asked(arrived.relay_state, side=side, held=held)
            if found is None:
                raise LogoutNotAsked("check_answer_asked")
        try:
            with side.blamed():
                is_out = ports.saml.read_answer(arrived, asked=found.peer, handle=found.handle)
        except Refusal as refusal:
            return AnswerTaken(found.name, refusal)
        await self._stops.keep(found.handle, found.peer, is_out=is_out)
        return AnswerTaken(found.name)

    async def receive_call(self, body: bytes) -> bytes:
        """Return the answer to a supplier's LogoutRequest by SOAP, without a browser.

        Its own part is over, and nobody goes on by that session. Others are not told, and who they
        are stays to be found by the person's own logout: `session_ends` says why.

        Raises:
            LogoutUsed, Refusal: as `receive`.
        """
        ports, registry = self._ports, self._ports.snapshots.registry
        with Side.SUPPLIER.blamed():
            arrived = decode_envelope(body, xml=ports.xml)
            if not arrived.is_request:
                raise LogoutMalformed("check_is_logout_request")
            asked = ports.saml.read_request(arrived, side=Side.SUPPLIER)
            await self._claim(asked.claims)
        party, saml = asked.record.relying_party, asked.record.saml
        found = (
            []
            if party is None or saml is None
            else await find_own_parts(saml, party, (), registry=registry, state=ports.state)
        )
        if found:
            with store_in_words():
                await leave_session(found, state=ports.state)
        self._note(asked.record, parties=len(found), sessions=0)
        return ports.saml.answer_by_soap(asked)

    async def show(
        self, step: BrowserStep, *, unverified_standings: Sequence[str]
    ) -> AskLogout | AskParty | LoggedOut:
        """Return what the page shows; a request that proves itself is followed at once.

        Args:
            unverified_standings: by what this browser's sessions are found, the newest first.

        Raises:
            LogoutStepAbsent, StoreUnavailable
        """
        handle = self._handle_of(step)
        done = await self._stops.find_done(handle)
        if done is not None:
            return await self._stops.go_on(handle, done)
        try:
            with store_in_words(known=(Absent,)):
                record = await self._ports.state.get(LOGOUT, handle)
        except Absent:
            raise LogoutStepAbsent("check_login_step") from None
        if not record.is_proven:
            return AskLogout(self._find_party(record.relying_party))
        return await self._stops.go_on(handle, await self._end(handle, unverified_standings))

    async def confirm(self, step: BrowserStep, *, unverified_standings: Sequence[str]) -> LoggedOut:
        """Log out, now that the button was pressed; `show` then says where the browser goes next.
        Arguments and errors as of `show`.
        """
        handle = self._handle_of(step)
        done = await self._stops.find_done(handle)
        if done is None:
            done = await self._end(handle, unverified_standings)
        return await self._stops.stand(handle, done)

    async def _open(self, record: LogoutRecord, *, claims: Sequence[Claim] = ()) -> LogoutBegun:
        ports = self._ports
        try:
            with store_in_words(known=(ClaimedBefore,)):
                handle, put = ports.state.seal(LOGOUT, record)
                await ports.state.put(put, claims=claims)
        except ClaimedBefore:
            raise LogoutUsed("check_message_once") from None
        name = make_state(ports.random)
        return LogoutBegun(name, handle)

    async def _claim(self, claims: Sequence[Claim]) -> None:
        try:
            with store_in_words(known=(ClaimedBefore,)):
                await self._ports.state.put(claims=claims)
        except ClaimedBefore:
            raise LogoutUsed("check_message_once") from None

    def _handle_of(self, step: BrowserStep) -> Handle:
        try:
            return parse_handle(step.unverified_handle)
        except Absent:
            raise LogoutStepAbsent("check_login_step") from None

    def _find_party(self, relying_party: RelyingPartyId | None) -> RelyingParty | None:
        found = self._ports.snapshots.registry.relying_parties
        return None if relying_party is None else found.get(relying_party)

    async def _end(self, handle: Handle, unverified_standings: Sequence[str]) -> LoggedOutRecord:
        """End what is meant, once, and begin to tell who took part."""
        ports, registry = self._ports, self._ports.snapshots.registry
        try:
            with store_in_words(known=(Absent,)):
                record = await ports.state.take(LOGOUT, handle)
        except Absent:
            raise LogoutStepAbsent("check_login_step") from None
        own = tuple(read_standings(unverified_standings, state=ports.state))
        meant = await find_meant(record, own, registry=registry, state=ports.state)
        with store_in_words():
            ended = await end_meant(meant, registry=registry, state=ports.state)
        parts = {part.relying_party: (sid, part) for sid, part in ended.parts}
        done = LoggedOutRecord(
            logout=record,
            parties=tuple(
                self._telling.leave(registry.relying_parties[each], found, record)
                for each, found in sorted(parts.items())
            ),
            idps=ended.idps,
            schools=_schools_of(ended, record),
            is_elsewhere=meant.is_elsewhere,
        )
        with store_in_words():
            await ports.state.put(ports.state.seal_under(handle, LOGGED_OUT, done))
        for party in done.parties:
            if party.is_told:
                self._telling.send(handle, party, parts[party.relying_party])
        self._note(record, parties=len(done.parties), sessions=len(meant.standings))
        return done

    def _note(self, record: LogoutRecord, *, parties: int, sessions: int) -> None:
        current_trail().outcome = Outcome.ENDED
        self._ports.audit.record(
            AuditEvent(
                action="logged-out",
                relying_party=record.relying_party,
                idp=record.idp,
                counts=(("relying_parties", parties), ("sessions", sessions)),
            )
        )


def _schools_of(ended: Ended, record: LogoutRecord) -> tuple[LeftSchool, ...]:
    """Return the schools' logins to ask, each once; never the one that asked us."""
    found = {each.idp: each.named for each in ended.schools if each.idp != record.idp}
    return tuple(LeftSchool(idp=idp, named=named) for idp, named in found.items())


def _record_of(checked: CheckedLogout) -> LogoutRecord:
    return LogoutRecord(
        relying_party=checked.relying_party,
        redirect_uri=checked.redirect_uri,
        state=checked.state,
        sid=checked.sid,
        is_proven=checked.is_proven,
    )
