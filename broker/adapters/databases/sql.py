"""Opening the SQLite databases. `broker.adapters.databases.sql_upgrade` makes them.

Tables are declared in SQLAlchemy Core (`broker.adapters.databases.tables_*`), one `MetaData` a
database, and made by Alembic's revisions in `migrations/<database>/versions`; a test holds that
both agree and that every column says what it is. What runs for every login is compiled to text once
(`prepare`) and run on a kept `sqlite3` connection: SQLAlchemy's own execution costs several times
the query.

PostgreSQL is the seam: the same tables and revisions, other adapters behind the same ports.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import ClauseElement, Engine, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import NullPool

BUSY_TIMEOUT_MS = 5000
NAP_SECONDS = 0.0005
"""Between two looks at whether another process still writes."""

_PRAGMAS = (
    "journal_mode = WAL",  # readers never wait for a writer
    "synchronous = FULL",  # in WAL mode, NORMAL may lose the last commits in a power cut
    "foreign_keys = ON",
    "secure_delete = ON",  # what is erased is overwritten, not only unlinked
    "trusted_schema = OFF",
)


def open_sqlite(path: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> sqlite3.Connection:
    """Return a connection in autocommit mode: transactions are begun and ended by statements.

    It may be handed from thread to thread, used by one at a time.

    Raises:
        sqlite3.OperationalError: there is no database at `path`.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=busy_timeout_ms / 1000,
    )
    try:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


class OpenedFile:
    """A connection that is kept, as long as what it has open is still the file at its path.

    A database that was moved away or put back would take writes that nobody ever reads, and
    answer with what is not so any more.

    Raises:
        sqlite3.OperationalError: there is no database at `path`.
        OSError: likewise.
    """

    def __init__(self, path: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        self._path = path
        self._connection = open_sqlite(path, busy_timeout_ms=busy_timeout_ms)
        self._file = _identity_of(path)

    def connection(self) -> sqlite3.Connection:
        """Return it for the next use; some microseconds.

        Raises:
            OSError: the file was replaced or is gone. Close this and open what is there.
        """
        if _identity_of(self._path) != self._file:
            raise FileNotFoundError("the database was replaced while it was open")
        return self._connection

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _identity_of(path: Path) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what is written inside, durably, or roll it back.

    `BEGIN IMMEDIATE` takes the write lock first: a transaction that reads and then writes could
    otherwise fail half-way instead of waiting.
    """
    _begin(connection)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _begin(connection: sqlite3.Connection) -> None:
    """Take the write lock, also when another worker commits all the time.

    SQLite waits by itself as long, but naps up to 100 ms between two looks. Measured with two
    processes that write all the time: one write in a hundred waits 100 to 200 ms, and 20 to 45 ms
    with short naps.
    """
    (within_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
    until = monotonic() + within_ms / 1000
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > until:
                    raise
            else:
                return
            sleep(NAP_SECONDS)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {within_ms}")


def prepare(statement: ClauseElement) -> str:
    """Return a Core statement as SQLite's text, with `:name` for each parameter.

    `sqlite3` keeps the prepared statement of a text that comes again.

    Raises:
        ValueError: the statement holds a value, which its text would lose; use a named `bindparam`
            or a `literal_column`.
    """
    compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"))
    if any(value is not None for value in compiled.params.values()):
        raise ValueError("a prepared statement holds names, not values")
    return str(compiled)


def sqlite_engine(path: Path) -> Engine:
    """Return an engine for work outside logins, with the same pragmas and real transactions."""
    engine = create_engine("sqlite://", creator=lambda: open_sqlite(path), poolclass=NullPool)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine
