"""A client's certificate is believed from the proxies that the settings name alone."""

from typing import Any

import pytest
from starlette.requests import Request

from broker.web.certificate_hop import (
    HOP_IN_SCOPE,
    MAX_ESCAPED_CHARS,
    CertificateHop,
    read_escaped_pem,
    read_networks,
)
from broker.web.requests import read_caller_proof
from tests.proof_builders import a_certificate, escaped_pem

HOP = CertificateHop(read_networks(["127.0.0.1", "172.30.80.0/24", "::1"]), "x-cert", "x-verified")
SHOWN = a_certificate()


def ask(*headers: tuple[str, str], peer: str | None = "127.0.0.1", hop: Any = HOP) -> Request:
    return Request(
        {
            "type": "http",
            "headers": [(name.encode(), value.encode()) for name, value in headers],
            "client": None if peer is None else (peer, 4711),
            HOP_IN_SCOPE: hop,
        }
    )


@pytest.mark.parametrize("peer", ["127.0.0.1", "172.30.80.9", "::1", "::ffff:172.30.80.9"])
def test_a_proxy_of_ours_is_believed(peer: str) -> None:
    stated = ("x-cert", escaped_pem(SHOWN)), ("x-verified", "SUCCESS")
    assert read_caller_proof(ask(*stated, peer=peer)).certificate == SHOWN


@pytest.mark.parametrize("peer", ["127.0.0.2", "172.30.81.1", "::2", "testclient", None])
def test_anybody_else_is_not(peer: str | None) -> None:
    stated = ("x-cert", escaped_pem(SHOWN)), ("x-verified", "SUCCESS")
    assert read_caller_proof(ask(*stated, peer=peer)).certificate is None


def test_where_no_proxy_is_named_nobody_is_believed() -> None:
    stated = ("x-cert", escaped_pem(SHOWN)), ("x-verified", "SUCCESS")
    assert read_caller_proof(ask(*stated, hop=None)).certificate is None


@pytest.mark.parametrize("verified", [(), ("NONE",), ("FAILED:x",), ("success",), ("SUCCESS",) * 2])
def test_only_a_chain_that_is_proven_counts_as_proven(verified: tuple[str, ...]) -> None:
    stated = [("x-cert", escaped_pem(SHOWN)), *(("x-verified", each) for each in verified)]
    found = read_caller_proof(ask(*stated)).certificate
    assert found is not None
    assert not found.chain_proven


@pytest.mark.parametrize(
    "stated",
    [
        *((), ("",), (escaped_pem(SHOWN),) * 2, ("x",), ("%2D%2D",)),
        (escaped_pem(SHOWN) + escaped_pem(SHOWN),),
        ("-----BEGIN%20CERTIFICATE-----A-----END%20CERTIFICATE-----",),
        ("-----BEGIN%20CERTIFICATE-----" + "A" * MAX_ESCAPED_CHARS,),
    ],
)
def test_what_is_no_one_certificate_is_none(stated: tuple[str, ...]) -> None:
    headers = [("x-cert", each) for each in stated]
    assert read_caller_proof(ask(*headers)).certificate is None


def test_pem_as_nginx_escapes_it_is_read() -> None:
    assert read_escaped_pem(escaped_pem(SHOWN)) == SHOWN.der
