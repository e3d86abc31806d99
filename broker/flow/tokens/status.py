"""What a token is good for at this moment, and its end: introspection and revocation.

Introspection tells a relying party about tokens of its own supplier alone, for there the pseudonym
belongs, an API about those that are for it; of a refresh token, its own client alone. Whatever else
is asked about (another supplier's token, one that is over, revoked, or no token at all) has one
answer, so that nobody learns which of these it was. Revocation likewise: of a token that is not the
caller's nothing is said or done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.client_login import AuthenticatedApi, ClientLogin
from broker.flow.held_state.browser_steps import store_in_words
from broker.flow.held_state.records import USERINFO
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.ports import Clock
from broker.flow.tokens.access import AccessTokens, FoundToken
from broker.flow.tokens.claimed_once import claim_once
from broker.flow.tokens.refresh_families import RefreshFamilies
from broker.oidc_op.access_tokens import INACTIVE, build_introspection
from broker.oidc_op.caller_proof import CallerProof
from broker.oidc_op.claims import step_of, time_for_supplier
from broker.oidc_op.client_auth import AuthenticatedClient
from broker.oidc_op.refresh import PresentedRefreshToken, parse_refresh_token
from broker.oidc_op.token import GrantRefused, is_grant_of
from broker.oidc_op.token_status import check_asker_proves_itself, read_token_asked_about
from broker.oidc_op.userinfo import AccessTokenRefused


@dataclass(frozen=True, slots=True)
class StatusPorts:
    """What questions about tokens work with."""

    issuer: str
    userinfo: str
    state: SealedState = field(repr=False)
    clients: ClientLogin
    access: AccessTokens
    families: RefreshFamilies
    audit: AuditLog
    clock: Clock


class TokenStatus:
    """Answers the introspection and revocation endpoints. Keeps nothing between calls."""

    def __init__(self, ports: StatusPorts) -> None:
        self._ports = ports

    async def introspect(
        self, form: Sequence[tuple[str, str]], proof: CallerProof
    ) -> Mapping[str, object]:
        """Return what a token is good for, to whom it may be told (RFC 7662 2.2).

        Raises:
            ClientNotAuthenticated, ClientAuthenticationAmbiguous: who calls is not proven.
            TokenParameterMissing: no token is asked about.
            StoreUnavailable
        """
        now = self._ports.clock()
        clients = self._ports.clients
        asker = await clients.authenticate_asker(form, proof, now=now)
        if isinstance(asker, AuthenticatedClient):
            check_asker_proves_itself(asker)
        await claim_once(clients.used_once(asker, now=now), state=self._ports.state)
        token = read_token_asked_about(form)
        presented = parse_refresh_token(token)
        try:
            if presented is None:
                return await self._tell_access(token, asker, now=now)
            if isinstance(asker, AuthenticatedApi):
                return INACTIVE
            return await self._tell_refresh(presented, asker, now=now)
        except (AccessTokenRefused, GrantRefused):
            return INACTIVE

    async def revoke(self, form: Sequence[tuple[str, str]], proof: CallerProof) -> None:
        """End a token of the caller's own; with a refresh token all that its family gave.

        Raises as `introspect`.
        """
        now = self._ports.clock()
        client = await self._authenticate(form, proof, now=now)
        token = read_token_asked_about(form)
        presented = parse_refresh_token(token)
        try:
            if presented is not None:
                await self._revoke_refresh(presented, client)
            else:
                await self._revoke_access(token, client, now=now)
        except (AccessTokenRefused, GrantRefused):
            return  # RFC 7009 2.2: it is as the client wishes already

    async def _authenticate(
        self, form: Sequence[tuple[str, str]], proof: CallerProof, *, now: datetime
    ) -> AuthenticatedClient:
        """Return who calls, once what it showed that counts once is used up."""
        clients = self._ports.clients
        client = await clients.authenticate(form, proof, now=now)
        await claim_once(clients.used_once(client, now=now), state=self._ports.state)
        return client

    async def _tell_access(
        self, token: str, asker: AuthenticatedClient | AuthenticatedApi, *, now: datetime
    ) -> Mapping[str, object]:
        ports = self._ports
        found = await ports.access.find(token, now=now)
        if not may_be_told(found, asker):
            return INACTIVE
        await ports.access.check_open(found, now=now)
        return build_introspection(
            found.record.grant,
            token=found.signed,
            issuer=ports.issuer,
            userinfo=ports.userinfo,
            now=now,
        )

    async def _tell_refresh(
        self, presented: PresentedRefreshToken, client: AuthenticatedClient, *, now: datetime
    ) -> Mapping[str, object]:
        handle, family = await self._ports.families.open(presented)
        counts = self._ports.families.counts(presented, handle, family.number)
        if not (counts and is_grant_of(family.grant, client) and family.ends_at > now):
            return INACTIVE
        grant = family.grant
        step_seconds = step_of(int((family.ends_at - grant.issued_at).total_seconds()))
        return {
            "active": True,
            "iss": self._ports.issuer,
            "sub": grant.pseudonym,
            "client_id": grant.client_id,
            "scope": " ".join(grant.scopes),
            "exp": time_for_supplier(
                family.ends_at, exact=grant.exact_times, step_seconds=step_seconds
            ),
        }

    async def _revoke_access(
        self, token: str, client: AuthenticatedClient, *, now: datetime
    ) -> None:
        found = await self._ports.access.find(token, now=now)
        if found.record.grant.client_id == client.client_id:
            with store_in_words():
                await self._ports.state.delete(USERINFO, found.handle)
            self._note("access-token-revoked", client)

    async def _revoke_refresh(
        self, presented: PresentedRefreshToken, client: AuthenticatedClient
    ) -> None:
        handle, family = await self._ports.families.open(presented)
        if is_grant_of(family.grant, client):  # also by an old token: it was this client's
            await self._ports.families.end(handle)
            self._note("refresh-token-revoked", client)

    def _note(self, action: str, client: AuthenticatedClient) -> None:
        party = client.client.relying_party
        self._ports.audit.record(
            AuditEvent(action=action, supplier=party.supplier, relying_party=party.id)
        )


def may_be_told(found: FoundToken, asker: AuthenticatedClient | AuthenticatedApi) -> bool:
    """Tell whether a token's pseudonym belongs to who asks, and for an API, the token too."""
    supplier, grant = found.record.between.supplier, found.record.grant
    if isinstance(asker, AuthenticatedApi):
        return asker.supplier.id == supplier and asker.api.resource in grant.resources
    return asker.client.relying_party.supplier == supplier
