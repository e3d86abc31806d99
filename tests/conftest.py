"""What every test gets: the network shut but loopback, and the values that must never leak.

Hypothesis runs without a deadline, for a loaded machine is no failure. The journeys share one
worker: what looks at all that they left behind must have seen it.
"""

import socket
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from broker.demo.people import PEOPLE

settings.register_profile("default", deadline=None)
settings.register_profile("long", deadline=None)
settings.load_profile("default")

TELLING_ATTRIBUTES = (
    "uid",
    "employeeNumber",
    "sn",
    "mail",
    "nlEduPersonUnit",
    "birthDate",
    "eckId",
)
JOURNEYS = "tests/journeys/"


class NetworkShut(AssertionError):  # noqa: N818 -- says what happened
    """A test reached for a host that is not this machine."""


class JourneysTogether(LoadScopeScheduling):
    """Hands out tests one by one, and the journeys as one.

    Not `--dist=loadgroup`: pytest 9.2 passes over the names in which xdist 3.8 writes its groups.
    """

    def _split_scope(self, nodeid: str) -> str:
        return JOURNEYS if nodeid.startswith(JOURNEYS) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> JourneysTogether:
    """Spread tests over workers in our way."""
    return JourneysTogether(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with servers and browsers: they take longest."""
    slow = [each for each in items if any(map(each.get_closest_marker, ("servers", "browser")))]
    items[:] = slow + [each for each in items if each not in set(slow)]


@pytest.fixture(autouse=True, scope="session")
def _network_shut() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for method in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, method, _guarded(getattr(socket.socket, method)))
        patch.setattr(socket, "getaddrinfo", _guarded_look_up(socket.getaddrinfo))
        yield


@pytest.fixture(scope="session")
def telling_values() -> frozenset[str]:
    """Values of the demo's people that no log, store, URL, cookie or page may show.

    First names are not among them: a school may approve one, and a page greets with it.
    """
    values = {
        value for person in PEOPLE for name in TELLING_ATTRIBUTES if name in person.attributes
        for value in person.attributes[name]
    }  # fmt: skip
    return frozenset(values | {each.rpartition("/")[2] for each in values if "/" in each})


def is_loopback(host: object) -> bool:
    """Tell whether `host`, a name or an address, is this machine."""
    if host in (None, "", "localhost", b"localhost"):
        return True
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    try:
        return ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return text.endswith(".localhost")


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, *args: Any) -> Any:
        address = args[-1]
        if self.family != socket.AF_UNIX and not is_loopback(address[0]):
            raise NetworkShut(f"{method.__name__} to {address[0]!r}")
        return method(self, *args)

    return guarded


def _guarded_look_up(look_up: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(host: object, *args: Any, **kwargs: Any) -> Any:
        if str(host).endswith(".invalid"):  # RFC 2606: nobody, without asking
            raise socket.gaierror(socket.EAI_NONAME, "no such host")
        if not is_loopback(host):
            raise NetworkShut(f"look-up of {host!r}")
        return look_up(host, *args, **kwargs)

    return guarded
