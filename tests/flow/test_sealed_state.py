"""Sealed state: what opens, what is absent, and what ends."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.adapters.login_store.memory import MemoryLoginStore
from broker.flow.held_state.handles import Handle, StorageKey, parse_handle
from broker.flow.held_state.login_store import (
    Absent,
    ClaimedBefore,
    Put,
    StoreUnsure,
    TakenBefore,
)
from broker.flow.held_state.sealed_state import SealedState, StateKind
from tests.flow.fakes import CountingStore, FailingStore
from tests.flow.sealed_builders import (
    A_KIND,
    A_RECORD,
    OTHER_HANDLE,
    AnotherRecord,
    ARecord,
    Clock,
    CountingRandom,
    a_state,
    a_store,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> CountingStore:
    return a_store(clock)


@pytest.fixture
def state(store: CountingStore) -> SealedState:
    return a_state(store)


# What opens


async def test_a_record_is_read_and_then_taken_once(state: SealedState) -> None:
    handle, put = state.seal(A_KIND, A_RECORD)
    await state.put(put)
    assert await state.get(A_KIND, handle) == A_RECORD
    assert await state.take(A_KIND, parse_handle(handle.text)) == A_RECORD
    with pytest.raises(TakenBefore):
        await state.take(A_KIND, handle)
    with pytest.raises(Absent):
        await state.get(A_KIND, handle)


async def test_a_taken_record_stays_refused_as_long_as_its_kind_says(
    state: SealedState, clock: Clock
) -> None:
    handle, put = state.seal(A_KIND, A_RECORD)
    await state.put(put)
    await state.take(A_KIND, handle)
    clock.now_seconds = 299
    with pytest.raises(TakenBefore):
        await state.take(A_KIND, handle)
    clock.now_seconds = 300
    with pytest.raises(Absent):
        await state.take(A_KIND, handle)


@given(name=st.text(), count=st.integers(-(2**63), 2**63 - 1))
async def test_every_record_comes_back_equal(name: str, count: int) -> None:
    state = a_state()
    handle, put = state.seal(A_KIND, ARecord(name=name, count=count))
    await state.put(put)
    assert await state.take(A_KIND, handle) == ARecord(name=name, count=count)


async def test_each_call_is_one_round_trip(state: SealedState, store: CountingStore) -> None:
    handle, put = state.seal(A_KIND, A_RECORD)
    child = state.derive_handle(handle, "access-token")
    claims = [
        claim
        for value in ("1", "2")
        for claim in state.claims_for("assertion-id", issuer="school", value=value, ttl_seconds=60)
    ]
    await state.put(put, state.seal_under(child, A_KIND, A_RECORD), claims=claims[:1])
    assert store.calls == {"put": 1}
    await state.get(A_KIND, child)
    await state.take(A_KIND, handle, claims=claims[1:])
    await state.delete(A_KIND, child)
    assert store.calls == {"put": 1, "get": 1, "take": 1, "delete": 1}
    assert store.round_trips == 4
    assert store.claims == 2
    store.forget_counts()
    assert store.round_trips == store.claims == 0


async def test_a_record_can_live_shorter_than_its_kind_and_not_longer(
    state: SealedState, clock: Clock
) -> None:
    handle, put = state.seal(A_KIND, A_RECORD, ttl_seconds=10)
    await state.put(put)
    clock.now_seconds = 9
    assert await state.get(A_KIND, handle) == A_RECORD
    clock.now_seconds = 10
    with pytest.raises(Absent):
        await state.get(A_KIND, handle)
    with pytest.raises(ValueError):
        state.seal(A_KIND, A_RECORD, ttl_seconds=61)
    with pytest.raises(ValueError):
        state.seal(A_KIND, A_RECORD, ttl_seconds=0)


# What is absent


async def refuse_to_open(
    state: SealedState, kind: StateKind[Any], handle: Handle, put: Put | None = None
) -> None:
    if put is not None:
        await state.put(put)
    with pytest.raises(Absent):
        await state.get(kind, handle)
    with pytest.raises(Absent):
        await state.take(kind, handle)


async def test_a_change_of_any_byte_is_absent(state: SealedState) -> None:
    handle, put = state.seal(A_KIND, A_RECORD)
    for place in range(len(put.sealed)):
        for flipped in (0x01, 0x80):
            changed = bytearray(put.sealed)
            changed[place] ^= flipped
            await state.put(replace(put, sealed=bytes(changed)))
            with pytest.raises(Absent):
                await state.get(A_KIND, handle)
    await state.put(put)
    assert await state.get(A_KIND, handle) == A_RECORD


async def test_a_cut_or_lengthened_record_is_absent(state: SealedState) -> None:
    handle, put = state.seal(A_KIND, A_RECORD)
    for sealed in (*(put.sealed[:end] for end in range(1, len(put.sealed))), put.sealed + b"\0"):
        await state.put(replace(put, sealed=sealed))
        with pytest.raises(Absent):
            await state.get(A_KIND, handle)


async def test_a_record_under_another_handle_is_absent(state: SealedState) -> None:
    _, put = state.seal(A_KIND, A_RECORD)
    elsewhere = state.seal_under(OTHER_HANDLE, A_KIND, A_RECORD)
    await refuse_to_open(state, A_KIND, OTHER_HANDLE, replace(put, locator=elsewhere.locator))


async def test_another_kind_is_absent(state: SealedState) -> None:
    handle, put = state.seal(A_KIND, A_RECORD)
    other_kind = replace(A_KIND, name="other-record")
    moved = replace(put, locator=state.seal_under(handle, other_kind, A_RECORD).locator)
    await state.put(put)
    await refuse_to_open(state, other_kind, handle)
    await refuse_to_open(state, other_kind, handle, moved)
    assert await state.take(A_KIND, handle) == A_RECORD


async def test_another_version_is_absent_and_shares_the_tombstone(state: SealedState) -> None:
    next_version = replace(A_KIND, version=2)
    handle, put = state.seal(A_KIND, A_RECORD)
    await state.put(put)
    with pytest.raises(Absent):
        await state.get(next_version, handle)
    assert await state.take(A_KIND, handle) == A_RECORD
    with pytest.raises(TakenBefore):
        await state.take(next_version, handle)


async def test_another_issuer_or_storage_key_is_absent(store: CountingStore) -> None:
    state = a_state(store)
    handle, put = state.seal(A_KIND, A_RECORD)
    await state.put(put)
    for other in (
        a_state(store, issuer="https://other.example"),
        a_state(store, storage_key=b"\x01" * 32),
    ):
        moved = replace(put, locator=other.seal_under(handle, A_KIND, A_RECORD).locator)
        await refuse_to_open(other, A_KIND, handle)
        await refuse_to_open(other, A_KIND, handle, moved)
    assert await state.take(A_KIND, handle) == A_RECORD


@pytest.mark.parametrize(
    "content",
    [AnotherRecord(number=1), ARecord(name="x", count="not a number")],  # type: ignore[arg-type]
    ids=["other-fields", "wrong-type"],
)
async def test_content_that_is_not_the_struct_is_absent(state: SealedState, content: Any) -> None:
    handle, put = state.seal(A_KIND, content)
    await refuse_to_open(state, A_KIND, handle, put)


async def test_an_absent_record_quotes_nothing(state: SealedState) -> None:
    content: Any = AnotherRecord(number=31337)
    handle, put = state.seal(A_KIND, content)
    await state.put(put)
    with pytest.raises(Absent) as refused:
        await state.get(A_KIND, handle)
    assert refused.value.args == ()
    assert refused.value.__context__ is None


# What ends


async def test_a_failed_claim_takes_the_record(state: SealedState) -> None:
    claims = state.claims_for("client-jti", issuer="client", value="1", ttl_seconds=60)
    handle, put = state.seal(A_KIND, A_RECORD)
    await state.put(put, claims=claims)
    with pytest.raises(ClaimedBefore):
        await state.take(A_KIND, handle, claims=claims)
    with pytest.raises(TakenBefore):
        await state.take(A_KIND, handle)


async def test_a_second_use_of_a_code_can_end_what_the_first_gave(state: SealedState) -> None:
    code, grant = state.seal(A_KIND, A_RECORD)
    token = state.derive_handle(code, "access-token")
    await state.put(grant, state.seal_under(token, A_KIND, ARecord(name="userinfo")))
    await state.take(A_KIND, code)
    assert await state.get(A_KIND, token) == ARecord(name="userinfo")
    with pytest.raises(TakenBefore):
        await state.take(A_KIND, code)
    await state.delete(A_KIND, state.derive_handle(code, "access-token"))
    with pytest.raises(Absent):
        await state.get(A_KIND, token)
    with pytest.raises(TakenBefore):
        await state.put(state.seal_under(token, A_KIND, A_RECORD))


@pytest.mark.parametrize("method", ["put", "take", "get", "delete"])
async def test_an_unsure_store_is_refused(store: CountingStore, method: str) -> None:
    state = SealedState(
        FailingStore(store),
        storage_keys=(StorageKey(bytes(32)),),
        issuer="i",
        random=CountingRandom(),
    )
    _, put = state.seal(A_KIND, A_RECORD)
    calls: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
        "put": lambda: state.put(put),
        "take": lambda: state.take(A_KIND, OTHER_HANDLE),
        "get": lambda: state.get(A_KIND, OTHER_HANDLE),
        "delete": lambda: state.delete(A_KIND, OTHER_HANDLE),
    }
    with pytest.raises(StoreUnsure):
        await calls[method]()
    assert store.round_trips == 0


@pytest.mark.parametrize("call", [1, 2, 3, 4])
async def test_a_lost_answer_never_allows_a_second_use(clock: Clock, call: int) -> None:
    store = CountingStore(MemoryLoginStore(monotonic=clock), fails_at=call, lost="answer")
    state = a_state(store)
    handle, put = state.seal(A_KIND, A_RECORD)
    steps: list[Callable[[], Any]] = [
        lambda: state.put(put),
        lambda: state.get(A_KIND, handle),
        lambda: state.take(A_KIND, handle),
        lambda: state.delete(A_KIND, handle),
    ]
    for number, step in enumerate(steps, 1):
        if number == call:
            with pytest.raises(StoreUnsure):
                await step()
        else:
            await step()
    with pytest.raises(TakenBefore):
        await state.take(A_KIND, handle)


async def test_a_lost_request_leaves_the_record(clock: Clock) -> None:
    store = CountingStore(MemoryLoginStore(monotonic=clock), fails_at=2)
    state = a_state(store)
    handle, put = state.seal(A_KIND, A_RECORD)
    await state.put(put)
    with pytest.raises(StoreUnsure):
        await state.take(A_KIND, handle)
    assert await state.take(A_KIND, handle) == A_RECORD
