"""Verifying the whole receipt log: which line or head was changed, removed, inserted or cut off.

Reads an archive once for the chains and once for the heads, line by line, so that memory does not
grow with the log. Findings name a writer and a sequence number, never a person: everything here is
over ciphertexts, which is why it still passes after a person was erased.

What it cannot see alone: a whole database put back as it was at an earlier moment. Heads that
somebody else kept (`kept_heads`) show that.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from typing import Protocol

from broker.flow.receipts.merkle import merkle_root
from broker.flow.receipts.receipt_chain import (
    ChainKeys,
    ForgedHead,
    ForgedTip,
    HeadBody,
    ReceiptLine,
    SignedHead,
    WriterTip,
    check_tip,
    digest_of,
    first_link,
    leaf_of,
    next_link,
    read_head,
)

MAX_FINDINGS = 100  # a log that was replaced whole would otherwise name every line
PROGRESS_LINES = 10_000


class Defect(StrEnum):
    """What was done to the log."""

    LINE_CHANGED = "line-changed"
    LINE_REMOVED = "line-removed"
    LINE_INSERTED = "line-inserted"
    TAIL_CUT_OFF = "tail-cut-off"
    TIP_FORGED = "tip-forged"
    HEAD_FORGED = "head-forged"
    HEAD_REMOVED = "head-removed"
    HEAD_BROKEN = "head-broken"
    PUT_BACK = "put-back"
    """We signed the head that somebody kept, and this log has none such: it is an earlier one, or
    went on from an earlier one. The receipts from that head on are missing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect, and where.

    Attributes:
        writer: hex of the writer's id; "" when a head is meant.
        sequence: of the line, or the first one of several; None when not of a line.
        head: number of the head; None when not of a head.
    """

    defect: Defect
    writer: str = ""
    sequence: int | None = None
    head: int | None = None

    def __str__(self) -> str:
        places = (
            f"head {self.head}" if self.head is not None else "",
            f"writer {self.writer}" if self.writer else "",
            f"line {self.sequence}" if self.sequence is not None else "",
        )
        return f"{self.defect}: {', '.join(each for each in places if each)}"


class ReceiptsTampered(Exception):  # noqa: N818 -- a verdict
    """The log is not what was written.

    Attributes:
        findings: at most `MAX_FINDINGS`.
    """

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("; ".join(str(each) for each in findings))
        self.findings = findings


@dataclass(frozen=True, slots=True)
class VerifiedReceipts:
    """What was found whole."""

    writers: int
    lines: int
    heads: int


class ReceiptArchive(Protocol):
    """The log as it is read for verifying: one unchanging view of it."""

    def tips(self) -> Iterable[WriterTip]:
        """Every writer's tip."""
        ...

    def lines(self) -> Iterator[ReceiptLine]:
        """Every line, by writer and sequence number."""
        ...

    def lines_between(self, writer: bytes, after: int, through: int) -> Iterator[ReceiptLine]:
        """A writer's lines in a range, by sequence number."""
        ...

    def heads(self) -> Iterator[SignedHead]:
        """Every head, by number."""
        ...


@dataclass(slots=True)
class _Verdict:
    """What one run gathers."""

    keys: ChainKeys = field(repr=False)
    progress: Callable[[int], None]
    findings: list[Finding] = field(default_factory=list)
    lines: int = 0

    def add(self, finding: Finding) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(finding)


def verify_receipts(
    archive: ReceiptArchive,
    *,
    keys: ChainKeys,
    kept_heads: Iterable[SignedHead] = (),
    progress: Callable[[int], None] = lambda lines: None,
) -> VerifiedReceipts:
    """Hold that the log is what was written.

    Args:
        kept_heads: heads that schools fetched and kept; one that is not ours is a finding.
        progress: called with the number of lines read so far, every `PROGRESS_LINES`.

    Raises:
        ReceiptsTampered: with every defect that was found, up to `MAX_FINDINGS`.
    """
    verdict = _Verdict(keys, progress)
    tips = {tip.writer: tip for tip in archive.tips()}
    for tip in tips.values():
        _check_tip_is_ours(tip, verdict)
    _check_chains(archive, tips, verdict)
    heads = _check_heads(archive, tips, kept_heads, verdict)
    if verdict.findings:
        raise ReceiptsTampered(tuple(verdict.findings))
    return VerifiedReceipts(writers=len(tips), lines=verdict.lines, heads=heads)


def _check_tip_is_ours(tip: WriterTip, verdict: _Verdict) -> None:
    try:
        check_tip(tip, keys=verdict.keys)
    except ForgedTip:
        verdict.add(Finding(Defect.TIP_FORGED, tip.writer.hex()))


