"""A tab of Chromium that shows rendered pages without a server, and what is asked of each."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, Page, Route

from broker.web.assets import StaticAsset
from broker.web.headers import content_policy
from broker.web.pages import Frame
from tests.journeys.chromium import FAULTS, open_page
from tests.looks.every_example import Example

ORIGIN = "http://pages.invalid"
PACKAGES = Path(__file__).parent / "node_modules"
AXE = PACKAGES / "axe-core/axe.min.js"
PHONE = 320  # CSS pixels: WCAG 2.2, 1.4.10
WIDE = 1280
HEIGHT = 800
Scheme = Literal["light", "dark"]
NAVIGATES = "handover"
"""A script that leads away from the page that is to be looked at."""

_LISTENER = """addEventListener("securitypolicyviolation", event =>
    (window.violations ??= []).push(`${event.violatedDirective} ${event.blockedURI}`));"""

_RUN_AXE = """async () => {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const found = await axe.run(document, {
        runOnly: {type: "tag", values: tags}, rules: {"target-size": {enabled: true}},
        resultTypes: ["violations"], preload: false,
    });
    return found.violations.map(each => `${each.id}: ${each.help}: `
        + each.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(" | "));
}"""

_FIT = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
    [`wider than ${innerWidth} by ` + [...document.querySelectorAll("body *")]
        .filter(each => each.getBoundingClientRect().right > innerWidth + 0.5)
        .map(each => `${each.tagName}.${each.className}`).slice(0, 5)]"""

_SMALL = """() => [...document.querySelectorAll(
        "button, summary, select, input:not([type=hidden], [type=checkbox], [type=radio]), nav a")]
    .filter(each => each.checkVisibility() && each.getBoundingClientRect().height < 44)
    .map(each => `less than 44 px high: ${each.outerHTML.slice(0, 120)}`)"""
"""What a finger must hit; a link within a text is as high as its line (WCAG 2.2, 2.5.8)."""

_LAY = """async html => {
    const page = new DOMParser().parseFromString(html, "text/html");
    document.documentElement.replaceWith(document.adoptNode(page.documentElement));
    const sheets = [...document.querySelectorAll("link[rel=stylesheet]")];
    await Promise.all(sheets.map(each => each.sheet || new Promise(done => {
        each.onload = done;
        each.onerror = done;
    })));
    scrollTo(0, 0);
}"""

_LARGE_TEXT = "() => { document.documentElement.style.fontSize = '200%'; }"


@dataclass  # Playwright hangs attributes on whose method it calls
class Stage:
    """One tab.

    Attributes:
        tab: Playwright's page.
        frames: pages of others that it shows.
        leaves: addresses that a page asked for and nobody has.
    """

    tab: Page
    width: int
    files: Mapping[str, StaticAsset] = field(default_factory=dict)
    html: str = ""
    frames: tuple[str, ...] = ()
    leaves: list[str] = field(default_factory=list)

    async def answer(self, route: Route) -> None:
        """Play the server."""
        path = route.request.url.removeprefix(ORIGIN)
        if path == "/":
            await route.fulfill(
                body=self.html,
                content_type="text/html; charset=utf-8",
                headers={"content-security-policy": self.policy},
            )
        elif path in self.files:
            asset = self.files[path]
            body = b"" if NAVIGATES in path else asset.body
            await route.fulfill(body=body, content_type=asset.media_type)
        elif route.request.url in self.frames:
            await route.fulfill(body="")
        else:
            self.leaves.append(path)
            await route.fulfill(status=404, body="")

    @property
    def policy(self) -> str:
        """Return the Content-Security-Policy of the page."""
        return content_policy(onward=False, secure=True, frames=self.frames)

    async def bring(self, example: Example, frame: Frame) -> None:
        """Show a page with its static files."""
        self.files = example.pages.assets.by_url_path
        self.frames = getattr(example.page, "frames", ())
        await self.show(example.render(frame))

    async def show(self, html: str) -> None:
        """Show a document."""
        self.html = html
        self.leaves.clear()
        await self.tab.goto(ORIGIN + "/")

    async def lay(self, example: Example, frame: Frame) -> None:
        """Put a page in the place of the one that is shown: half the price of loading it.

        No script of it runs, and nothing takes the focus by itself.
        """
        self.files = example.pages.assets.by_url_path
        if not self.tab.url.startswith(ORIGIN):
            await self.show("<!doctype html><title>-</title>")
        await self.tab.evaluate(_LAY, example.render(frame))

    async def ask(self, script: str) -> list[str]:
        """Return what a script of ours finds."""
        found: list[str] = await self.tab.evaluate(script)
        return found

    async def faults(self) -> list[str]:
        """Return all that is wrong with the page that is shown."""
        found = [*await self.ask(_RUN_AXE), *await self.ask(FAULTS), *await self.ask(_SMALL)]
        await self.tab.evaluate(_LARGE_TEXT)
        found += [f"with large text {each}" for each in await self.fit()]
        return found

    async def fit(self) -> list[str]:
        """Return what is wider than the tab."""
        return await self.ask(_FIT)

    async def broken_rules(self) -> list[str]:
        """Return what the page tried against its Content-Security-Policy, and asked for in vain."""
        found = await self.ask("() => window.violations ?? []")
        return [*found, *(f"asks for {each}" for each in self.leaves)]


@contextlib.asynccontextmanager
async def open_stage(
    browser: Browser,
    *,
    width: int,
    scheme: Scheme = "light",
    looks_with_axe: bool = True,
) -> AsyncIterator[Stage]:
    """Open a tab in a browser profile of its own."""
    # Still: what fades in is measured amid its fading.
    tab = await open_page(browser, width=width, color_scheme=scheme, reduced_motion="reduce")
    stage = Stage(tab, width)
    await tab.add_init_script(_LISTENER)
    if looks_with_axe:
        await tab.add_init_script(path=AXE)
    await tab.route("**/*", stage.answer)
    yield stage
    await tab.context.close()
