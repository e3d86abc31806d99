"""Handles, claims, kinds and puts: what they are, and what they never show."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.flow.held_state.handles import Handle, parse_handle
from broker.flow.held_state.login_store import (
    MAX_SEALED_BYTES,
    MAX_TTL_SECONDS,
    Absent,
    Claim,
    Locator,
    Put,
    Unstorable,
)
from broker.flow.held_state.sealed_state import SealedRecord, SealedState, StateKind
from tests.flow.fakes import CountingStore
from tests.flow.sealed_builders import (
    A_KIND,
    A_RECORD,
    OTHER_HANDLE,
    ARecord,
    Clock,
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


# Values


def test_equal_values_of_different_issuers_or_kinds_have_unrelated_claims(
    state: SealedState,
) -> None:
    claims = {
        claim.locator
        for kind in ("assertion-id", "client-jti")
        for issuer in ("https://a.example", "https://b.example", "https://a.example/")
        for value in ("1", "/1", "", "\ud800", "\ud801", "x" * 100_000)
        for claim in state.claims_for(kind, issuer=issuer, value=value, ttl_seconds=60)
    }
    assert len(claims) == 2 * 3 * 6
    (again,) = state.claims_for("client-jti", issuer="https://a.example", value="1", ttl_seconds=9)
    assert again.locator in claims
    assert again.ttl_seconds == 9


def test_a_claim_of_a_handles_text_never_meets_the_record(state: SealedState) -> None:
    handle, put = state.seal(A_KIND, A_RECORD)
    (claim,) = state.claims_for(
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
    (claim,) = state.claims_for("assertion-id", issuer="school", value="Zoë", ttl_seconds=60)
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


def test_a_kind_that_could_be_sealed_but_not_opened_is_refused() -> None:
    @dataclass(frozen=True)
    class One:
        name: str

    @dataclass(frozen=True)
    class Two:
        name: str

    class Unreadable(SealedRecord, frozen=True):
        either: One | Two

    with pytest.raises(TypeError):
        StateKind("unreadable", 1, Unreadable, ttl_seconds=60, tombstone_ttl_seconds=60)


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
