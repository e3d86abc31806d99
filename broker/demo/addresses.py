"""Where the parties of a demo world listen, and by which URLs they know each other.

Sockets are bound before anybody starts, so that a world on free ports knows all its URLs before
the first federation document is written, and nobody can take a port in between.
"""

import contextlib
import socket
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType

LOOPBACK = "127.0.0.1"


class Party(StrEnum):
    """Everyone who listens; each is a server of its own."""

    BROKER = "broker"
    START_PAGE = "start"
    VUURVOGEL = "vuurvogel"
    KOMPAS = "kompas"
    REGENBOOG = "regenboog"
    LEERPLEIN = "leerplein"
    REKENRIJK = "rekenrijk"
    TAALTUIN = "taaltuin"
    BIOSFEER_OIDC = "biosfeer-oidc"
    BIOSFEER_SAML = "biosfeer-saml"
    REKENRIJK_STAFF = "rekenrijk-staff"
    FEDERATION_STAFF = "federation-staff"


Addresses = Mapping[Party, str]
"""Base URL of each party, without a slash at the end."""

DEMO_PORTS: Mapping[Party, int] = MappingProxyType(
    {
        Party.BROKER: 8000,
        Party.START_PAGE: 8001,
        Party.VUURVOGEL: 8010,
        Party.KOMPAS: 8011,
        Party.REGENBOOG: 8012,
        Party.LEERPLEIN: 8013,
        Party.REKENRIJK: 8020,
        Party.TAALTUIN: 8021,
        Party.BIOSFEER_OIDC: 8022,
        Party.BIOSFEER_SAML: 8023,
        Party.REKENRIJK_STAFF: 8030,
        Party.FEDERATION_STAFF: 8031,
    }
)
"""The ports of `make demo`."""

FREE_PORTS: Mapping[Party, int] = MappingProxyType(dict.fromkeys(Party, 0))
"""Any free port for each party: a world beside others."""

ALL_ON_LOCALHOST: Mapping[Party, str] = MappingProxyType(dict.fromkeys(Party, "localhost"))
"""The name by which each party is reached. Other names must lead to loopback, too."""


class PortTaken(Exception):  # noqa: N818 -- a reason not to start, told to the person at the keyboard
    """Another program listens on a port that the demo needs."""


@contextlib.contextmanager
def listening(
    ports: Mapping[Party, int], *, host: str = LOOPBACK
) -> Iterator[dict[Party, socket.socket]]:
    """Bind a socket for each party and close them all in the end.

    Args:
        ports: the port of each party; 0 is any free one.
        host: where they listen; another than loopback only inside a container of their own.

    Raises:
        PortTaken: names the party and the port.
    """
    with contextlib.ExitStack() as stack:
        sockets: dict[Party, socket.socket] = {}
        for party, port in ports.items():
            listener = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((host, port))
            except OSError as error:
                message = f"port {port}, needed for {party}, is in use by another program"
                raise PortTaken(message) from error
            sockets[party] = listener
        yield sockets


def addresses_of(
    sockets: Mapping[Party, socket.socket],
    *,
    hosts: Mapping[Party, str] = ALL_ON_LOCALHOST,
    scheme: str = "http",
) -> dict[Party, str]:
    """Return the base URL of each party that listens on `sockets`."""
    return {
        party: f"{scheme}://{hosts[party]}:{listener.getsockname()[1]}"
        for party, listener in sockets.items()
    }


def addresses_beside(issuer: str) -> dict[Party, str]:
    """Return the base URL of each party where a proxy leads to all of them by name.

    >>> beside = addresses_beside("https://login.schuilnaam.localhost:8443")
    >>> beside[Party.BROKER], beside[Party.KOMPAS]
    ('https://login.schuilnaam.localhost:8443', 'https://kompas.schuilnaam.localhost:8443')
    """
    scheme, _, place = issuer.partition("://")
    _, _, domain = place.partition(".")
    others = {party: f"{scheme}://{party}.{domain}" for party in Party}
    return {**others, Party.BROKER: issuer}
