"""Schools merge, split and get another BRIN: the same pupils stay the same at every supplier.

One school's login goes on speaking, for the school that goes on; what it states in place of the
usual is said by each test. Each test ends with the registry of the beginning.
"""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio

from broker.demo.actions import ACTIONS
from broker.demo.addresses import Party
from tests.journeys.commands import run_broker
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.visitor import Visitor
from tests.journeys.waiting import until

pytestmark = pytest.mark.servers

Browsers = Callable[[], Visitor]
Change = Callable[..., Awaitable[str]]

FIRST = date.today() - timedelta(days=1)  # noqa: DTZ011 -- the broker runs by the same clock
LAST = FIRST + timedelta(days=300)
SCHOOL = """
[[school]]
id = "{id}"
name = "{name}"
place = "{place}"
brin = "{brin}"
sector = "po"
board = "{board}"
state = "test"
shared_devices = false
"""
RELATION = """
[[relation]]
id = "relation"
kind = "{kind}"
old = {old}
new = {new}
from = {first}
until = {last}
{more}
"""
PLACES = (f"Plaats-{number}" for number in itertools.count())
SUPPLIERS = (Party.REKENRIJK, Party.TAALTUIN)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world of its own, whose schools change."""
    async with open_world() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def change(world: World, browsers: Browsers) -> AsyncIterator[Change]:
    """Return what applies documents and waits until they count; afterwards all is as before."""

    async def shows(place: str) -> bool:
        visitor = browsers()
        await visitor.open_material(Party.REKENRIJK)
        return place in visitor.text

    async def apply(bundle: str, *, speaks_for: tuple[str, ...] = ()) -> str:
        place = next(PLACES)
        file = world.folder / "change.toml"
        file.write_text(bundle.replace("PLACE", place))
        paths = [file]
        if speaks_for:
            login = world.folder / "federation/identity_providers/vuurvogel.toml"
            schools = ", ".join(f'"{each}"' for each in speaks_for)
            text = login.read_text().replace('["vuurvogel"]', f"[{schools}]")
            paths.append(login.with_name("changed.toml"))
            paths[-1].write_text(text)
        said = await run_broker("apply", "--config", world.folder, *paths)
        if speaks_for:
            paths[-1].unlink()
        assert await until(lambda: shows(place))
        return said

    yield apply
    said = await run_broker("apply", "--config", world.folder, "--to", "1")
    assert "in force" in said

    async def as_before() -> bool:
        return not await shows("Plaats-")

    assert await until(as_before)


def a_school(id_: str, brin: str, *, board: str = "nieuw", name: str = "") -> str:
    return SCHOOL.format(id=id_, name=name or id_.title(), place="PLACE", brin=brin, board=board)


def a_relation(kind: str, old: list[str], new: list[str], *more: str) -> str:
    return RELATION.format(
        kind=kind,
        old=str(old).replace("'", '"'),
        new=str(new).replace("'", '"'),
        first=FIRST,
        last=LAST,
        more="\n".join(more),
    )


async def subjects(
    browsers: Browsers, school: str, pupil: str, *, at: tuple[Party, ...] = SUPPLIERS, **stated: Any
) -> list[str]:
    """Log in at each supplier and return by what it knows this pupil."""
    return [(await browsers().log_in(party, school, pupil, **stated))["subject"] for party in at]


async def refused(browsers: Browsers, school: str, pupil: str, **stated: str) -> str:
    visitor = browsers()
    await visitor.try_to_log_in(Party.REKENRIJK, school, pupil, **stated)
    return visitor.text


async def test_another_brin(browsers: Browsers, change: Change) -> None:
    before = [await subjects(browsers, "vuurvogel", each) for each in ("sanne", "daan")]
    school = a_school("vuurvogel", "44DD", name="De Vuurvogel", board="stichting-vuurvogel")
    await change(school)
    assert "E-IDENTITY-2" in await refused(browsers, "vuurvogel", "daan")
    own = a_relation("renumber", ["vuurvogel"], ["vuurvogel"], 'old_brins = ["11AA"]')
    await change(school + own)
    for brin in ("11AA", "44DD"):
        stated = {"nlEduPersonHomeOrganizationId": brin}
        after = [
            await subjects(browsers, "vuurvogel", each, **stated) for each in ("sanne", "daan")
        ]
        assert after == before
    assert "E-IDENTITY-2" in await refused(
        browsers, "vuurvogel", "daan", nlEduPersonHomeOrganizationId="33CC"
    )


async def test_another_school_in_its_place_and_back(browsers: Browsers, change: Change) -> None:
    people = ("sanne", "daan", "els")
    before = {each: await subjects(browsers, "vuurvogel", each) for each in people}
    renumber = a_relation("renumber", ["vuurvogel"], ["samenklank"], 'numbers = "kept"')
    await change(a_school("samenklank", "55EE") + renumber, speaks_for=("samenklank",))
    for each in people:
        assert await subjects(browsers, "samenklank", each) == before[each]
    received = await browsers().log_in(Party.REKENRIJK, "samenklank", "daan")
    assert received["claims"]["given_name"] == "Daan", "the old school's agreement is carried"


async def test_after_going_back_everybody_is_who_they_were(
    browsers: Browsers, change: Change
) -> None:
    """The test before went back by `--to` once it was done."""
    before = await subjects(browsers, "vuurvogel", "daan")
    renumber = a_relation("renumber", ["vuurvogel"], ["samenklank"], 'numbers = "kept"')
    await change(a_school("samenklank", "55EE") + renumber, speaks_for=("samenklank",))
    assert await subjects(browsers, "samenklank", "daan") == before


async def test_a_merge_with_a_number_that_both_gave_out(browsers: Browsers, change: Change) -> None:
    both = {"employeeNumber": "8870000"}
    here = await subjects(browsers, "vuurvogel", "daan", **both)
    there = await subjects(browsers, "regenboog", "sanne", **both, eckId="")
    alone = await subjects(browsers, "vuurvogel", "daan", employeeNumber="8870001")
    sanne = await subjects(browsers, "vuurvogel", "sanne")
    merge = a_relation(
        "merge",
        ["vuurvogel", "regenboog"],
        ["samenklank"],
        'numbers = "kept"',
        "distinct_numbers = true",
    )
    await change(a_school("samenklank", "55EE") + merge, speaks_for=("samenklank",))
    collided = await subjects(browsers, "samenklank", "daan", **both)
    assert not {*collided} & {*here, *there}
    assert await subjects(browsers, "samenklank", "daan", employeeNumber="8870001") == alone
    assert await subjects(browsers, "samenklank", "sanne") == sanne
    received = await browsers().log_in(Party.REKENRIJK, "samenklank", "sanne")
    assert "given_name" not in received["claims"], "De Regenboog never approved it"


async def test_a_split(browsers: Browsers, change: Change) -> None:
    numbers = {"employeeNumber": "8870002"}
    by_number = await subjects(browsers, "vuurvogel", "daan", **numbers)
    sanne = await subjects(browsers, "vuurvogel", "sanne")
    split = a_relation(
        "split",
        ["vuurvogel"],
        ["samenklank", "eenklank"],
        'numbers = "kept"',
        'numbers_at = "samenklank"',
    )
    await change(
        a_school("samenklank", "55EE") + a_school("eenklank", "66FF") + split,
        speaks_for=("samenklank", "eenklank"),
    )
    keeps, other = ({"nlEduPersonHomeOrganizationId": brin} for brin in ("55EE", "66FF"))
    first_come = await subjects(browsers, "eenklank", "daan", **numbers, **other)
    assert not {*first_come} & {*by_number}
    assert await subjects(browsers, "samenklank", "daan", **numbers, **keeps) == by_number
    for stated in (keeps, other):
        assert await subjects(browsers, "eenklank", "sanne", **stated) == sanne
    assert "E-IDENTITY-1" in await refused(browsers, "samenklank", "daan", **numbers)


async def test_old_numbers_are_strangers_where_none_go_on(
    browsers: Browsers, change: Change
) -> None:
    before = await subjects(browsers, "vuurvogel", "daan", employeeNumber="8870003")
    renumber = a_relation("renumber", ["vuurvogel"], ["samenklank"])
    await change(a_school("samenklank", "55EE") + renumber, speaks_for=("samenklank",))
    after = await subjects(browsers, "samenklank", "daan", employeeNumber="8870003")
    assert not {*after} & {*before}


async def test_the_buttons_of_the_start_page(world: World, browsers: Browsers) -> None:
    before = [await subjects(browsers, "vuurvogel", each) for each in ("sanne", "daan")]
    await press(world, "schools-merge")
    for pupil, known in zip(("sanne", "daan"), before, strict=True):
        for party, subject in zip(SUPPLIERS, known, strict=True):
            visitor = browsers()
            await visitor.open_material(party)
            await visitor.choose("samenklank")
            await visitor.press("idp", "vuurvogel")
            await visitor.pass_on()
            await visitor.log_in_at_school(pupil)
            await visitor.go_on()
            assert (await visitor.received(party))["subject"] == subject
    await press(world, "schools-apart")
    assert await subjects(browsers, "vuurvogel", "daan") == before[1]
    received = await browsers().log_in(Party.REKENRIJK, "vuurvogel", "daan")
    assert received["claims"]["given_name"] == "Daan"


async def press(world: World, action: str) -> None:
    (found,) = (each for each in ACTIONS if each.id == action)
    assert (await found.run(world.prepared.stage)).en
