"""A broker that is restarted inside a rotation's window: the supplier reads the same as before."""

from pathlib import Path
from typing import Any

import pytest

from broker.demo.addresses import Party
from tests.journeys.commands import run_broker, run_program
from tests.journeys.test_rotation import told
from tests.journeys.workers_world import WorkersWorld, running_workers

pytestmark = pytest.mark.servers


async def log_in(world: WorkersWorld) -> dict[str, Any]:
    """Log in as Sanne with a fresh browser."""
    async with world.somebody() as visitor:
        received: dict[str, Any] = await visitor.log_in(Party.TAALTUIN, "vuurvogel", "sanne")
        return received


async def begin_anew(world: WorkersWorld) -> None:
    await world.broker.stop()
    world.broker.start()
    await world.broker.until_ready()


async def test_a_restart_keeps_the_window_open_and_a_closed_one_closed(tmp_path: Path) -> None:
    async with running_workers(tmp_path, workers=1) as world:
        before = await log_in(world)
        of = ("--config", world.config_folder)
        await run_broker("keys", "init", *of, "--next-epoch")
        await run_program("pseudonyms", "rotate", *of, "--supplier", "taaltuin")
        await begin_anew(world)
        within = await log_in(world)
        assert within["subject"] != before["subject"]
        assert told(within) == before["subject"]
        await begin_anew(world)
        again = await log_in(world)
        assert (again["subject"], told(again)) == (within["subject"], before["subject"])
        await run_program("pseudonyms", "close", *of, "--supplier", "taaltuin")
        await begin_anew(world)
        after = await log_in(world)
        assert (after["subject"], told(after)) == (within["subject"], None)
