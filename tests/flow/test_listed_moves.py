"""A school's list ends the hold of an arrival there, and protects who is settled there."""

from typing import Any

import pytest

import broker.flow.persons.listed_moves as listed_moves
from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolId
from broker.flow.persons.arrival_budgets import ArrivalRules, ArrivalWaits
from broker.flow.persons.listed_moves import ListOfSchool, confirms_moves, protects_at_most
from broker.flow.persons.person_records import PersonRecord, SeenAt
from broker.flow.persons.register import CLOSED_ROW, RegisterUnavailable, derive_tag, open_record
from broker.flow.persons.school_counts import CountKind, year_day
from broker.pseudonyms.derivation import parse_eckid, root_apart, root_from_eckid
from tests.flow.feeding import a_desk, feed, lines_of
from tests.flow.login_answers import Browser, refused
from tests.flow.login_parties import OTHER_SCHOOL, REKENRIJK, SAML_SCHOOL
from tests.flow.login_world import SANNE, SANNE_ELSEWHERE, LoginWorld

ECK_ID = SANNE.attributes["eckId"][0]
ROW = {"login": "sanne", "eck_id": ECK_ID}
PROTECTED = {**ROW, "protected": "yes"}


@pytest.fixture
def moved(world: LoginWorld) -> LoginWorld:
    """A world whose schools state how many pupils they have."""
    for school in (SAML_SCHOOL, OTHER_SCHOOL):
        world.change(school, pupils=100)
    return world


def record_of(world: LoginWorld) -> PersonRecord:
    root = root_from_eckid(parse_eckid(ECK_ID), key=world.keys.root)
    row = world.register.rows[derive_tag(world.keys.register, root)]
    return open_record(row, root=root, keys=world.keys.register)


async def move(world: LoginWorld) -> None:
    """Log in at one school, and then at another."""
    await world.log_in(REKENRIJK, SANNE)
    await world.log_in(REKENRIJK, SANNE_ELSEWHERE)
    assert record_of(world).seen[OTHER_SCHOOL].held_since is not None


class TestConfirming:
    async def test_by_the_list_of_the_school_that_the_pupil_came_to(
        self, moved: LoginWorld
    ) -> None:
        await move(moved)
        plan = await feed(moved, ROW, school=OTHER_SCHOOL)
        assert plan.confirms
        assert record_of(moved).seen[OTHER_SCHOOL].confirmed

    async def test_also_by_a_list_that_does_not_change(self, moved: LoginWorld) -> None:
        await feed(moved, ROW, school=OTHER_SCHOOL)
        await move(moved)
        await feed(moved, ROW, school=OTHER_SCHOOL)
        assert record_of(moved).seen[OTHER_SCHOOL].confirmed

    async def test_never_by_the_list_of_the_school_of_before(self, moved: LoginWorld) -> None:
        """It is sent every night: it would settle whatever arrives elsewhere."""
        await move(moved)
        await feed(moved, ROW, school=SAML_SCHOOL)
        assert not record_of(moved).seen[OTHER_SCHOOL].confirmed

    @pytest.mark.parametrize("pupils", [None, 0])
    async def test_never_by_a_list_that_cannot_be_measured_or_is_too_long(
        self, moved: LoginWorld, pupils: int | None
    ) -> None:
        await move(moved)
        moved.change(OTHER_SCHOOL, pupils=pupils)
        plan = await feed(moved, ROW, school=OTHER_SCHOOL)
        assert not plan.confirms
        assert not record_of(moved).seen[OTHER_SCHOOL].confirmed

    def test_a_list_is_measured_by_the_head_count(self, moved: LoginWorld) -> None:
        how: Any = {"rules": ArrivalRules(), "today": day_of(moved.now)}
        school = moved.records[OTHER_SCHOOL]
        assert confirms_moves(school, pupils=115, **how)
        assert not confirms_moves(school, pupils=116, **how)

    async def test_staff_count_for_nothing_in_it(self, moved: LoginWorld) -> None:
        moved.change(OTHER_SCHOOL, pupils=1)
        staff = [{"login": f"t{n}", "number": f"{n}", "role": "staff"} for n in range(3)]
        assert (await feed(moved, ROW, *staff, school=OTHER_SCHOOL)).confirms

    async def test_a_pupil_whom_nobody_has_seen_is_nobody(self, moved: LoginWorld) -> None:
        await feed(moved, PROTECTED, school=OTHER_SCHOOL)
        assert moved.register.rows == {}


