"""Counts of suppliers' persons on SQLite: moved with the rows, all or nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.databases.sql_supplier_counts import SqliteSupplierCounts
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.domain.ids import SupplierId
from broker.flow.operators.operator_refusals import PersonChanged
from broker.flow.persons.register import RegisterUnavailable, RowWrite, SupplierMove, mark_of
from broker.flow.persons.supplier_counts import Converted, SupplierTotals

ONE, TWO = SupplierId("one"), SupplierId("two")
MARK = b"m" * 32
SEALED, LATER = b"\x01" + b"1" * 12 + b"rest", b"\x01" + b"2" * 12 + b"rest"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "register.db"
    upgrade_database(path, "register")
    return path


@pytest_asyncio.fixture
async def register(path: Path) -> AsyncIterator[SqlitePersonRegister]:
    opened = SqlitePersonRegister(path)
    yield opened
    await opened.close()


@pytest.fixture
def counts(path: Path) -> SqliteSupplierCounts:
    return SqliteSupplierCounts(path)


def a_write(
    tag: bytes, *moves: SupplierMove, sealed: bytes = SEALED, replaces: bytes | None = None
) -> RowWrite:
    return RowWrite(tag=tag, sealed=sealed, school_year=2026, replaces=replaces, moves=moves)


def a_move(left: str, entered: str, *, supplier: SupplierId = ONE) -> SupplierMove:
    return SupplierMove(supplier, left=left, entered=entered, mark=MARK)


def handed_out(*, nonce: bytes = SEALED[1:13], row_epoch: str = "a") -> Converted:
    return Converted(tag=b"a", nonce=nonce, mark=MARK, row_epoch=row_epoch)


async def test_who_is_erased_leaves_the_counts(
    register: SqlitePersonRegister, counts: SqliteSupplierCounts
) -> None:
    for tag in (b"a", b"b"):
        await register.apply([a_write(tag, a_move("", "a"))])
    with pytest.raises(PersonChanged):
        await register.erase({b"a": b"other"}, [a_move("a", "")])
    assert counts.read(ONE).seen == {"a": 2}
    assert await register.erase({b"a": mark_of(SEALED)}, [a_move("a", "")]) == 1
    assert counts.read(ONE).seen == {"a": 1}


async def test_persons_move_with_their_rows(
    register: SqlitePersonRegister, counts: SqliteSupplierCounts
) -> None:
    assert counts.read(ONE) == SupplierTotals({}, {})
    assert await register.apply([a_write(b"a", a_move("", "a"), a_move("", "a", supplier=TWO))])
    assert await register.apply([a_write(b"b", a_move("", "a"))])
    assert await register.apply([a_write(b"b", a_move("a", "b"), sealed=LATER, replaces=SEALED)])
    assert counts.read(ONE).seen == {"a": 1, "b": 1}
    assert counts.read(TWO).seen == {"a": 1}


async def test_a_login_that_came_second_moves_nobody(
    register: SqlitePersonRegister, counts: SqliteSupplierCounts
) -> None:
    await register.apply([a_write(b"a", a_move("", "a"))])
    assert not await register.apply([a_write(b"b", a_move("", "a")), a_write(b"a")])
    assert counts.read(ONE).seen == {"a": 1}


async def test_a_mark_is_taken_away_by_the_next_login(
    register: SqlitePersonRegister, counts: SqliteSupplierCounts
) -> None:
    await register.apply([a_write(b"a", a_move("", "a"))])
    counts.note_converted(ONE, [handed_out(), handed_out()], epoch="b")
    assert counts.read(ONE).converted == {"b": 1}
    assert counts.read(TWO).converted == {}
    await register.apply([a_write(b"a", a_move("a", "b"), sealed=LATER, replaces=SEALED)])
    assert counts.read(ONE) == SupplierTotals({"a": 0, "b": 1}, {})


async def test_no_mark_is_set_where_a_login_came_in_between(
    register: SqlitePersonRegister, counts: SqliteSupplierCounts
) -> None:
    await register.apply([a_write(b"a", sealed=LATER)])
    counts.note_converted(ONE, [handed_out()], epoch="b")
    assert counts.read(ONE).converted == {}
    counts.note_converted(ONE, [handed_out(nonce=LATER[1:13])], epoch="b")
    assert counts.read(ONE).converted == {"b": 1}


async def test_converting_back_to_what_the_row_says_takes_the_mark_away(
    register: SqlitePersonRegister, counts: SqliteSupplierCounts
) -> None:
    await register.apply([a_write(b"a")])
    counts.note_converted(ONE, [handed_out()], epoch="b")
    counts.note_converted(ONE, [handed_out()], epoch="a")
    assert counts.read(ONE).converted == {}


async def test_closing_forgets_the_marks_of_one_supplier(
    register: SqlitePersonRegister, counts: SqliteSupplierCounts
) -> None:
    await register.apply([a_write(b"a")])
    for each in (ONE, TWO):
        counts.note_converted(each, [handed_out()], epoch="b")
    counts.forget_converted(ONE)
    assert (counts.read(ONE).converted, counts.read(TWO).converted) == ({}, {"b": 1})


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegisterUnavailable):
        SqliteSupplierCounts(tmp_path / "none.db").read(ONE)
