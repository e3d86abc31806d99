"""Which login store the settings name, how it is reached, and whether it can be used."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic

from broker.adapters.keys.key_files import KeyProblem, read_safely
from broker.adapters.keys.keys_on_disk import BrokerKeys, KeysUnusable, load_keys
from broker.adapters.login_store.memory import MemoryLoginStore
from broker.adapters.login_store.redis_connection import RedisAddress
from broker.adapters.login_store.redis_connections import RedisProblem
from broker.adapters.login_store.redis_mark import KeyMark, derive_key_mark
from broker.adapters.login_store.redis_store import RedisLoginStore
from broker.adapters.watching.logs import report_store
from broker.keys_in_force import KeysInForce, read_keys_in_force
from broker.settings import LoadedSettings, SettingsProblem, parse_store_url

OpenedStore = MemoryLoginStore | RedisLoginStore


def open_login_store(
    loaded: LoadedSettings, *, mark: KeyMark, random: Callable[[int], bytes]
) -> OpenedStore:
    """Return the login store of the settings; a Redis is not reached before it is used.

    Args:
        mark: of our keys (`mark_keys`).
    """
    address = read_redis_address(loaded)
    if address is None:
        return MemoryLoginStore(
            monotonic=monotonic, max_entries=loaded.settings.limits.store_records
        )
    return RedisLoginStore(address, mark=mark, random=random, report=report_store)


def mark_keys(issuer: str, keys: BrokerKeys, in_force: KeysInForce) -> KeyMark:
    """Return by what this broker and others see whether they have the same keys."""
    return derive_key_mark(
        issuer=issuer,
        checks=keys.checks,
        storage=[each.secret for each in in_force.storage],
    )


def change_mark(store: OpenedStore, mark: KeyMark) -> None:
    """Have a store work with other keys from now on.

    The keys of before stay known to it: a broker that follows a second later still marks them, and
    after an emergency removal nobody else would know them.
    """
    if isinstance(store, RedisLoginStore):
        before = () if store.mark is None else store.mark.opening
        known = dict.fromkeys((*mark.opening, *before))
        store.mark = replace(mark, opening=tuple(known))


def read_redis_address(loaded: LoadedSettings) -> RedisAddress | None:
    """Return how a Redis is reached; None where the login store is in memory.

    Raises:
        SettingsProblem: the file of its password cannot be used.
    """
    store, stated = loaded.settings.store, parse_store_url(loaded.settings.store.url)
    if stated is None:
        return None
    password = store.password
    if store.password_file is not None:
        file = loaded.config_folder / store.password_file
        try:
            password = read_safely(file, root=file.parent).decode().strip()
        except KeyProblem as found:
            raise SettingsProblem(
                str(file), "store.password_file", f"{found.problem}.", f"{found.remedy}."
            ) from None
        except UnicodeDecodeError:
            raise SettingsProblem(
                str(file), "store.password_file", "is no text.", "Write the password alone into it."
            ) from None
    return RedisAddress(
        host=stated.host,
        port=stated.port,
        database=stated.database,
        username=stated.username,
        password=password,
        tls=stated.tls,
        ca_file=None if store.ca_file is None else str(loaded.config_folder / store.ca_file),
        connect_seconds=store.connect_milliseconds / 1000,
        operation_seconds=store.operation_milliseconds / 1000,
    )


def find_store_problem(loaded: LoadedSettings) -> RedisProblem | None:
    """Reach for the Redis of the settings, and return what is wrong with it; None when all is well.

    Whether brokers with other keys use it is seen where the keys can be read.

    Raises:
        SettingsProblem: the file of its password cannot be used.
    """
    address = read_redis_address(loaded)
    if address is None:
        return None
    try:
        keys = load_keys(loaded.keys_folder)
        mark = mark_keys(
            loaded.settings.issuer, keys, read_keys_in_force(keys, now=datetime.now(UTC))
        )
    except KeysUnusable:  # told elsewhere
        mark = None

    async def check() -> RedisProblem | None:
        store = RedisLoginStore(
            address, mark=mark, marks=False, random=secrets.token_bytes, report=report_store
        )
        try:
            await store.check()
        except RedisProblem as found:
            return found
        finally:
            await store.close()
        return None

    return asyncio.run(check())
