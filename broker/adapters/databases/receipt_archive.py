"""The receipt database as one unchanging view: for verifying, for heads and for schools' proofs.

All of it reads row by row, and none of it holds up those who append: in WAL mode a reader sees the
database as it was at its first read.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import bindparam, func, insert, select, update

from broker.adapters.databases.sql import open_sqlite, prepare, transaction
from broker.adapters.databases.tables_receipts import receipt_heads, receipt_writers, receipts
from broker.domain.ids import SchoolId
from broker.flow.receipts.merkle import audit_paths
from broker.flow.receipts.receipt_chain import (
    ChainKeys,
    ForgedHead,
    HeadRange,
    ReceiptLine,
    ReceiptProof,
    SignedHead,
    WriterTip,
    leaf_of,
    parse_head_body,
    ranges_since,
    sign_head,
)
from broker.flow.receipts.receipts import SealedReceipt

_line = select(
    receipts.c.writer,
    receipts.c.sequence,
    receipts.c.locator,
    receipts.c.ciphertext,
    receipts.c.school,
    receipts.c.week,
    receipts.c.link,
)
_between = (
    receipts.c.writer == bindparam("of_writer"),
    receipts.c.sequence > bindparam("after"),
    receipts.c.sequence <= bindparam("through"),
)
_ALL_LINES = prepare(_line.order_by(receipts.c.writer, receipts.c.sequence))
_LINES_BETWEEN = prepare(_line.where(*_between).order_by(receipts.c.sequence))
_SCHOOL_LINES_BETWEEN = prepare(
    _line.where(receipts.c.school == bindparam("of_school"), *_between).order_by(
        receipts.c.sequence
    )
)
_TIPS = prepare(
    select(
        receipt_writers.c.writer,
        receipt_writers.c.count,
        receipt_writers.c.link,
        receipt_writers.c.heads,
        receipt_writers.c.tag,
    )
)
_HEADS_AFTER = prepare(
    select(receipt_heads.c.number, receipt_heads.c.body, receipt_heads.c.signature)
    .where(receipt_heads.c.number > bindparam("after"))
    .order_by(receipt_heads.c.number)
)
_LAST_HEAD = prepare(
    select(receipt_heads.c.number, receipt_heads.c.body, receipt_heads.c.signature).where(
        receipt_heads.c.number == select(func.max(receipt_heads.c.number)).scalar_subquery()
    )
)
_ADD_HEAD = prepare(insert(receipt_heads))
_SET_HEADED = prepare(
    update(receipt_writers)
    .where(receipt_writers.c.writer == bindparam("of_writer"))
    .values(headed=bindparam("through"))
)


class SqliteReceiptArchive:
    """`broker.flow.receipts.receipt_audit.ReceiptArchive` over a connection that is inside a
    transaction.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def tips(self) -> list[WriterTip]:
        """Every writer's tip."""
        return [WriterTip(*row) for row in self._connection.execute(_TIPS)]

    def covered(self) -> dict[bytes, int]:
        """How many of each writer's lines are under a head, as the heads themselves say.

        The column `headed` is not believed: whoever can set it would keep a writer from ever coming
        under a head, and could later make it vanish. What a head says is signed: verifying tells.
        """
        covered: dict[bytes, int] = {}
        for head in self.heads():
            with suppress(ForgedHead):
                ranges = parse_head_body(head).ranges
                covered.update({each.writer: each.through for each in ranges})
        return covered

    def lines(self) -> Iterator[ReceiptLine]:
        """Every line, by writer and sequence number."""
        return map(_read_line, self._connection.execute(_ALL_LINES))

    def lines_between(self, writer: bytes, after: int, through: int) -> Iterator[ReceiptLine]:
        """A writer's lines in a range, by sequence number."""
        asked = {"of_writer": writer, "after": after, "through": through}
        return map(_read_line, self._connection.execute(_LINES_BETWEEN, asked))

    def school_lines_between(self, school: SchoolId, of: HeadRange) -> Iterator[ReceiptLine]:
        """One school's lines in a range, by sequence number."""
        asked = {
            "of_school": school,
            "of_writer": of.writer,
            "after": of.after,
            "through": of.through,
        }
        return map(_read_line, self._connection.execute(_SCHOOL_LINES_BETWEEN, asked))

    def heads(self, after: int = 0) -> Iterator[SignedHead]:
        """Every head after a number, by number."""
        rows = self._connection.execute(_HEADS_AFTER, {"after": after})
        return (SignedHead(*row) for row in rows)

    def last_head(self) -> SignedHead | None:
        """The newest head, None before the first."""
        row = self._connection.execute(_LAST_HEAD).fetchone()
        return None if row is None else SignedHead(*row)

    def leaves(self, ranges: Iterable[HeadRange]) -> Iterator[bytes]:
        """The leaves of a head's tree, in its order."""
        for each in ranges:
            for line in self.lines_between(each.writer, each.after, each.through):
                yield leaf_of(line.writer, line.sequence, line.receipt)