class TestProtecting:
    async def test_by_the_list_of_a_school_where_the_pupil_is_settled(
        self, moved: LoginWorld
    ) -> None:
        await moved.log_in(REKENRIJK, SANNE)
        await feed(moved, PROTECTED, school=SAML_SCHOOL)
        assert record_of(moved).protected
        page = refused(await moved.arrive(Browser(), SANNE_ELSEWHERE))
        assert isinstance(page.refusal, ArrivalWaits)
        await feed(moved, ROW, school=OTHER_SCHOOL)  # both sides are needed, and this is one
        page = refused(await moved.arrive(Browser(), SANNE_ELSEWHERE))
        assert isinstance(page.refusal, ArrivalWaits)
        assert await moved.log_in(REKENRIJK, SANNE)

    async def test_never_by_a_school_that_the_pupil_just_came_to(self, moved: LoginWorld) -> None:
        moved.change(OTHER_SCHOOL, pupils=None)
        await move(moved)
        await feed(moved, PROTECTED, school=OTHER_SCHOOL)
        assert not record_of(moved).protected

    async def test_never_by_a_school_that_never_saw_the_pupil(self, moved: LoginWorld) -> None:
        await moved.log_in(REKENRIJK, SANNE)
        await feed(moved, PROTECTED, school="kompas")
        assert not record_of(moved).protected

    async def test_what_days_have_settled_stays_so(self, moved: LoginWorld) -> None:
        await move(moved)
        moved.wait(days=365)
        await feed(moved, PROTECTED, school=SAML_SCHOOL)
        record = record_of(moved)
        assert record.protected
        assert record.seen[OTHER_SCHOOL].confirmed
        assert await moved.log_in(REKENRIJK, SANNE_ELSEWHERE)

    async def test_not_while_another_school_states_the_pupil_too(self, moved: LoginWorld) -> None:
        """Who stated a pupil first need not be the pupil's school."""
        await move(moved)
        moved.wait(days=20)
        await feed(moved, PROTECTED, school=SAML_SCHOOL)
        assert not record_of(moved).protected

    async def test_by_the_school_that_the_pupil_came_to_after_some_weeks(
        self, moved: LoginWorld
    ) -> None:
        await move(moved)
        for days, protected in ((29, False), (1, True)):
            moved.wait(days=days)
            await feed(moved, PROTECTED, school=OTHER_SCHOOL)
            assert record_of(moved).protected is protected

    async def test_only_so_many_in_a_school_year(self, moved: LoginWorld) -> None:
        year = year_day(day_of(moved.now))
        key = (SchoolId(SAML_SCHOOL), year, CountKind.PROTECTED)
        await moved.log_in(REKENRIJK, SANNE)
        moved.register.counts[key] = 5
        await feed(moved, PROTECTED, school=SAML_SCHOOL)
        assert not record_of(moved).protected
        assert moved.audit.actions().count("protections-over-budget") == 1
        moved.register.counts[key] = 4
        await feed(moved, PROTECTED, school=SAML_SCHOOL)
        assert record_of(moved).protected
        assert moved.audit.actions().count("protections-over-budget") == 1

    def test_so_many_go_by_the_head_count(self, moved: LoginWorld) -> None:
        for pupils, expected in ((None, 5), (100, 5), (1000, 20)):
            moved.change(SAML_SCHOOL, pupils=pupils)
            school = moved.records[SAML_SCHOOL]
            assert protects_at_most(school, rules=ArrivalRules()) == expected

    async def test_nobody_is_locked_out_for_good(self, moved: LoginWorld) -> None:
        """A school that states a pupil first, and protects, keeps its account and nothing more."""
        subject = (await moved.log_in(REKENRIJK, SANNE)).subject
        await feed(moved, PROTECTED, school=SAML_SCHOOL)
        for days, waits in ((0, True), (13, True), (1, False)):
            moved.wait(days=days)
            await feed(moved, ROW, school=OTHER_SCHOOL)
            if waits:
                page = refused(await moved.arrive(Browser(), SANNE_ELSEWHERE))
                assert isinstance(page.refusal, ArrivalWaits)
        fresh = (await moved.log_in(REKENRIJK, SANNE_ELSEWHERE)).subject
        assert fresh != subject
        assert record_of(moved).seen[OTHER_SCHOOL].objected
        await feed(moved, ROW, school=OTHER_SCHOOL)
        assert (await moved.log_in(REKENRIJK, SANNE_ELSEWHERE)).subject == fresh
        assert (await moved.log_in(REKENRIJK, SANNE)).subject == subject

    async def test_nor_when_the_fresh_account_was_there_before(self, moved: LoginWorld) -> None:
        await moved.log_in(REKENRIJK, SANNE)
        await feed(moved, PROTECTED, school=SAML_SCHOOL)
        refused(await moved.arrive(Browser(), SANNE_ELSEWHERE))
        root = root_from_eckid(parse_eckid(ECK_ID), key=moved.keys.root)
        tag = derive_tag(
            moved.keys.register, root_apart(root, SchoolId(OTHER_SCHOOL), key=moved.keys.root)
        )
        moved.register.rows[tag] = CLOSED_ROW
        moved.wait(days=14)
        await feed(moved, ROW, school=OTHER_SCHOOL)
        assert not moved.register.rows[tag].is_closed
        assert (await moved.log_in(REKENRIJK, SANNE_ELSEWHERE)).subject

    async def test_without_a_list_the_pupil_goes_on_waiting(self, moved: LoginWorld) -> None:
        await moved.log_in(REKENRIJK, SANNE)
        await feed(moved, PROTECTED, school=SAML_SCHOOL)
        for _ in range(2):
            page = refused(await moved.arrive(Browser(), SANNE_ELSEWHERE))
            assert isinstance(page.refusal, ArrivalWaits)
            moved.wait(days=30)

    async def test_no_list_takes_protection_away(self, moved: LoginWorld) -> None:
        await moved.log_in(REKENRIJK, SANNE)
        await feed(moved, PROTECTED, school=SAML_SCHOOL)
        await feed(moved, ROW, school=SAML_SCHOOL)
        assert record_of(moved).protected


