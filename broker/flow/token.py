"""The back channel of an OpenID Connect supplier: redeem a code, and ask userinfo.

One take redeems a code and uses up the client assertion's `jti`; a second use of a code, also a
raced one, ends the access token that the first one got (RFC 6749 4.1.2).
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime

from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.client_login import ClientLogin
from broker.flow.following.trail import Outcome, current_trail
from broker.flow.held_state.browser_steps import store_in_words
from broker.flow.held_state.handles import Handle, parse_handle
from broker.flow.held_state.login_store import Absent, ClaimedBefore, TakenBefore
from broker.flow.held_state.records import (
    ACCESS_TOKEN,
    GRANT,
    USERINFO,
    GrantRecord,
    UserinfoRecord,
)
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.parties import check_still_open
from broker.flow.ports import Clock, FlowKeys, Random, Snapshots
from broker.flow.refusals import AgreementChanged, SchoolNotOpen, StatesDiffer, SupplierNotOpen
from broker.flow.release import day_of
from broker.oidc_op.caller_proof import CallerProof
from broker.oidc_op.claims import build_id_token
from broker.oidc_op.client_auth import AuthenticatedClient
from broker.oidc_op.jwks import choose_signing_key
from broker.oidc_op.token import (
    GrantRefused,
    TokenResponse,
    build_token_response,
    check_token_request,
    parse_token_request,
    read_code,
)
from broker.oidc_op.userinfo import AccessTokenRefused, build_userinfo, parse_bearer_token

JTI_BYTES = 16  # 128 bits; NL GOV asks for at least that

_CLOSED = (SupplierNotOpen, SchoolNotOpen, StatesDiffer, AgreementChanged)


class TokenFlow:
    """Answers the token and userinfo endpoints over its ports. Keeps nothing between calls."""

    def __init__(
        self,
        *,
        issuer: str,
        snapshots: Snapshots,
        state: SealedState,
        clients: ClientLogin,
        keys: FlowKeys,
        audit: AuditLog,
        clock: Clock,
        random: Random,
    ) -> None:
        self._issuer = issuer
        self._snapshots = snapshots
        self._state = state
        self._clients = clients
        self._keys = keys
        self._audit = audit
        self._clock = clock
        self._random = random

    async def redeem(self, form: Sequence[tuple[str, str]], proof: CallerProof) -> TokenResponse:
        """Return the tokens for a code, to the client that it was given to.

        Raises:
            ClientNotAuthenticated, ClientAuthenticationAmbiguous: who calls is not proven.
            GrantRefused: the code is not there, not this client's, was used before, or somebody
                who stands behind it was switched off since.
            Refusal: of `oidc_op`, or the store is unsure.
        """
        request = parse_token_request(form)
        now = self._clock()
        client = await self._clients.authenticate(form, proof, now=now)
        record = await self._take(read_code(request), client, now=now)
        redeemed = check_token_request(request, record.grant, client=client)
        try:
            parties = check_still_open(
                record.between, registry=self._snapshots.registry, today=day_of(now)
            )
        except _CLOSED as closed:
            raise GrantRefused(closed.check) from None
        id_token = build_id_token(
            redeemed,
            issuer=self._issuer,
            key=choose_signing_key(
                self._keys.token, algorithm=client.client.oidc.id_token_algorithm
            ),
            now=now,
            jti=urlsafe_b64encode(self._random(JTI_BYTES)).rstrip(b"=").decode(),
        )
        access_token = self._state.derive_handle(
            parse_handle(read_code(request)), ACCESS_TOKEN
        ).text
        self._audit.record(
            AuditEvent(
                action="redeemed",
                supplier=parties.supplier.id,
                relying_party=parties.relying_party.id,
            )
        )
        current_trail().outcome = Outcome.REDEEMED
        return build_token_response(redeemed, access_token=access_token, id_token=id_token)

    async def userinfo(
        self, form: Sequence[tuple[str, str]], proof: CallerProof
    ) -> dict[str, str | list[str]]:
        """Return what the bearer of an access token may see: its own login's claims.

        Raises:
            AccessTokenMissing, AccessTokenAmbiguous, AccessTokenRefused, StoreUnavailable
        """
        token = parse_bearer_token(form, authorization=proof.authorization)
        try:
            with store_in_words(known=(Absent,)):
                record = await self._state.get(USERINFO, parse_handle(token))
        except Absent:
            raise AccessTokenRefused("check_access_token_known") from None
        _follow(record)
        registry = self._snapshots.registry
        try:
            check_still_open(record.between, registry=registry, today=day_of(self._clock()))
        except _CLOSED as closed:
            raise AccessTokenRefused(closed.check) from None
        return build_userinfo(record.grant, registry=registry)

    async def _take(
        self, unverified_code: str, client: AuthenticatedClient, *, now: datetime
    ) -> GrantRecord:
        """Return what the code stands for, once; with it the client's `jti` is used up."""
        try:
            handle = parse_handle(unverified_code)
        except Absent:
            raise GrantRefused("check_code_form") from None
        once = self._clients.used_once(client, now=now)
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
        _follow(record)
        return record

    async def _revoke(self, code: Handle) -> None:
        """End what the first use of this code gave."""
        with store_in_words():
            await self._state.delete(USERINFO, self._state.derive_handle(code, ACCESS_TOKEN))


def _follow(record: GrantRecord | UserinfoRecord) -> None:
    """Note to which login the request in hand belongs."""
    trail, between = current_trail(), record.between
    trail.login, trail.relying_party, trail.idp = record.login, between.relying_party, between.idp
    trail.supplier_protocol = "oidc"
