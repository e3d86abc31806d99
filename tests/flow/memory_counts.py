"""`SupplierCounts` in memory, over the rows of a `MemoryRegister`."""

from collections import Counter
from collections.abc import Sequence

from broker.domain.ids import SupplierId
from broker.flow.persons.register import SupplierMove
from broker.flow.persons.supplier_counts import Converted, SupplierTotals
from tests.flow.memory_register import MemoryRegister


class MemoryCounts:
    """Keeps the port's contract."""

    def __init__(self, register: MemoryRegister | None = None) -> None:
        self.seen: Counter[tuple[str, str]] = Counter()
        self.marks: dict[tuple[str, bytes], str] = {}
        self._register = register
        if register is not None:
            register.moved_by = self.move

    def move(self, moves: Sequence[SupplierMove]) -> None:
        for each in moves:
            self.seen[each.supplier, each.left] -= 1
            self.seen[each.supplier, each.entered] += 1
            self.marks.pop((each.supplier, each.mark), None)

    def read(self, supplier: SupplierId) -> SupplierTotals:
        return SupplierTotals(
            seen={epoch: n for (of, epoch), n in self.seen.items() if of == supplier and epoch},
            converted=Counter(epoch for (of, _), epoch in self.marks.items() if of == supplier),
        )

    def note_converted(
        self, supplier: SupplierId, converted: Sequence[Converted], *, epoch: str
    ) -> None:
        for each in converted:
            row = None if self._register is None else self._register.rows.get(each.tag)
            if each.row_epoch == epoch:
                self.marks.pop((supplier, each.mark), None)
            elif row is not None and row.sealed[1:13] == each.nonce:
                self.marks[supplier, each.mark] = epoch

    def forget_converted(self, supplier: SupplierId) -> None:
        self.marks = {key: epoch for key, epoch in self.marks.items() if key[0] != supplier}
