"""What a school shares today, as a table of its own making: each row a service and what it gets.

    school;dienst;kenmerken;tot
    11AA;RekenRijk;voornaam, achternaam;2027-07-31

or a column for each attribute, with yes or no in it. Separated by `;`, `,` or tabs, UTF-8 or
Windows-1252, names of columns and attributes in Dutch, in English or as the federation writes them.
It is held in memory while somebody looks at it, and nowhere else.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, auto
from io import StringIO

from broker.domain.activated_words import (
    ABSENT_WORDS,
    COLUMN_WORDS,
    DEFAULT_OF_TODAY,
    DEFAULT_WORDS,
    PRESENT_WORDS,
    ActivatedColumn,
    find_attribute,
    fold_words,
)
from broker.domain.attributes import AttributeName, Population
from broker.domain.refusals import Refusal, WhoseTask

MAX_BYTES = 2 * 1024 * 1024
MAX_ROWS = 10_000
MAX_FIELD_CHARACTERS = 2_000
SHOWN_CHARACTERS = 60
"""So much of what a cell holds is told back to whom it belongs."""

SEPARATORS = (";", ",", "\t")


class ActivatedFileUnreadable(Refusal):
    code = "E-DECIDE-20"
    whose_task = WhoseTask.SCHOOL
    what = "This file is not a table that we can read, so nothing of it was used."
    remedy = "Save it as CSV, with the names of the columns in the first row, and choose it again."


class ActivatedFileTooLarge(Refusal):
    code = "E-DECIDE-21"
    whose_task = WhoseTask.SCHOOL
    what = "This file is too large: we read at most 2 MB and 10,000 rows."
    remedy = "Leave out what is not about services, or send the file in parts."
    http_status = 413


class RowProblem(Enum):
    """What can be wrong with a row."""

    OTHER_COUNT = auto()
    """Another number of columns than the first row."""
    TOO_LONG = auto()
    NO_SERVICE = auto()
    UNKNOWN_ATTRIBUTE = auto()
    NOT_YES_OR_NO = auto()
    UNKNOWN_POPULATION = auto()
    NOT_A_DAY = auto()


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with one row, which is left out.

    Attributes:
        line: as an editor counts, the first is 1.
        subject: a name of the file, cut; it belongs to who sent it.
    """

    line: int
    problem: RowProblem
    subject: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivatedRow:
    """One service at one school today.

    Attributes:
        line: where it stands in the file.
        service: as the file calls it: an id, a name of the service or of its supplier.
        school: as the file calls it; "" when the file is of one school.
        approved: what goes out today.
        populations: of whom; both when the file does not say.
        last_day: None without end.
    """

    line: int
    service: str
    school: str = ""
    approved: frozenset[AttributeName]
    populations: frozenset[Population] = frozenset(Population)
    last_day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivatedFile:
    """What was read: rows to compare, and faults with their lines, both in the file's order."""

    rows: tuple[ActivatedRow, ...]
    faults: tuple[RowFault, ...]


def read_activated(body: bytes) -> ActivatedFile:
    """Return what a file says is activated today.

    Raises:
        ActivatedFileUnreadable: no text, no table, or no column that names the service.
        ActivatedFileTooLarge: beyond 2 MB or 10,000 rows.

    >>> read_activated(b"dienst;kenmerken\\r\\nRekenRijk;voornaam\\r\\n").rows[0].service
    'RekenRijk'
    """
    if len(body) > MAX_BYTES:
        raise ActivatedFileTooLarge("check_file_bytes")
    text = read_text(body)
    rows = _rows(text)
    header = next(rows, None)
    if header is None:
        raise ActivatedFileUnreadable("check_file_has_a_header")
    columns = _read_columns(header[1])
    found: list[ActivatedRow] = []
    faults: list[RowFault] = []
    for count, (line, cells) in enumerate(rows, start=1):
        if count > MAX_ROWS:
            raise ActivatedFileTooLarge("check_file_rows")
        row = _read_row(line, cells, columns, faults)
        if row is not None:
            found.append(row)
    return ActivatedFile(rows=tuple(found), faults=tuple(faults))


