"""Attack: make two people, or two parties, meet in one value.

A school may state any text as identifier and any 64 bytes as ECK iD, suppliers may pool what they
got, and a supplier may run a school. None of that may let somebody reach another's pseudonym.
"""

from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.domain.ids import SchoolId, SupplierId
from broker.pseudonyms import group
from broker.pseudonyms.derivation import (
    EckIdBytes,
    derive_pseudonym,
    lp,
    parse_pseudonym,
    root_from_eckid,
    root_from_local,
    root_from_local_staff,
    supplier_scalar,
)
from broker.pseudonyms.epochs import select_key
from broker.pseudonyms.oprf import hash_to_group
from tests.pseudonyms.vectors import PAIRWISE_KEYS, ROOT_KEY

KEY = select_key(PAIRWISE_KEYS, pinned="a")
SUPPLIERS = [SupplierId(each) for each in ("rekenrijk", "taaltuin", "biosfeer")]
SCHOOL = SchoolId("vuurvogel")


def pseudonym_at(root, supplier):
    return parse_pseudonym(derive_pseudonym(root, supplier=supplier, key=KEY)).element


@given(st.from_regex(r"[a-z0-9]{2,16}", fullmatch=True), st.data())
def test_moving_the_border_between_school_and_identifier_gives_other_people(whole, data):
    cuts = st.integers(1, len(whole) - 1)
    one, other = data.draw(cuts), data.draw(cuts)
    left = root_from_local(SchoolId(whole[:one]), whole[one:], key=ROOT_KEY)
    right = root_from_local(SchoolId(whole[:other]), whole[other:], key=ROOT_KEY)
    assert (left == right) == (one == other)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_no_identifier_reaches_into_another_kind_of_root(text):
    """Labels are parts of a fixed set that is prefix-free once lp follows."""
    if not text.strip():
        return
    pupil = root_from_local(SCHOOL, text, key=ROOT_KEY)
    staff = root_from_local_staff(SCHOOL, text, key=ROOT_KEY)
    eckid = root_from_eckid(EckIdBytes(text.encode()[:64].ljust(64, b"\0")), key=ROOT_KEY)
    assert len({pupil, staff, eckid}) == 3


def test_an_identifier_cannot_spell_out_label_and_lengths_of_another():
    """The bytes of a whole input, stated as an identifier, are still one part of another input."""
    victim = b"schuilnaam/local-staff/v1" + lp("vuurvogel", "140136")
    forged = root_from_local(SCHOOL, victim.decode(), key=ROOT_KEY)
    assert forged != root_from_local_staff(SCHOOL, "140136", key=ROOT_KEY)
    stated = b"schuilnaam/local/v1" + lp("vuurvogel", victim)
    assert group.multiply(ROOT_KEY.scalar, hash_to_group(stated)) == forged


@pytest.mark.parametrize(("first", "second"), list(permutations(SUPPLIERS, 2)))
@pytest.mark.parametrize("way", ["eckid, doubled", "eckid, padded", "identifier", "staff"])
def test_one_party_s_output_fed_in_as_another_s_input_is_unrelated(first, second, way):
    """If the factors commuted, `second` fed with `first`'s pseudonym would meet what `first` gets
    when fed with `second`'s, or a product of factors that somebody can take apart."""
    root = root_from_eckid(EckIdBytes(b"v" * 64), key=ROOT_KEY)
    feed = {
        "eckid, doubled": lambda each: root_from_eckid(EckIdBytes(each + each), key=ROOT_KEY),
        "eckid, padded": lambda each: root_from_eckid(EckIdBytes(each + bytes(32)), key=ROOT_KEY),
        "identifier": lambda each: root_from_local(SCHOOL, each.hex(), key=ROOT_KEY),
        "staff": lambda each: root_from_local_staff(SCHOOL, each.hex(), key=ROOT_KEY),
    }[way]
    at_first, at_second = pseudonym_at(root, first), pseudonym_at(root, second)
    there = pseudonym_at(feed(at_first), second)
    back = pseudonym_at(feed(at_second), first)
    assert there != back

    factors = [ROOT_KEY.scalar, *(supplier_scalar(each, key=KEY) for each in (first, second))]
    factors += [group.invert(each) for each in factors]
    values = [root, at_first, at_second]
    products = {group.multiply(factor, each) for factor, each in product(factors, values)}
    products |= {
        group.multiply(group.multiply_scalars(one, other), each)
        for one, other, each in product(factors, factors, values)
    }
    assert at_second in products  # the search is able to find what commutes
    assert {there, back, feed(at_first), feed(at_second)}.isdisjoint(products)


@settings(max_examples=20)
@given(st.lists(st.binary(min_size=64, max_size=64), min_size=2, max_size=6, unique=True))
def test_pooled_pseudonyms_of_a_class_share_no_value(eckids):
    """Neither text nor bytes, nor a sum or difference, is equal between suppliers."""
    roots = [root_from_eckid(EckIdBytes(each), key=ROOT_KEY) for each in eckids]
    columns = [[pseudonym_at(root, supplier) for root in roots] for supplier in SUPPLIERS]
    everything = [each for column in columns for each in column]
    assert len(set(everything)) == len(everything)
    minus_one = group.Scalar((group.ORDER - 1).to_bytes(32, "little"))
    differences = [
        {group.add(one, group.multiply(minus_one, other)) for one, other in permutations(column, 2)}
        for column in columns
    ]
    assert not differences[0] & differences[1]
    assert not differences[1] & differences[2]
