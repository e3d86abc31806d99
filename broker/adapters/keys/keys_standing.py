"""What each key in the folder is good for at one moment, by its schedule."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from broker.adapters.keys.key_files import KeyProblem, missing_key
from broker.adapters.keys.keys_on_disk import (
    PAIRWISE_FOLDER,
    BrokerKeys,
    HexKey,
    KeysUnusable,
)
from broker.adapters.keys.pem_keys import SamlKey, TokenKey
from broker.flow.key_plans.key_purposes import COOKIE, SAML_DECRYPTION, SAML_SIGNING, STORAGE, TOKEN
from broker.flow.key_plans.key_schedule import KeyState, NoKeyInUse, is_ended, stand


@dataclass(frozen=True, slots=True)
class Slot:
    """Keys that follow each other.

    Attributes:
        purpose: name of their folder.
        algorithm: of tokens' keys, else "".
        files: of the keys, oldest name first.
    """

    purpose: str
    algorithm: str
    files: tuple[str, ...]


def find_slots(keys: BrokerKeys) -> tuple[Slot, ...]:
    """Return every slot of keys that rotate."""
    several: Mapping[str, Sequence[HexKey | SamlKey]] = {
        STORAGE: keys.storage,
        COOKIE: keys.cookie,
        SAML_SIGNING: keys.saml_signing,
        SAML_DECRYPTION: keys.saml_decryption,
    }
    return (
        *(
            Slot(TOKEN, algorithm, _files(tuple(of_it)))
            for algorithm, of_it in groupby(
                sorted(keys.token, key=_algorithm_of), key=_algorithm_of
            )
        ),
        *(Slot(purpose, "", _files(of_it)) for purpose, of_it in several.items()),
    )


def find_standing(keys: BrokerKeys, *, now: datetime) -> Mapping[str, KeyState]:
    """Return the state of every key that rotates, by file.

    Raises:
        KeysUnusable: a slot has no key in use, or a key that the schedule counts on is not there.
    """
    states: dict[str, KeyState] = {}
    problems: list[KeyProblem] = []
    for slot in find_slots(keys):
        try:
            states |= stand(slot.files, keys.schedule, now=now)
        except NoKeyInUse:
            what = f"{slot.algorithm} key in use now".strip()
            problems.append(missing_key(keys.folder / slot.purpose, what))
    known = {file for slot in find_slots(keys) for file in slot.files}
    for file in keys.schedule:
        if file not in known and not is_ended(file, keys.schedule, now=now):
            problems.append(
                KeyProblem(
                    keys.folder / file,
                    "is not there, but the schedule counts on it",
                    f"restore it, or run `broker keys remove {file}`",
                )
            )
    if problems:
        raise KeysUnusable(tuple(problems))
    return states


def check_keys_stay(keys: BrokerKeys, *, before: BrokerKeys) -> None:
    """Refuse a key file that holds another key than before; new files and removed ones are fine.

    A rotation adds files. A key that lasts must still be there; whether an epoch's key may be gone,
    the registry says (`check_epochs_stay`).

    Raises:
        KeysUnusable: with each such key.
    """
    names = {identity: file for file, identity in before.identities.items()}
    problems = []
    for file, identity in keys.identities.items():
        if before.identities.get(file, identity) != identity:
            what = "does not hold the key that this broker began with"
            remedy = "put that one back; `broker keys rotate` changes keys, in files of their own"
        elif names.get(identity, file) != file:
            what = f"holds the key that {names[identity]} held before"
            remedy = "put it back there: no purpose may take another one's key"
        else:
            continue
        problems.append(KeyProblem(keys.folder / file, what, remedy))
    problems += [
        missing_key(keys.folder / file, "such key any more")
        for file in before.checks.keys() - keys.identities.keys()
        if not file.startswith(f"{PAIRWISE_FOLDER}/")
    ]
    if problems:
        raise KeysUnusable(tuple(problems))


def check_epochs_stay(keys: BrokerKeys, *, in_use: Collection[str]) -> None:
    """Refuse when the key of an epoch is gone that a supplier's pseudonyms come from.

    Args:
        in_use: letters of the epochs that suppliers are pinned to or come from.

    Raises:
        KeysUnusable: with each such key.
    """
    problems = [
        missing_key(keys.folder / PAIRWISE_FOLDER / f"{letter}.hex", "such key any more")
        for letter in sorted(set(in_use) - set(keys.pairwise.by_letter))
    ]
    if problems:
        raise KeysUnusable(tuple(problems))


def _files(keys: Sequence[HexKey | SamlKey | TokenKey]) -> tuple[str, ...]:
    return tuple(each.file for each in keys)


def _algorithm_of(key: TokenKey) -> str:
    return key.algorithm
