"""Access tokens: what one stands for at this moment, and the making of one.

Everybody who asks us about a token asks here: userinfo, introspection, revocation.
"""

from dataclasses import dataclass, field
from datetime import datetime

from broker.domain.dutch_days import day_of
from broker.flow.following.trail import current_trail
from broker.flow.held_state.browser_steps import store_in_words
from broker.flow.held_state.handles import Handle, parse_handle
from broker.flow.held_state.login_store import Absent
from broker.flow.held_state.records import (
    REFRESH,
    USERINFO,
    GrantRecord,
    RefreshFamily,
    ReleasedBetween,
    UserinfoRecord,
)
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.parties import Parties, check_still_open
from broker.flow.ports import FlowKeys, Snapshots
from broker.flow.refusals import AgreementChanged, SchoolNotOpen, StatesDiffer, SupplierNotOpen
from broker.flow.shielding.shielded_logins import check_not_shielded_since
from broker.flow.shielding.shields import ShieldBook
from broker.jose.keys import key_set_of
from broker.oidc_op.access_tokens import (
    SignedAccessToken,
    build_access_token,
    is_signed_form,
    read_access_token,
)
from broker.oidc_op.clients import KnownClient
from broker.oidc_op.grants import UserinfoGrant
from broker.oidc_op.jwks import choose_signing_key
from broker.oidc_op.userinfo import AccessTokenRefused

CLOSED = (SupplierNotOpen, SchoolNotOpen, StatesDiffer, AgreementChanged)


@dataclass(frozen=True, slots=True)
class FoundToken:
    """What a token stands for.

    Attributes:
        signed: the token itself, if it is a signed one.
    """

    record: UserinfoRecord = field(repr=False)
    handle: Handle = field(repr=False)
    signed: SignedAccessToken | None


class AccessTokens:
    """Finds and makes access tokens. Keeps nothing between calls."""

    def __init__(
        self,
        *,
        issuer: str,
        userinfo: str,
        snapshots: Snapshots,
        state: SealedState,
        shields: ShieldBook,
        keys: FlowKeys,
    ) -> None:
        self._issuer = issuer
        self._userinfo = userinfo
        self._snapshots = snapshots
        self._state = state
        self._shields = shields
        self._keys = keys
        token = keys.token
        self._verified_by = key_set_of((*token.active, *token.retired))

    async def find(self, unverified_token: str, *, now: datetime) -> FoundToken:
        """Return what a token stands for, if it was given and did not end.

        Raises:
            AccessTokenRefused: it is not ours, over, revoked, or another kind of token.
            StoreUnavailable
        """
        signed, text = None, unverified_token
        if is_signed_form(unverified_token):
            signed = read_access_token(
                unverified_token, keys=self._verified_by, issuer=self._issuer, now=now
            )
            text = signed.jti
        try:
            handle = parse_handle(text)
            with store_in_words(known=(Absent,)):
                record = await self._state.get(USERINFO, handle)
                if record.family:
                    await self._state.get(REFRESH, parse_handle(record.family))
        except Absent:
            raise AccessTokenRefused("check_access_token_known") from None
        if record.grant.signed != (signed is not None):
            raise AccessTokenRefused("check_access_token_known")
        follow(record)
        return FoundToken(record, handle, signed)

    async def check_open(self, found: FoundToken, *, now: datetime) -> Parties:
        """Return whose token it is, if all who stand behind it are still open.

        Raises:
            AccessTokenRefused: somebody was switched off, or decided anew.
            RegisterUnavailable: nobody knows whether the person is shielded by now.
        """
        try:
            return await self.check_between(found.record.between, now=now)
        except CLOSED as closed:
            raise AccessTokenRefused(closed.check) from None

    async def check_between(self, between: ReleasedBetween, *, now: datetime) -> Parties:
        """Return to whom something was released, if all who stand behind it are still open.

        Raises:
            Refusal: one of `CLOSED`.
            RegisterUnavailable: nobody knows whether the person is shielded by now.
        """
        registry = self._snapshots.registry
        parties = check_still_open(between, registry=registry, today=day_of(now))
        supplier = parties.supplier
        await check_not_shielded_since(
            between.shields, supplier=supplier.id, name=supplier.display_name, book=self._shields
        )
        return parties

    def write(
        self, grant: UserinfoGrant, handle: Handle, *, client: KnownClient, now: datetime
    ) -> tuple[str, int]:
        """Return the text of a token whose record is kept under `handle`, and its seconds to live.

        Raises:
            SigningKeyMissing: its algorithm has no key.
        """
        life_seconds = client.profile.access_token_ttl_seconds
        if not grant.signed:
            return handle.text, life_seconds
        return build_access_token(
            grant,
            issuer=self._issuer,
            userinfo=self._userinfo,
            key=choose_signing_key(self._keys.token, algorithm=client.oidc.id_token_algorithm),
            jti=handle.text,
            life_seconds=life_seconds,
            now=now,
        )


def follow(record: GrantRecord | UserinfoRecord | RefreshFamily) -> None:
    """Note to which login the request in hand belongs."""
    trail, between = current_trail(), record.between
    trail.login, trail.relying_party, trail.idp = record.login, between.relying_party, between.idp
    trail.supplier_protocol = "oidc"
