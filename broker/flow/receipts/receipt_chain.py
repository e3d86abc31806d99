"""What makes the receipts tamper-evident: a keyed chain for each writer, and signed heads.

Every process that writes receipts is a *writer* with an id of its own; its lines are numbered from
1 and chained. A *tip*, written with every batch, says how far its chain goes, so that a cut-off
tail is missed. About once an hour a *head* is signed: the Merkle root (RFC 9162) over all lines
since the head before it. Schools can fetch heads and keep them; what was once under a head that
somebody kept cannot be changed unseen, not even by whoever holds our keys.

    leaf    = SHA-256(0x00 || "schuilnaam/receipt-line/v1" ||
              lp(writer, sequence, locator, ciphertext, school, week))
    link_0  = HMAC(chain key, "schuilnaam/receipt-chain/v1" || lp(writer))
    link_n  = HMAC(chain key, "schuilnaam/receipt-link/v1" || lp(link_n-1, leaf_n))
    tip     = HMAC(tip key, "schuilnaam/receipt-tip/v1" || lp(writer, count, link, heads))
    head    = body (JSON of `HeadBody`) and Ed25519 over "schuilnaam/receipt-head/v1" || body

Numbers are 8 bytes (week: 4), big-endian; the keys are HKDF of the receipt key. Links are keyed,
so that a changed line is named exactly, and not all that follow it. Everything is over
ciphertexts: erasing a person, which deletes a register row, changes nothing here.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from broker.flow.held_state.framing import derive_key, mac
from broker.flow.receipts.merkle import check_audit_path, hash_leaf, merkle_root
from broker.flow.receipts.receipts import COARSE_TIME_SECONDS, SealedReceipt
from broker.pseudonyms.derivation import lp

WRITER_ID_BYTES = 16
_HEAD_LABEL = b"schuilnaam/receipt-head/v1"


class ForgedTip(Exception):  # noqa: N818 -- said of a tip, like a refusal
    """A writer's tip was not made with our key, or was changed."""


class ForgedHead(Exception):  # noqa: N818
    """A head was not signed with our key, or was changed."""


@dataclass(frozen=True, slots=True)
class ChainKeys:
    """What chains lines, vouches for tips and signs heads."""

    link: bytes = field(repr=False)
    tip: bytes = field(repr=False)
    head: Ed25519PrivateKey = field(repr=False)

    @property
    def head_public_key(self) -> bytes:
        """32 bytes (RFC 8032 5.1.5), to be published: schools check heads with it."""
        return self.head.public_key().public_bytes_raw()


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One receipt in its writer's chain.

    Attributes:
        writer: id of the process that wrote it, random at its start.
        sequence: from 1, without gaps.
        link: of the chain, after this line.
    """

    writer: bytes
    sequence: int
    receipt: SealedReceipt
    link: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class WriterTip:
    """How far a writer's chain goes, vouched for.

    Attributes:
        count: lines written.
        link: after the last of them.
        heads: how many heads there were at that moment, so that removed heads are missed.
        tag: the HMAC over the rest.
    """

    writer: bytes
    count: int
    link: bytes = field(repr=False)
    heads: int
    tag: bytes = field(repr=False)


class HeadRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A writer's lines under a head: sequence numbers after `after`, through `through`."""

    writer: bytes
    after: int
    through: int


class HeadBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a head says.

    Attributes:
        number: from 1, without gaps.
        at: seconds since 1970, floored to 5 minutes.
        previous: SHA-256 of the body before; zeros for the first.
        size: leaves under `root`.
        ranges: the lines under `root`, in this order.
    """

    number: int
    at: int
    previous: bytes
    root: bytes
    size: int
    ranges: tuple[HeadRange, ...]


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head as it is stored, fetched and kept: bytes that were signed, and the signature."""

    number: int
    body: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class ReceiptProof:
    """That one line stands under one head: what a school checks with `check_proof`.

    Attributes:
        index: of the line among the head's leaves.
        path: from the leaf to the root, nearest first.
    """

    head: SignedHead
    line: ReceiptLine
    index: int
    path: tuple[bytes, ...] = field(repr=False)


def derive_chain_keys(receipt_key: bytes) -> ChainKeys:
    """Return the three keys that follow from the receipt key of 32 bytes."""
    return ChainKeys(
        link=derive_key(receipt_key, b"schuilnaam/receipt-chain-key/v1"),
        tip=derive_key(receipt_key, b"schuilnaam/receipt-tip-key/v1"),
        head=Ed25519PrivateKey.from_private_bytes(
            derive_key(receipt_key, b"schuilnaam/receipt-head-key/v1")
        ),
    )


def first_link(writer: bytes, *, keys: ChainKeys) -> bytes:
    """Return the link before a writer's first line."""
    return mac(keys.link, b"schuilnaam/receipt-chain/v1", writer)


def leaf_of(writer: bytes, sequence: int, receipt: SealedReceipt) -> bytes:
    """Return the hash of a line: leaf of a head's tree and input of its link."""
    return hash_leaf(
        b"schuilnaam/receipt-line/v1"
        + lp(
            writer,
            sequence.to_bytes(8, "big"),
            receipt.locator,
            receipt.ciphertext,
            receipt.school,
            receipt.week.to_bytes(4, "big"),
        )
    )


