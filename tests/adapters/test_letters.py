"""Where letters to parents rest: one contract, in memory and on SQLite."""

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from broker.adapters.databases.sql import open_sqlite
from broker.adapters.databases.sql_letters import SqliteLetters, remove_letters
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.parents.parent_codes import NewLetter, ParentRules
from broker.flow.persons.register import RegisterUnavailable
from tests.flow.memory_letters import MemoryLetters

TODAY, TOMORROW, LATER = date(2026, 11, 3), date(2026, 11, 4), date(2027, 7, 31)
SCHOOL, OTHER = SchoolId("vuurvogel"), SchoolId("kompas")
SANNE, DAAN = b"sanne".ljust(32), b"daan".ljust(32)


@pytest.fixture(params=["memory", "sqlite"])
def book(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "memory":
        return MemoryLetters()
    path = tmp_path / "register.db"
    upgrade_database(path, "register")
    return SqliteLetters(path)


def a_letter(tag: int = 1, **changes: object) -> NewLetter:
    fields: dict[str, object] = {
        "tag": bytes([tag]) * 32,
        "person": SANNE,
        "sealed": b"sealed",
        "school": SCHOOL,
        "batch": "one",
        "household": 1,
        "issued_on": TODAY,
        "last_day": LATER,
        "once": False,
    }
    return NewLetter(**{**fields, **changes})  # type: ignore[arg-type]


async def test_letter_is_found_as_it_was_stored(book: Any) -> None:
    assert await book.add([a_letter(), a_letter(2, person=DAAN)]) == []
    found = book.find(a_letter().tag)
    assert (found.person, found.sealed, found.school, found.once) == (
        SANNE, b"sealed", SCHOOL, False
    )  # fmt: skip
    assert (found.issued_on, found.last_day, found.uses, found.used_on) == (TODAY, LATER, 0, None)
    assert book.find(bytes(32)) is None
    assert await book.add([a_letter(sealed=b"another"), a_letter(3)]) == [a_letter().tag]
    assert book.find(a_letter().tag).sealed == b"sealed"
    assert book.find(a_letter(3).tag) is not None


async def test_use_is_counted_and_bounded_by_the_day(book: Any) -> None:
    await book.add([a_letter()])
    for count, expected in enumerate([True, True, False], 1):
        letter = book.find(a_letter().tag)
        sealed = f"sealed {count}".encode()
        assert await book.use(letter, sealed=sealed, today=TODAY, most=2) is expected
    found = book.find(a_letter().tag)
    assert (found.uses, found.used_on, found.sealed) == (2, TODAY, b"sealed 2")
    assert await book.use(found, sealed=b"x", today=TOMORROW, most=2)
    assert not await book.use(found, sealed=b"y", today=TOMORROW, most=2)  # changed meanwhile


@pytest.mark.parametrize("changes", [{"once": True}, {"last_day": TODAY}])
async def test_letter_that_is_over_is_not_used(book: Any, changes: dict[str, Any]) -> None:
    await book.add([a_letter(**changes)])
    assert await book.use(book.find(a_letter().tag), sealed=b"x", today=TODAY, most=9)
    again = book.find(a_letter().tag)
    assert not await book.use(again, sealed=b"y", today=TOMORROW, most=9)


async def test_two_at_once_use_a_letter_once(book: Any) -> None:
    await book.add([a_letter(once=True)])
    letter = book.find(a_letter().tag)
    uses = [book.use(letter, sealed=bytes([each]), today=TODAY, most=9) for each in range(5)]
    assert sorted(await asyncio.gather(*uses)) == [False] * 4 + [True]


async def test_batches_are_counted_and_taken_back(book: Any) -> None:
    await book.add(
        [
            a_letter(1),
            a_letter(2, person=DAAN),
            a_letter(3, batch="two", issued_on=TOMORROW),
            a_letter(4, school=OTHER, batch="three"),
        ]
    )
    await book.use(book.find(a_letter(1).tag), sealed=b"x", today=TODAY, most=1)
    first, second = book.batches(SCHOOL)
    assert (first.id, first.letters, first.used, first.withdrawn) == ("two", 1, 0, 0)
    assert (second.id, second.letters, second.used, second.issued_on) == ("one", 2, 1, TODAY)
    assert await book.withdraw(SCHOOL, batch="three") == 0
    assert await book.withdraw(SCHOOL, batch="one") == 2
    assert await book.withdraw(SCHOOL, batch="one") == 0
    assert book.find(a_letter(1).tag).withdrawn
    assert not book.find(a_letter(4).tag).withdrawn
    used = await book.use(book.find(a_letter(2).tag), sealed=b"x", today=TODAY, most=1)
    assert not used


async def test_letters_about_pupils_are_taken_back_by_household(book: Any) -> None:
    await book.add([a_letter(1), a_letter(2, household=2), a_letter(3, person=DAAN, household=2)])
    assert await book.withdraw(OTHER, persons=[SANNE], household=2) == 0
    assert await book.withdraw(SCHOOL, persons=[SANNE], household=2) == 1
    assert [each.withdrawn for each in book.of_persons([SANNE])].count(True) == 1
    assert await book.withdraw(SCHOOL, persons=[SANNE, DAAN]) == 2
    assert [each.household for each in book.of_persons([DAAN])] == [2]


async def test_exclusions_are_kept_by_household(book: Any) -> None:
    await book.exclude(SCHOOL, [SANNE, DAAN], household=2, on=True)
    await book.exclude(SCHOOL, [SANNE], household=0, on=True)
    await book.exclude(SCHOOL, [SANNE], household=0, on=True)
    assert {each: set(found) for each, found in book.excluded([SANNE, DAAN]).items()} == {
        SANNE: {0, 2}, DAAN: {2}
    }  # fmt: skip
    await book.exclude(SCHOOL, [SANNE], household=2, on=False)
    assert set(book.excluded([SANNE])[SANNE]) == {0}


async def test_rules_are_those_that_were_set_last(book: Any) -> None:
    assert book.rules(SCHOOL) == ParentRules()
    rules = ParentRules(frozenset({SupplierId("biosfeer")}), pupils_see=False)
    await book.set_rules(SCHOOL, rules)
    assert book.rules(SCHOOL) == rules
    await book.set_rules(SCHOOL, replace(rules, pupils_see=True))
    assert book.rules(SCHOOL).pupils_see
    assert book.rules(OTHER) == ParentRules()


async def test_erasing_leaves_no_letter_and_no_exclusion(tmp_path: Path) -> None:
    path = tmp_path / "register.db"
    upgrade_database(path, "register")
    book = SqliteLetters(path)
    await book.add([a_letter(1), a_letter(2, person=DAAN)])
    await book.exclude(SCHOOL, [SANNE], household=1, on=True)
    connection = open_sqlite(path)
    remove_letters(connection, SANNE)
    connection.close()
    assert book.of_persons([SANNE]) == []
    assert not book.excluded([SANNE])[SANNE]
    assert len(book.of_persons([DAAN])) == 1


async def test_database_that_is_gone_is_told(tmp_path: Path) -> None:
    book = SqliteLetters(tmp_path / "nowhere" / "register.db")
    with pytest.raises(RegisterUnavailable):
        book.find(bytes(32))
    with pytest.raises(RegisterUnavailable):
        await book.add([a_letter()])
