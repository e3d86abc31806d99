"""Keys change under logins that are under way: at two brokers on one Redis, nobody notices."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import broker.demo.peers
import broker.demo.run
from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.keys.keys_standing import find_standing
from broker.app import build_broker
from broker.demo.addresses import Party
from broker.flow.key_plans.key_purposes import ROTATING
from broker.flow.key_plans.key_schedule import KeyState
from tests.journeys.commands import run_broker
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.visitor import Visitor, new_visitor
from tests.redis_server import RedisServer, running_redis

pytestmark = pytest.mark.servers

GIVE_UP_SECONDS = 120  # only a fault takes so long
LEAD_SECONDS = 8
"""Long beside the second for which the parties keep what we publish."""

LOGINS = [
    (Party.REKENRIJK, "vuurvogel", "sanne"),
    (Party.REKENRIJK, "kompas", "noor"),
    (Party.TAALTUIN, "vuurvogel", "sanne"),
    (Party.BIOSFEER_SAML, "kompas", "noor"),
]
"""All four combinations."""


class TwoBrokers:
    """Two brokers behind one address; each request goes to the other one than the last."""

    def __init__(self, *brokers: ASGIApp) -> None:
        self._brokers = brokers
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        self._count += 1
        await self._brokers[self._count % len(self._brokers)](scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start and stop all, and say so once."""
        incoming = [asyncio.Queue[Message]() for _ in self._brokers]
        outgoing = [asyncio.Queue[Message]() for _ in self._brokers]
        lives = [
            asyncio.create_task(each(dict(scope), into.get, out.put))
            for each, into, out in zip(self._brokers, incoming, outgoing, strict=True)
        ]
        for _ in ("startup", "shutdown"):
            message = await receive()
            for into in incoming:
                await into.put(message)
            said = [await out.get() for out in outgoing]
            await send(said[0])
        await asyncio.gather(*lives)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld, redis: RedisServer) -> AsyncIterator[World]:
    def build_two(*arguments: Any, **named: Any) -> TwoBrokers:
        return TwoBrokers(*(build_broker(*arguments, **named) for _ in range(2)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(broker.demo.run, "build_broker", build_two)
        patch.setattr(broker.demo.peers, "FRESH_SECONDS", 1)
        url = f"redis://127.0.0.1:{redis.port}"
        async with open_world(settings={"store": {"url": url}}) as opened:
            yield opened


@asynccontextmanager
async def somebody(world: World) -> AsyncIterator[Visitor]:
    visitor = new_visitor(world.at, language="en")
    try:
        yield visitor
    finally:
        await visitor.client.aclose()


class Crowd:
    """People who log in one after the other in every combination, until they are told to stop."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stop = asyncio.Event()
        self.logins = 0

    async def log_in(self, *login: Any) -> None:
        while not self._stop.is_set():
            async with somebody(self._world) as visitor:
                assert (await visitor.log_in(*login))["subject"]
            self.logins += 1

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator["Crowd"]:
        """Keep them busy; a login that fails ends it all."""
        async with asyncio.timeout(GIVE_UP_SECONDS), asyncio.TaskGroup() as tasks:
            for each in LOGINS:
                tasks.create_task(self.log_in(*each))
            yield self
            self._stop.set()

    async def go_on_for(self, logins: int) -> None:
        """Return when so many more came in."""
        until = self.logins + logins
        while self.logins < until:
            await asyncio.sleep(0.05)


def states_in(world: World) -> dict[str, KeyState]:
    keys = load_keys(keys_of(world))
    return dict(find_standing(keys, now=datetime.now(UTC)))


def keys_of(world: World) -> Path:
    return world.prepared.loaded.keys_folder


async def key_ids(world: World) -> set[str]:
    """Return the ids of the key set; asked of both brokers, which must say the same."""
    async with somebody(world) as visitor:
        while True:
            seen = []
            for _ in range(2):
                await visitor.visit(Party.BROKER, "/oidc/jwks")
                seen.append({each["kid"] for each in visitor.page.json()["keys"]})
            if seen[0] == seen[1]:
                return seen[0]
            await asyncio.sleep(0.05)


async def until_published(world: World, *, count: int) -> set[str]:
    """Return the ids once there are so many."""
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while len(found := await key_ids(world)) != count:
            await asyncio.sleep(0.05)
    return found


async def begin_and_hold(visitor: Visitor, step: str) -> None:
    """Log in up to a step, and leave the browser there."""
    await visitor.open_material(Party.REKENRIJK)
    if step == "chooser":
        return
    await visitor.choose("vuurvogel")
    if step == "at school":
        return
    await visitor.log_in_at_school("sanne")
    if step == "welcome":
        return
    visitor.client.follow_redirects = False
    await visitor.press("continue")  # the code is in the address that the browser was sent to


async def go_on_from(visitor: Visitor, step: str) -> str:
    """Finish the login; return the pupil's pseudonym."""
    if step == "chooser":
        await visitor.choose("vuurvogel")
    if step in ("chooser", "at school"):
        await visitor.log_in_at_school("sanne")
    if step != "code":
        await visitor.go_on()
    else:
        visitor.client.follow_redirects = True
        visitor.page = await visitor.client.get(visitor.page.headers["location"])
    received = await visitor.received(Party.REKENRIJK)
    return str(received["subject"])


async def test_every_purpose_is_rotated_under_running_logins(world: World) -> None:
    before = await key_ids(world)
    async with somebody(world) as first:
        pseudonym = (await first.log_in(*LOGINS[0]))["subject"]
    steps = ("chooser", "at school", "welcome", "code")
    async with Crowd(world).at_work() as crowd:
        await crowd.go_on_for(8)
        for purpose in ROTATING:
            said = await run_broker(
                *("keys", "rotate", purpose, "--lead", f"{LEAD_SECONDS}s"),
                *("--config", world.folder),
            )
            assert "published now" in said
        held = [new_visitor(world.at, language="en") for _ in steps]
        for visitor, step in zip(held, steps, strict=True):
            await begin_and_hold(visitor, step)
        published = await until_published(world, count=4)
        assert published > before
        while KeyState.PUBLISHED in states_in(world).values():
            await crowd.go_on_for(1)
        for visitor, step in zip(held, steps, strict=True):
            assert await go_on_from(visitor, step) == pseudonym, step
            await visitor.client.aclose()
        await crowd.go_on_for(12)
    assert list(states_in(world).values()).count(KeyState.IN_USE) == 6
    assert list(states_in(world).values()).count(KeyState.ACCEPTED) == 6
    assert await key_ids(world) == published  # what was signed before verifies on
    assert crowd.logins > 20


async def test_a_removed_key_is_gone_at_once_and_logins_go_on(world: World) -> None:
    """Who was amid a login begins anew; nobody has to wait."""
    in_use = {file for file, state in states_in(world).items() if state is KeyState.IN_USE}
    before = await key_ids(world)
    for file in sorted(in_use):
        await run_broker("keys", "remove", file, "--yes", "--config", world.folder)
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while len(await key_ids(world) - before) < 2:
            await asyncio.sleep(0.05)
        assert not any((keys_of(world) / file).exists() for file in in_use)
        for login in LOGINS:  # once the parties have read what we publish now
            async with somebody(world) as visitor:
                while True:
                    await visitor.visit(Party.BROKER, "/health/ready")
                    assert visitor.page.json()["failing"] == []
                    await visitor.try_to_log_in(*login)
                    if visitor.is_at(login[0]) and visitor.page.status_code == 200:
                        break
                    await asyncio.sleep(0.2)
    assert "No problem" in await run_broker("check", "--config", world.folder)


async def test_keys_that_cannot_be_used_cost_no_login(world: World) -> None:
    (storage,) = [
        file
        for file, state in states_in(world).items()
        if state is KeyState.IN_USE and file.startswith("storage/")
    ]
    (keys_of(world) / storage).chmod(0o644)
    try:
        async with Crowd(world).at_work() as crowd:
            async with asyncio.timeout(GIVE_UP_SECONDS):
                while not was_refused(world, storage):
                    await crowd.go_on_for(1)
            await crowd.go_on_for(4)
    finally:
        (keys_of(world) / storage).chmod(0o600)


def was_refused(world: World, file: str) -> bool:
    lines = (each.read_text() for each in world.witness.logs if each.exists())
    return any("keys-refused" in each and file in each for each in lines)
