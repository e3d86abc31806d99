"""An ID token of ours that comes back as a hint (OIDC Core 3.1.2.1, RP-Initiated Logout 1.0 2).

It may be expired: it only says whom a relying party means. It must be ours, unchanged, and for the
client that shows it; whoever shows another one's would ask about a pupil that it does not know.
"""

from dataclasses import dataclass, field

from broker.jose.keys import key_set_of
from broker.jose.tokens import SignedClaims, TokenRefused, verify_token
from broker.oidc_op.jwks import TokenKeys


class HintRefused(Exception):  # noqa: N818 -- worded by the caller, who knows what it was for
    """This is no ID token of ours for that client; says nothing of what it holds."""


@dataclass(frozen=True, slots=True)
class IdTokenHint:
    """What a hint of ours says.

    Attributes:
        client_id: whose it is.
        subject: the pseudonym.
        sid: of the session; "" when it had none.
    """

    client_id: str
    subject: str = field(repr=False)
    sid: str = field(repr=False)


def read_id_token_hint(
    token: str, *, keys: TokenKeys, issuer: str, client_id: str | None = None
) -> IdTokenHint:
    """Return what an ID token says that we signed once.

    Args:
        keys: also those that do not sign any more and are still published.
        client_id: of who shows it; None when that is not known otherwise.

    Raises:
        HintRefused: not signed by us, of another type or client.
    """
    ours = (*keys.active, *keys.announced, *keys.retired)
    algorithms = {each.algorithm for each in ours}
    try:
        signed = verify_token(token, keys=key_set_of(ours), algorithms=algorithms)
    except TokenRefused:
        raise HintRefused from None
    subject, audience = signed.claims.get("sub"), signed.claims.get("aud")
    if signed.claims.get("iss") != issuer or not _is_id_token(signed):
        raise HintRefused
    if not isinstance(subject, str) or not isinstance(audience, str):
        raise HintRefused
    if client_id not in (None, audience):
        raise HintRefused
    sid = signed.claims.get("sid", "")
    return IdTokenHint(audience, subject, sid if isinstance(sid, str) else "")


def _is_id_token(signed: SignedClaims) -> bool:
    """RFC 8725 3.11: another token that the same key signed is none: for access, of a logout, or
    an answer of userinfo, which alone has no end."""
    typed = signed.typ in ("", "jwt")
    return typed and "events" not in signed.claims and "exp" in signed.claims
