"""A supplier's program converts its own pseudonyms: within a quota, noted before it is answered."""

import contextlib
from collections import Counter
from dataclasses import replace

import pytest

from broker.domain.ids import SupplierId
from broker.flow.persons.register import derive_register_keys
from broker.flow.persons.supplier_counts import Converted, SupplierTotals
from broker.flow.programs.quotas import Quota, QuotaExceeded
from broker.flow.rotation.conversion import NotConverted
from broker.flow.rotation.rotation_refusals import WindowMoved, WindowNotOpen
from broker.flow.rotation.rotations import RotationState, RotationWindow
from broker.flow.rotation.supplier_conversion import (
    AT_ONCE,
    ConversionPorts,
    ConversionQuota,
    SupplierConversion,
)
from broker.pseudonyms.derivation import Pseudonym, derive_pseudonym
from broker.pseudonyms.epochs import load_pairwise_keys
from tests.builders import a_supplier
from tests.flow.port_fakes import ListAudit
from tests.flow.test_conversion import MemoryRows
from tests.flow.test_rotation_desk import MemoryRotations
from tests.known_persons import KnownRow, a_record, a_root, a_row

REKENRIJK = SupplierId("rekenrijk")
SUPPLIER = a_supplier(id=REKENRIJK, epoch="b", previous_epoch="a")
PAIRWISE = load_pairwise_keys({"a": bytes(range(32)), "b": bytes(range(1, 33))})
KEYS = derive_register_keys(bytes(range(3, 35)))


class Ledger:
    """`QuotaLedger` in memory."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()

    async def spend(self, quota: Quota, amount: int) -> None:
        if self.spent[quota.of] + amount > quota.limit:
            raise QuotaExceeded("check_quota")
        self.spent[quota.of] += amount


class Counts:
    """`SupplierCounts` that remembers what was noted."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}
        self.noted: list[tuple[SupplierId, int, str]] = []

    def read(self, supplier: SupplierId) -> SupplierTotals:
        return SupplierTotals(self.seen, {})

    def note_converted(
        self, supplier: SupplierId, converted: list[Converted], *, epoch: str
    ) -> None:
        self.noted.append((supplier, len(converted), epoch))

    def forget_converted(self, supplier: SupplierId) -> None:
        raise AssertionError("no conversion forgets")


class World:
    """A supplier with an open window, and whom it knows."""

    def __init__(self) -> None:
        self.rows = MemoryRows()
        self.rotations = MemoryRotations()
        window = RotationWindow(REKENRIJK, "a", "b", opened_version=7)
        self.rotations.state = RotationState(REKENRIJK, "b", window)
        self.counts, self.ledger, self.audit = Counts(), Ledger(), ListAudit(frozenset())
        self.flow = SupplierConversion(
            ConversionPorts(
                rotations=self.rotations,
                counts=self.counts,
                quotas=self.ledger,
                open_rows=lambda: contextlib.nullcontext(self.rows),
                audit=self.audit,
                keys=KEYS,
                pairwise=PAIRWISE,
            ),
            quota=ConversionQuota(percent=200, least=5),
        )

    def know(self, count: int) -> list[KnownRow]:
        people = []
        for _ in range(count):
            root = a_root()
            people.append(a_row(root, a_record(root, {REKENRIJK: "a"}), keys=KEYS))
        self.rows.add(*people)
        self.counts.seen["a"] = self.counts.seen.get("a", 0) + count
        return people


@pytest.fixture
def world() -> World:
    return World()


def name(known: KnownRow, epoch: str) -> Pseudonym:
    return derive_pseudonym(known.root, supplier=REKENRIJK, key=PAIRWISE.by_letter[epoch])


async def test_answers_come_in_order_and_are_noted(world: World) -> None:
    people = world.know(AT_ONCE + 1)
    asked = [name(each, "a") for each in people]
    answers = await world.flow.convert([*asked, asked[0], "x"], supplier=SUPPLIER)
    expected = [name(each, "b") for each in people]
    assert answers == (*expected, NotConverted.DOUBLED, NotConverted.MALFORMED)
    assert world.counts.noted == [(REKENRIJK, AT_ONCE + 1, "b")]
    (event,) = world.audit.events
    assert event.action == "pseudonyms-converted"
    assert dict(event.counts) == {"converted": AT_ONCE + 1, "doubled": 1, "malformed": 1}


async def test_a_turned_window_converts_the_other_way(world: World) -> None:
    (known,) = world.know(1)
    state = world.rotations.state
    assert state.window is not None
    turned = replace(state.window, turned_back=True)
    world.rotations.state = replace(state, pinned="a", window=turned)
    answers = await world.flow.convert([name(known, "b")], supplier=SUPPLIER)
    assert answers == (name(known, "a"),)


async def test_without_a_window_nothing_is_spent(world: World) -> None:
    world.rotations.state = RotationState(REKENRIJK, "b")
    with pytest.raises(WindowNotOpen):
        await world.flow.convert(["x"], supplier=SUPPLIER)
    assert world.ledger.spent == {}


async def test_more_than_the_quota_is_refused_and_nothing_converted(world: World) -> None:
    (known,) = world.know(1)
    asked = [name(known, "a")]
    with pytest.raises(QuotaExceeded):
        await world.flow.convert(["x"] * 6, supplier=SUPPLIER)
    assert (world.rows.looked_up, world.counts.noted) == (0, [])
    for _ in range(5):
        await world.flow.convert(asked, supplier=SUPPLIER)
    with pytest.raises(QuotaExceeded):
        await world.flow.convert(asked, supplier=SUPPLIER)


async def test_the_quota_follows_whom_the_supplier_knows_and_is_of_one_window(
    world: World,
) -> None:
    people = world.know(10)
    asked = [name(each, "a") for each in people]
    await world.flow.convert(asked, supplier=SUPPLIER)
    await world.flow.convert(asked, supplier=SUPPLIER)
    with pytest.raises(QuotaExceeded):
        await world.flow.convert(asked[:1], supplier=SUPPLIER)
    state = world.rotations.state
    assert state.window is not None
    world.rotations.state = replace(state, window=replace(state.window, opened_version=9))
    assert await world.flow.convert(asked[:1], supplier=SUPPLIER)


async def test_a_window_that_ends_meanwhile_hands_out_nothing(world: World) -> None:
    (known,) = world.know(1)
    found = world.rows.find

    def ended(tags: list[bytes]) -> object:
        world.rotations.state = RotationState(REKENRIJK, "b")
        return found(tags)

    world.rows.find = ended  # type: ignore[method-assign, assignment]
    with pytest.raises(WindowMoved):
        await world.flow.convert([name(known, "a")], supplier=SUPPLIER)
    assert world.counts.noted == []
