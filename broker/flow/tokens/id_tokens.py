"""ID tokens, signed: the same for a code and for a refresh (OIDC Core 3.1.3.3 and 12.2)."""

from datetime import datetime

from broker.flow.ports import FlowKeys, Random
from broker.flow.random_texts import make_jti
from broker.oidc_op.claims import build_id_token
from broker.oidc_op.jwks import choose_signing_key
from broker.oidc_op.token import RedeemedGrant


class IdTokens:
    """Writes ID tokens. Keeps nothing between calls."""

    def __init__(self, *, issuer: str, keys: FlowKeys, random: Random) -> None:
        self._issuer = issuer
        self._keys = keys
        self._random = random

    def write(self, redeemed: RedeemedGrant, *, now: datetime) -> str:
        """Return the ID token of a grant, with the algorithm and life of its client.

        Raises:
            SigningKeyMissing: its algorithm has no key.
        """
        client = redeemed.client.client
        return build_id_token(
            redeemed,
            issuer=self._issuer,
            key=choose_signing_key(self._keys.token, algorithm=client.oidc.id_token_algorithm),
            now=now,
            jti=make_jti(self._random),
            life_seconds=client.profile.id_token_ttl_seconds,
        )
