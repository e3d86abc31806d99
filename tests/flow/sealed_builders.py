"""A record kind, and sealed state over a store that a test can count, fail and age."""

from collections.abc import Callable

from broker.adapters.login_store.memory import MemoryLoginStore
from broker.flow.held_state.handles import Handle, StorageKey
from broker.flow.held_state.login_store import LoginStore
from broker.flow.held_state.sealed_state import SealedRecord, SealedState, StateKind
from tests.flow.fakes import CountingStore


class ARecord(SealedRecord, frozen=True):
    name: str
    count: int = 0


class AnotherRecord(SealedRecord, frozen=True):
    number: int


A_KIND = StateKind("test-record", 1, ARecord, ttl_seconds=60, tombstone_ttl_seconds=300)
A_RECORD = ARecord(name="Zoë", count=3)
OTHER_HANDLE = Handle(bytes(range(32)))


class CountingRandom:
    """Bytes that never repeat and that a test can tell beforehand."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, length: int) -> bytes:
        self.calls += 1
        return self.calls.to_bytes(length, "big")


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_seconds = 0.0

    def __call__(self) -> float:
        return self.now_seconds


def a_store(clock: Clock | None = None) -> CountingStore:
    return CountingStore(MemoryLoginStore(monotonic=clock or Clock()))


def a_state(
    store: LoginStore | None = None,
    *,
    storage_key: bytes = bytes(32),
    issuer: str = "https://broker.example",
    random: Callable[[int], bytes] | None = None,
) -> SealedState:
    return SealedState(
        store or a_store(),
        storage_keys=(StorageKey(storage_key),),
        issuer=issuer,
        random=random or CountingRandom(),
    )
