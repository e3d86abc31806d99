"""Several storage keys: handles name theirs, and nothing works twice while keys change."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.flow.held_state.handles import KEY_LETTERS, Handle, StorageKey, parse_handle
from broker.flow.held_state.login_store import Absent, ClaimedBefore, TakenBefore
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.key_plans.key_purposes import LONGEST_CLAIM, ROTATING, STORAGE
from broker.flow.key_plans.key_schedule import (
    KeySchedule,
    KeyState,
    RotationUnderWay,
    plan_successor,
    stand,
)
from tests.flow.fakes import CountingStore
from tests.flow.sealed_builders import A_KIND, A_RECORD, ARecord, Clock, CountingRandom, a_store

FIRST, B, C = (StorageKey(bytes([at]) * 32, letter) for at, letter in enumerate(("", "b", "c")))
ISSUER = "https://broker.example"


def knowing(store: CountingStore, *keys: StorageKey) -> SealedState:
    """Return a worker that knows these keys, the first in use."""
    return SealedState(store, storage_keys=keys, issuer=ISSUER, random=RANDOM)


RANDOM = CountingRandom()


@pytest.fixture
def store() -> CountingStore:
    return a_store()


# Handles


def test_the_first_key_changes_no_handle_and_later_ones_add_their_letter() -> None:
    handles = [knowing(a_store(), key).seal(A_KIND, A_RECORD)[0] for key in (FIRST, B)]
    assert [len(each.text) for each in handles] == [43, 44]
    assert handles[1].text[-1] == "b"
    for each in handles:
        assert parse_handle(each.text) == each


@pytest.mark.parametrize(
    "text",
    ["", "b", "A" * 42, "A" * 42 + "B", "A" * 43 + "B", "A" * 43 + "1", "A" * 43 + "é",
     "A" * 43 + "bb", "A" * 43 + "-", "A" * 43 + " ", "A" * 43 + "\n", "=" * 43 + "b"],
)  # fmt: skip
def test_a_text_that_no_handle_has_is_absent(text: str) -> None:
    with pytest.raises(Absent):
        parse_handle(text)
    assert parse_handle("A" * 43 + "z").letter == "z"


@given(st.binary(min_size=32, max_size=32), st.sampled_from(["", *KEY_LETTERS]))
def test_every_handle_comes_back_from_its_text(secret: bytes, letter: str) -> None:
    assert parse_handle(Handle(secret, letter).text) == Handle(secret, letter)


@pytest.mark.parametrize("letter", ["A", "bb", "1", "é"])
def test_a_letter_is_one_of_a_to_z(letter: str) -> None:
    with pytest.raises(ValueError, match="letter"):
        StorageKey(bytes(32), letter)


def test_keys_of_a_state_are_told_apart(store: CountingStore) -> None:
    for keys in ((), (B, replace(C, letter="b"))):
        with pytest.raises(ValueError, match="storage key"):
            knowing(store, *keys)
    assert "0101" not in repr(B)


# Records


async def test_what_was_kept_before_a_change_is_found_after_it(store: CountingStore) -> None:
    before, after = knowing(store, FIRST), knowing(store, B, FIRST)
    code, grant = before.seal(A_KIND, A_RECORD)
    token = before.derive_handle(code, "access-token")
    await before.put(grant, before.seal_under(token, A_KIND, ARecord(name="userinfo")))
    store.forget_counts()
    assert await after.take(A_KIND, parse_handle(code.text)) == A_RECORD
    child = after.derive_handle(parse_handle(code.text), "access-token")
    assert child == token
    assert await after.get(A_KIND, child) == ARecord(name="userinfo")
    await after.delete(A_KIND, child)
    assert store.round_trips == 3  # never a second trip to find out the key
    with pytest.raises(TakenBefore):
        await before.take(A_KIND, code)


async def test_new_records_are_made_under_the_key_in_use(store: CountingStore) -> None:
    after = knowing(store, B, FIRST)
    handle, put = after.seal(A_KIND, A_RECORD)
    assert handle.letter == after.derive_handle(handle, "x").letter == "b"
    await after.put(put)
    assert await knowing(store, FIRST, B).take(A_KIND, handle) == A_RECORD


async def test_a_handle_of_an_unknown_key_is_absent(store: CountingStore) -> None:
    after, retired = knowing(store, C, B), knowing(store, C)
    handle, put = knowing(store, B).seal(A_KIND, A_RECORD)
    await after.put(put)
    for call in (retired.get, retired.take, retired.delete):
        with pytest.raises(Absent):
            await call(A_KIND, handle)
    for refused in (
        lambda: retired.derive_handle(handle, "x"),
        lambda: retired.seal_under(handle, A_KIND, A_RECORD),
    ):
        with pytest.raises(Absent):
            refused()
    assert await after.take(A_KIND, handle) == A_RECORD


async def test_another_letter_on_a_handle_opens_nothing(store: CountingStore) -> None:
    state = knowing(store, B, C, FIRST)
    handle, put = state.seal(A_KIND, A_RECORD)
    await state.put(put)
    for letter in ("", "c"):
        with pytest.raises(Absent):
            await state.get(A_KIND, replace(handle, letter=letter))
    assert await state.get(A_KIND, handle) == A_RECORD


# One-shot values


def claims_of(state: SealedState, value: str = "1", *, seconds: int = 60) -> object:
    return state.claims_for("client-jti", issuer="client", value=value, ttl_seconds=seconds)


async def test_a_value_is_claimed_under_every_key_that_is_known(store: CountingStore) -> None:
    before, both, after = (knowing(store, *keys) for keys in ((FIRST,), (B, FIRST), (B,)))
    assert [len(claims_of(each)) for each in (before, both, after)] == [1, 2, 1]
    await before.put(claims=claims_of(before))
    with pytest.raises(ClaimedBefore):
        await both.put(claims=claims_of(both))
    await both.put(claims=claims_of(both, "2"))
    for each in (before, after):
        with pytest.raises(ClaimedBefore):
            await each.put(claims=claims_of(each, "2"))
    assert store.round_trips == 5


ROTATION = ROTATING[STORAGE]
START = datetime(2026, 3, 1, tzinfo=UTC)
LEAD_SECONDS = int(ROTATION.lead.total_seconds())
CLAIM_SECONDS = int(LONGEST_CLAIM.total_seconds())


class Worker:
    """Knows of each rotation some seconds after it, and keys as the schedule says."""

    def __init__(
        self, store: CountingStore, rotations: list[tuple[datetime, KeySchedule]], late_seconds: int
    ) -> None:
        self._store, self._rotations = store, rotations
        self._late = timedelta(seconds=late_seconds)

    def at(self, now: datetime) -> SealedState:
        """Return its state at a moment."""
        schedule: KeySchedule = {}
        for made_at, planned in self._rotations:
            if made_at + self._late <= now:
                schedule = planned
        files = ["", *(each for each in sorted(schedule) if each)]
        states = stand(files, schedule, now=now)
        usable = [each for each in files if states[each] is not KeyState.RETIRED]
        usable.sort(key=lambda each: states[each] is not KeyState.IN_USE)
        keys = [StorageKey(bytes([ord(each or "A")]) * 32, each) for each in usable]
        return knowing(self._store, *keys)


def rotated_at(moments: list[int]) -> list[tuple[datetime, KeySchedule]]:
    """Return each rotation with the schedule that it leaves, one at a time."""
    rotations: list[tuple[datetime, KeySchedule]] = []
    schedule: KeySchedule = {}
    files = [""]
    for seconds, letter in zip(sorted(moments), "abcdef", strict=False):
        now = START + timedelta(seconds=seconds)
        try:
            schedule = plan_successor(
                schedule,
                files,
                successor=letter,
                now=now,
                lead=ROTATION.lead,
                overlap=ROTATION.overlap,
            )
        except RotationUnderWay:
            continue
        files.append(letter)
        rotations.append((now, schedule))
    return rotations


HOURS_SECONDS = 6 * 3600
late = st.integers(0, LEAD_SECONDS)


@settings(max_examples=400)
@given(
    moments=st.lists(st.integers(0, HOURS_SECONDS), min_size=1, max_size=5),
    one_late=late,
    two_late=late,
    shown=st.lists(st.tuples(st.integers(0, HOURS_SECONDS), st.booleans()), min_size=2, max_size=8),
)
async def test_no_value_is_taken_twice_whoever_knows_which_key(
    moments: list[int], one_late: int, two_late: int, shown: list[tuple[int, bool]]
) -> None:
    """Two workers that learn of each rotation at any time within its lead, in any order."""
    clock = Clock()
    store = a_store(clock)
    rotations = rotated_at(moments)
    workers = Worker(store, rotations, one_late), Worker(store, rotations, two_late)
    taken: list[int] = []
    for seconds, which in sorted(shown):
        clock.now_seconds = seconds
        state = workers[which].at(START + timedelta(seconds=seconds))
        handle, put = state.seal(A_KIND, A_RECORD)
        try:
            await state.put(put, claims=claims_of(state, seconds=CLAIM_SECONDS))
        except ClaimedBefore:
            continue
        assert await state.get(A_KIND, handle) == A_RECORD
        taken.append(seconds)
    # As often as the message itself may be accepted: once in its longest life.
    assert all(after - before >= CLAIM_SECONDS for before, after in pairwise(taken))
    assert taken


@settings(max_examples=200)
@given(
    moments=st.lists(st.integers(0, 3000), min_size=1, max_size=4),
    one_late=late,
    two_late=late,
    kept_at=st.integers(0, 4000),
    wait=st.integers(0, A_KIND.ttl_seconds - 1),
)
async def test_a_login_under_way_goes_on_at_any_worker(
    moments: list[int], one_late: int, two_late: int, kept_at: int, wait: int
) -> None:
    clock = Clock()
    store = a_store(clock)
    rotations = rotated_at(moments)
    one, two = Worker(store, rotations, one_late), Worker(store, rotations, two_late)
    clock.now_seconds = kept_at
    state = one.at(START + timedelta(seconds=kept_at))
    handle, put = state.seal(A_KIND, A_RECORD)
    await state.put(put)
    clock.now_seconds = kept_at + wait
    other = two.at(START + timedelta(seconds=kept_at + wait))
    assert await other.take(A_KIND, parse_handle(handle.text)) == A_RECORD


async def test_the_property_fails_for_a_worker_that_is_later_than_the_lead() -> None:
    """So that the one above is no property of nothing: such a worker is what the lead is for."""
    store = a_store(Clock())
    rotations = rotated_at([0])
    retired = START + ROTATION.lead + ROTATION.overlap
    late = int((ROTATION.lead + ROTATION.overlap).total_seconds()) + 1
    on_time, never = Worker(store, rotations, 0), Worker(store, rotations, late)
    for each in (on_time.at(retired), never.at(retired)):
        await each.put(claims=claims_of(each))
