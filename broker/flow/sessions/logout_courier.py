"""Tells relying parties that a session ended: by the back channel of OpenID Connect (Back-Channel
Logout 1.0 2.5), or by SOAP (SAML bindings 3.2).

Each message waits a random while, so that two suppliers cannot match by the moment whom both of
them lost; the relying party that asked knows the moment anyway and is told at once. It is tried a
few times and then given up: the person reads on the page where nobody answered. A message is kept
in the memory of this process alone. When that stops, what still waits is sent within some seconds,
each at a random moment of its own: all at once, and in the order in which they came to wait, they
would say which of two suppliers' pupils are one. When it is killed, those relying parties are not
told, and the page says "not yet".
"""

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from broker.domain.ids import RelyingPartyId, SupplierId
from broker.domain.refusals import Refusal
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.ports import SchoolUnanswered

AGAIN_AFTER_SECONDS = (5.0, 30.0, 120.0)
LAST_CALLS_SECONDS = 8.0  # of a process that stops
LAST_WAIT_SECONDS = 4.0  # of these, within which each message begins
MAX_WAITING = 20_000
"""Messages in one process; one more is not sent, and counts as unanswered."""
MAX_WAITING_FOR_ONE = 4_000
"""The same for one supplier: one that answers nobody must not use up the room of all others."""
MAX_CALLS = 100
MAX_CALLS_TO_ONE = 25
"""At a time, to all and to one supplier: schools are called over the same connections, and logins
wait for those."""


class LogoutCalls(Protocol):
    """Calls to relying parties, bounded in time and size, never into our own network."""

    async def post_form(
        self, url: str, *, headers: Mapping[str, str], form: Mapping[str, str]
    ) -> bytes:
        """Return the body of a 200 or 204 answer, else raise `SchoolUnanswered`."""
        ...

    async def post(self, url: str, *, headers: Mapping[str, str], content: bytes) -> bytes:
        """Return the body of an answer by 200 to a body of another type; else likewise."""
        ...


@dataclass(frozen=True, slots=True)
class LogoutMessage:
    """One relying party's message.

    Attributes:
        call: tries once, with a message made for that try, for none lives longer than minutes;
            returns whether the party says that it is out. Raises `SchoolUnanswered` or a `Refusal`
            where it says nothing, or nothing that can be believed.
        tell: keeps what became of it, for the page.
        wait_seconds: before the first try.
        last_wait_seconds: at most, once the process stops.
    """

    relying_party: RelyingPartyId
    supplier: SupplierId
    call: Callable[[LogoutCalls], Awaitable[bool]] = field(repr=False)
    tell: Callable[[bool], Awaitable[None]] = field(repr=False)
    wait_seconds: float
    last_wait_seconds: float = 0.0


class LogoutCourier:
    """Carries messages while the broker serves.

    Attributes:
        under_way: one task for each message that waits or is tried.
    """

    def __init__(self, calls: LogoutCalls, *, audit: AuditLog) -> None:
        self._calls = calls
        self._audit = audit
        self._stopping = asyncio.Event()
        self._waiting: Counter[SupplierId] = Counter()
        self._calling = asyncio.Semaphore(MAX_CALLS)
        self._calling_one: defaultdict[SupplierId, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(MAX_CALLS_TO_ONE)
        )
        self.under_way: set[asyncio.Task[None]] = set()

    def send(self, message: LogoutMessage) -> None:
        """Begin to carry a message; returns at once."""
        supplier = message.supplier
        is_full = self._waiting[supplier] >= MAX_WAITING_FOR_ONE
        if is_full or len(self.under_way) >= MAX_WAITING:
            self._note(message, is_out=False)
            return
        self._waiting[supplier] += 1
        task = asyncio.get_running_loop().create_task(self._carry(message))
        self.under_way.add(task)
        task.add_done_callback(lambda done: self._forget(done, supplier))

    def _forget(self, done: asyncio.Task[None], supplier: SupplierId) -> None:
        self.under_way.discard(done)
        self._waiting[supplier] -= 1
        if not self._waiting[supplier]:
            del self._waiting[supplier]
            self._calling_one.pop(supplier, None)

    async def close(self) -> None:
        """Send soon what waits, and return when that is done or taking too long."""
        self._stopping.set()
        if self.under_way:
            _, late = await asyncio.wait(self.under_way, timeout=LAST_CALLS_SECONDS)
            for each in late:
                each.cancel()

    async def _carry(self, message: LogoutMessage) -> None:
        is_out: bool | None = None
        for wait_seconds in (message.wait_seconds, *AGAIN_AFTER_SECONDS):
            is_last = await self._wait(wait_seconds, message)
            is_out = await self._try(message)
            if is_out is not None or is_last:
                break
        self._note(message, is_out=bool(is_out))
        await message.tell(bool(is_out))

    async def _wait(self, seconds: float, message: LogoutMessage) -> bool:
        """Wait, and no longer than a process that stops may; tell whether it does."""
        clock = asyncio.get_running_loop().time
        until = clock() + seconds
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        if not self._stopping.is_set():
            return False
        await asyncio.sleep(max(0.0, min(until - clock(), message.last_wait_seconds)))
        return True

    async def _try(self, message: LogoutMessage) -> bool | None:
        """Return what the party says; None while it says nothing."""
        try:
            async with self._calling_one[message.supplier], self._calling:
                return await message.call(self._calls)
        except (SchoolUnanswered, Refusal):  # nobody answered, or no key of ours signs for it
            return None

    def _note(self, message: LogoutMessage, *, is_out: bool) -> None:
        self._audit.record(
            AuditEvent(
                action="logout-told" if is_out else "logout-not-told",
                supplier=message.supplier,
                relying_party=message.relying_party,
            )
        )
