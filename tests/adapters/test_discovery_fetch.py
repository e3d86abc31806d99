"""Fetching discovery documents outside a login, behind the egress guard."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from broker.adapters.calls.discovery_fetch import make_fetch
from broker.flow.federation.discovery import FetchFailed


class Provider(BaseHTTPRequestHandler):
    """Answers by the path."""

    def do_GET(self) -> None:
        body = {"/text": b'{"issuer": "x"}', "/bytes": b"\xff"}.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Provider) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_text_is_returned(address: str) -> None:
    fetch = make_fetch(allowed_hosts=["127.0.0.1"], timeout_seconds=5)
    assert fetch(f"{address}/text") == '{"issuer": "x"}'
    assert fetch(f"{address}/text") == '{"issuer": "x"}'


@pytest.mark.parametrize("path", ["/missing", "/bytes"])
def test_anything_else_is_told(address: str, path: str) -> None:
    with pytest.raises(FetchFailed):
        make_fetch(allowed_hosts=["127.0.0.1"], timeout_seconds=5)(address + path)


def test_a_private_address_is_not_asked_unless_allowed(address: str) -> None:
    with pytest.raises(FetchFailed):
        make_fetch(allowed_hosts=[], timeout_seconds=5)(f"{address}/text")