def read_text(body: bytes) -> str:
    """Return a file of a spreadsheet as text: UTF-8, or what Windows writes.

    Raises:
        ActivatedFileUnreadable: something else, such as a workbook.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("cp1252", errors="replace")
    # A spreadsheet's own file, a picture or UTF-16 holds these; a table does not.
    if not text.strip() or re.search("[\x00-\x08\x0e-\x1f]", text):
        raise ActivatedFileUnreadable("check_file_is_text")
    return text


def find_separator(text: str) -> str:
    """Return what separates the columns of the first row."""
    header = text.lstrip().partition("\n")[0]
    return max(SEPARATORS, key=header.count)


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, with the line on which each begins."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=find_separator(text), strict=True)
    begins = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error:
            cells = []  # refused below: the error's text may hold what was sent
            reader = None  # type: ignore[assignment]
        if reader is None:
            raise ActivatedFileUnreadable("check_file_is_a_table")
        if cells is None:
            return
        if any(each.strip() for each in cells):
            yield begins, [each.strip() for each in cells]
        begins = reader.line_num + 1


_Reading = tuple[ActivatedColumn | AttributeName, ...]


def _read_columns(header: Sequence[str]) -> _Reading:
    columns: list[ActivatedColumn | AttributeName] = []
    for each in header:
        column = COLUMN_WORDS.get(fold_words(each))
        columns.append(column or find_attribute(each) or ActivatedColumn.OTHER)
    known = [each for each in columns if each is not ActivatedColumn.OTHER]
    if ActivatedColumn.SERVICE not in known:
        raise ActivatedFileUnreadable("check_file_names_services")
    if len(set(known)) != len(known):
        raise ActivatedFileUnreadable("check_columns_once")
    return tuple(columns)


def _read_row(
    line: int, cells: list[str], columns: _Reading, faults: list[RowFault]
) -> ActivatedRow | None:
    """Return one row; None when a fault leaves it out, which is then told."""
    if len(cells) > len(columns) and not any(cells[len(columns) :]):
        cells = cells[: len(columns)]  # spreadsheets write separators after the last column
    told = len(faults)
    if len(cells) != len(columns):
        faults.append(RowFault(line, RowProblem.OTHER_COUNT))
        return None
    if any(len(each) > MAX_FIELD_CHARACTERS for each in cells):
        faults.append(RowFault(line, RowProblem.TOO_LONG))
        return None
    by_column: dict[ActivatedColumn | AttributeName, str] = dict(zip(columns, cells, strict=True))

    def tell(problem: RowProblem, subject: str = "") -> None:
        faults.append(RowFault(line, problem, subject[:SHOWN_CHARACTERS]))

    service = by_column[ActivatedColumn.SERVICE]
    if not service:
        tell(RowProblem.NO_SERVICE)
    approved = _read_list(by_column.get(ActivatedColumn.ATTRIBUTES, ""), tell)
    for column, cell in by_column.items():
        if isinstance(column, ActivatedColumn):
            continue
        if fold_words(cell) in PRESENT_WORDS:
            approved.add(column)
        elif fold_words(cell) not in ABSENT_WORDS:
            tell(RowProblem.NOT_YES_OR_NO, cell)
    populations = _read_populations(by_column.get(ActivatedColumn.POPULATION, ""), tell)
    last_day = _read_day(by_column.get(ActivatedColumn.UNTIL, ""), tell)
    if len(faults) > told:
        return None
    return ActivatedRow(
        line=line,
        service=service,
        school=by_column.get(ActivatedColumn.SCHOOL, ""),
        approved=frozenset(approved),
        populations=populations,
        last_day=last_day,
    )


_Tell = Callable[[RowProblem, str], None]


def _read_list(cell: str, tell: _Tell) -> set[AttributeName]:
    found: set[AttributeName] = set()
    for each in re.split(r"[|,;+\n]", cell):
        words = fold_words(each)
        if not words or words in ABSENT_WORDS:
            continue
        if words in DEFAULT_WORDS:
            found |= DEFAULT_OF_TODAY
            continue
        name = find_attribute(each)
        if name is None:
            tell(RowProblem.UNKNOWN_ATTRIBUTE, each.strip())
        else:
            found.add(name)
    return found


_POPULATION_STEMS = {
    Population.PUPIL: ("leerling", "pupil", "student", "onderwijsdeelnemer"),
    Population.STAFF: ("medewerker", "personeel", "staff", "employee", "teacher", "leraar"),
}
_BOTH = ("", "beide", "both", "all", "alle", "iedereen", "everybody")


def _read_populations(cell: str, tell: _Tell) -> frozenset[Population]:
    words = fold_words(cell)
    if words in _BOTH:
        return frozenset(Population)
    found = frozenset(
        population
        for population, stems in _POPULATION_STEMS.items()
        if any(stem in words for stem in stems)
    )
    if not found:
        tell(RowProblem.UNKNOWN_POPULATION, cell)
    return found


_DAY_FIRST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})\Z")
_YEAR_FIRST = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})\Z")


def _read_day(cell: str, tell: _Tell) -> date | None:
    if not cell:
        return None
    first, last = _YEAR_FIRST.match(cell), _DAY_FIRST.match(cell)
    parts = first.groups() if first else last.groups()[::-1] if last else ()
    try:
        return date(*map(int, parts))
    except (TypeError, ValueError):
        tell(RowProblem.NOT_A_DAY, cell)
    return None
