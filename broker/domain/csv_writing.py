"""A table that somebody downloads and opens in a spreadsheet. Pure.

A spreadsheet program takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break for a
formula, and a formula can send the other cells elsewhere (OWASP, CSV injection). Names of schools
and suppliers come from documents, so each such text gets an apostrophe before it, which the
program does not show. `csv_reading` takes it off again.
"""

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from io import StringIO

GUARD = "'"
FORMULA_STARTS = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # full-width ones as well
SEPARATOR = ";"  # what Excel expects in the Netherlands
BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads another encoding than UTF-8

Cell = str | int | float | date | bool | None


def write_table(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return a table in UTF-8 with a byte order mark, each field quoted, lines ended by CR LF
    (RFC 4180).

    >>> write_table(["name"], [["=1+1"], [-1]]).decode("utf-8-sig").splitlines()
    ['"name"', '"\\'=1+1"', '"-1"']
    """
    text = StringIO(newline="")
    writer = csv.writer(text, delimiter=SEPARATOR, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(list(map(write_cell, header)))
    writer.writerows(list(map(write_cell, row)) for row in rows)
    return (BYTE_ORDER_MARK + text.getvalue()).encode()


def write_cell(value: Cell) -> str:
    """Return the text of one cell; a text that looks like a formula is guarded, a number is not.

    >>> write_cell("@sum"), write_cell(-3), write_cell(None), write_cell(True)
    ("'@sum", '-3', '', '1')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if not isinstance(value, str):
        return str(value)
    text = value.replace("\0", "")
    return GUARD + text if begins_formula(text) else text


def begins_formula(text: str) -> bool:
    """Tell whether some program takes a cell for a formula; blanks before it hide none.

    >>> begins_formula(" =1"), begins_formula("7B")
    (True, False)
    """
    return (text.lstrip(" ")[:1] or " ") in FORMULA_STARTS
