"""A client that shares a secret with us: `client_secret_basic` (RFC 6749 2.3.1, OIDC Core 9)."""

import base64
import hashlib
import hmac
from urllib.parse import unquote_plus

from broker.domain.relying_parties import OidcClient
from broker.oidc_op.client_refusals import ClientNotAuthenticated


def hash_client_secret(secret: str) -> str:
    """Return what is registered of a client secret: hex SHA-256 of its text.

    A fast hash will do, for a secret is 256 random bits and no password.

    >>> hash_client_secret("a")[:16]
    'ca978112ca1bbdca'
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def read_basic(authorization: str) -> tuple[str, str]:
    """Return client id and secret: form-encoded before they were joined by a colon.

    Raises:
        ClientNotAuthenticated: another scheme, or it cannot be read.

    >>> read_basic("Basic YTpi")
    ('a', 'b')
    """
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
    return client_id, secret


def check_client_secret(secret: str, client: OidcClient) -> None:
    """RFC 6749 2.3.1; hashes are compared in constant time, and no hash means no secret."""
    registered = (client.secret_hash or "").lower()
    presented = hash_client_secret(secret)
    if not hmac.compare_digest(registered.encode(), presented.encode()):
        raise ClientNotAuthenticated("check_client_secret")
