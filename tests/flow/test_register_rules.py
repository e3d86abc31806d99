"""Which account a login opens: a test for each row of the table in `person_rules`."""

import re
from datetime import date

import pytest
from msgspec.structs import replace

import broker.flow.persons.person_rules as person_rules
from broker.domain.attributes import Population
from broker.flow.persons.person_joins import MAX_ALIASES, TooManyNumbers, confirm_join
from broker.flow.persons.person_records import FormerAccount, PersonEvent, Presented, school_year_of
from broker.flow.persons.person_rules import EckIdMissing
from tests.flow.register_world import (
    KOMPAS,
    REGENBOOG,
    VUURVOGEL,
    RegisterWorld,
    a_root,
    a_tag,
    roots_written,
)

OWN = "L:vuurvogel:1"


def a_joined_world() -> RegisterWorld:
    """Pupil 1 had an account of the school's own number, then an ECK iD came (rule 9)."""
    world = RegisterWorld()
    world.login(None, "1")
    world.login("sanne", "1")
    return world


def ripen(world: RegisterWorld) -> None:
    for _ in range(5):
        world.pass_days(8)
        world.login("sanne", "1")


def test_every_row_of_the_table_has_a_test() -> None:
    rows = re.findall(r"^\| (\d+) \|", str(person_rules.__doc__), re.MULTILINE)
    tested = {name.split("_")[2] for name in globals() if name.startswith("test_rule_")}
    assert tested == set(rows)


def test_rule_1_unknown_eck_id_opens_itself() -> None:
    world = RegisterWorld()
    resolved = world.login("sanne")
    assert (roots_written(resolved), resolved.events) == (["E:sanne"], (PersonEvent.FIRST_SEEN,))
    assert resolved.account == a_root("E:sanne")


def test_rule_2_known_eck_id_costs_no_write() -> None:
    world = RegisterWorld()
    first = world.login("sanne")
    again = world.login("sanne")
    assert (again.account, again.salt) == (first.account, first.salt)
    assert (again.changes, again.events) == ((), ())


def test_rule_3_known_eck_id_at_a_new_school_opens_itself_and_is_pinned_there() -> None:
    world = RegisterWorld()
    first = world.login("sanne", school=VUURVOGEL)
    moved = world.login("sanne", school=REGENBOOG)
    assert (moved.account, moved.salt) == (first.account, first.salt)
    assert moved.events == (PersonEvent.NEW_SCHOOL,)
    assert set(world.eck("sanne").seen) == {VUURVOGEL, REGENBOOG}
    assert world.login("sanne", school=REGENBOOG).changes == ()


def test_rule_4_known_number_costs_no_write() -> None:
    world = RegisterWorld()
    first = world.login(None, "1")
    again = world.login(None, "1")
    assert (again.account, again.salt, again.changes) == (first.account, first.salt, ())


def test_rule_4_number_opens_the_eck_id_s_account_on_a_day_without_it() -> None:
    world = RegisterWorld()
    both = world.login("sanne", "1")
    alone = world.login(None, "1", eck_id_required=True)
    assert (alone.account, alone.salt, alone.changes) == (both.account, both.salt, ())


def test_rule_5_unknown_number_opens_itself_and_no_other_school_s() -> None:
    world = RegisterWorld()
    assert world.account(None, "1") == "L:vuurvogel:1"
    assert world.account(None, "1", school=KOMPAS) == "L:kompas:1"


def test_rule_6_unknown_number_is_refused_where_eck_ids_are_required() -> None:
    world = RegisterWorld()
    with pytest.raises(EckIdMissing) as refused:
        world.login(None, "1", eck_id_required=True)
    assert (refused.value.code, refused.value.whose_task) == ("E-PERSON-1", "school")
    assert world.records == {}
    assert world.account("sanne", "1", eck_id_required=True) == "E:sanne"


def test_rule_7_both_unknown_open_the_eck_id_and_bind_the_number() -> None:
    world = RegisterWorld()
    resolved = world.login("sanne", "1")
    assert roots_written(resolved) == ["E:sanne", OWN]
    assert resolved.events == (PersonEvent.FIRST_SEEN, PersonEvent.LOCAL_BOUND)
    assert world.local("1").salt == world.eck("sanne").salt == resolved.salt
    assert world.eck("sanne").seen[VUURVOGEL].aliases == (a_tag(a_root(OWN)),)


