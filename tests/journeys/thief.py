"""Somebody who has every file of a broker's `data/` and `keys/`, and may know somebody's ECK iD.

What is tried: every value that rests anywhere, as it is and as every kind of thing that could open
a row (key, root, ECK iD, number, login identifier, salt, transfer's code, pseudonym), over and over
with what was opened meanwhile; and whether one resting value follows from another under any key and
any label that the program has, which would tie two rows together.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

import msgspec

from broker.domain.ids import SchoolId, SupplierId
from broker.domain.transfer_refusals import TransferUnknown
from broker.flow.enrolment.enrolment_records import (
    EnrolmentKeys,
    derive_enrolment_keys,
    derive_login_tag,
    open_enrolment,
)
from broker.flow.held_state.framing import MacKey, UnreadableRecord, derive_key, mac, unseal
from broker.flow.persons.person_records import PersonRecord
from broker.flow.persons.register import (
    RegisterKeys,
    StoredRow,
    derive_register_keys,
    derive_tag,
    open_record,
)
from broker.flow.receipts.receipts import derive_receipt_keys
from broker.flow.takeover.takeover_lists import ListKind
from broker.flow.transfers.transfer_offers import derive_offer_tag, read_code
from broker.pseudonyms.conversion import OtherEpoch, find_root, make_conversion
from broker.pseudonyms.derivation import (
    EckIdUnusable,
    IdentifierNotDerivable,
    InvalidPseudonym,
    PersonRoot,
    lp,
    parse_eckid,
    root_from_eckid,
    root_from_local,
    root_from_local_staff,
)
from broker.pseudonyms.group import InvalidElement, parse_element
from tests.journeys.loot import Loot, Row, Value, everything_in, keyed_columns, texts_in, values_in
from tests.quality.sources import BROKER


@dataclass
class Opened:
    """What a thief opened: rows by table, each by what finds it."""

    persons: dict[bytes, PersonRecord] = field(default_factory=dict)
    enrolments: set[bytes] = field(default_factory=set)
    receipts: set[bytes] = field(default_factory=set)
    transfers: set[bytes] = field(default_factory=set)

    @property
    def count(self) -> int:
        return sum(map(len, (self.persons, self.enrolments, self.receipts, self.transfers)))


class Thief:
    """Opens what can be opened with the loot and, perhaps, something that the thief knows."""

    def __init__(self, loot: Loot, *, knows: Iterable[Value] = ()) -> None:
        self.loot = loot
        self.register: RegisterKeys = derive_register_keys(loot.keys.register)
        self.enrolment: EnrolmentKeys = derive_enrolment_keys(loot.keys.register)
        self.material: set[Value] = {*everything_in(loot), *knows}
        self.opened = Opened()
        self._tried: set[Value] = set()
        self.roots: set[PersonRoot] = set()

    @cached_property
    def schools(self) -> list[SchoolId]:
        rows = self.loot.tables["documents"]
        return sorted({SchoolId(each["id"]) for each in rows if each["kind"] == "schools"})

    @cached_property
    def suppliers(self) -> list[SupplierId]:
        rows = self.loot.tables["documents"]
        return sorted({SupplierId(each["id"]) for each in rows if each["kind"] == "suppliers"})

    def try_everything(self) -> Opened:
        """Open whatever opens, until nothing more does."""
        while new := self.material - self._tried:
            self._tried |= new
            self.roots |= set(self._roots(new))
            self._open_persons()
            self._open_enrolments()
            self._open_receipts()
            self._open_transfers()
        return self.opened

    def _roots(self, values: Iterable[Value]) -> Iterator[PersonRoot]:
        """Yield every person root that a value is, or leads to."""
        key = self.loot.keys.root
        for value in values:
            if isinstance(value, bytes):
                with suppress(InvalidElement):
                    yield PersonRoot(parse_element(value))
                with suppress(EckIdUnusable):
                    yield root_from_eckid(value, key=key)
                continue
            with suppress(EckIdUnusable):
                yield root_from_eckid(parse_eckid(value), key=key)
            yield from self._roots_of_pseudonym(value)
            for school, derive in product(self.schools, (root_from_local, root_from_local_staff)):
                with suppress(IdentifierNotDerivable):
                    yield derive(school, value, key=key)

    def _roots_of_pseudonym(self, text: str) -> Iterator[PersonRoot]:
        for supplier, key in product(self.suppliers, self.loot.keys.pairwise.by_letter.values()):
            with suppress(InvalidPseudonym, OtherEpoch):
                yield find_root(text, conversion=make_conversion(supplier, left=key, entered=key))

    def _open_persons(self) -> None:
        rows = {each["tag"]: each for each in self.loot.tables["persons"]}
        for root in self.roots:
            tag = derive_tag(self.register, root)
            if tag not in rows:
                continue
            row = StoredRow(rows[tag]["sealed"], rows[tag]["school_year"])
            record = open_record(row, root=root, keys=self.register)
            self.opened.persons[tag] = record
            self.material |= set(values_in(msgspec.to_builtins(record, builtin_types=(bytes,))))

    def _open_enrolments(self) -> None:
        rows = {each["tag"]: each["sealed"] for each in self.loot.tables["enrolments"]}
        for login, school in product(texts_in(self.material), self.schools):
            tag = derive_login_tag(self.enrolment, school, login)
            if tag in rows and tag not in self.opened.enrolments:
                record = open_enrolment(rows[tag], school=school, login=login, keys=self.enrolment)
                self.opened.enrolments.add(tag)
                self.material |= set(values_in(msgspec.to_builtins(record, builtin_types=(bytes,))))

    def _open_receipts(self) -> None:
        """Find receipts by locator: it and the sealing key come out of one derivation."""
        salts = [each for each in self.material if isinstance(each, bytes) and len(each) == 16]
        weeks = sorted({each["week"] for each in self.loot.tables["receipts"]})
        wanted = set(self.loot.column("receipts.locator"))
        label = b"schuilnaam/receipt-locator/v1"
        for root, salt, school in product(self.roots, salts, self.schools):
            keys = derive_receipt_keys(self.loot.keys.receipts, root=root, school=school, salt=salt)
            for week, supplier in product(weeks, self.suppliers):
                locator = mac(keys.locate, label, week.to_bytes(4, "big"), supplier)
                self.opened.receipts |= {locator} & wanted

    def _open_transfers(self) -> None:
        tags = set(self.loot.column("transfers.tag"))
        for text in texts_in(self.material):
            with suppress(TransferUnknown):
                self.opened.transfers |= {derive_offer_tag(self.register, read_code(text))} & tags

    def open_by_force(self) -> list[str]:
        """Return the columns of which a value opens with any 32 bytes that rest, taken for a key.

        Bound to the place as the program binds it: format, tag, and what stands beside it.
        """
        keys = {each for each in self.material if isinstance(each, bytes) and len(each) == 32}
        keys |= {self._derived(each, label) for each in list(keys) for label in LABELS}
        found = []
        for name, bound in _sealed(self.loot, self.enrolment):
            for sealed, places in bound:
                for key, place in product(keys, places):
                    with suppress(UnreadableRecord):
                        unseal(key, sealed, bound_to=place)
                        found.append(name)
        return found

    @staticmethod
    def _derived(key: bytes, label: bytes) -> bytes:
        return derive_key(key, label)

    def links(self) -> set[tuple[str, str]]:
        """Return the pairs of columns of which a value of one follows from a value of the other.

        By any of the register's keys, under any label of the program, beside any school, supplier
        and kind of list: `(from, to)`.
        """
        keyed = {
            value: name
            for name in keyed_columns()
            for value in self.loot.column(name)
            if isinstance(value, bytes)
        }
        sources = {**keyed, **{bytes(each): "a root" for each in self.roots_opened()}}
        ours: tuple[bytes | MacKey, ...] = (
            self.register.tag,
            self.loot.keys.register,
            self.enrolment.tag,
        )
        names = [*self.schools, *self.suppliers]
        pairs = [*product(self.schools, self.suppliers), *product(self.suppliers, self.schools)]
        found = set()
        for value, source in sources.items():
            parts: list[tuple[bytes | str, ...]] = [(value,)]
            parts += [each for name in names for each in ((name, value), (value, name))]
            parts += [
                (*before, *pair, value)
                for before in ((), *((each,) for each in ListKind))
                for pair in pairs
            ]
            for key, label, part in product(ours, LABELS, parts):
                target = keyed.get(mac(key, label, *part))
                if target is not None:
                    found.add((source, target))
        return found

    def roots_opened(self) -> set[PersonRoot]:
        """Return the roots under which something was opened."""
        tags = set(self.opened.persons)
        return {each for each in self.roots if derive_tag(self.register, each) in tags}


def _labels() -> tuple[bytes, ...]:
    """Return every label of the program's source that a value of the register is derived under."""
    found: set[str] = set()
    for file in BROKER.rglob("*.py"):
        found |= set(re.findall(r'b"(schuilnaam/[a-z/0-9-]+)"', file.read_text()))
    return tuple(sorted(each.encode() for each in found))


LABELS = _labels()


def _sealed(
    loot: Loot, keys: EnrolmentKeys
) -> Iterator[tuple[str, list[tuple[bytes, tuple[bytes, ...]]]]]:
    """Yield each sealed column with its values, and to what each is bound."""

    def of(table: str, column: str, place: Callable[[Row], bytes]) -> list[Any]:
        return [
            (row[column], (place(row), b""))
            for row in loot.tables[table]
            if row[column] is not None
        ]

    yield (
        "persons.sealed",
        of("persons", "sealed", lambda r: lp(r["tag"], r["school_year"].to_bytes(2, "big"))),
    )
    yield "enrolments.sealed", of("enrolments", "sealed", lambda r: lp(r["tag"], r["of"]))
    yield (
        "receipts.ciphertext",
        of(
            "receipts",
            "ciphertext",
            lambda r: lp(r["locator"], r["school"], r["week"].to_bytes(4, "big")),
        ),
    )
    yield "transfers.sealed", of("transfers", "sealed", lambda r: r["tag"])
    yield "transfers.accepting", of("transfers", "accepting", lambda r: r["tag"])
