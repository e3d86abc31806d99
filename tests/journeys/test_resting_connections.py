"""A server that closes its resting connections just when a request is on its way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx2
import pytest
import pytest_asyncio

from tests.journeys.resting_connections import BrowserTransport

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Closing:
    """Answers the first request of each connection, and closes at the second one."""

    url: str = ""
    answered: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told = self.answered
        with contextlib.suppress(asyncio.IncompleteReadError):
            for answer in (ANSWER, b""):
                head = await reader.readuntil(b"\r\n\r\n")
                told.append(head.split(b" ", 1)[0].decode())
                writer.write(answer)
                await writer.drain()
                told = self.lost
        writer.close()


@pytest_asyncio.fixture(loop_scope="session")
async def closing() -> AsyncIterator[Closing]:
    served = Closing()
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    async with server:
        served.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        yield served


async def test_a_page_is_asked_again_and_a_form_is_never_lost(closing: Closing) -> None:
    async with httpx2.AsyncClient(transport=BrowserTransport()) as client:
        for method in ("GET", "GET", "POST", "GET", "POST"):
            assert (await client.request(method, closing.url)).text == "ok"
    assert closing.answered == ["GET", "GET", "POST", "GET", "POST"]
    assert closing.lost == ["GET"]


async def test_a_simple_client_loses_it(closing: Closing) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        await client.get(closing.url)
        with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
            await client.get(closing.url)


async def test_what_fails_on_a_fresh_connection_fails() -> None:
    async with httpx2.AsyncClient(transport=BrowserTransport()) as client:
        with pytest.raises(httpx2.ConnectError):
            await client.get("http://127.0.0.1:9/")