def test_rule_8_number_that_is_new_is_bound_to_the_known_eck_id() -> None:
    world = RegisterWorld()
    world.login("sanne", "1")
    moved = world.login("sanne", "9", school=REGENBOOG)
    assert moved.events == (PersonEvent.NEW_SCHOOL, PersonEvent.LOCAL_BOUND)
    assert world.account(None, "9", school=REGENBOOG) == "E:sanne"
    assert world.account("sanne", "2") == "E:sanne"
    assert world.account(None, "2") == "E:sanne"


def test_rule_8_number_whose_row_is_gone_is_bound_again() -> None:
    world = RegisterWorld()
    world.login("sanne", "1")
    del world.records[a_root(OWN)]
    assert world.account("sanne", "1") == "E:sanne"
    assert len(world.eck("sanne").seen[VUURVOGEL].aliases) == 1


def test_rule_9_eck_id_that_comes_later_keeps_the_work_at_this_school() -> None:
    world = RegisterWorld()
    before = world.login(None, "1")
    joined = world.login("sanne", "1")
    assert (joined.account, joined.salt) == (before.account, before.salt)
    assert joined.events == (PersonEvent.JOINED_HERE,)
    assert world.account("sanne") == world.account(None, "1") == OWN


def test_rule_9_join_holds_at_its_school_alone_until_it_is_mature() -> None:
    world = a_joined_world()
    assert world.account("sanne", school=REGENBOOG) == "E:sanne"
    ripen(world)
    assert world.account("sanne", school=REGENBOOG) == "E:sanne", "what is pinned stays"
    assert world.account("sanne", school=KOMPAS) == "E:sanne", "seen elsewhere: never mature"
    assert world.account("sanne") == OWN


def test_rule_9_mature_join_goes_along_to_a_new_school() -> None:
    world = a_joined_world()
    ripen(world)
    moved = world.login("sanne", "7", school=REGENBOOG)
    assert moved.account == a_root(OWN)
    assert PersonEvent.MATURE_JOIN_APPLIED in moved.events
    assert world.account(None, "7", school=REGENBOOG) == OWN


def test_rule_9_join_needs_both_thirty_days_and_five_login_days() -> None:
    world = a_joined_world()
    world.pass_days(90)
    world.login("sanne", "1")
    world.login("sanne", "1")
    assert world.eck("sanne").join.login_days == 2  # type: ignore[union-attr]
    assert world.account("sanne", school=REGENBOOG) == "E:sanne"

    world = a_joined_world()
    for _ in range(10):
        world.pass_days(1)
        world.login("sanne", "1")
    assert world.account("sanne", school=REGENBOOG) == "E:sanne"


def test_rule_9_login_days_are_counted_only_as_far_as_needed() -> None:
    world = a_joined_world()
    written = []
    for _ in range(31):
        world.pass_days(1)
        written.append(bool(world.login("sanne", "1").changes))
    assert written.count(True) == 5  # four more login days, and the day it was mature
    assert world.login("sanne", "1").changes == ()


def test_rule_9_clock_that_goes_back_ripens_nothing() -> None:
    world = a_joined_world()
    world.pass_days(-3)
    assert world.login("sanne", "1").changes == ()


def test_rule_9_confirmed_join_goes_along_and_leaves_what_is_pinned() -> None:
    world = a_joined_world()
    world.login("sanne", school=REGENBOOG)
    world.records[a_root("E:sanne")] = confirm_join(world.eck("sanne"))
    assert world.account("sanne", school=REGENBOOG) == "E:sanne"
    assert world.account("sanne", school=KOMPAS) == OWN
    unjoined = world.local("1")
    assert confirm_join(unjoined) == unjoined


def test_rule_10_number_that_comes_with_a_new_eck_id_goes_to_it() -> None:
    world = RegisterWorld()
    world.login("sanne", "1")
    rebound = world.login("daan", "1")
    assert rebound.account == a_root("E:daan")
    assert rebound.events == (PersonEvent.FIRST_SEEN, PersonEvent.LOCAL_REBOUND)
    assert world.account(None, "1") == "E:daan"
    assert world.account("sanne") == "E:sanne"
    assert world.eck("sanne").seen[VUURVOGEL].aliases == (), "erasing sanne keeps daan's row"
    assert world.local("1").salt == world.eck("daan").salt != world.eck("sanne").salt


def test_rule_10_joined_account_stays_with_the_eck_id_that_it_was_joined_to() -> None:
    world = a_joined_world()
    assert world.account("daan", "1") == "E:daan"
    assert world.account(None, "1") == "E:daan"
    assert world.account("sanne") == OWN


