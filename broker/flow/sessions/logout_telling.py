"""How each relying party of an ended session hears of it, whatever it speaks.

OpenID Connect   a logout token by its back channel; its page in a frame, where that is on
SAML             a LogoutRequest by SOAP; else the browser is brought there, one after another
neither          only the person can log out there, and the page says so
"""

from contextlib import suppress

from broker.domain.relying_parties import OidcClient, RelyingParty
from broker.flow.held_state.handles import Handle
from broker.flow.held_state.login_store import LoginStoreRefusal
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.random_texts import make_jti
from broker.flow.sessions.logout_answers import LogoutPorts
from broker.flow.sessions.logout_courier import LAST_WAIT_SECONDS, LogoutCalls, LogoutMessage
from broker.flow.sessions.logout_records import (
    LOGOUT_RESULT,
    LeftParty,
    LogoutRecord,
    LogoutResultRecord,
)
from broker.flow.sessions.saml_peers import SamlPeer, supplier_peer
from broker.flow.sessions.session_ends import FoundPart
from broker.flow.sessions.session_records import NamedSession
from broker.oidc_op.jwks import choose_signing_key
from broker.oidc_op.logout import build_frontchannel_url, build_logout_token


def result_of(state: SealedState, handle: Handle, party: str) -> Handle:
    """Return by what is found what became of one party in one logout.

    Args:
        party: id of a relying party, or the key of a school's login (`SamlPeer.key`).
    """
    return state.derive_handle(handle, f"logout-result/{party}")


class LogoutTelling:
    """Decides how a party is told, and begins to tell it."""

    def __init__(self, ports: LogoutPorts) -> None:
        self._ports = ports

    def leave(self, party: RelyingParty, found: FoundPart, record: LogoutRecord) -> LeftParty:
        """Return how a party of an ended session hears of it."""
        ports, client, (sid, _) = self._ports, party.protocol, found
        asked = record.is_proven and record.relying_party == party.id
        if isinstance(client, OidcClient):
            front = ""
            if ports.rules.front_channel and client.frontchannel_logout_uri is not None:
                front = build_frontchannel_url(
                    client.frontchannel_logout_uri, issuer=ports.issuer, sid=sid.text
                )
            return LeftParty(
                relying_party=party.id,
                asked=asked,
                is_told=client.backchannel_logout_uri is not None,
                frontchannel_url=front,
            )
        peer = supplier_peer(party, registry=ports.snapshots.registry)
        if peer is None or asked:
            return LeftParty(relying_party=party.id, asked=asked, is_told=False)
        if peer.soap is not None:
            return LeftParty(relying_party=party.id, asked=False, is_told=True)
        named = self._name(peer, found) if peer.by_browser() is not None else None
        return LeftParty(relying_party=party.id, asked=False, is_told=False, visited=named)

    def send(self, handle: Handle, left: LeftParty, found: FoundPart) -> None:
        """Hand the message to a party that is told without the browser over to the courier."""
        ports, (_, part) = self._ports, found

        async def call(calls: LogoutCalls) -> bool:
            registry = ports.snapshots.registry
            party = registry.relying_parties.get(left.relying_party)
            if party is not None and isinstance(party.protocol, OidcClient):
                return await self._call_client(calls, party.protocol, found)
            peer = None if party is None else supplier_peer(party, registry=registry)
            if peer is None or peer.soap is None:
                return False
            return await ports.saml.call(calls, peer, peer.soap, self._name(peer, found))

        async def tell(is_out: bool) -> None:
            await self.keep(handle, left.relying_party, is_out=is_out)

        longest = 0.0 if left.asked else ports.rules.longest_wait_seconds
        ports.courier.send(
            LogoutMessage(
                relying_party=left.relying_party,
                supplier=part.supplier,
                call=call,
                tell=tell,
                wait_seconds=self._some_of(longest),
                last_wait_seconds=self._some_of(min(longest, LAST_WAIT_SECONDS)),
            )
        )

    def _some_of(self, longest_seconds: float) -> float:
        return int.from_bytes(self._ports.random(2)) / 0xFFFF * longest_seconds

    async def keep(self, handle: Handle, party: str, *, is_out: bool | None) -> None:
        """Keep what became of a party, for the page; a store that is down makes it "not yet"."""
        state = self._ports.state
        result = LogoutResultRecord(is_out=is_out)
        with suppress(LoginStoreRefusal):
            await state.put(
                state.seal_under(result_of(state, handle, party), LOGOUT_RESULT, result)
            )

    def _name(self, peer: SamlPeer, found: FoundPart) -> NamedSession:
        """Return how a supplier's service provider knows the session: as its assertion said it."""
        sid, part = found
        return NamedSession(
            name_id=part.subject,
            format=part.name_format,
            name_qualifier=self._ports.saml.names.idp_entity_id,
            sp_name_qualifier=peer.entity_id,
            session_index=f"_{sid.text}",
        )

    async def _call_client(self, calls: LogoutCalls, client: OidcClient, found: FoundPart) -> bool:
        ports, (sid, part) = self._ports, found
        token = build_logout_token(
            client_id=client.client_id,
            subject=part.subject,
            sid=sid.text,
            issuer=ports.issuer,
            key=choose_signing_key(ports.keys.token, algorithm=client.id_token_algorithm),
            now=ports.clock(),
            jti=make_jti(ports.random),
        )
        url = client.backchannel_logout_uri or ""
        await calls.post_form(url, headers={}, form={"logout_token": token})
        return True
