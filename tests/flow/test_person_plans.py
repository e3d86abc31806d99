"""What people decide about one person: objection, confirmation, protection, split and join."""

from dataclasses import replace as replace_fields
from datetime import timedelta

import pytest
from msgspec.structs import replace

from broker.domain.ids import SchoolId, SupplierId
from broker.flow.operators.operator_refusals import PersonNotKnown
from broker.flow.persons.person_anew import plan_begin_anew
from broker.flow.persons.person_join_plan import plan_join
from broker.flow.persons.person_objection import plan_objection
from broker.flow.persons.person_plan_refusals import (
    AliasRefused,
    BothNeeded,
    NothingToDecide,
    NothingToSplit,
    SchoolOfBeforeDecides,
)
from broker.flow.persons.person_plans import (
    Deciding,
    OpenedPerson,
    Plan,
    plan_confirmation,
    plan_protection,
    plan_split,
)
from broker.flow.persons.person_records import PersonEvent, SupplierSeen, as_root
from tests.flow.register_world import (
    KOMPAS,
    REGENBOOG,
    VUURVOGEL,
    RegisterWorld,
    a_root,
    a_tag,
)

REKENRIJK, TAALTUIN = SupplierId("rekenrijk"), SupplierId("taaltuin")


def deciding(world: RegisterWorld, school: SchoolId = VUURVOGEL) -> Deciding:
    return Deciding(
        school=school,
        today=world.today,
        settled_after_days=14,
        tag_of=a_tag,
        fresh_account=lambda root, at: a_root(f"A:{at}"),
    )


def opened(
    world: RegisterWorld,
    local: str | None = "1",
    *,
    eck_id: str | None = None,
    school: SchoolId = VUURVOGEL,
) -> OpenedPerson:
    local_root = None if local is None else a_root(f"L:{school}:{local}")
    record = None if local_root is None else world.records.get(local_root)
    eck_root = None if eck_id is None else a_root(f"E:{eck_id}")
    if eck_root is None and record is not None and record.bound_to is not None:
        eck_root = as_root(record.bound_to)
    eck = None if eck_root is None else world.records.get(eck_root)
    return OpenedPerson(eck_root, eck, local_root, record)


def carry_out(world: RegisterWorld, plan: Plan) -> None:
    world.records.update({change.root: change.record for change in plan.changes})


def suppliers(world: RegisterWorld, root: str, *names: SupplierId) -> None:
    record = world.records[a_root(root)]
    seen = {**record.suppliers, **{each: SupplierSeen(epoch="a") for each in names}}
    world.records[a_root(root)] = replace(record, suppliers=seen)


@pytest.fixture
def moved() -> RegisterWorld:
    """Sanne was at vuurvogel; regenboog stated her ECK iD a day later."""
    world = RegisterWorld()
    world.login("sanne", "1")
    world.pass_days(1)
    world.login("sanne", "9", school=REGENBOOG)
    return world


