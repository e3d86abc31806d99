"""A table that somebody uploads, as spreadsheets and school administrations write it. Pure.

    Leerlingnummer;Roepnaam;Groep
    1100417;Sanne;7B

Read tolerantly, since people send what their program saves: separated by `;`, `,` or tabs, in
UTF-8, UTF-16 or Windows-1252, with or without a byte order mark or Excel's line `sep=;`, with
headers in any order, case and of several names, and columns that nobody asked for, which are left
out. Values are kept as they came: nothing is trimmed, since that could merge two people; only what
programs wrap around a value (`="0417"`, and the apostrophe of `csv_writing`) is taken off.

What cannot be read is told by the number of its line and a reason, never by a value. Nothing here
keeps anything. Lists that a program sends on a schedule are read strictly: `enrolment_file`.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from io import StringIO
from unicodedata import normalize

from broker.domain.csv_writing import GUARD, begins_formula
from broker.domain.identifiers import MAX_VALUE_CHARACTERS
from broker.domain.refusals import Refusal, WhoseTask

SEPARATORS = (";", ",", "\t")
MAX_COLUMNS = 200
MAX_FAULTS = 100
"""That are told; the rest is counted."""

_BYTE_ORDER_MARKS: Mapping[bytes, str] = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_NAMED_SEPARATOR = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_WRAPPED = re.compile(r'="(.*)"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class CsvColumn:
    """A column that is looked for.

    Attributes:
        name: under which its values are read; a header of this name finds it as well.
        also: other headers; case, accents, blanks and punctuation make no difference.
        required: a table without it is refused.
    """

    name: str
    also: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row: the number of the line on which it ends (the first is 1), and its fields by name."""

    line: int
    fields: Mapping[str, str] = field(repr=False)

    def read(self, column: str) -> str:
        """Return a field as it came, "" when the table has no such column."""
        return self.fields.get(column, "")


@dataclass(frozen=True, slots=True)
class CsvTable:
    """What was read.

    Attributes:
        columns: names of the columns that were found, in the table's order.
        left_out: headers that nobody looks for; they may hold values when the first line is no
            header, so they stand in no log.
    """

    columns: tuple[str, ...]
    rows: tuple[CsvRow, ...] = field(repr=False)
    left_out: tuple[str, ...] = field(default=(), repr=False)


class CsvReason(StrEnum):
    """Why a line cannot be used; who reads a table has more. Words: `web/csv_words.py`."""

    COLUMN_MISSING = "column-missing"
    COLUMN_TWICE = "column-twice"
    FIELDS_DIFFER = "fields-differ"
    """Another number of fields than the header row."""
    FIELD_TOO_LONG = "field-too-long"


@dataclass(frozen=True, slots=True)
class CsvFault:
    """Why a line cannot be used; holds no value.

    Attributes:
        reason: one of `CsvReason`, or of who reads the table.
        column: our name of the column; "" when the whole line is meant.
    """

    line: int
    reason: str
    column: str = ""


class CsvUnreadable(Refusal):
    code = "E-CSV-1"
    whose_task = WhoseTask.SCHOOL
    what = "This file is no table that we can read. Nothing was saved."
    remedy = (
        "Open your list in a spreadsheet, save it as CSV with a row of headings, and send that."
    )


class CsvTooLarge(Refusal):
    code = "E-CSV-2"
    whose_task = WhoseTask.SCHOOL
    what = "This file is larger than we read at once. Nothing was saved."
    remedy = (
        "Divide it into smaller files, for example one for each class, and send them one by one."
    )
    http_status = 413  # RFC 9110 15.5.14


class CsvFaulty(Refusal):
    """Lines that cannot be used.

    Attributes:
        faults: of the first lines; `count` is that of all.
    """

    code = "E-CSV-3"
    whose_task = WhoseTask.SCHOOL
    what = "This file has lines that we cannot use. Nothing was saved."
    remedy = "Correct these lines, and send the whole file again."

    def __init__(self, check: str = "", *, faults: Iterable[CsvFault] = ()) -> None:
        super().__init__(check)
        found = sorted(faults, key=lambda each: each.line)
        self.faults, self.count = tuple(found[:MAX_FAULTS]), len(found)


