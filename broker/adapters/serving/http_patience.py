"""A clock for what a peer should do by now; one thing at a time."""

import asyncio
from collections.abc import Callable

Late = Callable[[], None]


class Patience:
    """Calls once what was asked, unless what it waits for came before."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._late: Late | None = None
        self._timer: asyncio.TimerHandle | None = None

    def wait(self, seconds: float, late: Late) -> None:
        """Wait for something else from now on; what is waited for already keeps its time."""
        if late == self._late:
            return
        self.end()
        self._late, self._timer = late, self._loop.call_later(seconds, late)

    def end(self) -> None:
        """Wait for nothing."""
        if self._timer is not None:
            self._timer.cancel()
        self._late = self._timer = None
