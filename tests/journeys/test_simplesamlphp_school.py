"""A school whose login is a real SimpleSAMLphp, as the guide sets it up."""

import asyncio
import re
from pathlib import Path

import pytest

from broker.demo.addresses import Party
from tests.journeys.commands import run_broker
from tests.journeys.conftest import OpenWorld
from tests.journeys.example_clients import EXAMPLE_SCHOOL, running_client
from tests.journeys.simplesamlphp import choose_vlieger, log_in_at_simplesamlphp, seal_by_cbc
from tests.journeys.visitor import new_visitor

pytestmark = pytest.mark.servers

PSEUDONYM = re.compile(r"[a-z][a-z2-7]{52}")
GIVE_UP_SECONDS = 60  # only a fault takes so long


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed by exception"])
async def test_a_pupil_of_a_simplesamlphp_school_logs_in(
    open_world: OpenWorld, tmp_path: Path, sealed: bool
) -> None:
    async with open_world() as world:
        issuer = world.at[Party.BROKER]
        async with running_client(EXAMPLE_SCHOOL, tmp_path, issuer=issuer) as school:
            if sealed:
                seal_by_cbc(tmp_path)
            await run_broker("apply", "--config", world.folder, school.document)
            visitor = new_visitor(world.at)
            async with visitor.client, asyncio.timeout(GIVE_UP_SECONDS):
                await choose_vlieger(visitor)
                await log_in_at_simplesamlphp(visitor)
                assert visitor.is_at(Party.REKENRIJK), visitor.text
                received = await visitor.received(Party.REKENRIJK)
        assert PSEUDONYM.fullmatch(received["subject"])
        assert received["claims"]["given_name"] == "Fatima"
        assert "El Amrani" not in str(received)
