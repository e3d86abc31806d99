"""A client that signs for itself: `private_key_jwt` (RFC 7523 3 as revised, OIDC Core 9).

The `jti` of an assertion comes back as a value that the flow claims once in the login store.

Deviation: `typ` may be absent or `JWT` (draft-ietf-oauth-rfc7523bis does not let servers insist on
the new one), but a token typed as something else is refused (RFC 8725 3.11).
"""

import base64
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from broker.jose.keys import KeySet
from broker.jose.tokens import SignedClaims, TokenRefused, verify_token
from broker.oidc_op.client_refusals import ClientNotAuthenticated

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 2.2
ASSERTION_ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA", "Ed25519")
SKEW_SECONDS = 60  # how far a client's clock may be from ours, both ways
MAX_ASSERTION_LIFE_SECONDS = 3600  # RFC 7523 3 rule 4 lets us; common libraries write one hour
MAX_ASSERTION_AGE_SECONDS = 300  # one with `iat` is refused after this, however late its `exp`
MAX_ASSERTION_ID_CHARS = 256

_ASSERTION_TYPES = ("", "jwt", "client-authentication+jwt")


@dataclass(frozen=True, slots=True)
class AssertionId:
    """A `jti` to be claimed once: refused if it was seen before from this client.

    Attributes:
        value: unique among the assertions of all clients.
        until: when the checks of this module begin to refuse the assertion by themselves.
        made_within: how long ago it can have been accepted first; None where nobody can tell.
    """

    value: str = field(repr=False)
    until: datetime
    made_within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class ExpectedAssertion:
    """What an assertion is compared with."""

    client_id: str
    audiences: tuple[str, ...]
    now_seconds: float


def read_assertion_subject(assertion: str) -> str | None:
    """Return whose assertion this says to be; unverified. None when it cannot be read."""
    segments = assertion.split(".")
    try:
        raw = base64.urlsafe_b64decode(segments[1] + "=" * (-len(segments[1]) % 4))
        claims = msgspec.json.decode(raw, type=dict[str, object])
    except (IndexError, ValueError, RecursionError):  # binascii's and msgspec's are ValueErrors
        return None
    subject = claims.get("sub")
    return subject if isinstance(subject, str) else None


def check_client_assertion(
    assertion: str,
    *,
    client_id: str,
    keys: KeySet,
    algorithms: Collection[str] = ASSERTION_ALGORITHMS,
    audiences: tuple[str, ...],
    now: datetime,
) -> AssertionId:
    """Return the id of an assertion that `client_id` made; it must be claimed once.

    Raises:
        ClientNotAuthenticated: anything is wrong.
    """
    try:
        signed = verify_token(assertion, keys=keys, algorithms=_with_names(algorithms))
    except TokenRefused as refused:
        raise ClientNotAuthenticated(refused.check) from None
    expected = ExpectedAssertion(client_id, audiences, now.timestamp())
    for check in ASSERTION_CHECKS:
        check(signed, expected)
    # The first moment at which the checks of expiry and age refuse by themselves.
    last, issued_at = _instant(signed.claims, "exp") or 0.0, _instant(signed.claims, "iat")
    # The last one before which they refused it by themselves: its end was too far away still.
    first = last - MAX_ASSERTION_LIFE_SECONDS
    if issued_at is not None:
        last, first = min(last, issued_at + MAX_ASSERTION_AGE_SECONDS), max(first, issued_at)
    made_within = timedelta(seconds=expected.now_seconds - first + SKEW_SECONDS)
    until = now + timedelta(seconds=last + SKEW_SECONDS - expected.now_seconds)
    return AssertionId(f"{len(client_id)}:{client_id}{signed.claims['jti']}", until, made_within)


def _with_names(algorithms: Collection[str]) -> Collection[str]:
    """RFC 9864 2.2 gave the one curve of EdDSA that we know a name of its own."""
    return (*algorithms, "Ed25519") if "EdDSA" in algorithms else algorithms


def check_assertion_typ(signed: SignedClaims, _: ExpectedAssertion) -> None:
    """RFC 8725 3.11: not a token that was signed for another purpose."""
    if signed.typ not in _ASSERTION_TYPES:
        raise ClientNotAuthenticated("check_assertion_typ")


def check_assertion_issuer_is_client(signed: SignedClaims, expected: ExpectedAssertion) -> None:
    """RFC 7523 3 rule 1 and OIDC Core 9: `iss` is the client id."""
    if signed.claims.get("iss") != expected.client_id:
        raise ClientNotAuthenticated("check_assertion_issuer_is_client")


def check_assertion_subject_is_client(signed: SignedClaims, expected: ExpectedAssertion) -> None:
    """RFC 7523 3 rule 2: `sub` is the client id."""
    if signed.claims.get("sub") != expected.client_id:
        raise ClientNotAuthenticated("check_assertion_subject_is_client")


def check_assertion_audience(signed: SignedClaims, expected: ExpectedAssertion) -> None:
    """draft-ietf-oauth-rfc7523bis: our issuer as the sole value: a text, not a list of one."""
    audience = signed.claims.get("aud")
    if not isinstance(audience, str) or audience not in expected.audiences:
        raise ClientNotAuthenticated("check_assertion_audience")


def check_assertion_expiry(signed: SignedClaims, expected: ExpectedAssertion) -> None:
    """RFC 7523 3 rule 4: present, not over, and not further away than the cap."""
    expires_at = _instant(signed.claims, "exp")
    remaining_seconds = (-math.inf if expires_at is None else expires_at) - expected.now_seconds
    if not -SKEW_SECONDS < remaining_seconds <= MAX_ASSERTION_LIFE_SECONDS + SKEW_SECONDS:
        raise ClientNotAuthenticated("check_assertion_expiry")


def check_assertion_not_before(signed: SignedClaims, expected: ExpectedAssertion) -> None:
    """RFC 7523 3 rule 5."""
    not_before = _instant(signed.claims, "nbf")
    if not_before is not None and not_before > expected.now_seconds + SKEW_SECONDS:
        raise ClientNotAuthenticated("check_assertion_not_before")


def check_assertion_age(signed: SignedClaims, expected: ExpectedAssertion) -> None:
    """RFC 7523 3 rule 6: `iat`, when present, neither in the future nor long ago."""
    issued_at = _instant(signed.claims, "iat")
    if issued_at is None:
        return
    age_seconds = expected.now_seconds - issued_at
    if not -SKEW_SECONDS <= age_seconds < MAX_ASSERTION_AGE_SECONDS + SKEW_SECONDS:
        raise ClientNotAuthenticated("check_assertion_age")


def check_assertion_id(signed: SignedClaims, _: ExpectedAssertion) -> None:
    """OIDC Core 9: `jti` is required, for it is what makes an assertion usable once."""
    jti = signed.claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_ASSERTION_ID_CHARS:
        raise ClientNotAuthenticated("check_assertion_id")


ASSERTION_CHECKS: tuple[Callable[[SignedClaims, ExpectedAssertion], None], ...] = (
    check_assertion_typ,
    check_assertion_issuer_is_client,
    check_assertion_subject_is_client,
    check_assertion_audience,
    check_assertion_expiry,
    check_assertion_not_before,
    check_assertion_age,
    check_assertion_id,
)


def _instant(claims: Mapping[str, object], name: str) -> float | None:
    """Return a NumericDate (RFC 7519 2), or None when absent; refuse what is no sane number."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        raise ClientNotAuthenticated("check_assertion_times_readable")
    return float(value)