def next_link(previous: bytes, leaf: bytes, *, keys: ChainKeys) -> bytes:
    """Return the link after a line."""
    return mac(keys.link, b"schuilnaam/receipt-link/v1", previous, leaf)


def extend_chain(
    tip: WriterTip, receipts: Iterable[SealedReceipt], *, heads: int, keys: ChainKeys
) -> tuple[list[ReceiptLine], WriterTip]:
    """Return a batch of receipts as the next lines of a writer, and the writer's new tip.

    Args:
        heads: how many heads there are.
    """
    lines: list[ReceiptLine] = []
    link, count = tip.link, tip.count
    for receipt in receipts:
        count += 1
        link = next_link(link, leaf_of(tip.writer, count, receipt), keys=keys)
        lines.append(ReceiptLine(tip.writer, count, receipt, link))
    return lines, make_tip(tip.writer, count=count, link=link, heads=heads, keys=keys)


def start_chain(writer: bytes, *, keys: ChainKeys) -> WriterTip:
    """Return the tip of a writer that has written nothing."""
    return make_tip(writer, count=0, link=first_link(writer, keys=keys), heads=0, keys=keys)


def make_tip(writer: bytes, *, count: int, link: bytes, heads: int, keys: ChainKeys) -> WriterTip:
    """Return a tip, vouched for."""
    tag = mac(keys.tip, b"schuilnaam/receipt-tip/v1", *_tip_parts(writer, count, link, heads))
    return WriterTip(writer, count, link, heads, tag)


def check_tip(tip: WriterTip, *, keys: ChainKeys) -> None:
    """Hold that a stored tip is one of ours.

    Raises:
        ForgedTip: it is not.
    """
    made = make_tip(tip.writer, count=tip.count, link=tip.link, heads=tip.heads, keys=keys)
    if not hmac.compare_digest(made.tag, tip.tag):
        raise ForgedTip


def _tip_parts(writer: bytes, count: int, link: bytes, heads: int) -> tuple[bytes, ...]:
    return writer, count.to_bytes(8, "big"), link, heads.to_bytes(8, "big")


def ranges_since(
    tips: Sequence[WriterTip], *, covered: Mapping[bytes, int]
) -> tuple[HeadRange, ...]:
    """Return what the next head covers, by writer.

    Args:
        covered: how many lines of a writer are under earlier heads.
    """
    ordered = sorted(tips, key=lambda tip: tip.writer)
    return tuple(
        HeadRange(tip.writer, covered.get(tip.writer, 0), tip.count)
        for tip in ordered
        if tip.count > covered.get(tip.writer, 0)
    )


def sign_head(
    *,
    previous: SignedHead | None,
    ranges: tuple[HeadRange, ...],
    leaves: Iterable[bytes],
    now: datetime,
    keys: ChainKeys,
) -> SignedHead:
    """Return the head over `ranges`.

    Args:
        leaves: `leaf_of` every line in `ranges`, in their order.
        now: aware; floored to 5 minutes.
    """
    size, root = merkle_root(leaves)
    seconds = int(now.timestamp())
    number = 1 if previous is None else previous.number + 1
    body = msgspec.json.encode(
        HeadBody(
            number=number,
            at=seconds - seconds % COARSE_TIME_SECONDS,
            previous=digest_of(previous),
            root=root,
            size=size,
            ranges=ranges,
        )
    )
    return SignedHead(number, body, keys.head.sign(_HEAD_LABEL + body))


def digest_of(head: SignedHead | None) -> bytes:
    """Return what the next head says of this one; zeros when there is none."""
    return bytes(32) if head is None else hashlib.sha256(head.body).digest()


def read_head(head: SignedHead, *, public_key: bytes) -> HeadBody:
    """Return what a head says, after checking its signature.

    Args:
        public_key: 32 bytes, `ChainKeys.head_public_key`; a school pins it.

    Raises:
        ForgedHead: signed by another key, changed, or stored under another number.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(
            head.signature, _HEAD_LABEL + head.body
        )
    except InvalidSignature:
        raise ForgedHead from None
    return parse_head_body(head)


def parse_head_body(unverified_head: SignedHead) -> HeadBody:
    """Return what a head says, unchecked: for us who made it, or after its signature.

    Raises:
        ForgedHead: it is no head, or stored under another number.
    """
    try:
        body = msgspec.json.decode(unverified_head.body, type=HeadBody)
    except msgspec.DecodeError:
        raise ForgedHead from None
    if body.number != unverified_head.number:
        raise ForgedHead
    return body


def check_proof(proof: ReceiptProof, *, public_key: bytes) -> None:
    """Hold that a line stands under a head that was signed: what a school runs.

    Raises:
        ForgedHead: not a head of the broker whose key was pinned.
        WrongPath: the line does not stand under it, or not at that place.
    """
    body = read_head(proof.head, public_key=public_key)
    line = proof.line
    check_audit_path(
        leaf_of(line.writer, line.sequence, line.receipt),
        proof.path,
        index=proof.index,
        size=body.size,
        expected_root=body.root,
    )
