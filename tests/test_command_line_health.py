"""`broker health`: says what `/health/...` says, by its exit code too."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from broker.__main__ import main
from broker.demo.servers import TlsFiles
from tests.journeys.certificates import make_certificate


@contextmanager
def answering(status: int, body: bytes, *, tls: TlsFiles | None = None) -> Iterator[int]:
    """Answer every request so on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.replace(b"PATH", self.path.encode()))

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.certificate_file, tls.key_file)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def ask(folder: Path, port: int, *options: str, server: str = "") -> Result:
    (folder / "broker.toml").write_text(
        f'issuer = "http://localhost:8000"\n[server]\nhost = "0.0.0.0"\nport = {port}\n{server}\n'
    )
    return CliRunner().invoke(main, ["health", "--config", str(folder), *options])


def test_a_broker_that_is_ready(tmp_path: Path) -> None:
    with answering(200, json.dumps({"status": "ready", "failing": []}).encode()) as port:
        result = ask(tmp_path, port)
    assert (result.exit_code, result.output) == (0, "ready\n")


def test_a_broker_that_is_not_says_what_fails(tmp_path: Path) -> None:
    with answering(503, json.dumps({"status": "failing", "failing": ["store"]}).encode()) as port:
        result = ask(tmp_path, port)
    assert (result.exit_code, result.output) == (1, "failing store\n")


@pytest.mark.parametrize(
    ("options", "path"), [((), "/health/ready"), (("--live",), "/health/live")]
)
def test_the_question_is_the_one_that_was_asked(
    tmp_path: Path, options: tuple[str, ...], path: str
) -> None:
    with answering(200, b'{"status": "PATH"}') as port:
        result = ask(tmp_path, port, *options)
    assert (result.exit_code, result.output) == (0, f"{path}\n")


def test_nobody_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    result = ask(tmp_path, port)
    assert (result.exit_code, result.output) == (1, "no answer\n")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"other": 1}'])
def test_somebody_else_answers(tmp_path: Path, body: bytes) -> None:
    with answering(200, body) as port:
        result = ask(tmp_path, port)
    assert (result.exit_code, result.output) == (1, "no answer\n")


def test_a_broker_with_its_own_certificate(tmp_path: Path) -> None:
    folders = tmp_path / "its", tmp_path / "other"
    for each in folders:
        each.mkdir()
    its, other = (make_certificate(each, hosts=["login.example"]).files for each in folders)
    with answering(200, b'{"status": "ready"}', tls=its) as port:
        for files, expected in ((its, 0), (other, 1)):
            stated = f'tls_certificate = "{files.certificate_file}"\ntls_key = "{files.key_file}"'
            assert ask(tmp_path, port, server=stated).exit_code == expected
