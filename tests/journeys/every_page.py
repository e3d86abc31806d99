"""A walk past every page that a pupil can meet, ours and the demo's, in one browser."""

from collections.abc import AsyncIterator

from playwright.async_api import Browser, Page

from broker.demo.addresses import Addresses, Party
from tests.journeys.chromium import open_page, state_instead

NAMES = (
    "start",
    "supplier-home",
    "chooser",
    "chooser-nothing-found",
    "chooser-remembered",
    "school-form",
    "school-passes-on",
    "notice",
    "broker-passes-on",
    "supplier-received",
    "refused-with-retry",
    "refused",
    "supplier-refused",
    "school-down",
    "nothing-here",
)
"""In the order of the walk."""

_NUMBER_BASE = 9_910_000


async def walk_pages(
    browser: Browser, at: Addresses, *, newcomer: int, **how: object
) -> AsyncIterator[tuple[str, Page]]:
    """Yield each page by its name.

    Without JavaScript, so that the pages that pass a message on can be seen.

    Args:
        newcomer: a number that no other walk took, for a pupil who saw no notice yet.
        how: the browser profile: width, locale.
    """
    page = await open_page(browser, java_script_enabled=False, **how)
    await page.goto(at[Party.START_PAGE])
    yield "start", page
    await page.goto(at[Party.BIOSFEER_SAML])
    yield "supplier-home", page
    await page.goto(at[Party.BIOSFEER_SAML] + "/login")
    yield "chooser", page
    await page.locator("input[type=search]").fill("bestaat niet")
    await _press(page, "#search button")
    yield "chooser-nothing-found", page
    await page.goto(at[Party.BIOSFEER_SAML] + "/login?target=/les/3")
    await _press(page, "button[name=school][value=vuurvogel]")
    await page.goto(at[Party.BIOSFEER_SAML] + "/login?target=/les/3")
    yield "chooser-remembered", page
    await _press(page, "button[name=school][value=vuurvogel]")
    yield "school-form", page
    await state_instead(page, employeeNumber=str(_NUMBER_BASE + newcomer), eckId="")
    await _press(page, "button[name=pupil][value=daan]")
    yield "school-passes-on", page
    await _press(page, "main button")
    yield "notice", page
    await _press(page, "button[name=continue]")
    yield "broker-passes-on", page
    await _press(page, "main button")
    yield "supplier-received", page
    await _fail(page, at, scenario="expired")
    yield "refused-with-retry", page
    await _fail(page, at, scenario="other-school")
    yield "refused", page
    await _fail(page, at, scenario="cancelled")
    yield "supplier-refused", page
    await _fail(page, at, scenario="down")
    yield "school-down", page
    await page.goto(at[Party.BROKER] + "/nothing-here")
    yield "nothing-here", page
    await page.context.close()


async def _press(page: Page, selector: str) -> None:
    """Press a button and wait for the page that it brings."""
    async with page.expect_navigation():
        await page.locator(selector).last.click()


async def _fail(page: Page, at: Addresses, *, scenario: str) -> None:
    await page.goto(at[Party.REKENRIJK] + "/login?idp_hint=11AA")
    await page.locator("select").select_option(scenario)
    await _press(page, "button[name=pupil][value=daan]")
    if scenario != "down":
        await _press(page, "main button")
