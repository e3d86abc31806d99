"""The person register: one contract, on SQLite and in memory; and what SQLite adds."""

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from broker.adapters.databases.sql import open_sqlite
from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.databases.sql_school_counts import SqliteSchoolCounts
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.domain.attributes import Population
from broker.flow.operators.operator_refusals import PersonChanged
from broker.flow.persons.person_erasure import erase_person
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_records import Presented
from broker.flow.persons.persons import identify_person
from broker.flow.persons.register import (
    CLOSED_ROW,
    PersonRegister,
    RegisterUnavailable,
    RowRewrite,
    RowWrite,
    StoredRow,
    derive_register_keys,
    derive_tag,
    mark_of,
)
from broker.flow.persons.school_counts import Count, CountFull, CountKind
from tests.bench.register_scale import seal_part
from tests.flow.memory_register import MemoryRegister
from tests.flow.register_world import FIRST_DAY, REGENBOOG, VUURVOGEL, a_root

KEYS = derive_register_keys(bytes(range(32)))
PUPILS = CountKind.PUPILS
A, B, C = (letter * 32 for letter in (b"a", b"b", b"c"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "register.db"
    upgrade_database(made, "register")
    return made


@pytest.fixture
async def on_sqlite(path: Path) -> AsyncIterator[SqlitePersonRegister]:
    made = SqlitePersonRegister(path)
    yield made
    await made.close()


@pytest.fixture(params=["memory", "sqlite"])
async def register(
    request: pytest.FixtureRequest, on_sqlite: SqlitePersonRegister
) -> PersonRegister:
    return MemoryRegister() if request.param == "memory" else on_sqlite


def a_write(tag: bytes, sealed: bytes, replaces: bytes | None = None) -> RowWrite:
    return RowWrite(tag=tag, sealed=sealed, school_year=2026, replaces=replaces)


async def test_what_was_stored_is_found(register: PersonRegister) -> None:
    assert await register.find([A, B]) == {}
    assert await register.apply([a_write(A, b"1"), a_write(B, b"2")])
    assert await register.find([A]) == {A: StoredRow(b"1", 2026)}
    assert await register.find([A, C]) == {A: StoredRow(b"1", 2026)}
    assert await register.find([A, B]) == {A: StoredRow(b"1", 2026), B: StoredRow(b"2", 2026)}
    assert await register.find([C, A, B]) == await register.find([A, B])


async def test_row_that_is_there_already_stops_all_of_a_login_s_writes(
    register: PersonRegister,
) -> None:
    assert await register.apply([a_write(B, b"2")])
    assert not await register.apply([a_write(A, b"1"), a_write(B, b"other")])
    assert await register.find([A, B]) == {B: StoredRow(b"2", 2026)}


async def test_replacing_needs_the_row_that_was_read(register: PersonRegister) -> None:
    assert not await register.apply([a_write(A, b"2", replaces=b"1")])
    assert await register.apply([a_write(A, b"1")])
    assert not await register.apply([a_write(A, b"3", replaces=b"2")])
    assert await register.apply([a_write(A, b"2", replaces=b"1")])
    assert await register.find([A]) == {A: StoredRow(b"2", 2026)}


async def test_counting_stops_all_of_a_login_s_writes_at_its_bound(
    register: PersonRegister,
) -> None:
    one = Count(VUURVOGEL, FIRST_DAY, CountKind.ARRIVED, at_most=1)
    assert await register.apply([a_write(A, b"1")], [one])
    with pytest.raises(CountFull):
        await register.apply([a_write(B, b"2")], [Count(VUURVOGEL, FIRST_DAY, PUPILS), one])
    assert await register.find([B]) == {}
    assert not await register.apply([a_write(A, b"1")], [Count(VUURVOGEL, FIRST_DAY, PUPILS)])
    assert await register.apply([], [Count(VUURVOGEL, FIRST_DAY, PUPILS, at_most=1)])
    with pytest.raises(CountFull):
        await register.apply([], [Count(VUURVOGEL, FIRST_DAY, CountKind.LEFT, at_most=0)])
    assert await register.apply([], [replace(one, day=FIRST_DAY + timedelta(days=1))])
    assert await register.apply([], [replace(one, school=REGENBOOG)])


async def test_two_processes_share_the_counts(path: Path, on_sqlite: SqlitePersonRegister) -> None:
    other = SqlitePersonRegister(path)
    one = Count(VUURVOGEL, FIRST_DAY, CountKind.ARRIVED, at_most=10)
    done = await asyncio.gather(
        *(each.apply([], [one]) for _ in range(10) for each in (on_sqlite, other)),
        return_exceptions=True,
    )
    await other.close()
    assert done.count(True) == 10
    assert sum(isinstance(each, CountFull) for each in done) == 10
    counts = SqliteSchoolCounts(path)
    assert counts.read(VUURVOGEL, since=FIRST_DAY) == {(FIRST_DAY, CountKind.ARRIVED): 10}
    assert dict(counts.read_all(since=FIRST_DAY)) == {
        VUURVOGEL: {(FIRST_DAY, CountKind.ARRIVED): 10}
    }
    assert dict(counts.read_all(since=FIRST_DAY + timedelta(days=1))) == {}


async def test_counts_that_cannot_be_read_are_refused(
    path: Path, on_sqlite: SqlitePersonRegister
) -> None:
    await on_sqlite.apply([], [Count(VUURVOGEL, FIRST_DAY, PUPILS)])
    assert SqliteSchoolCounts(path).read_or_refuse(VUURVOGEL, FIRST_DAY)
    with pytest.raises(RegisterUnavailable):
        SqliteSchoolCounts(path.parent).read_or_refuse(VUURVOGEL, FIRST_DAY)


async def test_old_counts_are_forgotten(path: Path, on_sqlite: SqlitePersonRegister) -> None:
    await on_sqlite.apply([], [Count(VUURVOGEL, FIRST_DAY, PUPILS)])
    late = FIRST_DAY + timedelta(days=401)
    await on_sqlite.apply([], [Count(REGENBOOG, late, PUPILS)])
    assert SqliteSchoolCounts(path).read(VUURVOGEL, since=FIRST_DAY)
    await on_sqlite.apply([], [Count(VUURVOGEL, late, PUPILS)])
    assert list(SqliteSchoolCounts(path).read(VUURVOGEL, since=date(2020, 1, 1))) == [
        (late, PUPILS)
    ]


async def test_a_row_s_mark_goes_along_with_it(register: PersonRegister) -> None:
    first = replace(a_write(A, b"1"), life=b"a" * 16)
    assert await register.apply([first, a_write(B, b"2")])
    assert await register.find([A, B]) == {
        A: StoredRow(b"1", 2026, b"a" * 16),
        B: StoredRow(b"2", 2026),
    }
    assert await register.apply([replace(a_write(A, b"2", replaces=b"1"), life=b"b" * 16)])
    assert await register.find([A]) == {A: StoredRow(b"2", 2026, b"b" * 16)}
    new = StoredRow(b"3", 2026, b"c" * 16)
    await register.rewrite([RowRewrite(A, mark_of(b"2"), new), RowRewrite(C, mark_of(None), new)])
    assert await register.find([A, C]) == {A: new, C: new}
    await register.erase({A: mark_of(b"3"), C: mark_of(b"3")}, closes={A})
    assert await register.find([A, C]) == {A: CLOSED_ROW}


async def test_rows_are_rewritten_all_or_none(register: PersonRegister) -> None:
    await register.apply([a_write(A, b"1"), a_write(B, b"2")])
    await register.rewrite(
        [
            RowRewrite(A, mark_of(b"1"), StoredRow(b"new", 2027)),
            RowRewrite(B, mark_of(b"2"), None),
            RowRewrite(C, mark_of(None), StoredRow(b"3", 2026)),
        ]
    )
    assert await register.find([A, B]) == {A: StoredRow(b"new", 2027)}
    assert await register.find([C]) == {C: StoredRow(b"3", 2026)}
    await register.rewrite([RowRewrite(B, mark_of(None), None)])
    for changed in (
        RowRewrite(B, mark_of(b"2"), None),
        RowRewrite(C, mark_of(b"other"), None),
    ):
        with pytest.raises(PersonChanged):
            await register.rewrite([RowRewrite(A, mark_of(b"new"), None), changed])
    assert await register.find([A]) == {A: StoredRow(b"new", 2027)}


async def test_of_many_at_once_one_is_first(register: PersonRegister) -> None:
    done = await asyncio.gather(
        *(register.apply([a_write(A, bytes([each])), a_write(B, b"x")]) for each in range(20))
    )
    assert sum(done) == 1
    [row] = (await register.find([A])).values()
    assert row.sealed == bytes([done.index(True)])


async def test_erased_rows_are_gone(register: PersonRegister) -> None:
    await register.apply([a_write(A, b"1"), a_write(B, b"2"), a_write(C, b"3")])
    assert await register.erase({A: mark_of(b"1"), B: mark_of(b"2")}) == 2
    assert await register.erase({A: mark_of(None), B: mark_of(None)}) == 0
    assert await register.find([A, C]) == {C: StoredRow(b"3", 2026)}


async def test_where_an_account_is_closed_a_byte_stays_that_only_a_login_replaces(
    register: PersonRegister,
) -> None:
    await register.apply([a_write(A, b"1"), a_write(B, b"2")])
    marks = {A: mark_of(b"1"), B: mark_of(b"2"), C: mark_of(None)}
    assert await register.erase(marks, closes=[A, C]) == 2
    assert await register.find([A, B]) == {A: CLOSED_ROW}
    assert await register.find([C]) == {}
    for closes in ([], [A]):
        assert await register.erase({A: mark_of(CLOSED_ROW.sealed)}, closes=closes) == 0
    assert await register.find([A]) == {A: CLOSED_ROW}
    assert not await register.apply([a_write(A, b"new")])
    assert await register.apply([a_write(A, b"new", replaces=CLOSED_ROW.sealed)])
    assert await register.erase({A: mark_of(b"new")}) == 1
    assert await register.find([A]) == {}


@pytest.mark.parametrize(
    "marks",
    [
        {A: mark_of(b"1"), B: mark_of(b"old")},
        {A: mark_of(b"1"), B: mark_of(None)},
        {A: mark_of(b"1"), C: mark_of(b"3")},
    ],
)
async def test_rows_that_a_login_changed_stop_an_erasure(
    register: PersonRegister, marks: dict[bytes, bytes]
) -> None:
    await register.apply([a_write(A, b"1"), a_write(B, b"2")])
    with pytest.raises(PersonChanged):
        await register.erase(marks)
    assert len(await register.find([A, B])) == 2
    assert await register.erase({A: mark_of(b"1"), B: mark_of(b"2"), C: mark_of(None)}) == 2


async def identify(register: PersonRegister, eck_id: str, local: str) -> tuple[bytes, bytes]:
    person = await identify_person(
        Presented(Population.PUPIL, eck_id=a_root(eck_id), local=a_root(local)),
        register=register,
        keys=KEYS,
        school=VUURVOGEL,
        eck_id_required=False,
        today=FIRST_DAY,
        random=secrets.token_bytes,
        rules=JoinRules(),
    )
    return person.root, person.salt


async def test_workers_of_two_processes_converge_on_one_row_and_salt(
    path: Path, on_sqlite: SqlitePersonRegister
) -> None:
    other = SqlitePersonRegister(path)
    seen = await asyncio.gather(
        *(identify(each, "E", "L") for _ in range(10) for each in (on_sqlite, other))
    )
    await other.close()
    assert len(set(seen)) == 1


async def test_many_newcomers_share_commits(on_sqlite: SqlitePersonRegister) -> None:
    people = await asyncio.gather(
        *(identify(on_sqlite, f"E{each}", f"L{each}") for each in range(100))
    )
    assert len(set(people)) == 100
    again = await asyncio.gather(
        *(identify(on_sqlite, f"E{each}", f"L{each}") for each in range(100))
    )
    assert again == people


async def test_erased_person_leaves_nothing_in_any_file_but_the_tag_of_a_number(
    tmp_path: Path, on_sqlite: SqlitePersonRegister
) -> None:
    await identify(on_sqlite, "E", "L")
    await identify(on_sqlite, "other", "L2")
    tags = [derive_tag(KEYS, a_root(each)) for each in ("E", "L")]
    rows = await on_sqlite.find(tags)
    traces = [tags[0], *(row.sealed[:40] for row in rows.values())]

    def everything() -> bytes:
        return b"".join(each.read_bytes() for each in tmp_path.iterdir())

    assert all(trace in everything() for trace in traces)
    who = Presented(Population.PUPIL, eck_id=a_root("E"), local=None)
    assert await erase_person(who, register=on_sqlite, keys=KEYS) == 2
    assert not any(trace in everything() for trace in traces)
    assert await on_sqlite.find(tags) == {tags[1]: CLOSED_ROW}


async def test_reader_elsewhere_that_holds_the_log_is_told(
    path: Path, on_sqlite: SqlitePersonRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    await on_sqlite.apply([a_write(A, b"1")])
    assert on_sqlite._writing is not None
    on_sqlite._writing.connection().execute("PRAGMA busy_timeout = 1")
    reader = open_sqlite(path)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM persons").fetchall()
    with pytest.raises(RegisterUnavailable):
        await on_sqlite.erase({A: mark_of(b"1")})
    reader.execute("ROLLBACK")
    reader.close()
    assert await on_sqlite.erase({A: mark_of(None)}) == 0


async def test_rows_show_nothing_but_a_school_year(
    path: Path, on_sqlite: SqlitePersonRegister
) -> None:
    await identify(on_sqlite, "E", "L")
    await on_sqlite.close()
    stored = path.read_bytes()
    for hidden in (b'"pupil"', a_root("E"), a_root("L")):
        assert hidden not in stored
    with closing(sqlite3.connect(path)) as connection:
        rows = repr(connection.execute("SELECT * FROM persons").fetchall())
    assert "vuurvogel" not in rows


async def test_missing_database_is_refused_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "register.db"
    register = SqlitePersonRegister(path)
    for ask in (
        lambda: register.find([A]),
        lambda: register.apply([a_write(A, b"1")]),
        lambda: register.erase({A: mark_of(None)}),
    ):
        with pytest.raises(RegisterUnavailable):
            await ask()
    assert not register.healthy
    upgrade_database(path, "register")
    assert await register.apply([a_write(A, b"1")])
    assert not register.healthy  # nobody knows yet whether it can be read
    assert await register.find([A]) == {A: StoredRow(b"1", 2026)}
    assert register.healthy
    await register.close()
    with pytest.raises(RegisterUnavailable):
        await register.find([A])
    with pytest.raises(RegisterUnavailable):
        await register.apply([a_write(B, b"1")])


async def test_look_up_that_fails_is_refused_and_the_next_works(
    path: Path, on_sqlite: SqlitePersonRegister
) -> None:
    await on_sqlite.apply([a_write(A, b"1")])
    assert len(await on_sqlite.find([A])) == 1
    assert on_sqlite._reading is not None
    on_sqlite._reading.close()
    with pytest.raises(RegisterUnavailable):
        await on_sqlite.find([A])
    assert not on_sqlite.healthy
    assert len(await on_sqlite.find([A])) == 1
    assert on_sqlite.healthy


async def test_database_that_cannot_be_read_shows_in_health(
    path: Path, on_sqlite: SqlitePersonRegister
) -> None:
    sound = path.read_bytes()
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(RegisterUnavailable):
        await on_sqlite.find([A])
    assert not on_sqlite.healthy
    path.write_bytes(sound)
    await on_sqlite.find([A])
    assert on_sqlite.healthy


async def test_database_that_was_moved_away_is_neither_read_nor_written(
    tmp_path: Path, path: Path, on_sqlite: SqlitePersonRegister
) -> None:
    assert await on_sqlite.apply([a_write(A, b"1")])
    assert A in await on_sqlite.find([A])
    for each in tmp_path.glob("register.db*"):
        each.rename(f"{each}.away")
    upgrade_database(path, "register")
    with pytest.raises(RegisterUnavailable):
        await on_sqlite.apply([a_write(B, b"1")])
    with pytest.raises(RegisterUnavailable):
        await on_sqlite.find([A])
    assert not on_sqlite.healthy
    assert await on_sqlite.apply([a_write(B, b"1")])  # the next one opens what is there
    assert await on_sqlite.find([A, B]) == {B: StoredRow(b"1", 2026)}
    assert on_sqlite.healthy


async def test_the_row_of_a_pupil_whom_many_suppliers_know_stays_whole(
    on_sqlite: SqlitePersonRegister, path: Path
) -> None:
    """What does not fit takes a page of its own beside its row: three times the size."""
    rows = seal_part(list(range(300)))
    assert 1500 < len(rows[0][1]) < 1700
    empty_bytes = measure_bytes(path)
    for tag, sealed, _ in rows:
        await on_sqlite.apply([a_write(tag, sealed)])
    used_bytes = measure_bytes(path) - empty_bytes
    assert used_bytes / len(rows) < 2700  # in no order, with some room in each page


def measure_bytes(path: Path) -> int:
    """Return how large a database is, its log left out."""
    connection = open_sqlite(path)
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    return int(pages * page_bytes)
