"""The school's userinfo answer (OIDC Core 5.3.2 and 5.3.4): unsigned, so bound to the ID token."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from broker.oidc_rp.id_token import VerifiedIdToken
from broker.oidc_rp.refusals import UserinfoRefused

MAX_USERINFO_BYTES = 65536


@dataclass(frozen=True, slots=True)
class VerifiedUserinfo:
    """Claims about the subject of one ID token. Made by `check_userinfo` only."""

    claims: Mapping[str, object] = field(repr=False)


def check_userinfo(body: bytes, *, id_token: VerifiedIdToken) -> VerifiedUserinfo:
    """Return the userinfo claims, which must be about the ID token's subject.

    Args:
        body: of a 200 answer of the registered userinfo endpoint, as `application/json`.

    Raises:
        UserinfoRefused: too large, no JSON object, or another `sub`.
    """
    if len(body) > MAX_USERINFO_BYTES:
        raise UserinfoRefused("check_userinfo_size")
    try:
        claims = msgspec.json.decode(body, type=dict[str, object])
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        raise UserinfoRefused("check_userinfo_readable") from None
    if claims.get("sub") != id_token.subject:
        raise UserinfoRefused("check_userinfo_subject")
    return VerifiedUserinfo(claims)