class TestObjection:
    def test_the_other_school_gets_a_fresh_account_and_this_one_keeps_all(
        self, moved: RegisterWorld
    ) -> None:
        plan = plan_objection(opened(moved), by=deciding(moved))
        carry_out(moved, plan)
        assert moved.account("sanne", "1") == "E:sanne"
        assert moved.account("sanne", "9", school=REGENBOOG) == "A:regenboog"
        assert moved.account(None, "9", school=REGENBOOG) == "A:regenboog"
        assert moved.account("sanne", school=REGENBOOG) == "A:regenboog"
        assert moved.records[a_root("A:regenboog")].held_by == a_root("E:sanne")
        assert "regenboog" not in " ".join(plan.lines)

    def test_the_number_alone_opens_nothing_of_before(self, moved: RegisterWorld) -> None:
        carry_out(moved, plan_objection(opened(moved), by=deciding(moved)))
        assert moved.account(None, "9", school=REGENBOOG) == "A:regenboog"

    def test_a_number_that_was_issued_anew_does_not_open_its_former_owner_s_work(self) -> None:
        world = RegisterWorld()
        world.login(None, "7", school=REGENBOOG)
        assert world.account("daan", "7", school=REGENBOOG) == "L:regenboog:7"
        world.login("sanne", "1")
        world.pass_days(400)
        assert world.account("sanne", "7", school=REGENBOOG) == "E:sanne"
        carry_out(world, plan_objection(opened(world), by=deciding(world)))
        assert world.account(None, "7", school=REGENBOOG) == "A:regenboog"
        assert world.account("daan", school=REGENBOOG) == "L:regenboog:7"

    def test_after_confirmation_by_a_daily_login_too(self, moved: RegisterWorld) -> None:
        moved.login("sanne", "1")
        assert moved.eck("sanne").seen[REGENBOOG].confirmed
        carry_out(moved, plan_objection(opened(moved), by=deciding(moved)))
        assert moved.account("sanne", "9", school=REGENBOOG) == "A:regenboog"
        moved.login("sanne", "1")
        assert not moved.eck("sanne").seen[REGENBOOG].confirmed

    def test_once(self, moved: RegisterWorld) -> None:
        carry_out(moved, plan_objection(opened(moved), by=deciding(moved)))
        with pytest.raises(NothingToDecide):
            plan_objection(opened(moved), by=deciding(moved))

    def test_of_several_schools_all(self, moved: RegisterWorld) -> None:
        moved.login("sanne", school=KOMPAS)
        plan = plan_objection(opened(moved), by=deciding(moved))
        assert plan.lines[0].startswith("2 other schools")

    def test_of_several_schools_those_of_one_day(self, moved: RegisterWorld) -> None:
        moved.pass_days(1)
        moved.login("sanne", school=KOMPAS)
        day = moved.eck("sanne").seen[KOMPAS].held_since
        plan = plan_objection(opened(moved), by=deciding(moved), arrived=day)
        assert plan.lines[0] == (
            f"1 other school stated this pupil after this one did, first on {day}."
        )
        assert plan.lines[1].startswith("1 other school stated this pupil on other days")
        carry_out(moved, plan)
        assert moved.account("sanne", school=KOMPAS) == "A:kompas"
        assert moved.account("sanne", "9", school=REGENBOOG) == "E:sanne"
        with pytest.raises(NothingToDecide):
            plan_objection(opened(moved), by=deciding(moved), arrived=day)

    def test_not_by_who_came_later(self, moved: RegisterWorld) -> None:
        with pytest.raises(NothingToDecide):
            plan_objection(opened(moved, "9", school=REGENBOOG), by=deciding(moved, REGENBOOG))

    def test_not_by_who_was_objected_to_or_never_stated_the_pupil(
        self, moved: RegisterWorld
    ) -> None:
        carry_out(moved, plan_objection(opened(moved), by=deciding(moved)))
        for school in (REGENBOOG, KOMPAS):
            with pytest.raises(PersonNotKnown):
                plan_objection(opened(moved, None, eck_id="sanne"), by=deciding(moved, school))
        with pytest.raises(PersonNotKnown):
            plan_objection(opened(moved, "unknown"), by=deciding(moved))

    def test_not_without_a_move(self) -> None:
        world = RegisterWorld()
        world.login("sanne", "1")
        with pytest.raises(NothingToDecide):
            plan_objection(opened(world), by=deciding(world))

    def test_the_objected_school_does_not_hold_up_the_own_one(self, moved: RegisterWorld) -> None:
        carry_out(moved, plan_objection(opened(moved), by=deciding(moved)))
        moved.login(None, "2")
        assert moved.account("sanne", "2") == "E:sanne"
        assert moved.account(None, "2") == "E:sanne"


