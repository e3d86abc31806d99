"""A kept connection for reading `register.db`, and writing beside it on threads."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from broker.adapters.databases.sql import OpenedFile, open_sqlite, transaction
from broker.flow.persons.register import RegisterUnavailable

Result = TypeVar("Result")

READ_BUSY_TIMEOUT_MS = 200  # as the register's: a reader waits only while a log is recovered
_FAULTS = (sqlite3.Error, OSError, ValueError)


class RegisterFile:
    """Reads at once, on the event loop; writes on a thread, each durably and all or nothing.

    Args:
        path: of a database that `upgrade_database(path, "register")` made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reading: OpenedFile | None = None

    def read(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Return what `work` reads.

        Raises:
            RegisterUnavailable: it cannot be read.
        """
        try:
            if self._reading is None:
                self._reading = OpenedFile(self._path, busy_timeout_ms=READ_BUSY_TIMEOUT_MS)
            return work(self._reading.connection())
        except _FAULTS as error:
            self.close()
            raise RegisterUnavailable("check_readable") from error

    async def write(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Return what `work` does in one transaction.

        Raises:
            RegisterUnavailable: nobody knows whether it is stored.
        """

        def write() -> Result:
            with closing(open_sqlite(self._path)) as connection, transaction(connection):
                return work(connection)

        try:
            return await asyncio.to_thread(write)
        except _FAULTS as error:
            raise RegisterUnavailable("check_written") from error

    def close(self) -> None:
        """Close the kept connection; the next read opens another."""
        if self._reading is not None:
            self._reading.close()
            self._reading = None
