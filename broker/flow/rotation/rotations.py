"""Rotating the key behind one supplier's pseudonyms: open a window, turn it back, close it.

While a window is open everybody who logs in at the supplier is told twice: `sub` from the epoch in
use and `previous_sub` from the other one. So the supplier finds each account under whichever of the
two it keeps it, and renames it; in bulk, by `broker.flow.rotation.conversion`. Turning back
exchanges the two, so that accounts which were renamed already are found as well; turning back
twice goes on as before. Only a closed window leaves somebody behind: whoever the supplier still
keeps under the other name, which nobody tells it any more.

A change is decided on what the registry holds at that moment, and both are one transaction.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Protocol

from broker.domain.ids import SupplierId
from broker.domain.refusals import Refusal
from broker.flow.audit import AuditEvent, AuditLog, note_refusal
from broker.flow.persons.supplier_counts import SupplierCounts, WindowProgress, measure_progress
from broker.flow.rotation.rotation_refusals import (
    EpochUnknown,
    SameEpoch,
    StragglersLeft,
    SupplierUnknown,
    WindowNotOpen,
    WindowOpen,
)


@dataclass(frozen=True, slots=True)
class RotationWindow:
    """A supplier's open window.

    Attributes:
        from_epoch, to_epoch: letters of the keys; it moves from the one to the other.
        turned_back: it was turned back: `from_epoch` is in use again.
        opened_version: of the registry.
    """

    supplier: SupplierId
    from_epoch: str
    to_epoch: str
    turned_back: bool = False
    opened_version: int = 0

    @property
    def epoch(self) -> str:
        """Letter of the epoch in use."""
        return self.from_epoch if self.turned_back else self.to_epoch

    @property
    def previous_epoch(self) -> str:
        """Letter of the epoch that `previous_sub` comes from."""
        return self.to_epoch if self.turned_back else self.from_epoch


@dataclass(frozen=True, slots=True)
class RotationState:
    """Which keys one supplier's pseudonyms come from.

    Attributes:
        pinned: letter of the epoch in use; None for a supplier that was never applied.
        window: the open one; None when none is.
    """

    supplier: SupplierId
    pinned: str | None
    window: RotationWindow | None = None


Decide = Callable[[RotationState], RotationState]
"""Returns what shall be in place of what is, or refuses."""


class RotationStep(StrEnum):
    """What an operator does to a supplier's pseudonyms; also the audit's events."""

    OPENED = "rotation-opened"
    TURNED_BACK = "rotation-turned-back"
    CLOSED = "rotation-closed"


class RotationStore(Protocol):
    """Where pins and windows rest."""

    def change(
        self, supplier: SupplierId, decide: Decide, *, note: str, by: str, at: datetime
    ) -> RotationState:
        """Decide on what is there, and store it, in one transaction; running brokers follow.

        Returns what was stored, with the version that opened the window.

        Raises:
            Refusal: of `decide`; then nothing was stored.
            RegistryUnreadable: the registry cannot be read or written.
        """
        ...

    def read(self, supplier: SupplierId) -> RotationState:
        """Return what is there.

        Raises:
            RegistryUnreadable: the registry cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class RotationStatus:
    """How it stands with one supplier.

    Attributes:
        known: how many persons it knows.
        progress: of the open window.
    """

    state: RotationState
    known: int
    progress: WindowProgress | None = None


