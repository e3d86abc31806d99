"""A server on loopback that says exactly the bytes that a test gives it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Say = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Answering:
    """Where the server listens, and the head of each request that it got."""

    port: int = 0
    heads: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/answer"


def an_answer(
    body: bytes = b"{}", *, status: str = "200 OK", headers: tuple[str, ...] = ()
) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    """Return what says one answer and closes."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"

    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(head + body)

    return say


@contextlib.asynccontextmanager
async def answering(say: Say) -> AsyncIterator[Answering]:
    """Serve while the context lasts."""
    server = Answering()
    open_writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            server.heads.append(await reader.readuntil(b"\r\n\r\n"))
            await say(writer)
            await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for writer in open_writers:
            writer.close()
