"""Every page on the smallest phone and on a wide screen, in both languages."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from broker.demo.addresses import Party, addresses_of, listening
from broker.demo.servers import serving
from tests.journeys.chromium import PHONE_WIDTH, check_page, open_page
from tests.journeys.conftest import World
from tests.journeys.every_page import NAMES, walk_pages

pytestmark = [pytest.mark.servers, pytest.mark.browser]

LOCALES = ("nl-NL", "en-GB")
WIDE = 1280
IN_BOTH = "school-passes-on"
"""A page of the demo's own schools that says all of it in both languages."""


@pytest.mark.parametrize("locale", LOCALES)
async def test_every_page_fits_and_has_labels(world: World, chromium: Browser, locale: str) -> None:
    seen = []
    async for name, page in walk_pages(
        chromium, world.at, newcomer=LOCALES.index(locale), locale=locale
    ):
        for width in (PHONE_WIDTH, WIDE):
            await page.set_viewport_size({"width": width, "height": 800})
            await check_page(page, language="nl" if name == IN_BOTH else locale[:2])
        seen.append(name)
    assert tuple(seen) == NAMES


async def test_the_language_is_chosen_and_remembered(world: World, chromium: Browser) -> None:
    page = await open_page(chromium, locale="nl-NL")
    await page.goto(world.at[Party.REKENRIJK] + "/login")
    await page.get_by_role("link", name="English").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Choose your school")
    await page.get_by_role("button", name="De Vuurvogel").click()
    await page.get_by_role("button", name="Sanne").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Hi Sanne!")
    await page.context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def framing_page(world: World) -> AsyncIterator[str]:
    """A learning environment that shows a supplier inside its own page."""

    async def app(scope: dict[str, str], receive: object, send: object) -> None:
        if scope["type"] != "http":
            return
        inner = world.at[Party.REKENRIJK] + "/login?target=/les/3"
        answer: Response = HTMLResponse(
            f'<!doctype html><title>ELO</title><iframe src="{inner}" width="360" height="700">'
        )
        await answer(Request(scope).scope, receive, send)  # type: ignore[arg-type]

    with listening({Party.START_PAGE: 0}) as sockets:
        async with serving({Party.START_PAGE: app}, sockets=sockets):  # type: ignore[dict-item]
            yield addresses_of(sockets)[Party.START_PAGE]


async def test_in_a_frame_the_way_on_is_a_new_tab(
    world: World, chromium: Browser, framing_page: str
) -> None:
    page = await open_page(chromium, locale="nl-NL")
    await page.goto(framing_page)
    frame = page.frame_locator("iframe")
    async with page.context.expect_page() as opening:
        await frame.get_by_role("link", name="Open in een nieuw tabblad").click()
    tab = await opening.value
    await tab.get_by_role("button", name="Het Kompas").click()
    await tab.get_by_role("button", name="Noor").click()
    await expect(tab.get_by_role("heading", level=1)).to_have_text("Welkom, Noor!")
    assert tab.url == world.at[Party.REKENRIJK] + "/les/3"
    await page.context.close()
