"""The key to which an access token is bound, so that a stolen one is good for nothing.

Specifications: RFC 7800 3.1 (`cnf`), RFC 9449 6 and 7.1 (`jkt`), RFC 8705 3 (`x5t#S256`).
"""

import msgspec


class SenderKey(msgspec.Struct, frozen=True, kw_only=True):
    """At most one of the two; none is a bearer token. Part of what is kept of a token.

    Attributes:
        jkt: RFC 7638 thumbprint, SHA-256 in base64url, of the key of a DPoP proof.
        x5t_s256: SHA-256 in base64url of the client certificate in DER.
    """

    jkt: str = ""
    x5t_s256: str = ""

    def __bool__(self) -> bool:
        return bool(self.jkt or self.x5t_s256)

    @property
    def token_type(self) -> str:
        """Return as what such a token is given and must be shown (RFC 9449 5, RFC 8705 3)."""
        return "DPoP" if self.jkt else "Bearer"


BEARER = SenderKey()
"""Bound to nobody."""


def build_confirmation(key: SenderKey) -> dict[str, str] | None:
    """Return the claim `cnf` of a token and of its introspection; None for a bearer token.

    >>> build_confirmation(SenderKey(jkt="0ZcO"))
    {'jkt': '0ZcO'}
    >>> build_confirmation(SenderKey(x5t_s256="A4Dt"))
    {'x5t#S256': 'A4Dt'}
    """
    if key.jkt:
        return {"jkt": key.jkt}
    return {"x5t#S256": key.x5t_s256} if key.x5t_s256 else None
