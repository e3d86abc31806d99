"""The token endpoint of an OpenID Connect supplier, and userinfo.

One take redeems a code and uses up the client assertion's `jti`; a second use of a code, also a
raced one, ends what the first one got: the access token, in whichever form, and the refresh family
(RFC 6749 4.1.2). A put follows only where the token is bound to a key of the client, or is for
fewer APIs than the login named. Refresh tokens are `broker.flow.tokens.refreshing`'s business.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.client_login import ClientLogin, UsedOnce
from broker.flow.following.trail import Outcome, current_trail
from broker.flow.held_state.browser_steps import store_in_words
from broker.flow.held_state.handles import Handle, parse_handle
from broker.flow.held_state.login_store import Absent, ClaimedBefore, Put, TakenBefore
from broker.flow.held_state.records import (
    ACCESS_TOKEN,
    CODE_TTL_SECONDS,
    FAMILY,
    GRANT,
    REFRESH,
    USERINFO,
    GrantRecord,
    UserinfoRecord,
)
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.ports import Clock, FlowKeys, Snapshots
from broker.flow.sender_proofs import SenderProofs
from broker.flow.tokens.access import CLOSED, AccessTokens, follow
from broker.flow.tokens.claimed_once import claim_once
from broker.flow.tokens.id_tokens import IdTokens
from broker.flow.tokens.refresh_families import RefreshFamilies
from broker.flow.tokens.refreshing import Refresher
from broker.oidc_op.caller_proof import CallerProof
from broker.oidc_op.client_auth import AuthenticatedClient
from broker.oidc_op.grants import userinfo_grant_of
from broker.oidc_op.jwks import choose_signing_key
from broker.oidc_op.presented_tokens import parse_presented_token
from broker.oidc_op.refresh import (
    REFRESH_TOKEN,
    check_resources_within,
    is_refreshable,
    narrow_resources,
)
from broker.oidc_op.sender_keys import SenderKey
from broker.oidc_op.token import (
    GrantRefused,
    TokenRequest,
    TokenResponse,
    check_code_bound,
    check_token_request,
    parse_token_request,
    read_code,
)
from broker.oidc_op.userinfo import AccessTokenRefused, build_userinfo
from broker.oidc_op.userinfo_token import sign_userinfo


class TokenFlow:
    """Answers the token and userinfo endpoints over its ports. Keeps nothing between calls."""

    def __init__(
        self,
        *,
        issuer: str,
        snapshots: Snapshots,
        state: SealedState,
        clients: ClientLogin,
        senders: SenderProofs,
        access: AccessTokens,
        families: RefreshFamilies,
        refresher: Refresher,
        id_tokens: IdTokens,
        keys: FlowKeys,
        audit: AuditLog,
        clock: Clock,
    ) -> None:
        self._issuer = issuer
        self._snapshots = snapshots
        self._state = state
        self._clients = clients
        self._senders = senders
        self._access = access
        self._families = families
        self._refresher = refresher
        self._id_tokens = id_tokens
        self._keys = keys
        self._audit = audit
        self._clock = clock

    async def redeem(self, form: Sequence[tuple[str, str]], proof: CallerProof) -> TokenResponse:
        """Return the tokens for a code or a refresh token, to the client that it was given to.

        Raises:
            ClientNotAuthenticated, ClientAuthenticationAmbiguous: who calls is not proven.
            GrantTypeRefused: a grant that we do not offer: password, device, implicit, token
                exchange (RFC 8693) and whatever else.
            GrantRefused: the code is not there, not this client's, was used before, or somebody
                who stands behind it was switched off since.
            Refusal: of `oidc_op`, or the store is unsure.
        """
        request = parse_token_request(form)
        now = self._clock()
        client = await self._clients.authenticate(form, proof, now=now)
        sender = self._senders.prove(
            client.client, proof, endpoint=lambda each: each.token, now=now
        )
        once, shown = self._clients.used_once(client, now=now) + sender.once, sender.key
        if request.grant_type == REFRESH_TOKEN:
            return await self._refresher.refresh(
                request, client=client, shown=shown, once=once, now=now
            )
        return await self._redeem(request, client, shown, once, now=now)

    async def _redeem(
        self,
        request: TokenRequest,
        client: AuthenticatedClient,
        shown: SenderKey,
        once: UsedOnce,
        *,
        now: datetime,
    ) -> TokenResponse:
        code, record = await self._take(read_code(request), once)
        redeemed = check_token_request(request, record.grant, client=client)
        check_code_bound(record.grant, shown)
        check_resources_within(request.resource, record.grant.resources)
        try:
            parties = await self._access.check_between(record.between, now=now)
        except CLOSED as closed:
            raise GrantRefused(closed.check) from None
        known = client.client
        id_token = self._id_tokens.write(redeemed, now=now)
        handle = self._state.derive_handle(code, ACCESS_TOKEN)
        grant = replace(
            userinfo_grant_of(
                record.grant,
                signed=known.signs_access_tokens,
                issued_at=record.grant.issued_at,
                ttl_seconds=CODE_TTL_SECONDS + known.profile.access_token_ttl_seconds,
            ),
            resources=narrow_resources(request.resource, record.grant.resources),
            key=shown,
        )
        access_token, expires_in = self._access.write(grant, handle, client=known, now=now)
        family = self._state.derive_handle(code, FAMILY) if is_refreshable(record.grant) else None
        if shown or grant.resources != record.grant.resources:
            kept = UserinfoRecord(
                login=record.login,
                grant=grant,
                between=record.between,
                family="" if family is None else family.text,
            )
            await self._bind(kept, handle, family, shown, client, now=now)
        self._audit.record(
            AuditEvent(
                action="redeemed",
                supplier=parties.supplier.id,
                relying_party=parties.relying_party.id,
            )
        )
        current_trail().outcome = Outcome.REDEEMED
        return TokenResponse(
            access_token=access_token,
            token_type=shown.token_type,
            expires_in=expires_in,
            id_token=id_token,
            scope=" ".join(record.grant.scopes),
            refresh_token=msgspec.UNSET if family is None else self._families.write(family, 0),
        )

    async def userinfo(
        self, form: Sequence[tuple[str, str]], proof: CallerProof, *, method: str = "GET"
    ) -> Mapping[str, str | list[str]] | str:
        """Return what whom an access token belongs to may see: its own login's claims.

        A client whose document says so gets them as a signed token (OIDC Core 5.3.2).

        Args:
            method: of the request, which a proof of possession must name.

        Raises:
            AccessTokenMissing, AccessTokenAmbiguous, AccessTokenRefused: and of `sender_proofs`,
                where the token is bound to a key.
            StoreUnavailable
        """
        now = self._clock()
        presented = parse_presented_token(form, proof)
        found = await self._access.find(presented.unverified_token, now=now)
        await self._access.check_open(found, now=now)
        grant = found.record.grant
        if grant.resources:  # it is for an API, which must not learn claims by it
            raise AccessTokenRefused("check_access_token_for_userinfo")
        client, claims = build_userinfo(grant, registry=self._snapshots.registry)
        once = self._senders.check_use(
            grant.key,
            presented,
            proof,
            endpoint=lambda each: each.userinfo,
            method=method,
            nonce_required=client.profile.dpop_nonce_required,
            given_at=grant.issued_at,
            now=now,
        )
        await claim_once(once, state=self._state)
        algorithm = client.oidc.userinfo_algorithm
        if algorithm is None:
            return claims
        return sign_userinfo(
            claims,
            issuer=self._issuer,
            client_id=client.oidc.client_id,
            key=choose_signing_key(self._keys.token, algorithm=algorithm),
        )

    async def _take(self, unverified_code: str, once: UsedOnce) -> tuple[Handle, GrantRecord]:
        """Return what the code stands for, once; with it what counts once is used up."""
        try:
            handle = parse_handle(unverified_code)
        except Absent:
            raise GrantRefused("check_code_form") from None
        try:
            with store_in_words(known=(Absent, TakenBefore, ClaimedBefore)):
                record = await self._state.take(GRANT, handle, claims=once.claims)
        except Absent:
            raise GrantRefused("check_code_known") from None
        except ClaimedBefore as claimed:
            raise once.refusal_of(claimed) from None
        except TakenBefore:
            await self._revoke(handle)
            raise GrantRefused("check_code_used_once") from None
        follow(record)
        return handle, record

    async def _revoke(self, code: Handle) -> None:
        """End what the first use of this code gave, in one trip."""
        state = self._state
        ended = (
            state.locate(USERINFO, state.derive_handle(code, ACCESS_TOKEN)),
            state.locate(REFRESH, state.derive_handle(code, FAMILY)),
        )
        with store_in_words():
            await state.end(*ended, tombstone_ttl_seconds=USERINFO.tombstone_ttl_seconds)

    async def _bind(
        self,
        kept: UserinfoRecord,
        handle: Handle,
        family: Handle | None,
        shown: SenderKey,
        client: AuthenticatedClient,
        *,
        now: datetime,
    ) -> None:
        """Keep what was proven with this request in what the tokens stand for.

        Raises:
            GrantRefused: the code was used a second time meanwhile.
        """
        state = self._state
        left = int((kept.grant.ends_at - now).total_seconds())
        try:
            with store_in_words(known=(TakenBefore, Absent)):
                puts: list[Put] = [
                    state.seal_under(handle, USERINFO, kept, ttl_seconds=max(1, left))
                ]
                lives = client.client.refresh
                is_public = client.client.oidc.is_public
                if shown and is_public and family is not None and lives is not None:
                    # RFC 9449 5: the refresh tokens of a public client are bound as well.
                    opened = await state.get(REFRESH, family)
                    bound = replace(opened, bound_to=shown)
                    puts.append(
                        state.seal_under(family, REFRESH, bound, ttl_seconds=lives.idle_seconds)
                    )
                await state.put(*puts)
        except (TakenBefore, Absent):
            raise GrantRefused("check_code_used_once") from None
