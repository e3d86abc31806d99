"""The login store on Redis keeps the contract of every store, races between workers included."""

import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import pytest

from broker.adapters.login_store.redis_store import EPOCH_KEY, RedisLoginStore
from tests.adapters.storage_model import login_store_model
from tests.adapters.storage_suite import LoginStoreSuite
from tests.redis_server import PROGRAMS, RedisServer, running_redis

PASS_TIME = """
for _, key in ipairs(redis.call('KEYS', '{schuilnaam}:*')) do
  local left = redis.call('PTTL', key)
  if left >= 0 then
    if left > tonumber(ARGV[1]) then redis.call('PEXPIRE', key, left - ARGV[1])
    else redis.call('DEL', key) end
  end
end
"""
FROM_LONG_AGO = "redis.call('SET', KEYS[1], (string.gsub(ARGV[1], '%d+$', '1')))"
"""Sets an epoch that began when time did, so that it remembers every claim."""

running: dict[str, RedisServer] = {}


class StretchedStore(RedisLoginStore):
    """A second of the contract takes the server a quarter of an hour: none passes by itself."""

    MILLISECONDS_A_SECOND = 1_000_000


@dataclass
class RedisBackend:
    server: RedisServer
    store: StretchedStore
    other: StretchedStore

    async def advance(self, seconds: float) -> None:
        milliseconds = int(seconds * StretchedStore.MILLISECONDS_A_SECOND)
        await self.server.ask("EVAL", PASS_TIME, 0, milliseconds)


@pytest.fixture(scope="module", autouse=True)
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for program in PROGRAMS:
            folder = tmp_path_factory.mktemp(program)
            running[program] = stack.enter_context(running_redis(folder, program=program))
        yield
        running.clear()


@asynccontextmanager
async def open_backend(program: str) -> AsyncIterator[RedisBackend]:
    server = running[program]
    await server.ask("FLUSHALL")
    store, other = (
        StretchedStore(server.address, mark=None, random=secrets.token_bytes, report=lambda _: None)
        for _ in range(2)
    )
    await store.check()
    await server.ask("EVAL", FROM_LONG_AGO, 1, EPOCH_KEY, await server.ask("GET", EPOCH_KEY))
    await store.check()
    try:
        yield RedisBackend(server, store, other)
    finally:
        await store.close()
        await other.close()


class TestRedisLoginStore(LoginStoreSuite):
    open_backend = staticmethod(partial(open_backend, "redis"))


class TestValkeyLoginStore(LoginStoreSuite):
    open_backend = staticmethod(partial(open_backend, "valkey"))


TestRedisModel = login_store_model(partial(open_backend, "redis"))
