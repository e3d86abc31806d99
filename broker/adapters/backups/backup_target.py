"""Putting a backup back: into empty folders, whole, and never under a broker that runs.

Files are written beside their places and renamed. The two files without which nothing starts come
last, `registry.db` and `broker.toml`: what was put back by half is not a broker.
"""

import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from broker.adapters.backups.backup_archive import ArchiveProblem
from broker.adapters.backups.backup_source import SETTINGS_FILE, BrokerFolders
from broker.adapters.databases.data_folder import REGISTRY
from broker.adapters.keys.key_files import sync_folder
from broker.adapters.operators_on_disk import note_put_back

STAGING = ".being-put-back"
LISTEN_CHECK_SECONDS = 1

_OF_THE_SYSTEM = frozenset({"lost+found"})
_FOLDER_MODE = 0o700


def check_empty(folders: BrokerFolders) -> None:
    """Hold that nothing is where the backup goes; the keys folder may be there.

    Raises:
        ArchiveProblem: something is.
        OSError: a folder cannot be read.
    """
    for folder in (folders.config, folders.data):
        if not folder.exists():
            continue
        others = {folders.keys, folders.data} - {folder}
        found = [each for each in folder.iterdir() if each.name not in _OF_THE_SYSTEM]
        left = [each for each in found if not any(_holds_only(each, other) for other in others)]
        if left:
            raise ArchiveProblem(
                folder,
                f"is not empty: {min(left).name} is there",
                "name another folder, or move away what is in it",
            )


def check_nobody_listens(host: str, port: int) -> None:
    """Hold that no broker runs where this one would.

    Raises:
        ArchiveProblem: something listens at the address in the settings.
    """
    with suppress(OSError), socket.create_connection((host, port), LISTEN_CHECK_SECONDS):
        raise ArchiveProblem(
            Path(f"{host}:{port}"), "is listened on: a broker runs there", "stop it first"
        )


@contextmanager
def staging_in(folder: Path) -> Iterator[Path]:
    """Give an empty hidden folder inside another one, which is made when needed; removed again.

    Inside, so that renaming works also where the folder is a mounted disk.
    """
    made = _first_missing(folder)
    folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    staging = folder / STAGING
    try:
        staging.mkdir(mode=_FOLDER_MODE)
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        with suppress(OSError):  # not empty: it went well
            if made is not None:
                _remove_empty(made, folder)


def put_in_place(staged: Mapping[str, Path], folders: BrokerFolders, *, put_back_at: int) -> None:
    """Move what was extracted to where it belongs.

    Args:
        staged: `config` and `data` -> the folder inside the right one that holds its files.
        put_back_at: seconds since 1970; what operators prepared before is void from now on.

    Raises:
        OSError: it cannot be moved; what is missing then keeps a broker from starting.
    """
    note_put_back(staged["data"] / "data", at=put_back_at)
    _move_all(staged["data"] / "data", folders.data, last=REGISTRY)
    _move_all(staged["config"] / "config", folders.config, last=SETTINGS_FILE)


def _move_all(source: Path, target: Path, *, last: str) -> None:
    for each in sorted(source.iterdir(), key=lambda entry: entry.name == last):
        each.rename(target / each.name)
        sync_folder(target)


def _holds_only(entry: Path, other: Path) -> bool:
    """Tell whether an entry is a folder that is looked at by itself, or only leads to it."""
    entry, other = entry.absolute(), other.absolute()
    if entry == other:
        return True
    return entry in other.parents and all(_holds_only(each, other) for each in entry.iterdir())


def _first_missing(folder: Path) -> Path | None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    return missing[-1] if missing else None


def _remove_empty(first: Path, last: Path) -> None:
    for each in (last, *last.parents):
        each.rmdir()
        if each == first:
            return
