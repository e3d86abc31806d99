"""Keys out of their folder into a bundle, and from a bundle back into a folder.

What lasts is taken whole, folder by folder: the keys that make pseudonyms, open the register and
the receipts, and seal the login store. Keys that sign or decrypt rotate; an old one put back would
undo that, and a new one is made by `broker keys init`. Nothing is written before all is proved.
"""

import hmac
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from broker.adapters.keys.key_bundle import KeyBundle
from broker.adapters.keys.key_files import (
    KeyProblem,
    list_key_files,
    parse_hex_key,
    read_safely,
    write_once,
)
from broker.adapters.keys.keys_on_disk import (
    PAIRWISE_FOLDER,
    BrokerKeys,
    KeysUnusable,
    derive_key_check,
)
from broker.pseudonyms.derivation import load_root_key
from broker.pseudonyms.epochs import load_pairwise_keys
from broker.pseudonyms.golden import derive_golden, find_wrong_golden

BACKED_UP = ("root", PAIRWISE_FOLDER, "register", "receipts", "storage")
"""Folders of the keys that go into a bundle, in the order in which `keys_init` makes them."""

ROTATING = frozenset({"storage"})
"""Those that rotate: where there is one already, it came after the bundle's or replaced them."""

ROOT_FILE = "root/root.hex"

_FOLDER_MODE = 0o700
_NAME = re.compile(rf"(?:{'|'.join(BACKED_UP)})/[A-Za-z0-9][A-Za-z0-9._-]{{0,63}}")


def collect_keys(folder: Path, *, keys: BrokerKeys, program: str) -> KeyBundle:
    """Return the bundle of what lasts in a keys folder.

    Args:
        keys: what `load_keys` returned for this folder: all that is wrong was told by then.

    Raises:
        KeyProblem: a file cannot be read safely.
    """
    files = {
        file.relative_to(folder).as_posix(): read_safely(file, root=folder)
        for purpose in BACKED_UP
        for file in list_key_files(folder, purpose)
    }
    return KeyBundle(
        program=program,
        files=files,
        golden=derive_golden(root=keys.root, pairwise=keys.pairwise),
        checks=dict(keys.checks),
    )


def check_bundle_whole(bundle: KeyBundle, *, place: Path) -> None:
    """Hold that this program makes of these keys what they made when they were backed up.

    Args:
        place: the bundle's file, for what is told.

    Raises:
        KeysUnusable: with everything that comes out otherwise.
    """
    strange = [name for name in bundle.files if not _NAME.fullmatch(name)]
    if strange:
        raise KeysUnusable(
            (KeyProblem(place, "holds files that are no keys", "install a later version"),)
        )
    wrong = tuple(_find_wrong_checks(bundle)) or _find_wrong_pseudonyms(bundle)
    if wrong:
        raise KeysUnusable(
            (
                KeyProblem(
                    place,
                    f"makes something else than before ({len(wrong)}, first {wrong[0]}), with "
                    f"version {bundle.program} as it was then",
                    "do not use this installation: its libraries or its version are wrong",
                ),
            )
        )


def check_keys_in_use(bundle: KeyBundle, *, keys_folder: Path, in_use: Mapping[str, bytes]) -> None:
    """Hold that these keys are those that the registry knows.

    Args:
        in_use: `read_key_checks`; empty when there is no registry yet.

    Raises:
        KeysUnusable: with each key that is another one.
    """
    problems = tuple(
        KeyProblem(
            keys_folder / name,
            "is not the key that registry.db knows: the bundle is another broker's, or the "
            "databases are",
            "put the databases back that belong to these keys, or take the right bundle",
        )
        for name, value in sorted(bundle.checks.items())
        if not hmac.compare_digest(in_use.get(name, value), value)
    )
    if problems:
        raise KeysUnusable(problems)


def find_keys_left_out(
    bundle: KeyBundle, *, keys_folder: Path, in_use: Mapping[str, bytes]
) -> list[str]:
    """Return the keys that the registry knows, and that neither bundle nor folder holds."""
    return sorted(
        name for name in in_use if name not in bundle.files and not (keys_folder / name).exists()
    )


def check_nothing_replaced(bundle: KeyBundle, *, keys_folder: Path) -> None:
    """Hold that no key would have to give way to one of the bundle.

    Raises:
        KeysUnusable: with each file that is there and holds another key, or cannot be read.
    """
    problems: list[KeyProblem] = []
    for name, content in sorted(_find_wanted(bundle, keys_folder).items()):
        file = keys_folder / name
        if not file.exists() and not file.is_symlink():
            continue
        try:
            if read_safely(file, root=keys_folder) != content:
                problems.append(
                    KeyProblem(
                        file,
                        "is there already and holds another key",
                        "move it away if it is not the one in use",
                    )
                )
        except KeyProblem as problem:
            problems.append(problem)
    if problems:
        raise KeysUnusable(tuple(problems))


def put_back(bundle: KeyBundle, *, keys_folder: Path) -> list[Path]:
    """Write what is missing, each file whole and for its owner alone; return what was written.

    The root key comes last, against the order of `keys_init`: broken off at any file, this leaves a
    folder in which that one sees that a key was lost, and makes none in its place.

    Raises:
        KeysUnusable: something else appeared meanwhile.
        OSError: it cannot be written; what was written is whole, and a second run goes on.
    """
    check_nothing_replaced(bundle, keys_folder=keys_folder)
    wanted = _find_wanted(bundle, keys_folder)
    keys_folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    made = [
        write_once(keys_folder / name, content)
        for name, content in sorted(wanted.items(), key=_from_last_to_root)
        if not (keys_folder / name).exists()
    ]
    check_nothing_replaced(bundle, keys_folder=keys_folder)  # read from the disk again
    return [file for file in made if file is not None]


def _from_last_to_root(named: tuple[str, bytes]) -> tuple[int, str]:
    purpose = named[0].partition("/")[0]
    return -BACKED_UP.index(purpose), named[0]


def _find_wanted(bundle: KeyBundle, keys_folder: Path) -> dict[str, bytes]:
    """Return the files that the folder should have: what rotates only where there is none."""
    left = {each for each in ROTATING if list_key_files(keys_folder, each)}
    return {
        name: content
        for name, content in bundle.files.items()
        if name.partition("/")[0] not in left
    }


def _find_wrong_checks(bundle: KeyBundle) -> Iterator[str]:
    for name, value in sorted(bundle.checks.items()):
        try:
            key = parse_hex_key(Path(name), bundle.files.get(name, b""))
        except KeyProblem:
            yield name
            continue
        if derive_key_check(key, name=name) != value:
            yield name


def _find_wrong_pseudonyms(bundle: KeyBundle) -> tuple[str, ...]:
    pairwise = {
        Path(name).stem: parse_hex_key(Path(name), content)
        for name, content in bundle.files.items()
        if name.startswith(f"{PAIRWISE_FOLDER}/")
    }
    root = parse_hex_key(Path(ROOT_FILE), bundle.files.get(ROOT_FILE, b""))
    return find_wrong_golden(
        bundle.golden, root=load_root_key(root), pairwise=load_pairwise_keys(pairwise)
    )
