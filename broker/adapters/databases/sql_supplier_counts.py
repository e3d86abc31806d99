"""Counts of suppliers' persons in `register.db`, and the marks of bulk conversions."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import bindparam, delete, exists, func, literal_column, select
from sqlalchemy.dialects.sqlite import insert as insert_or_else

from broker.adapters.databases.sql import open_sqlite, prepare, transaction
from broker.adapters.databases.tables_register import converted_marks, persons, supplier_counts
from broker.domain.ids import SupplierId
from broker.flow.persons.register import RegisterUnavailable, SupplierMove
from broker.flow.persons.supplier_counts import Converted, SupplierTotals

MARKS_AT_ONCE = 2000
"""In one transaction: logins' writes wait for it."""

_FAULTS = (sqlite3.Error, OSError)

_added = insert_or_else(supplier_counts).values(
    {name: bindparam(name) for name in ("supplier", "epoch", "persons")}
)
_COUNT = prepare(
    _added.on_conflict_do_update(
        index_elements=[supplier_counts.c.supplier, supplier_counts.c.epoch],
        set_={"persons": supplier_counts.c.persons + _added.excluded.persons},
    )
)
_UNMARK = prepare(
    delete(converted_marks).where(
        converted_marks.c.supplier == bindparam("of_supplier"),
        converted_marks.c.mark == bindparam("of_mark"),
    )
)
_as_it_was = exists(
    select(literal_column("1")).where(
        persons.c.tag == bindparam("row_tag"),
        func.substr(persons.c.sealed, literal_column("2"), literal_column("12"))
        == bindparam("row_nonce"),
    )
)
_marking = insert_or_else(converted_marks).from_select(
    ["supplier", "mark", "epoch"],
    select(bindparam("of_supplier"), bindparam("of_mark"), bindparam("of_epoch")).where(_as_it_was),
)
_MARK = prepare(
    _marking.on_conflict_do_update(
        index_elements=[converted_marks.c.supplier, converted_marks.c.mark],
        set_={"epoch": _marking.excluded.epoch},
    )
)
_FORGET = prepare(
    delete(converted_marks).where(converted_marks.c.supplier == bindparam("of_supplier"))
)
_SEEN = prepare(
    select(supplier_counts.c.epoch, supplier_counts.c.persons).where(
        supplier_counts.c.supplier == bindparam("of_supplier")
    )
)
_MARKED = prepare(
    select(converted_marks.c.epoch, func.count())
    .where(converted_marks.c.supplier == bindparam("of_supplier"))
    .group_by(converted_marks.c.epoch)
)


def move_counts(connection: sqlite3.Connection, moves: Sequence[SupplierMove]) -> None:
    """Move persons from count to count, within the transaction that writes their rows."""
    for each in moves:
        for epoch, persons_more in ((each.left, -1), (each.entered, 1)):
            if epoch:
                row = {"supplier": each.supplier, "epoch": epoch, "persons": persons_more}
                connection.execute(_COUNT, row)
        connection.execute(_UNMARK, {"of_supplier": each.supplier, "of_mark": each.mark})


@dataclass(frozen=True, slots=True)
class SqliteSupplierCounts:
    """`broker.flow.persons.supplier_counts.SupplierCounts` on the register's database.

    Args:
        path: of a database that `upgrade_database(path, "register")` made.
    """

    path: Path

    def read(self, supplier: SupplierId) -> SupplierTotals:
        """Return a supplier's counts.

        Raises:
            RegisterUnavailable: they cannot be read.
        """
        with self._opened() as connection:
            connection.execute("BEGIN")
            of = {"of_supplier": supplier}
            return SupplierTotals(
                seen=dict(connection.execute(_SEEN, of)),
                converted=dict(connection.execute(_MARKED, of)),
            )

    def note_converted(
        self, supplier: SupplierId, converted: Sequence[Converted], *, epoch: str
    ) -> None:
        """Note, durably, whose pseudonyms of an epoch were handed out.

        Raises:
            RegisterUnavailable: nobody knows whether all are noted.
        """
        with self._opened() as connection:
            for start in range(0, len(converted), MARKS_AT_ONCE):
                with transaction(connection):
                    for each in converted[start : start + MARKS_AT_ONCE]:
                        of = {"of_supplier": supplier, "of_mark": each.mark}
                        if each.row_epoch == epoch:
                            connection.execute(_UNMARK, of)
                            continue
                        row = {"row_tag": each.tag, "row_nonce": each.nonce, "of_epoch": epoch}
                        connection.execute(_MARK, of | row)

    def forget_converted(self, supplier: SupplierId) -> None:
        """Delete the marks of a supplier, whose window is closed.

        Raises:
            RegisterUnavailable: nobody knows whether they are gone.
        """
        with self._opened() as connection, transaction(connection):
            connection.execute(_FORGET, {"of_supplier": supplier})

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(open_sqlite(self.path)) as connection:
                yield connection
        except _FAULTS as error:
            raise RegisterUnavailable("check_readable") from error
