"""Nonces for proofs of possession (RFC 9449 8 and 9), kept nowhere.

A nonce is the MAC of the minute in which it is given, so every worker gives and takes the same
ones, and nobody can know tomorrow's today: a proof that was made in store is good for nothing.
Whoever wants may have one; only proofs of clients whose profile asks for nonces must hold one.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime

from broker.flow.held_state.framing import MacKey, expand_key
from broker.flow.held_state.handles import StorageKey

STEP_SECONDS = 60
STEPS_TAKEN = 4  # so a nonce is good for three to four minutes
_LABEL = b"schuilnaam/dpop-nonce/v1"


class DpopNonces:
    """Gives nonces, and says which are good.

    Args:
        storage_keys: those that are not retired, the one in use first; keys of their own are
            derived from them.
    """

    def __init__(self, storage_keys: Sequence[StorageKey]) -> None:
        self._keys = tuple(MacKey(expand_key(each.deriving, _LABEL)) for each in storage_keys)

    def give(self, now: datetime) -> str:
        """Return the nonce of this minute."""
        return _nonce(self._keys[0], _step(now))

    def taken(self, now: datetime) -> frozenset[str]:
        """Return every nonce that is good now."""
        newest = _step(now) + 1  # of a worker whose clock is a little ahead
        steps = range(newest - STEPS_TAKEN, newest + 1)
        return frozenset(_nonce(key, each) for key in self._keys for each in steps)


def _step(now: datetime) -> int:
    return int(now.timestamp()) // STEP_SECONDS


def _nonce(key: MacKey, step: int) -> str:
    return urlsafe_b64encode(key.mac(step.to_bytes(8))).rstrip(b"=").decode()
