"""Epochs: a pin picks its key, whatever is newest, and never another one instead."""

import pytest

from broker.domain.ids import SupplierId
from broker.pseudonyms.derivation import EckIdBytes, InvalidKey, derive_pseudonym, root_from_eckid
from broker.pseudonyms.epochs import (
    EpochKeyMissing,
    NoEpochKeys,
    load_pairwise_keys,
    select_key,
)
from tests.pseudonyms.vectors import ROOT_KEY

KEYS = {"a": b"a" * 32, "b": b"b" * 32, "c": b"c" * 32}
ROOT = root_from_eckid(EckIdBytes(b"e" * 64), key=ROOT_KEY)


def _pseudonym(keys, *, pinned):
    key = select_key(load_pairwise_keys(keys), pinned=pinned)
    return derive_pseudonym(ROOT, supplier=SupplierId("rekenrijk"), key=key)


def test_the_newest_is_the_highest_letter_in_whatever_order_they_come():
    assert load_pairwise_keys(KEYS).newest == "c"
    assert load_pairwise_keys({"b": b"b" * 32, "a": b"a" * 32}).newest == "b"


def test_adding_a_key_changes_no_pseudonym():
    before = _pseudonym({"a": KEYS["a"]}, pinned="a")
    assert _pseudonym(KEYS, pinned="a") == before
    assert _pseudonym(KEYS, pinned="b") != before


@pytest.mark.parametrize("pinned", ["d", "", "A", "ab"])
def test_epoch_key_missing(pinned):
    keys = load_pairwise_keys(KEYS)
    assert pinned not in keys
    with pytest.raises(EpochKeyMissing) as caught:
        select_key(keys, pinned=pinned)
    assert caught.value.subject == pinned
    for letter in KEYS:
        assert letter in keys
        assert select_key(keys, pinned=letter).epoch == letter


def test_a_gap_is_refused_not_filled():
    with pytest.raises(EpochKeyMissing):
        select_key(load_pairwise_keys({"a": KEYS["a"], "c": KEYS["c"]}), pinned="b")


def test_no_keys_at_all_are_refused():
    with pytest.raises(NoEpochKeys):
        load_pairwise_keys({})
    with pytest.raises(NoEpochKeys):
        load_pairwise_keys({"a": b"k" * 32, "b": b"k" * 32})
    with pytest.raises(InvalidKey):
        load_pairwise_keys({"A": b"k" * 32})
    assert load_pairwise_keys({"a": b"k" * 32}).newest == "a"


def test_keys_are_hidden_and_cannot_be_exchanged():
    keys = load_pairwise_keys(KEYS)
    assert repr(keys) == "PairwiseKeys(newest='c')"
    with pytest.raises(TypeError):
        keys.by_letter["a"] = keys.by_letter["b"]
