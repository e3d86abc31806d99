"""Every page by axe-core (WCAG 2.2 A and AA, and good practice), on a phone and on a wide screen.

Every example in Dutch on a phone of 320 px in light colours, and the fullest of each template in
English on a wide screen in dark ones: so each text, layout and set of colours is looked at for less
than the price of two looks. Each page is also shown with text twice as large.
"""

import pytest
from playwright.async_api import Browser

from broker.web.pages import Frame
from tests.looks.every_example import every_example, fullest_examples
from tests.looks.stage import PHONE, WIDE, Scheme, open_stage
from tests.web.page_examples import EN, NL

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

LOOKS: dict[str, tuple[Frame, int, Scheme]] = {"nl": (NL, PHONE, "light"), "en": (EN, WIDE, "dark")}


@pytest.mark.parametrize("look", LOOKS)
async def test_every_page_is_for_everybody(chromium: Browser, look: str) -> None:
    frame, width, scheme = LOOKS[look]
    found = {}
    async with open_stage(chromium, width=width, scheme=scheme) as stage:
        for example in every_example() if width == PHONE else fullest_examples(frame):
            await stage.lay(example, frame)
            if faults := await stage.faults():
                found[example.name] = faults
    assert found == {}
