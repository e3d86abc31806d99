"""A copy of one SQLite database while others write to it: SQLite's own online backup.

The copy is the database as it was at one moment. A read transaction holds that moment, so writers
go on and the copying never starts anew, however long it takes.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from broker.adapters.databases.sql import open_sqlite
from broker.adapters.databases.sql_upgrade import FILE_MODE

PAGES_AT_ONCE = 1024


class DatabaseDamaged(Exception):  # noqa: N818 -- said to an operator
    """SQLite found the copy damaged; so is the original, for pages are copied as they are."""


def copy_database(
    source: Path, target: Path, *, progress: Callable[[int], None] = lambda copied: None
) -> str:
    """Copy a database to a new file for its owner alone; return its revision.

    Args:
        progress: called with the number of bytes that were copied since the last call.

    Raises:
        DatabaseDamaged: the copy is not whole.
        sqlite3.Error: the source cannot be read or the target not be written.
        FileExistsError: there is a target.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))
    done = 0

    def report(_status: int, remaining: int, total: int) -> None:
        nonlocal done
        copied = total - remaining
        progress((copied - done) * page_bytes)
        done = copied

    with closing(open_sqlite(source)) as reading, closing(sqlite3.connect(target)) as writing:
        (page_bytes,) = reading.execute("PRAGMA page_size").fetchone()
        reading.execute("BEGIN")
        # BEGIN alone holds nothing: from the first read on, the moment is held.
        reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
        revision = _read_revision(reading)
        reading.backup(writing, pages=PAGES_AT_ONCE, progress=report, sleep=0)
        reading.execute("ROLLBACK")
        found = [row[0] for row in writing.execute("PRAGMA quick_check(1)")]
    if found != ["ok"]:
        raise DatabaseDamaged(str(source))
    return revision


def _read_revision(connection: sqlite3.Connection) -> str:
    """Return the revision that Alembic brought it to; empty when it made none of its tables."""
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return ""
    return "" if row is None else str(row[0])
