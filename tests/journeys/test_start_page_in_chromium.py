"""The start page's every button, and the page of who waits: by keyboard, and without JavaScript."""

from collections.abc import AsyncIterator
from contextlib import closing

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from broker.adapters.databases.sql import open_sqlite
from broker.demo import actions, start_page
from broker.demo.actions import ACTIONS
from broker.demo.addresses import Party
from broker.demo.start_groups import ACTION_GROUPS
from tests.journeys.chromium import PHONE_WIDTH, check_page, open_page, tab_to
from tests.journeys.conftest import OpenWorld, World

pytestmark = [pytest.mark.servers, pytest.mark.browser]

BIOSFEER = Party.BIOSFEER_OIDC


@pytest_asyncio.fixture(loop_scope="session")
async def changing_world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world for each test: buttons change it. Nobody logs in after them, so nobody waits."""
    async with open_world() as opened:
        with pytest.MonkeyPatch.context() as patch:
            for module in (actions, start_page):
                patch.setattr(module, "FOLLOW_SECONDS", 0)
            yield opened


async def press_by_keyboard(page: Page, group: str, action: str) -> None:
    """Go to a card by Tab and Enter alone."""
    await tab_to(page, 'a[href="#changes"]')
    await page.keyboard.press("Enter")
    if await page.locator(f"details#{group}").get_attribute("open") is None:
        await tab_to(page, f"details#{group} > summary")
        await page.keyboard.press("Enter")
    await tab_to(page, f'button[name=action][value="{action}"]')
    await page.keyboard.press("Enter")


async def press_by_mouse(page: Page, group: str, action: str) -> None:
    if await page.locator(f"details#{group}").get_attribute("open") is None:
        await page.locator(f"details#{group} > summary").click()
    await page.locator(f'button[name=action][value="{action}"]').click()


@pytest.mark.parametrize("scripted", [True, False])
async def test_every_button_of_the_start_page(
    changing_world: World, chromium: Browser, scripted: bool
) -> None:
    home = changing_world.at[Party.START_PAGE]
    page = await open_page(
        chromium, width=PHONE_WIDTH, java_script_enabled=scripted, locale="nl-NL"
    )
    pressed = []
    for group in ACTION_GROUPS:
        for action in group.cards:
            await page.goto(home)
            press = press_by_keyboard if scripted else press_by_mouse
            await press(page, group.id, action)
            told = page.locator(f"#{action} p[role=status]")
            await expect(told).to_contain_text("edaan:")  # Gedaan, or Niet gedaan: and why
            await expect(told).to_be_visible()
            if scripted:
                await check_page(page, language="nl")
            pressed.append(action)
        await choose(page, 'form[action^="/put-back"] button', scripted)
        told = page.get_by_role("status")
        await expect(told).to_have_text("Alles staat weer zoals bij het begin.")
    assert sorted(pressed) == sorted(each.id for each in ACTIONS)
    await page.context.close()


@pytest.mark.parametrize("scripted", [True, False])
async def test_putting_back_logs_this_browser_out(
    changing_world: World, chromium: Browser, scripted: bool
) -> None:
    """At suppliers, and at the broker too: else the next one would be Noor at once."""
    at = changing_world.at
    page = await open_page(chromium, java_script_enabled=scripted, locale="nl-NL")
    await page.goto(at[Party.REKENRIJK] + "/login")
    await page.locator("button[name=school][value=kompas]").click()
    await page.locator("button[name=pupil][value=noor]").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Welkom, Noor!")
    await page.goto(at[BIOSFEER] + "/login")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Welkom, Noor!")
    await page.goto(at[Party.START_PAGE])
    await page.locator('form[action^="/put-back"] button').click()
    await expect(page.get_by_role("status")).to_have_text("Alles staat weer zoals bij het begin.")
    await page.goto(at[Party.REKENRIJK])
    await expect(page.get_by_role("heading", level=1)).to_have_text("RekenRijk")
    await page.goto(at[BIOSFEER] + "/login")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Kies je school")
    await page.context.close()


async def test_the_start_pages_language_goes_along(
    changing_world: World, chromium: Browser
) -> None:
    page = await open_page(chromium, locale="nl-NL")
    await page.goto(changing_world.at[Party.START_PAGE])
    await page.get_by_role("link", name="English").click()
    await page.locator("#fine a.button").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Choose your school")
    await page.locator("button[name=school][value=kompas]").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Log in at Het Kompas")
    await page.locator("button[name=pupil][value=noor]").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Welcome, Noor!")
    await page.context.close()


@pytest.mark.parametrize("scripted", [True, False])
async def test_who_waits_reads_why_and_goes_back(
    changing_world: World, chromium: Browser, scripted: bool
) -> None:
    """E-PERSON-4: above the school's budget a pupil from another school waits."""
    path = changing_world.prepared.loaded.data_folder / "register.db"
    at = changing_world.at[BIOSFEER]
    page = await open_page(
        chromium, width=PHONE_WIDTH, java_script_enabled=scripted, locale="nl-NL"
    )
    for school in ("vuurvogel", "regenboog"):
        await page.context.clear_cookies()
        await page.goto(at + "/login")
        await choose(page, f"button[name=school][value={school}]", scripted)
        await choose(page, "button[name=pupil][value=sanne]", scripted)
        if not scripted:
            await page.get_by_role("button", name="Verder").click()
        if school == "vuurvogel":
            await expect(page.locator("button[name=continue]")).to_be_visible()
            with closing(open_sqlite(path)) as connection:
                connection.executemany(
                    "INSERT INTO school_counts (school, day, kind, count)"
                    " VALUES ('regenboog', date('now', ?), 'arrived', 1000)",
                    [("-1 day",), ("0 days",), ("1 day",)],
                )
    await expect(page.locator("#copy-source")).to_contain_text("E-PERSON-4")
    await expect(page.locator("body")).to_contain_text("Je hebt niets fout gedaan")
    if scripted:
        await check_page(page, language="nl")
    await choose(page, ".schuilnaam-actions a", scripted)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Biosfeer")
    await page.context.close()


async def choose(page: Page, selector: str, scripted: bool) -> None:
    """Press what is there: by keyboard where scripts run, else by mouse."""
    if scripted:
        await tab_to(page, selector)
        await page.keyboard.press("Enter")
    else:
        await page.locator(selector).first.click()
