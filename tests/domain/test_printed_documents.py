"""The text of a printed document: plain, bounded, and nothing that turns the page around."""

from datetime import UTC, datetime

import msgspec
import pytest

from broker.domain.printed_documents import (
    MAX_BLOCKS,
    Bullets,
    DocumentTooLong,
    Paragraph,
    PrintedDocument,
    Table,
    write_printed,
)

MADE_AT = datetime(2026, 11, 27, 14, 30, tzinfo=UTC)


def a_document(*blocks: object, title: str = "Besluit") -> PrintedDocument:
    return PrintedDocument(language="nl", title=title, made_at=MADE_AT, blocks=blocks)  # type: ignore[arg-type]


def test_each_block_is_written_with_its_kind() -> None:
    document = a_document(Paragraph("Hoi"), Bullets(("een", "twee")), Table(("a",), (("b",),)))
    written = msgspec.json.decode(write_printed(document))
    assert [each["type"] for each in written["blocks"]] == ["paragraph", "bullets", "table"]
    assert msgspec.json.decode(write_printed(document), type=PrintedDocument) == document


def test_what_cannot_be_printed_is_left_out_and_what_can_stays() -> None:
    written = write_printed(a_document(Paragraph("a\x00b\u202ec \u00e9\n#panic()"), title="x\x1b"))
    decoded = msgspec.json.decode(written)
    assert decoded["blocks"][0]["text"] == "abc \u00e9\n#panic()"
    assert decoded["title"] == "x"


def test_a_document_without_end_is_refused_and_a_long_one_is_not() -> None:
    write_printed(a_document(*[Paragraph("x")] * MAX_BLOCKS))
    with pytest.raises(DocumentTooLong):
        write_printed(a_document(*[Paragraph("x")] * (MAX_BLOCKS + 1)))
