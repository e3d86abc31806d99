"""Stored markup, in a real browser: whatever others write stays text, on every page, and wraps.

Every text of every page's record is replaced at once, by what closes elements and attributes, runs
scripts, turns the reading direction round, and has no place to break. The page is shown under its
own Content-Security-Policy, which must have nothing to stop.
"""

import pytest
from jinja2 import TemplateError
from playwright.async_api import Browser

from tests.looks.every_example import Example, every_example
from tests.looks.hostile import HOSTILE, MARK, fill
from tests.looks.stage import PHONE, Stage, open_stage
from tests.web.page_examples import NL

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

LEADS_AWAY = {"app.html"}
"""Goes on at once to an address that was checked against the registry."""

CODES_OF_OURS = (TemplateError, LookupError, TypeError, ValueError)
"""What a template does with a code that it does not know, instead of showing it."""

_FOUND = f"""() => {{
    const faults = [];
    const count = selector => document.querySelectorAll(selector).length;
    if (window.ran) faults.push("a script ran");
    for (const each of document.querySelectorAll("*"))
        for (const {{name, value}} of each.attributes)
            if (name.startsWith("on") || /^\\s*javascript:/i.test(value))
                faults.push(`${{each.tagName}} ${{name}}`);
    if (count("{MARK}, img, script:not([src^='/static/'])")) faults.push("markup became elements");
    return faults.slice(0, 6);
}}"""

_TURNED = """() => {
    const faults = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode())
        if (/[\u202a-\u202e\u2066-\u2069]/.test(node.data)
                && !node.parentElement.closest("textarea, option, code, .nl-code"))
            faults.push(`turns the direction: ${node.parentElement.outerHTML.slice(0, 90)}`);
    return faults.slice(0, 6);
}"""
"""Codes are ours, and fields may hold what their writer wrote."""


def make_hostile(example: Example) -> tuple[Example, int]:
    """Return an example of which others wrote every text."""

    def can_render(page: object) -> bool:
        try:
            Example(example.name, page, example.pages).render(NL)  # type: ignore[arg-type]
        except CODES_OF_OURS:
            return False
        return True

    page, filled = fill(example.page, can_render=can_render)
    return Example(example.name, page, example.pages), filled


async def look(stage: Stage) -> list[str]:
    """Return what the text did to the page that is shown."""
    return [*await stage.ask(_FOUND), *await stage.fit(), *await stage.broken_rules()]


async def look_for_turns(stage: Stage, example: Example) -> list[str]:
    """Return what of a page of the console reads backwards; `isolate` and `plain` keep from it.

    Records of other pages hold codes in other places (tests/web/test_pages.py has those).
    """
    return await stage.ask(_TURNED) if example.is_of_console else []


async def test_what_others_write_stays_text_on_every_page(chromium: Browser) -> None:
    found = {}
    pages_filled = 0
    async with open_stage(chromium, width=PHONE, looks_with_axe=False) as stage:
        for example in every_example():
            if example.page.template in LEADS_AWAY:
                continue
            hostile, filled = make_hostile(example)
            if not filled:
                continue
            pages_filled += 1
            await stage.bring(hostile, NL)
            if faults := [*await look(stage), *await look_for_turns(stage, example)]:
                found[example.name] = faults
    assert found == {}
    assert pages_filled > len(every_example()) // 2


async def test_a_page_that_lets_markup_through_is_found(chromium: Browser) -> None:
    async with open_stage(chromium, width=PHONE, looks_with_axe=False) as stage:
        await stage.show(f"<!doctype html><title>x</title><body><p>{HOSTILE}</p>")
        faults = [*await look(stage), *await stage.ask(_TURNED)]
    told = " ".join(faults)
    for expected in ("became elements", "IMG onerror", "turns", "wider than", "script-src"):
        assert expected in told
