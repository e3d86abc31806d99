"""The keys that sign ID tokens, and their public half at /oidc/jwks (OIDC Core 10.1.1).

A key goes through three states: announced (published, does not sign yet, so that every relying
party has it when it does), active (signs), retired (still published while tokens of it live).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from broker.domain.refusals import Refusal, WhoseTask
from broker.jose.keys import SigningKey


class SigningKeyMissing(Refusal):
    """A client is registered with an algorithm for which no key is active."""

    code = "E-OIDC-22"
    whose_task = WhoseTask.BROKER
    what = "Something is not set up correctly on our side. Nothing was shared."
    remedy = "We have been told. Please try again later."
    http_status = 500
    oauth_error = "server_error"


@dataclass(frozen=True, slots=True)
class TokenKeys:
    """Every key of the broker that signs, will sign or did sign ID tokens."""

    active: tuple[SigningKey, ...]
    announced: tuple[SigningKey, ...] = ()
    retired: tuple[SigningKey, ...] = ()

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Return the algorithms with which we sign, each once, in order of the keys."""
        return tuple(dict.fromkeys(each.algorithm for each in self.active))


def choose_signing_key(keys: TokenKeys, *, algorithm: str) -> SigningKey:
    """Return the active key of an algorithm.

    Raises:
        SigningKeyMissing: there is none.
    """
    for each in keys.active:
        if each.algorithm == algorithm:
            return each
    raise SigningKeyMissing("check_signing_key_active", subject=algorithm)


def build_jwks(keys: TokenKeys) -> dict[str, Sequence[Mapping[str, object]]]:
    """Return the JSON Web Key Set (RFC 7517 5) of every key that a relying party may need.

    >>> build_jwks(TokenKeys(active=()))
    {'keys': []}
    """
    published = (*keys.active, *keys.announced, *keys.retired)
    return {"keys": [each.public_jwk for each in published]}
