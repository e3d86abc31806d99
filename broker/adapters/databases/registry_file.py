"""Opening `registry.db` for one piece of work."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from broker.adapters.databases.sql import open_sqlite
from broker.flow.federation.snapshots import RegistryUnreadable


@contextmanager
def open_registry(
    path: Path, *, unreadable: tuple[type[Exception], ...] = ()
) -> Iterator[sqlite3.Connection]:
    """Yield a connection to a registry, closed at the end.

    Args:
        unreadable: what else, raised inside, means that its rows hold what they must not.

    Raises:
        RegistryUnreadable: it cannot be read or written.
    """
    faults: tuple[type[Exception], ...] = (sqlite3.Error, OSError, *unreadable)
    try:
        with closing(open_sqlite(path)) as connection:
            yield connection
    except faults as error:
        raise RegistryUnreadable(f"{path}: {error}") from error
