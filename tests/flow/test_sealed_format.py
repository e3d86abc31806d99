"""The format of login records, claims and child handles, byte by byte."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.flow.held_state.handles import Handle, parse_handle
from broker.flow.held_state.login_store import (
    Claim,
    Locator,
    Put,
)
from broker.flow.held_state.sealed_state import SealedState
from tests.flow.fakes import CountingStore
from tests.flow.sealed_builders import (
    A_KIND,
    A_RECORD,
    ARecord,
    Clock,
    a_state,
    a_store,
)
from tests.vectors.make_login_record import login_record

VECTOR: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "login-record.json").read_text(encoding="utf-8")
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


def the_vectors_state(store: CountingStore) -> SealedState:
    values = iter([bytes.fromhex(VECTOR["handle"]), bytes.fromhex(VECTOR["nonce"])])
    return a_state(
        store,
        storage_key=bytes.fromhex(VECTOR["storage_key"]),
        issuer=VECTOR["issuer"],
        random=lambda length: next(values),
    )


def test_the_golden_vector_is_what_its_script_makes() -> None:
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
    assert state.claims_for(
        claim["type"], issuer=claim["issuer"], value=claim["value"], ttl_seconds=60
    ) == (Claim(Locator(bytes.fromhex(claim["locator"])), 60),)
    derived = state.derive_handle(Handle(bytes.fromhex(VECTOR["handle"])), child["label"])
    assert derived.secret.hex() == child["handle"]


def test_handles_read_as_the_golden_vectors() -> None:
    for letter, text in VECTOR["texts"].items():
        handle = Handle(bytes.fromhex(VECTOR["handle"]), letter)
        assert handle.text == text
        assert parse_handle(text) == handle


def test_a_claim_says_how_old_its_value_may_be(store: CountingStore) -> None:
    state = the_vectors_state(store)

    def made_within(age: timedelta | None) -> int | None:
        (claim,) = state.claims_for("x", issuer="y", value="z", ttl_seconds=60, made_within=age)
        return claim.made_within_milliseconds

    assert made_within(None) is None
    assert made_within(timedelta(seconds=2)) == 2000
    assert made_within(timedelta(microseconds=2_000_001)) == 2001  # never younger than it may be


@given(short=st.text(max_size=20), other=st.text(max_size=20))
def test_lengths_tell_nothing_about_a_name(short: str, other: str) -> None:
    state = a_state()
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
