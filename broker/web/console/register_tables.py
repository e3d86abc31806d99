"""A register as a table in one language: the page, the CSV file and the PDF show the same one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from broker.domain.csv_writing import write_table
from broker.domain.printed_documents import (
    Block,
    Facts,
    Heading,
    Paragraph,
    PrintedDocument,
    Table,
)
from broker.web.texts import N_

MOST_TABULAR = 5
"""Columns that fit beside each other on paper; a wider table is printed row by row."""


class RegisterKind(StrEnum):
    """Which register; also a part of its address."""

    PROCESSING = "processing"
    SUPPLIERS = "suppliers"
    DPIA = "dpia"
    ENDING = "ending"
    ADOPTION = "adoption"


KIND_WORDS: Mapping[RegisterKind, str] = MappingProxyType(
    {
        RegisterKind.PROCESSING: N_("Record of processing activities"),
        RegisterKind.SUPPLIERS: N_("Suppliers and processor agreements"),
        RegisterKind.DPIA: N_("What a DPIA asks"),
        RegisterKind.ENDING: N_("What ends soon"),
        RegisterKind.ADOPTION: N_("Logins with ECK iD"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterTable:
    """A register in words. Texts of suppliers stand in it as they are, and are escaped later."""

    title: str
    place: str
    notes: tuple[str, ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = field(repr=False)


def write_csv(table: RegisterTable) -> bytes:
    """Return a register as a file for spreadsheets; no cell of it begins a formula."""
    return write_table(table.heads, table.rows)


def print_register(
    table: RegisterTable, *, language: str, made_at: datetime, page_words: str
) -> PrintedDocument:
    """Return a register as a document; a wide one row by row."""
    title = f"{table.title}: {table.place}" if table.place else table.title
    blocks: list[Block] = [Paragraph(each) for each in table.notes]
    if len(table.heads) <= MOST_TABULAR:
        blocks.append(Table(header=table.heads, rows=table.rows))
    else:
        for first, *rest in table.rows:
            blocks.append(Heading(first))
            blocks.append(Facts(tuple(zip(table.heads[1:], rest, strict=True))))
    return PrintedDocument(
        language=language,
        title=title,
        made_at=made_at,
        blocks=tuple(blocks),
        footer=table.title,
        page_words=page_words,
    )