class TestConfirmation:
    def test_by_a_school_of_before(self, moved: RegisterWorld) -> None:
        carry_out(moved, plan_confirmation(opened(moved), by=deciding(moved)))
        assert moved.eck("sanne").seen[REGENBOOG].confirmed
        with pytest.raises(NothingToDecide):
            plan_confirmation(opened(moved), by=deciding(moved))

    def test_by_the_new_school(self, moved: RegisterWorld) -> None:
        person = opened(moved, "9", school=REGENBOOG)
        carry_out(moved, plan_confirmation(person, by=deciding(moved, REGENBOOG)))
        assert moved.eck("sanne").seen[REGENBOOG].confirmed
        with pytest.raises(NothingToDecide):
            plan_confirmation(opened(moved, "9", school=REGENBOOG), by=deciding(moved, REGENBOOG))

    def test_of_a_protected_pupil_by_a_school_of_before_alone(self) -> None:
        world = RegisterWorld()
        world.login("sanne", "1")
        carry_out(world, plan_protection(opened(world), protected=True, by=deciding(world)))
        world.pass_days(1)
        assert world.login("sanne", "9", school=REGENBOOG).waits
        person = opened(world, None, eck_id="sanne")
        with pytest.raises(SchoolOfBeforeDecides):
            plan_confirmation(person, by=deciding(world, REGENBOOG))
        carry_out(world, plan_confirmation(opened(world), by=deciding(world)))
        assert world.account("sanne", "9", school=REGENBOOG) == "E:sanne"


class TestProtection:
    def test_is_set_and_taken_away(self, moved: RegisterWorld) -> None:
        carry_out(moved, plan_protection(opened(moved), protected=True, by=deciding(moved)))
        assert moved.login("sanne", school=KOMPAS).waits
        with pytest.raises(NothingToDecide):
            plan_protection(opened(moved), protected=True, by=deciding(moved))
        carry_out(moved, plan_protection(opened(moved), protected=False, by=deciding(moved)))
        assert not moved.login("sanne", school=KOMPAS).waits

    def test_is_not_taken_away_by_the_school_that_waits(self, moved: RegisterWorld) -> None:
        carry_out(moved, plan_protection(opened(moved), protected=True, by=deciding(moved)))
        assert moved.login("sanne", school=KOMPAS).waits
        for school in (REGENBOOG, KOMPAS):
            person = opened(moved, None, eck_id="sanne", school=school)
            with pytest.raises(SchoolOfBeforeDecides):
                plan_protection(person, protected=False, by=deciding(moved, school))
        carry_out(moved, plan_confirmation(opened(moved), by=deciding(moved)))
        person = opened(moved, None, eck_id="sanne", school=KOMPAS)
        assert plan_protection(person, protected=False, by=deciding(moved, KOMPAS)).changes

    def test_is_not_set_by_a_school_that_would_wait_itself(self, moved: RegisterWorld) -> None:
        """It could not take it away again."""
        by = deciding(moved, REGENBOOG)
        person = opened(moved, "9", school=REGENBOOG)
        with pytest.raises(SchoolOfBeforeDecides):
            plan_protection(person, protected=True, by=by)
        carry_out(moved, plan_confirmation(person, by=by))
        person = opened(moved, "9", school=REGENBOOG)
        carry_out(moved, plan_protection(person, protected=True, by=by))
        person = opened(moved, "9", school=REGENBOOG)
        assert plan_protection(person, protected=False, by=by).changes

    def test_what_was_settled_by_days_stays_so(self, moved: RegisterWorld) -> None:
        moved.pass_days(14)
        carry_out(moved, plan_protection(opened(moved), protected=True, by=deciding(moved)))
        assert not moved.login("sanne", "9", school=REGENBOOG).waits

    def test_what_was_not_settled_waits(self, moved: RegisterWorld) -> None:
        carry_out(moved, plan_protection(opened(moved), protected=True, by=deciding(moved)))
        assert moved.login("sanne", "9", school=REGENBOOG).waits

    def test_a_number_alone_waits_as_its_eck_id_does(self, moved: RegisterWorld) -> None:
        assert not moved.login(None, "9", school=REGENBOOG).waits
        carry_out(moved, plan_protection(opened(moved), protected=True, by=deciding(moved)))
        assert moved.login(None, "9", school=REGENBOOG).waits
        assert not moved.login(None, "1").waits
        carry_out(moved, plan_confirmation(opened(moved), by=deciding(moved)))
        assert not moved.login(None, "9", school=REGENBOOG).waits

    def test_goes_along_when_a_number_is_joined_and_parted(self) -> None:
        world = RegisterWorld()
        world.login("sanne")
        world.login(None, "1")
        assert not world.eck("sanne").protected
        carry_out(world, plan_protection(opened(world), protected=True, by=deciding(world)))
        world.login("sanne", "1")
        assert world.login("sanne", school=KOMPAS).waits
        carry_out(world, plan_split(opened(world), only_joins=True, by=deciding(world)))
        assert world.local("1").protected

    def test_of_a_pupil_without_eck_id(self) -> None:
        world = RegisterWorld()
        world.login(None, "1")
        carry_out(world, plan_protection(opened(world), protected=True, by=deciding(world)))
        assert world.local("1").protected

    def test_of_nobody(self) -> None:
        world = RegisterWorld()
        for person in (opened(world), opened(world, None, eck_id="sanne")):
            with pytest.raises(PersonNotKnown):
                plan_protection(person, protected=True, by=deciding(world))


