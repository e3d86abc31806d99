"""Which login store the settings name, how it is reached, and whether it can be used."""

import asyncio
import secrets
from collections.abc import Callable
from time import monotonic

from broker.adapters.key_files import KeyProblem, read_safely
from broker.adapters.keys_on_disk import BrokerKeys, KeysUnusable, load_keys
from broker.adapters.logs import report_store
from broker.adapters.memory import MemoryLoginStore
from broker.adapters.redis_connections import RedisAddress, RedisProblem
from broker.adapters.redis_mark import KeyMark, derive_key_mark
from broker.adapters.redis_store import RedisLoginStore
from broker.settings import LoadedSettings, SettingsProblem, parse_store_url

OpenedStore = MemoryLoginStore | RedisLoginStore


def open_login_store(
    loaded: LoadedSettings, *, keys: BrokerKeys, random: Callable[[int], bytes]
) -> OpenedStore:
    """Return the login store of the settings; a Redis is not reached before it is used."""
    address = read_redis_address(loaded)
    if address is None:
        return MemoryLoginStore(
            monotonic=monotonic, max_entries=loaded.settings.limits.store_records
        )
    return RedisLoginStore(
        address, mark=mark_keys(loaded, keys), random=random, report=report_store
    )


def mark_keys(loaded: LoadedSettings, keys: BrokerKeys) -> KeyMark:
    """Return by what this broker and others see whether they have the same keys."""
    return derive_key_mark(
        issuer=loaded.settings.issuer, checks=keys.checks, storage=(keys.storage,)
    )


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
        mark = mark_keys(loaded, load_keys(loaded.keys_folder))
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
