"""A school's test page over HTTP: verdicts, samples, a text for the helpdesk, and no trace."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from lxml import html
from playwright.async_api import Browser, expect

from broker.demo.addresses import Party
from broker.demo.people import KOMPAS, VUURVOGEL, people_at
from tests.journeys.chromium import PHONE_WIDTH, check_page, open_page, tab_to
from tests.journeys.commands import run_program
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.servers

SANNE = people_at(VUURVOGEL)["sanne"]
TEST_PAGE = "/saml/sp/test"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world of its own, whose files tell what is kept."""
    async with open_world() as opened:
        yield opened


async def try_login(
    visitor: Visitor, school: str, pupil: str, *, scenario: str = "fine", **stated: str
) -> None:
    """Test the login of a school."""
    await visitor.visit(Party.BROKER, TEST_PAGE, school=school, lang="en")
    await visitor.press("idp", school)
    await visitor.pass_on()
    await visitor.log_in_at_school(pupil, scenario=scenario, **stated)


def mail_of(visitor: Visitor) -> str:
    """Return the text for the helpdesk."""
    (text,) = html.fromstring(visitor.page.content).xpath("//textarea/text()")
    return str(text)


async def test_a_school_sees_what_its_login_does(
    world: World, browsers: Callable[..., Visitor]
) -> None:
    files = [world.folder / "data" / each for each in ("receipts.db", "register.db")]
    before = [each.read_bytes() for each in files]
    visitor = browsers(language="en")
    await try_login(visitor, "vuurvogel", "sanne")
    assert "This login works" in visitor.text
    (eck_id,) = SANNE.attributes["eckId"]
    assert f"…{eck_id[-4:]}" in visitor.text
    assert eck_id not in visitor.text
    assert "RekenRijk" in visitor.text
    told = mail_of(visitor)
    assert "givenName: Good" in told
    values = [value for each in SANNE.attributes.values() for value in each]
    assert [each for each in values if each in told and each not in ("De Vuurvogel",)] == []
    assert [each.read_bytes() for each in files] == before
    assert visitor.client.cookies.get("session") is None
    other = browsers(language="en")
    await try_login(other, "kompas", "noor")
    assert "This login works" in other.text
    (noors,) = people_at(KOMPAS)["noor"].attributes["eckId"]
    assert noors not in other.text


@pytest.mark.parametrize(
    ("school", "pupil", "scenario", "told"),
    [
        ("vuurvogel", "sanne", "expired", "Logging in took too long."),
        ("vuurvogel", "sanne", "tampered", "What is in the answer is not shown"),
        ("kompas", "noor", "tampered", "What is in the answer is not shown"),
        ("vuurvogel", "sanne", "cancelled", "You did not log in at school."),
        ("vuurvogel", "sanne", "missing-attribute", "E-RELEASE-4"),
    ],
)
async def test_it_is_there_when_a_login_does_not_work(
    world: World,
    browsers: Callable[..., Visitor],
    school: str,
    pupil: str,
    scenario: str,
    told: str,
) -> None:
    visitor = browsers(language="en")
    await try_login(visitor, school, pupil, scenario=scenario)
    assert told in visitor.text, visitor.text


async def test_the_go_live_list_counts_tests(
    world: World, browsers: Callable[..., Visitor]
) -> None:
    told = await run_program("ready", "--config", world.folder, "regenboog", exit_code=1)
    assert "LEFT  tested: no test of regenboog was fine in the last 30 days." in told
    await try_login(browsers(), "regenboog", "sanne")
    told = await run_program("ready", "--config", world.folder, "regenboog", exit_code=1)
    assert "done  tested" in told
    assert "is no school in force" in await run_program(
        "ready", "--config", world.folder, "nobody", exit_code=1
    )


@pytest.mark.browser
@pytest.mark.parametrize("locale", ["nl-NL", "en-GB"])
async def test_it_fits_a_phone_and_a_keyboard(world: World, chromium: Browser, locale: str) -> None:
    page = await open_page(chromium, width=PHONE_WIDTH, locale=locale, java_script_enabled=False)
    await page.goto(world.at[Party.BROKER] + TEST_PAGE)
    await check_page(page, language=locale[:2])
    await page.get_by_role("link", name="De Vuurvogel").click()
    await check_page(page, language=locale[:2])
    await tab_to(page, "main button")
    await page.keyboard.press("Enter")
    await page.locator("button[name=pupil][value=sanne]").click()
    await page.locator("form button").first.click()  # without script, the school's page has one
    await expect(page.get_by_role("heading", level=1)).to_contain_text(
        "werkt" if locale == "nl-NL" else "works"
    )
    await check_page(page, language=locale[:2])
    await tab_to(page, "main summary")
    await page.context.close()


async def test_a_school_that_goes_live_with_lines_left_is_warned_of_and_goes(
    world: World, tmp_path: Path
) -> None:
    """Once: a school that is in production already is nobody's news."""
    document, config = tmp_path / "nieuw.toml", ("--config", world.folder)
    stated = [
        *("[[school]]", 'id = "nieuw"', 'name = "De Nieuwe"', 'place = "Delft"', 'brin = "55EE"'),
        *('sector = "po"', 'board = "stichting-nieuw"', 'state = "production"'),
    ]
    document.write_text("\n".join(stated))
    for dry_run in (("--dry-run",), ()):
        told = await run_program("apply", *config, *dry_run, document)
        assert "goes to production with lines of its go-live list left: documents," in joined(told)
    document.write_text("\n".join([*stated, "pupils = 120"]))
    told = await run_program("apply", *config, document)
    assert "goes to production" not in joined(told)
    assert "is in force." in told


def joined(told: str) -> str:
    """Return what a command said without its line breaks."""
    return " ".join(told.split())
