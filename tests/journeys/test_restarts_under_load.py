"""Restarts of everything while pupils log in: nobody's login fails, or it ends on a page.

Brokers, workers and nginx are restarted as operators do it. A broker or Redis that is killed may
cost those whose request it held a page with a way on; nobody else, and never a pseudonym.
"""

import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.journeys.steady_load import PUPILS, Load, steady_load
from tests.journeys.topology import BrokerProcess, Topology, running_topology

pytestmark = pytest.mark.servers

SOME = 8
"""Logins before and after each event: twice as many as pupils, so that each was under way."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def topology(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Topology]:
    folder = tmp_path_factory.mktemp("restarts")
    async with running_topology(folder, options=("--workers", "2")) as running:
        yield running


def check_nobody_noticed(load: Load) -> None:
    assert load.pages + load.failed == [], load.report()
    check_everybody_is_who_they_were(load)


def check_everybody_is_who_they_were(load: Load) -> None:
    """Each pupil of the load is one pseudonym at each supplier."""
    for subjects in load.subjects.values():
        pupils = [each.split()[0] for each in subjects]
        assert len(pupils) == len(set(pupils)), subjects


async def restart(broker: BrokerProcess) -> None:
    assert await broker.stop(signal.SIGTERM) == 0
    broker.start()
    await broker.until_ready()


async def test_brokers_are_restarted_one_by_one(topology: Topology) -> None:
    async with steady_load(topology) as load:
        await load.more(SOME)
        for each in topology.brokers:
            await restart(each)
            await load.more(SOME)
    check_nobody_noticed(load)


async def test_workers_are_renewed(topology: Topology) -> None:
    async with steady_load(topology) as load:
        await load.more(SOME)
        for each in topology.brokers:
            before = each.workers_seen()
            each.send(signal.SIGHUP)
            while not each.workers_seen() - before:
                await load.more(1)
            await load.more(SOME)
    check_nobody_noticed(load)


async def test_nginx_is_reloaded(topology: Topology) -> None:
    async with steady_load(topology) as load:
        for _ in range(3):
            await load.more(SOME)
            topology.nginx.reload()
        await load.more(SOME)
    check_nobody_noticed(load)


async def test_a_broker_is_killed(topology: Topology) -> None:
    broker = topology.brokers[0]
    async with steady_load(topology) as load:
        await load.more(SOME)
        await broker.stop(signal.SIGKILL)
        await load.more(SOME)
        broker.start()
        await broker.until_ready()
        await load.more(SOME)
    assert load.failed == [], load.report()
    assert len(load.pages) <= PUPILS, load.report()
    check_everybody_is_who_they_were(load)


async def test_redis_is_killed(topology: Topology) -> None:
    async with steady_load(topology) as load:
        await load.more(SOME)
        topology.redis.kill()
        await load.any_more(SOME)  # these meet the gap
        topology.redis.start()
        for each in topology.brokers:
            await each.until_ready()
        pages = len(load.pages)
        await load.more(SOME)
    assert pages > 0, load.report()
    assert load.failed == [], load.report()
    # After it is back, only those fail that had begun before.
    assert len(load.pages) <= pages + PUPILS, load.report()
    check_everybody_is_who_they_were(load)
