"""Making the databases and bringing their tables up to date, by Alembic's revisions.

Alembic is loaded only when there is something to do: it costs a third of a second and ten megabytes
that a worker does not need.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from broker.adapters.databases.sql import open_sqlite, sqlite_engine

if TYPE_CHECKING:
    from alembic.config import Config

Database = Literal["registry", "register", "receipts"]

PAGE_BYTES: Mapping[Database, int] = {"registry": 4096, "register": 8192, "receipts": 4096}
"""A person whom 25 suppliers know takes 1.6 KB. In a table that is its own index, SQLite keeps a
row whole up to a quarter of a page; what is longer gets a page of its own beside it: measured with
pages of 4 KB, three times the size."""

FILE_MODE = 0o600  # the owner alone; SQLite gives its -wal and -shm files the same
_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade_database(path: Path, database: Database) -> None:
    """Make the database if there is none, for the owner alone, and bring its tables up to date.

    Two processes may do so at once: the second waits and finds nothing to do.

    Raises:
        OSError: the file cannot be made, or belongs to somebody else.
        sqlalchemy.exc.DatabaseError: no database, or a newer program's.
    """
    with _alone_in(path.parent):
        _upgrade(path, database)


def known_revisions(database: str) -> frozenset[str]:
    """Return the revisions of a database that this program can bring up to date."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_configure(database))
    return frozenset(each.revision for each in scripts.walk_revisions())


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process upgrades in this folder; SQLite refuses at once to switch modes
    under another connection, whatever its time-out."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _upgrade(path: Path, database: Database) -> None:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))
    path.chmod(FILE_MODE)
    if path.stat().st_size == 0:
        _begin_with_pages(path, PAGE_BYTES[database])
    if read_revision(path) == newest_revision(database):
        return
    from alembic import command

    config = _configure(database)
    engine = sqlite_engine(path)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()


def _begin_with_pages(path: Path, page_bytes: int) -> None:
    """Give a new database its page size, which it keeps for good: write-ahead logging fixes it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA page_size = {page_bytes}")
        connection.execute("VACUUM")


def read_revision(path: Path) -> str | None:
    """Return a database's revision; None when it has none, or is no database."""
    try:
        with closing(open_sqlite(path)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else str(row[0])


def newest_revision(database: Database) -> str:
    """Return the last revision that this program knows; its file bears its number."""
    newest = max(each.name for each in (_MIGRATIONS / database / "versions").glob("[0-9]*.py"))
    return f"{database}_{newest.partition('_')[0]}"


def _configure(database: str) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", _escape(_MIGRATIONS))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", _escape(_MIGRATIONS / database / "versions"))
    return config


def _escape(path: Path) -> str:
    """Alembic's options are a configparser's, where a percent sign begins an interpolation."""
    return str(path).replace("%", "%%")
