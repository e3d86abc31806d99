"""Userinfo as a signed token (OIDC Core 5.3.2), for a client whose document asks for it."""

from collections.abc import Mapping

from broker.jose.keys import SigningKey
from broker.jose.tokens import sign_token


def sign_userinfo(
    claims: Mapping[str, str | list[str]], *, issuer: str, client_id: str, key: SigningKey
) -> str:
    """Return the answer of userinfo as a token that this client alone may believe.

    It has no `exp`, so nobody can take it for an ID token, and no `at+jwt`, so it is no access
    token. Released claims never stand for ours: `claims.PROTOCOL_CLAIMS` has these names.
    """
    return sign_token({**claims, "iss": issuer, "aud": client_id}, key=key)
