"""A school changes its login over HTTP: rehearsed, by class, all and back; no supplier notices."""

from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from broker.demo.addresses import Party
from broker.demo.people import VUURVOGEL, people_at
from tests.journeys.commands import run_program
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.visitor import Visitor
from tests.journeys.waiting import until

pytestmark = pytest.mark.servers

PAIR = ("vuurvogel", "--from", "vuurvogel", "--to", "leerplein")
SANNES_CLASS = people_at(VUURVOGEL)["sanne"].attributes["nlEduPersonUnit"][0]
SUPPLIERS = (Party.REKENRIJK, Party.TAALTUIN)
PUPILS = ("sanne", "daan", "els")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world of its own: the others must not see what is changed here."""
    async with open_world() as opened:
        yield opened


async def log_in(visitor: Visitor, party: Party, pupil: str, login: str) -> dict[str, object]:
    """Log in at De Vuurvogel by one of its logins, if it asks by which; press what must be."""
    await visitor.open_material(party)
    await visitor.choose("vuurvogel")
    if visitor.shows("idp", login):
        await visitor.press("idp", login)
        await visitor.pass_on()
    await visitor.log_in_at_school(pupil)
    if visitor.shows("idp"):  # "you have another login now"
        await visitor.press("idp")
        await visitor.pass_on()
        assert visitor.is_at(Party.LEERPLEIN), visitor.text
        await visitor.log_in_at_school(pupil)
    await visitor.go_on()
    assert visitor.is_at(party), visitor.text
    return await visitor.received(party)


async def everybody(
    browsers: Callable[[], Visitor], login: str = "vuurvogel"
) -> dict[tuple[str, str], object]:
    """Return the pseudonym of everybody at each supplier."""
    return {
        (party, pupil): (await log_in(browsers(), party, pupil, login))["subject"]
        for party in SUPPLIERS
        for pupil in PUPILS
    }


async def arrives_at(browsers: Callable[[], Visitor], party: Party) -> bool:
    """Tell whether choosing the school leads to this login, or to a page that asks."""
    visitor = browsers()
    await visitor.open_material(Party.REKENRIJK)
    await visitor.choose("vuurvogel")
    return visitor.is_at(party)


async def rehearse_as_volunteer(visitor: Visitor, pupil: str, **stated: str) -> None:
    """Try both logins; `stated` is what the new one states instead."""
    await visitor.visit(Party.BROKER, "/rehearsal", school="vuurvogel", lang="en")
    await visitor.press("rehearse")
    await visitor.pass_on()
    assert visitor.is_at(Party.VUURVOGEL), visitor.text
    await visitor.log_in_at_school(pupil)
    await visitor.press("rehearse")
    await visitor.pass_on()
    assert visitor.is_at(Party.LEERPLEIN), visitor.text
    await visitor.log_in_at_school(pupil, **stated)
    assert visitor.is_at(Party.BROKER)


async def test_no_supplier_notices_any_of_it(
    world: World, browsers: Callable[..., Visitor]
) -> None:
    config = ("--config", world.folder)
    before = await everybody(browsers)
    assert await arrives_at(browsers, Party.VUURVOGEL)

    # Rehearsed by volunteers: nothing leaves, each counts once.
    told = await run_program("rehearse", *config, *PAIR, "--volunteers")
    assert f"{world.at[Party.BROKER]}/rehearsal?school=vuurvogel" in told

    async def is_open() -> bool:
        visitor = browsers()
        await visitor.visit(Party.BROKER, "/rehearsal", school="vuurvogel")
        return visitor.shows("rehearse")

    await until(is_open)
    receipts = (world.folder / "data" / "receipts.db").stat().st_size
    for pupil in ("sanne", "daan", "els", "sanne"):
        visitor = browsers(language="en")
        await rehearse_as_volunteer(visitor, pupil)
        assert "The same account: yes" in visitor.text
    assert (world.folder / "data" / "receipts.db").stat().st_size == receipts
    assert await arrives_at(browsers, Party.VUURVOGEL)  # nobody else is offered the new login
    report = await run_program("rehearse", *config, *PAIR, "--report")
    assert "volunteers: 3 same, 0 changed, 0 unknown" in report

    # By class, while logins run.
    under_way = browsers()
    await under_way.open_material(Party.REKENRIJK)
    await under_way.choose("vuurvogel")
    await run_program("switch", *config, *PAIR, "--class", SANNES_CLASS)
    await until(lambda: asks(browsers))
    await under_way.log_in_at_school("daan")
    await under_way.go_on()
    received = await under_way.received(Party.REKENRIJK)
    assert received["subject"] == before[Party.REKENRIJK, "daan"]
    assert await everybody(browsers, "vuurvogel") == before
    assert await everybody(browsers, "leerplein") == before

    # All, while somebody is at the old login.
    under_way = browsers()
    await under_way.open_material(Party.TAALTUIN)
    await under_way.choose("vuurvogel")
    if under_way.shows("idp", "vuurvogel"):
        await under_way.press("idp", "vuurvogel")
        await under_way.pass_on()
    await run_program("switch", *config, *PAIR, "--all")
    await until(lambda: arrives_at(browsers, Party.LEERPLEIN))
    await under_way.log_in_at_school("els")
    await under_way.go_on()
    received = await under_way.received(Party.TAALTUIN)
    assert received["subject"] == before[Party.TAALTUIN, "els"]
    assert await everybody(browsers) == before

    # And back at once, while somebody is at the new login.
    under_way = browsers()
    await under_way.open_material(Party.REKENRIJK)
    await under_way.choose("vuurvogel")
    assert under_way.is_at(Party.LEERPLEIN)
    await run_program("switch", *config, "vuurvogel", "--rollback")
    await until(lambda: arrives_at(browsers, Party.VUURVOGEL))
    await under_way.log_in_at_school("sanne")
    await under_way.press("idp", "vuurvogel")
    await under_way.pass_on()
    assert under_way.is_at(Party.VUURVOGEL)
    await under_way.log_in_at_school("sanne")
    await under_way.go_on()
    received = await under_way.received(Party.REKENRIJK)
    assert received["subject"] == before[Party.REKENRIJK, "sanne"]
    assert await everybody(browsers) == before


async def asks(browsers: Callable[[], Visitor]) -> bool:
    """Tell whether the school's logins are shown, the new one first."""
    visitor = browsers()
    await visitor.open_material(Party.REKENRIJK)
    await visitor.choose("vuurvogel")
    return visitor.shows("idp", "leerplein") and visitor.shows("idp", "vuurvogel")


