"""What a worker and its supervisor say to each other, over a pair of sockets.

The worker says what becomes of it; the supervisor says one thing, that it may accept connections.
The end of the supervisor's side, also when the supervisor is killed, means: finish and stop. One
packet holds one message (`SOCK_SEQPACKET`).
"""

import asyncio
import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable

import msgspec

from broker.flow.federation.documents import Problem

ACCEPT = b"accept"
MAX_MESSAGE_BYTES = 65_536


class Started(msgspec.Struct, frozen=True, tag="started"):
    """The worker has opened all that it works with."""


class Alive(msgspec.Struct, frozen=True, tag="alive"):
    """The worker's event loop runs; `failing` names what keeps it from logging anybody in."""

    failing: tuple[str, ...]


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The worker cannot start, and why."""

    problems: tuple[Problem, ...]


Message = Started | Alive | Refused

_encode, _decode = msgspec.json.Encoder().encode, msgspec.json.Decoder(Message).decode


def make_tie() -> tuple[socket.socket, socket.socket]:
    """Return the supervisor's end and the worker's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    return ours, theirs


def receive(end: socket.socket) -> Message | None:
    """Return what a worker says next; None when it says nothing more.

    Raises:
        BlockingIOError: it says nothing now.
    """
    try:
        packet = end.recv(MAX_MESSAGE_BYTES)
    except ConnectionError:
        return None
    return _decode(packet) if packet else None


class SupervisorTie:
    """A worker's end.

    Args:
        descriptor: of the socket that the supervisor handed over.
    """

    def __init__(self, descriptor: int) -> None:
        self._end = socket.socket(fileno=descriptor)
        self._end.setblocking(True)
        self._end.set_inheritable(False)

    def say(self, message: Message) -> None:
        """Say it, unless nobody listens any more: then the end comes by itself.

        Of more problems than one packet holds, the first are said.
        """
        packet = _encode(message)
        while len(packet) > MAX_MESSAGE_BYTES and isinstance(message, Refused):
            message = Refused(message.problems[: len(message.problems) // 2])
            packet = _encode(message)
        with contextlib.suppress(OSError):
            self._end.send(packet, socket.MSG_DONTWAIT)

    def listen(
        self, *, accept: Callable[[], None], stop: Callable[[], None], end_within_seconds: float
    ) -> None:
        """Have the running event loop call `accept` and `stop` when the supervisor says so.

        Args:
            end_within_seconds: after `stop` the process is ended, also when its event loop hangs.
        """
        loop = asyncio.get_running_loop()

        def read() -> None:
            with contextlib.suppress(OSError):
                while self._end.recv(len(ACCEPT)):
                    loop.call_soon_threadsafe(accept)
            with contextlib.suppress(RuntimeError):  # the loop is closed: the end is near anyway
                loop.call_soon_threadsafe(stop)
            time.sleep(end_within_seconds)
            os._exit(1)

        # A thread, so that it outlasts a loop that hangs; a daemon, so that it outlasts nothing.
        threading.Thread(target=read, name="supervisor", daemon=True).start()