def _check_chains(
    archive: ReceiptArchive, tips: Mapping[bytes, WriterTip], verdict: _Verdict
) -> None:
    unseen = dict(tips)
    for writer, lines in groupby(archive.lines(), key=lambda line: line.writer):
        _check_chain(writer, lines, unseen.pop(writer, None), verdict)
    for tip in unseen.values():
        if tip.count:
            verdict.add(Finding(Defect.TAIL_CUT_OFF, tip.writer.hex(), 1))


def _check_chain(
    writer: bytes, lines: Iterable[ReceiptLine], tip: WriterTip | None, verdict: _Verdict
) -> None:
    """Check one writer's lines against their links, and their end against the tip."""
    expected = 1
    link: bytes | None = first_link(writer, keys=verdict.keys)
    for line in lines:
        if line.sequence != expected:
            verdict.add(Finding(Defect.LINE_REMOVED, writer.hex(), expected))
            link = None  # what the missing lines led to is unknown: go on from this line's own
        if link is not None:
            leaf = leaf_of(writer, line.sequence, line.receipt)
            if not hmac.compare_digest(next_link(link, leaf, keys=verdict.keys), line.link):
                verdict.add(Finding(Defect.LINE_CHANGED, writer.hex(), line.sequence))
        link = line.link
        expected = line.sequence + 1
        verdict.lines += 1
        if verdict.lines % PROGRESS_LINES == 0:
            verdict.progress(verdict.lines)
    last = expected - 1
    if tip is None or last > tip.count:
        beyond = 1 if tip is None else tip.count + 1
        verdict.add(Finding(Defect.LINE_INSERTED, writer.hex(), beyond))
    elif last < tip.count:
        verdict.add(Finding(Defect.TAIL_CUT_OFF, writer.hex(), expected))
    elif link != tip.link:
        verdict.add(Finding(Defect.LINE_CHANGED, writer.hex(), last))


def _check_heads(
    archive: ReceiptArchive,
    tips: Mapping[bytes, WriterTip],
    kept_heads: Iterable[SignedHead],
    verdict: _Verdict,
) -> int:
    """Check every head against its signature, the one before, its lines and what was kept."""
    kept = {each.number: each.body for each in kept_heads if _read_own_head(each, verdict)}
    covered: dict[bytes, int] = {}
    previous: SignedHead | None = None
    number = 0
    for head in archive.heads():
        follows = head.number == number + 1
        if not follows:
            verdict.add(Finding(Defect.HEAD_REMOVED, head=number + 1))
        number = head.number
        body = _read_own_head(head, verdict)
        if body is not None:
            if follows and body.previous != digest_of(previous):
                verdict.add(Finding(Defect.HEAD_FORGED, head=number))
            if follows and any(each.after != covered.get(each.writer, 0) for each in body.ranges):
                verdict.add(Finding(Defect.HEAD_BROKEN, head=number))
            _check_lines_under(body, archive, verdict)
            covered.update({each.writer: each.through for each in body.ranges})
        if kept.pop(number, head.body) != head.body:
            # Both signed by us: after a backup was put back, numbers are given anew.
            defect = Defect.HEAD_FORGED if body is None else Defect.PUT_BACK
            verdict.add(Finding(defect, head=number))
        previous = head
    if any(tip.heads > number for tip in tips.values()):
        verdict.add(Finding(Defect.HEAD_REMOVED, head=number + 1))
    elif any(each > number for each in kept):
        verdict.add(Finding(Defect.PUT_BACK, head=number + 1))
    return number


def _read_own_head(head: SignedHead, verdict: _Verdict) -> HeadBody | None:
    try:
        return read_head(head, public_key=verdict.keys.head_public_key)
    except ForgedHead:
        verdict.add(Finding(Defect.HEAD_FORGED, head=head.number))
        return None


def _check_lines_under(body: HeadBody, archive: ReceiptArchive, verdict: _Verdict) -> None:
    """Compute a head's root again; name the writer when lines under the head are gone."""
    gone: list[Finding] = []

    def leaves() -> Iterator[bytes]:
        for each in body.ranges:
            last = each.after
            for line in archive.lines_between(each.writer, each.after, each.through):
                last = line.sequence
                yield leaf_of(each.writer, line.sequence, line.receipt)
            if last != each.through:
                gone.append(Finding(Defect.TAIL_CUT_OFF, each.writer.hex(), last + 1, body.number))

    if merkle_root(leaves()) != (body.size, body.root):
        verdict.add(Finding(Defect.HEAD_BROKEN, head=body.number))
    for finding in gone:
        verdict.add(finding)