@contextmanager
def open_archive(path: Path) -> Iterator[SqliteReceiptArchive]:
    """Give an unchanging view of the database.

    Raises:
        sqlite3.Error: the database cannot be read.
    """
    with closing(open_sqlite(path)) as connection:
        connection.execute("BEGIN")
        try:
            yield SqliteReceiptArchive(connection)
        finally:
            connection.execute("ROLLBACK")


def make_head(
    path: Path, *, keys: ChainKeys, now: datetime, after_seconds: float = 0
) -> SignedHead | None:
    """Sign and store a head over what came since the last one.

    Args:
        after_seconds: how old the last one must be; a younger one will do.

    Returns:
        The newest head: this one, the last one when nothing came since or it is young, the other
        one when another process was first, or None when there are no receipts at all.

    Raises:
        sqlite3.Error: the database cannot be read or written.
    """
    with open_archive(path) as archive:
        previous = archive.last_head()
        # One of the future is no young one: else a clock that jumped would end heads until then.
        if previous is not None and abs(now.timestamp() - _made_at(previous)) < after_seconds:
            return previous
        ranges = ranges_since(archive.tips(), covered=archive.covered())
        if not ranges:
            return previous
        head = sign_head(
            previous=previous, ranges=ranges, leaves=archive.leaves(ranges), now=now, keys=keys
        )
    with closing(open_sqlite(path)) as connection, transaction(connection):
        newest = SqliteReceiptArchive(connection).last_head()
        if newest is not None and newest.number >= head.number:
            return newest
        connection.execute(
            _ADD_HEAD, {"number": head.number, "body": head.body, "signature": head.signature}
        )
        connection.executemany(
            _SET_HEADED,
            ({"of_writer": each.writer, "through": each.through} for each in ranges),
        )
    return head


def _made_at(head: SignedHead) -> int:
    """Return when it says it was made; 1970 for one that cannot be read: verifying will tell."""
    try:
        return parse_head_body(head).at
    except ForgedHead:
        return 0


def prove_school_receipts(path: Path, *, school: SchoolId, head: int) -> list[ReceiptProof]:
    """Return a school's lines under a head, each with its audit path.

    Raises:
        LookupError: there is no such head.
        sqlite3.Error: the database cannot be read.
    """
    with open_archive(path) as archive:
        signed = next(archive.heads(after=head - 1), None)
        if signed is None or signed.number != head:
            raise LookupError("there is no such head")
        body = parse_head_body(signed)
        lines: dict[int, ReceiptLine] = {}
        offset = 0
        for each in body.ranges:
            for line in archive.school_lines_between(school, each):
                lines[offset + line.sequence - each.after - 1] = line
            offset += each.through - each.after
        paths = audit_paths(archive.leaves(body.ranges), indexes=lines.keys(), size=body.size)
        return [
            ReceiptProof(head=signed, line=line, index=index, path=paths[index])
            for index, line in lines.items()
        ]


def _read_line(row: tuple[bytes, int, bytes, bytes, str, int, bytes]) -> ReceiptLine:
    writer, sequence, locator, ciphertext, school, week, link = row
    receipt = SealedReceipt(locator, ciphertext, SchoolId(school), week)
    return ReceiptLine(writer, sequence, receipt, link)