def read_table(
    body: bytes, *, columns: Sequence[CsvColumn], max_rows: int, max_bytes: int
) -> CsvTable:
    """Return the rows of an uploaded table; rows without any value are left out.

    Args:
        body: the file as it was sent.
        columns: what is looked for; a table with none of them is refused.

    Raises:
        CsvTooLarge: more bytes, rows or columns.
        CsvUnreadable: no text, or no row of headings with a column that is looked for.
        CsvFaulty: a required column is missing, one stands there twice, or lines are faulty.

    >>> table = read_table("Leerlingnr.,Groep\\n417,7B\\n".encode(), max_rows=10, max_bytes=1000,
    ...     columns=[CsvColumn("number", ("leerlingnr",)), CsvColumn("group", ("klas", "groep"))])
    >>> table.columns, table.rows[0].line, table.rows[0].read("group")
    (('number', 'group'), 2, '7B')
    """
    if len(body) > max_bytes:
        raise CsvTooLarge("check_csv_bytes_bounded")
    text, first_line = _without_named_separator(_decode(body))
    rows = _rows(text, _choose_separator(text, columns), first_line=first_line)
    header_line, header = next((each for each in rows if any(each[1])), (first_line, []))
    places = _place_columns(header, columns, line=header_line)
    found: list[CsvRow] = []
    faults: list[CsvFault] = []
    for line, fields in rows:
        if not any(each.strip() for each in fields):
            continue
        if len(found) + len(faults) >= max_rows:
            raise CsvTooLarge("check_csv_rows_bounded")
        fault = _find_fault(line, fields, header, places)
        if fault is None:
            values = {name: unwrap(fields[at]) for name, at in places.items()}
            found.append(CsvRow(line, values))
        else:
            faults.append(fault)
    if faults:
        raise CsvFaulty("check_csv_lines", faults=faults)
    taken = frozenset(places.values())
    left_out = (each for at, each in enumerate(header) if at not in taken and each.strip())
    return CsvTable(tuple(places), tuple(found), tuple(left_out))


def unwrap(value: str) -> str:
    """Return a value without what spreadsheet programs write around it.

    >>> unwrap('="0417"'), unwrap("'=1+1"), unwrap("'t Hooft")
    ('0417', '=1+1', "'t Hooft")
    """
    wrapped = _WRAPPED.fullmatch(value)
    if wrapped is not None:
        return wrapped[1]
    return value[1:] if value[:1] == GUARD and begins_formula(value[1:]) else value


def fold_header(header: str) -> str:
    """Return a header without case, accents, blanks and punctuation.

    >>> fold_header(" E-mail adres "), fold_header("Één_groep")
    ('emailadres', 'eengroep')
    """
    plain = normalize("NFKD", header).casefold()
    return "".join(each for each in plain if each.isalnum())


def _decode(body: bytes) -> str:
    """Return the text; in what has no byte order mark, UTF-8 is told from Windows-1252 by failing.

    Raises:
        CsvUnreadable: neither, nothing but blanks, or zeros in it, as spreadsheets' own files have.
    """
    marked = next((of for mark, of in _BYTE_ORDER_MARKS.items() if body.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "windows-1252"):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue  # the error holds what was sent: it goes no further
        if text.strip() and "\0" not in text:
            return text
        break
    raise CsvUnreadable("check_csv_is_text")


def _without_named_separator(text: str) -> tuple[str, int]:
    """Return the text without Excel's own first line, and the number of its first line."""
    named = _NAMED_SEPARATOR.match(text)
    return (text, 1) if named is None else (text[named.end() :], 2)


def _choose_separator(text: str, columns: Sequence[CsvColumn]) -> str:
    """Return that by which the first row has most of the columns; the first of several."""
    known = {fold_header(each) for column in columns for each in (column.name, *column.also)}

    def count_known(separator: str) -> int:
        reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
        try:
            first = next((row for row in reader if any(row)), [])
        except csv.Error:
            return 0
        return len(known.intersection(map(fold_header, first)))

    return max(SEPARATORS, key=count_known)


def _rows(text: str, separator: str, *, first_line: int) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the line on which it ends.

    Raises:
        CsvUnreadable: quotes that never close, no row at all, or a field beyond any reason.
    """
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for row in reader:
            yield reader.line_num + first_line - 1, row
    except csv.Error:
        pass  # refused below: the error's text may hold what was sent
    else:
        return
    raise CsvUnreadable("check_csv_is_a_table")


def _place_columns(
    header: Sequence[str], columns: Sequence[CsvColumn], *, line: int
) -> Mapping[str, int]:
    """Return at which place each column stands that was found, in the table's order.

    Raises:
        CsvTooLarge, CsvUnreadable, CsvFaulty
    """
    if len(header) > MAX_COLUMNS:
        raise CsvTooLarge("check_csv_columns_bounded")
    names = {
        fold_header(each): column.name for column in columns for each in (column.name, *column.also)
    }
    found = [(names[fold_header(each)], at) for at, each in enumerate(header)
             if fold_header(each) in names]  # fmt: skip
    if not found:
        raise CsvUnreadable("check_csv_has_headings")
    places = dict(reversed(found))
    faults = [
        CsvFault(line, CsvReason.COLUMN_MISSING, each.name)
        for each in columns
        if each.required and each.name not in places
    ]
    faults += [CsvFault(line, CsvReason.COLUMN_TWICE, name) for name in places
               if [each for each, _ in found].count(name) > 1]  # fmt: skip
    if faults:
        raise CsvFaulty("check_csv_columns", faults=faults)
    return dict(found)


def _find_fault(
    line: int, fields: Sequence[str], header: Sequence[str], places: Mapping[str, int]
) -> CsvFault | None:
    beyond = fields[len(header) :]  # separators at the end of a line are harmless
    if len(fields) < len(header) or any(each.strip() for each in beyond):
        return CsvFault(line, CsvReason.FIELDS_DIFFER)
    for name, at in places.items():
        if len(fields[at]) > MAX_VALUE_CHARACTERS:
            return CsvFault(line, CsvReason.FIELD_TOO_LONG, name)
    return None
