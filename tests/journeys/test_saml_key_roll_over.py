"""Our SAML keys roll over under running logins, and partners that read our metadata before go on.

mod_auth_mellon has our metadata as a file, from while two keys stood in it, and is never told more.
A SimpleSAMLphp school goes on to encrypt to the key that our metadata no longer name.
"""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from broker.demo.addresses import Party
from tests.journeys.commands import run_broker
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.example_clients import (
    EXAMPLE_CLIENTS,
    EXAMPLE_SCHOOL,
    RunningClient,
    running_client,
)
from tests.journeys.simplesamlphp import choose_vlieger, log_in_at_simplesamlphp, seal_by_cbc
from tests.journeys.visitor import Visitor, new_visitor

pytestmark = pytest.mark.servers

GIVE_UP_SECONDS = 90  # only a fault takes so long
(MELLON,) = [each for each in EXAMPLE_CLIENTS if each.name == "mod_auth_mellon"]


async def certificates(world: World, role: str, use: str) -> Sequence[str]:
    """Return the certificates that our metadata name for a use now."""
    visitor = new_visitor(world.at)
    async with visitor.client:
        await visitor.visit(Party.BROKER, f"/saml/{role}/metadata")
    found = re.findall(
        r'<md:KeyDescriptor use="(\w+)">.*?<ds:X509Certificate>([^<]+)<', visitor.page.text, re.S
    )
    return [certificate for used_for, certificate in found if used_for == use]


async def begin(visitor: Visitor, client: RunningClient) -> None:
    """Ask for a page behind the login, up to the school's form."""
    while True:
        visitor.page = await visitor.client.get(client.base_url + MELLON.log_in)
        if visitor.shows("school", "kompas"):
            return await visitor.choose("kompas")


async def finish(visitor: Visitor, client: RunningClient) -> None:
    await visitor.log_in_at_school("noor")
    assert str(visitor.page.url) == client.base_url + MELLON.home, visitor.text
    assert "Noor" in visitor.page.text, visitor.text


async def test_a_supplier_goes_on_when_our_signing_key_rolls_over(
    open_world: OpenWorld, tmp_path: Path
) -> None:
    async with open_world() as world, asyncio.timeout(GIVE_UP_SECONDS):
        (old,) = await certificates(world, "idp", "signing")
        await run_broker("keys", "rotate", "saml-signing", "--config", world.folder)
        while len(both := await certificates(world, "idp", "signing")) < 2:
            pass
        assert both[0] == old  # published, not used yet
        issuer = world.at[Party.BROKER]
        async with running_client(MELLON, tmp_path, issuer=issuer) as client:
            await run_broker("apply", "--config", world.folder, client.document)
            before, between, after = (new_visitor(world.at) for _ in range(3))
            async with before.client, between.client, after.client:
                await begin(before, client)
                await finish(before, client)
                await begin(between, client)
                listed = await run_broker("keys", "list", "--config", world.folder)
                (in_use,) = re.findall(r"file (saml-signing/\S+) .*state in use", listed)
                await run_broker("keys", "remove", in_use, "--yes", "--config", world.folder)
                while await certificates(world, "idp", "signing") != [both[1]]:
                    pass
                await finish(between, client)
                await begin(after, client)
                await finish(after, client)


async def test_a_school_goes_on_when_our_key_to_encrypt_to_rolls_over(
    open_world: OpenWorld, tmp_path: Path
) -> None:
    async with open_world() as world, asyncio.timeout(GIVE_UP_SECONDS):
        issuer = world.at[Party.BROKER]
        (old,) = await certificates(world, "sp", "encryption")
        async with running_client(EXAMPLE_SCHOOL, tmp_path, issuer=issuer) as school:
            seal_by_cbc(tmp_path)
            await run_broker("apply", "--config", world.folder, school.document)
            between = new_visitor(world.at)
            async with between.client:
                await choose_vlieger(between)
                rotate = ("keys", "rotate", "saml-decryption", "--lead", "1s")
                await run_broker(*rotate, "--config", world.folder)
                while await certificates(world, "sp", "encryption") == [old]:
                    pass
                await log_in_at_simplesamlphp(between)
                assert between.is_at(Party.REKENRIJK), between.text
        assert old in (tmp_path / "broker.xml").read_text()
