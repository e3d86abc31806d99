"""The state machine of two workers on a real Redis, that is flushed, killed and slow in earnest."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from broker.adapters.login_store.redis_connection import RedisConnection
from broker.adapters.login_store.redis_scripts import _IN_THIS_EPOCH, Script
from broker.adapters.login_store.redis_store import EPOCH_KEY, Epoch, RedisLoginStore
from broker.flow.held_state.login_store import Claim, Locator, TakenBefore
from tests.adapters.test_redis_store import FROM_LONG_AGO, PASS_TIME
from tests.flow.failing_store import Fault
from tests.flow.login_world import LoginWorld, Worker
from tests.flow.two_workers import TwoWorkers, what_is_found
from tests.redis_server import RedisServer, running_redis

AnyT = TypeVar("AnyT")

IMPATIENT_SECONDS = 0.02
ASLEEP_SECONDS = 0.1
"""Longer than the impatient wait, which then ends in every case."""

BEGAN_EARLIER = """
local epoch = redis.call('GET', KEYS[1])
if epoch then
  local began = math.max(1, tonumber(string.match(epoch, '%d+$')) - tonumber(ARGV[1]))
  local earlier = string.gsub(epoch, '%d+$', string.format('%d', began))
  redis.call('SET', KEYS[1], earlier)
end
"""
DISTURBANCES = ("connections cut", "asleep", "killed amid")

running: list[RedisServer] = []


@pytest.fixture(scope="module", autouse=True)
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    options = ("--enable-debug-command", "yes")
    with running_redis(tmp_path_factory.mktemp("redis"), *options) as server:
        running.append(server)
        yield
        running.remove(server)


class OnServer:
    """`watched_logins.Backend` over a server."""

    def __init__(self, store: type[RedisLoginStore] = RedisLoginStore) -> None:
        (self.server,) = running
        self.store = store
        self.opened: list[RedisLoginStore] = []
        self._is_new = True

    def open(self) -> RedisLoginStore:
        self.opened.append(
            self.store(
                self.server.address, mark=None, random=secrets.token_bytes, report=lambda _: None
            )
        )
        return self.opened[-1]

    async def lose(self, how: str) -> None:
        if how == "flush":
            await self.server.ask("FLUSHALL")
        else:  # its file brings back what it held when that was written
            self.server.kill()
            self.server.start()

    async def keep(self) -> None:
        await self.server.ask("SAVE")

    async def pass_time(self, seconds: int) -> None:
        await self.server.ask("EVAL", PASS_TIME, 0, seconds * 1000)
        await self.server.ask("EVAL", BEGAN_EARLIER, 1, EPOCH_KEY, seconds * 1000)

    async def look(self, store: Any) -> None:
        if self._is_new:  # as if it had always been there, and remembered every claim
            self._is_new = False
            await self.server.ask("FLUSHALL")
            await self.keep()  # no file brings back what another run held
            await store.check()
            stated = await self.server.ask("GET", EPOCH_KEY)
            await self.server.ask("EVAL", FROM_LONG_AGO, 1, EPOCH_KEY, stated)
        await store.check()

    async def close(self) -> None:
        for each in self.opened:
            await each.close()

    async def disturb(self, how: str, step: Awaitable[AnyT], store: RedisLoginStore) -> AnyT:
        """Let a step run while something happens to the server."""
        patient = store._address
        store._address = replace(patient, operation_seconds=IMPATIENT_SECONDS)
        asleep = None
        if how == "asleep":
            asleep = asyncio.create_task(self.server.ask("DEBUG", "SLEEP", ASLEEP_SECONDS))
            await asyncio.sleep(0)
        doing = asyncio.ensure_future(step)
        await asyncio.sleep(0)
        try:
            if how == "connections cut":
                await self.server.ask("CLIENT", "KILL", "TYPE", "normal")
            elif how == "killed amid":
                self.server.kill()
            return await doing
        finally:
            store._address = patient
            if asleep is not None:
                await asyncio.gather(asleep, return_exceptions=True)
            if self.server.process is None:
                self.server.start()


class OnRedis(TwoWorkers):
    def open_backend(_world: LoginWorld) -> OnServer:  # noqa: N805 -- called on the class
        return OnServer()

    def __init__(self) -> None:
        super().__init__()
        self.look()


class OnDisturbedRedis(OnRedis):
    disturbance: str | None = None

    @rule(how=st.sampled_from(DISTURBANCES))
    def disturb(self, how: str) -> None:
        """Let something happen to the server during the next step."""
        self.disturbance = how

    def look(self) -> None:
        self.disturbance = None
        super().look()

    def act(
        self, number: int, step: Callable[[Worker], Awaitable[AnyT]], fault: Fault | None
    ) -> AnyT | None:
        how, self.disturbance = self.disturbance, None
        if how is None:
            return super().act(number, step, fault)
        self.stores[number].start(None)
        backend: Any = self.backend
        inner: Any = self.stores[number].inner
        return self.attempt(backend.disturb(how, step(self.workers[number]), inner))


TestTwoWorkersOnRedis = OnDisturbedRedis.TestCase
TestTwoWorkersOnRedis.settings = settings(
    max_examples=12, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)


class GetThenDelete(RedisLoginStore):
    """Reads a record, and takes it away in a second step."""

    async def take(
        self, locator: Locator, *, tombstone_ttl_seconds: int, claims: Sequence[Claim] = ()
    ) -> bytes:
        sealed = await self.get(locator)
        with suppress(TakenBefore):
            await super().take(locator, tombstone_ttl_seconds=tombstone_ttl_seconds, claims=claims)
        return sealed


class IgnoresEpochs(RedisLoginStore):
    """Believes what a file brings back, or what a lagging replica still holds."""

    async def _adopt(self, connection: RedisConnection) -> Epoch:
        await super()._adopt(connection)
        self._epoch = Epoch(b"0" * 40 + b" aa 1")
        return self._epoch

    async def _run_once(self, script: Script, *rest: Any, **named: Any) -> list[bytes | int]:
        blind = Script(script.text.replace(_IN_THIS_EPOCH, ""))
        return await super()._run_once(blind, *rest, **named)


@pytest.mark.parametrize("store", [GetThenDelete, IgnoresEpochs])
def test_a_fault_planted_in_the_store_is_found(store: type[RedisLoginStore]) -> None:
    class Planted(OnRedis):
        def open_backend(_world: LoginWorld) -> OnServer:  # noqa: N805 -- called on the class
            return OnServer(store)

    assert "once" in what_is_found(Planted, within_examples=100)