def test_rule_10_former_eck_id_s_row_may_be_gone() -> None:
    world = RegisterWorld()
    world.login("sanne", "1")
    del world.records[a_root("E:sanne")]
    assert world.account("daan", "1") == "E:daan"


def test_rule_11_two_accounts_of_this_school_alone_become_the_eck_id_s() -> None:
    world = RegisterWorld()
    eck, own = world.login("sanne"), world.login(None, "1")
    joined = world.login("sanne", "1")
    assert (joined.account, joined.salt) == (eck.account, eck.salt)
    assert joined.events == (PersonEvent.ACCOUNTS_JOINED,)
    assert world.account(None, "1") == "E:sanne"
    assert world.eck("sanne").former == (FormerAccount(root=own.account, salt=own.salt),)
    assert world.login("sanne", "1").changes == ()


def test_rule_12_two_accounts_are_kept_apart_when_another_school_saw_the_eck_id() -> None:
    world = RegisterWorld()
    world.login("sanne", school=REGENBOOG)
    world.login(None, "1")
    apart = world.login("sanne", "1")
    assert apart.account == a_root("E:sanne")
    assert apart.events == (PersonEvent.NEW_SCHOOL, PersonEvent.ACCOUNTS_KEPT_APART)
    assert world.account(None, "1") == OWN
    assert world.login("sanne", "1").changes == ()


def test_rule_12_pupil_with_an_own_account_never_gets_another_school_s_mature_join() -> None:
    world = a_joined_world()
    ripen(world)
    world.login(None, "7", school=REGENBOOG)
    assert world.account("sanne", "7", school=REGENBOOG) == "E:sanne"
    assert world.account(None, "7", school=REGENBOOG) == "L:regenboog:7"


def test_rule_13_daily_login_with_both_costs_no_write() -> None:
    world = RegisterWorld()
    world.login("sanne", "1")
    again = world.login("sanne", "1")
    assert (again.account, again.changes, again.events) == (a_root("E:sanne"), (), ())


def test_rule_14_two_known_eck_ids_are_never_merged() -> None:
    world = RegisterWorld()
    world.login("sanne", "1")
    world.login("daan", "2")
    swapped = world.login("daan", "1")
    assert swapped.events == (PersonEvent.LOCAL_REBOUND,)
    assert roots_written(swapped) == ["E:daan", OWN, "E:sanne"]
    assert (world.account("sanne"), world.account("daan")) == ("E:sanne", "E:daan")
    assert world.account(None, "1") == "E:daan"
    assert world.account("sanne", "1") == "E:sanne", "and a mistake mends itself"
    assert world.account(None, "1") == "E:sanne"


def test_rule_14_notices_of_the_former_person_are_not_the_new_one_s() -> None:
    world = RegisterWorld()
    world.login("sanne", "1")
    world.login("daan", "2")
    world.local("1").notices["vuurvogel/rekenrijk"] = 3
    world.login("daan", "1")
    assert world.local("1").notices == {}


def test_rule_15_eck_id_whose_row_is_gone_is_restored_from_the_number() -> None:
    world = RegisterWorld()
    before = world.login("sanne", "1")
    del world.records[a_root("E:sanne")]
    restored = world.login("sanne", "1")
    assert (restored.account, restored.salt) == (before.account, before.salt)

    world = a_joined_world()
    del world.records[a_root("E:sanne")]
    assert world.account("sanne", "1") == OWN
    assert world.account("sanne", school=KOMPAS) == "E:sanne"


def test_rule_16_staff_open_their_own_root_even_where_eck_ids_are_required() -> None:
    world = RegisterWorld()
    resolved = world.login(None, "els", population=Population.STAFF, eck_id_required=True)
    assert resolved.account == a_root("L:vuurvogel:els")
    assert world.local("els").population is Population.STAFF
    with pytest.raises(ValueError, match="staff"):
        world.login("els", "els", population=Population.STAFF)


def test_rule_17_login_at_the_old_school_confirms_the_arrival() -> None:
    world = RegisterWorld()
    world.login("sanne")
    world.pass_days(1)
    world.login("sanne", school=REGENBOOG)
    assert not world.eck("sanne").seen[REGENBOOG].confirmed
    assert world.login("sanne").events == (PersonEvent.ARRIVAL_CONFIRMED,)
    assert world.eck("sanne").seen[REGENBOOG].confirmed


