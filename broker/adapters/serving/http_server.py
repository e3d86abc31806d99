"""The server under the broker: uvicorn's, with limits of our own and an end that loses nobody.

When it is told to stop it takes in what already waits at its door, answers with `Connection:
close`, and keeps idle connections open until the proxy closes them: a proxy that sends a request
on a connection which we close at that moment would have to give up a login.
"""

import asyncio
import contextlib
import resource
import signal
import socket
from collections.abc import Awaitable, Callable, Generator, Sequence
from functools import partial

import uvicorn

from broker.adapters.serving.http_limits import HttpLimits, OpenConnections
from broker.adapters.serving.http_protocol import BrokerProtocol

FINISH_WITHIN_SECONDS = 10
"""For requests that run when nobody may keep a connection open any more."""
LOOK_SECONDS = 0.05

SPARE_DESCRIPTORS = 256
"""Beside connections: databases, the login store, calls to schools."""

DRAINING = "schuilnaam.draining"
"""In the state of each request's scope, once the server is told to stop."""


class BrokerServer(uvicorn.Server):
    """Serves one application on sockets that somebody else opened.

    Args:
        limits: on connections and what comes over them.
        on_started: awaited when the application has started, before a connection is accepted.
        on_hang_up: called for SIGHUP.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        limits: HttpLimits,
        on_started: Callable[[], Awaitable[None]] | None = None,
        on_hang_up: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._limits = limits
        self._open = OpenConnections(limits.connections)
        self._on_started = on_started
        self._on_hang_up = on_hang_up

    def stop(self) -> None:
        """Finish what runs and stop; asked again: at once."""
        self.force_exit = self.should_exit
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Stop for SIGTERM and SIGINT, and end as whoever did what was asked."""
        loop = asyncio.get_running_loop()
        handlers = {
            signal.SIGTERM: self.stop,
            signal.SIGINT: self.stop,
            signal.SIGHUP: self._on_hang_up,
        }
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        try:
            yield
        finally:
            for number in handlers:
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then accept connections."""
        await super().startup(sockets=[])
        if self._on_started is not None:
            await self._on_started()
        if self.should_exit:
            return
        make_protocol = partial(
            BrokerProtocol,
            self.config,
            self.server_state,
            self.lifespan.state,
            limits=self._limits,
            opened=self._open,
        )
        loop = asyncio.get_running_loop()
        for each in sockets or ():
            self.servers.append(
                await loop.create_server(
                    make_protocol,
                    sock=each,
                    ssl=self.config.ssl,
                    ssl_handshake_timeout=self._limits.head_seconds if self.config.ssl else None,
                    backlog=self.config.backlog,
                )
            )
        self._make_protocol = make_protocol

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, let the proxy close, finish what runs, close."""
        self.lifespan.state[DRAINING] = True
        self._open.draining = True
        waiting = take_waiting(sockets or ()) if self.servers else []
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        for each in waiting:
            with contextlib.suppress(OSError):
                await loop.connect_accepted_socket(
                    self._make_protocol, sock=each, ssl=self.config.ssl
                )
        for connection in list(self.server_state.connections):
            if isinstance(connection, BrokerProtocol):
                connection.drain()
        await self._wait_until_closed(within_seconds=self._limits.drain_seconds)
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._wait_until_closed(within_seconds=FINISH_WITHIN_SECONDS)
        for task in list(self.server_state.tasks):
            task.cancel()
        if not self.force_exit:
            await self.lifespan.shutdown()

    async def _wait_until_closed(self, *, within_seconds: float) -> None:
        """Return when no connection is open and no request runs, or it takes too long."""
        state = self.server_state
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                while (state.connections or state.tasks) and not self.force_exit:
                    await asyncio.sleep(LOOK_SECONDS)


def take_waiting(listeners: Sequence[socket.socket]) -> list[socket.socket]:
    """Accept what stands at the door; what comes after it is closed is refused, not cut off.

    A proxy tries the next broker when a connection is refused, but not when it had sent something.
    """
    taken: list[socket.socket] = []
    for listener in listeners:
        with contextlib.suppress(BlockingIOError):
            while True:
                connection, _ = listener.accept()
                connection.setblocking(False)
                taken.append(connection)
    return taken


def allow_connections(wanted: int) -> int:
    """Let this process have so many connections open; return how many it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARE_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return (
        wanted if soft == resource.RLIM_INFINITY else max(1, min(wanted, soft - SPARE_DESCRIPTORS))
    )