class TestSplit:
    def test_join_of_a_later_eck_id_is_undone(self) -> None:
        world = RegisterWorld()
        world.login(None, "1")
        suppliers(world, "L:vuurvogel:1", REKENRIJK)
        world.login("sanne", "1")
        plan = plan_split(opened(world), only_joins=True, by=deciding(world))
        carry_out(world, plan)
        assert world.account("sanne") == "E:sanne"
        assert world.account(None, "1") == "L:vuurvogel:1"
        assert world.account("sanne", "1") == "E:sanne", "and they are not joined again"
        assert world.account(None, "1") == "L:vuurvogel:1"
        assert set(world.local("1").suppliers) == {REKENRIJK}

    def test_mature_join_is_undone_where_it_went_along(self) -> None:
        world = RegisterWorld()
        world.login(None, "1")
        for _ in range(6):
            world.login("sanne", "1")
            world.pass_days(8)
        assert world.account("sanne", "7", school=REGENBOOG) == "L:vuurvogel:1"
        carry_out(world, plan_split(opened(world), only_joins=True, by=deciding(world)))
        assert world.account(None, "7", school=REGENBOOG) == "E:sanne"
        assert world.account("sanne", school=REGENBOOG) == "E:sanne"

    def test_two_accounts_that_became_one_are_two_again_with_their_salts(self) -> None:
        world = RegisterWorld()
        world.login("sanne")
        own = world.login(None, "1")
        suppliers(world, "L:vuurvogel:1", REKENRIJK)
        suppliers(world, "E:sanne", TAALTUIN)
        world.login("sanne", "1")
        assert world.eck("sanne").suppliers[REKENRIJK].previous == own.account
        carry_out(world, plan_split(opened(world), only_joins=True, by=deciding(world)))
        again = world.login(None, "1")
        assert (again.account, again.salt) == (own.account, own.salt)
        assert set(world.local("1").suppliers) == {REKENRIJK}
        assert world.eck("sanne").former == ()
        assert world.eck("sanne").suppliers[REKENRIJK].previous is None
        assert world.eck("sanne").suppliers[TAALTUIN] == SupplierSeen(epoch="a")

    def test_number_that_was_only_bound_gets_a_fresh_account(self) -> None:
        world = RegisterWorld()
        world.login("sanne", "1")
        with pytest.raises(NothingToSplit):
            plan_split(opened(world), only_joins=True, by=deciding(world))
        plan = plan_split(opened(world), only_joins=False, by=deciding(world))
        assert plan.lines[0] == "The number opens a fresh account."
        carry_out(world, plan)
        assert world.account(None, "1") == "L:vuurvogel:1"
        assert world.account("sanne", "1") == "E:sanne"

    def test_number_that_was_issued_anew_is_not_split_into_its_former_owner_s_account(self) -> None:
        world = RegisterWorld()
        world.login(None, "1")
        world.login("daan", "1")
        world.pass_days(400)
        assert world.account("sanne", "1") == "E:sanne"
        with pytest.raises(AliasRefused):
            plan_split(opened(world), only_joins=False, by=deciding(world))
        assert world.account(None, "1") == "E:sanne"
        assert world.account("daan") == "L:vuurvogel:1"

    def test_what_is_told_beside_an_account_stays_with_that_account(self) -> None:
        world = RegisterWorld()
        world.login(None, "1")
        suppliers(world, "L:vuurvogel:1", REKENRIJK, TAALTUIN)
        world.login("sanne", "1")
        for supplier, beside in ((REKENRIJK, "L:vuurvogel:1"), (TAALTUIN, "E:sanne")):
            told = SupplierSeen(epoch="a", previous=a_root("before"), beside=a_root(beside))
            record = world.eck("sanne")
            changed = replace(record, suppliers={**record.suppliers, supplier: told})
            world.records[a_root("E:sanne")] = changed
        carry_out(world, plan_split(opened(world), only_joins=True, by=deciding(world)))
        number, eck = world.local("1").suppliers, world.eck("sanne").suppliers
        assert (number[REKENRIJK].previous, eck[REKENRIJK].previous) == (a_root("before"), None)
        assert (number[TAALTUIN].previous, eck[TAALTUIN].previous) == (None, a_root("before"))

    def test_number_that_is_alone_is_not_split(self) -> None:
        world = RegisterWorld()
        world.login(None, "1")
        with pytest.raises(NothingToSplit):
            plan_split(opened(world), only_joins=False, by=deciding(world))
        with pytest.raises(PersonNotKnown):
            plan_split(opened(world, "unknown"), only_joins=False, by=deciding(world))


