"""From a token response to a verified ID token (OIDC Core 3.1.3.3 and 3.1.3.7).

The procedure, whose numbers recur in the body of `check_token_response`:

1. The body is one JSON object within a size cap, of type Bearer, with access token and ID token;
   a response without ID token is a failure.
2. The ID token is signed by a registered key of this provider with a registered algorithm, never
   `none` or HMAC; a key that the token brings along is refused; an unknown key name is its own
   refusal, so that the key set is fetched anew once.
3. `iss` is exactly the registered issuer.
4. `aud` is us; with several audiences, `azp` is present; `azp`, when present, is us.
5. `exp` and `iat` are finite and sane numbers, `exp` is not over, `iat` and `nbf` not to come.
6. `nonce` is the one that we sent.
7. `sub` is a text that is not blank, at most 255 characters.
8. `auth_time` is not older than was asked, and after the moment at which a new login was asked.
9. `at_hash`, when present, is that of the access token.
"""

import base64
import hashlib
import hmac
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from broker.domain.federation import OidcIdpEndpoints
from broker.jose.keys import KeySet
from broker.jose.tokens import SignedClaims, TokenKeyUnknown, TokenRefused, verify_token
from broker.oidc_rp.refusals import (
    IdTokenRefused,
    IdTokenSignatureRefused,
    LoginTooOld,
    TokenResponseRefused,
    UnknownKey,
)

MAX_TOKEN_RESPONSE_BYTES = 65536
SKEW_SECONDS = 60  # how far a school's clock may be from ours, both ways
MAX_ID_TOKEN_LIFE_SECONDS = 24 * 60 * 60  # a longer life is a mistake, not a login
MAX_ID_TOKEN_AGE_SECONDS = 600  # it comes straight from the token endpoint
MAX_SUBJECT_CHARS = 255  # OIDC Core 2

_HASH_OF = {
    # OIDC Core 3.1.3.6: the hash of the signature's algorithm. EdDSA names none in its header;
    # Ed25519 hashes with SHA-512 (RFC 8032 5.1).
    "256": "sha256",
    "384": "sha384",
    "512": "sha512",
    "DSA": "sha512",
    "519": "sha512",
}


@dataclass(frozen=True, slots=True)
class ExpectedIdToken:
    """What an ID token is compared with."""

    endpoints: OidcIdpEndpoints
    nonce: str = field(repr=False)
    now_seconds: float
    max_age_seconds: int | None
    login_forced_at: datetime | None
    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class VerifiedIdToken:
    """An ID token after every step. Made by `check_token_response` only.

    Attributes:
        subject: `sub`, exact as sent.
        authenticated_at: `auth_time`, or `iat` when the provider does not state it; aware UTC.
        acr: "" when not stated.
        access_token: for userinfo.
    """

    issuer: str
    subject: str = field(repr=False)
    authenticated_at: datetime
    acr: str
    claims: Mapping[str, object] = field(repr=False)
    access_token: str = field(repr=False)


def check_token_response(
    body: bytes,
    *,
    endpoints: OidcIdpEndpoints,
    keys: KeySet,
    expected_nonce: str,
    now: datetime,
    max_age_seconds: int | None = None,
    login_forced_at: datetime | None = None,
) -> VerifiedIdToken:
    """Run the numbered procedure of this module.

    Args:
        body: of a 200 answer of the registered token endpoint.
        keys: registered keys of this provider; none means no login.
        now: aware UTC.
        max_age_seconds: as sent to the provider; None is any age.
        login_forced_at: when we asked for a new login; None when we did not.

    Raises:
        TokenResponseRefused: step 1.
        IdTokenSignatureRefused, UnknownKey: step 2.
        IdTokenRefused: steps 3 to 7 and 9.
        LoginTooOld: step 8.
    """
    # 1. The body
    access_token, id_token = read_token_response(body)
    # 2. Who signed
    signed = verify_id_token(id_token, endpoints=endpoints, keys=keys)
    expected = ExpectedIdToken(
        endpoints, expected_nonce, now.timestamp(), max_age_seconds, login_forced_at, access_token
    )
    check_issuer(signed, expected)  # 3.
    check_audience(signed, expected)  # 4.
    check_times(signed, expected)  # 5.
    check_nonce(signed, expected)  # 6.
    check_subject(signed, expected)  # 7.
    check_login_recent(signed, expected)  # 8.
    check_access_token_hash(signed, expected)  # 9.
    claims = signed.claims
    acr = claims.get("acr")
    logged_in_at = _instant(claims, "auth_time")
    return VerifiedIdToken(
        issuer=endpoints.issuer,
        subject=str(claims["sub"]),
        authenticated_at=datetime.fromtimestamp(
            required_instant(claims, "iat") if logged_in_at is None else logged_in_at, UTC
        ),
        acr=acr if isinstance(acr, str) else "",
        claims=claims,
        access_token=access_token,
    )


def read_token_response(body: bytes) -> tuple[str, str]:
    """OIDC Core 3.1.3.3, RFC 6749 5.1: return access token and ID token."""
    if len(body) > MAX_TOKEN_RESPONSE_BYTES:
        raise TokenResponseRefused("check_token_response_size")
    try:
        answer = msgspec.json.decode(body, type=dict[str, object])
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        raise TokenResponseRefused("check_token_response_readable") from None
    token_type, access_token = answer.get("token_type"), answer.get("access_token")
    id_token = answer.get("id_token")
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise TokenResponseRefused("check_token_type")
    if not isinstance(access_token, str) or not access_token.isascii() or not access_token:
        raise TokenResponseRefused("check_access_token_present")
    if not isinstance(id_token, str) or not id_token:
        raise TokenResponseRefused("check_id_token_present")
    return access_token, id_token


