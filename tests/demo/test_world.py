"""The whole world on free ports, without the broker: everybody listens, nobody breaks."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest

from broker.demo.addresses import FREE_PORTS, Party, PortTaken, addresses_of, listening
from broker.demo.federation import write_federation
from broker.demo.peers import FRESH_SECONDS, PeerDocument, PeerUnreachable
from broker.demo.servers import PartyDidNotStart, serving
from broker.demo.start_scenarios import SCENARIOS
from broker.demo.supplier import Exercises, safe_target
from broker.demo.world import running

SUPPLIERS = (Party.REKENRIJK, Party.TAALTUIN, Party.BIOSFEER_OIDC, Party.BIOSFEER_SAML)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[SimpleNamespace]:
    said: list[str] = []
    ports = {party: port for party, port in FREE_PORTS.items() if party is not Party.BROKER}
    with listening(ports) as sockets:
        addresses = addresses_of(sockets) | {Party.BROKER: "http://localhost:1"}
        federation = write_federation(tmp_path, addresses)
        async with (
            running(federation, addresses, sockets=sockets, say=said.append),
            httpx2.AsyncClient(trust_env=False) as browser,
        ):
            yield SimpleNamespace(at=addresses, browser=browser, said=said)


async def test_everybody_listens_and_works_without_the_broker(world: SimpleNamespace) -> None:
    for party, url in world.at.items():
        if party is not Party.BROKER:
            assert (await world.browser.get(url)).status_code == 200, party
            assert (await world.browser.get(f"{url}/static/demo.css")).status_code == 200
    for party in SUPPLIERS:
        assert (await world.browser.get(f"{world.at[party]}/login")).status_code == 503
        nothing = await world.browser.get(f"{world.at[party]}/received.json")
        assert nothing.status_code == 404
        assert nothing.json() == {"error": "nothing_received"}
        deep = await world.browser.get(f"{world.at[party]}/les/3")
        assert deep.headers["location"] == "/login?target=/les/3"
    assert (await world.browser.get(f"{world.at[Party.VUURVOGEL]}/saml/sso")).status_code == 503
    assert any(world.at[Party.START_PAGE] in line for line in world.said)


@pytest.mark.parametrize(("language", "word"), [("nl", "Je ziet:"), ("en", "You should see:")])
async def test_the_start_page_lists_every_scenario(
    world: SimpleNamespace, language: str, word: str
) -> None:
    url = world.at[Party.START_PAGE]
    page = await world.browser.get(f"{url}/?lang={language}")
    by_browser = await world.browser.get(url, headers={"Accept-Language": language})
    assert page.text == by_browser.text
    assert f'<html lang="{language}">' in page.text
    assert page.text.count(word) == len(SCENARIOS)
    for each in SCENARIOS:
        assert f'id="{each.id}"' in page.text
        assert f'href="{world.at[each.begins_at]}{each.page or "/login"}"' in page.text


async def test_pages_allow_no_inline_script(world: SimpleNamespace) -> None:
    page = await world.browser.get(world.at[Party.REKENRIJK])
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert "style=" not in page.text


def test_a_taken_port_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)), listening({Party.KOMPAS: port}):
            pass


async def test_an_application_that_does_not_start_is_named() -> None:
    with listening({Party.KOMPAS: 0}) as sockets, pytest.raises(ExceptionGroup) as stopped:
        async with serving({Party.KOMPAS: FailingLifespan()}, sockets=sockets):
            pass
    assert stopped.group_contains(PartyDidNotStart, match="kompas")


class FailingLifespan:
    """An application that refuses to start."""

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        await send({"type": "lifespan.startup.failed", "message": ""})  # type: ignore[operator]


async def test_a_document_of_the_broker_is_kept_and_refreshed() -> None:
    answers = ["first", "second"]
    seconds = [0.0]

    async def app(scope: dict[str, str], _receive: object, send: object) -> None:
        if scope["type"] != "http":
            return
        status = 200 if answers else 500
        body = answers.pop(0).encode() if answers else b"broken"
        await send({"type": "http.response.start", "status": status, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": body})  # type: ignore[operator]

    with listening({Party.BROKER: 0}) as sockets:
        url = addresses_of(sockets)[Party.BROKER]
        document = PeerDocument(url, clock=lambda: seconds[0])
        async with serving({Party.BROKER: app}, sockets=sockets):  # type: ignore[dict-item]
            assert await document.read() == "first"
            assert await document.read() == "first"
            seconds[0] += FRESH_SECONDS + 1
            assert await document.read() == "second"
            document.expire()
            assert await document.read() == "second"
            with pytest.raises(PeerUnreachable):
                await PeerDocument(url).read()


def test_work_moves_with_a_pseudonym_that_the_broker_renews() -> None:
    work = Exercises()
    work.add("old")
    work.arrive("new", {"previous_sub": "old"})
    assert (work.count("new"), len(work.accounts)) == (1, 1)
    work.add("older")
    work.arrive("new", {"previous_sub": ["older"]})
    assert (work.count("new"), len(work.accounts)) == (2, 1)
    work.arrive("other", {})
    assert work.count("other") == 0


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test", "/\\evil.test", "les"])
def test_a_deep_link_stays_at_the_supplier(target: str) -> None:
    assert safe_target(target) == "/"
    assert safe_target("/les/3") == "/les/3"
