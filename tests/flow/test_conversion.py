"""Bulk conversion: each text by itself, only persons whom this supplier knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from broker.domain.ids import SupplierId
from broker.flow.persons.register import (
    CLOSED_ROW,
    RegisterKeys,
    RegisterUnavailable,
    StoredRow,
    derive_register_keys,
)
from broker.flow.persons.supplier_counts import derive_mark
from broker.flow.rotation.conversion import (
    Answer,
    ConvertedBatch,
    NotConverted,
    audit_conversion,
    convert_batch,
    kind_of,
)
from broker.pseudonyms.conversion import make_conversion
from broker.pseudonyms.derivation import Pseudonym, derive_pseudonym, load_pseudonym_key
from tests.flow.port_fakes import ListAudit
from tests.known_persons import KnownRow, a_record, a_root, a_row

ONE, TWO = SupplierId("one"), SupplierId("two")
OLD = load_pseudonym_key(bytes(range(32)), epoch="a")
NEW = load_pseudonym_key(bytes(range(1, 33)), epoch="b")
KEYS: RegisterKeys = derive_register_keys(bytes(range(3, 35)))


@dataclass
class MemoryRows:
    """`RegisterRows` over a mapping; counts its look-ups."""

    rows: dict[bytes, StoredRow] = field(default_factory=dict)
    looked_up: int = 0

    def add(self, *known: KnownRow) -> None:
        self.rows |= {each.tag: each.row for each in known}

    def find(self, tags: Sequence[bytes]) -> Mapping[bytes, StoredRow]:
        self.looked_up += 1
        return {tag: self.rows[tag] for tag in tags if tag in self.rows}


@pytest.fixture
def rows() -> MemoryRows:
    return MemoryRows()


def convert(rows: MemoryRows, *texts: str, supplier: SupplierId = ONE) -> ConvertedBatch:
    conversion = make_conversion(supplier, left=OLD, entered=NEW)
    return convert_batch(texts, conversion=conversion, rows=rows, keys=KEYS)


def names(known: KnownRow, supplier: SupplierId = ONE) -> tuple[Pseudonym, Pseudonym]:
    """Return somebody's pseudonym of before, and the new one."""
    before, after = (derive_pseudonym(known.root, supplier=supplier, key=key) for key in (OLD, NEW))
    return before, after


def somebody(**suppliers: str) -> KnownRow:
    root = a_root()
    return a_row(root, a_record(root, suppliers), keys=KEYS)


def test_a_known_person_gets_the_new_pseudonym(rows: MemoryRows) -> None:
    known = somebody(one="a")
    rows.add(known)
    before, after = names(known)
    batch = convert(rows, before)
    assert batch.answers == (after,)
    (noted,) = batch.converted
    assert (noted.tag, noted.row_epoch) == (known.tag, "a")
    assert noted.nonce == known.row.sealed[1:13]
    assert noted.mark == derive_mark(KEYS, supplier=ONE, root=known.root)


def test_who_was_at_another_supplier_only_is_unknown(rows: MemoryRows) -> None:
    known = somebody(two="a")
    rows.add(known)
    assert convert(rows, names(known)[0]).answers == (NotConverted.UNKNOWN,)
    assert convert(rows, names(known, TWO)[0], supplier=TWO).answers == (names(known, TWO)[1],)


def test_another_supplier_s_text_is_unknown(rows: MemoryRows) -> None:
    known = somebody(one="a", two="a")
    rows.add(known)
    assert convert(rows, names(known, TWO)[0]).answers == (NotConverted.UNKNOWN,)


def test_a_root_that_nobody_has_is_unknown(rows: MemoryRows) -> None:
    batch = convert(rows, names(somebody(one="a"))[0])
    assert (batch.answers, batch.converted) == ((NotConverted.UNKNOWN,), ())


def test_a_number_s_account_is_found_with_the_eck_id_that_holds_it(rows: MemoryRows) -> None:
    holder, number = a_root(), a_root()
    at_holder = a_row(holder, a_record(holder, {"one": "a"}), keys=KEYS)
    for binding in ({"bound_to": holder}, {"bound_to": a_root(), "held_by": holder}):
        own = a_row(number, a_record(number, {}, **binding), keys=KEYS)
        rows.add(at_holder, own)
        before, after = names(own)
        batch = convert(rows, before)
        assert batch.answers == (after,)
        assert batch.converted[0].tag == at_holder.tag


def test_without_the_holder_s_row_the_number_s_own_counts(rows: MemoryRows) -> None:
    number = a_root()
    own = a_row(number, a_record(number, {"one": "a"}, bound_to=a_root()), keys=KEYS)
    rows.add(own)
    assert convert(rows, names(own)[0]).answers == (names(own)[1],)


def test_an_account_that_was_closed_is_unknown_and_the_fresh_one_is_found(
    rows: MemoryRows,
) -> None:
    number, fresh = a_root(), a_root()
    own = a_row(number, a_record(number, {"one": "a"}, own=fresh), keys=KEYS)
    at_fresh = a_row(fresh, a_record(fresh, {}, held_by=number), keys=KEYS)
    rows.add(own, at_fresh)
    assert convert(rows, names(own)[0]).answers == (NotConverted.UNKNOWN,)
    assert convert(rows, names(at_fresh)[0]).answers == (names(at_fresh)[1],)
    rows.rows[own.tag] = CLOSED_ROW
    assert convert(rows, names(own)[0]).answers == (NotConverted.UNKNOWN,)


def test_each_text_is_answered_by_itself_in_two_look_ups(rows: MemoryRows) -> None:
    people = [somebody(one="a") for _ in range(5)]
    rows.add(*people)
    expected: list[Answer] = []
    asked: list[str] = []
    for before, after in map(names, people):
        asked += [before, "no pseudonym", after, before.upper()]
        expected += [
            after,
            NotConverted.MALFORMED,
            NotConverted.OTHER_EPOCH,
            NotConverted.MALFORMED,
        ]
    batch = convert(rows, *asked)
    assert list(batch.answers) == expected
    assert (len(batch.converted), rows.looked_up) == (5, 1)


def test_no_text_is_looked_up_for_nothing(rows: MemoryRows) -> None:
    assert convert(rows, "no pseudonym").answers == (NotConverted.MALFORMED,)
    assert rows.looked_up == 0


def test_a_damaged_row_stops_it(rows: MemoryRows) -> None:
    known = somebody(one="a")
    damaged = replace(known, row=replace(known.row, sealed=known.row.sealed[:-1] + b"\0\1"))
    rows.add(damaged)
    with pytest.raises(RegisterUnavailable):
        convert(rows, names(known)[0])


def test_the_audit_counts_and_names_nobody() -> None:
    audit = ListAudit(frozenset())
    pseudonym = names(somebody())[0]
    tally = {kind_of(pseudonym): 2, kind_of(NotConverted.UNKNOWN): 1}
    audit_conversion(audit, supplier=ONE, tally=tally)
    (event,) = audit.events
    assert event.counts == (("converted", 2), ("unknown", 1))
    assert pseudonym not in repr(event)
