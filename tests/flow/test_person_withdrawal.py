"""What shut a pupil's new school out is taken back: an objection, and having waited in vain.

Each time it opens again what it opened before, and never what somebody else may have made since.
"""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from broker.domain.ids import SchoolId
from broker.flow.held_state.framing import NONCE_BYTES
from broker.flow.operators.operator_refusals import PersonNotKnown
from broker.flow.persons.arrival_budgets import ArrivalRules, ArrivalWaits
from broker.flow.persons.listed_moves import ListedMoves, ListOfSchool, Noted
from broker.flow.persons.person_anew import plan_begin_anew
from broker.flow.persons.person_objection import plan_objection
from broker.flow.persons.person_plan_refusals import NothingToDecide
from broker.flow.persons.person_plans import (
    Deciding,
    OpenedPerson,
    plan_confirmation,
    plan_protection,
    plan_split,
)
from broker.flow.persons.person_records import PersonRecord, SeenAt
from broker.flow.persons.person_suppliers import find_holder
from broker.flow.persons.person_withdrawal import plan_withdrawal
from broker.flow.persons.register import derive_tag, seal_record
from broker.pseudonyms.derivation import PersonRoot
from tests.flow.register_world import KOMPAS, REGENBOOG, VUURVOGEL
from tests.flow.test_person_fresh import ALICE, KEYS, ROOT_KEY, World, number

VIERDE = SchoolId("vierde")


class Moves(World):
    """As `World`, and schools send lists."""

    async def listed(self, *, school: SchoolId = REGENBOOG, eck_id: PersonRoot = ALICE) -> Noted:
        moves = ListedMoves(self.register, KEYS, ArrivalRules(), self.draw, ROOT_KEY)
        of = ListOfSchool(school, self.today, confirms=True, settled_after_days=14)
        return await moves.note_listed(eck_id, of=of, protected=False)

    def pass_days(self, days: int) -> None:
        self.today += timedelta(days=days)

    def at(self, school: SchoolId = REGENBOOG) -> SeenAt:
        return self.record(ALICE).seen[school]

    async def arrive(self, *schools: SchoolId) -> None:
        """State Alice at one school after the other, a day apart."""
        for school in schools:
            self.pass_days(1)
            await self.login(ALICE, school=school)


@pytest.fixture
async def waited() -> Moves:
    """Alice was protected at vuurvogel, and waited at regenboog until its list had had enough."""
    world = Moves()
    await world.login(ALICE, number("1"))
    await world.decide(plan_protection, ALICE, protected=True)
    with pytest.raises(ArrivalWaits):
        await world.login(ALICE, number("9", REGENBOOG), school=REGENBOOG)
    world.pass_days(14)
    assert await world.listed() is Noted.CHANGED
    return world


@pytest.fixture
async def moved() -> Moves:
    """Alice was at vuurvogel, and came to regenboog."""
    world = Moves()
    await world.login(ALICE, number("1"))
    world.pass_days(1)
    assert await world.account(ALICE, number("9", REGENBOOG), school=REGENBOOG) == ALICE
    return world


class TestWaitedInVain:
    async def test_a_school_of_before_confirms_after_all(self, waited: Moves) -> None:
        fresh = await waited.account(ALICE, number("9", REGENBOOG), school=REGENBOOG)
        assert fresh != ALICE
        waited.pass_days(1)
        await waited.decide(plan_confirmation, ALICE)
        for eck_id, local in ((ALICE, number("9", REGENBOOG)), (ALICE, None)):
            assert await waited.account(eck_id, local, school=REGENBOOG) == ALICE
        assert await waited.account(None, number("9", REGENBOOG), school=REGENBOOG) == ALICE
        assert await waited.account(ALICE, number("1")) == ALICE
        with pytest.raises(NothingToDecide):
            await waited.decide(plan_confirmation, ALICE)
        assert await waited.listed() is Noted.NOTHING, "the next list shuts nobody out again"

    async def test_what_was_made_meanwhile_is_left_behind_and_told_to_nobody(
        self, waited: Moves
    ) -> None:
        fresh = await waited.account(ALICE, school=REGENBOOG)
        await waited.decide(plan_confirmation, ALICE)
        login = await waited.login(ALICE, school=REGENBOOG)
        assert (login.root, login.previous) == (ALICE, None)
        holder = await find_holder(fresh, register=waited.register, keys=KEYS)
        assert holder is not None
        assert holder.root == ALICE, "a supplier's list of its pseudonyms still converts"
        await waited.erase(ALICE)
        assert waited.register.known == {}, "and erasing finds it"
        assert await waited.account(ALICE, school=REGENBOOG) not in (ALICE, fresh)

    async def test_what_waits_is_confirmed_first_and_alone(self, waited: Moves) -> None:
        """Regenboog may have lied a year ago; Alice is at Kompas now."""
        with pytest.raises(ArrivalWaits):
            await waited.arrive(KOMPAS)
        await waited.decide(plan_confirmation, ALICE)
        assert await waited.account(ALICE, school=KOMPAS) == ALICE
        assert await waited.account(ALICE, school=REGENBOOG) != ALICE
        await waited.decide(plan_confirmation, ALICE)
        assert await waited.account(ALICE, school=REGENBOOG) == ALICE

    async def test_not_by_the_school_that_waited(self, waited: Moves) -> None:
        with pytest.raises(PersonNotKnown):
            await waited.decide(plan_confirmation, ALICE, school=REGENBOOG)
        assert waited.at().objected
        await waited.decide(plan_confirmation, ALICE)
        assert not waited.at().objected

    async def test_an_objection_of_people_is_not_confirmed_away(self, waited: Moves) -> None:
        fresh = await waited.account(ALICE, school=REGENBOOG)
        await waited.decide(plan_objection, ALICE)
        assert await waited.account(ALICE, school=REGENBOOG) == fresh, "which it has already"
        with pytest.raises(NothingToDecide):
            await waited.decide(plan_confirmation, ALICE)
        with pytest.raises(NothingToDecide):
            await waited.decide(plan_objection, ALICE)
        await waited.decide(plan_withdrawal, ALICE)
        assert await waited.account(ALICE, school=REGENBOOG) == ALICE, "what it waited for"

    async def test_where_the_pupil_began_anew_since_that_account_stays(self, waited: Moves) -> None:
        await waited.decide(plan_begin_anew, ALICE, school=REGENBOOG)
        anew = await waited.account(ALICE, school=REGENBOOG)
        await waited.decide(plan_confirmation, ALICE)
        assert await waited.account(ALICE, school=REGENBOOG) == anew
        assert not waited.at().objected


