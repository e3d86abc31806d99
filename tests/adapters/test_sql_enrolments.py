"""Schools' lists at rest: one contract, on SQLite and in memory; and what SQLite adds."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from broker.adapters.databases.sql import open_sqlite
from broker.adapters.databases.sql_enrolments import SqliteEnrolments
from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.flow.enrolment.enrolments import EnrolmentBook, FeedChange, StoredEnrolment, StoredFeed
from broker.flow.persons.register import RegisterUnavailable
from tests.flow.memory_enrolments import MemoryEnrolments

A, B, C, KOMPAS, REGENBOOG = (letter * 32 for letter in (b"a", b"b", b"c", b"k", b"r"))
TODAY, LATER = date(2026, 9, 1), date(2026, 9, 8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "register.db"
    upgrade_database(made, "register")
    return made


@pytest.fixture
async def on_sqlite(path: Path) -> AsyncIterator[SqliteEnrolments]:
    made = SqliteEnrolments(path)
    yield made
    await made.close()


@pytest.fixture(params=["memory", "sqlite"])
async def book(request: pytest.FixtureRequest, on_sqlite: SqliteEnrolments) -> EnrolmentBook:
    return MemoryEnrolments() if request.param == "memory" else on_sqlite


def a_change(
    *put: tuple[bytes, bytes],
    remove: tuple[bytes, ...] = (),
    replaces: int = 0,
    of: bytes = KOMPAS,
    sent_on: date = TODAY,
) -> FeedChange:
    return FeedChange(of=of, replaces=replaces, sent_on=sent_on, put=put, remove=remove)


async def test_what_was_put_is_found(book: EnrolmentBook) -> None:
    assert await book.find(A) is None
    assert await book.read_feed(KOMPAS) == StoredFeed(0, {})
    assert await book.replace(a_change((A, b"1"), (B, b"2")))
    assert await book.find(A) == StoredEnrolment(b"1", TODAY)
    assert await book.read_feed(KOMPAS) == StoredFeed(1, {A: b"1", B: b"2"})
    assert await book.read_feed(REGENBOOG) == StoredFeed(0, {})


async def test_a_list_replaces_and_removes(book: EnrolmentBook) -> None:
    await book.replace(a_change((A, b"1"), (B, b"2")))
    await book.replace(a_change((C, b"3"), of=REGENBOOG))
    change = a_change((A, b"9"), remove=(B,), replaces=1, sent_on=LATER)
    assert await book.replace(change)
    assert await book.read_feed(KOMPAS) == StoredFeed(2, {A: b"9"})
    assert await book.find(A) == StoredEnrolment(b"9", LATER)
    assert await book.find(B) is None
    assert await book.find(C) == StoredEnrolment(b"3", TODAY)


async def test_the_later_of_two_changes_nothing(book: EnrolmentBook) -> None:
    assert await book.replace(a_change((A, b"1")))
    assert not await book.replace(a_change((A, b"2"), (B, b"2")))
    assert await book.read_feed(KOMPAS) == StoredFeed(1, {A: b"1"})


async def test_half_a_list_is_never_there(on_sqlite: SqliteEnrolments) -> None:
    await on_sqlite.replace(a_change((A, b"1")))
    broken = a_change((B, b"2"), (C, None), replaces=1)  # type: ignore[arg-type]
    with pytest.raises(RegisterUnavailable):
        await on_sqlite.replace(broken)
    assert await on_sqlite.read_feed(KOMPAS) == StoredFeed(1, {A: b"1"})
    assert await on_sqlite.replace(a_change((B, b"2"), replaces=1))


async def test_who_is_erased_leaves_the_list(on_sqlite: SqliteEnrolments, path: Path) -> None:
    person, other = b"p" * 32, b"o" * 32
    put = ((A, b"1"), (B, b"2"), (C, b"3"))
    owners = ((A, person), (B, person), (B, other), (C, other))
    await on_sqlite.replace(FeedChange(KOMPAS, 0, TODAY, put, (), owners))
    await on_sqlite.replace(FeedChange(KOMPAS, 1, TODAY, ((A, b"9"),), (), owners[:1]))
    register = SqlitePersonRegister(path)
    assert await register.erase({person: b""}) == 0
    assert await on_sqlite.read_feed(KOMPAS) == StoredFeed(2, {C: b"3"})
    await on_sqlite.replace(FeedChange(KOMPAS, 2, TODAY, ((C, b"4"),), (), ()))
    await register.erase({other: b""})
    await register.close()
    assert await on_sqlite.read_feed(KOMPAS) == StoredFeed(3, {C: b"4"})  # another's by now


async def test_a_database_that_is_away_says_nothing(
    on_sqlite: SqliteEnrolments, path: Path
) -> None:
    await on_sqlite.replace(a_change((A, b"1")))
    assert await on_sqlite.find(A)
    path.rename(path.with_suffix(".away"))
    for asked in (on_sqlite.find(A), on_sqlite.read_feed(KOMPAS), on_sqlite.replace(a_change())):
        with pytest.raises(RegisterUnavailable):
            await asked
    path.with_suffix(".away").rename(path)
    assert await on_sqlite.find(A) == StoredEnrolment(b"1", TODAY)


async def test_once_closed_it_says_nothing(path: Path) -> None:
    book = SqliteEnrolments(path)
    await book.close()
    with pytest.raises(RegisterUnavailable, match="check_not_closed"):
        await book.find(A)
    with pytest.raises(RegisterUnavailable):
        await book.replace(a_change())


async def test_a_look_up_goes_by_an_index(on_sqlite: SqliteEnrolments, path: Path) -> None:
    from broker.adapters.databases import sql_enrolments as module

    connection = open_sqlite(path)
    for statement, name in ((module._FIND, "with_tag"), (module._ROWS, "of_school")):
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", {name: A}).fetchall()
        assert all("SEARCH" in step[3] for step in plan), plan
    connection.close()
