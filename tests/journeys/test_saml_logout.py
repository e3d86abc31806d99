"""Logging out with pysaml2 as service provider and as identity provider, over HTTP."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from broker.demo.addresses import Party
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.test_registry_changes import change, until
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world in which nobody waits, and De Regenboog has devices for each pupil."""
    async with open_world(settings={"sessions": {"logout_wait_seconds": 0}}) as opened:
        own = ('eck_id = "optional"', 'eck_id = "optional"\nshared_devices = false')
        await change(opened, "schools/regenboog.toml", own)
        yield opened


async def opened(visitor: Visitor, party: Party) -> bool:
    """Open material, and tell whether that needed neither a school nor a login there."""
    await visitor.open_material(party)
    await visitor.pass_on()
    await visitor.go_on()
    return visitor.is_at(party)


async def log_in_everywhere(visitor: Visitor) -> None:
    """As Sanne of De Regenboog: two SAML suppliers, one of them by SOAP, and one by OIDC."""
    await visitor.log_in(Party.TAALTUIN, "regenboog", "sanne")
    for party in (Party.BIOSFEER_SAML, Party.REKENRIJK):
        assert await opened(visitor, party)


async def log_out(visitor: Visitor, world: World, party: Party) -> None:
    """Press "log out", and every button that only passes a message on."""
    visitor.page = await visitor.client.post(world.at[party] + "/logout")
    await visitor.pass_on()


async def is_out(visitor: Visitor, party: Party) -> bool:
    return "error" in await visitor.received(party)


async def test_a_service_provider_logs_out_everywhere(
    world: World, browsers: Callable[[], Visitor]
) -> None:
    visitor = browsers()
    await log_in_everywhere(visitor)
    await log_out(visitor, world, Party.TAALTUIN)

    async def everybody_is_out() -> bool:
        return all(
            [
                await is_out(visitor, each)
                for each in (Party.TAALTUIN, Party.BIOSFEER_SAML, Party.REKENRIJK)
            ]
        )

    await until(everybody_is_out)
    assert not await opened(visitor, Party.REKENRIJK)
    await visitor.visit(Party.REGENBOOG)
    assert not visitor.shows("leave")  # its login, too


async def test_logging_out_alone_leads_straight_back(
    world: World, browsers: Callable[[], Visitor]
) -> None:
    visitor = browsers()
    await visitor.log_in(Party.BIOSFEER_SAML, "kompas", "noor")
    await log_out(visitor, world, Party.BIOSFEER_SAML)
    assert visitor.is_at(Party.BIOSFEER_SAML)
    assert not await opened(visitor, Party.REKENRIJK)


async def test_an_openid_connect_supplier_reaches_service_providers(
    world: World, browsers: Callable[[], Visitor]
) -> None:
    visitor = browsers()
    await log_in_everywhere(visitor)
    await log_out(visitor, world, Party.REKENRIJK)
    assert visitor.is_at(Party.BROKER)
    assert await is_out(visitor, Party.TAALTUIN)  # by this browser, with a button

    async def by_soap() -> bool:
        return await is_out(visitor, Party.BIOSFEER_SAML)

    await until(by_soap)

    async def page_says_so() -> bool:
        visitor.page = await visitor.client.get(str(visitor.page.url))
        return 'data-out="waiting"' not in visitor.page.text

    await until(page_says_so)
    assert visitor.page.text.count('data-out="yes"') == 4  # three suppliers, one school
    assert 'data-out="no"' not in visitor.page.text


async def test_a_school_logs_its_pupil_out_everywhere(
    world: World, browsers: Callable[[], Visitor]
) -> None:
    visitor = browsers()
    await log_in_everywhere(visitor)
    await visitor.visit(Party.REGENBOOG)
    await visitor.press("leave")
    await visitor.pass_on()

    async def everybody_is_out() -> bool:
        return all(
            [
                await is_out(visitor, each)
                for each in (Party.TAALTUIN, Party.BIOSFEER_SAML, Party.REKENRIJK)
            ]
        )

    await until(everybody_is_out)

    async def page_leads_back() -> bool:
        if visitor.is_at(Party.BROKER):  # it looks again by itself
            visitor.page = await visitor.client.get(str(visitor.page.url))
        return visitor.is_at(Party.REGENBOOG)

    await until(page_leads_back)
    assert not await opened(visitor, Party.TAALTUIN)


async def test_who_goes_on_without_a_party_reads_where_not(
    world: World, browsers: Callable[[], Visitor]
) -> None:
    visitor = browsers()
    await log_in_everywhere(visitor)
    visitor.page = await visitor.client.post(world.at[Party.REKENRIJK] + "/logout")
    assert visitor.is_passing_on
    for _ in range(2):  # Taaltuin, and the school
        visitor.page = await visitor.client.get(str(visitor.page.url))
    assert not visitor.is_passing_on
    assert visitor.page.text.count('data-out="no"') == 2
    assert not await is_out(visitor, Party.TAALTUIN)
    assert not await opened(visitor, Party.BIOSFEER_SAML)
