"""One kept connection: used again where all is well, closed where anything is not."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from broker.adapters.calls import http_fetch
from broker.adapters.calls.http_connection import HttpConnection, NoGoodAnswer
from broker.adapters.calls.http_fetch import Fetcher
from broker.flow.ports import SchoolUnanswered

REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Answers each request with the next of `says`; counts connections."""

    def __init__(self) -> None:
        self.says: list[bytes] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/answer"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                said = self.says.pop(0)
                writer.write(said)
                if b"close" in said:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    async def connection(self) -> HttpConnection:
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(HttpConnection, "127.0.0.1", self.port)
        return made


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()
    for writer in made.writers:
        writer.close()


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    made = Fetcher(allowed_hosts=("127.0.0.1",), timeout_seconds=10)
    yield made
    await made.close()


async def test_a_connection_is_used_again(server: Server, fetcher: Fetcher) -> None:
    server.says = [GOOD] * 3
    for _ in range(3):
        assert await fetcher.get(server.url, headers={}) == b"{}"
    assert len(server.writers) == 1


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}",
        GOOD + GOOD,
        GOOD + b"nonsense",
    ],
    ids=["close", "old", "until-close", "twice", "and-more"],
)
async def test_a_good_answer_on_a_connection_that_ends(
    server: Server, fetcher: Fetcher, said: bytes
) -> None:
    server.says = [said, GOOD]
    assert await fetcher.get(server.url, headers={}) == b"{}"
    assert await fetcher.get(server.url, headers={}) == b"{}"
    assert len(server.writers) == 2


async def test_a_chunked_answer_after_an_interim_one(server: Server, fetcher: Fetcher) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.says = [interim + head + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"]
    assert await fetcher.get(server.url, headers={}) == b"{}"


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: close\r\n\r\n1\r\n{\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: close\r\n",
    ],
    ids=["short", "chunks-cut", "framed-twice", "two-lengths", "upgrade", "head-cut"],
)
async def test_half_or_doubtful_answers_are_none(
    server: Server, fetcher: Fetcher, said: bytes
) -> None:
    server.says = [said, GOOD]
    with pytest.raises(SchoolUnanswered):
        await fetcher.get(server.url, headers={})
    assert await fetcher.get(server.url, headers={}) == b"{}"
    assert len(server.writers) == 2


async def test_what_nobody_asked_ends_a_connection(server: Server) -> None:
    server.says = [GOOD]
    connection = await server.connection()
    assert await connection.call(REQUEST) == b"{}"
    server.writers[0].write(GOOD)  # an answer that would be taken for the next one's
    await until_unusable(connection)
    with pytest.raises(NoGoodAnswer):
        await connection.call(REQUEST)


async def test_a_connection_that_the_server_closed_is_not_used(
    server: Server, fetcher: Fetcher
) -> None:
    server.says = [GOOD] * 2
    connection = await server.connection()
    assert await connection.call(REQUEST) == b"{}"
    server.writers[0].close()
    await until_unusable(connection)
    assert await fetcher.get(server.url, headers={}) == b"{}"


async def test_a_call_that_is_given_up_ends_its_connection(server: Server) -> None:
    server.says = [b""]
    connection = await server.connection()
    call = asyncio.create_task(connection.call(REQUEST))
    while server.says:
        await asyncio.sleep(0)
    assert not connection.is_usable  # one call at a time
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not connection.is_usable


async def test_a_connection_that_nobody_uses_is_closed(
    server: Server, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_fetch, "KEPT_SECONDS", 0)
    server.says = [GOOD] * 2
    assert await fetcher.get(server.url, headers={}) == b"{}"
    (writer,) = server.writers
    while not writer.is_closing():
        await asyncio.sleep(0)
    assert await fetcher.get(server.url, headers={}) == b"{}"
    assert len(server.writers) == 2


async def until_unusable(connection: HttpConnection) -> None:
    while connection.is_usable:
        await asyncio.sleep(0)
