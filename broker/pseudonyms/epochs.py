"""The pairwise keys by epoch letter, and the one that a supplier is pinned to.

A supplier's epoch is pinned when it is first applied. Adding a key makes it the newest, for
suppliers that are applied from then on, and changes no pseudonym; only a rotation moves a pin. A
pinned epoch whose key is missing is refused: another key would silently make strangers of all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from broker.domain.refusals import Refusal, WhoseTask
from broker.pseudonyms.derivation import PseudonymKey, load_pseudonym_key


class EpochKeyMissing(Refusal):
    """A supplier is pinned to an epoch for which there is no key. `subject` is its letter."""

    code = "E-PSEUDONYM-3"
    whose_task = WhoseTask.BROKER
    what = "We cannot make your pseudonym for this supplier at the moment."
    remedy = "This is our fault, and we have been told. Please try again later."
    http_status = 500
    may_redirect = True
    oauth_error = "server_error"
    may_retry = True


class NoEpochKeys(ValueError):  # noqa: N818 -- named as the other refusals are
    """There is no pairwise key at all, or two epochs have the same one."""


@dataclass(frozen=True, slots=True)
class PairwiseKeys:
    """The keys of all epochs, at least one.

    Attributes:
        by_letter: epoch letter -> key.
        newest: the highest letter; pinned to suppliers that are applied for the first time.
    """

    by_letter: Mapping[str, PseudonymKey] = field(repr=False)
    newest: str

    def __contains__(self, letter: object) -> bool:
        """Tell whether there is a key for an epoch; `check` compares the pins with it."""
        return letter in self.by_letter


def load_pairwise_keys(keys: Mapping[str, bytes]) -> PairwiseKeys:
    """Return the set of pairwise keys.

    Args:
        keys: epoch letter `[a-z]` -> 32 secret bytes.

    Raises:
        NoEpochKeys: the mapping is empty, or two letters have one key.
        InvalidKey: a letter is no letter, or a key is not 32 bytes.
    """
    if not keys:
        raise NoEpochKeys("at least one pairwise key is needed")
    if len(set(keys.values())) != len(keys):
        raise NoEpochKeys("two epochs have the same key: a rotation would change nothing")
    by_letter = {letter: load_pseudonym_key(key, epoch=letter) for letter, key in keys.items()}
    return PairwiseKeys(by_letter=MappingProxyType(by_letter), newest=max(by_letter))


def select_key(keys: PairwiseKeys, *, pinned: str) -> PseudonymKey:
    """Return the key of the epoch that a supplier is pinned to, whatever is newest.

    Raises:
        EpochKeyMissing: there is no such key; no other one is taken instead.
    """
    try:
        return keys.by_letter[pinned]
    except KeyError as reason:
        raise EpochKeyMissing("check_pinned_epoch_has_key", subject=pinned) from reason
