"""The broker's HTTP server around a small application, and a client that sends what it likes."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send

from broker.adapters.serving.http_limits import HttpLimits
from broker.adapters.serving.http_protocol import HEAD_TOO_LARGE
from broker.adapters.serving.http_server import DRAINING, BrokerServer
from tests.journeys.certificates import make_certificate

LONG_SECONDS = 600.0  # what is not tried here never comes
GIVE_UP_SECONDS = 60  # only a fault takes so long
TOO_LARGE_BODY = b"too much"
TLS_HOST = "localhost"


def limits(**changes: Any) -> HttpLimits:
    """Return small limits, and no hurry."""
    usual: dict[str, Any] = {
        "address_bytes": 1000,
        "headers": 10,
        "header_bytes": 2000,
        "head_seconds": LONG_SECONDS,
        "body_bytes": 5000,
        "body_seconds": LONG_SECONDS,
        "api_body_bytes": 50_000,
        "api_body_seconds": LONG_SECONDS,
        "keep_alive_seconds": LONG_SECONDS,
        "drain_seconds": LONG_SECONDS,
        "connections": 100,
    }
    return HttpLimits(**usual | changes)


@dataclass(slots=True)
class SmallApp:
    """Answers with path and body, and notes what it was asked.

    `/wait` answers when `release` is set, `/ignore` before it has read the body; a body over its
    own limit gets a 413.
    """

    max_body_bytes: int = 5000
    scopes: list[Scope] = field(default_factory=list)
    disconnects: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        self.arrived.set()
        if HEAD_TOO_LARGE in scope.get("extensions", ()):
            await self._answer(send, 431, TOO_LARGE_BODY)
            return
        if scope["path"] == "/wait":
            await self.release.wait()
        body = b""
        while scope["path"] != "/ignore":
            message = await receive()
            if message["type"] == "http.disconnect":
                self.disconnects += 1
                break
            body += message["body"]
            if len(body) > self.max_body_bytes:
                await self._answer(send, 413, TOO_LARGE_BODY)
                return
            if not message["more_body"]:
                break
        state = b" draining" if scope["state"].get(DRAINING) else b""
        await self._answer(send, 200, scope["path"].encode() + b" " + body + state)

    async def _answer(self, send: Send, status: int, body: bytes) -> None:
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [length]})
        await send({"type": "http.response.body", "body": body})


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Client:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Send bytes; a server that has hung up is no fault here."""
        with contextlib.suppress(ConnectionError):
            self.writer.write(data)
            await self.writer.drain()

    async def reply(self) -> Reply:
        """Return the next answer."""
        async with asyncio.timeout(GIVE_UP_SECONDS):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            pairs = (each.split(": ", 1) for each in head[1:] if each)
            headers = {name.lower(): value for name, value in pairs}
            body = await self.reader.readexactly(int(headers["content-length"]))
        return Reply(int(head[0].split()[1]), headers, body)

    async def get(self, path: str = "/", *headers: str) -> Reply:
        """Ask for a page."""
        await self.send(a_get(path, *headers))
        return await self.reply()

    async def ended(self) -> bool:
        """Return when the server has ended its side; True when it said nothing more before."""
        async with asyncio.timeout(GIVE_UP_SECONDS):
            with contextlib.suppress(ConnectionError):
                return await self.reader.read() == b""
        return True

    async def close(self) -> None:
        """Close the connection."""
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


def a_get(path: str = "/", *headers: str) -> bytes:
    """Return a request as it is sent."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


def a_post(body: bytes, path: str = "/") -> bytes:
    """Return a post as it is sent."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@dataclass(slots=True)
class Running:
    """A running server; clients are closed with it."""

    server: BrokerServer
    app: SmallApp
    address: tuple[str, int]
    task: "asyncio.Task[None]"
    tls: ssl.SSLContext | None = None
    clients: list[Client] = field(default_factory=list)

    async def connect(self) -> Client:
        """Return a new connection."""
        streams = await asyncio.open_connection(
            *self.address, ssl=self.tls, server_hostname=None if self.tls is None else TLS_HOST
        )
        self.clients.append(Client(*streams))
        return self.clients[-1]

    @property
    def open_connections(self) -> int:
        return len(self.server.server_state.connections)

    async def until_open(self, count: int) -> None:
        """Return when the server holds so many connections."""
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while self.open_connections != count:
                await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def serving(
    app: SmallApp | None = None, *, tls_folder: Path | None = None, **changes: Any
) -> AsyncIterator[Running]:
    """Serve while the context lasts; over TLS, with a certificate made in `tls_folder`."""
    made = None if tls_folder is None else make_certificate(tls_folder, hosts=[TLS_HOST])
    app = SmallApp() if app is None else app
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))

    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        ssl_certfile=None if made is None else made.files.certificate_file,
        ssl_keyfile=None if made is None else str(made.files.key_file),
    )
    server = BrokerServer(config, limits=limits(**changes))
    task = asyncio.create_task(server.serve([listener]))
    running = Running(server, app, listener.getsockname(), task)
    if made is not None:
        running.tls = ssl.create_default_context(cafile=str(made.ca_file))
    try:
        while not (task.done() or getattr(server, "servers", ())):
            await asyncio.sleep(0)
        yield running
    finally:
        for _ in range(2):
            server.stop()
        for client in running.clients:
            await client.close()
        await running.task
