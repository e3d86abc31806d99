"""Where transfers are offered, accepted and confirmed: on this broker's databases."""

import secrets
from datetime import UTC, datetime

from broker.adapters.databases.data_folder import DataFolder
from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_transfers import SqliteTransfers
from broker.adapters.keys.keys_on_disk import BrokerKeys, load_keys
from broker.flow.operators.two_persons import PreparedAction
from broker.flow.persons.register import derive_register_keys
from broker.flow.transfers.transfers import TRANSFER_ACTIONS, TransferDesk
from broker.settings import LoadedSettings


def transfer_desk(
    loaded: LoadedSettings, keys: BrokerKeys, register: SqlitePersonRegister
) -> TransferDesk:
    """Return the desk, over databases that are made and upgraded where needed."""
    DataFolder(loaded.data_folder, loaded.keys_folder, keys).open()
    return TransferDesk(
        offers=SqliteTransfers(loaded.data_folder / "register.db"),
        register=register,
        keys=derive_register_keys(keys.register),
        registry=SqliteRegistry(loaded.data_folder / "registry.db").load(),
        clock=lambda: datetime.now(UTC),
        random=secrets.token_bytes,
    )


def transfer_desk_for(
    prepared: PreparedAction, loaded: LoadedSettings, register: SqlitePersonRegister
) -> TransferDesk | None:
    """Return the desk when a prepared action needs one."""
    if prepared.body.action not in TRANSFER_ACTIONS:
        return None
    return transfer_desk(loaded, load_keys(loaded.keys_folder), register)
