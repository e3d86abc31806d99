"""A known pupil at a school that is new to the pupil: held, confirmed, settled, protected."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from broker.domain.ids import SchoolId
from broker.flow.persons.person_arrivals import (
    confirm_arrivals,
    is_settled,
    later_arrivals,
    waits,
)
from broker.flow.persons.person_records import PersonEvent, SeenAt
from tests.flow.register_world import (
    FIRST_DAY,
    KOMPAS,
    REGENBOOG,
    VUURVOGEL,
    RegisterWorld,
    a_root,
    a_tag,
    roots_written,
)


def a_moved_world(*, protected: bool = False) -> RegisterWorld:
    """Sanne was at vuurvogel, and came to regenboog a day later."""
    world = RegisterWorld()
    world.login("sanne", "1")
    if protected:
        world.records[a_root("E:sanne")] = replace(world.eck("sanne"), protected=True)
    world.pass_days(1)
    world.login("sanne", "9", school=REGENBOOG)
    return world


def there(world: RegisterWorld, school: SchoolId = REGENBOOG) -> SeenAt:
    return world.eck("sanne").seen[school]


def test_first_school_is_not_held() -> None:
    world = a_moved_world()
    assert there(world, VUURVOGEL).held_since is None
    assert there(world).held_since == FIRST_DAY + timedelta(days=1)
    assert not there(world).confirmed


def test_login_at_the_old_school_confirms_once() -> None:
    world = a_moved_world()
    back = world.login("sanne", "1")
    assert back.events == (PersonEvent.ARRIVAL_CONFIRMED,)
    assert there(world).confirmed
    assert world.login("sanne", "1").changes == ()


def test_login_at_the_new_school_confirms_nothing() -> None:
    world = a_moved_world()
    assert world.login("sanne", "9", school=REGENBOOG).changes == ()
    assert not there(world).confirmed


def test_held_school_confirms_nobody_else() -> None:
    world = a_moved_world()
    world.pass_days(1)
    world.login("sanne", school=KOMPAS)
    world.login("sanne", "9", school=REGENBOOG)
    assert not there(world, KOMPAS).confirmed
    world.login("sanne", "1")
    assert there(world, KOMPAS).confirmed


def test_days_without_objection_settle() -> None:
    world = a_moved_world()
    day = FIRST_DAY + timedelta(days=1)
    for after, settled in ((13, False), (14, True)):
        today = day + timedelta(days=after)
        assert is_settled(there(world), protected=False, today=today, after_days=14) is settled
        assert not is_settled(there(world), protected=True, today=today, after_days=14)
    world.pass_days(14)
    world.login("sanne", school=KOMPAS)
    world.login("sanne", "9", school=REGENBOOG)
    assert there(world, KOMPAS).confirmed, "a settled school has a say in later arrivals"


def test_protected_pupil_waits_and_nothing_else_of_the_login_holds() -> None:
    world = RegisterWorld()
    world.login("sanne", "1")
    world.records[a_root("E:sanne")] = replace(world.eck("sanne"), protected=True)
    first = world.login("sanne", "9", school=REGENBOOG)
    assert first.waits
    assert roots_written(first) == ["E:sanne"]
    again = world.login("sanne", "9", school=REGENBOOG)
    assert (again.waits, again.changes) == (True, ())
    assert world.login("sanne", school=REGENBOOG).waits
    assert world.account(None, "9", school=REGENBOOG) == "L:regenboog:9"


def test_daily_login_at_the_old_school_lets_no_protected_pupil_in() -> None:
    world = a_moved_world(protected=True)
    assert world.login("sanne", "1").changes == ()
    assert waits(world.eck("sanne"), REGENBOOG)


def test_login_that_the_page_led_to_lets_the_protected_pupil_in() -> None:
    world = a_moved_world(protected=True)
    confirming = world.login("sanne", "1", confirms=REGENBOOG)
    assert confirming.events == (PersonEvent.ARRIVAL_CONFIRMED,)
    moved = world.login("sanne", "9", school=REGENBOOG)
    assert (moved.waits, moved.account) == (False, a_root("E:sanne"))


def test_it_lets_in_no_other_school_that_waits_for_just_that() -> None:
    world = a_moved_world(protected=True)
    assert world.login("sanne", school=KOMPAS).waits
    world.login("sanne", "1", confirms=REGENBOOG)
    assert not world.login("sanne", "9", school=REGENBOOG).waits
    assert world.login("sanne", school=KOMPAS).waits


def test_days_let_no_protected_pupil_in() -> None:
    world = a_moved_world(protected=True)
    world.pass_days(400)
    assert world.login("sanne", "9", school=REGENBOOG).waits


def test_protected_pupil_goes_on_at_the_own_school() -> None:
    world = a_moved_world(protected=True)
    assert not world.login("sanne", "1").waits


def test_protection_comes_along_when_an_eck_id_comes_later() -> None:
    world = RegisterWorld()
    world.login(None, "1")
    world.records[a_root("L:vuurvogel:1")] = replace(world.local("1"), protected=True)
    world.login("sanne", "1")
    assert world.eck("sanne").protected
    assert world.login("sanne", school=REGENBOOG).waits


@pytest.mark.parametrize(
    ("own", "other", "may"),
    [
        (SeenAt(account=b""), SeenAt(account=b"", held_since=FIRST_DAY), True),
        (SeenAt(account=b""), SeenAt(account=b""), False),
        (SeenAt(account=b"", held_since=FIRST_DAY), SeenAt(account=b""), False),
        (
            SeenAt(account=b"", held_since=date(2026, 1, 1), confirmed=True),
            SeenAt(account=b"", held_since=FIRST_DAY),
            True,
        ),
        (
            SeenAt(account=b"", held_since=FIRST_DAY, confirmed=True),
            SeenAt(account=b"", held_since=date(2026, 1, 1)),
            False,
        ),
        (
            SeenAt(account=b"", held_since=date(2026, 1, 1), objected=True),
            SeenAt(account=b"", held_since=FIRST_DAY),
            False,
        ),
    ],
)
def test_who_came_before_has_a_say(own: SeenAt, other: SeenAt, may: bool) -> None:
    world = a_moved_world()
    record = replace(world.eck("sanne"), seen={VUURVOGEL: own, REGENBOOG: other})
    later = later_arrivals(record, VUURVOGEL, today=FIRST_DAY, after_days=14)
    assert later == ({REGENBOOG} if may else set())
    assert later_arrivals(record, KOMPAS, today=FIRST_DAY, after_days=14) == set()


def test_what_was_objected_to_is_not_confirmed() -> None:
    world = a_moved_world()
    record = world.eck("sanne")
    objected = replace(record.seen[REGENBOOG], objected=True)
    record = replace(record, seen={**record.seen, REGENBOOG: objected})
    assert confirm_arrivals(record, frozenset({REGENBOOG})) is record


def test_numbers_that_were_split_stay_apart() -> None:
    world = RegisterWorld()
    world.login("sanne", "1")
    record = world.eck("sanne")
    tag = a_tag(a_root("L:vuurvogel:1"))
    here = replace(record.seen[VUURVOGEL], apart=(tag,), aliases=())
    world.records[a_root("E:sanne")] = replace(record, seen={VUURVOGEL: here})
    del world.records[a_root("L:vuurvogel:1")]
    both = world.login("sanne", "1")
    assert both.account == a_root("E:sanne")
    assert PersonEvent.ACCOUNTS_KEPT_APART in both.events
    assert world.account(None, "1") == "L:vuurvogel:1"
    assert world.login("sanne", "1").changes == ()
