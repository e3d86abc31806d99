"""Packed agreements answer as a dictionary of the same agreements would."""

from collections.abc import Iterable
from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.adapters.databases.packed_agreements import (
    PackedAgreements,
    of_board,
    of_school,
    pack_agreement,
)
from broker.domain.agreements import Agreement, GroupRule, NoticeMode, Stopped, StoppedBy
from broker.domain.attributes import VOCABULARY
from broker.domain.ids import BoardId, SchoolId, SupplierId
from tests.domain.federation_records import an_agreement

SLUGS = st.sampled_from(["a", "a-b", "a0", "ab", "a-b-c", "b", "ba", "0"])
APPROVED = st.frozensets(st.sampled_from(list(VOCABULARY)))
AGREEMENTS = st.builds(
    Agreement,
    school=SLUGS.map(SchoolId),
    board=st.none(),
    supplier=SLUGS.map(SupplierId),
    version=st.integers(1, 2**31),
    first_day=st.dates(),
    last_day=st.none() | st.dates(),
    approved=APPROVED,
    notice=st.sampled_from(NoticeMode),
    approved_staff=st.none() | APPROVED,
    group_rules=st.lists(st.builds(GroupRule, st.frozensets(SLUGS), APPROVED), max_size=2).map(
        tuple
    ),
    sheet=st.integers(0, 9),
    stopped=st.none() | st.builds(Stopped, st.sampled_from(StoppedBy), st.dates()),
)


def packed(agreements: Iterable[Agreement]) -> PackedAgreements[SchoolId]:
    rows = {f"{each.school}/{each.supplier}": pack_agreement(each) for each in agreements}
    return PackedAgreements(sorted(rows.items()), unpack=of_school)


@given(st.lists(AGREEMENTS), SLUGS, SLUGS)
def test_look_ups_are_those_of_a_dictionary(
    agreements: list[Agreement], school: str, supplier: str
) -> None:
    plain = {(each.school, each.supplier): each for each in agreements}
    found = packed(agreements)
    assert dict(found) == plain
    assert len(found) == len(plain)
    asked = SchoolId(school), SupplierId(supplier)
    assert found.get(asked) == plain.get(asked)


def test_a_board_s_agreement_names_the_board() -> None:
    signed = an_agreement(school=None, board="stichting")
    found = PackedAgreements([("stichting/rekenrijk", pack_agreement(signed))], unpack=of_board)
    assert found[BoardId("stichting"), SupplierId("rekenrijk")] == signed


def test_what_is_not_in_order_is_refused() -> None:
    terms = pack_agreement(an_agreement())
    with pytest.raises(ValueError, match="order"):
        PackedAgreements([("b/x", terms), ("a/x", terms)], unpack=of_school)


def test_terms_that_an_earlier_release_packed_are_read() -> None:
    """Its rows stay as they are: whoever decided nothing new has nothing new in them."""
    before = msgspec.msgpack.encode((3, date(2025, 8, 1), None, ["sn"], "none"))
    found = PackedAgreements([("vuurvogel/rekenrijk", before)], unpack=of_school)
    agreement = found[SchoolId("vuurvogel"), SupplierId("rekenrijk")]
    assert (agreement.version, agreement.approved_staff, agreement.group_rules) == (3, None, ())
    assert (agreement.sheet, agreement.stopped) == (0, None)
