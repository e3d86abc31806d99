"""Every page of the console by the keyboard alone: all is reached, in order of reading, and seen.

On a phone, where the menu is closed; the layout of a wide screen is held by the order of the
document. Pages of logging in have few controls: the way on is reached on them.
"""

import pytest
from playwright.async_api import Browser

from tests.journeys.chromium import tab_to
from tests.looks.every_example import every_example
from tests.looks.stage import PHONE, Stage, open_stage
from tests.web.page_examples import NL

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

WAYS_ON = ("which school", "logins", "other login", "rehearsal between")

_WATCH = """() => {
    const asks = "a[href], button, input:not([type=hidden]), select, textarea, summary, iframe";
    const seen = each => each.checkVisibility({visibilityProperty: true}) && !each.disabled;
    const taken = new Set();
    const stop = each => {
        if (each.type !== "radio") return true;
        if (each.checked) return true;
        const group = [...document.getElementsByName(each.name)];
        if (group.some(other => other.checked) || taken.has(each.name)) return false;
        taken.add(each.name);
        return true;
    };
    window.stops = [...document.querySelectorAll(asks)].filter(seen).filter(stop);
    window.met = [];
    document.addEventListener("focusin", event => {
        const style = getComputedStyle(event.target);
        const hidden = style.outlineStyle === "none" && style.boxShadow === "none";
        window.met.push([window.stops.indexOf(event.target), hidden]);
    });
    // A page with mistakes begins at their summary: begin at the top all the same.
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
    window.met.length = 0;
    const days = window.stops.filter(each => each.type === "date").length;
    return window.stops.length + 3 * days;
}"""

_TELL = """() => {
    const name = each => each.outerHTML.slice(0, 100);
    const faults = [];
    const met = window.met.map(([index]) => index);
    const order = met.filter((each, at) => each !== met[at - 1]);
    window.stops.forEach((each, index) => {
        if (order[index] !== index)
            faults.push(`stop ${index} is ${order[index]}, should be ${name(each)}`);
    });
    for (const [index, hidden] of window.met)
        if (hidden) faults.push(`focus not seen: ${name(window.stops[index])}`);
    return faults.slice(0, 5);
}"""


async def walk(stage: Stage) -> list[str]:
    """Press Tab through a page, and return what was not reached in order, or not seen."""
    stops: int = await stage.tab.evaluate(_WATCH)
    for _ in range(stops):
        await stage.tab.keyboard.press("Tab")
    return await stage.ask(_TELL)


async def test_the_keyboard_reaches_everything_in_the_order_of_reading(chromium: Browser) -> None:
    found = {}
    async with open_stage(chromium, width=PHONE, looks_with_axe=False) as stage:
        for example in every_example():
            if not example.is_of_console:
                continue
            await stage.bring(example, NL)
            if faults := await walk(stage):
                found[example.name] = faults
    assert found == {}


async def test_the_first_stop_leads_past_the_menu(chromium: Browser) -> None:
    async with open_stage(chromium, width=PHONE, looks_with_axe=False) as stage:
        await stage.bring(every_example()[0], NL)
        await tab_to(stage.tab, ".nl-skip-link")
        await stage.tab.keyboard.press("Enter")
        assert await stage.tab.evaluate("document.activeElement.id") == "content"


@pytest.mark.parametrize("name", WAYS_ON)
async def test_the_keyboard_reaches_the_way_on(chromium: Browser, name: str) -> None:
    (example,) = (each for each in every_example() if each.name == name)
    async with open_stage(chromium, width=PHONE, looks_with_axe=False) as stage:
        await stage.bring(example, NL)
        await tab_to(stage.tab, "main button")
