"""Calls to other parties' endpoints: bounded in time and size, and never into our own network.

Every address that a document or a party names is reached through the egress guard:
the host is resolved once, each address is judged, and the connection goes to the judged address,
so that a name cannot change its meaning in between. Redirects are not followed. On httpcore2, the
core of httpx2, whose network backend is where a guard belongs.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import httpcore2

from broker.flow.ports import SchoolUnanswered

MAX_ANSWER_BYTES = 262_144
MAX_CONNECTIONS = 400
MAX_CALLS_TO_ONE_HOST = 100
"""At a time; the next wait, so that a slow school leaves connections to the others."""

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # RFC 4291 2.4: nothing else is given out yet
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052 2.1


_ACCEPT = {"Accept": "application/json", "Accept-Encoding": "identity"}


class AddressNotAllowed(httpcore2.ConnectError):
    """The host is on a private address and not on the list of allowed ones."""


class EgressGuard(httpcore2.AsyncNetworkBackend):
    """Connects to public addresses only, but for hosts that the settings allow.

    Args:
        allowed_hosts: names that may be on a private or loopback address (demo, tests, a school's
            own network).
    """

    def __init__(self, *, allowed_hosts: Collection[str]) -> None:
        self._allowed = frozenset(allowed_hosts)
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Resolve, judge, and connect to an address that was judged."""
        last: Exception = AddressNotAllowed("no address")
        for address in await self._resolve(host, port):
            try:
                return await self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except httpcore2.ConnectError as error:
                last = error
        raise last

    async def connect_unix_socket(self, *args: Any, **kwargs: Any) -> httpcore2.AsyncNetworkStream:
        """Refuse: no other party is reached so."""
        raise AddressNotAllowed("no unix sockets")

    async def sleep(self, seconds: float) -> None:
        """Wait, for the pool's own retries."""
        await self._inner.sleep(seconds)

    async def _resolve(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore2.ConnectError("host not found") from error
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        if host not in self._allowed and not all(map(is_public, addresses)):
            raise AddressNotAllowed("private address")
        return addresses


def is_public(address: str) -> bool:
    """Tell whether an address is on the public internet.

    An IPv4 address inside an IPv6 one is judged by what it holds.

    >>> is_public("93.184.216.34"), is_public("10.0.0.1"), is_public("::ffff:127.0.0.1")
    (True, False, False)
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = _ipv4_inside(parsed)
        if inner is None and parsed not in _GLOBAL_UNICAST:
            return False
        parsed = inner or parsed
    return parsed.is_global and not parsed.is_multicast


def _ipv4_inside(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address to which a gateway or the system would turn this one."""
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour


class Fetcher:
    """Sends one request and returns the body of a 200 answer."""

    def __init__(
        self,
        *,
        allowed_hosts: Collection[str],
        timeout_seconds: float,
        ca_file: str | None = None,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._allowed = frozenset(allowed_hosts)
        self._calls_to: dict[str, asyncio.Semaphore] = {}
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(cafile=ca_file),
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=30.0,
            network_backend=EgressGuard(allowed_hosts=allowed_hosts),
        )

    async def post_form(
        self, url: str, *, headers: Mapping[str, str], form: Mapping[str, str]
    ) -> bytes:
        """Return the body of a 200 answer to a posted form.

        Raises:
            SchoolUnanswered: any other outcome, within the time-out.
        """
        headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        return await self._send("POST", url, headers=headers, content=urlencode(form).encode())

    async def get(self, url: str, *, headers: Mapping[str, str]) -> bytes:
        """Return the body of a 200 answer. Raises as `post_form`."""
        return await self._send("GET", url, headers=headers, content=b"")

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    async def _send(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes
    ) -> bytes:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._read(method, url, headers=headers, content=content)
        except (
            TimeoutError,
            OSError,
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
            httpcore2.TimeoutException,
            httpcore2.UnsupportedProtocol,
            ValueError,  # an address or header that no request can hold
        ):
            pass  # refused below: an error of the pool may hold the address and more
        raise SchoolUnanswered

    async def _read(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes
    ) -> bytes:
        parsed = httpcore2.URL(url.encode("ascii"))
        host = parsed.host.decode()
        if parsed.scheme != b"https" and host not in (self._allowed & LOOPBACK_HOSTS):
            raise SchoolUnanswered
        named = {"Host": _host_header(parsed), **_ACCEPT, **headers}
        sent = [(name.encode("ascii"), value.encode("ascii")) for name, value in named.items()]
        calls = self._calls_to.setdefault(host, asyncio.Semaphore(MAX_CALLS_TO_ONE_HOST))
        async with (
            calls,
            self._pool.stream(method, parsed, headers=sent, content=content) as response,
        ):
            if response.status != 200:
                raise SchoolUnanswered
            parts, size = [], 0
            async for part in response.aiter_stream():
                size += len(part)
                if size > MAX_ANSWER_BYTES:
                    raise SchoolUnanswered
                parts.append(part)
            return b"".join(parts)


def _host_header(url: httpcore2.URL) -> str:
    host = url.host.decode()
    bracketed = f"[{host}]" if ":" in host else host
    return bracketed if url.port is None else f"{bracketed}:{url.port}"
