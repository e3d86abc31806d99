"""Rotations in `continuity_machine`: a supplier's key is changed, turned back, and converted by."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from broker.adapters.databases.sql_register_rows import SqliteRegisterRows
from broker.adapters.databases.sql_rotations import SqliteRotations
from broker.adapters.databases.sql_supplier_counts import SqliteSupplierCounts
from broker.domain.ids import SupplierId
from broker.flow.rotation.conversion import NotConverted, convert_batch
from broker.flow.rotation.rotation_refusals import WindowNotOpen, WindowOpen
from broker.flow.rotation.rotations import RotationDesk
from broker.pseudonyms.conversion import make_conversion
from broker.pseudonyms.derivation import derive_pseudonym
from broker.pseudonyms.epochs import select_key
from tests.flow import continuity_promises as promises
from tests.flow.continuity_operators import PeopleDecide
from tests.flow.continuity_parties import (
    BIOSFEER_ID,
    REKENRIJK_ID,
    TAALTUIN_ID,
)
from tests.flow.continuity_promises import must

SUPPLIERS = (REKENRIJK_ID, TAALTUIN_ID, BIOSFEER_ID)
SUPPLIER = st.sampled_from(SUPPLIERS)


class KeysRotate(PeopleDecide):
    """A supplier's key is rotated, turned back, and its window closed."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs: dict[SupplierId, tuple[str, str | None]] = dict.fromkeys(
            SUPPLIERS, ("a", None)
        )

    def epochs_of(self, supplier: SupplierId) -> tuple[str, str | None]:
        return self.epochs[supplier]

    @property
    def rotation_desk(self) -> RotationDesk:
        return RotationDesk(
            store=SqliteRotations(self.world.folder / "registry.db"),
            keys="ab",
            audit=self.world.audit,
            by="root",
            clock=self.world.clock,
        )

    @rule(supplier=SUPPLIER)
    def rotate(self, supplier: SupplierId) -> None:
        epoch, previous = self.epochs[supplier]
        other = "b" if epoch == "a" else "a"
        try:
            self.rotation_desk.rotate(supplier, letter=other)
        except WindowOpen:
            must(previous is not None, "decided: one window at a time")
            return
        must(previous is None, "decided: one window at a time")
        self.epochs[supplier] = (other, epoch)
        self.world.look()

    @rule(supplier=SUPPLIER, other=SUPPLIER)
    def rotate_and_convert(self, supplier: SupplierId, other: SupplierId) -> None:
        self.rotate(supplier)
        self.convert(supplier, other)

    @rule(supplier=SUPPLIER)
    def turn_back(self, supplier: SupplierId) -> None:
        epoch, previous = self.epochs[supplier]
        try:
            self.rotation_desk.turn_back(supplier)
        except WindowNotOpen:
            must(previous is None, "decided: an open window can be turned back")
            return
        assert previous is not None
        self.epochs[supplier] = (previous, epoch)
        self.world.look()

    @rule(supplier=SUPPLIER)
    def close_window(self, supplier: SupplierId) -> None:
        epoch, previous = self.epochs[supplier]
        counts = SqliteSupplierCounts(self.world.folder / "register.db")
        try:
            self.rotation_desk.close(supplier, counts=counts, leave_stragglers=True)
        except WindowNotOpen:
            must(previous is None, "decided: an open window can be closed")
            return
        self.epochs[supplier] = (epoch, None)
        self.world.look()

    @rule(supplier=SUPPLIER, other=SUPPLIER)
    def convert(self, supplier: SupplierId, other: SupplierId) -> None:
        """Convert all names that a supplier has, and those of another one that it should not."""
        epoch, previous = self.epochs[supplier]
        if previous is None:
            return
        pairwise = self.world.keys.pairwise
        left, entered = (select_key(pairwise, pinned=each) for each in (previous, epoch))
        accounts = sorted(self.ledger.told[supplier])
        texts = [derive_pseudonym(each, supplier=supplier, key=left) for each in accounts]
        strange = [
            derive_pseudonym(each, supplier=other, key=left)
            for each in sorted(self.ledger.told[other])
            if other != supplier
        ]
        batch = convert_batch(
            [*texts, *strange],
            conversion=make_conversion(supplier, left=left, entered=entered),
            rows=SqliteRegisterRows(self.world.folder / "register.db"),
            keys=self.world.keys.register,
        )
        current = {
            account
            for each in self.ledger.stated.values()
            if supplier in each.known_at
            for account in each.opens.values()
        } | {
            self.of_number(number)
            for number, known_at in self.own_account.items()
            if supplier in known_at
        }
        for account, answer in zip(accounts, batch.answers, strict=False):
            converted = (
                None
                if isinstance(answer, NotConverted)
                else self.world.account_of(answer, supplier)
            )
            promises.conversion_names_the_same_account(
                account, converted, is_current=account in current
            )
        must(
            all(isinstance(each, NotConverted) for each in batch.answers[len(accounts) :]),
            "conversion: another supplier's names lead nowhere",
        )
