"""Run several applications as servers of their own in one event loop, and stop them cleanly."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from broker.demo.addresses import Party

STOP_WITHIN_SECONDS = 3


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Certificate (with its chain) and key, PEM; the certificate names the world's hosts."""

    certificate_file: Path
    key_file: Path


class PartyDidNotStart(Exception):  # noqa: N818 -- told to the person at the keyboard
    """An application refused to start; its own log says why."""


class PartyServer(uvicorn.Server):
    """A server that leaves signals to whoever runs the world, and says when it listens."""

    def __init__(self, config: uvicorn.Config, *, party: Party) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()
        self._party = party

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets=sockets)
        except SystemExit:  # uvicorn would end the whole process, and the other parties with it
            raise PartyDidNotStart(self._party) from None
        self.listens.set()


@contextlib.asynccontextmanager
async def serving(
    apps: Mapping[Party, ASGIApp],
    *,
    sockets: Mapping[Party, socket.socket],
    tls: TlsFiles | None = None,
) -> AsyncIterator[None]:
    """Serve each application on its bound socket while the context lasts.

    No access log: the paths and forms of a school carry personal data.
    """
    servers = {party: PartyServer(_config(app, tls), party=party) for party, app in apps.items()}
    async with asyncio.TaskGroup() as tasks:
        for party, server in servers.items():
            tasks.create_task(server.serve(sockets=[sockets[party]]), name=party)
        try:
            for server in servers.values():
                await server.listens.wait()
            yield
        finally:
            for server in servers.values():
                server.should_exit = True


def _config(app: ASGIApp, tls: TlsFiles | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        lifespan="auto",
        timeout_graceful_shutdown=STOP_WITHIN_SECONDS,
        ssl_certfile=str(tls.certificate_file) if tls else None,
        ssl_keyfile=str(tls.key_file) if tls else None,
    )
