"""Access tokens: an opaque handle of what we keep, or a signed one that an API reads (RFC 9068).

Both stand for one `UserinfoGrant` in the login store. A signed one names that record by its `jti`,
so that whoever asks us (userinfo, introspection) learns the truth of this moment, revocation
included; an API that verifies it by itself learns of a revocation when the token ends, which is
soon. Its `sub` is the supplier's own pseudonym, and its audience an API of that supplier or our
userinfo: `request_checks.check_resource_registered` lets no other API be named.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from broker.jose.keys import KeySet, SigningKey
from broker.jose.tokens import TokenRefused, sign_token, verify_token
from broker.oidc_op.claims import step_of, time_for_supplier
from broker.oidc_op.grants import UserinfoGrant
from broker.oidc_op.sender_keys import build_confirmation
from broker.oidc_op.userinfo import AccessTokenRefused

ACCESS_TOKEN_TYP = "at+jwt"
DOTS_OF_A_JWT = 2  # RFC 7515 7.1; no other token of ours has so many
SIGNED_WITH = ("ES256", "RS256", "PS256", "EdDSA")


@dataclass(frozen=True, slots=True)
class SignedAccessToken:
    """An access token of ours whose signature and times were verified.

    Attributes:
        jti: text of the handle of what it stands for.
    """

    jti: str = field(repr=False)
    claims: Mapping[str, object] = field(repr=False)


def is_signed_form(token: str) -> bool:
    """Tell whether a token has the form of a signed one.

    >>> is_signed_form("e30.e30.c2ln"), is_signed_form("A" * 43)
    (True, False)
    """
    return token.count(".") == DOTS_OF_A_JWT


def audience_of(grant: UserinfoGrant, *, userinfo: str) -> str | list[str]:
    """Return where a token may be used: the APIs that it was asked for, else our userinfo."""
    named = grant.resources or (userinfo,)
    return named[0] if len(named) == 1 else list(named)


def build_access_token(
    grant: UserinfoGrant,
    *,
    issuer: str,
    userinfo: str,
    key: SigningKey,
    jti: str,
    life_seconds: int,
    now: datetime,
) -> tuple[str, int]:
    """Return a signed access token (RFC 9068 2.2), and how many seconds it has to live.

    Args:
        userinfo: URL of our endpoint.
        jti: text of the handle under which the grant is kept; nobody else has it.
        life_seconds: from `iat` to `exp`.
        now: aware UTC; told no finer than `claims` says.
    """
    issued_at = time_for_supplier(now, exact=grant.exact_times, step_seconds=step_of(life_seconds))
    claims: dict[str, object] = {
        "iss": issuer,
        "sub": grant.sub,
        "aud": audience_of(grant, userinfo=userinfo),
        "client_id": grant.client_id,
        "iat": issued_at,
        "exp": issued_at + life_seconds,
        "jti": jti,
        "scope": " ".join(grant.scopes),
        **_about_the_login(grant, issued_at=issued_at),
    }
    expires_in = issued_at + life_seconds - int(now.timestamp())
    return sign_token(claims, key=key, typ=ACCESS_TOKEN_TYP), expires_in


def read_access_token(token: str, *, keys: KeySet, issuer: str, now: datetime) -> SignedAccessToken:
    """Return a signed access token of ours.

    Args:
        keys: those with which we sign or did.

    Raises:
        AccessTokenRefused: not ours, over, or signed for another purpose: an ID token, a logout
            token or a userinfo answer is no access token (RFC 8725 3.11, RFC 9068 4).
    """
    try:
        signed = verify_token(token, keys=keys, algorithms=SIGNED_WITH)
    except TokenRefused as refused:
        raise AccessTokenRefused(refused.check) from None
    if signed.typ != ACCESS_TOKEN_TYP:
        raise AccessTokenRefused("check_access_token_typ")
    if signed.claims.get("iss") != issuer:
        raise AccessTokenRefused("check_access_token_issuer")
    expires_at, jti = signed.claims.get("exp"), signed.claims.get("jti")
    if not isinstance(expires_at, int) or expires_at <= now.timestamp():
        raise AccessTokenRefused("check_access_token_expiry")
    return SignedAccessToken(jti if isinstance(jti, str) else "", signed.claims)


def build_introspection(
    grant: UserinfoGrant,
    *,
    token: SignedAccessToken | None,
    issuer: str,
    userinfo: str,
    now: datetime,
) -> dict[str, object]:
    """Return what an access token is good for (RFC 7662 2.2); released claims are not in it.

    Args:
        token: the token itself, if it is a signed one: both must say the same.
    """
    if token is not None:
        told: dict[str, object] = dict(token.claims)
    else:
        step = step_of(max(1, int((grant.ends_at - grant.issued_at).total_seconds())))
        issued_at, ends_at = (
            time_for_supplier(each, exact=grant.exact_times, step_seconds=step)
            for each in (grant.issued_at, grant.ends_at)
        )
        told = {
            "iss": issuer,
            "sub": grant.sub,
            "aud": audience_of(grant, userinfo=userinfo),
            "client_id": grant.client_id,
            "iat": issued_at,
            # Never over while it is not: whoever kept that answer would ask no more.
            "exp": max(ends_at, int(now.timestamp()) + 1),
            "scope": " ".join(grant.scopes),
            **_about_the_login(grant, issued_at=issued_at),
        }
    return {"active": True, "token_type": grant.key.token_type, **told}


INACTIVE: Mapping[str, object] = {"active": False}
"""RFC 7662 2.2 and 4: all that is told of a token that is not good, or not the caller's to see."""


def _about_the_login(grant: UserinfoGrant, *, issued_at: int) -> dict[str, object]:
    """RFC 9068 2.2.1 and 7800 3.1: how the person logged in, and whose token it is."""
    told: dict[str, object] = {}
    if grant.acr:
        told["acr"] = grant.acr
    if grant.authenticated_at is not None:
        moment = time_for_supplier(grant.authenticated_at, exact=grant.exact_times)
        told["auth_time"] = min(moment, issued_at)
    confirmation = build_confirmation(grant.key)
    if confirmation is not None:
        told["cnf"] = confirmation
    return told
