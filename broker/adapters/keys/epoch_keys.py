"""The key of the next epoch: made beside those that are there, and used by nobody yet."""

import secrets
import string
from collections.abc import Collection

from broker.adapters.keys.key_files import KeyProblem, write_once
from broker.adapters.keys.keys_on_disk import PAIRWISE_FOLDER, BrokerKeys

_ENDING = ".hex"


def add_next_epoch(keys: BrokerKeys, *, known: Collection[str]) -> str:
    """Make the pairwise key of the next epoch and return its letter.

    A letter is never given twice: pseudonyms tell their epoch by it.

    Args:
        keys: of the folder, which the caller holds (`one_change_at_a_time`).
        known: names of keys that `registry.db` knows, also of one that is gone.

    Raises:
        KeyProblem: no letter is left, or somebody else made the file.
        OSError: it cannot be written.
    """
    folder = keys.folder / PAIRWISE_FOLDER
    gone = {
        each.removeprefix(f"{PAIRWISE_FOLDER}/").removesuffix(_ENDING)
        for each in known
        if each.startswith(f"{PAIRWISE_FOLDER}/")
    }
    newest = max(gone | set(keys.pairwise.by_letter))
    letters = string.ascii_lowercase
    after = letters.index(newest) + 1
    if after == len(letters):
        raise KeyProblem(folder, "has had a key for each letter", "ask the makers of this program")
    letter = letters[after]
    file = folder / f"{letter}{_ENDING}"
    if write_once(file, secrets.token_hex(32).encode() + b"\n") is None:
        raise KeyProblem(file, "is there already", "run the command again")
    return letter
