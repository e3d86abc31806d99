"""A receipt log in memory that tests can tamper with."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from broker.domain.ids import SchoolId
from broker.flow.receipts.receipt_chain import (
    ReceiptLine,
    SignedHead,
    WriterTip,
    derive_chain_keys,
    extend_chain,
    leaf_of,
    ranges_since,
    sign_head,
    start_chain,
)
from broker.flow.receipts.receipts import SealedReceipt

KEYS = derive_chain_keys(bytes(range(32)))
NOW = datetime(2026, 9, 7, 8, 10, tzinfo=UTC)


def a_sealed_receipt(number: int = 0, school: str = "vuurvogel") -> SealedReceipt:
    """Bytes that stand for a receipt: the chain does not look inside."""
    return SealedReceipt(
        locator=number.to_bytes(32, "big"),
        ciphertext=b"sealed" + number.to_bytes(4, "big"),
        school=SchoolId(school),
        week=202637,
    )


@dataclass
class ListArchive:
    """A `ReceiptArchive` over lists."""

    stored_lines: list[ReceiptLine] = field(default_factory=list)
    stored_tips: dict[bytes, WriterTip] = field(default_factory=dict)
    stored_heads: list[SignedHead] = field(default_factory=list)

    def tips(self) -> list[WriterTip]:
        return list(self.stored_tips.values())

    def lines(self) -> Iterator[ReceiptLine]:
        return iter(sorted(self.stored_lines, key=lambda line: (line.writer, line.sequence)))

    def lines_between(self, writer: bytes, after: int, through: int) -> Iterator[ReceiptLine]:
        return (
            line
            for line in self.lines()
            if line.writer == writer and after < line.sequence <= through
        )

    def heads(self) -> Iterator[SignedHead]:
        return iter(self.stored_heads)

    def write(self, writer: bytes, *receipts: SealedReceipt) -> None:
        tip = self.stored_tips.get(writer) or start_chain(writer, keys=KEYS)
        lines, self.stored_tips[writer] = extend_chain(
            tip, receipts, heads=len(self.stored_heads), keys=KEYS
        )
        self.stored_lines += lines

    def sign(self, covered: dict[bytes, int]) -> SignedHead:
        ranges = ranges_since(self.tips(), covered=covered)
        leaves = [
            leaf_of(line.writer, line.sequence, line.receipt)
            for each in ranges
            for line in self.lines_between(each.writer, each.after, each.through)
        ]
        head = sign_head(
            previous=self.stored_heads[-1] if self.stored_heads else None,
            ranges=ranges,
            leaves=leaves,
            now=NOW,
            keys=KEYS,
        )
        self.stored_heads.append(head)
        return head
