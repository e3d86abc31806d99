"""Whole logins with the login store on Redis, and logins in whose middle Redis is away."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from broker.demo.addresses import Party
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.visitor import Visitor, new_visitor
from tests.redis_server import RedisServer

pytestmark = pytest.mark.servers

GIVE_UP_SECONDS = 60  # only a fault takes so long


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server that is not started yet: the broker starts without it."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld, redis: RedisServer) -> AsyncIterator[World]:
    url = f"redis://127.0.0.1:{redis.port}"
    async with open_world(settings={"store": {"url": url}}) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def store(world: World, redis: RedisServer) -> RedisServer:
    """Return the server, running, and the broker ready by it."""
    if redis.process is None:
        redis.start()
    async with somebody(world) as visitor:
        await readiness(visitor, awaited="ready")
    return redis


@asynccontextmanager
async def somebody(world: World) -> AsyncIterator[Visitor]:
    visitor = new_visitor(world.at, language="en")
    try:
        yield visitor
    finally:
        await visitor.client.aclose()


async def readiness(visitor: Visitor, *, awaited: str) -> Any:
    """Return what `/health/ready` says once its status is the awaited one."""
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while True:
            await visitor.visit(Party.BROKER, "/health/ready")
            said = visitor.page.json()
            assert visitor.page.status_code == (200 if said["status"] == "ready" else 503)
            if said["status"] == awaited:
                return said


async def test_a_broker_waits_for_its_redis(world: World, redis: RedisServer) -> None:
    redis.kill()
    async with somebody(world) as visitor:
        assert (await readiness(visitor, awaited="failing"))["failing"] == ["store"]
        await visitor.open_material(Party.REKENRIJK)
        assert visitor.page.status_code == 503
        assert "E-LOGIN-9" in visitor.text
        redis.start()
        await readiness(visitor, awaited="ready")
        assert (await visitor.log_in(Party.REKENRIJK, "kompas", "noor"))["subject"]


@pytest.mark.parametrize(
    ("party", "school", "pupil"),
    [
        (Party.REKENRIJK, "vuurvogel", "sanne"),
        (Party.REKENRIJK, "kompas", "noor"),
        (Party.TAALTUIN, "vuurvogel", "sanne"),
        (Party.BIOSFEER_SAML, "kompas", "noor"),
    ],
)
async def test_pupils_log_in(
    world: World, store: RedisServer, party: Party, school: str, pupil: str
) -> None:
    async with somebody(world) as visitor:
        assert (await visitor.log_in(party, school, pupil))["subject"]


async def test_nothing_telling_rests_there(
    world: World, store: RedisServer, telling_values: frozenset[str]
) -> None:
    async with somebody(world) as visitor:
        await visitor.open_material(Party.REKENRIJK)
        await visitor.choose("vuurvogel")
        await visitor.log_in_at_school("sanne")  # what will be released waits for a button
    keys = await store.ask("KEYS", "*")
    held = b"\n".join([*keys, *[await store.ask("GET", key) for key in keys]])
    assert len(keys) > 3
    assert [value for value in telling_values if value.encode() in held] == []


async def test_a_redis_killed_amid_a_login_costs_a_page(world: World, store: RedisServer) -> None:
    async with somebody(world) as visitor:
        await visitor.open_material(Party.REKENRIJK)
        await visitor.choose("vuurvogel")
        store.kill()
        await visitor.log_in_at_school("sanne")
        assert visitor.page.status_code == 503
        assert "E-LOGIN-9" in visitor.text
        assert (await readiness(visitor, awaited="failing"))["failing"] == ["store"]
        store.start()
        await readiness(visitor, awaited="ready")
        assert (await visitor.log_in(Party.REKENRIJK, "vuurvogel", "sanne"))["subject"]


async def test_a_flushed_redis_amid_a_login_costs_a_page(world: World, store: RedisServer) -> None:
    async with somebody(world) as visitor:
        await visitor.open_material(Party.REKENRIJK)
        await visitor.choose("vuurvogel")
        await store.ask("FLUSHALL")
        await visitor.log_in_at_school("sanne")
        assert 400 <= visitor.page.status_code < 500
        assert (await visitor.log_in(Party.REKENRIJK, "vuurvogel", "sanne"))["subject"]


async def test_a_hung_redis_costs_pages_with_a_way_back_and_nobody_else_time(
    world: World, store: RedisServer
) -> None:
    async with AsyncExitStack() as stack:
        crowd = [await stack.enter_async_context(somebody(world)) for _ in range(20)]
        looking = await stack.enter_async_context(somebody(world))
        store.signal(signal.SIGSTOP)
        try:
            logins = [asyncio.create_task(each.open_material(Party.REKENRIJK)) for each in crowd]
            await looking.visit(Party.BROKER, "/.well-known/openid-configuration")
            assert looking.page.status_code == 200
            await asyncio.gather(*logins)
            assert (await readiness(looking, awaited="failing"))["failing"] == ["store"]
        finally:
            store.signal(signal.SIGCONT)
        for each in crowd:
            assert each.page.status_code == 503
            assert "E-LOGIN-9" in each.text
            assert world.at[Party.REKENRIJK] in each.page.text  # the way back
        await readiness(looking, awaited="ready")
        assert (await crowd[0].log_in(Party.REKENRIJK, "vuurvogel", "sanne"))["subject"]


async def test_a_redis_that_is_full_or_evicts_costs_a_page(
    world: World, store: RedisServer
) -> None:
    for change, back in (
        (("maxmemory", "1"), ("maxmemory", "0")),
        (("maxmemory-policy", "allkeys-lru"), ("maxmemory-policy", "noeviction")),
    ):
        async with somebody(world) as visitor:
            await store.ask("CONFIG", "SET", *change)
            assert (await readiness(visitor, awaited="failing"))["failing"] == ["store"]
            if change[0] == "maxmemory":
                await visitor.open_material(Party.REKENRIJK)
                assert visitor.page.status_code == 503
                assert "E-LOGIN-9" in visitor.text
            await store.ask("CONFIG", "SET", *back)
            await readiness(visitor, awaited="ready")
            assert (await visitor.log_in(Party.REKENRIJK, "vuurvogel", "sanne"))["subject"]
