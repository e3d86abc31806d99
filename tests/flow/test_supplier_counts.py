"""Counts of suppliers' persons: what a changed row moves, and how far a window is."""

import pytest

from broker.domain.attributes import Population
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.persons.person_records import PersonRecord, SeenAt, SupplierSeen
from broker.flow.persons.register import RegisterKeys, derive_register_keys
from broker.flow.persons.supplier_counts import (
    SupplierTotals,
    derive_mark,
    find_moves,
    measure_progress,
)
from broker.pseudonyms.derivation import PersonRoot, load_root_key, root_from_eckid

KEYS: RegisterKeys = derive_register_keys(bytes(range(32)))
ROOT: PersonRoot = root_from_eckid(b"x" * 64, key=load_root_key(bytes(range(32))))
OTHER: PersonRoot = root_from_eckid(b"y" * 64, key=load_root_key(bytes(range(32))))


def a_record(**epochs: str) -> PersonRecord:
    return PersonRecord(
        population=Population.PUPIL,
        account=ROOT,
        salt=bytes(16),
        seen={SchoolId("vuurvogel"): SeenAt(account=ROOT)},
        school_year=2026,
        suppliers={SupplierId(name): SupplierSeen(epoch=each) for name, each in epochs.items()},
    )


def moves(before: PersonRecord | None, after: PersonRecord) -> list[tuple[str, str, str]]:
    found = find_moves(before, after, root=ROOT, keys=KEYS)
    assert all(each.mark == derive_mark(KEYS, supplier=each.supplier, root=ROOT) for each in found)
    return [(each.supplier, each.left, each.entered) for each in found]


def test_a_row_moves_a_person_where_an_epoch_changes() -> None:
    assert moves(None, a_record()) == []
    assert moves(None, a_record(one="a")) == [("one", "", "a")]
    assert moves(a_record(one="a"), a_record(one="a")) == []
    assert moves(a_record(one="a", two="a"), a_record(one="b", two="a")) == [("one", "a", "b")]
    assert moves(a_record(one="a"), a_record()) == [("one", "a", "")]


def test_a_mark_is_of_one_person_at_one_supplier() -> None:
    one, two = SupplierId("one"), SupplierId("two")
    marks = {
        derive_mark(KEYS, supplier=supplier, root=root)
        for supplier in (one, two)
        for root in (ROOT, OTHER)
    }
    assert len(marks) == 4


@pytest.mark.parametrize(
    ("seen", "converted", "stragglers"),
    [
        ({"a": 7, "b": 3}, {}, 7),
        ({"a": 7, "b": 3}, {"b": 7}, 0),
        ({"a": 7, "b": 3}, {"b": 7, "a": 1}, 1),  # one of those was converted back before
        ({}, {"b": 1}, 0),
        ({"z": 4}, {}, 0),  # left behind in an earlier window
    ],
)
def test_stragglers(seen: dict[str, int], converted: dict[str, int], stragglers: int) -> None:
    totals = SupplierTotals(seen=seen, converted=converted)
    progress = measure_progress(totals, epoch="b", previous_epoch="a")
    assert (progress.known, progress.stragglers) == (sum(seen.values()), stragglers)
