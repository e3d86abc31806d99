"""A `PersonRegister` in memory, that counts its round trips and fails or is overtaken on demand."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import date

from broker.domain.ids import SchoolId
from broker.flow.operators.operator_refusals import PersonChanged
from broker.flow.persons.register import (
    CLOSED_ROW,
    RegisterUnavailable,
    RowRewrite,
    RowWrite,
    StoredRow,
    SupplierMove,
    mark_of,
)
from broker.flow.persons.school_counts import Count, CountFull, CountKind


class MemoryRegister:
    """Keeps the port's contract.

    Attributes:
        overtaken_by: awaited once before the next `apply`: another worker that is first.
        moved_by: told of each row's moves in the counts of suppliers.
    """

    def __init__(self) -> None:
        self.rows: dict[bytes, StoredRow] = {}
        self.counts: dict[tuple[SchoolId, date, CountKind], int] = {}
        self.looked_up = 0
        self.written = 0
        self.down = False
        self.overtaken_by: Callable[[], Awaitable[object]] | None = None
        self.moved_by: Callable[[Sequence[SupplierMove]], None] = lambda _: None

    @property
    def known(self) -> dict[bytes, StoredRow]:
        """The rows of somebody: without those that only say that an account is closed."""
        return {tag: row for tag, row in self.rows.items() if not row.is_closed}

    async def find(self, tags: Sequence[bytes]) -> Mapping[bytes, StoredRow]:
        self.looked_up += 1
        return {tag: self.rows[tag] for tag in tags if tag in self.rows}

    async def apply(self, writes: Sequence[RowWrite], counts: Sequence[Count] = ()) -> bool:
        if self.down:
            raise RegisterUnavailable("check_written")
        self.written += 1
        other, self.overtaken_by = self.overtaken_by, None
        if other is not None:
            await other()
        for write in writes:
            there = self.rows.get(write.tag)
            if (None if there is None else there.sealed) != write.replaces:
                return False
        counted = dict(self.counts)
        for count in counts:
            key = (count.school, count.day, count.kind)
            counted[key] = counted.get(key, 0) + count.add
            if count.at_most is not None and counted[key] > count.at_most:
                raise CountFull
        self.counts = counted
        for write in writes:
            self.rows[write.tag] = StoredRow(write.sealed, write.school_year, write.life)
            self.moved_by(write.moves)
        return True

    async def rewrite(self, rewrites: Sequence[RowRewrite]) -> None:
        for each in rewrites:
            there = self.rows.get(each.tag)
            if mark_of(None if there is None else there.sealed) != each.mark:
                raise PersonChanged("check_person_unchanged")
        for each in rewrites:
            self.rows.pop(each.tag, None)
            if each.row is not None:
                self.rows[each.tag] = each.row
            self.moved_by(each.moves)

    async def erase(
        self,
        marks: Mapping[bytes, bytes],
        moves: Sequence[SupplierMove] = (),
        *,
        closes: Collection[bytes] = (),
    ) -> int:
        for tag, mark in marks.items():
            there = self.rows.get(tag)
            if mark_of(None if there is None else there.sealed) != mark:
                raise PersonChanged("check_person_unchanged")
        self.moved_by(moves)
        there_were = [tag for tag in marks if tag in self.rows and not self.rows[tag].is_closed]
        for tag in there_were:
            del self.rows[tag]
            if tag in closes:
                self.rows[tag] = CLOSED_ROW
        return len(there_were)
