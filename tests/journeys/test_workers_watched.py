"""Several workers from outside: their metrics as one, and one login traced over all of them."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from broker.adapters.serving.worker_processes import WorkerEvent
from broker.demo.addresses import Party
from tests.adapters.test_metrics import Sample, samples
from tests.adapters.test_worker_metrics import DIED, WORKERS
from tests.journeys.commands import run_program
from tests.journeys.workers_world import WorkersWorld, running_workers

pytestmark = pytest.mark.servers

GIVE_UP_SECONDS = 240  # only a fault takes so long
RELEASED: Sample = (
    "schuilnaam_logins_total",
    (("outcome", "released"), ("school_protocol", "oidc"), ("supplier_protocol", "oidc")),
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WorkersWorld]:
    async with running_workers(tmp_path_factory.mktemp("watched")) as running:
        await running.until(WorkerEvent.SERVING, 1)
        yield running


async def scrape(world: WorkersWorld) -> dict[Sample, float]:
    async with world.client() as client:
        answer = await client.get(f"http://127.0.0.1:{world.metrics_port}/metrics")
        assert answer.status_code == 200
        return samples(answer.content)


async def log_in(world: WorkersWorld) -> None:
    async with world.somebody() as visitor:
        assert (await visitor.log_in(Party.REKENRIJK, "kompas", "noor"))["subject"]


async def test_what_workers_count_is_added_up_and_outlives_them(world: WorkersWorld) -> None:
    for _ in range(4):
        await log_in(world)
    before = await scrape(world)
    assert (before[RELEASED], before[WORKERS], before[DIED]) == (4, 2, 0)
    os.kill(world.workers[0], signal.SIGKILL)
    await world.until(WorkerEvent.ENDED, 1)
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while (found := await scrape(world))[WORKERS] < 2:
            await asyncio.sleep(0)
    assert (found[RELEASED], found[DIED]) == (4, 1)
    await log_in(world)
    assert (await scrape(world))[RELEASED] == 5


async def test_metrics_are_not_at_the_address_of_logins(world: WorkersWorld) -> None:
    async with world.client() as client:
        answer = await client.get(world.addresses[Party.BROKER] + "/metrics")
    assert answer.status_code == 404


async def test_a_login_is_traced_over_all_workers(world: WorkersWorld) -> None:
    async with world.somebody_whom_each_worker_sees_in_turn() as (visitor, served):
        await visitor.try_to_log_in(Party.TAALTUIN, "kompas", "noor")
        assert "E-RELEASE-1" in visitor.text
    async with asyncio.timeout(GIVE_UP_SECONDS):  # a worker writes its line after it answered
        while not (
            found := [each for each in world.lines("request") if each.get("code") == "E-RELEASE-1"]
        ):
            await asyncio.sleep(0)
    (refused,) = found
    said = await run_program("trace", refused["reference"], "--log", world.broker.log)
    for worker in set(served):
        assert f"/{worker}," in said
    for step in ("begin", "choose-school", "school-answer"):
        assert step in said
    assert "whose task: school" in said
