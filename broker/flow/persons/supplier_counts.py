"""How many persons each supplier knows, and by which epoch: counted without opening a row.

A person's row says of each supplier which epoch's pseudonym it got last (`SupplierSeen.epoch`).
Nobody opens all rows, so each write that changes that moves one person from one count to another,
in the same transaction. A pseudonym that was handed out in bulk is not noted in the row but by a
*mark*, which the next login that changes the row takes away:

    mark = HMAC-SHA-256(register tag key, "schuilnaam/converted/v1" || lp(supplier, holder's root))

So a supplier keeps an account under the marked epoch where there is a mark, else under the row's.
After a rotation is turned back the row says the epoch in use again, so a login changes nothing and
leaves the mark: who was converted in bulk stays a straggler until converted back, or until the
window is closed. A write for each such login would be the price of a closer count.
Both rest in `register.db`. Who is erased leaves the counts with the rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from broker.domain.ids import SupplierId
from broker.flow.held_state.framing import mac
from broker.flow.persons.person_records import PersonRecord
from broker.flow.persons.register import RegisterKeys, SupplierMove
from broker.pseudonyms.derivation import PersonRoot


@dataclass(frozen=True, slots=True)
class Converted:
    """One pseudonym that was handed out in bulk.

    Attributes:
        tag: of the holder's row.
        nonce: of the row that was read: when a login has written since, the mark is not set.
        mark: by which it is noted.
        row_epoch: what the row says: a mark that says the same is none.
    """

    tag: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    mark: bytes = field(repr=False)
    row_epoch: str


@dataclass(frozen=True, slots=True)
class SupplierTotals:
    """Counts of one supplier, by epoch.

    Attributes:
        seen: persons by the epoch that their rows say.
        converted: of those, how many are marked with another epoch, by that one.
    """

    seen: Mapping[str, int]
    converted: Mapping[str, int]

    @property
    def known(self) -> int:
        """How many persons the supplier knows."""
        return sum(self.seen.values())


@dataclass(frozen=True, slots=True)
class WindowProgress:
    """How far a supplier is, in persons.

    Attributes:
        known: whom the supplier knows.
        seen: who logged in since the epoch in use was.
        converted: who was converted in bulk and did not log in since.
        stragglers: whom the supplier may still keep under the other epoch; never too few of those
            that are counted.
    """

    known: int
    seen: int
    converted: int
    stragglers: int


class SupplierCounts(Protocol):
    """Where the counts rest. Blocks."""

    def read(self, supplier: SupplierId) -> SupplierTotals:
        """Return a supplier's counts.

        Raises:
            RegisterUnavailable: they cannot be read.
        """
        ...

    def note_converted(
        self, supplier: SupplierId, converted: Sequence[Converted], *, epoch: str
    ) -> None:
        """Note, durably, whose pseudonyms of an epoch were handed out.

        Raises:
            RegisterUnavailable: nobody knows whether they are noted.
        """
        ...

    def forget_converted(self, supplier: SupplierId) -> None:
        """Delete the marks of a supplier, whose window is closed.

        Raises:
            RegisterUnavailable: nobody knows whether they are gone.
        """
        ...


def find_moves(
    before: PersonRecord | None, after: PersonRecord, *, root: PersonRoot, keys: RegisterKeys
) -> tuple[SupplierMove, ...]:
    """Return from where to where a changed row moves a person in the counts of suppliers.

    Args:
        before: what the row held; None when there was none.
        root: of the row.
    """
    was = {} if before is None else before.suppliers
    moves = []
    for supplier in sorted({*was, *after.suppliers}):
        left = was[supplier].epoch if supplier in was else ""
        entered = after.suppliers[supplier].epoch if supplier in after.suppliers else ""
        if left != entered:
            mark = derive_mark(keys, supplier=supplier, root=root)
            moves.append(SupplierMove(supplier, left=left, entered=entered, mark=mark))
    return tuple(moves)


def derive_mark(keys: RegisterKeys, *, supplier: SupplierId, root: PersonRoot) -> bytes:
    """Return by what it is noted that a supplier got a person's pseudonym in bulk: 32 bytes.

    Args:
        root: of the row in which the person's suppliers stand.
    """
    return mac(keys.tag, b"schuilnaam/converted/v1", supplier, root)


def measure_progress(totals: SupplierTotals, *, epoch: str, previous_epoch: str) -> WindowProgress:
    """Return how far a window is.

    Args:
        epoch: in use.
        previous_epoch: that `previous_sub` comes from.

    >>> totals = SupplierTotals(seen={"a": 7, "b": 3}, converted={"b": 5})
    >>> measure_progress(totals, epoch="b", previous_epoch="a")
    WindowProgress(known=10, seen=3, converted=5, stragglers=2)
    """
    converted = totals.converted.get(epoch, 0)
    left = totals.seen.get(previous_epoch, 0) - converted + totals.converted.get(previous_epoch, 0)
    return WindowProgress(
        known=totals.known,
        seen=totals.seen.get(epoch, 0),
        converted=converted,
        stragglers=max(0, left),
    )
