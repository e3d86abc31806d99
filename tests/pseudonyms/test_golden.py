"""Golden pseudonyms tell another key, and another epoch, from the same ones."""

import pytest

from broker.pseudonyms.derivation import load_root_key, parse_pseudonym
from broker.pseudonyms.epochs import PairwiseKeys, load_pairwise_keys
from broker.pseudonyms.golden import GOLDEN_SUPPLIERS, derive_golden, find_wrong_golden

ROOT, OTHER_ROOT = load_root_key(b"r" * 32), load_root_key(b"o" * 32)
PAIRWISE = load_pairwise_keys({"a": b"a" * 32, "b": b"b" * 32})


def test_each_epoch_supplier_and_person_has_one() -> None:
    golden = derive_golden(root=ROOT, pairwise=PAIRWISE)
    assert len(golden) == 2 * len(GOLDEN_SUPPLIERS) * 5
    assert len(set(golden.values())) == len(golden)
    assert all(parse_pseudonym(text).epoch == name[0] for name, text in golden.items())


def test_the_same_keys_make_the_same() -> None:
    golden = derive_golden(root=ROOT, pairwise=PAIRWISE)
    assert find_wrong_golden(golden, root=ROOT, pairwise=PAIRWISE) == ()


@pytest.mark.parametrize(
    ("root", "pairwise", "wrong"),
    [
        (OTHER_ROOT, PAIRWISE, 20),
        (ROOT, load_pairwise_keys({"a": b"a" * 32, "b": b"x" * 32}), 10),
        (ROOT, load_pairwise_keys({"a": b"a" * 32}), 10),
        (ROOT, load_pairwise_keys({"a": b"a" * 32, "b": b"b" * 32, "c": b"c" * 32}), 10),
    ],
    ids=["another root", "another key", "an epoch less", "an epoch more"],
)
def test_other_keys_are_told(root: object, pairwise: PairwiseKeys, wrong: int) -> None:
    golden = derive_golden(root=ROOT, pairwise=PAIRWISE)
    assert len(find_wrong_golden(golden, root=root, pairwise=pairwise)) == wrong  # type: ignore[arg-type]
