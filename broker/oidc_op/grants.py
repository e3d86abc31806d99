"""What a code and an access token stand for. The flow keeps these sealed; nothing else does."""

from datetime import datetime, timedelta

import msgspec

from broker.domain.ids import RelyingPartyId
from broker.oidc_op.sender_keys import BEARER, SenderKey
from broker.pseudonyms.derivation import Pseudonym

Claims = dict[str, str | list[str]]
"""Released claims by outgoing name: one text, or a list where the attribute is multi-valued."""


class OidcGrant(msgspec.Struct, frozen=True, kw_only=True):
    """What an authorization code stands for. Taken once (RFC 6749 4.1.2).

    Attributes:
        redirect_uri: of the authorization request; the token request must repeat it.
        code_challenge: of the authorization request; None when it had none.
        previous: told as `previous_sub`, the same supplier's name for the same person of before.
        claims: of the ID token: released claims only, linted against the decision when this was
            made.
        userinfo_claims: likewise; None when they are the same.
        authenticated_at: what the supplier may know of when this login took place, aware UTC: our
            own moment unless the request forced the login; None when the supplier did not ask.
        acr: the level of the login; "" when not stated.
        sid: of our session, random per supplier; None when there is none.
        exact_times: the request forced this login, so its times are not floored.
        dpop_jkt: thumbprint of the key by which alone the code is redeemed; "" for any.
        resources: APIs of the supplier for which the access token is (RFC 8707); none: userinfo.
        issued_at: when the code was given, aware UTC.
    """

    relying_party: RelyingPartyId
    client_id: str
    redirect_uri: str
    code_challenge: str | None = None
    nonce: str | None = None
    pseudonym: Pseudonym
    previous: Pseudonym | None = None
    claims: Claims
    userinfo_claims: Claims | None = None
    authenticated_at: datetime | None = None
    acr: str = ""
    sid: str | None = None
    exact_times: bool = False
    scopes: tuple[str, ...] = ("openid",)
    dpop_jkt: str = ""
    resources: tuple[str, ...] = ()
    issued_at: datetime

    def __repr__(self) -> str:
        return f"OidcGrant(relying_party={self.relying_party!r}, ...)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("relying_party", self.relying_party)]


class UserinfoGrant(msgspec.Struct, frozen=True, kw_only=True):
    """What an access token stands for: the claims of one login, for one client.

    Attributes:
        client_id: to whom it was given; nobody else is told any claim.
        sub, previous: the pseudonyms, equal to the ID token's.
        scopes, resources, acr, authenticated_at, exact_times: as of `OidcGrant`.
        signed: the token is a JWT that names this by its `jti`; else it is the handle itself.
        key: to which key of the client it is bound.
        issued_at, ends_at: aware UTC.
    """

    client_id: str
    sub: Pseudonym
    previous: Pseudonym | None = None
    claims: Claims
    scopes: tuple[str, ...] = ("openid",)
    resources: tuple[str, ...] = ()
    acr: str = ""
    authenticated_at: datetime | None = None
    exact_times: bool = False
    signed: bool = False
    key: SenderKey = BEARER
    issued_at: datetime
    ends_at: datetime

    def __repr__(self) -> str:
        return f"UserinfoGrant(client_id={self.client_id!r}, ...)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("client_id", self.client_id)]


def userinfo_grant_of(
    grant: OidcGrant, *, signed: bool, issued_at: datetime, ttl_seconds: int
) -> UserinfoGrant:
    """Return what the access token of a redeemed code stands for, bound to nobody yet."""
    return UserinfoGrant(
        client_id=grant.client_id,
        sub=grant.pseudonym,
        previous=grant.previous,
        claims=grant.claims if grant.userinfo_claims is None else grant.userinfo_claims,
        scopes=grant.scopes,
        resources=grant.resources,
        acr=grant.acr,
        authenticated_at=grant.authenticated_at,
        exact_times=grant.exact_times,
        signed=signed,
        issued_at=issued_at,
        ends_at=issued_at + timedelta(seconds=ttl_seconds),
    )
