"""Tables as programs save them, and what is no table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.csv_reading import (
    MAX_COLUMNS,
    MAX_FAULTS,
    CsvColumn,
    CsvFault,
    CsvFaulty,
    CsvReason,
    CsvTable,
    CsvTooLarge,
    CsvUnreadable,
    read_table,
    unwrap,
)
from broker.domain.csv_writing import write_cell, write_table
from broker.domain.identifiers import MAX_VALUE_CHARACTERS

COLUMNS = (
    CsvColumn("number", ("leerlingnummer", "stamnr."), required=True),
    CsvColumn("first name", ("roepnaam", "voornaam")),
    CsvColumn("group", ("klas", "groep")),
)
FINE = b"Leerlingnummer;Roepnaam\n1;Sanne"


def read(body: bytes, *, max_rows: int = 10, max_bytes: int = 10_000) -> CsvTable:
    return read_table(body, columns=COLUMNS, max_rows=max_rows, max_bytes=max_bytes)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", ["", "sep={}\r\n"])
def test_tables_of_many_programs(encoding: str, separator: str, ending: str, before: str) -> None:
    lines = ["Stamnr.;ROEPNAAM ;Achternaam;Klas", '0417;Zoë;de Vries;"a,b;c\td"', "", ";;;"]
    body = before.format(separator) + ending.join(lines).replace(";", separator)
    table = read(body.replace('"a,b' + separator, '"a,b;').encode(encoding))
    assert table.columns == ("number", "first name", "group")
    assert table.left_out == ("Achternaam",)
    (row,) = table.rows
    assert row.line == (3 if before else 2)
    assert (row.read("number"), row.read("first name")) == ("0417", "Zoë")
    assert row.read("group") == "a,b;c\td"
    assert row.read("birth date") == ""
    assert "Zoë" not in repr(table) + repr(row)
    assert "Achternaam" not in repr(table)


def test_values_stay_as_they_came_but_for_what_programs_wrap_around_them() -> None:
    table = read(b"klas;leerlingnummer\n 7B ;=\"0417\"\n'=x;'t\n")
    assert [each.read("number") for each in table.rows] == ["0417", "'t"]
    assert [each.read("group") for each in table.rows] == [" 7B ", "=x"]


def test_a_quoted_field_may_hold_lines() -> None:
    table = read(b'leerlingnummer;klas\n1;"7\nB"\n2;8\n')
    assert [each.line for each in table.rows] == [3, 4]


@pytest.mark.parametrize(
    ("body", "check"),
    [
        (b"", "check_csv_is_text"),
        (b" \n\n", "check_csv_is_text"),
        (b"PK\x03\x04\0\0", "check_csv_is_text"),
        (b"leerlingnummer\n\x81\xff", "check_csv_is_text"),
        (b"\xff\xfea", "check_csv_is_text"),
        (b"sep=;\n\n", "check_csv_has_headings"),
        (b"1;Sanne\n2;Daan", "check_csv_has_headings"),
        (b'leerlingnummer;klas\n1;"7', "check_csv_is_a_table"),
        (b'"leerlingnummer;klas\n1;7', "check_csv_is_a_table"),
        (b"<html><body>hello</body></html>", "check_csv_has_headings"),
    ],
)
def test_what_is_no_table(body: bytes, check: str) -> None:
    with pytest.raises(CsvUnreadable, match=check) as caught:
        read(body)
    assert caught.value.__context__ is None
    assert read(FINE).rows


@pytest.mark.parametrize(
    ("body", "check"),
    [
        (FINE + b" " * 10_000, "check_csv_bytes_bounded"),
        (FINE + b"\n2;x" * 10, "check_csv_rows_bounded"),
        (FINE.replace(b"\n", b";" * MAX_COLUMNS + b"\n"), "check_csv_columns_bounded"),
    ],
)
def test_what_is_too_large(body: bytes, check: str) -> None:
    with pytest.raises(CsvTooLarge, match=check):
        read(body)
    assert len(read(FINE + b"\n2;x" * 9).rows) == 10


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        (b"roepnaam;klas\nSanne;7", [CsvFault(1, CsvReason.COLUMN_MISSING, "number")]),
        (b"sep=;\nroepnaam\nSanne", [CsvFault(2, CsvReason.COLUMN_MISSING, "number")]),
        (b"klas;stamnr;groep\n7;1;7", [CsvFault(1, CsvReason.COLUMN_TWICE, "group")]),
        (b"stamnr;klas\n1\n2;7\n3;7;8\n4;7;", [
            CsvFault(2, CsvReason.FIELDS_DIFFER), CsvFault(4, CsvReason.FIELDS_DIFFER)]),
        (b"stamnr;klas\n1;" + b"x" * (MAX_VALUE_CHARACTERS + 1), [
            CsvFault(2, CsvReason.FIELD_TOO_LONG, "group")]),
    ],
)  # fmt: skip
def test_faults_are_told_by_their_line_and_no_value(body: bytes, faults: list[CsvFault]) -> None:
    with pytest.raises(CsvFaulty) as caught:
        read(body)
    assert list(caught.value.faults) == faults
    assert caught.value.count == len(faults)
    assert "Sanne" not in repr(caught.value.faults)


def test_only_the_first_faults_are_told_and_all_are_counted() -> None:
    count = MAX_FAULTS + 5
    with pytest.raises(CsvFaulty) as caught:
        read(FINE + b"\n1" * count, max_rows=1000)
    assert (len(caught.value.faults), caught.value.count) == (MAX_FAULTS, count)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))))
def test_what_we_write_we_read_again(values: list[str]) -> None:
    """But for a value of blanks alone, and one that already looks wrapped or guarded."""
    kept = [each for each in values if each.strip() and unwrap(each) == each]
    body = write_table(["number"], [[each] for each in kept])
    rows = read(body, max_rows=1000, max_bytes=10**7).rows
    assert [each.read("number") for each in rows] == kept


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", " =", "  @"])
def test_no_cell_begins_a_formula(start: str) -> None:
    assert write_cell(start + "cmd|' /C calc'!A0").startswith("'")
    assert write_cell("De Vuurvogel") == "De Vuurvogel"


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (True, "1"), (-3, "-3"), (0.5, "0.5"), ("a\0b", "ab")]
)
def test_numbers_are_written_as_they_are(value: str | float | None, text: str) -> None:
    assert write_cell(value) == text
