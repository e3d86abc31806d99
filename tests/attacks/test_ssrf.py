"""A document that names an address of ours: keys, token endpoint or userinfo inside our network.

However the address is written and whatever its name means a moment later, nothing is connected to
but a public address; and an answer cannot lead on, be endless or be slow.
"""

import _socket
import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest

from broker.adapters.calls import egress_guard
from broker.adapters.calls.egress_guard import AddressNotAllowed, EgressGuard
from broker.adapters.calls.http_connection import MAX_ANSWER_BYTES, HttpConnection
from broker.adapters.calls.http_fetch import Fetcher
from broker.adapters.calls.party_keys import PublishedKeys, RegisteredClientKeys, SchoolEndpoints
from broker.adapters.calls.request_places import PublishedRequests
from broker.flow.ports import SchoolUnanswered
from broker.jose.keys import KeySet
from tests.adapters.answering_server import an_answer, answering
from tests.builders_oidc import an_oidc_client, school_endpoints
from tests.web.broker_site import Site

WAYS = 5  # in which `ask` reaches for an address
PUBLIC, INNER = "93.184.216.34", "10.0.0.7"


class Names:
    """A name server of the attacker: each look-up gives the next answer, the last for ever."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: list[list[str]] = [[PUBLIC]]
        self.asked = 0
        monkeypatch.setattr(socket, "getaddrinfo", self.look_up)

    def look_up(self, host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in answer]


class Connections:
    """Writes down where the guard would connect to, and connects to nothing."""

    def __init__(self) -> None:
        self.made: list[str] = []

    async def open(self, _protocol: Any, address: str, *_: Any, **__: Any) -> Any:
        self.made.append(address)
        raise ConnectionRefusedError


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return Names(monkeypatch)


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Connections:
    made = Connections()
    monkeypatch.setattr(egress_guard, "open_connection", made.open)
    return made


def a_fetcher() -> Fetcher:
    """Return one that may reach no inner address; it never gets a connection to close."""
    return Fetcher(allowed_hosts=(), timeout_seconds=10)


async def ask(fetcher: Fetcher, url: str) -> None:
    """Reach for an address in each way that a document can make us."""
    endpoints = SchoolEndpoints(
        fetcher,
        published=PublishedKeys(fetcher),
        read_secret=lambda _: None,
    )
    with pytest.raises(SchoolUnanswered):
        await endpoints.fetch_keys(school_endpoints(jwks=None, jwks_uri=url), refresh=False)
    client = an_oidc_client(jwks="", jwks_uri=url)
    assert await RegisteredClientKeys(PublishedKeys(fetcher)).find(client) == KeySet()
    with pytest.raises(SchoolUnanswered):
        await PublishedRequests(fetcher).fetch(url)
    with pytest.raises(SchoolUnanswered):
        await endpoints.post_form(url, headers={}, form={"code": "x"})
    with pytest.raises(SchoolUnanswered):
        await endpoints.get(url, headers={"Authorization": "Bearer x"})


@pytest.mark.usefixtures("names")
async def test_a_public_address_is_connected_to(connections: Connections) -> None:
    await ask(a_fetcher(), "https://school.example/")
    assert connections.made == [PUBLIC] * WAYS


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", INNER, "169.254.169.254", "::1", "::ffff:10.0.0.7", "::ffff:127.0.0.1",
     "64:ff9b::a00:7", "2002:a00:7::1", "fd00::1", "0.0.0.0", "::"],
)  # fmt: skip
async def test_a_name_that_means_an_inner_address(
    names: Names, connections: Connections, address: str
) -> None:
    names.answers = [[address]]
    await ask(a_fetcher(), "https://school.example/")
    assert connections.made == []


async def test_an_inner_address_among_public_ones(names: Names, connections: Connections) -> None:
    names.answers = [[PUBLIC, INNER]]
    await ask(a_fetcher(), "https://school.example/")
    assert connections.made == []


async def test_a_name_that_changes_its_meaning(names: Names, connections: Connections) -> None:
    """DNS rebinding: what was judged is what is connected to; the name is not asked again."""
    names.answers = [[PUBLIC], [INNER]]
    guard = EgressGuard(allowed_hosts=())
    with pytest.raises(ConnectionRefusedError):
        await guard.connect("school.example", 443, secure=True, protocol=HttpConnection)
    assert (names.asked, connections.made) == (1, [PUBLIC])
    with pytest.raises(AddressNotAllowed):
        await guard.connect("school.example", 443, secure=True, protocol=HttpConnection)
    assert connections.made == [PUBLIC]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]",
     "[::ffff:7f00:1]", "localhost"],
)  # fmt: skip
async def test_the_same_address_in_other_clothes(
    host: str, connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_number(host: Any, port: Any, **_: Any) -> list[Any]:
        """As the system reads it, without asking anybody."""
        return _socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=_socket.AI_NUMERICHOST
        )

    if not host.lower().startswith("localhost"):
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, *_: read_number(host, port))
    await ask(a_fetcher(), f"https://{host}/")
    assert connections.made == []


@pytest.mark.parametrize("scheme", ["http", "ftp", "file", "gopher", "unix"])
@pytest.mark.usefixtures("names")
async def test_another_scheme(connections: Connections, scheme: str) -> None:
    await ask(a_fetcher(), f"{scheme}://school.example/")
    assert connections.made == []


class TestAnswers:
    """The server is reached by permission; its answers still lead nowhere."""

    @pytest.fixture
    async def fetcher(self) -> AsyncIterator[Fetcher]:
        made = Fetcher(allowed_hosts=("127.0.0.1",), timeout_seconds=10)
        yield made
        await made.close()

    @pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 T", "308 P"])
    async def test_a_redirect_is_not_followed(self, fetcher: Fetcher, status: str) -> None:
        async with answering(an_answer(b"secret")) as inner:
            say = an_answer(status=status, headers=(f"Location: {inner.url}",))
            async with answering(say) as server:
                await ask(fetcher, server.url)
            assert len(server.heads) == WAYS
            assert inner.heads == []

    @pytest.mark.parametrize("chunked", [True, False])
    async def test_an_endless_answer_is_cut(self, fetcher: Fetcher, chunked: bool) -> None:
        said = 0

        async def say(writer: asyncio.StreamWriter) -> None:
            nonlocal said
            framing = "Transfer-Encoding: chunked" if chunked else "Content-Length: 99999999999"
            writer.write(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode())
            block = b"x" * 65536
            while True:
                said += len(block)
                writer.write(b"10000\r\n" + block + b"\r\n" if chunked else block)
                await writer.drain()

        async with answering(say) as server:
            with pytest.raises(SchoolUnanswered):
                await fetcher.get(server.url, headers={})
        assert said < MAX_ANSWER_BYTES + 64 * 65536  # what the sockets between us hold

    @pytest.mark.parametrize(
        "say_before",
        [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"],
    )
    async def test_a_slow_answer_is_not_waited_for(self, say_before: bytes) -> None:
        async def say(writer: asyncio.StreamWriter) -> None:
            writer.write(say_before)
            await writer.drain()
            await asyncio.Event().wait()

        hurried = Fetcher(allowed_hosts=("127.0.0.1",), timeout_seconds=0.05)
        async with answering(say) as server:
            with pytest.raises(SchoolUnanswered):
                await hurried.get(server.url, headers={})
        await hurried.close()

    @pytest.mark.parametrize(
        "head", [b"X: " + b"y" * 1_000_000, b"X: y\r\n" * 100_000], ids=["long", "many"]
    )
    async def test_a_flood_of_headers_is_cut(self, fetcher: Fetcher, head: bytes) -> None:
        async def say(writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n")

        async with answering(say) as server:
            with pytest.raises(SchoolUnanswered):
                await fetcher.get(server.url, headers={})

    async def test_a_packed_answer_is_not_unpacked(self, fetcher: Fetcher) -> None:
        say = an_answer(b"\x1f\x8b packed", headers=("Content-Encoding: gzip",))
        async with answering(say) as server:
            assert await fetcher.get(server.url, headers={}) == b"\x1f\x8b packed"

    async def test_an_honest_answer_is_read(self, fetcher: Fetcher) -> None:
        async with answering(an_answer(b"{}")) as server:
            assert await fetcher.get(server.url, headers={}) == b"{}"


def test_suppliers_are_told_of_logouts_by_guarded_calls_too(site: Site) -> None:
    """Their addresses stand in documents as all others."""
    calls = site.web.logout._ports.courier._calls
    assert isinstance(calls, Fetcher)
    assert isinstance(calls._guard, EgressGuard)


def test_nobody_is_called_by_tls_of_yesterday() -> None:
    """OAuth NL GOV and the NCSC's guidelines: 1.0 and 1.1 are insufficient."""
    assert EgressGuard(allowed_hosts=())._tls.minimum_version >= ssl.TLSVersion.TLSv1_2
