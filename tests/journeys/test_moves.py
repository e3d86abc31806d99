"""A pupil changes school: let in, confirmed, objected to, protected, and above the budget."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from broker.adapters.databases.sql import open_sqlite
from broker.demo import people
from broker.demo.addresses import Party
from broker.flow.persons.school_counts import CountKind
from tests.journeys.commands import run_broker, run_program
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.test_rotation import exercises, work
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.servers

SANNE = next(each for each in people.PEOPLE if each.id == "sanne")
BIOSFEER = Party.BIOSFEER_OIDC
Browsers = Callable[[], Visitor]


@pytest_asyncio.fixture(loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world for each test: who moved stays moved."""
    async with open_world() as opened:
        yield opened


@pytest.fixture
def operator(browsers: Browsers) -> Visitor:
    return browsers()


async def press(operator: Visitor, action: str) -> str:
    await operator.visit(Party.START_PAGE, "/", lang="en")
    await operator.press("action", action)
    return operator.text


async def subject(browsers: Browsers, school: str) -> str:
    received = await browsers().log_in(BIOSFEER, school, "sanne")
    return str(received["subject"])


def counted(world: World, kind: CountKind) -> dict[str, int]:
    path = world.prepared.loaded.data_folder / "register.db"
    with closing(open_sqlite(path)) as connection:
        return dict(
            connection.execute(
                "SELECT school, count FROM school_counts WHERE kind = ?", (kind.value,)
            ).fetchall()
        )


async def test_pupil_who_moves_keeps_the_work_and_the_old_school_confirms(
    world: World, browsers: Browsers, operator: Visitor
) -> None:
    pupil = browsers()
    before = await pupil.log_in(BIOSFEER, "vuurvogel", "sanne")
    await work(pupil, BIOSFEER)
    assert "E-TRANSFER-1" in await press(operator, "pupil-moves")
    later = browsers()
    after = await later.log_in(BIOSFEER, "regenboog", "sanne")
    assert after["subject"] == before["subject"]
    assert await exercises(later, BIOSFEER) == 1
    assert counted(world, CountKind.ARRIVED) == {"regenboog": 1}
    assert counted(world, CountKind.LEFT) == {"vuurvogel": 1}
    assert "confirms that Sanne changed school" in await press(operator, "pupil-moves")
    assert "E-TRANSFER-1" in await press(operator, "pupil-moves")
    assert await subject(browsers, "regenboog") == before["subject"]
    listed = await run_program("transfer", "list", "regenboog", "--config", world.folder)
    assert re.search(r"^\d{4}-\d\d-\d\d +1 +0 +0$", listed, re.MULTILINE), listed


async def test_the_list_of_the_new_school_ends_the_hold(
    world: World, browsers: Browsers, operator: Visitor, tmp_path: Path
) -> None:
    before = await subject(browsers, "vuurvogel")
    assert await subject(browsers, "regenboog") == before
    document = world.folder / "federation/schools/regenboog.toml"
    document.write_text("pupils = 400\n" + document.read_text())
    await run_broker("apply", "--config", world.folder, document)
    file = tmp_path / "list.csv"
    file.write_text(f"login;eck_id\n1;{SANNE.attributes['eckId'][0]}\n")
    enrolled = await run_program("enrol", "--config", world.folder, "regenboog", file)
    assert "In force" in enrolled
    told = await press(operator, "pupil-moves")
    assert "E-TRANSFER-1" in told, "nothing waits for a school of before any more"
    assert await subject(browsers, "regenboog") == before
    assert await subject(browsers, "vuurvogel") == before


async def test_objection_gives_the_other_school_a_fresh_account(
    world: World, browsers: Browsers, operator: Visitor
) -> None:
    pupil = browsers()
    before = await pupil.log_in(BIOSFEER, "vuurvogel", "sanne")
    await work(pupil, BIOSFEER)
    assert await subject(browsers, "regenboog") == before["subject"]
    assert "De Vuurvogel objects" in await press(operator, "objection")
    other = browsers()
    fresh = await other.log_in(BIOSFEER, "regenboog", "sanne")
    assert fresh["subject"] != before["subject"]
    assert await exercises(other, BIOSFEER) == 0
    assert await subject(browsers, "vuurvogel") == before["subject"]
    assert await subject(browsers, "regenboog") == fresh["subject"]


async def test_protected_pupil_is_let_in_once_both_schools_said_so(
    world: World, browsers: Browsers, operator: Visitor
) -> None:
    before = await subject(browsers, "vuurvogel")
    assert "is protected now" in await press(operator, "protected-pupil")
    moving = browsers()
    await moving.try_to_log_in(BIOSFEER, "regenboog", "sanne")
    assert "E-PERSON-5" in moving.text
    await subject(browsers, "vuurvogel")
    still = browsers()
    await still.try_to_log_in(BIOSFEER, "regenboog", "sanne")
    assert "E-PERSON-5" in still.text, "a daily login at the old school lets nobody in"
    await moving.press("school", "")
    await moving.choose("vuurvogel")
    await moving.log_in_at_school("sanne")
    await moving.go_on()
    assert (await moving.received(BIOSFEER))["subject"] == before
    assert await subject(browsers, "regenboog") == before


async def test_above_the_budget_the_newcomer_alone_waits(world: World, browsers: Browsers) -> None:
    before = await subject(browsers, "vuurvogel")
    path = world.prepared.loaded.data_folder / "register.db"
    with closing(open_sqlite(path)) as connection:
        connection.executemany(
            "INSERT INTO school_counts (school, day, kind, count)"
            " VALUES ('regenboog', date('now', ?), 'arrived', 1000)",
            [("-1 day",), ("0 days",), ("1 day",)],
        )
    waiting = browsers()
    await waiting.try_to_log_in(BIOSFEER, "regenboog", "sanne")
    assert "E-PERSON-4" in waiting.text
    assert counted(world, CountKind.WAITED) == {"regenboog": 1}
    assert counted(world, CountKind.ALARMED) == {"regenboog": 1}
    assert counted(world, CountKind.LEFT_ALARMED) == {"vuurvogel": 1}
    assert await subject(browsers, "vuurvogel") == before
