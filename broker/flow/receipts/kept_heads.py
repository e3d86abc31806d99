"""Receipt heads as a file that a school keeps: what was once under them cannot change unseen.

    {"public_key": "<64 hexadecimal digits>",
     "heads": [{"number": 7, "body": "<base64>", "signature": "<base64>"}]}

The newest head is enough: each one holds the digest of the one before. The school pins the public
key the first time; `receipt_chain` says what is signed.
"""

from collections.abc import Sequence

import msgspec

from broker.flow.receipts.receipt_chain import SignedHead

KEPT_BYTES_MAX = 16 * 1024 * 1024


class KeptHeadsUnreadable(Exception):  # noqa: N818 -- said of a file
    """The file is not in the form of `KeptHeads`."""


class KeptHeads(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file holds.

    Attributes:
        public_key: of the broker that signed, 32 bytes in hexadecimal digits.
    """

    public_key: str
    heads: tuple[SignedHead, ...]


def encode_heads(heads: Sequence[SignedHead], *, public_key: bytes) -> bytes:
    """Return the file for whoever keeps heads.

    Args:
        public_key: `ChainKeys.head_public_key`.
    """
    kept = KeptHeads(public_key=public_key.hex(), heads=tuple(heads))
    return msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n"


def parse_heads(document: bytes) -> KeptHeads:
    """Return what a file holds; the heads in it are checked by `receipt_audit`.

    Raises:
        KeptHeadsUnreadable: too large, or in another form.
    """
    if len(document) > KEPT_BYTES_MAX:
        raise KeptHeadsUnreadable
    try:
        return msgspec.json.decode(document, type=KeptHeads)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise KeptHeadsUnreadable from None
