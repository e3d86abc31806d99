"""One `broker serve` with several workers on its own Redis, and the demo's parties beside it."""

import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from broker.adapters.serving.worker_processes import WorkerEvent
from broker.demo.actions import Stage
from broker.demo.addresses import FREE_PORTS, Addresses, Party, addresses_of, listening
from broker.demo.run import prepare_world
from broker.demo.world import running
from broker.flow.following.trail import LoginStep
from tests.journeys.topology import BrokerProcess
from tests.journeys.visitor import TIMEOUT_SECONDS, Visitor
from tests.redis_server import RedisServer, a_free_port

DRAIN_SECONDS = 2
NEVER_SECONDS = 3600
"""Workers are halted here for as long as a step takes: that must not pass for hanging."""

PATIENT_MILLISECONDS = 30_000
"""A busy machine is no fault of Redis."""


@dataclass(frozen=True, slots=True)
class WorkersWorld:
    """Everything that runs."""

    addresses: Addresses
    broker: BrokerProcess
    redis: RedisServer
    config_folder: Path
    metrics_port: int
    stage: Stage

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return what the broker wrote down of an event, whichever worker it was."""
        said = [json.loads(each) for each in self.broker.log.read_text().splitlines()]
        return [each for each in said if each["event"] == event]

    async def until(self, event: WorkerEvent, count: int) -> list[dict[str, Any]]:
        """Return what was written of an event once it was written so often."""
        async with contextlib.AsyncExitStack() as stack:
            client = await stack.enter_async_context(self.client())
            while len(found := self.lines(event)) < count:
                await client.get(self.addresses[Party.BROKER] + "/health/live")
        return found

    def steps(self) -> list[int]:
        """Return which worker took each step of a browser, in no order of time."""
        return [
            int(each["worker"].rpartition("/")[2])
            for each in self.lines("request")
            if each.get("step") not in (None, LoginStep.REDEEM, LoginStep.USERINFO)
        ]

    @property
    def workers(self) -> list[int]:
        """Process ids of the workers of now."""
        ended = {each["pid"] for each in self.lines(WorkerEvent.ENDED)}
        return [each["pid"] for each in self.lines(WorkerEvent.STARTED) if each["pid"] not in ended]

    @contextlib.asynccontextmanager
    async def client(self, **how: Any) -> AsyncIterator[httpx2.AsyncClient]:
        """An HTTP client as a browser has it."""
        async with httpx2.AsyncClient(
            follow_redirects=True,
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
            headers={"accept-language": "en"},
            **how,
        ) as made:
            yield made

    @contextlib.asynccontextmanager
    async def somebody(self, **how: Any) -> AsyncIterator[Visitor]:
        """A person with a fresh browser."""
        async with self.client(**how) as client:
            yield Visitor(self.addresses, client)

    @contextlib.contextmanager
    def alone(self, worker: int) -> Iterator[None]:
        """Halt all workers but one, so that it gets the next connections."""
        others = [each for each in self.workers if each != worker]
        for each in others:
            os.kill(each, signal.SIGSTOP)
        try:
            yield
        finally:
            for each in others:
                os.kill(each, signal.SIGCONT)

    @contextlib.asynccontextmanager
    async def somebody_whom_each_worker_sees_in_turn(
        self,
    ) -> AsyncIterator[tuple[Visitor, list[int]]]:
        """A person each of whose steps is another worker's than the one before, and whose."""
        one, other = self.workers
        at_work, served = [one, other], list[int]()
        at_broker = httpx2.URL(self.addresses[Party.BROKER])

        async def change_workers(response: httpx2.Response) -> None:
            if response.url.port == at_broker.port:
                await response.aread()
                served.append(at_work[0])
                os.kill(at_work[1], signal.SIGCONT)
                os.kill(at_work[0], signal.SIGSTOP)
                at_work.reverse()

        os.kill(other, signal.SIGSTOP)
        try:
            async with self.somebody(
                event_hooks={"response": [change_workers]},
                limits=httpx2.Limits(max_keepalive_connections=0),
            ) as visitor:
                yield visitor, served
        finally:
            for each in (one, other):
                os.kill(each, signal.SIGCONT)


@contextlib.asynccontextmanager
async def running_workers(folder: Path, *, workers: int = 2) -> AsyncIterator[WorkersWorld]:
    """Set everything up and run it while the context lasts."""
    redis, port, metrics_port = RedisServer(folder), a_free_port(), a_free_port()
    ports = {party: free for party, free in FREE_PORTS.items() if party is not Party.BROKER}
    with listening(ports) as sockets:
        addresses = {**addresses_of(sockets), Party.BROKER: f"http://localhost:{port}"}
        world = prepare_world(
            folder / "config",
            addresses,
            settings={
                "logging": {},  # to standard error, which goes to `BrokerProcess.log`
                "server": {
                    "drain_seconds": DRAIN_SECONDS,
                    "hung_seconds": NEVER_SECONDS,
                    "metrics_port": metrics_port,
                },
                "store": {
                    "url": f"redis://127.0.0.1:{redis.port}",
                    "connect_milliseconds": PATIENT_MILLISECONDS,
                    "operation_milliseconds": PATIENT_MILLISECONDS,
                },
            },
        )
        config_folder = world.loaded.config_folder
        broker = BrokerProcess(config_folder, port, options=("--workers", str(workers)))
        redis.start()
        try:
            broker.start()
            async with running(world.federation, addresses, sockets=sockets):
                await broker.until_ready()
                stage = Stage(world.loaded, addresses)
                yield WorkersWorld(addresses, broker, redis, config_folder, metrics_port, stage)
        finally:
            if broker.process is not None:
                await broker.stop()
            redis.kill()
