"""Ports with a stopwatch: each trip counts in the request's trail and in the metrics."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import perf_counter
from types import MappingProxyType
from typing import TypeVar

from broker.flow.following.trail import current_trail
from broker.flow.held_state.login_store import (
    Absent,
    Claim,
    ClaimedBefore,
    Locator,
    LoginStore,
    LoginStoreRefusal,
    Put,
    TakenBefore,
)
from broker.flow.receipts.receipts import ReceiptLog, SealedReceipt

Result = TypeVar("Result")

ANSWERS: Mapping[type[LoginStoreRefusal], str] = MappingProxyType(
    {Absent: "absent", TakenBefore: "taken-before", ClaimedBefore: "claimed-before"}
)
"""What the login store answered; any other is `unsure`."""


class WatchedLoginStore:
    """A `LoginStore` whose trips are timed.

    Args:
        answered: told of operation, answer and seconds.
    """

    def __init__(self, store: LoginStore, *, answered: Callable[[str, str, float], None]) -> None:
        self._store = store
        self._answered = answered

    async def put(self, puts: Sequence[Put], *, claims: Sequence[Claim] = ()) -> None:
        """Store and claim."""
        await self._time("put", self._store.put(puts, claims=claims))

    async def take(
        self, locator: Locator, *, tombstone_ttl_seconds: int, claims: Sequence[Claim] = ()
    ) -> bytes:
        """Take one record."""
        return await self._time(
            "take",
            self._store.take(locator, tombstone_ttl_seconds=tombstone_ttl_seconds, claims=claims),
        )

    async def get(self, locator: Locator) -> bytes:
        """Look at one record."""
        return await self._time("get", self._store.get(locator))

    async def get_all(self, locators: Sequence[Locator]) -> list[bytes | None]:
        """Look at several records."""
        return await self._time("get_all", self._store.get_all(locators))

    async def delete(self, locators: Sequence[Locator], *, tombstone_ttl_seconds: int) -> None:
        """End records."""
        await self._time(
            "delete", self._store.delete(locators, tombstone_ttl_seconds=tombstone_ttl_seconds)
        )

    async def _time(self, operation: str, answering: Awaitable[Result]) -> Result:
        began, answer = perf_counter(), "unsure"  # also when the request is given up meanwhile
        try:
            result = await answering
        except LoginStoreRefusal as refusal:
            answer = ANSWERS.get(type(refusal), answer)
            raise
        else:
            answer = "done"
            return result
        finally:
            seconds, trail = perf_counter() - began, current_trail()
            trail.store_trips += 1
            trail.store_seconds += seconds
            self._answered(operation, answer, seconds)


class WatchedReceipts:
    """A `ReceiptLog` whose appends are timed.

    Args:
        appended: told of the answer and seconds.
    """

    def __init__(self, receipts: ReceiptLog, *, appended: Callable[[str, float], None]) -> None:
        self._receipts = receipts
        self._appended = appended

    @property
    def healthy(self) -> bool:
        """Tell whether the last append succeeded."""
        return self._receipts.healthy

    async def append(self, receipt: SealedReceipt) -> None:
        """Return when the receipt is durable."""
        began, answer = perf_counter(), "failed"
        try:
            await self._receipts.append(receipt)
            answer = "done"
        finally:
            self._appended(answer, perf_counter() - began)

    async def find(self, locators: Sequence[bytes]) -> list[SealedReceipt]:
        """Return the receipts with one of these locators."""
        return await self._receipts.find(locators)
