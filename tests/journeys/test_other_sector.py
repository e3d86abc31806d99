"""A pupil goes from primary to secondary school and keeps the work at one supplier."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from broker.demo.addresses import Party
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.test_rotation import exercises, told, work
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.servers

Browsers = Callable[[], Visitor]
BIOSFEER = Party.BIOSFEER_OIDC


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world of its own: who went on stays there."""
    async with open_world() as opened:
        yield opened


async def test_the_start_page_lets_the_work_go_along(world: World, browsers: Browsers) -> None:
    operator = browsers()

    async def press() -> None:
        await operator.visit(Party.START_PAGE, "/", lang="en")
        await operator.press("action", "other-sector")

    await press()
    assert "E-OPERATOR-12" in operator.text  # nobody at De Regenboog knows her yet
    small = browsers()
    before = await small.log_in(BIOSFEER, "regenboog", "noor")
    await work(small, BIOSFEER)
    other_before = await browsers().log_in(Party.REKENRIJK, "regenboog", "noor")
    stranger = await browsers().log_in(BIOSFEER, "kompas", "noor")
    assert stranger["subject"] != before["subject"]
    assert told(stranger) is None
    await press()
    assert "Biosfeer alone" in operator.text
    tall = browsers()
    after = await tall.log_in(BIOSFEER, "kompas", "noor")
    assert after["subject"] == stranger["subject"]
    assert told(after) == before["subject"]
    assert await exercises(tall, BIOSFEER) == 1
    by_saml = await browsers().log_in(Party.BIOSFEER_SAML, "kompas", "noor")
    assert told(by_saml) == before["subject"]
    elsewhere = await browsers().log_in(Party.REKENRIJK, "kompas", "noor")
    assert told(elsewhere) is None
    assert elsewhere["subject"] != other_before["subject"]
    await press()
    assert "E-SECTOR-7" in operator.text
