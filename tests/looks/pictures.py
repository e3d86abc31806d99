"""Pictures of the main pages for the README, from a demo world that runs: `make pictures`.

What stands in them is what the demo has; nobody in it is real. Colours are brought down to a
palette, so that a picture is a few dozen kilobytes.
"""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from broker.adapters.watching.logs import configure_logs
from broker.demo.addresses import FREE_PORTS, Addresses, Party
from broker.demo.run import demo_world
from tests.journeys.chromium import launch, open_page

FOLDER = Path(__file__).parents[2] / "config/pictures"
SERVICES = "/console/decide/school/vuurvogel"
SIMULATED = "/console/simulator?school=vuurvogel&supplier=rekenrijk&population=pupil"
DESK, PHONE = (1100, 760), (390, 760)  # CSS pixels

Walk = Callable[[Page, Addresses], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture.

    Attributes:
        name: of its file.
        size: of the window, in CSS pixels.
        walk: leads to the page.
    """

    name: str
    size: tuple[int, int]
    walk: Walk


def in_console(person: str, path: str, *, shown: str = "body") -> Walk:
    """Return what logs somebody in to the console, and goes to a page: to what `shown` finds."""

    async def walk(page: Page, at: Addresses) -> None:
        await page.goto(f"{at[Party.START_PAGE]}/console/{person}")
        await page.wait_for_url(f"{at[Party.BROKER]}/console**")
        await page.goto(at[Party.BROKER] + path)
        await page.locator(shown).first.evaluate("each => each.scrollIntoView()")

    return walk


async def notice(page: Page, at: Addresses) -> None:
    """Lead to the page that tells a pupil what is shared."""
    await page.goto(f"{at[Party.BIOSFEER_SAML]}/login?idp_hint=11AA")
    await page.locator("button[name=pupil][value=sanne]").click()
    await page.locator("button[name=continue]").wait_for()


async def me(page: Page, at: Addresses) -> None:
    """Lead to what was shared about Sanne, after she logged in twice."""
    for party in (Party.REKENRIJK, Party.BIOSFEER_SAML):
        await page.goto(f"{at[party]}/login?idp_hint=11AA")
        await page.locator("button[name=pupil][value=sanne]").click()
        await page.locator("button[name=continue]").click()
        await page.wait_for_url(f"{at[party]}/**")
    await page.goto(at[Party.BROKER] + "/me")
    await page.locator("button[name=school][value=vuurvogel]").last.click()
    await page.locator("button[name=pupil][value=sanne]").click()
    await page.wait_for_url(f"{at[Party.BROKER]}/me**")


PICTURES = (
    Picture("console", DESK, in_console("els", "/console")),
    Picture("services", DESK, in_console("els", SERVICES)),
    Picture("decision", DESK, in_console("els", f"{SERVICES}/with/biosfeer", shown="main table")),
    Picture("simulator", DESK, in_console("els", SIMULATED, shown="main table")),
    Picture("me", PHONE, me),
    Picture("notice", PHONE, notice),
)


async def take(browser: Browser, picture: Picture, at: Addresses) -> Path:
    """Take one, and return its file."""
    width, height = picture.size
    page = await open_page(browser, width=width, locale="nl-NL")
    await page.set_viewport_size({"width": width, "height": height})
    await picture.walk(page, at)
    file = FOLDER / f"{picture.name}.png"
    await page.screenshot(path=file)
    await page.context.close()
    shrink = ["pngquant", "--force", "--strip", "--speed", "1", "--ext", ".png", "64", str(file)]
    await asyncio.to_thread(subprocess.run, shrink, check=True)
    return file


async def take_all(names: list[str]) -> None:
    """Take those that are named, or all."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        configure_logs(level="warning", file=Path(folder) / "broker.log")
        async with (
            demo_world(Path(folder) / "demo", ports=FREE_PORTS) as world,
            async_playwright() as playwright,
        ):
            browser = await launch(playwright)
            for each in PICTURES:
                if not names or each.name in names:
                    file = await take(browser, each, world.addresses)
                    sys.stdout.write(f"{file.name}: {file.stat().st_size // 1000} kB\n")
            await browser.close()


if __name__ == "__main__":
    asyncio.run(take_all(sys.argv[1:]))
