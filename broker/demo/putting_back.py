"""Putting the demo world back as it was at its start, while it runs.

What the actions change stands in two databases and in the documents' folder. Receipts stay, as a
record of what happened; so do keys: one that no supplier is pinned to changes nothing.
"""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import delete

from broker.adapters.databases.registry_versions import add_version
from broker.adapters.databases.sql import open_sqlite, prepare, transaction
from broker.adapters.databases.tables_register import REGISTER_METADATA, register_mark
from broker.adapters.databases.tables_registry import (
    REGISTRY_METADATA,
    databases,
    key_checks,
    versions,
)
from broker.settings import LoadedSettings

if TYPE_CHECKING:
    from broker.demo.actions import Stage

AT_FIRST = "at-first"
"""A folder in the demo's own that holds what is put back."""
DOCUMENTS, REGISTRY = "federation", "registry.db"

_STAY = {versions, key_checks, databases, register_mark}
"""Tables that go on: the version counts up, and the marks and checks say whose database it is."""


def keep_first_state(loaded: LoadedSettings) -> None:
    """Copy what `put_back` needs; before the world runs."""
    kept = loaded.config_folder / AT_FIRST
    shutil.copytree(loaded.config_folder / DOCUMENTS, kept / DOCUMENTS)
    with (
        closing(open_sqlite(loaded.data_folder / REGISTRY)) as source,
        closing(sqlite3.connect(kept / REGISTRY)) as copy,
    ):
        source.backup(copy)


async def put_back(stage: "Stage", *, follow_seconds: float) -> None:
    """Put documents, registry and register back; nobody is known any more."""
    kept = stage.loaded.config_folder / AT_FIRST
    shutil.copytree(kept / DOCUMENTS, stage.loaded.config_folder / DOCUMENTS, dirs_exist_ok=True)
    _copy_registry(stage.loaded.data_folder / REGISTRY, kept / REGISTRY)
    _empty_register(stage.loaded.data_folder / "register.db")
    await asyncio.sleep(follow_seconds)


def _copy_registry(database: Path, first: Path) -> None:
    with closing(open_sqlite(database)) as connection:
        connection.execute("ATTACH DATABASE ? AS first", (str(first),))
        with transaction(connection):
            for table in REGISTRY_METADATA.sorted_tables:
                if table not in _STAY:
                    connection.execute(prepare(delete(table)))
                    columns = ", ".join(each.name for each in table.columns)
                    connection.execute(
                        f"INSERT INTO main.{table.name} ({columns})"
                        f" SELECT {columns} FROM first.{table.name}"
                    )
            add_version(connection, note="as at the start", by="demo", at=datetime.now(UTC))


def _empty_register(database: Path) -> None:
    with closing(open_sqlite(database)) as connection, transaction(connection):
        for table in REGISTER_METADATA.sorted_tables:
            if table not in _STAY:
                connection.execute(prepare(delete(table)))
