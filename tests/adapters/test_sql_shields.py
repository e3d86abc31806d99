"""Shields and requests at rest: one contract, on SQLite and in memory; and what SQLite adds."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from broker.adapters.databases import sql_shields
from broker.adapters.databases.sql import open_sqlite
from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.databases.sql_requests import SqliteRequests
from broker.adapters.databases.sql_shields import SqliteShields
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.domain.ids import SchoolId
from broker.domain.shielding import ShieldedBy
from broker.flow.persons.register import RegisterUnavailable
from broker.flow.requests.person_requests import (
    KEPT_DAYS,
    Filing,
    Grounds,
    RequestBook,
    RequestId,
    RequestKind,
    RequestMove,
    RequestState,
    StoredRequest,
    TooManyRequests,
)
from broker.flow.shielding.shields import ShieldBook, StoredShield
from tests.flow.memory_shields import MemoryShields

KOMPAS, REGENBOOG = SchoolId("kompas"), SchoolId("regenboog")
ECK, LOCAL, OTHER = (letter * 32 for letter in (b"e", b"l", b"o"))
TODAY = date(2026, 9, 1)


@dataclass(frozen=True)
class Books:
    """Both, over one place."""

    shields: ShieldBook
    requests: RequestBook


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "register.db"
    upgrade_database(made, "register")
    return made


@pytest.fixture
async def on_sqlite(path: Path) -> AsyncIterator[Books]:
    shields, requests = SqliteShields(path), SqliteRequests(path)
    yield Books(shields, requests)
    await shields.close()
    await requests.close()


@pytest.fixture(params=["memory", "sqlite"])
async def books(request: pytest.FixtureRequest, on_sqlite: Books) -> Books:
    memory = MemoryShields()
    return Books(memory, memory) if request.param == "memory" else on_sqlite


def a_shield(tag: bytes = LOCAL, of: str = "mark", sealed: bytes = b"s") -> StoredShield:
    return StoredShield(tag, of, ShieldedBy.SCHOOL, sealed)


def a_filing(
    name: str = "first",
    *,
    school: SchoolId = KOMPAS,
    kind: RequestKind = RequestKind.OBJECTION,
    persons: tuple[bytes, ...] = (ECK, LOCAL),
    on: date = TODAY,
    blocks: bool = False,
    most_open: int = 2,
) -> Filing:
    request = StoredRequest(
        id=RequestId(name),
        school=school,
        kind=kind,
        state=RequestState.OPEN,
        filed_on=on,
        deadline=on + timedelta(days=28),
        blocks=blocks,
        subject=b"sealed",
    )
    shields = tuple((tag, b"of " + name.encode()) for tag in persons)
    is_objection = kind is RequestKind.OBJECTION
    return Filing(request, name.encode(), persons, shields if is_objection else (), most_open)


def a_move(name: str, after: RequestState, **changes: object) -> RequestMove:
    move = RequestMove(RequestId(name), KOMPAS, RequestState.OPEN, after, TODAY)
    return replace(move, **changes)  # type: ignore[arg-type]


async def found(books: Books, *tags: bytes) -> set[tuple[bytes, str, str]]:
    return {(each.tag, each.id, each.by.value) for each in await books.shields.find(tags)}


async def test_a_school_puts_changes_and_removes_a_shield(books: Books) -> None:
    assert not books.shields.has_any(KOMPAS)
    await books.shields.put(KOMPAS, [a_shield(ECK), a_shield(LOCAL)])
    assert books.shields.has_any(KOMPAS)
    assert not books.shields.has_any(REGENBOOG)
    assert await found(books, ECK, LOCAL) == {(ECK, "mark", "school"), (LOCAL, "mark", "school")}
    assert await books.shields.find([OTHER]) == []
    await books.shields.put(KOMPAS, [a_shield(LOCAL, "newer", b"t")])
    assert await books.shields.find([ECK, LOCAL]) == [a_shield(LOCAL, "newer", b"t")]
    assert await books.shields.tags_of(KOMPAS) == {LOCAL: "newer"}
    assert await books.shields.tags_of(REGENBOOG) == {}
    assert await books.shields.remove([ECK]) == 0
    assert await books.shields.remove([LOCAL]) == 1
    assert await books.shields.find([ECK, LOCAL]) == []


async def test_an_objection_holds_as_long_as_its_request_says(books: Books) -> None:
    filed = await books.requests.file(a_filing())
    assert filed == "first"
    assert books.shields.has_any(KOMPAS)
    assert await books.shields.find([ECK]) == []
    grants = a_move("first", RequestState.GRANTED, grounds=Grounds.AS_ASKED)
    assert await books.requests.move(grants)
    assert await found(books, ECK) == {(ECK, "first", "objection")}
    (stored,) = await books.requests.of_school(KOMPAS)
    assert (stored.state, stored.decided_on) == (RequestState.GRANTED, TODAY)
    assert stored.grounds is Grounds.AS_ASKED
    withdrawn = a_move("first", RequestState.WITHDRAWN, before=RequestState.GRANTED)
    assert await books.requests.move(withdrawn)
    assert await books.shields.find([ECK]) == []


async def test_one_that_blocks_holds_until_it_is_refused(books: Books) -> None:
    await books.requests.file(a_filing(blocks=True))
    assert await found(books, LOCAL) == {(LOCAL, "first", "objection")}
    assert await books.requests.move(a_move("first", RequestState.REFUSED))
    assert await books.shields.find([LOCAL]) == []


async def test_a_schools_own_shield_stays_when_an_objection_ends(books: Books) -> None:
    await books.shields.put(KOMPAS, [a_shield()])
    await books.requests.file(a_filing(blocks=True))
    assert await books.shields.remove([LOCAL]) == 1
    assert await found(books, LOCAL) == {(LOCAL, "first", "objection")}
    assert await books.shields.tags_of(KOMPAS) == {}


async def test_only_what_is_as_expected_moves(books: Books) -> None:
    await books.requests.file(a_filing())
    elsewhere = a_move("first", RequestState.GRANTED, school=REGENBOOG)
    assert not await books.requests.move(elsewhere)
    assert not await books.requests.move(a_move("other", RequestState.GRANTED))
    assert await books.requests.move(a_move("first", RequestState.GRANTED))
    assert not await books.requests.move(a_move("first", RequestState.REFUSED))


async def test_requests_are_found_by_person_and_by_school(books: Books) -> None:
    await books.requests.file(a_filing("a", persons=(ECK,)))
    later = a_filing("b", on=TODAY + timedelta(days=1), kind=RequestKind.CORRECTION)
    await books.requests.file(later)
    await books.requests.file(a_filing("c", school=REGENBOOG, persons=(OTHER,)))
    assert [each.id for each in await books.requests.of_persons([ECK, LOCAL])] == ["b", "a"]
    assert [each.id for each in await books.requests.of_persons([LOCAL])] == ["b"]
    assert [each.id for each in await books.requests.of_school(KOMPAS)] == ["a", "b"]
    persons = await books.requests.persons_of(KOMPAS)
    assert {tag: sorted(ids) for tag, ids in persons.items()} == {ECK: ["a", "b"], LOCAL: ["b"]}


async def test_nobody_has_more_open_than_a_few(books: Books) -> None:
    await books.requests.file(a_filing("a"))
    await books.requests.file(a_filing("b", persons=(LOCAL,)))
    with pytest.raises(TooManyRequests, match="check_few_requests_open"):
        await books.requests.file(a_filing("c"))
    await books.requests.file(a_filing("d", persons=(OTHER,)))
    assert await books.requests.move(a_move("a", RequestState.REFUSED))
    assert await books.requests.file(a_filing("e")) == "e"


async def test_the_same_request_twice_is_one_while_it_is_open(books: Books) -> None:
    await books.requests.file(a_filing())
    again = a_filing("second")
    assert await books.requests.file(replace(again, same=b"first")) == "first"
    await books.requests.move(a_move("first", RequestState.REFUSED))
    assert await books.requests.file(replace(again, same=b"first")) == "second"


async def test_what_was_decided_long_ago_goes_but_what_still_holds(books: Books) -> None:
    for name in ("granted", "refused"):
        await books.requests.file(a_filing(name))
    await books.requests.move(a_move("granted", RequestState.GRANTED))
    await books.requests.move(a_move("refused", RequestState.REFUSED))
    long_after = TODAY + timedelta(days=KEPT_DAYS + 1)
    await books.requests.file(a_filing("new", on=long_after, persons=(OTHER,)))
    assert {each.id for each in await books.requests.of_school(KOMPAS)} == {"granted", "new"}
    assert await found(books, ECK) == {(ECK, "granted", "objection")}
    assert set(await books.requests.persons_of(KOMPAS)) == {ECK, LOCAL, OTHER}


async def test_who_is_erased_leaves_nothing(on_sqlite: Books, path: Path) -> None:
    await on_sqlite.shields.put(KOMPAS, [a_shield(ECK), a_shield(LOCAL)])
    await on_sqlite.shields.put(KOMPAS, [a_shield(OTHER, "mark-of-another")])
    await on_sqlite.requests.file(a_filing())
    await on_sqlite.requests.file(a_filing("another", persons=(OTHER,)))
    register = SqlitePersonRegister(path)
    assert await register.erase({LOCAL: b""}) == 0
    await register.close()
    assert await found(on_sqlite, ECK, LOCAL, OTHER) == {(OTHER, "mark-of-another", "school")}
    assert [each.id for each in await on_sqlite.requests.of_school(KOMPAS)] == ["another"]
    with open_sqlite(path) as connection:
        (left,) = connection.execute("SELECT count(*) FROM shields").fetchone()
        (persons,) = connection.execute("SELECT count(*) FROM request_persons").fetchone()
    assert (left, persons) == (2, 1)


async def test_another_workers_first_shield_is_known_soon(
    on_sqlite: Books, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not on_sqlite.shields.has_any(KOMPAS)
    other = SqliteShields(path)
    await other.put(KOMPAS, [a_shield()])
    assert not on_sqlite.shields.has_any(KOMPAS)  # asked within the second
    monkeypatch.setattr(sql_shields, "monotonic", lambda: 1e12)
    assert on_sqlite.shields.has_any(KOMPAS)
    await other.close()


async def test_a_database_that_is_away_says_nothing(on_sqlite: Books, path: Path) -> None:
    await on_sqlite.shields.put(KOMPAS, [a_shield()])
    assert await on_sqlite.shields.find([LOCAL])
    path.rename(path.with_suffix(".away"))
    with pytest.raises(RegisterUnavailable):
        await on_sqlite.shields.find([LOCAL])
    with pytest.raises(RegisterUnavailable):
        await on_sqlite.shields.put(KOMPAS, [a_shield()])
    with pytest.raises(RegisterUnavailable):
        on_sqlite.shields.has_any(REGENBOOG)
    with pytest.raises(RegisterUnavailable):
        await on_sqlite.requests.of_school(KOMPAS)
    path.with_suffix(".away").rename(path)
    assert await on_sqlite.shields.find([LOCAL])


async def test_once_closed_it_says_nothing(path: Path) -> None:
    shields = SqliteShields(path)
    await shields.close()
    with pytest.raises(RegisterUnavailable, match="check_not_closed"):
        shields.has_any(KOMPAS)


def test_look_ups_go_by_an_index(path: Path) -> None:
    from broker.adapters.databases import sql_requests

    names: dict[str, object] = {
        "t0": LOCAL,
        "t1": ECK,
        "of_tag": LOCAL,
        "of_school": KOMPAS,
        "of_same": LOCAL,
    }
    names |= {"by_school": "school", "granted": "granted", "open": "open", "known": 0}
    statements = (
        *(sql_shields._find_statement(2), sql_shields._OF_SCHOOL, sql_shields._NEW_SCHOOLS),
        *(sql_requests._OF_SCHOOL, sql_requests._OF_PERSON, sql_requests._SAME),
        *(sql_requests._OPEN, sql_requests._PERSONS),
    )
    connection = open_sqlite(path)
    for statement in statements:
        used = {name: value for name, value in names.items() if f":{name}" in statement}
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", used).fetchall()
        assert not any("SCAN" in step[3] for step in plan), plan
    connection.close()
