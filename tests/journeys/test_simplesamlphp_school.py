"""A school whose login is a real SimpleSAMLphp, as the guide sets it up."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin

import pytest
from lxml import html

from broker.demo.addresses import Party
from tests.journeys.commands import run_broker
from tests.journeys.conftest import OpenWorld
from tests.journeys.example_clients import EXAMPLE_SCHOOL, running_client
from tests.journeys.visitor import Visitor, new_visitor

pytestmark = pytest.mark.servers

PSEUDONYM = re.compile(r"[a-z][a-z2-7]{52}")
GIVE_UP_SECONDS = 60  # only a fault takes so long


async def log_in_at_simplesamlphp(visitor: Visitor) -> None:
    """Fill in the form of its example source."""
    (form,) = [
        each for each in html.fromstring(visitor.page.content).forms if "username" in each.fields
    ]
    form.fields.update(username="fatima", password="only-for-the-demo")
    url = urljoin(str(visitor.page.url), form.get("action", ""))
    visitor.page = await visitor.client.post(url, data=dict(form.form_values()))
    await visitor.pass_on()
    await visitor.go_on()


def seal_by_cbc(folder: Path) -> None:
    """Have it encrypt, by AES-CBC as it does, and register that with an end."""
    hosted, document = folder / "metadata/saml20-idp-hosted.php", folder / "school.toml"
    edit(hosted, "'assertion.encryption' => false", "'assertion.encryption' => true")
    scopes = 'scopes = ["vlieger.example"]\n'
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    words = f'name = "aes-cbc"\nuntil = {day}\nreason = "It knows nothing else."\n'
    edit(document, scopes, f"{scopes}[[identity_provider.exception]]\n{words}")


def edit(file: Path, before: str, after: str) -> None:
    """Replace what stands in a file once."""
    text = file.read_text()
    assert text.count(before) == 1
    file.write_text(text.replace(before, after))


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed by exception"])
async def test_a_pupil_of_a_simplesamlphp_school_logs_in(
    open_world: OpenWorld, tmp_path: Path, sealed: bool
) -> None:
    async with open_world() as world:
        issuer = world.at[Party.BROKER]
        async with running_client(EXAMPLE_SCHOOL, tmp_path, issuer=issuer) as school:
            if sealed:
                seal_by_cbc(tmp_path)
            await run_broker("apply", "--config", world.folder, school.document)
            visitor = new_visitor(world.at)
            async with visitor.client, asyncio.timeout(GIVE_UP_SECONDS):
                while not await _chosen(visitor):
                    pass
                await log_in_at_simplesamlphp(visitor)
                assert visitor.is_at(Party.REKENRIJK), visitor.text
                received = await visitor.received(Party.REKENRIJK)
        assert PSEUDONYM.fullmatch(received["subject"])
        assert received["claims"]["given_name"] == "Fatima"
        assert "El Amrani" not in str(received)


async def _chosen(visitor: Visitor) -> bool:
    """Choose the school, once the broker knows it."""
    await visitor.open_material(Party.REKENRIJK)
    if not visitor.shows("school", "vlieger"):
        return False
    await visitor.choose("vlieger")
    return True
