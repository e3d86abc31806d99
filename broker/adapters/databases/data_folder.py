"""The data folder at the start: nothing was lost or exchanged, and all is its owner's alone.

Never a new pseudonym silently. A wrong key, or a register that is made anew, would
make a stranger of every pupil, and nothing would look wrong. So `registry.db` keeps a check value
of each key that lasts, and the random mark of each other database, from the first start or `apply`
on. What does not agree with them stops everything that would go on without it, until it is put
back or somebody accepts the loss (`broker accept-loss`).
"""

import sqlite3
import stat
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Table, bindparam, func, insert, select
from sqlalchemy.dialects.sqlite import insert as insert_or_else

from broker.adapters.databases.sql import open_sqlite, prepare, transaction
from broker.adapters.databases.sql_upgrade import Database, upgrade_database
from broker.adapters.databases.tables_receipts import receipts_mark
from broker.adapters.databases.tables_register import register_mark
from broker.adapters.databases.tables_registry import databases, key_checks, versions
from broker.adapters.keys.key_files import KeyProblem
from broker.adapters.keys.keys_on_disk import BrokerKeys, KeysUnusable
from broker.flow.federation.snapshots import RegistryUnreadable

REGISTRY = "registry.db"
MARKED: Mapping[Database, Table] = {"register": register_mark, "receipts": receipts_mark}
"""The databases beside the registry, with the table that holds their mark."""

_SIDES = ("", "-wal", "-shm")
"""How the names of SQLite's files end."""

_OTHERS_MODE = stat.S_IRWXG | stat.S_IRWXO

_VERSION = prepare(select(func.max(versions.c.version)))
_KEY_CHECKS = prepare(select(key_checks.c.key, key_checks.c.value))
_DATABASES = prepare(select(databases.c.name, databases.c.mark))
_KEEP_KEY = prepare(insert_or_else(key_checks).on_conflict_do_nothing())
_KEEP_DATABASE = prepare(insert_or_else(databases).on_conflict_do_nothing())
_FORGET_KEY = prepare(key_checks.delete().where(key_checks.c.key == bindparam("of_key")))
_FORGET_DATABASE = prepare(databases.delete().where(databases.c.name == bindparam("of_name")))
_ADD_KEY, _ADD_DATABASE = prepare(insert(key_checks)), prepare(insert(databases))


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that lasts and is not what it was.

    Attributes:
        name: as `broker accept-loss` takes it: `register.db`, `root/root.hex`.
        problem: to be read after the file's name.
    """

    name: str
    file: Path
    problem: str

    @property
    def remedy(self) -> str:
        """Say what an operator can do."""
        return (
            f"Restore {self.name} from the backup; only if it is lost for good, run "
            f"`broker accept-loss {self.name}`."
        )


class DatabasesLost(Exception):  # noqa: N818 -- a finding that `check` lists
    """Databases are not those that were in use; `losses` names each."""

    def __init__(self, losses: tuple[Loss, ...]) -> None:
        super().__init__(*(f"{each.file} {each.problem} {each.remedy}" for each in losses))
        self.losses = losses


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The databases of one broker, and the keys that they were made with.

    Every method but `find_open_files` raises `RegistryUnreadable` when a database cannot be read.
    """

    folder: Path
    keys_folder: Path
    keys: BrokerKeys = field(repr=False)

    def open(self) -> None:
        """Make and upgrade the databases where needed, and keep what later starts compare.

        Raises:
            KeysUnusable: a key that lasts is another one than before.
            DatabasesLost: a database is missing or another one than before.
            OSError, sqlalchemy.exc.DatabaseError: as `upgrade_database`.
        """
        self.open_registry()
        for name in MARKED:
            upgrade_database(self._path(name), name)
        self._keep_databases()
        self.check_nothing_lost()  # another worker may have started beside us, with other keys

    def open_registry(self) -> None:
        """Do so with the registry alone: what `broker apply` needs."""
        self.check_nothing_lost()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        upgrade_database(self._path("registry"), "registry")
        with self._registry() as registry, transaction(registry):
            registry.executemany(
                _KEEP_KEY, [{"key": key, "value": value} for key, value in self.keys.checks.items()]
            )
        self._keep_databases()

    def keep_added_keys(self) -> None:
        """Keep the check values of keys that were added while a broker runs.

        Raises:
            KeysUnusable: one that lasts is another one than before.
        """
        self._check_keys()
        with self._registry() as registry, transaction(registry):
            registry.executemany(
                _KEEP_KEY, [{"key": key, "value": value} for key, value in self.keys.checks.items()]
            )

    def check_nothing_lost(self) -> None:
        """Refuse to go on without what lasts. Changes nothing.

        Raises:
            KeysUnusable, DatabasesLost: as `open`.
        """
        self._check_keys()
        losses = tuple(self.find_lost_databases())
        if losses:
            raise DatabasesLost(losses)

    def _check_keys(self) -> None:
        lost = tuple(self.find_lost_keys())
        if lost:
            raise KeysUnusable(
                tuple(KeyProblem(each.file, each.problem[:-1], each.remedy[:-1]) for each in lost)
            )

    def find_lost_keys(self) -> Iterator[Loss]:
        """Yield each key in whose place there is another one."""
        kept = self._read_kept()
        for name, value in self.keys.checks.items():
            if kept.keys.get(name, value) != value:
                yield Loss(name, self.keys_folder / name, "is not the key that was in use before.")

    def find_lost_databases(self) -> Iterator[Loss]:
        """Yield each database that is missing, or in whose place there is another one.

        With keys of several epochs this is no new installation, even where every database is gone:
        a registry that is made anew would pin all suppliers to the newest, and move pseudonyms.
        """
        lost = list(find_lost_databases(self.folder))
        yield from lost
        several = len(self.keys.pairwise.by_letter) > 1
        if several and not lost and not self._read_kept().in_use:
            told = "holds nothing, but there are pairwise keys of several epochs."
            yield Loss(REGISTRY, self._path("registry"), told)

    def find_losses(self) -> list[Loss]:
        """Return everything that is lost."""
        return [*self.find_lost_keys(), *self.find_lost_databases()]

    def accept(self, loss: Loss) -> None:
        """Go on without it: from now on what is there, or a new database, is the right one."""
        if loss.name in self.keys.checks:
            with self._registry() as registry, transaction(registry):
                registry.execute(_FORGET_KEY, {"of_key": loss.name})
                value = self.keys.checks[loss.name]
                registry.execute(_ADD_KEY, {"key": loss.name, "value": value})
        elif loss.name == REGISTRY:
            upgrade_database(self._path("registry"), "registry")
            with self._registry() as registry, transaction(registry):
                registry.executemany(
                    _ADD_KEY,
                    [{"key": key, "value": value} for key, value in self.keys.checks.items()],
                )
            self._keep_databases()
        else:
            (name,) = (each for each in MARKED if f"{each}.db" == loss.name)
            upgrade_database(self._path(name), name)
            if self._read_kept().in_use:
                mark = self._read_mark(name)
                with self._registry() as registry, transaction(registry):
                    registry.execute(_FORGET_DATABASE, {"of_name": name})
                    registry.execute(_ADD_DATABASE, {"name": name, "mark": mark})

    def _path(self, name: Database) -> Path:
        return self.folder / f"{name}.db"

    def _keep_databases(self) -> None:
        marks = {name: self._read_mark(name) for name in MARKED if self._path(name).exists()}
        with self._registry() as registry, transaction(registry):
            registry.executemany(
                _KEEP_DATABASE,
                [{"name": name, "mark": mark} for name, mark in marks.items() if mark is not None],
            )

    def _read_mark(self, name: Database) -> bytes | None:
        return _read_mark(self._path(name), name)

    def _read_kept(self) -> "_Kept":
        return _read_kept(self._path("registry"))

    def _registry(self) -> AbstractContextManager[sqlite3.Connection]:
        return _opened(self._path("registry"))


