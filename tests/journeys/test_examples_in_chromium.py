"""Every page that we can show, also those that need a school in change: phone, wide and keyboard.

Rendered as for a browser and brought to it without a server; names are as long as they come.
"""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route

from broker.web.pages import Frame
from broker.web.pages import Page as OurPage
from tests.journeys.chromium import PHONE_WIDTH, check_page, open_page, tab_to
from tests.web.page_examples import (
    EN,
    EXAMPLES,
    NL,
    PAGES,
    a_rehearsal,
    a_which_school,
    another_login,
    render,
)

pytestmark = pytest.mark.browser

ORIGIN = "http://pages.invalid"
WIDE = 1280
LONG = "Christelijke-Scholengemeenschap-Noordoost-Nederland voor onderwijs aan nieuwkomers"
LONG_NAMES: dict[str, OurPage] = {
    "which school, long": a_which_school(supplier_name=LONG),
    "other login, long": replace(another_login(), school_name=LONG),
    "rehearsal, long": a_rehearsal(school_name=LONG),
}
SHOWN = {**EXAMPLES, **LONG_NAMES}


@pytest_asyncio.fixture(loop_scope="session")
async def browser_page(chromium: Browser) -> AsyncIterator[Page]:
    page = await open_page(chromium, width=PHONE_WIDTH, java_script_enabled=False)
    yield page
    await page.context.close()


async def bring(page: Page, html: str) -> None:
    """Show a page with its own static files; nothing else is answered."""

    async def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN)
        asset = PAGES.assets.by_url_path.get(path)
        if path == "/":
            await route.fulfill(body=html, content_type="text/html; charset=utf-8")
        elif asset is not None:
            await route.fulfill(body=asset.body, content_type=asset.media_type)
        else:
            await route.fulfill(status=404, body="")

    await page.unroute_all()
    await page.route("**/*", answer)
    await page.goto(ORIGIN + "/")


@pytest.mark.parametrize("frame", [NL, EN], ids=["nl", "en"])
async def test_every_example_fits_and_has_labels(browser_page: Page, frame: Frame) -> None:
    for name, example in SHOWN.items():
        await bring(browser_page, render(example, frame))
        for width in (PHONE_WIDTH, WIDE):
            await browser_page.set_viewport_size({"width": width, "height": 800})
            try:
                await check_page(browser_page)
            except AssertionError as fault:
                raise AssertionError(name) from fault


@pytest.mark.parametrize("name", ["which school", "logins", "other login", "rehearsal between"])
async def test_the_keyboard_reaches_the_way_on(browser_page: Page, name: str) -> None:
    await bring(browser_page, render(EXAMPLES[name], NL))
    await tab_to(browser_page, "main button")
