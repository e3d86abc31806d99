"""A school's list as it arrives: a table with a header row, or one JSON object a line. Pure.

    login;eck_id;number;role;branch;groups;until;protected
    107482;https://ketenid.nl/201703/...;1100417;pupil;11AA00;7B|plusgroep;2027-07-31;no

Separated by `;` or `,`, as the header row is; UTF-8, with or without a byte order mark. A column
that nobody knows refuses the list: a misspelt `protected` must not protect nobody.
"""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO

import msgspec

from broker.domain.enrolment import COLUMNS, FeedLine, FeedRefused, LineProblem
from broker.domain.refusals import Refusal, WhoseTask

MAX_LINES = 200_000
"""Persons of one school; the largest has a fifth of that."""

SEPARATORS = (";", ",")


class FeedUnreadable(Refusal):
    code = "E-ENROLMENT-1"
    whose_task = WhoseTask.SCHOOL
    what = "The school's list is not in the form that we read, so nothing of it was taken over."
    remedy = "The school must send it in the form that our documentation describes."


def read_csv(body: bytes) -> list[FeedLine]:
    """Return the lines of a table.

    Raises:
        FeedUnreadable: not UTF-8, no header row with known columns, or too many lines.
        FeedRefused: a line with another number of fields.

    >>> read_csv(b"login;eck_id\\n107482;x\\n")[0].number
    2
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = ""  # refused below, outside the handler: the error holds what was sent
    if not text.strip() or "\0" in text:
        raise FeedUnreadable("check_feed_is_text")
    header = text.split("\n", 1)[0]
    separator = max(SEPARATORS, key=header.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    return list(_lines(reader))


def _lines(reader: Iterable[list[str]]) -> Iterator[FeedLine]:
    columns: tuple[str, ...] | None = None
    count = 0
    rows = enumerate_rows(reader)
    for number, row in rows:
        if columns is None:
            columns = tuple(each.strip().lower() for each in row)
            check_columns(columns)
            continue
        if not any(row):
            continue
        count += 1
        if count > MAX_LINES:
            raise FeedUnreadable("check_feed_lines_bounded")
        if len(row) != len(columns):
            problem = LineProblem(number, "has another number of fields than the header row")
            raise FeedRefused("check_fields_as_in_header", problems=[problem])
        yield FeedLine(number, dict(zip(columns, row, strict=True)))


def enumerate_rows(reader: Iterable[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield rows with the number of the line on which each ends.

    Raises:
        FeedUnreadable: quotes that never close, or a field beyond the reader's own limit.
    """
    try:
        for row in reader:
            yield getattr(reader, "line_num", 0), row
    except csv.Error:
        pass  # refused below: the error's text may hold what was sent
    else:
        return
    raise FeedUnreadable("check_feed_is_a_table")


def check_columns(columns: tuple[str, ...]) -> None:
    """Refuse a header row without `login`, with an unknown column, or with one twice.

    Raises:
        FeedUnreadable
    """
    if "login" not in columns:
        raise FeedUnreadable("check_column_login")
    if not set(columns) <= set(COLUMNS):
        raise FeedUnreadable("check_columns_known")
    if len(set(columns)) != len(columns):
        raise FeedUnreadable("check_columns_once")


class _SentLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    login: str
    eck_id: str = ""
    number: str = ""
    role: str = ""
    branch: str = ""
    groups: str = ""
    until: str = ""
    protected: str = ""

    def __repr__(self) -> str:
        return "_SentLine(...)"


def read_json_lines(lines: Iterable[tuple[int, bytes]]) -> list[FeedLine]:
    """Return the lines of a list of JSON objects with the columns as keys, all of them texts.

    Raises:
        FeedRefused: a line that is none.
        FeedUnreadable: too many lines.

    >>> read_json_lines([(1, b'{"login": "107482", "eck_id": "x"}')])[0].number
    1
    """
    decoder = msgspec.json.Decoder(_SentLine)
    found: list[FeedLine] = []
    for number, line in lines:
        if len(found) >= MAX_LINES:
            raise FeedUnreadable("check_feed_lines_bounded")
        try:
            sent = decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            sent = None  # refused below: a decoder's message may quote what was sent
        if sent is None:
            problem = LineProblem(number, "is no object with these columns as texts")
            raise FeedRefused("check_json_line", problems=[problem])
        found.append(FeedLine(number, msgspec.structs.asdict(sent)))
    return found