async def test_a_volunteer_whose_account_would_change(
    world: World, browsers: Callable[..., Visitor]
) -> None:
    await browsers().log_in(Party.REKENRIJK, "vuurvogel", "daan")
    await run_program("rehearse", "--config", world.folder, *PAIR, "--volunteers")

    async def is_open() -> bool:
        visitor = browsers()
        await visitor.visit(Party.BROKER, "/rehearsal", school="vuurvogel")
        return visitor.shows("rehearse")

    await until(is_open)
    visitor = browsers(language="en")
    await rehearse_as_volunteer(visitor, "daan", employeeNumber="9921001")
    assert "The same account: no" in visitor.text
    assert "another number" in visitor.text
    assert urlsplit(str(visitor.page.url)).path == "/oidc/callback"
    again = browsers(language="en")
    await rehearse_as_volunteer(again, "daan")  # the last time counts
    assert "The same account: yes" in again.text
    await run_program("rehearse", "--config", world.folder, *PAIR, "--close")

    async def is_closed() -> bool:
        await visitor.visit(Party.BROKER, "/rehearsal", school="vuurvogel")
        return "E-SWITCH-11" in visitor.text

    await until(is_closed)


async def test_the_demo_switches_its_login_by_buttons(
    world: World, browsers: Callable[[], Visitor]
) -> None:
    """The start page's actions do what the commands do."""
    operator, pupil = browsers(), browsers()
    before = await log_in(pupil, Party.REKENRIJK, "sanne", "vuurvogel")
    for action, login in (
        ("switch-rehearse", "vuurvogel"),
        ("switch-class", "vuurvogel"),
        ("switch-all", ""),
        ("switch-back", ""),
    ):
        await operator.visit(Party.START_PAGE)
        operator.page = await operator.client.post(
            f"{world.at[Party.START_PAGE]}/actions/{action}",
            headers={"origin": world.at[Party.START_PAGE]},
        )
        assert "E-SWITCH" not in operator.text
        after = await log_in(browsers(), Party.REKENRIJK, "sanne", login)
        assert after["subject"] == before["subject"], action
