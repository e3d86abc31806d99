"""A school's table of what it shares today: each way of writing it, each fault with its line."""

from datetime import date

import pytest

from broker.domain.activated_file import (
    MAX_BYTES,
    MAX_ROWS,
    RowProblem,
    read_activated,
)
from broker.domain.activated_words import (
    ABSENT_WORDS,
    COLUMNS,
    DEFAULT_OF_TODAY,
    DEFAULT_WORDS,
    PRESENT_WORDS,
    find_attribute,
)
from broker.domain.attributes import VOCABULARY, Population
from broker.domain.csv_reading import CsvFaulty, CsvTooLarge, CsvUnreadable, fold_header

NAMES = {"givenName", "sn"}


@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_spreadsheets_write_is_read(separator: str, encoding: str, newline: str) -> None:
    lines = (["dienst", "kenmerken", "tot"], ["Café Één", '"voornaam|achternaam"', "31-07-2027"])
    text = newline.join(separator.join(each) for each in lines) + newline
    (row,) = read_activated(text.encode(encoding)).rows
    assert row.service == "Café Één"
    assert row.approved == NAMES
    assert row.last_day == date(2027, 7, 31)
    assert row.line == 2
    assert (row.school, row.populations) == ("", frozenset(Population))


@pytest.mark.parametrize(
    "header",
    ["Dienst;Kenmerken", "SERVICE;attributes", "leverancier;Vrijgegeven", "product;gegevens"],
)
def test_columns_go_by_dutch_and_english_names(header: str) -> None:
    read = read_activated(f"{header}\nRekenRijk;first name, surname\n".encode())
    assert read.rows[0].approved == NAMES
    assert read.faults == ()


def test_a_column_for_each_attribute_is_read_too_and_others_are_passed_over() -> None:
    table = "school;dienst;voornaam;sn;opmerking;e-mail\n11AA;RekenRijk;Ja;x;bel Piet;nee\n"
    (row,) = read_activated(table.encode()).rows
    assert row.approved == NAMES
    assert row.school == "11AA"


def test_both_ways_of_naming_attributes_add_up_and_the_default_is_known() -> None:
    (row,) = read_activated(b"dienst;kenmerken;mail\nA;standaard + geen;1\n").rows
    assert row.approved == DEFAULT_OF_TODAY | {"mail"}


def test_a_service_that_gets_nothing_is_a_row() -> None:
    (row,) = read_activated(b"dienst\nRekenRijk\n\n;;\n").rows
    assert row.approved == frozenset()


def test_separators_after_the_last_column_mean_nothing() -> None:
    assert read_activated(b"dienst;rol\nA;ja;;;\n").faults == ()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("leerlingen", {Population.PUPIL}),
        ("Staff", {Population.STAFF}),
        ("leerlingen en medewerkers", set(Population)),
        ("beide", set(Population)),
    ],
)
def test_of_whom_is_read(words: str, expected: set[Population]) -> None:
    assert read_activated(f"dienst;doelgroep\nA;{words}\n".encode()).rows[0].populations == expected


@pytest.mark.parametrize("day", ["2027-07-31", "31-07-2027", "31/7/2027", "31.07.2027"])
def test_days_are_read(day: str) -> None:
    assert read_activated(f"dienst;tot\nA;{day}\n".encode()).rows[0].last_day == date(2027, 7, 31)


@pytest.mark.parametrize(
    ("header", "row", "problem", "subject"),
    [
        ("dienst;rol", ";ja", RowProblem.NO_SERVICE, ""),
        ("dienst;kenmerken", "A;schoenmaat", RowProblem.UNKNOWN_ATTRIBUTE, "schoenmaat"),
        ("dienst;kenmerken", "A;" + "y" * 70, RowProblem.UNKNOWN_ATTRIBUTE, "y" * 60),
        ("dienst;rol", "A;misschien", RowProblem.NOT_YES_OR_NO, "misschien"),
        ("dienst;doelgroep", "A;ouders", RowProblem.UNKNOWN_POPULATION, "ouders"),
        ("dienst;tot", "A;31-02-2027", RowProblem.NOT_A_DAY, "31-02-2027"),
        ("dienst;tot", "A;morgen", RowProblem.NOT_A_DAY, "morgen"),
    ],
)
def test_a_fault_is_told_with_its_line_and_the_other_rows_are_read(
    header: str, row: str, problem: RowProblem, subject: str
) -> None:
    good = ";".join(["Goed"] + [""] * header.count(";"))
    read = read_activated(f"{header}\n{good}\n{row}\n{good}\n".encode())
    assert [each.line for each in read.rows] == [2, 4]
    (fault,) = read.faults
    assert (fault.line, fault.problem, fault.subject) == (3, problem, subject)
    assert subject == "" or subject not in repr(fault)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", CsvUnreadable),
        (b"PK\x03\x04\0 a workbook", CsvUnreadable),
        (b"naam;merk\nA;ja\n", CsvUnreadable),
        (b"school;rol\nA;ja\n", CsvFaulty),
        (b"dienst;leverancier\nA;B\n", CsvFaulty),
        (b"dienst;voornaam;given_name\nA;ja;ja\n", CsvFaulty),
        (b"dienst;rol\nA\n", CsvFaulty),
        (b"dienst\n" + b"A\n" * (MAX_ROWS + 1), CsvTooLarge),
        (b"dienst\nA" + b"\n" * MAX_BYTES, CsvTooLarge),
    ],
)
def test_what_is_no_such_table_is_refused(body: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        read_activated(body)


def test_as_much_as_may_be_is_read() -> None:
    assert len(read_activated(b"dienst\n" + b"A\n" * MAX_ROWS).rows) == MAX_ROWS


def test_no_word_means_two_things() -> None:
    words = [
        word
        for column in COLUMNS
        for word in {fold_header(each) for each in (column.name, *column.also)}
    ]
    assert len(words) == len(set(words))
    cells = [*PRESENT_WORDS, *ABSENT_WORDS, *DEFAULT_WORDS]
    assert len(cells) == len(set(cells))
    assert all(each == fold_header(each) for each in cells)
    assert {find_attribute(each) for each in VOCABULARY} == set(VOCABULARY)
