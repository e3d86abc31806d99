"""Pins and windows of rotations, in `registry.db`: decided and stored in one transaction."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import bindparam, insert, select, update

from broker.adapters.databases.registry_file import open_registry
from broker.adapters.databases.registry_versions import add_version
from broker.adapters.databases.sql import prepare, transaction
from broker.adapters.databases.tables_registry import pins, rotations
from broker.domain.ids import SupplierId
from broker.flow.rotation.rotations import Decide, RotationState, RotationWindow

_open = rotations.c.closed_version.is_(None)
_of_supplier = rotations.c.supplier == bindparam("of_supplier")
_WINDOWS = prepare(
    select(
        *(rotations.c.supplier, rotations.c.from_epoch, rotations.c.to_epoch),
        *(rotations.c.turned_back, rotations.c.opened_version),
    ).where(_open)
)
_PIN = prepare(select(pins.c.epoch).where(pins.c.supplier == bindparam("of_supplier")))
_PINS = prepare(select(pins.c.supplier, pins.c.epoch))
_MOVE_PIN = prepare(
    update(pins)
    .where(pins.c.supplier == bindparam("of_supplier"))
    .values(epoch=bindparam("new_epoch"), version=bindparam("new_version"))
)
_OPEN = prepare(
    insert(rotations).values(
        {
            name: bindparam(name)
            for name in ("supplier", "from_epoch", "to_epoch", "turned_back", "opened_version")
        }
    )
)
_TURN = prepare(
    update(rotations).where(_open, _of_supplier).values(turned_back=bindparam("now_turned"))
)
_CLOSE = prepare(
    update(rotations).where(_open, _of_supplier).values(closed_version=bindparam("in_version"))
)


def read_windows(connection: sqlite3.Connection) -> Mapping[SupplierId, RotationWindow]:
    """Return the open windows, by supplier."""
    return {
        supplier: RotationWindow(supplier, left, entered, bool(turned_back), version)
        for supplier, left, entered, turned_back, version in connection.execute(_WINDOWS)
    }


@dataclass(frozen=True, slots=True)
class SqliteRotations:
    """`broker.flow.rotation.rotations.RotationStore` on a SQLite database.

    Args:
        path: of a database that `upgrade_database(path, "registry")` made.
    """

    path: Path

    def change(
        self, supplier: SupplierId, decide: Decide, *, note: str, by: str, at: datetime
    ) -> RotationState:
        """Decide on what is there, and store it, in one transaction; running brokers follow.

        Raises:
            Refusal: of `decide`; then nothing was stored.
            RegistryUnreadable: the registry cannot be read or written.
        """
        with open_registry(self.path) as connection, transaction(connection):
            before = _read(connection, supplier)
            after = decide(before)
            version = add_version(connection, note=note, by=by, at=at, changed=1)
            _store(connection, before, after, version=version)
            return _read(connection, supplier)

    def read(self, supplier: SupplierId) -> RotationState:
        """Return what is there.

        Raises:
            RegistryUnreadable: the registry cannot be read.
        """
        with open_registry(self.path) as connection:
            return _read(connection, supplier)

    def epochs_in_use(self) -> Mapping[str, tuple[str, ...]]:
        """Return each epoch that pseudonyms come from, or came from before an open rotation, with
        its suppliers; also of those that are gone, whose pin waits for them.

        Raises:
            RegistryUnreadable: the registry cannot be read.
        """
        found: dict[str, dict[str, None]] = {}
        with open_registry(self.path) as connection:
            connection.execute("BEGIN")
            pinned = connection.execute(_PINS).fetchall()
            windows = read_windows(connection)
        for supplier, epoch in pinned:
            found.setdefault(epoch, {})[supplier] = None
        for supplier, window in windows.items():
            found.setdefault(window.previous_epoch, {})[supplier] = None
        return {epoch: tuple(sorted(of)) for epoch, of in found.items()}


def _read(connection: sqlite3.Connection, supplier: SupplierId) -> RotationState:
    row = connection.execute(_PIN, {"of_supplier": supplier}).fetchone()
    pinned = None if row is None else str(row[0])
    return RotationState(supplier, pinned, read_windows(connection).get(supplier))


def _store(
    connection: sqlite3.Connection, before: RotationState, after: RotationState, *, version: int
) -> None:
    of = {"of_supplier": after.supplier}
    if after.pinned != before.pinned:
        connection.execute(_MOVE_PIN, of | {"new_epoch": after.pinned, "new_version": version})
    if after.window is None:
        connection.execute(_CLOSE, of | {"in_version": version})
    elif before.window is None:
        opened = replace(after.window, opened_version=version)
        connection.execute(
            _OPEN,
            {
                "supplier": opened.supplier,
                "from_epoch": opened.from_epoch,
                "to_epoch": opened.to_epoch,
                "turned_back": opened.turned_back,
                "opened_version": version,
            },
        )
    else:
        connection.execute(_TURN, of | {"now_turned": after.window.turned_back})
