"""The login store in the process: the contract of every store, and its own bounds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from broker.adapters.login_store.memory import BUCKET_SECONDS, MemoryLoginStore
from broker.flow.held_state.login_store import Absent, StoreUnsure, TakenBefore
from tests.adapters.storage_backend import a_claim, a_locator, a_put
from tests.adapters.storage_model import login_store_model
from tests.adapters.storage_suite import LoginStoreSuite


@dataclass
class MemoryBackend:
    now_seconds: float = 1000.25  # not on a bucket's edge
    store: MemoryLoginStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = MemoryLoginStore(monotonic=lambda: self.now_seconds)

    @property
    def other(self) -> MemoryLoginStore:
        return self.store

    async def advance(self, seconds: float) -> None:
        self.now_seconds += seconds


@asynccontextmanager
async def open_memory_backend() -> AsyncIterator[MemoryBackend]:
    yield MemoryBackend()


class TestMemoryLoginStore(LoginStoreSuite):
    open_backend = staticmethod(open_memory_backend)


TestMemoryModel = login_store_model(open_memory_backend)


class Clock:
    def __init__(self) -> None:
        self.now_seconds = 0.0

    def __call__(self) -> float:
        return self.now_seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_a_full_store_refuses_and_evicts_nothing(clock: Clock) -> None:
    store = MemoryLoginStore(monotonic=clock, max_entries=3)
    await store.put([a_put(1), a_put(2)], claims=[a_claim(3)])
    with pytest.raises(StoreUnsure):
        await store.put([a_put(4)])
    with pytest.raises(StoreUnsure):
        await store.put([], claims=[a_claim(4)])
    with pytest.raises(StoreUnsure):
        await store.delete([a_locator(1), a_locator(4)], tombstone_ttl_seconds=60)
    with pytest.raises(StoreUnsure):
        await store.take(a_locator(1), tombstone_ttl_seconds=60, claims=[a_claim(4)])
    # The refused calls did nothing, and what needs no room goes on.
    await store.put([a_put(1, b"new")])
    assert await store.take(a_locator(1), tombstone_ttl_seconds=60) == b"new"
    assert await store.get(a_locator(2)) == b"sealed"
    with pytest.raises(TakenBefore):
        await store.take(a_locator(1), tombstone_ttl_seconds=60)


async def test_room_returns_when_entries_expire(clock: Clock) -> None:
    store = MemoryLoginStore(monotonic=clock, max_entries=2)
    await store.put([a_put(1, ttl_seconds=60), a_put(2, ttl_seconds=600)])
    clock.now_seconds = 60 + BUCKET_SECONDS
    await store.put([a_put(3)])
    assert await store.get(a_locator(2)) == b"sealed"
    with pytest.raises(StoreUnsure):
        await store.put([a_put(4)])


async def test_sealed_bytes_are_bounded_in_all(clock: Clock) -> None:
    store = MemoryLoginStore(monotonic=clock, max_sealed_bytes=100)
    await store.put([a_put(1, bytes(60))])
    with pytest.raises(StoreUnsure):
        await store.put([a_put(2, bytes(41))])
    await store.put([a_put(2, bytes(40))])
    await store.take(a_locator(1), tombstone_ttl_seconds=60)  # a tombstone has no bytes
    await store.put([a_put(3, bytes(60))])
    with pytest.raises(StoreUnsure):
        await store.put([a_put(4, b"1")])
    clock.now_seconds = 60 + BUCKET_SECONDS
    await store.put([a_put(5, bytes(100))])


async def test_bookkeeping_stays_small_when_one_record_is_replaced_for_ever(clock: Clock) -> None:
    store = MemoryLoginStore(monotonic=clock)
    for _ in range(10_000):
        clock.now_seconds += 1
        await store.put([a_put(1, ttl_seconds=100)])
    assert len(store._entries) == 1
    assert len(store._bucket_ends) == len(store._buckets) <= 100 / BUCKET_SECONDS + 2
    assert sum(map(len, store._buckets.values())) == 1


async def test_nothing_is_left_of_what_expired(clock: Clock) -> None:
    store = MemoryLoginStore(monotonic=clock)
    await store.put([a_put(1), a_put(2)], claims=[a_claim(3)])
    await store.take(a_locator(1), tombstone_ttl_seconds=90)
    clock.now_seconds = 90 + BUCKET_SECONDS
    with pytest.raises(Absent):
        await store.get(a_locator(1))
    assert not store._entries
    assert not store._buckets
    assert not store._bucket_ends
    assert store._sealed_bytes == 0
