"""Shares of words: any k of n give the secret back, fewer do not, and mistyped ones are told."""

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shamir_mnemonic.wordlist import WORDLIST

from broker.adapters.keys.key_files import KeyProblem
from broker.adapters.keys.key_shares import (
    WORDS_OF_A_SHARE,
    KeyShare,
    PlacedShare,
    combine_shares,
    read_share,
    split_secret,
)

SECRET = bytes(range(32))
PAPER = Path("paper")
SHARES = split_secret(SECRET, shares=5, threshold=3)


def placed(*shares: KeyShare) -> list[PlacedShare]:
    return [PlacedShare(Path(f"share-{index}"), each) for index, each in enumerate(shares, 1)]


def problem_of(words: tuple[str, ...] | list[str]) -> str:
    with pytest.raises(KeyProblem) as found:
        read_share(words, place=PAPER)
    said = set(str(found.value).split()) - {"paper"}  # where it stands, and itself in the list
    assert not said & set(words)
    assert found.value.__context__ is None  # where the library's own error would show them
    return found.value.problem


@pytest.mark.parametrize("some", list(combinations(SHARES, 3)))
def test_any_three_of_five_give_the_secret(some: tuple[KeyShare, ...]) -> None:
    assert combine_shares(placed(*some)) == SECRET


@given(
    secret=st.binary(min_size=32, max_size=32),
    made=st.integers(2, 16).flatmap(lambda n: st.tuples(st.just(n), st.integers(2, n))),
    order=st.randoms(use_true_random=False),
)
def test_any_k_of_n_give_the_secret_and_fewer_do_not(
    secret: bytes, made: tuple[int, int], order: object
) -> None:
    shares, threshold = made
    split = split_secret(secret, shares=shares, threshold=threshold)
    order.shuffle(split)  # type: ignore[attr-defined]
    assert combine_shares(placed(*split[:threshold])) == secret
    assert combine_shares(placed(*split)) == secret
    with pytest.raises(KeyProblem, match="are needed"):
        combine_shares(placed(*split[: threshold - 1]))


def test_one_of_one_is_the_secret() -> None:
    (only,) = split_secret(SECRET, shares=1, threshold=1)
    assert combine_shares(placed(only)) == SECRET


@pytest.mark.parametrize(
    ("shares", "threshold"), [(5, 6), (5, 1), (17, 3), (0, 0), (3, 0), (-1, -1)]
)
def test_shares_that_make_no_sense_are_refused(shares: int, threshold: int) -> None:
    with pytest.raises(ValueError, match="so many"):
        split_secret(SECRET, shares=shares, threshold=threshold)


def test_a_secret_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        split_secret(b"short", shares=5, threshold=3)


@pytest.mark.parametrize("share", SHARES)
def test_a_share_is_read_back_as_it_was_typed(share: KeyShare) -> None:
    assert read_share([each.upper() for each in share.words], place=PAPER) == share
    assert len(share.words) == WORDS_OF_A_SHARE


def test_words_that_are_not_in_the_list_are_told_by_number() -> None:
    words = list(SHARES[0].words)
    words[6], words[29] = "zzz", "schuilnaam"
    assert problem_of(words) == "words 7, 30 are not in the list of words"


@pytest.mark.parametrize("position", [0, 1, 2, 16, 32])
def test_one_wrong_word_is_told_by_number(position: int) -> None:
    words = list(SHARES[0].words)
    words[position] = WORDLIST[(WORDLIST.index(words[position]) + 1) % len(WORDLIST)]
    assert problem_of(words) == f"word {position + 1} is wrong"


def test_two_wrong_words_are_noticed() -> None:
    words = list(SHARES[0].words)
    words[8], words[9] = words[9], words[8]
    assert words[8] != words[9]
    assert problem_of(words) == "two or more words are mistyped"


@pytest.mark.parametrize("count", [0, 32, 34])
def test_a_word_too_few_or_too_many_is_told(count: int) -> None:
    words = (SHARES[0].words * 2)[:count]
    assert problem_of(list(words)) == f"has {count} words instead of 33"


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ([], "were not given"),
        (SHARES[:2], "2 shares, and 3 are needed"),
        ([SHARES[0]], "1 share, and 3 are needed"),
        ([SHARES[0], SHARES[1], SHARES[0]], "is share 1, as share-1 is"),
        ([*SHARES[:2], split_secret(SECRET, shares=5, threshold=2)[2]], "is of ceremony"),
    ],
    ids=["none", "too few", "one", "twice", "another ceremony"],
)
def test_shares_that_do_not_make_a_set_are_told(shares: list[KeyShare], told: str) -> None:
    with pytest.raises(KeyProblem, match=told):
        combine_shares(placed(*shares))


def with_id_of(model: KeyShare, stranger: KeyShare) -> KeyShare:
    """Return a share of other words that says it is of the model's ceremony."""
    return KeyShare(model.ceremony, stranger.number, stranger.threshold, stranger.words)


@pytest.mark.parametrize("kept", [2, 3])
def test_shares_of_a_ceremony_with_the_same_id_are_told(kept: int) -> None:
    """Also one more than is needed: it must not be taken for good."""
    other = with_id_of(SHARES[0], split_secret(bytes(32), shares=5, threshold=3)[4])
    with pytest.raises(KeyProblem, match="does not belong to the others") as found:
        combine_shares(placed(*SHARES[:kept], other))
    assert found.value.file == Path(f"share-{kept + 1}")
    assert found.value.__context__ is None


def test_no_word_shows_in_a_repr() -> None:
    shown = repr(placed(*SHARES))
    assert f"KeyShare(ceremony='{SHARES[0].ceremony}', number=1, threshold=3)" in shown
