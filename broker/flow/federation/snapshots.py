"""The registry in force in a worker: one snapshot, swapped whole when the version counter moves.

A version that cannot be read, or whose suppliers are pinned to an epoch without a key, is not put
in force: the old one stays, health says so, and each poll tries again.
"""

import asyncio
from collections.abc import Callable, Container
from typing import Protocol

from broker.domain.registry import Registry
from broker.domain.school_search import SchoolIndex, build_school_index


class RegistryUnreadable(Exception):  # noqa: N818 -- an answer of the port, worded for operators
    """The registry cannot be loaded; the argument says why."""


class RegistrySource(Protocol):
    """Where snapshots come from. Both methods block, and may run in any thread, one at a time."""

    def version(self) -> int:
        """Return the version in force, or raise `RegistryUnreadable`; cheap."""
        ...

    def load(self) -> Registry:
        """Return the snapshot in force, or raise `RegistryUnreadable`."""
        ...


Report = Callable[[str, int, str], None]
"""Told of `registry-loaded` or `registry-refused`, with the version in force and the reason."""


class RegistryInForce:
    """`broker.flow.ports.Snapshots`, kept up to date by `watch`.

    Args:
        epochs: letters for which there is a pairwise key.
        report: writes an event to the log.

    Raises:
        RegistryUnreadable: the first snapshot cannot be loaded; a broker does not start without.
    """

    def __init__(self, source: RegistrySource, *, epochs: Container[str], report: Report) -> None:
        self._source = source
        self._epochs = epochs
        self._report = report
        self._refused = ""
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
        """Put the newest version in force, if it is another one and can be used.

        Loading runs in a thread: the event loop goes on answering from the old snapshot.
        """
        try:
            if await asyncio.to_thread(self._source.version) != self.registry.version:
                self._index = await asyncio.to_thread(self._load)
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

    def _load(self) -> SchoolIndex:
        registry = self._source.load()
        lacking = sorted(
            f"{each.id} ({each.epoch})"
            for each in registry.suppliers.values()
            if each.epoch not in self._epochs
        )
        if lacking:
            raise RegistryUnreadable(
                f"version {registry.version} pins suppliers to epochs without a pairwise key: "
                + ", ".join(lacking)
            )
        return build_school_index(registry)
