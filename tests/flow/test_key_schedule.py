"""When keys are published, used and retired: tables, and what holds for any schedule."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.flow.held_state.every_kind import EVERY_KIND
from broker.flow.key_plans.key_purposes import (
    CLOCKS_DIFFER,
    COOKIE,
    FORM_DAY,
    JWKS_CACHE,
    LONGEST_CLAIM,
    METADATA_LIFE,
    ROTATING,
    SAML_DECRYPTION,
    SAML_SIGNING,
    STORAGE,
    TOKEN,
)
from broker.flow.key_plans.key_schedule import (
    KeySchedule,
    KeyState,
    KeyTimes,
    NoKeyInUse,
    RotationUnderWay,
    choose_letter,
    find_next_change,
    find_next_moment,
    plan_removal,
    plan_successor,
    stand,
)
from broker.oidc_op.claims import ID_TOKEN_TTL_SECONDS
from broker.oidc_op.client_assertions import MAX_ASSERTION_LIFE_SECONDS, SKEW_SECONDS
from broker.saml_sp.checks import ASSERTION_MAX_AGE
from broker.saml_xml.clock import CLOCK_SKEW
from broker.web.cookies import FORM_SECONDS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
P, U, A, R = KeyState.PUBLISHED, KeyState.IN_USE, KeyState.ACCEPTED, KeyState.RETIRED


def times(used: int | None = None, retired: int | None = None) -> KeyTimes:
    """Return times in minutes after noon."""
    return KeyTimes(
        used_from=None if used is None else NOON + used * MINUTE,
        retired_from=None if retired is None else NOON + retired * MINUTE,
    )


@pytest.mark.parametrize(
    ("schedule", "at", "expected"),
    [
        ({}, 0, [U]),
        ({}, 0, [U, A]),
        ({"b": times(used=5)}, 4, [U, P]),
        ({"b": times(used=5)}, 5, [A, U]),
        ({"a": times(retired=9), "b": times(used=5)}, 8, [A, U]),
        ({"a": times(retired=9), "b": times(used=5)}, 9, [R, U]),
        ({"a": times(retired=9), "b": times(used=5)}, 4, [U, P]),
        ({"b": times(used=5, retired=20), "c": times(used=7)}, 6, [A, U, P]),
        ({"b": times(used=5, retired=20), "c": times(used=7)}, 7, [A, A, U]),
        ({"b": times(used=5, retired=20), "c": times(used=7)}, 20, [A, R, U]),
        ({"b": times(used=7), "c": times(used=5)}, 8, [A, U, A]),  # whose turn came last
        ({"b": times(used=7), "c": times(used=7)}, 8, [A, U, A]),  # the first of equals
        ({"b": times(used=5, retired=5)}, 6, [U, R]),
        ({"elsewhere": times(used=1)}, 6, [U]),
    ],
)
def test_states(schedule: KeySchedule, at: int, expected: list[KeyState]) -> None:
    files = ["a", "b", "c"][: len(expected)]
    assert list(stand(files, schedule, now=NOON + at * MINUTE).values()) == expected


@pytest.mark.parametrize(
    "schedule", [{"a": times(retired=0)}, {"a": times(used=1)}, {"a": times(used=-9, retired=-1)}]
)
def test_a_slot_without_a_key_in_use_is_told(schedule: KeySchedule) -> None:
    with pytest.raises(NoKeyInUse, match="a"):
        stand(["a"], schedule, now=NOON)
    assert stand(["a", "b"], schedule, now=NOON)["b"] is U


minutes = st.one_of(st.none(), st.integers(-30, 30))
schedules = st.dictionaries(st.sampled_from("abcd"), st.builds(times, minutes, minutes))


@given(schedule=schedules, count=st.integers(1, 4), at=st.integers(-40, 40))
def test_one_key_is_in_use_and_states_change_at_told_moments_only(
    schedule: KeySchedule, count: int, at: int
) -> None:
    files, now = list("abcd")[:count], NOON + at * MINUTE
    try:
        states = stand(files, schedule, now=now)
    except NoKeyInUse:
        return
    assert list(states.values()).count(U) == 1
    following = find_next_moment(schedule, after=now)
    if following is None:
        assert stand(files, schedule, now=now + timedelta(days=999)) == states
    else:
        assert following > now
        assert stand(files, schedule, now=following - timedelta(seconds=1)) == states


def test_the_next_change_of_one_key() -> None:
    schedule = {"a": times(retired=9), "b": times(used=5)}
    files = ["a", "b"]
    assert find_next_change("a", schedule, files=files, now=NOON) == NOON + 5 * MINUTE
    assert find_next_change("b", schedule, files=files, now=NOON) == NOON + 5 * MINUTE
    at_its_turn = NOON + 5 * MINUTE
    assert find_next_change("a", schedule, files=files, now=at_its_turn) == NOON + 9 * MINUTE
    assert find_next_change("b", schedule, files=files, now=at_its_turn) is None
    assert find_next_change("a", {}, files=files, now=NOON) is None


def successor(schedule: KeySchedule, files: list[str], name: str, *, at: int = 0) -> KeySchedule:
    return plan_successor(
        schedule,
        files,
        successor=name,
        now=NOON + at * MINUTE,
        lead=5 * MINUTE,
        overlap=HOUR,
    )


def test_a_successor_is_published_used_and_outlives_the_old_one() -> None:
    schedule = successor({}, ["a"], "b")
    assert schedule == {
        "a": KeyTimes(retired_from=NOON + 65 * MINUTE),
        "b": KeyTimes(published_at=NOON, used_from=NOON + 5 * MINUTE),
    }
    again = successor(schedule, ["a", "b"], "c", at=10)
    assert again["a"] == schedule["a"]  # its end comes first
    assert again["b"].retired_from == NOON + 75 * MINUTE


def test_one_rotation_at_a_time() -> None:
    schedule = successor({}, ["a"], "b")
    with pytest.raises(RotationUnderWay) as refused:
        successor(schedule, ["a", "b"], "c", at=4)
    assert (refused.value.file, refused.value.used_from) == ("b", NOON + 5 * MINUTE)
    assert successor(schedule, ["a", "b"], "c", at=5)["c"].used_from == NOON + 10 * MINUTE


def removal(
    schedule: KeySchedule, files: list[str], removed: str, by: str | None, *, at: int = 0
) -> KeySchedule:
    return plan_removal(
        schedule, files, removed=removed, successor=by, now=NOON + at * MINUTE, overlap=HOUR
    )


def test_a_removed_key_in_use_is_replaced_at_once() -> None:
    made = removal({}, ["a"], "a", "b")
    assert stand(["a", "b"], made, now=NOON) == {"a": R, "b": U}  # also when it comes back
    assert made["b"].published_at == NOON
    assert stand(["b"], made, now=NOON + timedelta(days=999)) == {"b": U}


def test_a_published_successor_comes_early() -> None:
    schedule = successor({}, ["a"], "b")
    made = removal(schedule, ["a", "b"], "a", "b", at=2)
    assert made["b"] == KeyTimes(published_at=NOON, used_from=NOON + 2 * MINUTE)


def test_others_than_the_removed_one_keep_their_end_or_get_one() -> None:
    made = removal({"c": times(retired=3)}, ["a", "b", "c"], "a", "d")
    assert made["b"].retired_from == NOON + HOUR
    assert made["c"].retired_from == NOON + 3 * MINUTE


def test_without_its_successor_a_key_stays() -> None:
    """Else it would be retired with nobody to follow it."""
    schedule = successor({}, ["a"], "b")
    made = removal(schedule, ["a", "b"], "b", None, at=1)
    assert stand(["a"], made, now=NOON + timedelta(days=999)) == {"a": U}


def test_a_removed_successor_that_is_still_there_follows_nobody() -> None:
    """As after a crash, or when a copy of it comes back."""
    schedule = removal(successor({}, ["a"], "b"), ["a", "b"], "b", None, at=1)
    made = removal(schedule, ["a", "b", "x"], "x", None, at=2)
    assert stand(["a", "b"], made, now=NOON + timedelta(days=999)) == {"a": U, "b": R}
    assert successor(schedule, ["a", "b"], "c", at=2)["c"].used_from == NOON + 7 * MINUTE


def test_the_end_of_another_key_is_left_alone() -> None:
    schedule = successor({}, ["a"], "b")
    while_waiting = removal(schedule, ["x", "a", "b"], "x", None, at=1)
    assert while_waiting == {**schedule, "x": times(retired=1)}
    assert removal(schedule, ["a", "b"], "a", None, at=10)["b"] == schedule["b"]
    assert removal({}, ["a", "b"], "b", None) == {"b": times(retired=0)}
    with pytest.raises(NoKeyInUse):
        removal({}, ["a"], "a", None)


def test_letters_go_round_and_are_never_taken_twice() -> None:
    assert choose_letter([], after="") == "a"
    assert choose_letter(["a", "y", "z"], after="z") == "b"
    assert choose_letter(["z"], after="z", given=["a", "z"]) == "b"
    assert choose_letter(["z"], after="z", given="abcdefghijklmnopqrstuvwxyz") == "a"
    with pytest.raises(ValueError, match="taken"):
        choose_letter("abcdefghijklmnopqrstuvwxyz", after="a")


@given(moments=st.lists(st.integers(0, 200), min_size=1, max_size=6))
def test_whatever_is_rotated_when_every_key_was_published_first(moments: list[int]) -> None:
    """And each key is accepted for the whole overlap after it was used last."""
    schedule: KeySchedule = {}
    files = ["a"]
    for at, name in zip(sorted(moments), "bcdefgh", strict=False):
        try:
            schedule = successor(schedule, files, name, at=at)
        except RotationUnderWay:
            continue
        files.append(name)
    seen = [stand(files, schedule, now=NOON + at * MINUTE) for at in range(0, 300, 1)]
    for before, after in pairwise(seen):
        for file in files:
            assert not (before[file] is R and after[file] is not R)
            if after[file] is U and before[file] is not U:
                assert before[file] is P
            assert not (before[file] is U and after[file] is R)


# The times themselves


def test_leads_and_overlaps_hold_what_they_promise() -> None:
    client = timedelta(seconds=MAX_ASSERTION_LIFE_SECONDS + 2 * SKEW_SECONDS)
    assert max(client, ASSERTION_MAX_AGE + 2 * CLOCK_SKEW) <= LONGEST_CLAIM
    storage = ROTATING[STORAGE]
    assert storage.overlap >= LONGEST_CLAIM + CLOCKS_DIFFER
    for kind in EVERY_KIND:
        lives = kind.ttl_seconds + kind.tombstone_ttl_seconds
        assert storage.overlap > timedelta(seconds=lives)
    assert timedelta(seconds=FORM_SECONDS) == FORM_DAY < ROTATING[COOKIE].overlap
    assert ROTATING[TOKEN].lead > JWKS_CACHE
    assert ROTATING[TOKEN].overlap > JWKS_CACHE + timedelta(seconds=ID_TOKEN_TTL_SECONDS)
    assert ROTATING[SAML_SIGNING].lead >= METADATA_LIFE
    assert ROTATING[SAML_DECRYPTION].overlap >= METADATA_LIFE
