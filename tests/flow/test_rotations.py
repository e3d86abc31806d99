"""Windows of rotations: what may be opened, turned back and closed."""

from dataclasses import replace

import pytest

from broker.domain.ids import SupplierId
from broker.flow.rotation.rotation_refusals import (
    EpochUnknown,
    SameEpoch,
    SupplierUnknown,
    WindowNotOpen,
    WindowOpen,
)
from broker.flow.rotation.rotations import (
    RotationState,
    close_window,
    open_window,
    turn_back,
)

REKENRIJK = SupplierId("rekenrijk")
QUIET = RotationState(REKENRIJK, "a")
OPEN = open_window(QUIET, letter="b", keys="abc")


def test_a_window_moves_the_pin_and_keeps_what_was() -> None:
    assert OPEN.pinned == "b"
    assert OPEN.window is not None
    assert (OPEN.window.epoch, OPEN.window.previous_epoch) == ("b", "a")


def test_turning_back_exchanges_the_two_and_twice_is_as_before() -> None:
    turned = turn_back(OPEN)
    assert turned.pinned == "a"
    assert turned.window is not None
    assert (turned.window.epoch, turned.window.previous_epoch) == ("a", "b")
    assert turn_back(turned) == OPEN


def test_closing_keeps_the_pin_of_the_moment() -> None:
    assert close_window(OPEN) == replace(QUIET, pinned="b")
    assert close_window(turn_back(OPEN)) == QUIET


def test_one_window_at_a_time() -> None:
    with pytest.raises(WindowOpen):
        open_window(OPEN, letter="c", keys="abc")
    assert open_window(close_window(OPEN), letter="c", keys="abc").pinned == "c"


@pytest.mark.parametrize("letter", ["d", "", "ab"])
def test_an_epoch_without_a_key_is_refused(letter: str) -> None:
    with pytest.raises(EpochUnknown):
        open_window(QUIET, letter=letter, keys={"a", "b", "c"})


def test_an_epoch_whose_key_is_gone_is_not_left() -> None:
    with pytest.raises(EpochUnknown):
        open_window(QUIET, letter="b", keys={"b"})


def test_the_same_epoch_is_refused() -> None:
    with pytest.raises(SameEpoch):
        open_window(QUIET, letter="a", keys="abc")


def test_without_a_window_nothing_is_turned_back_or_closed() -> None:
    for step in (turn_back, close_window):
        with pytest.raises(WindowNotOpen):
            step(QUIET)


def test_a_supplier_that_was_never_applied_is_refused() -> None:
    nobody = RotationState(SupplierId("nobody"), None)
    with pytest.raises(SupplierUnknown):
        open_window(nobody, letter="b", keys="abc")
    for step in (turn_back, close_window):
        with pytest.raises(SupplierUnknown):
            step(nobody)
