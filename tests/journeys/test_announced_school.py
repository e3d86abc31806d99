"""An ELO announces the school of a pupil, who then chooses none; a supplier asks who is there."""

from collections.abc import AsyncIterator, Callable
from importlib.util import module_from_spec, spec_from_file_location
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import pytest_asyncio

from broker.demo.addresses import Party
from broker.oidc_op.client_secrets import hash_client_secret
from tests.journeys.commands import change
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.example_clients import EXAMPLES
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.servers

KEY = token_urlsafe(32)
EXAMPLE = EXAMPLES / "announcing-elo" / "announce.py"


def the_example() -> Any:
    """Return the module that the guide quotes: the ELO's side, without anything of ours."""
    spec = spec_from_file_location("announce", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world in which Het Kompas's ELO announces, and RekenRijk asks."""
    async with open_world() as opened:
        file = opened.prepared.loaded.keys_folder / "schools" / "kompas.announcement"
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(KEY + "\n")
        home = opened.at[Party.REKENRIJK] + "/"
        announcing = f'[announcement]\nkey_hashes = ["{hash_client_secret(KEY)}"]\n'
        login = opened.folder / "federation" / "identity_providers" / "kompas.toml"
        login.write_text(f'{login.read_text()}\n{announcing}return_to = ["{home}"]\n')
        await change(opened, "identity_providers/kompas.toml")
        await change(
            opened,
            "suppliers/rekenrijk.toml",
            ('state = "test"\n', 'state = "test"\nmay_ask_session = true\n'),
            ('protocol = "oidc"\n', f'protocol = "oidc"\nsession_answer_url = "{home}"\n'),
        )
        yield opened


def announcement(world: World) -> str:
    url: str = the_example().announce(
        world.at[Party.BROKER],
        key=KEY,
        login="kompas",
        school="22BB",
        return_to=world.at[Party.REKENRIJK] + "/",
    )
    return url


async def ask(visitor: Visitor, party: Party = Party.REKENRIJK) -> str:
    """Return the answer with which a browser came back to the supplier; "" when it did not."""
    question = urlencode({"rp": party, "state": "of-the-supplier"})
    await visitor.visit(Party.BROKER, f"/session?{question}")
    said = parse_qs(urlsplit(str(visitor.page.url)).query)
    if not visitor.is_at(Party.REKENRIJK):
        return ""
    assert said["state"] == ["of-the-supplier"]
    return said["logged_in"][0]


async def test_who_is_announced_chooses_no_school(
    world: World, browsers: Callable[[], Visitor]
) -> None:
    visitor, another = browsers(), browsers()
    assert await ask(visitor) == "false"
    url = announcement(world)
    visitor.page = await visitor.client.get(url)
    assert visitor.is_at(Party.REKENRIJK), visitor.text
    assert await ask(visitor) == "remote"
    await visitor.open_material(Party.REKENRIJK)
    assert visitor.is_at(Party.KOMPAS), visitor.text  # whose login asks who it is
    await visitor.log_in_at_school("noor")
    await visitor.go_on()
    assert (await visitor.received(Party.REKENRIJK))["subject"]
    assert await ask(visitor) == "true"

    another.page = await another.client.get(url)
    assert another.is_at(Party.BROKER)
    assert "E-ANNOUNCE-4" in another.text
    assert await ask(another) == "false"
    await another.open_material(Party.REKENRIJK)
    assert another.is_at(Party.BROKER)  # the chooser


async def test_who_may_not_ask_hears_nothing(visitor: Visitor) -> None:
    assert await ask(visitor, Party.TAALTUIN) == ""
    assert "E-ASK-1" in visitor.text
