"""Logging out with pysaml2 as service provider and as identity provider, over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, expect

from broker.demo.addresses import Party
from tests.journeys.chromium import PHONE_WIDTH, check_page, open_page
from tests.journeys.commands import change
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.visitor import Visitor
from tests.journeys.waiting import until

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world in which nobody waits, and De Regenboog has devices for each pupil."""
    times = {"logout_wait_seconds": 0, "logout_stop_seconds": 2}
    async with open_world(settings={"sessions": times}) as opened:
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


@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False])
async def test_a_party_that_hangs_is_left_after_a_while_or_by_a_button(
    world: World, chromium: Browser, script: bool
) -> None:
    """While the next page does not come, ours stays; on a phone, and without a script, too."""
    page = await open_page(chromium, width=PHONE_WIDTH, java_script_enabled=script)

    async def pass_on() -> None:
        while not script and await page.locator("form input[name^=SAML]").count():
            await page.locator("form button").first.click()

    await page.goto(f"{world.at[Party.TAALTUIN]}/login")
    await pass_on()
    await page.locator("button[name=school][value=regenboog]").click()
    await pass_on()
    await page.locator("button[name=pupil][value=sanne]").click()
    await pass_on()
    await page.locator("#subject").wait_for()
    hangs = asyncio.Event()

    async def never(_route: Route) -> None:
        hangs.set()

    for party in (Party.TAALTUIN, Party.REGENBOOG):
        await page.route(f"{world.at[party]}/saml/slo*", never)
    await page.goto(f"{world.at[Party.BROKER]}/logout")
    await page.locator("button[name=continue]").click()
    for name in () if script else ("Taaltuin", "De Regenboog"):
        await page.locator("h1", has_text=name).wait_for()
        await page.wait_for_load_state()
        await check_page(page)
        await page.locator("form#handover button").click(no_wait_after=True)
        await hangs.wait()
        hangs.clear()
        await page.keyboard.press("Tab")  # a click would wait for what never comes
        await page.keyboard.press("Enter")
    await expect(page.locator("[data-out=no]")).to_have_count(2)
    await check_page(page)
    await page.context.close()
