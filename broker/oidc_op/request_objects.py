"""Requests in a signed object: `request` and what `request_uri` leads to (RFC 9101, OIDC Core 6).

The object is the request: what stands outside it is ignored, but `client_id`, which must be the
same on both sides, and `response_type`, which OIDC Core wants outside too and which may not differ.

Deviations: OIDC Core 6.1 adds parameters from outside to those inside; RFC 9101 6.3 forbids it and
we follow that in every profile, for what is not signed can be changed on its way. RFC 9101 4 leaves
`iss`, `aud` and `exp` open, here they are required, and an object lives an hour at most (FAPI 2.0
Message Signing 5.3.1). Unsigned and encrypted objects are not supported.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import msgspec

from broker.domain.refusals import Refusal
from broker.jose.keys import KeySet
from broker.jose.tokens import (
    MAX_TOKEN_CHARS,
    SignedClaims,
    TokenRefused,
    read_unverified_algorithm,
    verify_token,
)
from broker.oidc_op.clients import KnownClient
from broker.oidc_op.received import (
    REQUEST_NAMES,
    AuthorizationRequest,
    parse_authorization_request,
)
from broker.oidc_op.request_checks import RequestObjectRefused, SentToSupplier

OBJECT_TYPES = ("oauth-authz-req+jwt", "jwt", "")  # RFC 9101 10.8; clients of before left it out
SKEW_SECONDS = 60  # how far a client's clock may be from ours, both ways
MAX_OBJECT_LIFE_SECONDS = 3600  # until `exp`, and since `nbf` or `iat`
MAX_OBJECT_ID_CHARS = 256

_ENCRYPTED_DOTS = 4  # RFC 7516 7.1: five parts
_TEXTS_OF_JSON = ("claims", "registration")  # objects inside, JSON text outside (OIDC Core 6.1)


class RequestObjectInvalid(SentToSupplier):
    """RFC 9101 6.2 and 7: the object does not prove that this client asks this, of us, now."""

    code = "E-OIDC-41"
    oauth_error = "invalid_request_object"


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request whose signature was verified, not yet checked as a request.

    Attributes:
        object_id: its `jti`, to be used up once; "" when it has none.
        made_after: aware UTC; it is no older than that, whatever the client's clock.
    """

    request: AuthorizationRequest
    object_id: str = field(repr=False)
    made_after: datetime


@dataclass(frozen=True, slots=True)
class ExpectedObject:
    """What an object is compared with."""

    client_id: str
    issuer: str
    response_type: str | None
    now_seconds: float


def read_request_object(
    token: str,
    *,
    client: KnownClient,
    keys: KeySet,
    issuer: str,
    response_type: str | None = None,
    now: datetime,
) -> SignedRequest:
    """Return the request that a client signed.

    Args:
        token: as received or fetched.
        client: whom the request outside names.
        keys: that client's registered keys.
        issuer: ours.
        response_type: as it stands outside; None when it does not.
        now: aware UTC.

    Raises:
        RequestObjectRefused: unsigned or encrypted, which we do not support.
        RequestObjectInvalid: anything else is wrong; `check` says what.
        DuplicatedParameter, RequestTooLarge: what is inside is no request.
    """
    if len(token) > MAX_TOKEN_CHARS:
        raise RequestObjectInvalid("check_object_size", subject="request")
    if token.count(".") == _ENCRYPTED_DOTS:
        raise RequestObjectRefused("check_object_not_encrypted", subject="request")
    if read_unverified_algorithm(token) == "none":
        raise RequestObjectRefused("check_object_signed", subject="request")
    try:
        signed = verify_token(token, keys=keys, algorithms=object_algorithms(client))
    except TokenRefused as refused:
        raise RequestObjectInvalid(refused.check, subject="request") from None
    expected = ExpectedObject(client.oidc.client_id, issuer, response_type, now.timestamp())
    for check in OBJECT_CHECKS:
        check(signed, expected)
    request = parse_authorization_request(_list_parameters(signed.claims))
    claims = signed.claims
    earliest = _instant(claims, "exp") - MAX_OBJECT_LIFE_SECONDS
    made = max(_instant(claims, name, default=earliest) for name in ("nbf", "iat"))
    return SignedRequest(
        replace(request, signed=True),
        str(claims.get("jti", "")),
        datetime.fromtimestamp(made - SKEW_SECONDS, UTC),
    )


def object_algorithms(client: KnownClient) -> Sequence[str]:
    """Return with which algorithms this client may sign: the pinned one, else its profile's."""
    pinned = client.oidc.request_object_algorithm
    return client.profile.request_object_algorithms if pinned is None else (pinned,)