def verify_id_token(id_token: str, *, endpoints: OidcIdpEndpoints, keys: KeySet) -> SignedClaims:
    """OIDC Core 3.1.3.7 rules 6 to 8, with the registered algorithms and keys only."""
    try:
        return verify_token(id_token, keys=keys, algorithms=endpoints.algorithms)
    except TokenKeyUnknown as unknown:
        raise UnknownKey(unknown.check) from None
    except TokenRefused as refused:
        raise IdTokenSignatureRefused(refused.check) from None


def check_issuer(signed: SignedClaims, expected: ExpectedIdToken) -> None:
    """OIDC Core 3.1.3.7 rule 2."""
    if signed.claims.get("iss") != expected.endpoints.issuer:
        raise IdTokenRefused("check_issuer")


def check_audience(signed: SignedClaims, expected: ExpectedIdToken) -> None:
    """OIDC Core 3.1.3.7 rules 3 to 5: us alone, or `azp` is us as well."""
    client_id, audience = expected.endpoints.client_id, signed.claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or client_id not in audiences:
        raise IdTokenRefused("check_audience")
    alone = all(each == client_id for each in audiences)
    if signed.claims.get("azp", client_id if alone else None) != client_id:
        raise IdTokenRefused("check_authorized_party")


def check_times(signed: SignedClaims, expected: ExpectedIdToken) -> None:
    """OIDC Core 3.1.3.7 rules 9 and 10, with one skew and caps on life and age."""
    now = expected.now_seconds
    expires_at = required_instant(signed.claims, "exp")
    issued_at = required_instant(signed.claims, "iat")
    not_before = _instant(signed.claims, "nbf")
    if not now - SKEW_SECONDS < expires_at <= now + MAX_ID_TOKEN_LIFE_SECONDS:
        raise IdTokenRefused("check_expiry")
    if not now - MAX_ID_TOKEN_AGE_SECONDS <= issued_at <= now + SKEW_SECONDS:
        raise IdTokenRefused("check_issued_at")
    if not_before is not None and not_before > now + SKEW_SECONDS:
        raise IdTokenRefused("check_not_before")


def check_nonce(signed: SignedClaims, expected: ExpectedIdToken) -> None:
    """OIDC Core 3.1.3.7 rule 11: we always send one, so it is always there."""
    nonce = signed.claims.get("nonce")
    if not isinstance(nonce, str) or not expected.nonce:
        raise IdTokenRefused("check_nonce")
    if not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise IdTokenRefused("check_nonce")


def check_subject(signed: SignedClaims, _: ExpectedIdToken) -> None:
    """OIDC Core 2: at most 255 characters; a blank one would make many people one."""
    subject = signed.claims.get("sub")
    if not isinstance(subject, str) or not subject.strip() or len(subject) > MAX_SUBJECT_CHARS:
        raise IdTokenRefused("check_subject")


def check_login_recent(signed: SignedClaims, expected: ExpectedIdToken) -> None:
    """OIDC Core 3.1.3.7 rule 13 and 3.1.2.1: `auth_time` must be stated when an age was asked.

    A new login that was asked for is proven by `auth_time` alone: without it, nothing shows that
    the provider did not answer from an old session.
    """
    logged_in_at = _instant(signed.claims, "auth_time")
    asked = expected.max_age_seconds is not None or expected.login_forced_at is not None
    if logged_in_at is None:
        if asked:
            raise LoginTooOld("check_auth_time_present")
        return
    if logged_in_at > expected.now_seconds + SKEW_SECONDS:
        raise IdTokenRefused("check_auth_time_past")
    if expected.login_forced_at is not None:
        check, oldest = "check_login_after_request", expected.login_forced_at.timestamp()
    else:  # a new login satisfies any age, so this is asked only without one
        max_age = math.inf if expected.max_age_seconds is None else expected.max_age_seconds
        check, oldest = "check_login_within_max_age", expected.now_seconds - max_age
    if logged_in_at < oldest - SKEW_SECONDS:
        raise LoginTooOld(check)


def check_access_token_hash(signed: SignedClaims, expected: ExpectedIdToken) -> None:
    """OIDC Core 3.1.3.8: the left half of the access token's hash."""
    stated = signed.claims.get("at_hash")
    if stated is None:
        return
    digest = hashlib.new(_HASH_OF[signed.algorithm[-3:]], expected.access_token.encode()).digest()
    left_half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    if not isinstance(stated, str) or not hmac.compare_digest(stated.encode(), left_half):
        raise IdTokenRefused("check_access_token_hash")


def required_instant(claims: Mapping[str, object], name: str) -> float:
    """Return a NumericDate that must be there (RFC 7519 2)."""
    value = _instant(claims, name)
    if value is None:
        raise IdTokenRefused("check_times_present")
    return value


def _instant(claims: Mapping[str, object], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        raise IdTokenRefused("check_times_readable")
    return float(value)
