"""Debian's Chromium, and what one asks of every page: it fits a phone and has labels.

Nothing is downloaded: Playwright drives the browser of the system.
"""

import contextlib
from typing import Any

from playwright.async_api import Browser, Error, Page, Playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE_WIDTH = 360  # CSS pixels, of the smallest phones in use
TABS_AT_MOST = 80
TIMEOUT_MILLISECONDS = 15_000  # only a fault takes so long


async def launch(playwright: Playwright, *more: str) -> Browser:
    """Start the browser; the network is loopback's alone."""
    return await playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[*ARGUMENTS, *more],
        timeout=TIMEOUT_MILLISECONDS,
    )


async def open_page(browser: Browser, *, width: int = 1280, **how: Any) -> Page:
    """Return a page in a browser profile of its own."""
    context = await browser.new_context(viewport={"width": width, "height": 800}, **how)
    context.set_default_timeout(TIMEOUT_MILLISECONDS)
    return await context.new_page()


async def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is on what `selector` finds, where one must see it."""
    await page.locator(selector).first.wait_for()
    for _ in range(TABS_AT_MOST):
        await page.keyboard.press("Tab")
        here = await page.evaluate(
            """selector => {
                const element = document.activeElement;
                if (!element || !element.matches(selector)) return null;
                const style = getComputedStyle(element);
                return style.outlineStyle !== "none" || style.boxShadow !== "none";
            }""",
            selector,
        )
        if here is not None:
            assert here, f"the focus on {selector} cannot be seen"
            return
    raise AssertionError(f"the keyboard does not reach {selector} at {page.url}")


async def state_instead(page: Page, **stated: str) -> None:
    """Let the school's form state other values; it has no visible field for them."""
    await page.locator("button[name=pupil]").first.wait_for()
    await page.evaluate(
        """stated => {
            const form = document.forms[0];
            for (const [name, value] of Object.entries(stated)) {
                const field = document.createElement("input");
                Object.assign(field, {type: "hidden", name: `state.${name}`, value});
                form.append(field);
            }
        }""",
        stated,
    )


async def go_back(page: Page) -> None:
    """Press the back button; a page that answered a form is the browser's own error page then."""
    with contextlib.suppress(Error):
        await page.go_back()


FAULTS = """() => {
    const faults = [];
    const visible = element => element.checkVisibility();
    const named = element => (element.getAttribute("aria-label") || element.innerText || "").trim();
    const ids = [...document.querySelectorAll("[id]")].map(each => each.id);
    if (!document.documentElement.lang) faults.push("no language");
    if (!document.title.trim()) faults.push("no title");
    for (const name of ["main", "header", "h1"]) {
        const count = document.querySelectorAll(name).length;
        if (count !== 1) faults.push(`${count} of ${name}`);
    }
    if (new Set(ids).size !== ids.length) faults.push("an id twice");
    for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
        if (!field.labels.length || !field.labels[0].textContent.trim())
            faults.push(`no label: ${field.name}`);
    for (const each of document.querySelectorAll("a, button"))
        if (visible(each) && !named(each)) faults.push(`no name: ${each.outerHTML.slice(0, 80)}`);
    for (const each of document.querySelectorAll("img:not([alt]), [tabindex]:not([tabindex='-1'])"))
        faults.push(`no alternative or odd order: ${each.outerHTML.slice(0, 80)}`);
    for (const each of document.querySelectorAll("[aria-labelledby], [aria-describedby]"))
        for (const id of (each.getAttribute("aria-labelledby") + " " +
                          each.getAttribute("aria-describedby")).split(" "))
            if (id && id !== "null" && !ids.includes(id)) faults.push(`nothing with id ${id}`);
    let level = 0;
    for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
        const next = Number(heading.tagName[1]);
        if (next > level + 1) faults.push(`heading ${heading.innerText} skips a level`);
        level = next;
    }
    if (document.documentElement.scrollWidth > innerWidth) {
        const wide = [...document.querySelectorAll("body *")]
            .filter(each => each.getBoundingClientRect().right > innerWidth + 0.5)
            .map(each => `${each.tagName}.${each.className}`);
        faults.push(`wider than ${innerWidth}: ${wide.slice(0, 5)}`);
    }
    return faults;
}"""


async def check_page(page: Page, *, language: str | None = None) -> None:
    """Refuse a page that a pupil with a phone, a keyboard or a screen reader could not use."""
    faults = await page.evaluate(FAULTS)
    assert faults == [], f"{page.url}: {faults}"
    if language is not None:
        assert await page.evaluate("document.documentElement.lang") == language, page.url
