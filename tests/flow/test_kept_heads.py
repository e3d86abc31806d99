"""Heads as a school keeps them: a file that comes back as it went, or is refused."""

import json

import pytest

from broker.flow.receipts.kept_heads import (
    KEPT_BYTES_MAX,
    KeptHeads,
    KeptHeadsUnreadable,
    encode_heads,
    parse_heads,
)
from broker.flow.receipts.receipt_chain import read_head
from tests.flow.receipt_archives import KEYS, ListArchive, a_sealed_receipt


def some_heads() -> ListArchive:
    archive = ListArchive()
    archive.write(b"a" * 16, a_sealed_receipt())
    archive.sign({})
    return archive


def test_what_is_kept_comes_back_and_is_checked_with_the_key_beside_it() -> None:
    heads = some_heads().stored_heads
    kept = parse_heads(encode_heads(heads, public_key=KEYS.head_public_key))
    assert kept == KeptHeads(public_key=KEYS.head_public_key.hex(), heads=tuple(heads))
    assert read_head(kept.heads[0], public_key=bytes.fromhex(kept.public_key)).size == 1


def test_the_file_is_frozen() -> None:
    (head,) = some_heads().stored_heads
    stated = json.loads(encode_heads([head], public_key=KEYS.head_public_key))
    assert list(stated) == ["public_key", "heads"]
    assert list(stated["heads"][0]) == ["number", "body", "signature"]


@pytest.mark.parametrize(
    "document", [b"", b"{}", b'"\xff"', b"x" * (KEPT_BYTES_MAX + 1), b'{"public_key": 1}']
)
def test_another_file_is_refused(document: bytes) -> None:
    with pytest.raises(KeptHeadsUnreadable):
        parse_heads(document)
