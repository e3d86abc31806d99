"""Who calls the token endpoint (RFC 6749 2.3, RFC 7523 3 as revised, OIDC Core 9).

A caller uses exactly one method, the registered one. The `jti` of an assertion comes back as a
value that the flow claims once in the login store. Every refusal of a caller is one and the same
`invalid_client`: what was wrong stands in the audit event only.

Deviations: `typ` of an assertion may be absent or `JWT` (draft-ietf-oauth-rfc7523bis does not let
servers insist on the new one), but a token typed as something else is refused (RFC 8725 3.11).
`client_secret_post` is never accepted.
"""

import base64
import hashlib
import hmac
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import unquote_plus

import msgspec

from broker.domain.refusals import Refusal, WhoseTask
from broker.domain.registry import Registry
from broker.jose.keys import KeySet
from broker.jose.tokens import SignedClaims, TokenRefused, verify_token
from broker.oidc_op.clients import ClientUnknown, KnownClient, find_client
from broker.oidc_op.parameters import collect_parameters

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 2.2
ASSERTION_ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA", "Ed25519")
SKEW_SECONDS = 60  # how far a client's clock may be from ours, both ways
MAX_ASSERTION_LIFE_SECONDS = 3600  # RFC 7523 3 rule 4 lets us; common libraries write one hour
MAX_ASSERTION_AGE_SECONDS = 300  # one with `iat` is refused after this, however late its `exp`
MAX_ASSERTION_ID_CHARS = 256

_ASSERTION_TYPES = ("", "jwt", "client-authentication+jwt")
_FORM_NAMES = ("client_id", "client_secret", "client_assertion", "client_assertion_type")


class ClientNotAuthenticated(Refusal):
    """RFC 6749 5.2 `invalid_client`; the edge adds `WWW-Authenticate: Basic`."""

    code = "E-OIDC-14"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material could not prove to us who it is."
    remedy = "The supplier of the material must mend its keys or settings."
    http_status = 401
    oauth_error = "invalid_client"


class ClientAuthenticationAmbiguous(Refusal):
    """RFC 6749 2.3: more than one method in one request."""

    code = "E-OIDC-15"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material said in two ways who it is."
    remedy = "The supplier of the material must use one way only."


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What a caller shows, read and not yet checked.

    Attributes:
        unverified_client_id: None when only the assertion can tell.
        method: as in `token_endpoint_auth_method` (RFC 7591 2).
    """

    unverified_client_id: str | None
    method: str
    secret: str = field(default="", repr=False)
    assertion: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class AssertionId:
    """A `jti` to be claimed once: refused if it was seen before from this client.

    Attributes:
        value: unique among the assertions of all clients.
        until: when the checks of this module begin to refuse the assertion by themselves.
    """

    value: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class AuthenticatedClient:
    """A client that proved who it is; `assertion_id` must be claimed before anything is given."""

    client: KnownClient
    assertion_id: AssertionId | None

    @property
    def client_id(self) -> str:
        """Return the registered client id."""
        return self.client.oidc.client_id


@dataclass(frozen=True, slots=True)
class ExpectedAssertion:
    """What an assertion is compared with."""

    client_id: str
    audiences: tuple[str, ...]
    now_seconds: float


def hash_client_secret(secret: str) -> str:
    """Return what is registered of a client secret: hex SHA-256 of its text.

    A fast hash will do, for a secret is 256 random bits and no password.

    >>> hash_client_secret("a")[:16]
    'ca978112ca1bbdca'
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def parse_client_authentication(
    form: Sequence[tuple[str, str]], *, authorization: str | None
) -> ClientCredentials:
    """Read how a caller authenticates.

    Args:
        form: decoded names and values of the body.
        authorization: the Authorization header as received; None when absent.

    Raises:
        ClientAuthenticationAmbiguous: two methods, or two client ids.
        ClientNotAuthenticated: no method, or one that cannot be read.
        DuplicatedParameter, RequestTooLarge: the form is malformed.
    """
    found = collect_parameters(form, known=_FORM_NAMES)
    has_assertion = "client_assertion" in found or "client_assertion_type" in found
    if (authorization is not None) + has_assertion + ("client_secret" in found) > 1:
        raise ClientAuthenticationAmbiguous("check_one_authentication_method")
    if authorization is not None:
        return _read_basic(authorization, form_client_id=found.get("client_id"))
    if not has_assertion:
        method = "client_secret_post" if "client_secret" in found else "none"
        return ClientCredentials(found.get("client_id"), method)
    if found.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in found:
        raise ClientNotAuthenticated("check_assertion_type")
    return ClientCredentials(
        found.get("client_id"), "private_key_jwt", assertion=found["client_assertion"]
    )


