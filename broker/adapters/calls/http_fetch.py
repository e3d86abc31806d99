"""Calls to other parties' endpoints: bounded in time and size, and never into our own network.

Every address that a document or a party names is reached through the egress guard. Redirects are
not followed, and nothing is asked twice. Our own calls and not a library's: all that we ask is one
form or one document of a party that is registered, and the general clients that were measured cost
a quarter of a login for it.
"""

import asyncio
import re
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from urllib.parse import urlsplit

from broker.adapters.calls.egress_guard import EgressGuard
from broker.adapters.calls.http_connection import HttpConnection, NoGoodAnswer
from broker.flow.ports import SchoolUnanswered
from broker.form_text import encode_form

MAX_CONNECTIONS = 400
MAX_CALLS_TO_ONE_HOST = 100
"""At a time; the next wait, so that a slow school leaves connections to the others."""
KEPT_SECONDS = 4.0
"""How long a connection that nobody uses stays open: less than the 5 seconds after which impatient
servers (node's) close it, so that no request meets a closing door."""

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
DEFAULT_PORTS = {"https": 443, "http": 80}

_ADDRESS = re.compile(r"[!-~]+")
_HEADER = re.compile(r"[A-Za-z-]+: [ -~]*")
_ACCEPT = {"Accept": "application/json", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a connection leads; `host_header` as the request says it."""

    secure: bool
    host: str
    port: int
    host_header: str = field(compare=False)


class Fetcher:
    """Sends one request and returns the body of a 200 answer.

    Args:
        allowed_hosts: as of `EgressGuard`; those of loopback may also be asked without TLS.
        timeout_seconds: for one call, waiting for a connection and setting it up included.
        ca_file: certificate authorities; the system's by default.
    """

    def __init__(
        self,
        *,
        allowed_hosts: Collection[str],
        timeout_seconds: float,
        ca_file: str | None = None,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._without_tls = LOOPBACK_HOSTS & frozenset(allowed_hosts)
        self._guard = EgressGuard(allowed_hosts=allowed_hosts, ca_file=ca_file)
        self._calls = asyncio.Semaphore(MAX_CONNECTIONS)
        self._calls_to: dict[str, asyncio.Semaphore] = {}
        self._idle: dict[Origin, deque[tuple[HttpConnection, asyncio.TimerHandle]]] = {}

    async def post_form(
        self, url: str, *, headers: Mapping[str, str], form: Mapping[str, str]
    ) -> bytes:
        """Return the body of a 200 answer to a posted form.

        Raises:
            SchoolUnanswered: any other outcome, within the time-out.
        """
        headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        return await self._send(
            "POST", url, headers=headers, content=encode_form(form.items()).encode()
        )

    async def post(self, url: str, *, headers: Mapping[str, str], content: bytes) -> bytes:
        """Return the body of a 200 answer to a body of any type. Raises as `post_form`."""
        return await self._send("POST", url, headers=headers, content=content)

    async def get(self, url: str, *, headers: Mapping[str, str]) -> bytes:
        """Return the body of a 200 answer. Raises as `post_form`."""
        return await self._send("GET", url, headers=headers, content=b"")

    async def close(self) -> None:
        """Close every connection that nobody uses."""
        for connection, timer in chain.from_iterable(self._idle.values()):
            timer.cancel()
            connection.close()
        self._idle.clear()

    async def _send(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes
    ) -> bytes:
        try:
            origin, target = read_address(url)
            if not origin.secure and origin.host not in self._without_tls:
                raise SchoolUnanswered
            request = build_request(method, target, origin, headers=headers, content=content)
            async with asyncio.timeout(self._timeout_seconds):
                return await self._call(origin, request)
        except (TimeoutError, OSError, NoGoodAnswer, ValueError):
            pass  # refused below: an error may hold the address and more
        raise SchoolUnanswered

    async def _call(self, origin: Origin, request: bytes) -> bytes:
        to_host = self._calls_to.setdefault(origin.host, asyncio.Semaphore(MAX_CALLS_TO_ONE_HOST))
        async with to_host, self._calls:
            connection = self._find_idle(origin) or await self._guard.connect(
                origin.host, origin.port, secure=origin.secure, protocol=HttpConnection
            )
            body = await connection.call(request)
        if connection.is_usable:
            self._keep(origin, connection)
        return body

    def _find_idle(self, origin: Origin) -> HttpConnection | None:
        """Return the connection that was used last, if the server has not closed it meanwhile."""
        while idle := self._idle.get(origin):
            connection, timer = idle.pop()
            timer.cancel()
            if not idle:
                del self._idle[origin]
            if connection.is_usable:
                return connection
        return None

    def _keep(self, origin: Origin, connection: HttpConnection) -> None:
        timer = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._drop_oldest, origin)
        self._idle.setdefault(origin, deque()).append((connection, timer))

    def _drop_oldest(self, origin: Origin) -> None:
        """Close what has been idle longest: last come is first used, so its timer is the next."""
        idle = self._idle[origin]
        idle.popleft()[0].close()
        if not idle:
            del self._idle[origin]


@lru_cache(maxsize=4096)
def read_address(url: str) -> tuple[Origin, str]:
    """Return where a URL leads, and what is asked there (RFC 9112 3.2.1).

    Raises:
        ValueError: no http or https URL that a request can go to.

    >>> read_address("https://[2001:db8::1]:8443/token?a=b")[1]
    '/token?a=b'
    """
    if not _ADDRESS.fullmatch(url):
        raise ValueError("characters that no URL holds")
    parts = urlsplit(url)
    default_port = DEFAULT_PORTS.get(parts.scheme)
    if default_port is None or not parts.hostname or "@" in parts.netloc:
        raise ValueError("no address of a web server")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = parts.port
    origin = Origin(
        secure=parts.scheme == "https",
        host=parts.hostname,
        port=default_port if port is None else port,
        host_header=host if port is None else f"{host}:{port}",
    )
    query = f"?{parts.query}" if parts.query else ""
    return origin, (parts.path or "/") + query


def build_request(
    method: str, target: str, origin: Origin, *, headers: Mapping[str, str], content: bytes
) -> bytes:
    """Return a whole request.

    Raises:
        ValueError: a header that no request can hold.
    """
    named = {"Host": origin.host_header, **_ACCEPT, **headers}
    if content:
        named["Content-Length"] = str(len(content))
    lines = [f"{name}: {value}" for name, value in named.items()]
    if not all(map(_HEADER.fullmatch, lines)):
        raise ValueError("characters that no header holds")
    return "\r\n".join([f"{method} {target} HTTP/1.1", *lines, "\r\n"]).encode("ascii") + content
