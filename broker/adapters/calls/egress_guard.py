"""Connections to other parties' hosts, and never into our own network.

A host is resolved once, each of its addresses is judged, and the connection goes to a judged
address, so that a name cannot change its meaning in between.
"""

import asyncio
import ipaddress
import ssl
from collections.abc import Callable, Collection
from typing import TypeVar

from broker.adapters.calls.name_look_up import NameLookUp

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # RFC 4291 2.4: nothing else is given out yet
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052 2.1

ProtocolT = TypeVar("ProtocolT", bound=asyncio.Protocol)


class AddressNotAllowed(OSError):  # noqa: N818 -- an answer of the guard
    """The host is on a private address and not on the list of allowed ones."""


class EgressGuard:
    """Connects to public addresses only, but for hosts that the settings allow.

    Args:
        allowed_hosts: names that may be on a private or loopback address (demo, tests, a school's
            own network).
        ca_file: certificate authorities; the system's by default.
    """

    def __init__(self, *, allowed_hosts: Collection[str], ca_file: str | None = None) -> None:
        self._allowed = frozenset(allowed_hosts)
        self._names = NameLookUp()
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2  # NCSC 2.1: older is insufficient
        self._tls.set_alpn_protocols(["http/1.1"])

    async def connect(
        self, host: str, port: int, *, secure: bool, protocol: Callable[[], ProtocolT]
    ) -> ProtocolT:
        """Resolve, judge, and connect to an address that was judged.

        Args:
            secure: by TLS; the certificate must be the host's.

        Raises:
            AddressNotAllowed, OSError (ssl.SSLError among them)
        """
        tls = self._tls if secure else None
        last: OSError = AddressNotAllowed("no address")
        for address in await self._resolve(host, port):
            try:
                return await open_connection(protocol, address, port, tls=tls, named=host)
            except OSError as error:
                last = error
        raise last

    async def _resolve(self, host: str, port: int) -> list[str]:
        addresses = await self._names.find(host, port)
        if host not in self._allowed and not all(map(is_public, addresses)):
            raise AddressNotAllowed("private address")
        return addresses


async def open_connection(
    protocol: Callable[[], ProtocolT],
    address: str,
    port: int,
    *,
    tls: ssl.SSLContext | None,
    named: str,
) -> ProtocolT:
    """Connect to an address; with TLS, to whom a certificate says that it is named so."""
    _, connected = await asyncio.get_running_loop().create_connection(
        protocol, address, port, ssl=tls, server_hostname=None if tls is None else named
    )
    return connected


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