class TestWithdrawal:
    async def test_gives_the_account_back(self, moved: Moves) -> None:
        await moved.decide(plan_objection, ALICE)
        fresh = await moved.account(ALICE, number("9", REGENBOOG), school=REGENBOOG)
        assert fresh != ALICE
        await moved.decide(plan_withdrawal, ALICE)
        login = await moved.login(ALICE, number("9", REGENBOOG), school=REGENBOOG)
        assert (login.root, login.previous) == (ALICE, None)
        assert await moved.account(None, number("9", REGENBOOG), school=REGENBOOG) == ALICE
        assert await moved.account(ALICE, number("1")) == ALICE
        assert moved.at().confirmed
        with pytest.raises(NothingToDecide):
            await moved.decide(plan_withdrawal, ALICE)

    async def test_an_objection_after_it_opens_what_nobody_used(self, moved: Moves) -> None:
        opened = {ALICE}
        for _ in range(3):
            await moved.decide(plan_objection, ALICE)
            fresh = await moved.account(ALICE, school=REGENBOOG)
            assert fresh not in opened
            opened.add(fresh)
            await moved.decide(plan_withdrawal, ALICE)
            assert await moved.account(ALICE, school=REGENBOOG) == ALICE
        await moved.erase(ALICE)
        assert moved.register.known == {}

    async def test_who_was_erased_after_it_comes_back_to_nothing_of_before(
        self, moved: Moves
    ) -> None:
        await moved.decide(plan_objection, ALICE)
        fresh = await moved.account(ALICE, school=REGENBOOG)
        await moved.decide(plan_withdrawal, ALICE)
        await moved.erase(ALICE)
        assert moved.is_closed(ALICE)
        assert await moved.account(ALICE) not in (ALICE, fresh)
        await moved.arrive(REGENBOOG)
        await moved.decide(plan_objection, ALICE)
        assert await moved.account(ALICE, school=REGENBOOG) not in (ALICE, fresh)

    async def test_not_by_who_was_objected_to_or_came_later_or_never_objected(
        self, moved: Moves
    ) -> None:
        await moved.arrive(KOMPAS)
        with pytest.raises(NothingToDecide):
            await moved.decide(plan_withdrawal, ALICE)
        await moved.decide(plan_objection, ALICE)
        await moved.arrive(VIERDE)
        await moved.decide(plan_confirmation, ALICE)
        for school, refused in (
            (REGENBOOG, PersonNotKnown),
            (VIERDE, NothingToDecide),
            (SchoolId("nergens"), PersonNotKnown),
        ):
            with pytest.raises(refused):
                await moved.decide(plan_withdrawal, ALICE, school=school)
        await moved.decide(plan_withdrawal, ALICE)

    async def test_by_a_school_of_before_who_objected_and_not_by_one_between(
        self, moved: Moves
    ) -> None:
        """Kompas may be who lied, and Regenboog objected to it for that."""
        await moved.arrive(KOMPAS)
        await moved.decide(plan_confirmation, ALICE)
        await moved.arrive(VIERDE)
        await moved.decide(plan_objection, ALICE, school=KOMPAS)
        await moved.decide(plan_withdrawal, ALICE, school=REGENBOOG)
        assert await moved.account(ALICE, school=VIERDE) == ALICE
        await moved.decide(plan_objection, ALICE, school=REGENBOOG)
        await moved.decide(plan_withdrawal, ALICE)
        assert not moved.at(KOMPAS).objected
        moved.register.rows[derive_tag(KEYS, ALICE)] = seal_record(
            _objected_by(moved.record(ALICE), REGENBOOG, at=VIERDE),
            root=ALICE,
            keys=KEYS,
            nonce=bytes(NONCE_BYTES),
        )
        with pytest.raises(NothingToDecide):
            await moved.decide(plan_withdrawal, ALICE, school=KOMPAS)
        await moved.decide(plan_withdrawal, ALICE, school=REGENBOOG)

    async def test_what_a_school_said_that_lied_goes_first_and_alone(self, moved: Moves) -> None:
        """Regenboog lied, and objected to Kompas, where Alice is."""
        await moved.decide(plan_confirmation, ALICE)
        await moved.arrive(KOMPAS)
        await moved.decide(plan_objection, ALICE, school=REGENBOOG)
        await moved.decide(plan_objection, ALICE)
        await moved.decide(plan_withdrawal, ALICE)
        assert await moved.account(ALICE, school=KOMPAS) == ALICE
        assert await moved.account(ALICE, school=REGENBOOG) != ALICE
        await moved.decide(plan_withdrawal, ALICE)
        assert await moved.account(ALICE, school=REGENBOOG) == ALICE

    async def test_who_began_anew_keeps_that_account_and_the_later_school_gets_the_shared_one(
        self, moved: Moves
    ) -> None:
        """The objection was to Regenboog, and hit Kompas, where Alice is, as well."""
        await moved.arrive(KOMPAS)
        await moved.decide(plan_begin_anew, ALICE, school=REGENBOOG)
        anew = await moved.account(ALICE, school=REGENBOOG)
        await moved.decide(plan_objection, ALICE)
        assert await moved.account(ALICE, school=REGENBOOG) == anew
        assert await moved.account(ALICE, school=KOMPAS) != ALICE
        await moved.decide(plan_withdrawal, ALICE)
        assert await moved.account(ALICE, school=KOMPAS) == ALICE
        assert await moved.account(ALICE, school=REGENBOOG) == anew
        assert await moved.account(ALICE, school=VIERDE) not in (ALICE, anew), "in doubt again"

    async def test_who_began_anew_after_the_objection_keeps_that(self, moved: Moves) -> None:
        await moved.decide(plan_objection, ALICE)
        await moved.decide(plan_begin_anew, ALICE, school=REGENBOOG)
        anew = await moved.account(ALICE, school=REGENBOOG)
        await moved.decide(plan_withdrawal, ALICE)
        assert await moved.account(ALICE, school=REGENBOOG) == anew
        assert not moved.at().objected

    async def test_nothing_opens_that_only_another_school_has_a_say_in(self, moved: Moves) -> None:
        """Regenboog's pupil is not Vuurvogel's, by its own word: no account of that one's."""
        await moved.arrive(KOMPAS)
        await moved.decide(plan_confirmation, ALICE)
        await moved.decide(plan_objection, ALICE, school=REGENBOOG)
        fresh = await moved.account(ALICE, school=KOMPAS)
        await moved.decide(plan_begin_anew, ALICE, school=REGENBOOG)
        await moved.decide(plan_withdrawal, ALICE, school=REGENBOOG)
        assert await moved.account(ALICE, school=KOMPAS) == fresh
        assert not moved.at(KOMPAS).objected

    async def test_of_a_protected_pupil_it_confirms_as_well(self, moved: Moves) -> None:
        await moved.decide(plan_objection, ALICE)
        await moved.decide(plan_protection, ALICE, protected=True)
        await moved.decide(plan_withdrawal, ALICE)
        assert await moved.account(ALICE, school=REGENBOOG) == ALICE
        moved.pass_days(30)
        assert await moved.listed() is Noted.NOTHING

    async def test_a_join_undone_meanwhile_does_not_come_back(self) -> None:
        world = Moves()
        await world.login(None, number("1"))
        for _ in range(5):
            await world.login(ALICE, number("1"))
            world.pass_days(8)
        joined = number("1")
        assert await world.account(ALICE, school=REGENBOOG) == joined
        await world.decide(plan_objection, ALICE)
        await world.decide(plan_split, None, number("1"), only_joins=True)
        await world.decide(plan_withdrawal, ALICE)
        assert await world.account(ALICE, school=REGENBOOG) == ALICE
        assert await world.account(None, number("1")) == joined

    async def test_whose_objection_it_was_is_not_kept_in_older_rows(self, moved: Moves) -> None:
        await moved.decide(plan_objection, ALICE)
        moved.register.rows[derive_tag(KEYS, ALICE)] = seal_record(
            _objected_by(moved.record(ALICE), None, at=REGENBOOG),
            root=ALICE,
            keys=KEYS,
            nonce=bytes(NONCE_BYTES),
        )
        with pytest.raises(NothingToDecide):
            await moved.decide(plan_withdrawal, ALICE)


async def test_a_plan_counts_and_names_nobody(moved: Moves) -> None:
    await moved.arrive(KOMPAS)
    await moved.decide(plan_begin_anew, ALICE, school=REGENBOOG)
    await moved.decide(plan_objection, ALICE)
    by = Deciding(VUURVOGEL, moved.today, 14, lambda root: root, lambda root, at: root)
    person = OpenedPerson(ALICE, moved.record(ALICE), None, None)
    plan = plan_withdrawal(person, by=by)
    lines = " ".join(plan.lines)
    assert "2 other schools" in lines
    assert "what it opened before: 1." in lines
    assert "shut out no more: 1." in lines
    for school in (REGENBOOG, KOMPAS):
        assert school not in lines


def _objected_by(record: PersonRecord, school: SchoolId | None, *, at: SchoolId) -> PersonRecord:
    there = replace(record.seen[at], objected=True, objected_by=school)
    return replace(record, seen={**record.seen, at: there})