def read_presented_id(credentials: ClientCredentials) -> str | None:
    """Return whose keys must have signed: unverified, as stated in the form or the assertion."""
    if credentials.unverified_client_id:
        return credentials.unverified_client_id
    segments = credentials.assertion.split(".")
    try:
        raw = base64.urlsafe_b64decode(segments[1] + "=" * (-len(segments[1]) % 4))
        claims = msgspec.json.decode(raw, type=dict[str, object])
    except (IndexError, ValueError, RecursionError):  # binascii's and msgspec's are ValueErrors
        return None
    subject = claims.get("sub")
    return subject if isinstance(subject, str) else None


def find_presented_client(credentials: ClientCredentials, *, registry: Registry) -> KnownClient:
    """Return the client that the credentials name, so that its keys can be found.

    An assertion without `client_id` beside it (RFC 7521 4.2) names its client inside; that is
    believed only in so far as the key of that very client must then have signed it.

    Raises:
        ClientNotAuthenticated: there is none, or it is disabled.
    """
    try:
        return find_client(read_presented_id(credentials), registry=registry)
    except ClientUnknown as unknown:
        raise ClientNotAuthenticated(unknown.check) from None


def check_client_authentication(
    credentials: ClientCredentials,
    *,
    client: KnownClient,
    keys: KeySet,
    issuer: str,
    token_endpoint: str,
    now: datetime,
) -> AuthenticatedClient:
    """Return the client as one that proved who it is.

    Args:
        client: from `find_presented_client`.
        keys: its registered public keys (`parse_key_set(client.oidc.jwks)`, or fetched).
        issuer: ours: the sole audience of an assertion.
        token_endpoint: ours: accepted instead in profiles that say so.
        now: aware UTC.

    Raises:
        ClientNotAuthenticated: anything is wrong; `check` says what, the caller is not told.
    """
    registered = client.oidc.authentication
    allowed = registered in client.profile.authentication_methods
    if not allowed or credentials.method != registered:
        raise ClientNotAuthenticated("check_authentication_method_registered")
    if registered == "client_secret_basic":
        check_client_secret(credentials, client)
        return AuthenticatedClient(client, None)
    relaxed = (token_endpoint,) if client.profile.token_endpoint_as_audience else ()
    used = check_client_assertion(
        credentials,
        client_id=client.oidc.client_id,
        keys=keys,
        audiences=(issuer, *relaxed),
        now=now,
    )
    return AuthenticatedClient(client, used)


def check_client_assertion(
    credentials: ClientCredentials,
    *,
    client_id: str,
    keys: KeySet,
    audiences: tuple[str, ...],
    now: datetime,
) -> AssertionId:
    """Return the id of an assertion that `client_id` made; it must be claimed once.

    Raises:
        ClientNotAuthenticated: anything is wrong.
    """
    try:
        signed = verify_token(credentials.assertion, keys=keys, algorithms=ASSERTION_ALGORITHMS)
    except TokenRefused as refused:
        raise ClientNotAuthenticated(refused.check) from None
    expected = ExpectedAssertion(client_id, audiences, now.timestamp())
    for check in ASSERTION_CHECKS:
        check(signed, expected)
    # The first moment at which the checks of expiry and age refuse by themselves.
    last, issued_at = _instant(signed.claims, "exp") or 0.0, _instant(signed.claims, "iat")
    if issued_at is not None:
        last = min(last, issued_at + MAX_ASSERTION_AGE_SECONDS)
    until = now + timedelta(seconds=last + SKEW_SECONDS - expected.now_seconds)
    return AssertionId(f"{len(client_id)}:{client_id}{signed.claims['jti']}", until)


def check_client_secret(credentials: ClientCredentials, client: KnownClient) -> None:
    """RFC 6749 2.3.1; hashes are compared in constant time, and no hash means no secret."""
    registered = (client.oidc.secret_hash or "").lower()
    presented = hash_client_secret(credentials.secret)
    if not hmac.compare_digest(registered.encode(), presented.encode()):
        raise ClientNotAuthenticated("check_client_secret")


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


def _read_basic(authorization: str, *, form_client_id: str | None) -> ClientCredentials:
    """RFC 6749 2.3.1: id and secret are form-encoded before they are joined by a colon."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
        quoted_id, colon, quoted_secret = pair.partition(":")
        client_id = unquote_plus(quoted_id, errors="strict")
        secret = unquote_plus(quoted_secret, errors="strict")
    except ValueError:
        raise ClientNotAuthenticated("check_basic_readable") from None
    if scheme.lower() != "basic" or not colon or not client_id or not secret:
        raise ClientNotAuthenticated("check_basic_readable")
    if form_client_id not in (None, client_id):
        raise ClientAuthenticationAmbiguous("check_one_client_id")
    return ClientCredentials(client_id, "client_secret_basic", secret=secret)


def _instant(claims: Mapping[str, object], name: str) -> float | None:
    """Return a NumericDate (RFC 7519 2), or None when absent; refuse what is no sane number."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        raise ClientNotAuthenticated("check_assertion_times_readable")
    return float(value)
