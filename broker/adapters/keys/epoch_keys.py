"""Keys of epochs: the next one is made beside the others, and one that nobody needs may go."""

import secrets
import string
from collections.abc import Collection, Mapping

from broker.adapters.keys.key_files import KeyProblem, delete_key, write_once
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


def check_epoch_unused(
    keys: BrokerKeys, letter: str, *, in_use: Mapping[str, tuple[str, ...]]
) -> None:
    """Hold that the key of an epoch can go: what it made is told to nobody any more.

    Args:
        in_use: epochs that suppliers need, each with their names.

    Raises:
        KeyProblem: there is no such key, it is the only one, or a supplier needs it.
    """
    file = keys.folder / PAIRWISE_FOLDER / f"{letter}{_ENDING}"
    if letter not in keys.pairwise:
        raise KeyProblem(file, "is not there", "see `broker keys list`")
    if len(keys.pairwise.by_letter) == 1:
        raise KeyProblem(file, "is the only one", "make the next with `keys init --next-epoch`")
    if letter in in_use:
        raise KeyProblem(
            file,
            f"is needed for the pseudonyms of {', '.join(in_use[letter])}",
            "rotate each of them to another epoch with `broker pseudonyms`, then close",
        )


def remove_epoch(keys: BrokerKeys, letter: str) -> None:
    """Delete the key of an epoch for good, after `check_epoch_unused`.

    Raises:
        OSError: it cannot be deleted.
    """
    delete_key(keys.folder / PAIRWISE_FOLDER / f"{letter}{_ENDING}")
