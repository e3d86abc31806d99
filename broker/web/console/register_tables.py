"""A register as a table in one language: the page, the CSV file and the PDF show the same one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Generic, TypeVar, overload

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


Line = TypeVar("Line")


class LazyRows(Sequence[tuple[str, ...]], Generic[Line]):
    """Rows that are put into words when they are looked at: a page shows fifty of thousands."""

    def __init__(self, lines: Sequence[Line], columns: Sequence[Callable[[Line], str]]) -> None:
        self._lines = lines
        self._columns = columns

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, place: int) -> tuple[str, ...]: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[tuple[str, ...], ...]: ...
    def __getitem__(self, place: int | slice) -> tuple[str, ...] | tuple[tuple[str, ...], ...]:
        if isinstance(place, slice):
            return tuple(map(self._tell, self._lines[place]))
        return self._tell(self._lines[place])

    def _tell(self, line: Line) -> tuple[str, ...]:
        return tuple(tell(line) for tell in self._columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterTable:
    """A register in words. Texts of suppliers stand in it as they are, and are escaped later."""

    title: str
    place: str
    notes: tuple[str, ...]
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]] = field(repr=False)


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
        blocks.append(Table(header=table.heads, rows=tuple(table.rows)))
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
