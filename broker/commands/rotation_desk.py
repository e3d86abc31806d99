"""What the commands of a supplier's rotation share: the files of this broker."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from broker.adapters.databases.data_folder import DataFolder
from broker.adapters.databases.sql_rotations import SqliteRotations
from broker.adapters.databases.sql_supplier_counts import SqliteSupplierCounts
from broker.adapters.keys.keys_on_disk import BrokerKeys, load_keys
from broker.adapters.watching.logs import AuditLines
from broker.commands.listening import start_logs
from broker.commands.operators import slug
from broker.commands.registry import system_account
from broker.flow.rotation.rotations import RotationDesk
from broker.settings import LoadedSettings, load_settings

supplier_option = click.option(
    "--supplier", type=slug, required=True, metavar="ID", help="The supplier, by its document's id."
)


def open_loaded(config_folder: Path) -> tuple[LoadedSettings, BrokerKeys]:
    """Return the settings and keys, once databases and keys are those in use."""
    loaded = load_settings(config_folder, environment=os.environ)
    start_logs(loaded)
    keys = load_keys(loaded.keys_folder)
    DataFolder(loaded.data_folder, loaded.keys_folder, keys).open()
    return loaded, keys


def open_desk(loaded: LoadedSettings, keys: BrokerKeys) -> RotationDesk:
    """Return the desk over the files of this broker."""
    return RotationDesk(
        store=SqliteRotations(loaded.data_folder / "registry.db"),
        keys=keys.pairwise,
        audit=AuditLines(),
        by=system_account(),
        clock=lambda: datetime.now(UTC),
    )


def counts_of(loaded: LoadedSettings) -> SqliteSupplierCounts:
    """Return the counts of suppliers' persons."""
    return SqliteSupplierCounts(loaded.data_folder / "register.db")
