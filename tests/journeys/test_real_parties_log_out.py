"""Real parties log each other out through us: wherever it begins, it reaches all of a session.

SimpleSAMLphp is the school's login; mod_auth_mellon and Shibboleth are systems of suppliers, and
RekenRijk is one by OpenID Connect. By their own metadata mod_auth_mellon is reached through the
browser, and Shibboleth by SOAP without it.
"""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from broker.demo.addresses import Party
from tests.journeys.commands import run_broker
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.example_clients import (
    EXAMPLE_CLIENTS,
    EXAMPLE_SCHOOL,
    ExampleClient,
    RunningClient,
    running_client,
)
from tests.journeys.simplesamlphp import log_in_at_simplesamlphp
from tests.journeys.visitor import Visitor
from tests.journeys.waiting import until

pytestmark = pytest.mark.servers

MELLON, SHIBBOLETH = (
    next(each for each in EXAMPLE_CLIENTS if each.name == name)
    for name in ("mod_auth_mellon", "shibboleth")
)
LEAVE_SCHOOL = "/simplesaml/saml2/idp/SingleLogoutService.php?ReturnTo={self}/simplesaml/logout.php"
AGREEMENT = """
[[agreement]]
school = "vlieger"
supplier = "{supplier}"
version = 1
from = 2025-08-01
approved = ["givenName"]
"""


@dataclass(frozen=True, slots=True)
class Parties:
    """The real parties of one world."""

    world: World
    base_urls: dict[str, str]

    def at(self, example: ExampleClient, path: str) -> str:
        """Return the address of one of its pages; `{self}` is its own."""
        base_url = self.base_urls[example.name]
        return base_url + path.format(self=base_url)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def parties(
    open_world: OpenWorld, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Parties]:
    """A world in which nobody waits, with a pupil's school and three suppliers that it approved."""
    async with (
        open_world(settings={"sessions": {"logout_wait_seconds": 0}}) as world,
        contextlib.AsyncExitStack() as stack,
    ):
        running: dict[str, RunningClient] = {}
        documents: list[Path] = []
        for each in (MELLON, SHIBBOLETH, EXAMPLE_SCHOOL):
            running[each.name] = client = await stack.enter_async_context(
                running_client(
                    each, tmp_path_factory.mktemp(each.name), issuer=world.at[Party.BROKER]
                )
            )
            documents.append(client.document)
        agreements = tmp_path_factory.mktemp("agreements") / "agreements.toml"
        suppliers = ("example-mod-auth-mellon", "example-shibboleth")
        agreements.write_text("".join(AGREEMENT.format(supplier=each) for each in suppliers))
        # All at once: where the school is offered, what it agreed to is in force as well.
        await run_broker("apply", "--config", world.folder, *documents, agreements)
        yield Parties(world, {name: each.base_url for name, each in running.items()})


@pytest_asyncio.fixture(loop_scope="session")
async def world(parties: Parties) -> World:
    """That of these parties, for the browsers."""
    return parties.world


@pytest_asyncio.fixture(loop_scope="session")
async def pupil(parties: Parties, browsers: Callable[[], Visitor]) -> Visitor:
    """Fatima, logged in at her school and at the three suppliers."""

    async def begin() -> Visitor | None:
        visitor = browsers()
        visitor.page = await visitor.client.get(parties.at(MELLON, MELLON.home))
        return visitor if visitor.shows("school", "vlieger") else None

    visitor: Visitor = await until(begin)
    await visitor.choose("vlieger")
    await log_in_at_simplesamlphp(visitor)
    assert "Fatima" in visitor.page.text, visitor.text
    await open_page(visitor, parties.at(SHIBBOLETH, SHIBBOLETH.home))
    assert "Fatima" in visitor.page.text, visitor.text
    await visitor.open_material(Party.REKENRIJK)
    await visitor.pass_on()
    await visitor.go_on()
    assert visitor.is_at(Party.REKENRIJK), visitor.text
    assert await who_is_in(visitor, parties) == {"mod_auth_mellon", "shibboleth", "rekenrijk"}
    return visitor


async def open_page(visitor: Visitor, url: str) -> None:
    visitor.page = await visitor.client.get(url)
    await visitor.pass_on()
    await visitor.go_on()


async def who_is_in(visitor: Visitor, parties: Parties) -> set[str]:
    """Return the suppliers that still know this browser."""
    found = set()
    for each in (MELLON, SHIBBOLETH):
        shown = await visitor.client.get(parties.at(each, each.home), follow_redirects=False)
        if "Fatima" in shown.text:
            found.add(each.name)
    if "error" not in await visitor.received(Party.REKENRIJK):
        found.add("rekenrijk")
    return found


async def everybody_is_out(visitor: Visitor, parties: Parties) -> None:
    """Hold that suppliers, we and the school forgot the session."""

    async def nobody_is_in() -> bool:
        return not await who_is_in(visitor, parties)

    await until(nobody_is_in)
    await open_page(visitor, parties.at(MELLON, MELLON.home))
    await visitor.choose("vlieger")
    assert 'name="password"' in visitor.page.text, visitor.text


async def leads_to(visitor: Visitor, url: str) -> None:
    """Wait, as our page does by itself, until everybody answered and it leads back."""

    async def is_there() -> bool:
        if visitor.is_at(Party.BROKER):
            await open_page(visitor, str(visitor.page.url))
        return str(visitor.page.url).startswith(url)

    await until(is_there)


@pytest.mark.parametrize("example", [MELLON, SHIBBOLETH], ids=lambda each: each.name)
async def test_a_real_supplier_logs_out_the_others_and_the_school(
    parties: Parties, pupil: Visitor, example: ExampleClient
) -> None:
    await open_page(pupil, parties.at(example, example.log_out))
    await leads_to(pupil, parties.at(example, "/"))
    await everybody_is_out(pupil, parties)


async def test_a_supplier_by_openid_connect_logs_out_real_parties(
    parties: Parties, pupil: Visitor
) -> None:
    pupil.page = await pupil.client.post(parties.world.at[Party.REKENRIJK] + "/logout")
    await pupil.pass_on()

    async def page_says_so() -> bool:
        pupil.page = await pupil.client.get(str(pupil.page.url))
        return 'data-out="waiting"' not in pupil.page.text

    assert pupil.is_at(Party.BROKER), pupil.text
    await until(page_says_so)
    assert pupil.page.text.count('data-out="yes"') == 4, pupil.text  # three suppliers, one school
    assert 'data-out="no"' not in pupil.page.text
    await everybody_is_out(pupil, parties)


async def test_our_own_page_logs_out_real_parties(parties: Parties, pupil: Visitor) -> None:
    await pupil.visit(Party.BROKER, "/logout")
    await pupil.press("continue")
    await pupil.pass_on()
    await everybody_is_out(pupil, parties)


async def test_a_real_school_logs_its_pupil_out_everywhere(
    parties: Parties, pupil: Visitor
) -> None:
    await open_page(pupil, parties.at(EXAMPLE_SCHOOL, LEAVE_SCHOOL))
    await leads_to(pupil, parties.at(EXAMPLE_SCHOOL, "/simplesaml/logout.php"))
    await everybody_is_out(pupil, parties)
