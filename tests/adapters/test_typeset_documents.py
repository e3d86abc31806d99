"""A printed document as PDF: tagged, in its language, the same bytes, and text that stays text."""

import asyncio
import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import typst

from broker.adapters.documents.typeset_documents import TEMPLATE, TypesetDocuments, typeset
from broker.domain.printed_documents import (
    Block,
    Bullets,
    Facts,
    Heading,
    NewPage,
    Paragraph,
    PrintedDocument,
    Table,
    write_printed,
)

MADE_AT = datetime(2026, 11, 27, 14, 30, 5, 123, tzinfo=ZoneInfo("Europe/Amsterdam"))
EVERY_BLOCK: tuple[Block, ...] = (
    Facts((("School", "De Vuurvogel"), ("Dienst", "RekenRijk"))),
    Heading("Wat er wordt gedeeld"),
    Paragraph("RekenRijk krijgt de voornaam."),
    Bullets(("voornaam", "rol")),
    Heading("In een tabel", level=2),
    Table(("Gegeven", "Waarom"), (("voornaam", "om te begroeten"),), widths=(1, 3)),
    NewPage(),
    Table((), ()),
)


def a_document(*blocks: Block) -> PrintedDocument:
    return PrintedDocument(
        language="nl", title="Besluit", made_at=MADE_AT, blocks=blocks, footer="Schuilnaam"
    )


def test_a_document_is_the_same_bytes_each_time_and_another_text_is_not() -> None:
    made = typeset(a_document(*EVERY_BLOCK))
    assert made == typeset(a_document(*EVERY_BLOCK))
    assert made != typeset(a_document(Paragraph("iets anders")))


def test_it_is_tagged_and_says_its_language_and_title() -> None:
    made = typeset(a_document(*EVERY_BLOCK))
    assert made.startswith(b"%PDF-1.7")
    assert b"/StructTreeRoot" in made
    assert b"pdfuaid:part>1<" in made.replace(b'pdfuaid:part="1"', b"pdfuaid:part>1<")
    assert b"/Lang(nl)" in made.replace(b"/Lang (nl)", b"/Lang(nl)")


@pytest.mark.parametrize(
    "text", ["#panic()", "$ x", '"] #read("/etc/passwd")', "<script>", "= kop", "*vet*", "\\ @a"]
)
def test_text_that_looks_like_markup_stays_text(text: str) -> None:
    document = a_document(Heading(text), Paragraph(text), Bullets((text,)), Facts(((text, text),)))
    assert b"/StructTreeRoot" in typeset(document)
    found = json.loads(
        typst.query(
            TEMPLATE.read_bytes(),
            "heading",
            sys_inputs={"document": write_printed(document).decode()},
        )
    )
    assert [each["body"]["text"] for each in found] == ["Besluit", text]


def test_a_character_that_no_font_has_costs_the_claim_of_the_standard_alone() -> None:
    made = typeset(a_document(Paragraph("\u5b66\u6821")))
    assert b"/StructTreeRoot" in made
    assert b"pdfuaid" not in made


async def test_it_is_made_beside_the_event_loop() -> None:
    documents = TypesetDocuments()
    first, second = await asyncio.gather(
        documents.typeset(a_document(Paragraph("een"))),
        documents.typeset(a_document(Paragraph("twee"))),
    )
    assert first != second
    assert first.startswith(b"%PDF")
