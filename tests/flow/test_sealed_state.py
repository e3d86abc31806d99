"""Sealed state: the record's format, what opens and what is absent, and the port's value types."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.adapters.memory import MemoryLoginStore
from broker.flow.login_store import (
    MAX_SEALED_BYTES,
    MAX_TTL_SECONDS,
    Absent,
    Claim,
    ClaimedBefore,
    Locator,
    Put,
    StoreUnsure,
    TakenBefore,
    Unstorable,
)
from broker.flow.sealed_state import Handle, SealedRecord, SealedState, StateKind, parse_handle
from tests.flow.fakes import CountingStore, FailingStore

VECTOR: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "login-record.json").read_text(encoding="utf-8")
)


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
    def __init__(self) -> None:
        self.now_seconds = 0.0

    def __call__(self) -> float:
        return self.now_seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> CountingStore:
    return CountingStore(MemoryLoginStore(monotonic=clock))


def a_state(
    store: CountingStore,
    *,
    storage_key: bytes = bytes(32),
    issuer: str = "https://broker.example",
    random: Callable[[int], bytes] | None = None,
) -> SealedState:
    return SealedState(
        store, storage_key=storage_key, issuer=issuer, random=random or CountingRandom()
    )


@pytest.fixture
def state(store: CountingStore) -> SealedState:
    return a_state(store)


# The format


def the_vectors_state(store: CountingStore) -> SealedState:
    values = iter([bytes.fromhex(VECTOR["handle"]), bytes.fromhex(VECTOR["nonce"])])
    return a_state(
        store,
        storage_key=bytes.fromhex(VECTOR["storage_key"]),
        issuer=VECTOR["issuer"],
        random=lambda length: next(values),
    )


def test_the_golden_vector_is_what_its_script_makes() -> None:
    from tests.vectors.make_login_record import login_record

    assert login_record() == VECTOR


def test_a_record_is_sealed_byte_for_byte_as_the_golden_vector(store: CountingStore) -> None:
    handle, put = the_vectors_state(store).seal(A_KIND, A_RECORD)
    assert handle.secret.hex() == VECTOR["handle"]
    assert put.locator.hex() == VECTOR["locator"]
    assert put.sealed.hex() == VECTOR["sealed"]
    assert put.ttl_seconds == A_KIND.ttl_seconds


async def test_the_golden_vector_opens(store: CountingStore) -> None:
    state = the_vectors_state(store)
    await state.put(
        Put(Locator(bytes.fromhex(VECTOR["locator"])), bytes.fromhex(VECTOR["sealed"]), 60)
    )
    record = await state.take(A_KIND, Handle(bytes.fromhex(VECTOR["handle"])))
    assert record == A_RECORD


def test_claims_and_child_handles_are_the_golden_vectors(store: CountingStore) -> None:
    state = the_vectors_state(store)
    claim, child = VECTOR["claim"], VECTOR["child"]
    assert state.claim_for(
        claim["type"], issuer=claim["issuer"], value=claim["value"], ttl_seconds=60
    ) == Claim(Locator(bytes.fromhex(claim["locator"])), 60)
    derived = state.derive_handle(Handle(bytes.fromhex(VECTOR["handle"])), child["label"])
    assert derived.secret.hex() == child["handle"]


@given(short=st.text(max_size=20), other=st.text(max_size=20))
def test_lengths_tell_nothing_about_a_name(short: str, other: str) -> None:
    state = a_state(CountingStore(MemoryLoginStore(monotonic=Clock())))
    puts = [state.seal(A_KIND, ARecord(name=name))[1] for name in (short, other)]
    assert len(puts[0].sealed) == len(puts[1].sealed)


def test_a_record_sealed_twice_shares_no_bytes_with_itself(state: SealedState) -> None:
    (first, put), (second, other) = state.seal(A_KIND, A_RECORD), state.seal(A_KIND, A_RECORD)
    assert first != second
    assert put.locator != other.locator
    assert put.sealed[13:] != other.sealed[13:]
    again = state.seal_under(first, A_KIND, A_RECORD)
    assert again.locator == put.locator
    assert again.sealed[13:] != put.sealed[13:]


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
    state = a_state(CountingStore(MemoryLoginStore(monotonic=Clock())))
    handle, put = state.seal(A_KIND, ARecord(name=name, count=count))
    await state.put(put)
    assert await state.take(A_KIND, handle) == ARecord(name=name, count=count)


async def test_each_call_is_one_round_trip(state: SealedState, store: CountingStore) -> None:
    handle, put = state.seal(A_KIND, A_RECORD)
    child = state.derive_handle(handle, "access-token")
    claims = [
        state.claim_for("assertion-id", issuer="school", value=value, ttl_seconds=60)
        for value in ("1", "2")
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
    claim = state.claim_for("client-jti", issuer="client", value="1", ttl_seconds=60)
    handle, put = state.seal(A_KIND, A_RECORD)
    await state.put(put, claims=[claim])
    with pytest.raises(ClaimedBefore):
        await state.take(A_KIND, handle, claims=[claim])
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
        FailingStore(store), storage_key=bytes(32), issuer="i", random=CountingRandom()
    )
    _, put = state.seal(A_KIND, A_RECORD)
    call = {
        "put": lambda: state.put(put),
        "take": lambda: state.take(A_KIND, OTHER_HANDLE),
        "get": lambda: state.get(A_KIND, OTHER_HANDLE),
        "delete": lambda: state.delete(A_KIND, OTHER_HANDLE),
    }[method]
    with pytest.raises(StoreUnsure):
        await call()
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


# Values


def test_equal_values_of_different_issuers_or_kinds_have_unrelated_claims(
    state: SealedState,
) -> None:
    claims = {
        state.claim_for(kind, issuer=issuer, value=value, ttl_seconds=60).locator
        for kind in ("assertion-id", "client-jti")
        for issuer in ("https://a.example", "https://b.example", "https://a.example/")
        for value in ("1", "/1", "", "\ud800", "\ud801", "x" * 100_000)
    }
    assert len(claims) == 2 * 3 * 6
    again = state.claim_for("client-jti", issuer="https://a.example", value="1", ttl_seconds=9)
    assert again.locator in claims
    assert again.ttl_seconds == 9


def test_a_claim_of_a_handles_text_never_meets_the_record(state: SealedState) -> None:
    handle, put = state.seal(A_KIND, A_RECORD)
    claim = state.claim_for(
        A_KIND.name, issuer="https://broker.example", value=handle.text, ttl_seconds=60
    )
    assert claim.locator != put.locator


def test_child_handles_differ_by_parent_label_and_key(store: CountingStore) -> None:
    one, two = a_state(store), a_state(store, storage_key=b"\x01" * 32)
    parents = (OTHER_HANDLE, Handle(b"\x02" * 32))
    children = {
        state.derive_handle(parent, label).secret
        for state in (one, two)
        for parent in parents
        for label in ("access-token", "logout")
    }
    assert len(children | {parent.secret for parent in parents}) == 10


# Handles


@given(st.binary(min_size=32, max_size=32))
def test_a_handles_text_stands_for_it_alone(secret: bytes) -> None:
    handle = Handle(secret)
    assert len(handle.text) == 43
    assert parse_handle(handle.text) == handle


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A" * 42,
        "A" * 44,
        "A" * 42 + "=",
        "A" * 42 + "B",  # the last two bits are not zero: a second text for the same bytes
        "A" * 42 + "+",
        "+" + "A" * 42,
        "/" + "A" * 42,
        "A" * 21 + " " + "A" * 21,
        "A" * 42 + "é",
        "A" * 42 + "\n",
        "\ud800" + "A" * 42,
    ],
)
def test_any_other_text_is_absent(text: str) -> None:
    with pytest.raises(Absent) as refused:
        parse_handle(text)
    assert refused.value.__context__ is None


def test_a_handle_has_32_bytes() -> None:
    for length in (0, 31, 33):
        with pytest.raises(ValueError):
            Handle(bytes(length))


def test_nothing_shows_its_value(state: SealedState) -> None:
    handle, put = state.seal(A_KIND, A_RECORD)
    claim = state.claim_for("assertion-id", issuer="school", value="Zoë", ttl_seconds=60)
    shown = f"{handle} {handle!r} {put!r} {claim!r} {A_RECORD} {A_RECORD!r} {state!r}"
    for value in ("Zoë", handle.text, handle.secret.hex(), repr(handle.secret)[2:-1]):
        assert value not in shown
    assert repr(put.locator)[2:-1] not in shown
    assert repr(A_RECORD) == "ARecord(...)"
    assert A_RECORD.__rich_repr__() == []


# The caller's own mistakes


def test_a_storage_key_has_32_bytes(store: CountingStore) -> None:
    for length in (0, 16, 31, 33):
        with pytest.raises(ValueError):
            a_state(store, storage_key=bytes(length))


def test_a_record_that_is_too_large_or_no_unicode_is_refused(state: SealedState) -> None:
    assert state.seal(A_KIND, ARecord(name="x" * 30_000))
    with pytest.raises(Unstorable):
        state.seal(A_KIND, ARecord(name="x" * MAX_SEALED_BYTES))
    with pytest.raises(Unstorable) as refused:
        state.seal(A_KIND, ARecord(name="Zoë \ud800"))
    assert refused.value.__context__ is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"ttl_seconds": 0},
        {"ttl_seconds": 301},
        {"tombstone_ttl_seconds": 59},
        {"tombstone_ttl_seconds": MAX_TTL_SECONDS + 1},
        {"version": 0},
        {"version": 65536},
        {"name": ""},
    ],
    ids=str,
)
def test_a_kind_is_declared_within_bounds(wrong: dict[str, Any]) -> None:
    assert replace(A_KIND, ttl_seconds=300, version=65535).ttl_seconds == 300
    with pytest.raises(ValueError):
        replace(A_KIND, **wrong)


def test_puts_and_claims_keep_to_the_contract() -> None:
    locator = Locator(bytes(32))
    assert Put(locator, bytes(MAX_SEALED_BYTES), MAX_TTL_SECONDS)
    assert Claim(locator, 1)
    with pytest.raises(Unstorable):
        Put(locator, bytes(MAX_SEALED_BYTES + 1), 60)
    with pytest.raises(ValueError):
        Put(locator, b"", 60)
    for ttl_seconds in (-1, 0, MAX_TTL_SECONDS + 1):
        with pytest.raises(ValueError):
            Put(locator, b"1", ttl_seconds)
        with pytest.raises(ValueError):
            Claim(locator, ttl_seconds)
    for wrong in (Locator(bytes(31)), Locator(bytes(33))):
        with pytest.raises(ValueError):
            Put(wrong, b"1", 60)
        with pytest.raises(ValueError):
            Claim(wrong, 60)
