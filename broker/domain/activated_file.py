"""What a school shares today, as a table of its own making: each row a service and what it gets.

    school;dienst;kenmerken;tot
    11AA;RekenRijk;voornaam, achternaam;2027-07-31

or a column for each attribute, with yes or no in it. Names of columns and attributes are Dutch,
English or those of the federation; the rest is `csv_reading`'s. It is held in memory while somebody
looks at it, and nowhere else. A row that cannot be used is told with its line; the others are.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from broker.domain.activated_words import (
    ABSENT_WORDS,
    ATTRIBUTES,
    COLUMNS,
    DEFAULT_OF_TODAY,
    DEFAULT_WORDS,
    POPULATION,
    PRESENT_WORDS,
    SCHOOL,
    SERVICE,
    UNTIL,
    find_attribute,
)
from broker.domain.attributes import VOCABULARY, AttributeName, Population
from broker.domain.csv_reading import CsvRow, fold_header, read_table

MAX_BYTES = 2 * 1024 * 1024
MAX_ROWS = 10_000
SHOWN_CHARACTERS = 60
"""So much of what a cell holds is told back to whom it belongs."""


class RowProblem(StrEnum):
    """What can be wrong with a row."""

    NO_SERVICE = "no-service"
    UNKNOWN_ATTRIBUTE = "unknown-attribute"
    NOT_YES_OR_NO = "not-yes-or-no"
    UNKNOWN_POPULATION = "unknown-population"
    NOT_A_DAY = "not-a-day"


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with one row, which is left out.

    Attributes:
        line: on which the row ends; the first is 1.
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
        CsvUnreadable: no text, or no table.
        CsvTooLarge: beyond 2 MB or 10,000 rows.
        CsvFaulty: no column that names the service, one twice, or lines of another length.

    >>> read_activated(b"dienst;kenmerken\\r\\nRekenRijk;voornaam\\r\\n").rows[0].service
    'RekenRijk'
    """
    table = read_table(body, columns=COLUMNS, max_rows=MAX_ROWS, max_bytes=MAX_BYTES)
    rows: list[ActivatedRow] = []
    faults: list[RowFault] = []
    for each in table.rows:
        found: list[RowFault] = []
        row = _read_row(each, found)
        if found:
            faults += found
        else:
            rows.append(row)
    return ActivatedFile(rows=tuple(rows), faults=tuple(faults))


def _read_row(row: CsvRow, faults: list[RowFault]) -> ActivatedRow:
    """Return one row; `faults` get what is wrong with it, and then it is left out."""

    def tell(problem: RowProblem, subject: str = "") -> None:
        faults.append(RowFault(row.line, problem, subject.strip()[:SHOWN_CHARACTERS]))

    service = row.read(SERVICE).strip()
    if not service:
        tell(RowProblem.NO_SERVICE)
    approved = _read_list(row.read(ATTRIBUTES), tell)
    for name in VOCABULARY:
        cell = fold_header(row.read(name))
        if cell in PRESENT_WORDS:
            approved.add(name)
        elif cell not in ABSENT_WORDS:
            tell(RowProblem.NOT_YES_OR_NO, row.read(name))
    return ActivatedRow(
        line=row.line,
        service=service,
        school=row.read(SCHOOL).strip(),
        approved=frozenset(approved),
        populations=_read_populations(row.read(POPULATION), tell),
        last_day=_read_day(row.read(UNTIL).strip(), tell),
    )


_Tell = Callable[[RowProblem, str], None]


def _read_list(cell: str, tell: _Tell) -> set[AttributeName]:
    found: set[AttributeName] = set()
    for each in re.split(r"[|,;+\n]", cell):
        words = fold_header(each)
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
    words = fold_header(cell)
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