class TestJoin:
    def test_two_accounts_that_were_kept_apart_become_one_and_who_knew_is_told(self) -> None:
        world = RegisterWorld()
        world.login("sanne", school=REGENBOOG)
        world.login(None, "1")
        suppliers(world, "L:vuurvogel:1", REKENRIJK)
        world.login("sanne", "1")
        assert world.account(None, "1") == "L:vuurvogel:1"
        plan = plan_join(opened(world, eck_id="sanne"), by=deciding(world))
        assert plan.lines[1].endswith("next login: 1.")
        carry_out(world, plan)
        assert world.account(None, "1") == "E:sanne"
        assert world.eck("sanne").suppliers[REKENRIJK].previous == a_root("L:vuurvogel:1")
        with pytest.raises(NothingToDecide):
            plan_join(opened(world, eck_id="sanne"), by=deciding(world))

    def test_a_split_can_be_taken_back(self) -> None:
        world = RegisterWorld()
        world.login("sanne", "1")
        carry_out(world, plan_split(opened(world), only_joins=False, by=deciding(world)))
        carry_out(world, plan_join(opened(world, eck_id="sanne"), by=deciding(world)))
        assert world.account(None, "1") == "E:sanne"
        assert world.login("sanne", "1").changes == ()

    def test_two_eck_ids_are_never_joined(self) -> None:
        world = RegisterWorld()
        world.login("sanne", "1")
        world.login("daan", "2")
        with pytest.raises(AliasRefused):
            plan_join(opened(world, "1", eck_id="daan"), by=deciding(world))

    def test_a_cycle_is_refused(self) -> None:
        world = RegisterWorld()
        world.login(None, "1")
        world.login("sanne", "1")
        unbound = replace(world.local("1"), bound_to=None)
        world.records[a_root("L:vuurvogel:1")] = unbound
        with pytest.raises(AliasRefused):
            plan_join(opened(world, eck_id="sanne"), by=deciding(world))

    def test_both_must_be_known_here(self) -> None:
        world = RegisterWorld()
        world.login(None, "1")
        with pytest.raises(BothNeeded):
            plan_join(opened(world, eck_id="sanne"), by=deciding(world))
        world.login("sanne", school=REGENBOOG)
        with pytest.raises(BothNeeded):
            plan_join(opened(world, eck_id="sanne"), by=deciding(world))
        world.pass_days(1)
        world.login("sanne")
        assert plan_join(opened(world, eck_id="sanne"), by=deciding(world)).changes


