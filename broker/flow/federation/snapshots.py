"""The registry in force in a worker: one snapshot, swapped whole when the version counter moves.

A version that cannot be read, or whose suppliers are pinned to an epoch without a key, is not put
in force: the old one stays, health says so, and each poll tries again.
"""

import asyncio
import gc
from collections.abc import Callable, Container, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from broker.domain.registry import Registry
from broker.domain.school_search import SchoolIndex, follow_school_index


class RegistryUnreadable(Exception):  # noqa: N818 -- an answer of the port, worded for operators
    """The registry cannot be loaded; the argument says why."""


class RegistrySource(Protocol):
    """Where snapshots come from. Both methods block, and may run in any thread, one at a time."""

    def version(self) -> int:
        """Return the version in force, or raise `RegistryUnreadable`; cheap."""
        ...

    def load(self, *, now: datetime) -> Registry:
        """Return the snapshot in force at a moment, or raise `RegistryUnreadable`."""
        ...


Report = Callable[[str, int, str], None]
"""Told of `registry-loaded` or `registry-refused`, with the version in force and the reason."""


class RegistryInForce:
    """`broker.flow.ports.Snapshots`, kept up to date by `watch`.

    Args:
        epochs: letters for which there is a pairwise key.
        report: writes an event to the log.
        clock: aware, UTC; by which metadata end.

    Raises:
        RegistryUnreadable: the first snapshot cannot be loaded; a broker does not start without.
    """

    def __init__(
        self,
        source: RegistrySource,
        *,
        epochs: Container[str],
        report: Report,
        clock: Callable[[], datetime],
    ) -> None:
        self._source = source
        self._clock = clock
        self._epochs = epochs
        self._report = report
        self._refused = ""
        # One thread for all loads: memory that one load frees, the next one uses again.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="registry")
        self._index = self._load()

    @property
    def registry(self) -> Registry:
        """The version in force."""
        return self._index.registry

    @property
    def index(self) -> SchoolIndex:
        """The search over that version's schools."""
        return self._index

    @property
    def healthy(self) -> bool:
        """False while a newer version cannot be put in force, or nobody knows of one."""
        return not self._refused

    async def refresh(self) -> None:
        """Put the newest version in force, if it is another one or metadata end, and can be used.

        Loading runs in a thread: the event loop goes on answering from the old snapshot.
        """
        in_thread = asyncio.get_running_loop().run_in_executor
        try:
            newest = await in_thread(self._thread, self._source.version)
            ends = self.registry.metadata_end
            if newest != self.registry.version or (ends is not None and ends <= self._clock()):
                self._index = await in_thread(self._thread, self._load, self._index)
                self._report("registry-loaded", self.registry.version, "")
            self._refused = ""
        except RegistryUnreadable as why:
            if str(why) != self._refused:  # once, not at each poll
                self._report("registry-refused", self.registry.version, str(why))
            self._refused = str(why)

    async def watch(self, *, poll_seconds: float) -> None:
        """Refresh until cancelled."""
        while True:
            await asyncio.sleep(poll_seconds)
            await self.refresh()

    def _load(self, before: SchoolIndex | None = None) -> SchoolIndex:
        with _loading_much():
            registry = self._source.load(now=self._clock())
            self._check_epochs(registry)
            return follow_school_index(before, registry)

    def _check_epochs(self, registry: Registry) -> None:
        lacking = sorted(
            f"{each.id} ({epoch})"
            for each in registry.suppliers.values()
            for epoch in (each.epoch, each.previous_epoch)
            if epoch is not None and epoch not in self._epochs
        )
        if lacking:
            raise RegistryUnreadable(
                f"version {registry.version} pins suppliers to epochs without a pairwise key: "
                + ", ".join(lacking)
            )


@contextmanager
def _loading_much() -> Iterator[None]:
    """Keep the cyclic collector off a hundred thousand records that hold no cycle.

    It stops every thread while it looks at them: 80 ms at full size, each time. Frozen, they are
    freed by reference counts as before, and never looked at.
    """
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
