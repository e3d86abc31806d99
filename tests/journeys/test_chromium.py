"""Whole logins in a real browser: with a mouse, the keyboard alone, and without JavaScript."""

import json
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from broker.demo.addresses import Party
from tests.journeys.chromium import check_page, go_back, open_page, state_instead, tab_to
from tests.journeys.conftest import World

pytestmark = [pytest.mark.servers, pytest.mark.browser]


async def read_received(page: Page, base_url: str) -> dict[str, Any]:
    """Return what the supplier received in this browser."""
    answer = await page.request.get(base_url + "/received.json")
    told: dict[str, Any] = json.loads(await answer.text())
    return told


async def test_a_login_by_oidc_from_the_start_page(world: World, chromium: Browser) -> None:
    page = await open_page(chromium, locale="nl-NL")
    await page.goto(world.at[Party.START_PAGE])
    await page.locator("#fine a.button").click()
    await page.get_by_role("button", name="De Vuurvogel").click()
    await page.get_by_role("button", name="Sanne").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Hoi Sanne!")
    await page.get_by_role("button", name="Verder naar RekenRijk").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Welkom, Sanne!")
    received = await read_received(page, world.at[Party.REKENRIJK])
    assert received["protocol"] == "oidc"
    assert received["claims"]["given_name"] == "Sanne"
    await page.context.close()


async def test_a_login_by_saml_at_an_oidc_school(world: World, chromium: Browser) -> None:
    page = await open_page(chromium, locale="nl-NL")
    await page.goto(world.at[Party.BIOSFEER_SAML] + "/les/3")
    await page.get_by_role("button", name="Het Kompas").click()
    await page.get_by_role("button", name="Noor").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Welkom, Noor!")
    assert page.url == world.at[Party.BIOSFEER_SAML] + "/les/3"
    assert (await read_received(page, world.at[Party.BIOSFEER_SAML]))["protocol"] == "saml"
    await page.context.close()


async def test_the_keyboard_alone_is_enough(world: World, chromium: Browser) -> None:
    page = await open_page(chromium, locale="nl-NL")
    await page.goto(world.at[Party.TAALTUIN] + "/login")
    await tab_to(page, "input[type=search]")
    await page.keyboard.type("utr")
    await expect(page.locator("button[name=school]")).to_have_count(1)
    await expect(page.get_by_role("status")).to_contain_text("1 school")
    await tab_to(page, "button[name=school][value=vuurvogel]")
    await page.keyboard.press("Enter")
    await tab_to(page, "button[name=pupil][value=daan]")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Hoi Daan!")
    await tab_to(page, "button[name=not-me]")
    await page.keyboard.press("Enter")
    await tab_to(page, "button[name=pupil][value=sanne]")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Hoi Sanne!")
    await tab_to(page, "button[name=continue]")
    await page.keyboard.press("Space")
    await expect(page.locator("#subject")).to_be_visible()
    assert page.url == world.at[Party.TAALTUIN] + "/"
    await page.context.close()


@pytest.mark.parametrize(
    ("party", "school", "pupil"),
    [(Party.TAALTUIN, "vuurvogel", "sanne"), (Party.BIOSFEER_OIDC, "kompas", "noor")],
)
async def test_a_login_without_javascript(
    world: World, chromium: Browser, party: Party, school: str, pupil: str
) -> None:
    page = await open_page(chromium, java_script_enabled=False, locale="nl-NL")
    await page.goto(world.at[party] + "/login")
    await page.locator("input[type=search]").fill("utrecht" if school == "vuurvogel" else "22BB")
    await page.get_by_role("button", name="Zoek").click()
    await page.locator(f"button[name=school][value={school}]").click()
    await page.locator(f"button[name=pupil][value={pupil}]").click()
    while await page.locator("input[name=SAMLResponse]").count():
        await page.get_by_role("button", name="Verder").click()
        if await page.locator("button[name=continue]").count():
            await page.locator("button[name=continue]").click()
    await expect(page.locator("#subject")).to_be_visible()
    assert page.url == world.at[party] + "/"
    await page.context.close()


async def test_a_remembered_school_and_how_to_forget_it(world: World, chromium: Browser) -> None:
    page = await open_page(chromium, locale="nl-NL")
    for _ in range(2):
        await page.goto(world.at[Party.REKENRIJK] + "/login")
        await page.locator("button[name=school][value=kompas]").first.click()
        await expect(page.get_by_role("button", name="Noor")).to_be_visible()
        await page.goto(world.at[Party.REKENRIJK] + "/login")
        await expect(page.get_by_role("button", name="Verder met Het Kompas")).to_be_visible()
        await check_page(page)
        await page.get_by_role("button", name="Vergeet deze keuze").click()
        await expect(page.get_by_role("button", name="Verder met Het Kompas")).to_have_count(0)
    await page.context.close()


async def test_two_children_and_the_back_button(world: World, chromium: Browser) -> None:
    page = await open_page(chromium, locale="nl-NL")
    await page.goto(world.at[Party.REKENRIJK] + "/login")
    await page.get_by_role("button", name="De Vuurvogel").click()
    await page.get_by_role("button", name="Sanne").click()
    await page.get_by_role("button", name="Dat ben ik niet").click()
    await page.get_by_role("button", name="Daan").click()
    await page.get_by_role("button", name="Verder naar RekenRijk").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Welkom, Daan!")
    for _ in range(8):
        await go_back(page)
        assert "Sanne!" not in await page.locator("body").inner_text()
    received = await read_received(page, world.at[Party.REKENRIJK])
    assert received["claims"]["given_name"] == "Daan"
    await page.context.close()


async def test_the_notice_is_shown_once(world: World, chromium: Browser) -> None:
    for is_first in (True, False):
        page = await open_page(chromium, locale="nl-NL")
        await page.goto(world.at[Party.BIOSFEER_OIDC] + "/login")
        await page.get_by_role("button", name="De Vuurvogel").click()
        await state_instead(page, employeeNumber="9900417", eckId="")
        await page.get_by_role("button", name="Daan").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Hoi Daan!")
        notice = page.get_by_role("heading", name="Dit krijgt Biosfeer", exact=True)
        await expect(notice).to_have_count(1 if is_first else 0)
        await page.get_by_role("button", name="Verder naar Biosfeer").click()
        await expect(page.locator("#subject")).to_be_visible()
        await page.context.close()