class TestBeginAnew:
    def test_who_came_later_shares_nothing_any_more_and_the_other_school_keeps_its_own(
        self, moved: RegisterWorld
    ) -> None:
        later = deciding(moved, REGENBOOG)
        plan = plan_begin_anew(opened(moved, "9", school=REGENBOOG), by=later)
        assert "vuurvogel" not in " ".join(plan.lines)
        carry_out(moved, plan)
        for states in (("sanne", "9"), (None, "9"), ("sanne", None)):
            assert moved.account(*states, school=REGENBOOG) == "A:regenboog"
        assert moved.account("sanne", "1") == "E:sanne"
        assert moved.records[a_root("A:regenboog")].held_by == a_root("E:sanne")
        with pytest.raises(NothingToDecide):
            plan_begin_anew(opened(moved, "9", school=REGENBOOG), by=later)

    def test_a_third_school_opens_neither_of_the_two_accounts_until_one_objects(
        self, moved: RegisterWorld
    ) -> None:
        person = opened(moved, "9", school=REGENBOOG)
        carry_out(moved, plan_begin_anew(person, by=deciding(moved, REGENBOOG)))
        third = moved.login("sanne", school=KOMPAS)
        assert third.account not in (a_root("E:sanne"), a_root("A:regenboog"))
        assert PersonEvent.FRESH_ACCOUNT in third.events
        assert moved.login("sanne", school=KOMPAS).changes == ()
        assert moved.eck("sanne").seen[KOMPAS].confirmed
        carry_out(moved, plan_objection(opened(moved), by=deciding(moved)))
        assert moved.account("sanne", school=SchoolId("vierde")) == "E:sanne"

    def test_who_began_anew_waits_for_nobody_also_when_the_first_school_protected(
        self, moved: RegisterWorld
    ) -> None:
        carry_out(moved, plan_protection(opened(moved), protected=True, by=deciding(moved)))
        held = moved.login("sanne", school=KOMPAS)
        assert held.waits
        person = opened(moved, eck_id="sanne", school=KOMPAS)
        carry_out(moved, plan_begin_anew(person, by=deciding(moved, KOMPAS)))
        assert not moved.login("sanne", school=KOMPAS).waits
        assert not moved.login("sanne", school=SchoolId("vierde")).waits, "nor at a third school"

    def test_an_objection_after_that_changes_no_account(self, moved: RegisterWorld) -> None:
        person = opened(moved, "9", school=REGENBOOG)
        carry_out(moved, plan_begin_anew(person, by=deciding(moved, REGENBOOG)))
        aliases = moved.eck("sanne").seen[REGENBOOG].aliases
        carry_out(moved, plan_objection(opened(moved), by=deciding(moved)))
        assert moved.account("sanne", "9", school=REGENBOOG) == "A:regenboog"
        assert moved.eck("sanne").seen[REGENBOOG].aliases == aliases

    def test_who_really_came_to_a_school_that_was_objected_to_shares_nothing_with_who_was_there(
        self, moved: RegisterWorld
    ) -> None:
        """De Regenboog stated Sanne's ECK iD for somebody else, and mended that."""
        carry_out(moved, plan_objection(opened(moved), by=deciding(moved)))
        assert moved.account("sanne", "9", school=REGENBOOG) == "A:regenboog"
        assert moved.account("other", "9", school=REGENBOOG) == "E:other"
        by = replace_fields(
            deciding(moved, REGENBOOG),
            fresh_account=lambda root, at: a_root(f"A:{root.decode().rstrip('.')} {at}"),
        )
        person = opened(moved, None, eck_id="sanne", school=REGENBOOG)
        carry_out(moved, plan_begin_anew(person, by=by))
        anew = moved.account("sanne", "10", school=REGENBOOG)
        assert anew == "A:A:regenboog regenboog"
        assert moved.eck("sanne").seen[REGENBOOG].objected, "so no other school is in doubt"
        assert moved.account("sanne", school=KOMPAS) == "E:sanne"

    def test_not_where_nobody_else_is(self) -> None:
        world = RegisterWorld()
        world.login("sanne", "1")
        with pytest.raises(NothingToDecide):
            plan_begin_anew(opened(world), by=deciding(world))
        with pytest.raises(PersonNotKnown):
            plan_begin_anew(opened(world), by=deciding(world, KOMPAS))


def test_a_plan_says_nothing_of_a_person(moved: RegisterWorld) -> None:
    plan = plan_objection(opened(moved), by=deciding(moved))
    shown = repr((plan, opened(moved)))
    assert "sanne" not in shown
    assert "regenboog" not in shown
    assert moved.today + timedelta(days=1)
