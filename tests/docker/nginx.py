"""An nginx of the tests' own, with the very files of `docker/nginx`, on free ports of loopback.

Only what differs from place to place is written anew: the files of `site/` and `places.conf`.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.journeys.certificates import MadeCertificate
from tests.redis_server import a_free_port

ROOT = Path(__file__).parents[2]
FILES = ROOT / "docker" / "nginx"
UNPACKED = Path(sys.prefix) / "unpacked" / "nginx" / "usr" / "sbin" / "nginx"
HOST = "localhost"
CLIENTS_HOST = "clients.localhost"


def find_nginx() -> str:
    """Return the path of the program."""
    found = str(UNPACKED) if UNPACKED.exists() else shutil.which("nginx")
    if found is None:
        raise FileNotFoundError("nginx: make .venv/.test-packages")
    return found


def write_site(
    folder: Path,
    *,
    https_port: int,
    http_port: int,
    brokers: Sequence[int],
    certificate: MadeCertificate,
    more: str = "",
    client_authority: Path | None = None,
) -> None:
    """Copy `docker/nginx` into `folder`, with these ports and this certificate.

    Args:
        brokers: ports on loopback.
        more: servers beside ours.
        client_authority: certificate of who vouches for clients.
    """
    shutil.copytree(FILES, folder)
    tls = (
        f"ssl_certificate {certificate.files.certificate_file};\n"
        f"ssl_certificate_key {certificate.files.key_file};\n"
    )
    vouched = "" if client_authority is None else f"ssl_client_certificate {client_authority};\n"
    listen = f"listen 127.0.0.1:{https_port} ssl"
    site: Mapping[str, str] = {
        "brokers.conf": "".join(f"server 127.0.0.1:{port} max_fails=0;\n" for port in brokers),
        "unknown.conf": f"{listen} default_server;\n"
        f"listen 127.0.0.1:{http_port} default_server;\nssl_reject_handshake on;\n",
        "http.conf": f"listen 127.0.0.1:{http_port};\nserver_name {HOST};\n"
        f"set $https_port :{https_port};\n",
        "https.conf": f"{listen};\nserver_name {HOST};\n{tls}",
        "certificates.conf": f"{listen};\nserver_name {CLIENTS_HOST};\n{tls}{vouched}",
    }
    there = {each.name for each in (folder / "site").iterdir()}
    assert there == set(site)
    for name, text in site.items():
        (folder / "site" / name).write_text(text)
    (folder / "places.conf").write_text(f"root {folder}/pages;\n")
    (folder / "servers.conf").write_text((folder / "servers.conf").read_text() + more)


@dataclass(slots=True)
class Nginx:
    """A running nginx.

    Attributes:
        said: file of all that it wrote: access log and errors.
    """

    folder: Path
    https_port: int = field(default_factory=a_free_port)
    http_port: int = field(default_factory=a_free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def said(self) -> Path:
        return self.folder / "said.txt"

    @property
    def command(self) -> list[str]:
        own = self.folder / "own"
        own.mkdir(exist_ok=True)
        # Its workers would be "nobody", who may not look into a test's folder.
        user = "user root;" if os.geteuid() == 0 else ""
        conf = self.folder / "conf" / "nginx.conf"
        return [
            *(find_nginx(), "-p", str(own), "-c", str(conf)),
            *("-e", "stderr", "-g", f"daemon off; {user}"),
        ]

    def check(self) -> str:
        """Return what `nginx -t` says; it passes."""
        tested = subprocess.run([*self.command, "-t"], capture_output=True, text=True, check=False)
        assert tested.returncode == 0, tested.stderr
        return tested.stderr

    def start(self) -> None:
        """Start, and return when it listens: a connection is taken by the kernel from then on."""
        self.check()
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(
                self.command, stdout=said, stderr=said, stdin=subprocess.DEVNULL
            )
        while not _is_open(self.https_port):
            assert self.process.poll() is None, self.said.read_text()

    def reload(self) -> None:
        """Have new workers started; the old ones finish what they began."""
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None


@contextlib.contextmanager
def running_nginx(
    folder: Path, *, brokers: Sequence[int], certificate: MadeCertificate
) -> Iterator[Nginx]:
    """Run nginx in front of these ports while the context lasts."""
    nginx = Nginx(folder)
    write_site(
        folder / "conf",
        https_port=nginx.https_port,
        http_port=nginx.http_port,
        brokers=brokers,
        certificate=certificate,
    )
    nginx.start()
    try:
        yield nginx
    finally:
        nginx.stop()


def _is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True