def test_rule_18_protected_pupil_waits_at_a_new_school() -> None:
    world = RegisterWorld()
    world.login("sanne")
    world.records[a_root("E:sanne")] = replace(world.eck("sanne"), protected=True)
    assert world.login("sanne", school=REGENBOOG).waits
    assert not world.login("sanne").waits


def test_login_that_presents_nothing_is_a_fault() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Presented(Population.PUPIL, eck_id=None, local=None)


def test_new_school_year_is_written_once_in_each_presented_row() -> None:
    world = RegisterWorld()
    world.login("sanne", "1")
    world.login(None, "2")
    world.login("daan", school=KOMPAS)
    world.login("daan", school=VUURVOGEL)
    world.today = date(2027, 8, 1)
    assert roots_written(world.login("sanne", "1")) == ["E:sanne", OWN]
    assert roots_written(world.login(None, "2")) == ["L:vuurvogel:2"]
    assert roots_written(world.login("daan", "2")) == ["E:daan"]
    assert world.login("sanne", "1").changes == ()
    assert world.eck("sanne").school_year == school_year_of(world.today) == 2027


def test_rule_19_what_was_erased_opens_a_fresh_account() -> None:
    for eck_id, number in (("sanne", None), (None, "1")):
        world = RegisterWorld(closed={a_root("E:sanne"), a_root(OWN)})
        first = world.login(eck_id, number)
        opened = a_root("F1:" + ("E:sanne" if eck_id else OWN))
        assert first.account == opened
        assert first.events == (PersonEvent.FIRST_SEEN, PersonEvent.FRESH_ACCOUNT)
        assert {each.root for each in first.changes} > {opened}
        again = world.login(eck_id, number)
        assert (again.account, again.changes) == (opened, ())
    world = RegisterWorld(closed={a_root(OWN)})
    assert world.account("sanne", "1") == "E:sanne"
    assert world.account(None, "1") == "E:sanne"


def test_rule_19_an_eck_id_joins_no_number_afterwards() -> None:
    world = RegisterWorld(closed={a_root("E:sanne")})
    world.login(None, "1")
    joined = world.login("sanne", "1")
    assert joined.account == a_root("F2:E:sanne")
    assert PersonEvent.ACCOUNTS_KEPT_APART in joined.events
    assert world.account("sanne", "1") == "F2:E:sanne"
    assert world.account(None, "1") == OWN


def test_rule_20_a_number_that_is_another_pupil_s_where_it_went_needs_the_eck_id() -> None:
    world = RegisterWorld()
    world.login("sanne", "1")
    world.reissued.add(a_root(OWN))
    with pytest.raises(EckIdMissing, match="check_number_not_reissued"):
        world.login(None, "1")
    assert world.account("daan", "1") == "E:daan"
    world.reissued.clear()
    assert world.account(None, "1") == "E:daan"


def test_rule_21_where_two_schools_say_it_is_theirs_a_third_opens_neither_account() -> None:
    world = RegisterWorld()
    for school in (VUURVOGEL, REGENBOOG):
        world.login("sanne", school=school)
    record = world.eck("sanne")
    anew = replace(record.seen[REGENBOOG], account=a_root("A:sanne"), begun_anew=True)
    root = a_root("E:sanne")
    world.records[root] = replace(record, seen={**record.seen, REGENBOOG: anew})
    assert world.account("sanne", "1", school=KOMPAS) == "F3:E:sanne"
    assert world.account("sanne", school=VUURVOGEL) == "E:sanne"
    objected = replace(anew, objected=True)
    world.records[root] = replace(record, seen={**record.seen, REGENBOOG: objected})
    assert world.account("sanne", school=KOMPAS) == "E:sanne"


def test_school_cannot_swell_a_row_with_numbers() -> None:
    world = RegisterWorld()
    world.login("daan", "beyond")
    for number in range(MAX_ALIASES):
        world.login("sanne", str(number))
    with pytest.raises(TooManyNumbers):
        world.login("sanne", "beyond")
    assert world.account(None, "beyond") == "E:daan"
    assert world.login("sanne", "0").changes == ()
    assert world.account("sanne", "beyond", school=KOMPAS) == "E:sanne", "each school for itself"


def test_records_and_results_show_no_root() -> None:
    world = a_joined_world()
    resolved = world.login("sanne", "2")
    shown = repr((resolved, world.eck("sanne"), list(world.records.values())))
    assert "sanne" not in shown
    assert "vuurvogel" not in shown
    assert world.eck("sanne").__rich_repr__() == []
