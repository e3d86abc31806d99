"""Several workers: any step on any of them, and logins that go on while workers come and go."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from itertools import pairwise

import httpx2
import pytest
import pytest_asyncio

from broker.adapters.serving.worker_processes import WorkerEvent
from broker.demo.addresses import Party
from tests.journeys.commands import run_program
from tests.journeys.workers_world import WorkersWorld, running_workers

pytestmark = pytest.mark.servers

LOGINS = [
    (Party.REKENRIJK, "vuurvogel", "sanne"),
    (Party.REKENRIJK, "kompas", "noor"),
    (Party.TAALTUIN, "vuurvogel", "sanne"),
    (Party.BIOSFEER_SAML, "kompas", "noor"),
]
GIVE_UP_SECONDS = 240  # only a fault takes so long
AT_ONCE = 3
BEFORE_AND_AFTER = 6
"""Logins that must have ended before something happens, and that must end after it."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WorkersWorld]:
    async with running_workers(tmp_path_factory.mktemp("workers")) as running:
        await running.until(WorkerEvent.SERVING, 1)
        yield running


@dataclass(slots=True)
class Crowd:
    """Pupils who log in one after another, several at once, until they are told to go home."""

    world: WorkersWorld
    subjects: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    go_home: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, count: int) -> None:
        """Return when so many logins more have succeeded."""
        wanted = len(self.subjects) + count
        while len(self.subjects) < wanted:
            self.news.clear()
            await self.news.wait()

    async def log_in(self) -> None:
        party, school, pupil = LOGINS[0]
        while not self.go_home:
            async with self.world.somebody() as visitor:
                try:
                    self.subjects.append((await visitor.log_in(party, school, pupil))["subject"])
                except (httpx2.TransportError, AssertionError, KeyError) as why:
                    self.failed.append(repr(why))
                self.news.set()


async def while_logins_run(world: WorkersWorld, what: Callable[[], Awaitable[object]]) -> Crowd:
    """Do something while pupils log in; return how they fared."""
    crowd = Crowd(world)
    async with asyncio.timeout(GIVE_UP_SECONDS), asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(crowd.log_in())
        await crowd.until(BEFORE_AND_AFTER)
        await what()
        await crowd.until(BEFORE_AND_AFTER)
        crowd.go_home = True
    return crowd


@pytest.mark.parametrize(("party", "school", "pupil"), LOGINS)
async def test_each_step_may_be_on_another_worker(
    world: WorkersWorld, party: Party, school: str, pupil: str
) -> None:
    before = Counter(world.steps())
    async with world.somebody_whom_each_worker_sees_in_turn() as (visitor, served):
        assert (await visitor.log_in(party, school, pupil))["subject"]
    assert len(served) > 2
    assert all(one != other for one, other in pairwise(served))
    # A worker writes its line after it has answered, and may have been halted in between.
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while len(world.steps()) < before.total() + len(served):
            await asyncio.sleep(0)
    assert Counter(world.steps()) - before == Counter(served)


async def test_a_change_of_the_registry_is_in_force_on_every_worker(world: WorkersWorld) -> None:
    file = world.config_folder / "federation/agreements/vuurvogel-rekenrijk.toml"
    text = file.read_text()
    file.write_text(text.replace("version = 1", "version = 2").replace('["givenName"]', "[]"))
    before = len(world.lines("registry-loaded"))
    await run_program("apply", "--config", world.config_folder, file)
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while len(world.lines("registry-loaded")) < before + len(world.workers):
            await asyncio.sleep(0)
    for worker in world.workers:
        with world.alone(worker):
            async with world.somebody(limits=httpx2.Limits(max_keepalive_connections=0)) as visitor:
                received = await visitor.log_in(Party.REKENRIJK, "vuurvogel", "sanne")
                assert "given_name" not in received["claims"]


async def test_a_reload_fails_no_login(world: WorkersWorld) -> None:
    old = set(world.workers)

    async def reload() -> None:
        reloads = len(world.lines(WorkerEvent.RELOADED))
        world.broker.send(signal.SIGHUP)
        await world.until(WorkerEvent.RELOADED, reloads + 1)

    crowd = await while_logins_run(world, reload)
    assert crowd.failed == []
    assert len(set(crowd.subjects)) == 1
    assert not old & set(world.workers)
    assert len(world.workers) == 2


async def test_a_bad_reload_fails_no_login(world: WorkersWorld) -> None:
    old, settings = set(world.workers), world.config_folder / "broker.toml"
    good = settings.read_text()

    async def reload() -> None:
        refused = len(world.lines(WorkerEvent.RELOAD_REFUSED))
        settings.write_text(f"colour = 1\n{good}")
        world.broker.send(signal.SIGHUP)
        lines = await world.until(WorkerEvent.RELOAD_REFUSED, refused + 1)
        assert "colour" in lines[-1]["reason"]
        root = world.config_folder / "keys/root/root.hex"
        key = root.read_text()
        settings.write_text(good)
        root.write_text("0f" * 32)
        world.broker.send(signal.SIGHUP)
        lines = await world.until(WorkerEvent.RELOAD_REFUSED, refused + 2)
        assert "root.hex" in lines[-1]["reason"]
        root.write_text(key)

    crowd = await while_logins_run(world, reload)
    assert crowd.failed == []
    assert set(world.workers) == old


async def test_a_killed_worker_costs_only_what_it_was_doing(world: WorkersWorld) -> None:
    released, redeemed = (len(world.lines(each)) for each in ("released", "redeemed"))
    killed = world.workers[0]

    async def kill() -> None:
        serving = len(world.lines(WorkerEvent.SERVING))
        os.kill(killed, signal.SIGKILL)
        await world.until(WorkerEvent.SERVING, serving + 1)

    crowd = await while_logins_run(world, kill)
    assert len(crowd.failed) <= AT_ONCE
    assert len(set(crowd.subjects)) == 1
    assert killed not in world.workers
    assert len(world.workers) == 2
    released, redeemed = (
        len(world.lines("released")) - released,
        len(world.lines("redeemed")) - redeemed,
    )
    assert len(crowd.subjects) <= redeemed <= released + AT_ONCE  # its last line may be lost
    assert {each["code"] for each in world.lines("refused")} <= {"E-LOGIN-2", "E-OIDC-18"}


async def test_a_stop_finishes_what_runs(world: WorkersWorld) -> None:
    async with world.somebody() as visitor:
        await visitor.open_material(Party.REKENRIJK)
        await visitor.choose("vuurvogel")
        assert world.broker.process is not None
        workers = world.workers
        world.broker.send(signal.SIGTERM)
        await visitor.log_in_at_school("sanne")  # on the connection that it has
        assert visitor.is_at(Party.BROKER) or visitor.is_at(Party.REKENRIJK)
    assert await asyncio.to_thread(world.broker.process.wait) == 0
    world.broker.process = None
    ended = {each["pid"]: each["status"] for each in world.lines(WorkerEvent.ENDED)}
    assert [ended[each] for each in workers] == [0, 0]
    await run_program("receipts", "verify", "--config", world.config_folder)  # or it raises
