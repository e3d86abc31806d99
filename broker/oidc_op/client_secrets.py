"""A client that shares a secret with us, in a header or in the form (RFC 6749 2.3.1).

`client_secret_basic` and `client_secret_post` of OIDC Core 9, for profiles that allow them. We keep
hashes; `broker secret` makes a secret and shows it once.
"""

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
    """RFC 6749 2.3.1; hashes are compared in constant time, and no hash means no secret.

    Two may be registered, so that a client's secret changes without a moment in which it has none.
    """
    presented = hash_client_secret(secret).encode()
    registered = (client.secret_hash, client.next_secret_hash)
    known = [hmac.compare_digest((each or "").lower().encode(), presented) for each in registered]
    if not any(known):
        raise ClientNotAuthenticated("check_client_secret")
