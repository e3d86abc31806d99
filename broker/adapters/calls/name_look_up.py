"""Looking up the addresses of a host: one with silent name servers keeps nobody else waiting.

The system's resolver blocks for as long as it likes, half a minute by default, and event loops give
it to a handful of threads: a few calls to such a host would stop the look-ups of every other. Here
a host has one look-up at a time, which all who ask for it share, and each look-up has a thread of
its own, up to a number. Nothing is kept: who asks later looks up anew.
"""

import asyncio
import contextlib
import socket
from threading import Thread

MAX_LOOK_UPS = 64
"""Hosts at a time. A container may have 256 threads and processes (docker/compose.yaml)."""

Found = asyncio.Future[list[str]]


class NotLookedUp(OSError):  # noqa: N818 -- an answer
    """Too many hosts are being looked up already, or the system has no thread left."""


class NameLookUp:
    """Finds the addresses of hosts."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, int], Found] = {}

    async def find(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host, each once.

        Raises:
            OSError: it has none, or cannot be looked up now.
            UnicodeError: no name of a host.
        """
        found = self._running.get((host, port))
        if found is None:
            found = self._begin(host, port)
        return await asyncio.shield(found)

    def _begin(self, host: str, port: int) -> Found:
        if len(self._running) >= MAX_LOOK_UPS:
            raise NotLookedUp
        loop = asyncio.get_running_loop()
        found: Found = loop.create_future()

        def look_up() -> None:
            addresses: list[str] = []
            fault: Exception | None = None
            try:
                answers = socket.getaddrinfo(host, port, socket.AF_UNSPEC, socket.SOCK_STREAM)
                addresses = list(dict.fromkeys(str(each[4][0]) for each in answers))
            except Exception as raised:  # raised again for whoever waits
                fault = raised
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody asks any more
                loop.call_soon_threadsafe(end, addresses, fault)

        def end(addresses: list[str], fault: Exception | None) -> None:
            del self._running[host, port]
            if fault is None:
                found.set_result(addresses)
            else:
                found.set_exception(fault)
                found.exception()  # whoever asked may have gone

        try:
            # A daemon: the process does not wait for silent name servers when it ends.
            Thread(target=look_up, name="look-up", daemon=True).start()
        except RuntimeError:
            raise NotLookedUp from None
        self._running[host, port] = found
        return found
