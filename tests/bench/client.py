"""A small HTTP/1.1 client, so that the driver costs little beside the broker.

One connection, one request at a time, kept open. It understands what the broker sends (answers
with Content-Length) and refuses anything else loudly.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

FORM_TYPE = "application/x-www-form-urlencoded"


class UnexpectedAnswer(Exception):  # noqa: N818 -- stops the benchmark
    """The broker answered something else than a login needs; the figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What a browser or supplier sends: a GET, or a POST of an encoded form."""

    path: str = field(repr=False)
    form: bytes | None = field(default=None, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One answer; header names in lower case, in the order received."""

    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
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

    def redirected(self, *, to: str) -> dict[str, str]:
        """Return the query of a redirect to a place, each parameter once.

        Raises:
            UnexpectedAnswer: it is no redirect, or to another place.
        """
        location = self.header("location")
        if self.status != 303 or not location.startswith(f"{to}?"):
            raise UnexpectedAnswer(f"no redirect to {to}: {self.status} {location}")
        query = parse_qs(urlsplit(location).query, strict_parsing=True)
        return {name: value for name, (value,) in query.items()}


class Connection:
    """A kept-open connection to the broker."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: HttpRequest) -> HttpAnswer:
        """Send a request and return its answer."""
        sent = "; ".join(f"{name}={value}" for name, value in request.cookies.items())
        common = f"Host: {self._host}:{self._port}\r\n" + (f"Cookie: {sent}\r\n" if sent else "")
        if request.form is None:
            return await self._send(f"GET {request.path} HTTP/1.1\r\n{common}\r\n".encode())
        body = f"Content-Type: {FORM_TYPE}\r\nContent-Length: {len(request.form)}\r\n"
        head = f"POST {request.path} HTTP/1.1\r\n{common}{body}\r\n"
        return await self._send(head.encode() + request.form)

    async def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            _, writer = self._streams
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _send(self, message: bytes) -> HttpAnswer:
        if self._streams is None or self._streams[0].at_eof():  # the broker closes idle ones
            await self.close()
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
