"""Where Prometheus asks for the metrics: an address of its own, never that of logins.

A thread answers, so that a busy event loop does not hide that it is busy. It answers `/metrics`
and nothing else, keeps no connection open and waits for nobody longer than a few seconds.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from prometheus_client import CONTENT_TYPE_LATEST

PATH = "/metrics"
ANSWER_WITHIN_SECONDS = 5

Expose = Callable[[], bytes]
"""What a scrape gets, in Prometheus' text format."""


@contextmanager
def serving_metrics(expose: Expose, *, host: str, port: int) -> Iterator[int]:
    """Serve metrics while the context lasts; yields the port, which is a free one for 0.

    Raises:
        OSError: the address is in use, or not this machine's.
    """

    class Handler(_Handler):
        def do_GET(self) -> None:
            body = expose() if self.path.partition("?")[0] == PATH else b""
            self.send_response(HTTPStatus.OK if body else HTTPStatus.NOT_FOUND)
            self.send_header("content-type", CONTENT_TYPE_LATEST)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A caller that hung up is no news."""

    server = Server((host, port), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    timeout = ANSWER_WITHIN_SECONDS
    server_version = "metrics"
    sys_version = ""

    def log_message(self, *_: object) -> None:
        """A scrape every few seconds is no news."""
