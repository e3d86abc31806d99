"""Converting a pseudonym goes by way of its root, and only within one supplier."""

import pytest

from broker.domain.ids import SupplierId
from broker.pseudonyms.conversion import (
    Conversion,
    OtherEpoch,
    find_root,
    make_conversion,
    name_root,
)
from broker.pseudonyms.derivation import (
    InvalidPseudonym,
    PersonRoot,
    derive_pseudonym,
    load_pseudonym_key,
    load_root_key,
    root_from_eckid,
)

ONE, TWO = SupplierId("one"), SupplierId("two")
OLD = load_pseudonym_key(bytes(range(32)), epoch="a")
NEW = load_pseudonym_key(bytes(range(1, 33)), epoch="b")
ROOT: PersonRoot = root_from_eckid(b"x" * 64, key=load_root_key(bytes(range(2, 34))))
CONVERSION: Conversion = make_conversion(ONE, left=OLD, entered=NEW)
BACK: Conversion = make_conversion(ONE, left=NEW, entered=OLD)
BEFORE, AFTER = (derive_pseudonym(ROOT, supplier=ONE, key=key) for key in (OLD, NEW))


def test_the_root_comes_back_and_gets_its_other_name() -> None:
    assert find_root(BEFORE, conversion=CONVERSION) == ROOT
    assert name_root(ROOT, conversion=CONVERSION) == AFTER
    assert name_root(find_root(AFTER, conversion=BACK), conversion=BACK) == BEFORE


def test_another_supplier_s_text_leads_to_nobody_s_root() -> None:
    theirs = derive_pseudonym(ROOT, supplier=TWO, key=OLD)
    assert find_root(theirs, conversion=CONVERSION) != ROOT


def test_a_text_of_another_epoch_is_refused() -> None:
    with pytest.raises(OtherEpoch):
        find_root(AFTER, conversion=CONVERSION)


@pytest.mark.parametrize("text", ["", "a", BEFORE.upper(), BEFORE + "a", "a" * 53])
def test_what_is_no_pseudonym_is_refused(text: str) -> None:
    with pytest.raises(InvalidPseudonym):
        find_root(text, conversion=CONVERSION)


def test_a_conversion_shows_no_factor() -> None:
    assert "to_root" not in repr(CONVERSION)
    assert "from_root" not in repr(CONVERSION)
