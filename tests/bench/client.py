"""A small HTTP/1.1 client, so that the driver costs little beside the broker.

One connection, one request at a time, kept open. It understands what the broker sends (answers
with Content-Length) and refuses anything else loudly.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

FORM_TYPE = "application/x-www-form-urlencoded"


class UnexpectedAnswer(Exception):  # noqa: N818 -- stops the benchmark
    """The broker answered something else than a login needs; the figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One answer; header names in lower case, in the order received."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        """Return the first header of that name, or ""."""
        return next((value for each, value in self.headers if each == name), "")

    @property
    def cookies(self) -> dict[str, str]:
        """Return the cookies that are set, without those that are removed."""
        pairs = [value for name, value in self.headers if name == "set-cookie"]
        found = dict(each.partition(";")[0].split("=", 1) for each in pairs)
        return {name: value for name, value in found.items() if value.strip('"')}


class Connection:
    """A kept-open connection to the broker."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str, *, cookies: Mapping[str, str] | None = None) -> HttpAnswer:
        """Send a GET and return its answer."""
        return await self._send(
            f"GET {path} HTTP/1.1\r\n{self._common(cookies or {})}\r\n".encode()
        )

    async def post(
        self, path: str, form: bytes, *, cookies: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        """Post an encoded form and return its answer."""
        head = (
            f"POST {path} HTTP/1.1\r\n{self._common(cookies or {})}"
            f"Content-Type: {FORM_TYPE}\r\nContent-Length: {len(form)}\r\n\r\n"
        )
        return await self._send(head.encode() + form)

    async def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            _, writer = self._streams
            writer.close()
            await writer.wait_closed()

    def _common(self, cookies: Mapping[str, str]) -> str:
        sent = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return f"Host: {self._host}:{self._port}\r\n" + (f"Cookie: {sent}\r\n" if sent else "")

    async def _send(self, message: bytes) -> HttpAnswer:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        writer.write(message)
        status_line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines if line)
        headers = tuple((name.lower(), value.strip()) for name, _, value in pairs)
        answer = HttpAnswer(int(status_line.split()[1]), headers, b"")
        length = answer.header("content-length")
        if not length:
            raise UnexpectedAnswer(f"{status_line}: without Content-Length")
        return HttpAnswer(answer.status, headers, await reader.readexactly(int(length)))
