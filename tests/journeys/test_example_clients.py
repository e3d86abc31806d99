"""The example clients of the suppliers' guide log in and out, each with its own real library."""

import asyncio
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from broker.demo.addresses import Party
from tests.journeys.commands import run_broker
from tests.journeys.conftest import World
from tests.journeys.example_clients import EXAMPLE_CLIENTS, ExampleClient, running_client
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.servers

PSEUDONYM = re.compile(r'"sub": ?"([a-z][a-z2-7]{52})"')
GIVE_UP_SECONDS = 60  # only a fault takes so long


@pytest.mark.parametrize("example", EXAMPLE_CLIENTS, ids=lambda each: each.name)
async def test_an_example_client_logs_in_and_out(
    world: World, browsers: Callable[[], Visitor], tmp_path: Path, example: ExampleClient
) -> None:
    async with running_client(example, tmp_path, issuer=world.at[Party.BROKER]) as client:
        await run_broker("apply", "--config", world.folder, client.document)

        async def open_page(visitor: Visitor, path: str) -> str:
            visitor.page = await visitor.client.get(client.base_url + path)
            return visitor.page.text

        async with asyncio.timeout(GIVE_UP_SECONDS):  # until the broker knows the client
            while True:
                await open_page(visitor := browsers(), example.log_in)
                if visitor.shows("school"):
                    break
        await visitor.choose("kompas")
        await visitor.log_in_at_school("noor")
        assert str(visitor.page.url).startswith(client.base_url), visitor.text
        shown = await open_page(visitor, example.home)
        assert PSEUDONYM.search(unescape(shown)), shown
        assert "Noor" in shown
        assert "Visser" not in shown

        visitor.client.cookies.delete(f"example-{example.name}")
        await open_page(visitor, example.log_in)  # the broker's session serves at once
        assert str(visitor.page.url).startswith(client.base_url), visitor.text
        await open_page(visitor, example.home)
        if example.log_out:
            await open_page(visitor, example.log_out)
        else:
            await visitor.press("logout")
        assert str(visitor.page.url).startswith(client.base_url + "/"), visitor.text
        assert not PSEUDONYM.search(unescape(await open_page(visitor, "/")))
        await open_page(visitor, example.log_in)  # the broker forgot the session too
        assert visitor.shows("school"), visitor.text
