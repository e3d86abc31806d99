"""The example clients of the suppliers' guide log in and out, each with its own real library."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from broker.demo.addresses import Party
from tests.journeys.commands import run_broker
from tests.journeys.conftest import World
from tests.journeys.example_clients import (
    EXAMPLE_CLIENTS,
    OTHER_CLIENTS,
    ExampleClient,
    RunningClient,
    running_client,
)
from tests.journeys.visitor import Visitor
from tests.journeys.waiting import until

pytestmark = pytest.mark.servers

PSEUDONYM = re.compile(r'"sub": ?"([a-z][a-z2-7]{52})"')


async def begin(
    browsers: Callable[[], Visitor], client: RunningClient, example: ExampleClient
) -> Visitor:
    """Open a client's login, once the broker knows the client; return who chooses a school."""

    async def offered() -> Visitor | None:
        visitor = browsers()
        visitor.page = await visitor.client.get(
            client.base_url + (example.lesson or example.log_in)
        )
        return visitor if visitor.shows("school") else None

    return await until(offered)


def forget_session(visitor: Visitor, example: ExampleClient) -> None:
    """Take the client's own cookies from a browser."""
    begins = example.cookie or f"example-{example.name}"
    jar = visitor.client.cookies.jar
    for each in [each for each in jar if each.name.startswith(begins)]:
        jar.clear(each.domain, each.path, each.name)


@pytest.mark.parametrize(
    "example",
    [
        *(pytest.param(each, id=each.name) for each in EXAMPLE_CLIENTS),
        *(pytest.param(each, id=name) for name, each in OTHER_CLIENTS.items()),
    ],
)
async def test_an_example_client_logs_in_and_out(
    world: World, browsers: Callable[[], Visitor], tmp_path: Path, example: ExampleClient
) -> None:
    async with running_client(example, tmp_path, issuer=world.at[Party.BROKER]) as client:
        await run_broker("apply", "--config", world.folder, client.document)

        async def open_page(visitor: Visitor, path: str) -> str:
            visitor.page = await visitor.client.get(client.base_url + path)
            await visitor.pass_on()
            return visitor.page.text

        visitor = await begin(browsers, client, example)
        await visitor.choose("kompas")
        await visitor.log_in_at_school("noor")
        assert str(visitor.page.url).startswith(client.base_url), visitor.text
        assert visitor.page.status_code == 200, visitor.text
        if example.lesson:
            assert str(visitor.page.url) == client.base_url + example.lesson
            assert "lesson 3" in visitor.page.text
        shown = await open_page(visitor, example.home)
        told = PSEUDONYM.search(unescape(shown))
        assert told, shown
        if example.name == "shibboleth":  # it believes a scope only if our metadata name it
            assert f'"pairwise_id": "{told[1]}@localhost"' in unescape(shown)
        assert "Noor" in shown
        assert "Visser" not in shown

        forget_session(visitor, example)
        await open_page(visitor, example.log_in)  # the broker's session serves at once
        assert str(visitor.page.url).startswith(client.base_url), visitor.text
        await open_page(visitor, example.home)
        if example.log_out:
            await open_page(visitor, example.log_out.format(self=client.base_url))
        else:
            await visitor.press("logout")
        if 'action="/logout"' in visitor.page.text:  # without an ID token of ours it asks first
            await visitor.press("continue")
            assert visitor.page.status_code == 200, visitor.text
        else:
            assert f"{visitor.page.url}/".startswith(client.base_url + "/"), visitor.text
        assert not PSEUDONYM.search(unescape(await open_page(visitor, "/")))
        await open_page(visitor, example.log_in)  # the broker forgot the session too
        assert visitor.shows("school"), visitor.text


async def test_a_link_begins_at_an_example_client(
    world: World, browsers: Callable[[], Visitor], tmp_path: Path
) -> None:
    (example,) = [each for each in EXAMPLE_CLIENTS if each.name == "openid-client"]
    async with running_client(example, tmp_path, issuer=world.at[Party.BROKER]) as client:
        await run_broker("apply", "--config", world.folder, client.document)
        await begin(browsers, client, example)
        visitor, lesson = browsers(), client.base_url + "/lessons/3"
        link = {"rp": "example-openid-client", "school": "22BB", "target": lesson}
        await visitor.visit(Party.BROKER, "/start", **link)
        assert visitor.is_at(Party.KOMPAS), visitor.text
        await visitor.log_in_at_school("noor")
        assert str(visitor.page.url) == lesson
        assert "lesson 3" in visitor.page.text
        begun = {"iss": "https://another.example"}
        visitor.page = await visitor.client.get(client.base_url + "/login", params=begun)
        assert "not our broker" in visitor.page.text
