"""The login store on Redis keeps the contract of every store, races between workers included."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from broker.adapters.redis_store import EPOCH_KEY, RedisLoginStore
from tests.adapters.storage_model import login_store_model
from tests.adapters.storage_suite import LoginStoreSuite
from tests.redis_server import RedisServer, running_redis

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

running: list[RedisServer] = []


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
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        running.append(server)
        yield
        running.remove(server)


@asynccontextmanager
async def open_redis_backend() -> AsyncIterator[RedisBackend]:
    (server,) = running
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
    open_backend = staticmethod(open_redis_backend)


TestRedisModel = login_store_model(open_redis_backend)
