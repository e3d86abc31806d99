"""Logging out, from a request to the page that says where a person is logged out and where not yet.

    begin     a checked request       -> our own page, by a redirect
    show      that page               -> the button; or, when the request proves itself, the end
    confirm   the button was pressed  -> the end

Between request and end lies a redirect, because a relying party's post from its own site does not
bring our cookies along. What is meant, and how it ends, is `session_ends`' business.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from contextlib import suppress

from broker.domain.ids import RelyingPartyId
from broker.domain.relying_parties import OidcClient, RelyingParty
from broker.flow.audit import AuditEvent
from broker.flow.following.trail import Outcome, current_trail
from broker.flow.held_state.browser_steps import BrowserStep, store_in_words
from broker.flow.held_state.handles import Handle, parse_handle
from broker.flow.held_state.login_store import Absent, LoginStoreRefusal
from broker.flow.refusals import LogoutStepAbsent
from broker.flow.sessions.logout_answers import (
    AskLogout,
    LeftNow,
    LoggedOut,
    LogoutBegun,
    LogoutPorts,
)
from broker.flow.sessions.logout_courier import LAST_WAIT_SECONDS, LogoutMessage
from broker.flow.sessions.logout_records import (
    LOGGED_OUT,
    LOGOUT,
    LOGOUT_RESULT,
    LeftParty,
    LoggedOutRecord,
    LogoutRecord,
    LogoutResultRecord,
)
from broker.flow.sessions.session_ends import end_meant, find_meant, read_standings
from broker.flow.sessions.session_records import ParticipationRecord
from broker.oidc_op.jwks import choose_signing_key
from broker.oidc_op.logout import (
    CheckedLogout,
    LogoutRequest,
    build_frontchannel_url,
    build_logout_token,
    check_logout_request,
)

STATE_BYTES = 16
JTI_BYTES = 16  # 128 bits


class LogoutFlow:
    """The journey of one logout. Keeps nothing between steps."""

    def __init__(self, ports: LogoutPorts) -> None:
        self._ports = ports

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
        record = _record_of(checked)
        with store_in_words():
            handle, put = ports.state.seal(LOGOUT, record)
            await ports.state.put(put)
        name = urlsafe_b64encode(ports.random(STATE_BYTES)).rstrip(b"=").decode()
        return LogoutBegun(name, handle)

    async def show(
        self, step: BrowserStep, *, unverified_standings: Sequence[str]
    ) -> AskLogout | LoggedOut:
        """Return what the page shows; a request that proves itself is followed at once.

        Args:
            unverified_standings: by what this browser's sessions are found, the newest first.

        Raises:
            LogoutStepAbsent, StoreUnavailable
        """
        handle = self._handle_of(step)
        done = await self._find_done(handle)
        if done is not None:
            return await self._tell(handle, done)
        try:
            with store_in_words(known=(Absent,)):
                record = await self._ports.state.get(LOGOUT, handle)
        except Absent:
            raise LogoutStepAbsent("check_login_step") from None
        if not record.is_proven:
            return AskLogout(self._find_party(record.relying_party))
        return await self._end(handle, unverified_standings)

    async def confirm(self, step: BrowserStep, *, unverified_standings: Sequence[str]) -> LoggedOut:
        """Log out, now that the button was pressed. Arguments and errors as of `show`."""
        handle = self._handle_of(step)
        done = await self._find_done(handle)
        if done is not None:
            return await self._tell(handle, done)
        return await self._end(handle, unverified_standings)

    def _handle_of(self, step: BrowserStep) -> Handle:
        try:
            return parse_handle(step.unverified_handle)
        except Absent:
            raise LogoutStepAbsent("check_login_step") from None

    def _find_party(self, relying_party: RelyingPartyId | None) -> RelyingParty | None:
        found = self._ports.snapshots.registry.relying_parties
        return None if relying_party is None else found.get(relying_party)

    async def _find_done(self, handle: Handle) -> LoggedOutRecord | None:
        try:
            with store_in_words(known=(Absent,)):
                return await self._ports.state.get(LOGGED_OUT, handle)
        except Absent:
            return None

    async def _end(self, handle: Handle, unverified_standings: Sequence[str]) -> LoggedOut:
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
            idps, found = await end_meant(meant, registry=registry, state=ports.state)
        parts = {each.relying_party: (sid, each) for sid, each in found}
        done = LoggedOutRecord(
            logout=record,
            parties=tuple(
                self._leave(registry.relying_parties[each], sid, record)
                for each, (sid, _) in sorted(parts.items())
            ),
            idps=idps,
            is_elsewhere=meant.is_elsewhere,
        )
        with store_in_words():
            await ports.state.put(ports.state.seal_under(handle, LOGGED_OUT, done))
        for party in done.parties:
            client = registry.relying_parties[party.relying_party].protocol
            if party.is_told and isinstance(client, OidcClient):
                self._send(handle, party, client, *parts[party.relying_party])
        current_trail().outcome = Outcome.ENDED
        ports.audit.record(
            AuditEvent(
                action="logged-out",
                relying_party=record.relying_party,
                counts=(("relying_parties", len(done.parties)), ("sessions", len(meant.standings))),
            )
        )
        return await self._tell(handle, done)

    def _leave(self, party: RelyingParty, sid: Handle, record: LogoutRecord) -> LeftParty:
        ports, client, front = self._ports, party.protocol, ""
        if not isinstance(client, OidcClient):
            return LeftParty(relying_party=party.id, asked=False, is_told=False)
        if ports.rules.front_channel and client.frontchannel_logout_uri is not None:
            front = build_frontchannel_url(
                client.frontchannel_logout_uri, issuer=ports.issuer, sid=sid.text
            )
        return LeftParty(
            relying_party=party.id,
            asked=record.is_proven and record.relying_party == party.id,
            is_told=client.backchannel_logout_uri is not None,
            frontchannel_url=front,
        )

    def _send(
        self,
        handle: Handle,
        party: LeftParty,
        client: OidcClient,
        sid: Handle,
        part: ParticipationRecord,
    ) -> None:
        """Hand the message to a relying party over to the courier."""
        ports = self._ports

        def sign() -> str:
            return build_logout_token(
                client_id=client.client_id,
                subject=part.subject,
                sid=sid.text,
                issuer=ports.issuer,
                key=choose_signing_key(ports.keys.token, algorithm=client.id_token_algorithm),
                now=ports.clock(),
                jti=urlsafe_b64encode(ports.random(JTI_BYTES)).rstrip(b"=").decode(),
            )

        async def tell(is_out: bool) -> None:
            result = LogoutResultRecord(is_out=is_out)
            with suppress(LoginStoreRefusal):  # the page then says "not yet"
                await ports.state.put(
                    ports.state.seal_under(self._result_of(handle, party), LOGOUT_RESULT, result)
                )

        longest = 0.0 if party.asked else ports.rules.longest_wait_seconds
        longest_at_stop = min(longest, LAST_WAIT_SECONDS)
        ports.courier.send(
            LogoutMessage(
                relying_party=party.relying_party,
                supplier=part.supplier,
                url=client.backchannel_logout_uri or "",
                sign=sign,
                tell=tell,
                wait_seconds=self._some_of(longest),
                last_wait_seconds=self._some_of(longest_at_stop),
            )
        )

    def _some_of(self, longest_seconds: float) -> float:
        return int.from_bytes(self._ports.random(2)) / 0xFFFF * longest_seconds

    async def _tell(self, handle: Handle, done: LoggedOutRecord) -> LoggedOut:
        """Return how it stands now with everybody who is still registered."""
        registry = self._ports.snapshots.registry
        told = [each for each in done.parties if each.is_told]
        results: list[LogoutResultRecord | None] = []
        if told:
            with store_in_words():
                results = await self._ports.state.gather(
                    LOGOUT_RESULT, [self._result_of(handle, each) for each in told]
                )
        known = {
            each.relying_party: None if result is None else result.is_out
            for each, result in zip(told, results, strict=True)
        }
        return LoggedOut(
            done,
            tuple(
                LeftNow(
                    registry.relying_parties[each.relying_party],
                    True if each.asked else known.get(each.relying_party, False),
                    each.frontchannel_url,
                )
                for each in done.parties
                if each.relying_party in registry.relying_parties
            ),
        )

    def _result_of(self, handle: Handle, party: LeftParty) -> Handle:
        return self._ports.state.derive_handle(handle, f"logout-result/{party.relying_party}")


def _record_of(checked: CheckedLogout) -> LogoutRecord:
    return LogoutRecord(
        relying_party=checked.relying_party,
        redirect_uri=checked.redirect_uri,
        state=checked.state,
        sid=checked.sid,
        is_proven=checked.is_proven,
    )
