"""Pupils who log in one after another while something is restarted, and how each login ended."""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx2
from lxml import html

from broker.demo.addresses import Party
from tests.journeys.topology import Topology
from tests.journeys.visitor import Visitor

LOGINS = (
    (Party.REKENRIJK, "vuurvogel", "sanne"),
    (Party.REKENRIJK, "kompas", "noor"),
    (Party.TAALTUIN, "vuurvogel", "sanne"),
    (Party.BIOSFEER_SAML, "kompas", "noor"),
)
"""The four combinations of protocols."""

PUPILS = 4
"""At once: what two cores carry without a queue."""


@dataclass(slots=True)
class Load:
    """What came of the logins so far.

    Attributes:
        succeeded: logins that ended at the supplier with a pseudonym.
        pages: those that ended on a page of ours that says how to go on; what it said.
        failed: those that ended in any other way; what happened.
    """

    topology: Topology
    succeeded: int = 0
    pages: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    subjects: dict[Party, set[str]] = field(default_factory=dict)
    _stopping: bool = False
    _change: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def ended(self) -> int:
        return self.succeeded + len(self.pages) + len(self.failed)

    async def more(self, logins: int) -> None:
        """Return when so many more succeeded."""
        awaited = self.succeeded + logins
        await self._until(lambda: self.succeeded >= awaited)

    async def any_more(self, logins: int) -> None:
        """Return when so many more ended, in whatever way."""
        awaited = self.ended + logins
        await self._until(lambda: self.ended >= awaited)

    async def _until(self, happened: Callable[[], bool]) -> None:
        async with self._change:
            await self._change.wait_for(happened)

    async def pupil(self, first: int) -> None:
        """Log in again and again, each time with a fresh browser."""
        for party, school, pupil in itertools.islice(itertools.cycle(LOGINS), first, None):
            if self._stopping:
                return
            async with self.topology.somebody() as visitor:
                await self._log_in(visitor, party, school, pupil)
            async with self._change:
                self._change.notify_all()

    async def _log_in(self, visitor: Visitor, party: Party, school: str, pupil: str) -> None:
        try:
            received = await visitor.log_in(party, school, pupil)
            self.subjects.setdefault(party, set()).add(f"{pupil} {received['subject']}")
            self.succeeded += 1
        except (AssertionError, KeyError, ValueError) as fault:
            if says_how_to_go_on(visitor.page):
                self.pages.append(f"{visitor.page.status_code} {visitor.path} {visitor.text[:200]}")
            else:
                at = f"{visitor.page.status_code} {visitor.page.url.copy_with(query=None)}"
                self.failed.append(f"{fault!r:.200} at {at} {visitor.text[:200]}")
        except httpx2.HTTPError as fault:
            self.failed.append(repr(fault))

    def report(self) -> str:
        """Return what came of it, for a failing test."""
        counted = Counter(self.pages + self.failed)
        lines = [f"{times} x {what}" for what, times in counted.most_common()]
        return "\n".join([f"{self.succeeded} of {self.ended} logins succeeded", *lines])


def says_how_to_go_on(page: httpx2.Response) -> bool:
    """Tell whether this is a page of ours, a supplier's or nginx's that offers a way on."""
    if not page.headers.get("content-type", "").startswith("text/html"):
        return False
    document = html.fromstring(page.content)
    buttons = document.xpath("//a[contains(@class, 'button')] | //form//button")
    return bool(buttons) or "log in again" in document.text_content()


@contextlib.asynccontextmanager
async def steady_load(topology: Topology) -> AsyncIterator[Load]:
    """Have pupils log in while the context lasts; at its end each finishes what it began."""
    load = Load(topology)
    async with asyncio.TaskGroup() as tasks:
        for first in range(PUPILS):
            tasks.create_task(load.pupil(first))
        try:
            yield load
        finally:
            load._stopping = True