def _refuse(check: str) -> Refusal:
    return RequestObjectInvalid(check, subject="request")


def check_object_type(signed: SignedClaims, _: ExpectedObject) -> None:
    """RFC 9101 10.8, RFC 8725 3.11: not a token that was signed for another purpose."""
    if signed.typ not in OBJECT_TYPES:
        raise _refuse("check_object_type")


def check_object_issuer(signed: SignedClaims, expected: ExpectedObject) -> None:
    """RFC 9101 4: `iss` is the client id."""
    if signed.claims.get("iss") != expected.client_id:
        raise _refuse("check_object_issuer")


def check_object_audience(signed: SignedClaims, expected: ExpectedObject) -> None:
    """RFC 9101 4: `aud` is our issuer, alone or in a list."""
    audience = signed.claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if expected.issuer not in named or not all(isinstance(each, str) for each in named):
        raise _refuse("check_object_audience")


def check_object_client_id(signed: SignedClaims, expected: ExpectedObject) -> None:
    """RFC 9101 5: `client_id` is inside too, and the same."""
    if signed.claims.get("client_id") != expected.client_id:
        raise _refuse("check_object_client_id")


def check_object_response_type(signed: SignedClaims, expected: ExpectedObject) -> None:
    """OIDC Core 6.1: where `response_type` stands outside, it is the one inside."""
    if expected.response_type not in (None, signed.claims.get("response_type")):
        raise _refuse("check_object_response_type")


def check_object_is_no_assertion(signed: SignedClaims, _: ExpectedObject) -> None:
    """RFC 9101 10.8: with a `sub` it could be shown as proof of who the client is."""
    if "sub" in signed.claims:
        raise _refuse("check_object_is_no_assertion")


def check_object_holds_no_other(signed: SignedClaims, _: ExpectedObject) -> None:
    """RFC 9101 4: neither `request` nor `request_uri` inside."""
    if "request" in signed.claims or "request_uri" in signed.claims:
        raise _refuse("check_object_holds_no_other")


def check_object_expiry(signed: SignedClaims, expected: ExpectedObject) -> None:
    """RFC 7519 4.1.4: required here, not over, and not further away than the cap."""
    left_seconds = _instant(signed.claims, "exp") - expected.now_seconds
    if not -SKEW_SECONDS < left_seconds <= MAX_OBJECT_LIFE_SECONDS + SKEW_SECONDS:
        raise _refuse("check_object_expiry")


def check_object_begin(signed: SignedClaims, expected: ExpectedObject) -> None:
    """RFC 7519 4.1.5 and 4.1.6: `nbf` and `iat`, when present, not ahead and not long ago."""
    for name in ("nbf", "iat"):
        age_seconds = expected.now_seconds - _instant(
            signed.claims, name, default=expected.now_seconds
        )
        if not -SKEW_SECONDS <= age_seconds < MAX_OBJECT_LIFE_SECONDS + SKEW_SECONDS:
            raise _refuse("check_object_begin")


def check_object_id(signed: SignedClaims, _: ExpectedObject) -> None:
    """RFC 7519 4.1.7: `jti`, when present, is a text that can be remembered."""
    object_id = signed.claims.get("jti", "-")
    if not isinstance(object_id, str) or not 0 < len(object_id) <= MAX_OBJECT_ID_CHARS:
        raise _refuse("check_object_id")


OBJECT_CHECKS: tuple[Callable[[SignedClaims, ExpectedObject], None], ...] = (
    check_object_type,
    check_object_issuer,
    check_object_audience,
    check_object_client_id,
    check_object_response_type,
    check_object_is_no_assertion,
    check_object_holds_no_other,
    check_object_expiry,
    check_object_begin,
    check_object_id,
)
"""After the signature. What they refuse goes to the address outside, if that is proven."""


def _instant(claims: Mapping[str, object], name: str, *, default: float = 0) -> float:
    """Return a NumericDate (RFC 7519 2), or the default when absent."""
    value = claims.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        raise _refuse("check_object_times_readable")
    return float(value)


def _list_parameters(claims: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return the request's parameters as a query would hold them; other claims are not read."""
    pairs: list[tuple[str, str]] = []
    for name in REQUEST_NAMES & claims.keys():
        value = claims[name]
        values = value if name == "resource" and isinstance(value, list) else [value]
        pairs += [(name, _text(name, each)) for each in values]
    return pairs


def _text(name: str, value: object) -> str:
    """RFC 9101 4: texts, but for a number of seconds, and for what is JSON anyway."""
    if name == "max_age" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if name in _TEXTS_OF_JSON and isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    if not isinstance(value, str):
        raise RequestObjectInvalid("check_object_texts", subject=name)
    return value
