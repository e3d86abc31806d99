"""What an operator does to a supplier's pseudonyms: each step leaves one line in the audit."""

from datetime import datetime

import pytest

from broker.domain.ids import SupplierId
from broker.domain.refusals import Refusal
from broker.flow.persons.supplier_counts import WindowProgress
from broker.flow.rotation.rotation_refusals import (
    SameEpoch,
    StragglersLeft,
    SupplierUnknown,
    WindowNotOpen,
)
from broker.flow.rotation.rotations import Decide, RotationDesk, RotationState
from tests.builders_saml import NOW
from tests.flow.memory_counts import MemoryCounts
from tests.flow.port_fakes import ListAudit

REKENRIJK = SupplierId("rekenrijk")


class MemoryRotations:
    """Keeps the port's contract for one supplier."""

    def __init__(self) -> None:
        self.state = RotationState(REKENRIJK, "a")
        self.notes: list[str] = []

    def change(
        self, supplier: SupplierId, decide: Decide, *, note: str, by: str, at: datetime
    ) -> RotationState:
        self.state = decide(self.read(supplier))
        self.notes.append(f"{note} by {by}")
        return self.state

    def read(self, supplier: SupplierId) -> RotationState:
        return self.state if supplier == REKENRIJK else RotationState(supplier, None)


@pytest.fixture
def audit() -> ListAudit:
    return ListAudit(frozenset())


@pytest.fixture
def desk(audit: ListAudit) -> RotationDesk:
    return RotationDesk(
        store=MemoryRotations(), keys="abc", audit=audit, by="tester", clock=lambda: NOW
    )


def told(audit: ListAudit) -> list[tuple[str, str]]:
    return [(each.action, each.code) for each in audit.events]


def test_each_step_is_told_once(desk: RotationDesk, audit: ListAudit) -> None:
    counts = MemoryCounts()
    assert desk.rotate(REKENRIJK, letter="b").pinned == "b"
    assert desk.turn_back(REKENRIJK).pinned == "a"
    assert desk.close(REKENRIJK, counts=counts, leave_stragglers=False).window is None
    assert told(audit) == [
        ("rotation-opened", ""),
        ("rotation-turned-back", ""),
        ("rotation-closed", ""),
    ]
    assert {each.supplier for each in audit.events} == {REKENRIJK}


def test_each_refusal_is_told_once(desk: RotationDesk, audit: ListAudit) -> None:
    counts = MemoryCounts()
    with pytest.raises(SameEpoch):
        desk.rotate(REKENRIJK, letter="a")
    with pytest.raises(WindowNotOpen):
        desk.close(REKENRIJK, counts=counts, leave_stragglers=True)
    codes: list[type[Refusal]] = [SameEpoch, WindowNotOpen]
    assert told(audit) == [("refused", each.code) for each in codes]


def test_stragglers_keep_a_window_open_unless_they_are_left(
    desk: RotationDesk, audit: ListAudit
) -> None:
    counts = MemoryCounts()
    counts.seen[REKENRIJK, "a"] = 1
    counts.marks["rekenrijk", b"of somebody"] = "b"
    counts.seen[REKENRIJK, "a"] = 2
    desk.rotate(REKENRIJK, letter="b")
    with pytest.raises(StragglersLeft):
        desk.close(REKENRIJK, counts=counts, leave_stragglers=False)
    status = desk.progress(REKENRIJK, counts=counts)
    assert status.progress == WindowProgress(known=2, seen=0, converted=1, stragglers=1)
    assert counts.marks
    desk.close(REKENRIJK, counts=counts, leave_stragglers=True)
    assert counts.marks == {}
    assert desk.progress(REKENRIJK, counts=counts).progress is None
    assert desk.progress(REKENRIJK, counts=counts).known == 2


def test_the_status_of_nobody_is_refused(desk: RotationDesk) -> None:
    with pytest.raises(SupplierUnknown):
        desk.progress(SupplierId("nobody"), counts=MemoryCounts())
