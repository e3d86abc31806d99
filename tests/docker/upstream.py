"""A broker's place in nginx's view: notes each request and answers it, or ends the connection."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(slots=True)
class Asked:
    """One request as it came in."""

    method: str
    address: str
    headers: dict[str, str]


@dataclass(slots=True)
class Upstream:
    """A server on a free port of loopback.

    Attributes:
        status: of every answer.
        hangs_up: takes a request and ends the connection instead of answering.
    """

    asked: list[Asked] = field(default_factory=list)
    status: int = 200
    hangs_up: bool = False
    port: int = 0


@contextlib.contextmanager
def running_upstream() -> Iterator[Upstream]:
    """Serve while the context lasts."""
    upstream = Upstream()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            upstream.asked.append(Asked(self.command, self.path, headers))
            if upstream.hangs_up:
                self.close_connection = True
                return
            body = b"from a broker"
            self.send_response(upstream.status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = answer  # noqa: N815 -- as the base class spells them

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

    with Server(("127.0.0.1", 0), Handler) as server:
        upstream.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield upstream
        finally:
            server.shutdown()
            thread.join()
