"""Take-overs at rest: versions that workers follow, steps, and quotas that many share."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace as replaced
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_takeover_lists import SqliteTakeoverLists
from broker.adapters.databases.sql_takeovers import SqliteTakeovers
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.takeover import TakeoverState
from broker.domain.takeover_refusals import (
    AskedTooMuch,
    NotSignedFor,
    TakeoverEnded,
    TakeoverMoved,
    TakeoversUnavailable,
)
from broker.flow.takeover.takeover_lists import ListKind, ListOf
from tests.builders import TODAY, a_takeover

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SIGNED = a_takeover(TakeoverState.NONE)
PARTIES = (SIGNED.school, SIGNED.supplier)


@pytest.fixture
def store(tmp_path: Path) -> SqliteTakeovers:
    upgrade_database(tmp_path / "registry.db", "registry")
    return SqliteTakeovers(tmp_path / "registry.db")


def sign(store: SqliteTakeovers, **changes: object) -> None:
    store.sign(replace(SIGNED, **changes), by="anna and bea", at=AT)


def in_force(store: SqliteTakeovers) -> TakeoverState:
    return SqliteRegistry(store.path).load().takeovers[PARTIES].state


class TestTakeovers:
    def test_what_was_signed_is_in_the_registry_that_workers_load(
        self, store: SqliteTakeovers
    ) -> None:
        before = SqliteRegistry(store.path).version()
        sign(store)
        registry = SqliteRegistry(store.path)
        assert registry.version() == before + 1
        assert registry.load().takeovers == {PARTIES: SIGNED}
        (stored,) = store.all()
        assert stored.takeover == SIGNED
        assert (stored.asked, stored.deleted_on) == (0, None)
        assert stored.steps == (("signed", "2026-03-02T09Z"),)

    def test_each_step_is_a_version_and_stays_written(self, store: SqliteTakeovers) -> None:
        sign(store)
        takeover = SIGNED
        way = (TakeoverState.PREPARE, TakeoverState.ON, TakeoverState.BACK, TakeoverState.ON)
        for to in way:
            store.move(takeover, to=to, by="root", at=AT)
            takeover = replace(takeover, state=to)
            assert in_force(store) is to
        (stored,) = store.all()
        assert [step for step, _ in stored.steps] == ["signed", "prepare", "on", "back", "on"]

    def test_of_two_who_move_it_one_is_refused(self, store: SqliteTakeovers) -> None:
        sign(store)
        version = SqliteRegistry(store.path).version
        store.move(SIGNED, to=TakeoverState.PREPARE, by="root", at=AT)
        moved = version()
        with pytest.raises(TakeoverMoved):
            store.move(SIGNED, to=TakeoverState.PREPARE, by="root", at=AT)
        assert (version(), in_force(store)) == (moved, TakeoverState.PREPARE)

    def test_other_terms_leave_state_and_count(self, store: SqliteTakeovers) -> None:
        sign(store)
        store.move(SIGNED, to=TakeoverState.PREPARE, by="root", at=AT)
        store.reserve(SIGNED, count=7, per_school=100)
        later = SIGNED.last_day + timedelta(days=10)
        sign(store, last_day=later, quota=2000, pupils=bytes(range(32)))
        (stored,) = store.all()
        assert stored.takeover.state is TakeoverState.PREPARE
        assert (stored.takeover.last_day, stored.takeover.quota, stored.asked) == (later, 2000, 7)
        assert stored.takeover.pupils == bytes(range(32))

    def test_what_ended_is_not_signed_anew(self, store: SqliteTakeovers) -> None:
        sign(store)
        after = AT + timedelta(days=31)
        with pytest.raises(TakeoverEnded):
            store.sign(replace(SIGNED, last_day=TODAY + timedelta(days=300)), by="x", at=after)
        assert store.all()[0].takeover == SIGNED

    def test_deletion_is_noted_until_the_state_moves(self, store: SqliteTakeovers) -> None:
        on = a_takeover(TakeoverState.ON)
        store.sign(on, by="anna and bea", at=AT)
        store.note_deleted(on, document=bytes(32), by="root", at=AT)
        assert store.all()[0].deleted_on == date(2026, 3, 2)
        store.move(on, to=TakeoverState.BACK, by="root", at=AT)
        assert store.all()[0].deleted_on is None
        with pytest.raises(TakeoverMoved):
            store.note_deleted(on, document=bytes(32), by="root", at=AT)

    def test_a_broken_registry_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(TakeoversUnavailable):
            SqliteTakeovers(tmp_path / "none.db").all()


class TestQuota:
    def test_up_to_the_quota_and_not_one_more(self, store: SqliteTakeovers) -> None:
        sign(store, quota=10)
        store.reserve(SIGNED, count=9, per_school=100)
        with pytest.raises(AskedTooMuch) as refused:
            store.reserve(SIGNED, count=2, per_school=100)
        assert refused.value.check == "check_quota_of_takeover"
        assert store.all()[0].asked == 9
        store.reserve(SIGNED, count=1, per_school=100)
        assert store.all()[0].asked == 10

    def test_one_school_s_takeovers_share_a_bound(self, store: SqliteTakeovers) -> None:
        other = replace(SIGNED, supplier=SupplierId("taaltuin"))
        sign(store)
        store.sign(other, by="anna and bea", at=AT)
        store.sign(replace(SIGNED, school=SchoolId("kompas")), by="anna and bea", at=AT)
        store.reserve(SIGNED, count=6, per_school=10)
        with pytest.raises(AskedTooMuch) as refused:
            store.reserve(other, count=5, per_school=10)
        assert refused.value.check == "check_quota_of_school"
        store.reserve(other, count=4, per_school=10)
        store.reserve(replace(SIGNED, school=SchoolId("kompas")), count=10, per_school=10)

    def test_nothing_is_counted_for_what_nobody_signed(self, store: SqliteTakeovers) -> None:
        with pytest.raises(NotSignedFor):
            store.reserve(SIGNED, count=1, per_school=10)
        sign(store)
        other = replace(SIGNED, supplier=SupplierId("taaltuin"))
        with pytest.raises(NotSignedFor):
            store.reserve(other, count=1, per_school=10)

    def test_workers_together_get_no_more_than_the_quota(self, store: SqliteTakeovers) -> None:
        sign(store, quota=50)

        def ask(_: int) -> bool:
            try:
                store.reserve(SIGNED, count=3, per_school=1000)
            except AskedTooMuch:
                return False
            return True

        with ThreadPoolExecutor(max_workers=4) as workers:
            granted = sum(workers.map(ask, range(40)))
        assert granted == 50 // 3
        assert store.all()[0].asked == granted * 3


PUPILS = ListOf(ListKind.PUPILS, *PARTIES)
PILOT = replaced(PUPILS, kind=ListKind.PILOT)


@pytest.fixture
def lists(tmp_path: Path) -> SqliteTakeoverLists:
    upgrade_database(tmp_path / "register.db", "register")
    return SqliteTakeoverLists(tmp_path / "register.db")


def a_tag(number: int) -> bytes:
    return number.to_bytes(32, "big")


class TestLists:
    async def test_a_list_replaces_the_one_of_before(self, lists: SqliteTakeoverLists) -> None:
        await lists.replace(PUPILS, [a_tag(1), a_tag(2)])
        await lists.replace(PILOT, [a_tag(3)])
        await lists.note_arrived([a_tag(2), a_tag(9)])
        await lists.replace(PUPILS, [a_tag(2), a_tag(4)])
        tags = [a_tag(each) for each in range(1, 10)]
        assert await lists.find(tags) == {a_tag(2): True, a_tag(3): False, a_tag(4): False}
        assert await lists.counts() == {PUPILS: (2, 1), PILOT: (1, 0)}
        await lists.close()

    async def test_who_is_erased_leaves_the_list(
        self, lists: SqliteTakeoverLists, tmp_path: Path
    ) -> None:
        await lists.replace(PUPILS, [a_tag(1), a_tag(2)])
        register = SqlitePersonRegister(tmp_path / "register.db")
        assert await register.erase({a_tag(1): b""}) == 0
        assert set(await lists.find([a_tag(1), a_tag(2)])) == {a_tag(2)}
        await register.close()
        await lists.close()

    async def test_an_empty_list_is_none(self, lists: SqliteTakeoverLists) -> None:
        await lists.replace(PILOT, [a_tag(3)])
        await lists.replace(PILOT, [])
        assert await lists.counts() == {}
        await lists.close()

    @pytest.mark.parametrize(
        "work",
        [
            lambda lists: lists.find([a_tag(1)]),
            lambda lists: lists.counts(),
            lambda lists: lists.replace(PUPILS, [a_tag(1)]),
            lambda lists: lists.note_arrived([a_tag(1)]),
        ],
    )
    async def test_a_broken_register_is_told_and_tried_again(
        self, lists: SqliteTakeoverLists, tmp_path: Path, work: Callable[..., object]
    ) -> None:
        await lists.replace(PUPILS, [a_tag(1)])
        assert await lists.counts()
        file = tmp_path / "register.db"
        with sqlite3.connect(file) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        moved = file.rename(tmp_path / "away.db")
        with pytest.raises(TakeoversUnavailable):
            await work(lists)  # type: ignore[misc]
        moved.rename(file)
        await work(lists)  # type: ignore[misc]
        await lists.close()