def test_where_a_school_objected_a_list_says_nothing() -> None:
    record = PersonRecord(
        population="pupil",  # type: ignore[arg-type]
        account=bytes(32),
        salt=bytes(16),
        school_year=2026,
        seen={OTHER_SCHOOL: SeenAt(account=bytes(32), objected=True)},
    )
    of = ListOfSchool(OTHER_SCHOOL, day_of(LoginWorld().now), confirms=True, settled_after_days=14)
    assert listed_moves.note_listed(record, of=of, protected=True) == record


class TestRaces:
    async def test_a_login_that_comes_between(self, moved: LoginWorld) -> None:
        await move(moved)

        async def log_in() -> None:
            await moved.log_in("taaltuin", SANNE_ELSEWHERE)

        desk, school = a_desk(moved), moved.records[OTHER_SCHOOL]
        plan = await desk.plan(lines_of(ROW), school=school, today=day_of(moved.now))
        moved.register.overtaken_by = log_in
        await desk.put_in_force(plan, school=school)
        record = record_of(moved)
        assert record.seen[OTHER_SCHOOL].confirmed
        assert "taaltuin" in record.suppliers

    async def test_one_that_never_ends_is_said(
        self, moved: LoginWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await move(moved)

        async def too_late(*_: object, **__: object) -> bool:
            return False

        monkeypatch.setattr(listed_moves, "store_changes", too_late)
        with pytest.raises(RegisterUnavailable, match="check_register_converges"):
            await feed(moved, ROW, school=OTHER_SCHOOL)
        monkeypatch.undo()
        await feed(moved, ROW, school=OTHER_SCHOOL)
        assert record_of(moved).seen[OTHER_SCHOOL].confirmed
