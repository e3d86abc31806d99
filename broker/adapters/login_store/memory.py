"""The login store in the process itself: for one worker, and gone when it stops.

Keeps the contract of `broker.flow.held_state.login_store`. Every method runs from start to end
without awaiting, so on one event loop it is atomic; it must not be called from several threads.
Nothing live is ever evicted: a full store refuses, because to forget a tombstone is to allow a
second use.
"""

import heapq
import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from broker.flow.held_state.login_store import (
    Absent,
    Claim,
    ClaimedBefore,
    Locator,
    Put,
    StoreUnsure,
    TakenBefore,
    check_distinct,
    check_locator,
    check_ttl,
)

# A login leaves about five entries for 10 to 30 minutes, so this is some 100,000 logins in half an
# hour; measured, an entry costs 0.35 KB beside its sealed bytes. Whichever bound is met first.
MAX_ENTRIES = 500_000
MAX_SEALED_BYTES_IN_ALL = 256 * 1024 * 1024
BUCKET_SECONDS = 5  # what expired is freed at most this much later; reads are exact

_TOMBSTONE: Final = None


class _Entry(NamedTuple):
    sealed: bytes | None  # None is a tombstone
    expires_at_seconds: float  # on the injected clock; absent from that moment on


class MemoryLoginStore:
    """`LoginStore` for one worker.

    Args:
        monotonic: seconds that never go back (`time.monotonic`).
        max_entries: records, tombstones and claims together; one more is `StoreUnsure`.
        max_sealed_bytes: of all records together; one more is `StoreUnsure`.
    """

    __slots__ = (
        "_bucket_ends",
        "_buckets",
        "_entries",
        "_max_entries",
        "_max_sealed_bytes",
        "_monotonic",
        "_sealed_bytes",
    )

    def __init__(
        self,
        *,
        monotonic: Callable[[], float],
        max_entries: int = MAX_ENTRIES,
        max_sealed_bytes: int = MAX_SEALED_BYTES_IN_ALL,
    ) -> None:
        self._monotonic = monotonic
        self._max_entries = max_entries
        self._max_sealed_bytes = max_sealed_bytes
        self._entries: dict[Locator, _Entry] = {}
        self._sealed_bytes = 0
        # Locators by the end of the bucket in which they expire, and those ends as a heap: freeing
        # touches only what expired, however many entries live on.
        self._buckets: dict[int, set[Locator]] = {}
        self._bucket_ends: list[int] = []

    @property
    def healthy(self) -> bool:
        """Always: what is in the process cannot be away."""
        return True

    async def watch(self, *, every_seconds: float) -> None:
        """Return at once; there is nothing to watch."""

    async def close(self) -> None:
        """Do nothing; there is nothing to close."""

    async def put(self, puts: Sequence[Put], *, claims: Sequence[Claim] = ()) -> None:
        """See `LoginStore.put`."""
        check_distinct([*(put.locator for put in puts), *(claim.locator for claim in claims)])
        now = self._free_expired()
        for index, claim in enumerate(claims):
            if self._find(claim.locator, now) is not None:
                raise ClaimedBefore(index)
        for put in puts:
            entry = self._find(put.locator, now)
            if entry is not None and entry.sealed is _TOMBSTONE:
                raise TakenBefore
        self._reserve(
            [*(put.locator for put in puts), *(claim.locator for claim in claims)],
            sealed_bytes=sum(len(put.sealed) for put in puts),
        )
        for claim in claims:
            self._set(claim.locator, _TOMBSTONE, now + claim.ttl_seconds)
        for put in puts:
            self._set(put.locator, put.sealed, now + put.ttl_seconds)

    async def take(
        self, locator: Locator, *, tombstone_ttl_seconds: int, claims: Sequence[Claim] = ()
    ) -> bytes:
        """See `LoginStore.take`."""
        check_locator(locator)
        check_ttl(tombstone_ttl_seconds)
        check_distinct([locator, *(claim.locator for claim in claims)])
        now = self._free_expired()
        self._reserve([claim.locator for claim in claims])
        claimed_before = [
            index
            for index, claim in enumerate(claims)
            if self._find(claim.locator, now) is not None
        ]
        for index, claim in enumerate(claims):
            if index not in claimed_before:
                self._set(claim.locator, _TOMBSTONE, now + claim.ttl_seconds)
        entry = self._find(locator, now)
        if entry is not None and entry.sealed is not _TOMBSTONE:
            self._set(locator, _TOMBSTONE, now + tombstone_ttl_seconds)
        elif entry is not None:
            raise TakenBefore
        if claimed_before:
            raise ClaimedBefore(claimed_before[0])
        if entry is None or entry.sealed is _TOMBSTONE:
            raise Absent
        return entry.sealed

    async def get(self, locator: Locator) -> bytes:
        """See `LoginStore.get`."""
        check_locator(locator)
        entry = self._find(locator, self._free_expired())
        if entry is None or entry.sealed is _TOMBSTONE:
            raise Absent
        return entry.sealed

    async def get_all(self, locators: Sequence[Locator]) -> list[bytes | None]:
        """See `LoginStore.get_all`."""
        for locator in locators:
            check_locator(locator)
        check_distinct(locators)
        now = self._free_expired()
        found = [self._find(locator, now) for locator in locators]
        return [None if entry is None else entry.sealed for entry in found]

    async def delete(self, locators: Sequence[Locator], *, tombstone_ttl_seconds: int) -> None:
        """See `LoginStore.delete`."""
        for locator in locators:
            check_locator(locator)
        check_ttl(tombstone_ttl_seconds)
        check_distinct(locators)
        now = self._free_expired()
        self._reserve(locators)
        for locator in locators:
            entry = self._find(locator, now)
            ends_at = now + tombstone_ttl_seconds
            if entry is not None and entry.sealed is _TOMBSTONE:
                ends_at = max(ends_at, entry.expires_at_seconds)
            self._set(locator, _TOMBSTONE, ends_at)

    def _find(self, locator: Locator, now: float) -> _Entry | None:
        entry = self._entries.get(locator)
        return entry if entry is not None and now < entry.expires_at_seconds else None

    def _reserve(self, locators: Sequence[Locator], *, sealed_bytes: int = 0) -> None:
        """Raise `StoreUnsure` unless there is room for all of it, before anything is changed."""
        more = sum(locator not in self._entries for locator in locators)
        if (
            len(self._entries) + more > self._max_entries
            or self._sealed_bytes + sealed_bytes > self._max_sealed_bytes
        ):
            raise StoreUnsure("the login store is full")

    def _set(self, locator: Locator, sealed: bytes | None, expires_at_seconds: float) -> None:
        self._drop(locator)
        self._entries[locator] = _Entry(sealed, expires_at_seconds)
        self._sealed_bytes += len(sealed or b"")
        end = _bucket_end(expires_at_seconds)
        bucket = self._buckets.get(end)
        if bucket is None:
            bucket = self._buckets[end] = set()
            heapq.heappush(self._bucket_ends, end)
        bucket.add(locator)

    def _drop(self, locator: Locator) -> None:
        entry = self._entries.pop(locator, None)
        if entry is not None:
            self._sealed_bytes -= len(entry.sealed or b"")
            # The bucket stays, empty or not, until its time: there are few, and each is one set.
            self._buckets[_bucket_end(entry.expires_at_seconds)].discard(locator)

    def _free_expired(self) -> float:
        """Forget what expired, bucket by bucket, and return the time."""
        now = self._monotonic()
        while self._bucket_ends and self._bucket_ends[0] <= now:
            for locator in self._buckets.pop(heapq.heappop(self._bucket_ends)):
                self._sealed_bytes -= len(self._entries.pop(locator).sealed or b"")
        return now


def _bucket_end(expires_at_seconds: float) -> int:
    return math.ceil(expires_at_seconds / BUCKET_SECONDS) * BUCKET_SECONDS
