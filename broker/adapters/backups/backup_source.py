"""What of a running broker goes into a backup, copied so that the parts agree.

The order matters, since logins go on meanwhile. A login writes the person's row and then the
receipt, so the receipts are copied before the register: every receipt in the backup has its row.
The registry comes last: it keeps its history, so what rows and receipts name is in it. Used actions
come before the register: an action that is used meanwhile is at worst carried out once more, and
never taken for done when it was not.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from broker.adapters.backups.backup_archive import ArchiveProblem
from broker.adapters.backups.sql_copy import DatabaseDamaged, copy_database
from broker.adapters.databases.data_folder import REGISTRY, find_lost_databases
from broker.adapters.databases.sql_upgrade import Database
from broker.adapters.operators_on_disk import OPERATORS_FOLDER, USED_FOLDER

FEDERATION_FOLDER = "federation"
SETTINGS_FILE = "broker.toml"
DATABASES_IN_ORDER: tuple[Database, ...] = ("receipts", "register", "registry")


@dataclass(frozen=True, slots=True)
class BrokerFolders:
    """Where a broker's files are."""

    config: Path
    data: Path
    keys: Path


@dataclass(frozen=True, slots=True)
class CopiedBroker:
    """Copies of everything, that change no more.

    Attributes:
        files: path in the archive -> copy, in the order of the archive.
        revisions: database -> revision of its tables.
    """

    files: Mapping[str, Path]
    revisions: Mapping[str, str]


def count_bytes(folders: BrokerFolders) -> int:
    """Return about how much there is to copy."""
    databases = (folders.data / f"{name}.db" for name in DATABASES_IN_ORDER)
    return sum(each.stat().st_size for each in databases if each.exists())


def copy_broker(
    folders: BrokerFolders, staging: Path, *, progress: Callable[[int], None]
) -> CopiedBroker:
    """Copy what is backed up into an empty folder of ours.

    Args:
        progress: called with the number of bytes of databases copied since the last call.

    Raises:
        ArchiveProblem: there is no registry, a database is damaged or not one of these three, or a
            file would take a key along.
        RegistryUnreadable, sqlite3.Error, OSError: something cannot be read.
    """
    if not (folders.data / REGISTRY).exists():
        raise ArchiveProblem(
            folders.data / REGISTRY, "is not there", "name the --config of a broker that was used"
        )
    files: dict[str, Path] = {}
    for path, source in _find_files(folders):
        files[path] = _copy_file(source, staging / path, keys=folders.keys)
    revisions: dict[str, str] = {}
    for name in DATABASES_IN_ORDER:
        source, path = folders.data / f"{name}.db", f"data/{name}.db"
        if not source.exists():
            continue
        (staging / path).parent.mkdir(exist_ok=True)
        try:
            revisions[name] = copy_database(source, staging / path, progress=progress)
        except (DatabaseDamaged, sqlite3.DatabaseError) as reason:
            raise ArchiveProblem(
                source, "cannot be copied whole", "repair it, or restore an earlier backup"
            ) from reason
        files[path] = staging / path
    for loss in find_lost_databases(staging / "data"):
        raise ArchiveProblem(folders.data / loss.name, loss.problem.rstrip("."), loss.remedy)
    return CopiedBroker(files, revisions)


def _find_files(folders: BrokerFolders) -> Iterator[tuple[str, Path]]:
    """Yield each file but the databases: its path in the archive, and where it is."""
    yield f"config/{SETTINGS_FILE}", folders.config / SETTINGS_FILE
    for name in (FEDERATION_FOLDER, OPERATORS_FOLDER):
        for file in _visible_files(folders.config / name):
            yield f"config/{file.relative_to(folders.config).as_posix()}", file
    for file in _visible_files(folders.data / USED_FOLDER):
        yield f"data/{file.relative_to(folders.data).as_posix()}", file


def _visible_files(folder: Path) -> list[Path]:
    """Return the files below a folder by name, without hidden ones and what hidden folders hold."""
    return [
        each
        for each in sorted(folder.rglob("*"))
        if each.is_file()
        and not any(part.startswith(".") for part in each.relative_to(folder).parts)
    ]


def _copy_file(source: Path, target: Path, *, keys: Path) -> Path:
    if keys.exists() and source.resolve().is_relative_to(keys.resolve()):
        raise ArchiveProblem(
            source, "leads to the keys, which are never in this backup", "remove that link"
        )
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return target
