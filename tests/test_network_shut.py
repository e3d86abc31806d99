"""The guard of `conftest.py` is on: loopback works, everything else fails loudly."""

import socket

import pytest

from tests.conftest import NetworkShut, is_loopback


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1", b"localhost", None])
def test_this_machine_may_be_reached(host: object) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["example.org", "192.0.2.1", "10.0.0.1", "0.0.0.0", "localhost.nl"]
)
def test_no_other_may(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(NetworkShut):
        socket.getaddrinfo(host, 443)


def test_a_connection_to_loopback_works() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_a_connection_elsewhere_fails(method: str) -> None:
    with socket.socket() as made, pytest.raises(NetworkShut):
        getattr(made, method)(("192.0.2.1", 443))


def test_a_datagram_elsewhere_fails() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as made, pytest.raises(NetworkShut):
        made.sendto(b"x", ("192.0.2.1", 53))


def test_a_name_of_nobody_is_answered_as_such() -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("school.invalid", 443)


def test_the_telling_values_tell(telling_values: frozenset[str]) -> None:
    assert {"de Vries", "Bakker", "sanne@vuurvogel.example", "1100417"} <= telling_values
    assert "Sanne" not in telling_values
    assert any(len(each) == 128 for each in telling_values)
