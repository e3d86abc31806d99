"""Tokens and client authentication of the demo's OpenID Provider, on joserfc."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from broker.demo.scenarios import Statement

ID_TOKEN_SECONDS = 300
EXPIRED_FOR = timedelta(hours=1)
SKEW_SECONDS = 60
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 2.2
CLIENT_ALGORITHMS = ["ES256", "RS256"]


@dataclass(frozen=True, slots=True)
class OidcClientSettings:
    """The one client of a demo school: the broker.

    Attributes:
        client_secret: for `client_secret_basic`; None is `private_key_jwt`.
    """

    client_id: str
    redirect_uri: str
    client_secret: str | None = field(default=None, repr=False)


class ClientRefused(Exception):  # noqa: N818 -- becomes invalid_client
    """The client did not prove who it is."""


def code_challenge_of(code_verifier: str) -> str:
    """Return the S256 challenge (RFC 7636 4.2).

    >>> code_challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    digest = hashlib.sha256(code_verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def sign_id_token(
    claims: Mapping[str, Any],
    *,
    issuer: str,
    statement: Statement,
    authenticated_at: datetime,
    key: ECKey,
    now: float,
) -> str:
    """Return an ID token, or a faulty one where the statement says so.

    Args:
        statement: `expired` moves all times an hour back, `tampered` changes the role after
            signing, which breaks the signature and nothing else.
        now: seconds since 1970.
    """
    moved_seconds = int(EXPIRED_FOR.total_seconds()) if statement.expired else 0
    issued_at = int(now) - moved_seconds
    token = jwt.encode(
        {"alg": "ES256", "kid": key.kid},
        {name: value for name, value in claims.items() if value is not None}
        | {
            "iss": issuer,
            "iat": issued_at,
            "exp": issued_at + ID_TOKEN_SECONDS,
            "auth_time": int(authenticated_at.timestamp()) - moved_seconds,
            "jti": secrets.token_urlsafe(16),
        },
        key,
        algorithms=["ES256"],
    )
    return tamper(token) if statement.tampered else token


def tamper(token: str) -> str:
    """Change the payload of a signed token and keep its signature."""
    header, payload, signature = token.split(".")
    changed = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).replace(
        b'"sub":"', b'"sub":"not-'
    )
    return f"{header}.{base64.urlsafe_b64encode(changed).decode().rstrip('=')}.{signature}"


def check_client_secret_basic(authorization: str, *, client: OidcClientSettings) -> None:
    """Refuse a client without the right secret in its Authorization header (RFC 6749 2.3.1).

    Raises:
        ClientRefused: another client, or another secret.
    """
    scheme, _, encoded = authorization.partition(" ")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        raise ClientRefused from None
    given_id, _, given_secret = decoded.partition(":")
    right = hmac.compare_digest(
        unquote_plus(given_secret).encode(), (client.client_secret or "").encode()
    )
    if scheme.lower() != "basic" or unquote_plus(given_id) != client.client_id or not right:
        raise ClientRefused


def check_private_key_jwt(
    form: Mapping[str, str],
    *,
    client: OidcClientSettings,
    jwks: Mapping[str, Any],
    audiences: set[str],
    now: float,
) -> None:
    """Refuse a client whose assertion does not hold (RFC 7523 3).

    Args:
        jwks: the client's public keys.
        audiences: any of these may stand as `aud`.

    Raises:
        ClientRefused: whatever is wrong with it.
    """
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise ClientRefused
    try:
        assertion = jwt.decode(
            form.get("client_assertion", ""),
            KeySet.import_key_set({"keys": list(jwks["keys"])}),
            algorithms=CLIENT_ALGORITHMS,
        )
        jwt.JWTClaimsRegistry(
            now=int(now),
            leeway=SKEW_SECONDS,
            iss={"essential": True, "value": client.client_id},
            sub={"essential": True, "value": client.client_id},
            aud={"essential": True, "values": sorted(audiences)},
            exp={"essential": True},
            jti={"essential": True},
        ).validate(assertion.claims)
    except (JoseError, ValueError):
        raise ClientRefused from None
