"""A narrow change of the registry, within a transaction of whoever keeps something beside it."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from broker.adapters.databases.document_rows import (
    add_documents,
    end_documents,
    read_since,
    read_stored,
)
from broker.adapters.databases.registry_versions import add_version, read_version
from broker.adapters.databases.sql_console_audit import append_entry
from broker.flow.console.console_audit import ConsoleEntry
from broker.flow.federation.narrow_change import (
    NOT_THERE,
    EditedMeanwhile,
    LeaningMoved,
    NarrowChange,
)


def write_narrow(
    connection: sqlite3.Connection,
    change: NarrowChange,
    *,
    by: str,
    at: datetime,
    entries: Sequence[ConsoleEntry],
) -> int:
    """Put documents in force within the caller's transaction, and return the registry's version.

    Nothing that is put means no new version, and no entry of the audit.

    Raises:
        EditedMeanwhile, LeaningMoved: the caller's transaction must not be committed.
    """
    if not change.put:
        return read_version(connection)
    for key, since in change.instead_of.items():
        if read_since(connection, key) != since:
            raise EditedMeanwhile(key, read_stored(connection, [key]).get(key))
    for key, since in change.leaning_on.items():
        if read_since(connection, key) != since:
            raise LeaningMoved(f"{key[0]}/{key[1]}")
    replaced = [key for key, since in change.instead_of.items() if since != NOT_THERE]
    version = add_version(
        connection,
        note=change.note,
        by=by,
        at=at,
        added=len(change.put) - len(replaced),
        changed=len(replaced),
    )
    end_documents(connection, replaced, last=version - 1)
    add_documents(connection, change.put, version=version)
    for each in entries:
        append_entry(connection, each)
    return version
