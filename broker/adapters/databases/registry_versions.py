"""The counter that workers watch: every change of `registry.db` adds a version.

A worker looks for a higher version twice a second and then loads all of it anew. So whoever changes
a table that `SqliteRegistry.load` reads calls `add_version` in the same transaction, and the change
is in force on all workers within two seconds.
"""

import sqlite3
from datetime import UTC, datetime

from sqlalchemy import func, insert, select

from broker.adapters.databases.sql import prepare
from broker.adapters.databases.tables_registry import versions

_VERSION = prepare(select(func.max(versions.c.version)))
_ADD_VERSION = prepare(insert(versions))


def read_version(connection: sqlite3.Connection) -> int:
    """Return the version in force; 0 when nothing was ever applied."""
    version: int | None
    (version,) = connection.execute(_VERSION).fetchone()
    return version or 0


def add_version(
    connection: sqlite3.Connection,
    *,
    note: str,
    by: str,
    at: datetime,
    added: int = 0,
    changed: int = 0,
    removed: int = 0,
) -> int:
    """Add a version within the caller's transaction and return it.

    Args:
        note: what was done, without a value of a person.
        by: system account of the operator.
        at: aware; kept to the hour.
        added, changed, removed: numbers of documents.
    """
    version = read_version(connection) + 1
    connection.execute(
        _ADD_VERSION,
        {
            "version": version,
            "applied_in": f"{at.astimezone(UTC):%Y-%m-%dT%HZ}",
            "applied_by": by,
            "note": note,
            "added": added,
            "changed": changed,
            "removed": removed,
        },
    )
    return version
