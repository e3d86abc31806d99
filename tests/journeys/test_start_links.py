"""Links of portals, tiles and posters: the page that they name is reached in the end."""

import re
from html import escape, unescape
from urllib.parse import urlencode

import pytest

from broker.demo.addresses import Party
from tests.journeys.commands import run_broker
from tests.journeys.conftest import World
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.servers

SYSTEMS = (Party.REKENRIJK, Party.TAALTUIN, Party.BIOSFEER_OIDC, Party.BIOSFEER_SAML)


async def open_link(visitor: Visitor, party: Party, **link: str) -> None:
    target = visitor.addresses[party] + "/les/3"
    await visitor.visit(
        Party.BROKER, f"/start?{urlencode({'rp': party, 'target': target, **link})}"
    )


@pytest.mark.parametrize("party", SYSTEMS)
async def test_a_link_with_a_school_goes_straight_to_its_login(
    visitor: Visitor, party: Party
) -> None:
    await open_link(visitor, party, school="11AA")
    await visitor.pass_on()
    assert visitor.is_at(Party.VUURVOGEL), visitor.text
    await visitor.log_in_at_school("sanne")
    await visitor.go_on()
    assert visitor.is_at(party)
    assert visitor.path == "/les/3"


@pytest.mark.parametrize("party", [Party.REKENRIJK, Party.TAALTUIN])
async def test_its_page_survives_the_chooser_failures_and_retries(
    visitor: Visitor, party: Party
) -> None:
    await open_link(visitor, party)
    await visitor.choose("vuurvogel")
    await visitor.log_in_at_school("daan", scenario="cancelled")
    await visitor.go_on()
    assert visitor.is_at(party), visitor.text  # told, and offers another try
    (again,) = re.findall(r'href="(/login[^"]*)"', visitor.page.text)
    await visitor.visit(party, unescape(again))
    await visitor.choose("vuurvogel")
    await visitor.log_in_at_school("daan", scenario="expired")
    assert visitor.is_at(Party.BROKER)  # our page offers to choose again
    await visitor.choose("vuurvogel")
    await visitor.log_in_at_school("daan")
    await visitor.go_on()
    assert visitor.is_at(party), visitor.text
    assert visitor.path == "/les/3"


async def test_the_command_writes_the_same_link_and_a_poster(
    world: World, visitor: Visitor, tmp_path_factory: pytest.TempPathFactory
) -> None:
    poster = tmp_path_factory.mktemp("poster") / "poster.html"
    target = world.at[Party.REKENRIJK] + "/les/3"
    said = await run_broker(
        *("start-link", "--config", world.folder, "rekenrijk", "--school", "22BB"),
        *("--target", target, "--poster", poster),
    )
    address = said.splitlines()[0]
    (drawn,) = re.findall(r"<svg[^>]*>.*?</svg>", poster.read_text(), re.S)
    assert "viewBox" in drawn  # so that it fills its place on the sheet
    assert f"<title>{escape(address)}</title>" in drawn
    assert "Het Kompas" in poster.read_text()
    visitor.page = await visitor.client.get(address)
    assert visitor.is_at(Party.KOMPAS), visitor.text