@dataclass(frozen=True, slots=True)
class RotationDesk:
    """Where rotations are begun and ended; each step leaves one line in the audit.

    Attributes:
        keys: letters for which there is a key.
        by: system account of the operator.
        clock: returns the aware time.
    """

    store: RotationStore
    keys: Container[str]
    audit: AuditLog
    by: str
    clock: Callable[[], datetime]

    def rotate(self, supplier: SupplierId, *, letter: str) -> RotationState:
        """Open a window: from now on pseudonyms come from another epoch.

        Raises:
            SupplierUnknown, WindowOpen, EpochUnknown, SameEpoch, RegistryUnreadable
        """
        opening = partial(open_window, letter=letter, keys=self.keys)
        return self._take(RotationStep.OPENED, supplier, opening)

    def turn_back(self, supplier: SupplierId) -> RotationState:
        """Exchange the two names of each person while the window is open.

        Raises:
            SupplierUnknown, WindowNotOpen, RegistryUnreadable
        """
        return self._take(RotationStep.TURNED_BACK, supplier, turn_back)

    def close(
        self, supplier: SupplierId, *, counts: SupplierCounts, leave_stragglers: bool
    ) -> RotationState:
        """Close the window, and forget whose pseudonyms were converted.

        Args:
            leave_stragglers: also when accounts may stay behind. They are found again when
                another window opens between the two epochs.

        Raises:
            SupplierUnknown, WindowNotOpen, StragglersLeft, RegistryUnreadable, RegisterUnavailable
        """

        def decide(state: RotationState) -> RotationState:
            window = check_window_open(state)
            if not leave_stragglers:
                check_no_stragglers(window, counts=counts)
            counts.forget_converted(supplier)  # first: marks left over would hide stragglers
            return close_window(state)

        return self._take(RotationStep.CLOSED, supplier, decide)

    def progress(self, supplier: SupplierId, *, counts: SupplierCounts) -> RotationStatus:
        """Return which keys a supplier's pseudonyms come from, and how far its window is.

        Raises:
            SupplierUnknown, RegistryUnreadable, RegisterUnavailable
        """
        state = self.store.read(supplier)
        check_pinned(state)
        totals = counts.read(supplier)
        if state.window is None:
            return RotationStatus(state, known=totals.known)
        return RotationStatus(
            state, known=totals.known, progress=find_progress(state.window, counts=counts)
        )

    def _take(self, step: RotationStep, supplier: SupplierId, decide: Decide) -> RotationState:
        try:
            state = self.store.change(
                supplier, decide, note=f"{step} {supplier}", by=self.by, at=self.clock()
            )
        except Refusal as refusal:
            note_refusal(self.audit, refusal, reference="", supplier=supplier)
            raise
        self.audit.record(AuditEvent(action=step, supplier=supplier))
        return state


def open_window(state: RotationState, *, letter: str, keys: Container[str]) -> RotationState:
    """Return the state after a rotation to another epoch.

    Args:
        letter: of the epoch that it moves to.
        keys: letters for which there is a key.

    Raises:
        SupplierUnknown, WindowOpen, EpochUnknown, SameEpoch
    """
    pinned = check_pinned(state)
    if state.window is not None:
        raise WindowOpen("check_no_window_open", subject=state.supplier)
    check_has_key(letter, keys=keys)
    check_has_key(pinned, keys=keys)
    if letter == pinned:
        raise SameEpoch("check_other_epoch", subject=letter)
    return replace(state, pinned=letter, window=RotationWindow(state.supplier, pinned, letter))


def turn_back(state: RotationState) -> RotationState:
    """Return the state after turning an open window back.

    Raises:
        SupplierUnknown, WindowNotOpen
    """
    window = check_window_open(state)
    turned = replace(window, turned_back=not window.turned_back)
    return replace(state, pinned=turned.epoch, window=turned)


def close_window(state: RotationState) -> RotationState:
    """Return the state after closing the window: the other epoch's names are told no more.

    Raises:
        SupplierUnknown, WindowNotOpen
    """
    check_window_open(state)
    return replace(state, window=None)


def check_pinned(state: RotationState) -> str:
    """Return the letter that the supplier is pinned to.

    Raises:
        SupplierUnknown: it was never applied.
    """
    if state.pinned is None:
        raise SupplierUnknown("check_supplier_pinned", subject=state.supplier)
    return state.pinned


def check_has_key(letter: str, *, keys: Container[str]) -> None:
    """Hold that there is a key of an epoch.

    Raises:
        EpochUnknown
    """
    if letter not in keys:
        raise EpochUnknown("check_epoch_has_key", subject=letter)


def check_window_open(state: RotationState) -> RotationWindow:
    """Return the open window.

    Raises:
        SupplierUnknown, WindowNotOpen
    """
    check_pinned(state)
    if state.window is None:
        raise WindowNotOpen("check_window_open", subject=state.supplier)
    return state.window


def find_progress(window: RotationWindow, *, counts: SupplierCounts) -> WindowProgress:
    """Return how far a window is.

    Raises:
        RegisterUnavailable: the counts cannot be read.
    """
    return measure_progress(
        counts.read(window.supplier), epoch=window.epoch, previous_epoch=window.previous_epoch
    )


def check_no_stragglers(window: RotationWindow, *, counts: SupplierCounts) -> None:
    """Hold that no account stays behind, as far as is counted.

    Raises:
        StragglersLeft, RegisterUnavailable
    """
    if find_progress(window, counts=counts).stragglers:
        raise StragglersLeft("check_no_stragglers", subject=window.supplier)
