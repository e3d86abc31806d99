"""Levels of logins: what is told is never more than what was stated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.assurance import (
    ACR_VALUES,
    HIGH,
    LOW,
    MULTI_FACTOR,
    SINGLE_FACTOR,
    SUBSTANTIAL,
    choose_level,
    covers,
    may_mean,
    read_level,
)

PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
SMARTCARD = "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI"
LEVELS = st.sampled_from(ACR_VALUES)


@given(LEVELS, st.lists(LEVELS))
def test_what_is_told_is_covered_by_what_is_there(level: str, wanted: list[str]) -> None:
    assert covers(level, choose_level(level, wanted=wanted))


@given(LEVELS, LEVELS)
def test_a_level_is_its_own_ladder_s(one: str, other: str) -> None:
    assert covers(one, one)
    assert (covers(one, other) and covers(other, one)) is (one == other)


def test_no_level_covers_none() -> None:
    assert not covers("", LOW)
    assert choose_level("", wanted=[LOW]) == ""


@pytest.mark.parametrize(
    ("stated", "level"), [("", ""), (PASSWORD, LOW), (SUBSTANTIAL, SUBSTANTIAL), ("urn:x", "")]
)
def test_a_stated_level_means_what_its_document_says_or_itself(stated: str, level: str) -> None:
    assert read_level(stated, meanings={PASSWORD: LOW}) == level


@pytest.mark.parametrize(
    ("stated", "most"),
    [
        (PASSWORD, LOW),
        (PASSWORD, SINGLE_FACTOR),
        ("1", LOW),
        (MULTI_FACTOR, SUBSTANTIAL),
        ("2", SUBSTANTIAL),
        ("2", MULTI_FACTOR),
        (LOW, LOW),
        (SUBSTANTIAL, SUBSTANTIAL),
        (HIGH, HIGH),
        (SMARTCARD, HIGH),
    ],
)
def test_a_document_may_say_so_and_never_more(stated: str, most: str) -> None:
    assert may_mean(stated, most)
    higher = [each for each in ACR_VALUES if covers(each, most) and each != most]
    assert not any(may_mean(stated, each) for each in higher)
