"""A login store that several workers share and that can be lost, in memory; and faults around one.

`SharedServer` and `SharedStore` keep the contract that the Redis adapter keeps, losses included:
everything belongs to an epoch, a loss begins another one, each worker learns that at its next
operation, and a put that may follow from what was lost is refused once.
"""

import asyncio
import copy
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from broker.adapters.login_store.memory import MemoryLoginStore
from broker.flow.held_state.login_store import (
    MAX_CLAIM_AGE_MILLISECONDS,
    Claim,
    Locator,
    LoginStore,
    Put,
    StoreUnsure,
)

AnswerT = TypeVar("AnswerT")

FaultKind = Literal[
    "not done",  # the question never arrived
    "no answer",  # carried out, and nobody heard of it
    "late",  # carried out long after it was given up
    "given up before",  # the browser went away before
    "given up after",  # and after
    "another's",  # the answer belongs to another question
]
KINDS: tuple[FaultKind, ...] = (
    "not done",
    "no answer",
    "late",
    "given up before",
    "given up after",
    "another's",
)


@dataclass(frozen=True)
class Fault:
    """What happens to the n-th operation of a step, counted from 1."""

    at: int
    kind: FaultKind


class SharedServer:
    """What the workers share: one unbroken history of data, until it is lost."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self.seconds = seconds
        self.epoch = 1
        self.began_at = -float(MAX_CLAIM_AGE_MILLISECONDS)  # as if it had always been there
        self.data = self._empty()
        self.kept = self._empty()

    def keep(self) -> None:
        """Let a replica or a file catch up with what is there now."""
        self.kept = copy.deepcopy(self.data)

    def flush(self) -> None:
        """Lose everything."""
        self.data = self._empty()
        self._begin()

    def fail_over(self) -> None:
        """Go back to what was kept."""
        self.data = copy.deepcopy(self.kept)
        self._begin()

    def _begin(self) -> None:
        self.epoch += 1
        self.began_at = self.seconds()

    def _empty(self) -> MemoryLoginStore:
        seconds = self.seconds
        return MemoryLoginStore(monotonic=lambda: seconds())


class SharedStore:
    """The server as one worker sees it. Other workers may come in between at every `await`."""

    def __init__(self, server: SharedServer) -> None:
        self.server = server
        self.epoch = 0

    async def check(self) -> None:
        """Learn the epoch in force, as a worker does once a second."""
        self.epoch = self.server.epoch

    async def put(self, puts: Sequence[Put], *, claims: Sequence[Claim] = ()) -> None:
        await asyncio.sleep(0)
        if self.is_stale():
            raise StoreUnsure
        age = (self.server.seconds() - self.server.began_at) * 1000
        for claim in claims:
            made_within = claim.made_within_milliseconds
            if (MAX_CLAIM_AGE_MILLISECONDS if made_within is None else made_within) > age:
                raise StoreUnsure
        await self.server.data.put(
            [Put(self.at(each.locator), each.sealed, each.ttl_seconds) for each in puts],
            claims=self.claims_at(claims),
        )
        await asyncio.sleep(0)

    async def take(
        self, locator: Locator, *, tombstone_ttl_seconds: int, claims: Sequence[Claim] = ()
    ) -> bytes:
        await asyncio.sleep(0)
        self.is_stale()
        sealed = await self.server.data.take(
            self.at(locator),
            tombstone_ttl_seconds=tombstone_ttl_seconds,
            claims=self.claims_at(claims),
        )
        await asyncio.sleep(0)
        return sealed

    async def get(self, locator: Locator) -> bytes:
        await asyncio.sleep(0)
        self.is_stale()
        return await self.server.data.get(self.at(locator))

    async def get_all(self, locators: Sequence[Locator]) -> list[bytes | None]:
        await asyncio.sleep(0)
        self.is_stale()
        return await self.server.data.get_all([self.at(each) for each in locators])

    async def delete(self, locators: Sequence[Locator], *, tombstone_ttl_seconds: int) -> None:
        await asyncio.sleep(0)
        self.is_stale()
        await self.server.data.delete(
            [self.at(each) for each in locators], tombstone_ttl_seconds=tombstone_ttl_seconds
        )

    def is_stale(self) -> bool:
        """Tell whether another epoch began since the last look, and go on in it."""
        stale = self.epoch not in (0, self.server.epoch)
        self.epoch = self.server.epoch
        return stale

    def at(self, locator: Locator) -> Locator:
        """Return where a locator of this epoch is found."""
        return Locator(hashlib.sha256(b"%d" % self.epoch + locator).digest())

    def claims_at(self, claims: Sequence[Claim]) -> list[Claim]:
        return [
            Claim(self.at(each.locator), each.ttl_seconds, each.made_within_milliseconds)
            for each in claims
        ]


class FailingStore:
    """A store whose operations fail as told, one fault for each step.

    Attributes:
        fault: of the step that runs now.
        late: what was given up and is still to be carried out.
        seen: sealed records of any login, for answers that belong to another question.
    """

    def __init__(self, inner: LoginStore) -> None:
        self.inner = inner
        self.fault: Fault | None = None
        self.late: list[Callable[[], Awaitable[object]]] = []
        self.seen: list[bytes] = []
        self._operations = 0

    def start(self, fault: Fault | None) -> None:
        """Begin a step."""
        self.fault, self._operations = fault, 0

    async def put(self, puts: Sequence[Put], *, claims: Sequence[Claim] = ()) -> None:
        self.seen += [each.sealed for each in puts]
        await self._fail(lambda: self.inner.put(puts, claims=claims))

    async def take(
        self, locator: Locator, *, tombstone_ttl_seconds: int, claims: Sequence[Claim] = ()
    ) -> bytes:
        return await self._fail(
            lambda: self.inner.take(
                locator, tombstone_ttl_seconds=tombstone_ttl_seconds, claims=claims
            ),
            others=self.seen,
        )

    async def get(self, locator: Locator) -> bytes:
        return await self._fail(lambda: self.inner.get(locator), others=self.seen)

    async def get_all(self, locators: Sequence[Locator]) -> list[bytes | None]:
        return await self._fail(lambda: self.inner.get_all(locators))

    async def delete(self, locators: Sequence[Locator], *, tombstone_ttl_seconds: int) -> None:
        await self._fail(
            lambda: self.inner.delete(locators, tombstone_ttl_seconds=tombstone_ttl_seconds)
        )

    async def _fail(
        self, operation: Callable[[], Awaitable[AnswerT]], *, others: Sequence[AnswerT] = ()
    ) -> AnswerT:
        self._operations += 1
        if self.fault is None or self.fault.at != self._operations:
            return await operation()
        match self.fault.kind:
            case "not done":
                raise StoreUnsure
            case "given up before":
                raise asyncio.CancelledError
            case "late":
                self.late.append(operation)
                raise StoreUnsure
        answer = await operation()
        match self.fault.kind:
            case "no answer":
                raise StoreUnsure
            case "given up after":
                raise asyncio.CancelledError
        return others[0] if others else answer