def read_key_checks(folder: Path) -> Mapping[str, bytes]:
    """Return the check value of each key that is in use; empty when there is no registry.

    Raises:
        RegistryUnreadable: it cannot be read.
    """
    return _read_kept(folder / REGISTRY).keys


def find_lost_databases(folder: Path) -> Iterator[Loss]:
    """Yield each database that is missing, or in whose place there is another one.

    Raises:
        RegistryUnreadable: a database cannot be read.
    """

    def loss(name: Database, problem: str) -> Loss:
        return Loss(f"{name}.db", folder / f"{name}.db", problem)

    kept = _read_kept(folder / REGISTRY)
    there = {name: (folder / f"{name}.db").exists() for name in MARKED}
    if not kept.in_use and any(there.values()):
        yield loss("registry", "holds nothing, but the other databases are there.")
    for name in MARKED:
        if not there[name]:
            # The receipts are made after the register: it was there before them.
            if name in kept.databases or (name == "register" and there["receipts"]):
                yield loss(name, "is missing, but it was in use before.")
        elif kept.databases.get(name) not in (None, _read_mark(folder / f"{name}.db", name)):
            yield loss(name, "is not the database that was in use before.")


def _read_mark(path: Path, name: Database) -> bytes | None:
    """Return a database's mark; None before the revision that gave it one."""
    with _opened(path) as connection:
        table = MARKED[name]
        if table.name not in _tables_of(connection):
            return None
        row: tuple[bytes] | None = connection.execute(prepare(select(table))).fetchone()
        return None if row is None else row[0]


def _read_kept(path: Path) -> "_Kept":
    if not path.exists():
        return _Kept({}, {}, version=0)
    with _opened(path) as registry:
        tables = _tables_of(registry)
        (version,) = registry.execute(_VERSION).fetchone() if versions.name in tables else (0,)
        if key_checks.name not in tables:  # before the revision that made them
            return _Kept({}, {}, version=version or 0)
        return _Kept(
            dict(registry.execute(_KEY_CHECKS)),
            dict(registry.execute(_DATABASES)),
            version=version or 0,
        )


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(open_sqlite(path)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise RegistryUnreadable(f"{path}: {error}") from error


def _tables_of(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the registry says of keys and databases."""

    keys: Mapping[str, bytes] = field(repr=False)
    databases: Mapping[str, bytes] = field(repr=False)
    version: int

    @property
    def in_use(self) -> bool:
        return bool(self.version or self.keys)


def find_open_files(folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield the data folder and each database file that others than their owner may use, with
    its mode."""
    files = (folder / f"{name}.db{more}" for name in ("registry", *MARKED) for more in _SIDES)
    for each in (folder, *files):
        if each.exists() and each.stat().st_mode & _OTHERS_MODE:
            yield each, stat.S_IMODE(each.stat().st_mode)
