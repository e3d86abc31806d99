"""Requests that lead to one login, with two workers on a real Redis."""

import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from broker.adapters.login_store.redis_store import EPOCH_KEY, RedisLoginStore
from broker.flow.refusals import StoreUnavailable
from tests.adapters.test_redis_store import FROM_LONG_AGO
from tests.flow import pushing
from tests.flow.login_world import LoginWorld, Worker
from tests.flow.pushed_suite import OneLoginForEachRequest
from tests.redis_server import RedisServer, running_redis

running: list[RedisServer] = []


@pytest.fixture(scope="module", autouse=True)
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        running.append(server)
        yield
        running.remove(server)


@pytest.fixture
def world(telling_values: frozenset[str]) -> LoginWorld:
    return LoginWorld(telling_values)


class TestOnRedis(OneLoginForEachRequest):
    stores: Sequence[RedisLoginStore]

    async def open_stores(self, world: LoginWorld) -> Sequence[RedisLoginStore]:
        (server,) = running
        await server.ask("FLUSHALL")
        stores = [
            RedisLoginStore(
                server.address, mark=None, random=secrets.token_bytes, report=lambda _: None
            )
            for _ in range(2)
        ]
        self.stores = stores
        await self.let_it_be_old()
        return stores

    async def let_it_be_old(self) -> None:
        """As if the server had always been there, and remembered every claim."""
        (server,) = running
        await self.stores[0].check()
        await server.ask("EVAL", FROM_LONG_AGO, 1, EPOCH_KEY, await server.ask("GET", EPOCH_KEY))
        for each in self.stores:
            await each.check()

    async def close_stores(self, stores: Sequence[Any]) -> None:
        for each in stores:
            await each.close()

    async def test_a_store_that_forgot_takes_no_request_for_a_moment(
        self, world: LoginWorld, workers: Sequence[Worker]
    ) -> None:
        """An assertion of before could have been used: only one that is surely newer counts."""
        (server,) = running
        assert await pushing.push(world)
        await server.ask("FLUSHALL")
        for each in self.stores:
            await each.check()
        old = int(world.now.timestamp()) - 200
        for iat in (None, old):
            with pytest.raises(StoreUnavailable):
                await (pushing.push(world, iat=iat) if iat else pushing.push(world))
        await self.let_it_be_old()
        assert await pushing.push(world, iat=old)
