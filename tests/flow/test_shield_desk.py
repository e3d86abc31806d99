"""A school shields a pupil by its own number, and nobody else's."""

import json
from dataclasses import replace

import pytest

from broker.domain.attributes import Population
from broker.domain.console_roles import Role
from broker.domain.ids import SupplierId
from broker.domain.shielded_release import PersonShielded
from broker.domain.shielding import Shield, ShieldedBy, ShieldLevel
from broker.flow.console.actors import Actor
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.federation.snapshots import RegistryUnreadable
from broker.flow.persons.register import RegisterUnavailable
from broker.flow.shielding.shield_desk import NoSuchPupil, SupplierNotChosen
from tests.flow.feeding import feed
from tests.flow.login_answers import Browser, refused
from tests.flow.login_world import DAAN, ELS, NOOR, SANNE, LoginWorld
from tests.flow.pupils_office import (
    ADMIN,
    OFFICER,
    STRANGERS,
    Between,
    Office,
    listed,
    number_of,
    somebody,
)

NO_LOGIN, NO_ATTRIBUTES = ShieldLevel
REKENRIJK = SupplierId("rekenrijk")
NUMBER = number_of(SANNE)


@pytest.fixture
def office(world: LoginWorld) -> Office:
    return Office(world)


async def shield(
    office: Office, number: str = NUMBER, level: ShieldLevel = NO_ATTRIBUTES, *at: SupplierId
) -> None:
    await office.shields.shield(ADMIN, number, school=office.school(), level=level, suppliers=at)


async def test_a_pupil_is_shielded_changed_and_let_go(office: Office, world: LoginWorld) -> None:
    before = await world.log_in()
    await shield(office)
    assert "given_name" not in (await world.log_in()).claims
    await shield(office, NUMBER, NO_LOGIN, REKENRIJK)
    assert type(refused(await world.arrive(Browser())).refusal) is PersonShielded
    view = await office.shields.look(OFFICER, NUMBER, school=office.school())
    assert view.has_been_here
    assert view.shields == (Shield(ShieldedBy.SCHOOL, NO_LOGIN, frozenset({REKENRIJK})),)
    ended = await office.shields.unshield(ADMIN, NUMBER, school=office.school())
    assert ended.shields == ()
    after = await world.log_in()
    assert (after.subject, after.claims["given_name"]) == (before.subject, "Sanne")


async def test_before_the_first_login_too(office: Office, world: LoginWorld) -> None:
    view = await office.shields.shield(
        ADMIN, NUMBER, school=office.school(), level=NO_ATTRIBUTES, suppliers=()
    )
    assert not view.has_been_here  # so a slip of the pen is seen
    assert "given_name" not in (await world.log_in()).claims
    by_eck_id = await world.log_in(stated={"employeeNumber": None})
    assert "given_name" not in by_eck_id.claims


async def test_whom_logins_state_by_the_ecks_id_alone_since(
    office: Office, world: LoginWorld
) -> None:
    await world.log_in()
    await shield(office)
    by_eck_id = await world.log_in(stated={"employeeNumber": None})
    assert "given_name" not in by_eck_id.claims
    await office.shields.unshield(ADMIN, NUMBER, school=office.school())
    assert "given_name" in (await world.log_in(stated={"employeeNumber": None})).claims


async def test_the_audit_tells_how_much_and_not_of_whom(office: Office, world: LoginWorld) -> None:
    await shield(office, NUMBER, NO_LOGIN, REKENRIJK)
    entry = office.entries.last
    assert (entry.action, entry.school) == ("pupil-shielded", "vuurvogel")
    assert json.loads(entry.after) == {"level": "no-login", "suppliers": ["rekenrijk"]}
    await office.shields.unshield(ADMIN, NUMBER, school=office.school())
    assert office.entries.last.action == "pupil-unshielded"
    assert NUMBER not in repr(office.entries.entries)
    assert world.audit.actions() == ["console-pupil-shielded", "console-pupil-unshielded"]


async def test_nothing_holds_that_was_not_written_down_first(
    office: Office, world: LoginWorld
) -> None:
    async def is_down(*_: object) -> None:
        raise RegistryUnreadable("check_written")

    desk = replace(office.shields, console_audit=office.entries)
    office.entries.record = is_down  # type: ignore[method-assign]
    with pytest.raises(RegistryUnreadable):
        await desk.shield(ADMIN, NUMBER, school=office.school(), level=NO_LOGIN, suppliers=())
    assert not world.shields.shields


@pytest.mark.parametrize("actor", STRANGERS)
async def test_nobody_else_may(office: Office, world: LoginWorld, actor: Actor) -> None:
    school = office.school()
    with pytest.raises(NotAllowed):
        await office.shields.look(actor, NUMBER, school=school)
    with pytest.raises(NotAllowed):
        await office.shields.shield(actor, NUMBER, school=school, level=NO_LOGIN, suppliers=())
    with pytest.raises(NotAllowed):
        await office.shields.unshield(actor, NUMBER, school=school)
    with pytest.raises(NotAllowed):
        await office.shields.find_shielded(actor, listed(NUMBER), school=school)
    assert not world.shields.shields


async def test_an_officer_looks_and_changes_nothing(office: Office) -> None:
    school = office.school()
    with pytest.raises(NotAllowed):
        await office.shields.shield(OFFICER, NUMBER, school=school, level=NO_LOGIN, suppliers=())
    assert (await office.shields.look(OFFICER, NUMBER, school=school)).shields == ()


async def test_the_number_of_another_schools_pupil_is_nobody_there(
    office: Office, world: LoginWorld
) -> None:
    """Both schools give the same number: each shields its own pupil."""
    await world.log_in()
    other = somebody(Role.SCHOOL_ADMIN, school="regenboog")
    eck_id = SANNE.attributes["eckId"][0]
    for identifier in (NUMBER, eck_id):
        view = await office.shields.shield(
            other, identifier, school=office.school("regenboog"), level=NO_LOGIN, suppliers=()
        )
        assert not view.has_been_here
    assert "given_name" in (await world.log_in()).claims


async def test_a_teacher_and_a_pupil_share_a_number(office: Office, world: LoginWorld) -> None:
    assert number_of(DAAN) == number_of(ELS)
    school = office.school()
    await office.shields.shield(
        *(ADMIN, number_of(ELS)),
        school=school,
        level=NO_LOGIN,
        suppliers=(),
        population=Population.STAFF,
    )
    assert refused(await world.arrive(Browser(), ELS))
    assert (await world.log_in(person=DAAN)).subject


async def test_by_the_login_of_the_schools_list(office: Office, world: LoginWorld) -> None:
    await feed(world, {"login": "sub-1", "number": number_of(NOOR)})
    admin, school = somebody(Role.SCHOOL_ADMIN, school="kompas"), office.school("kompas")
    view = await office.shields.shield(
        admin, "sub-1", school=school, level=NO_ATTRIBUTES, suppliers=()
    )
    assert view.has_been_here
    assert "given_name" not in (await world.log_in(person=NOOR, school="kompas")).claims


async def test_a_list_of_who_left_says_nothing(office: Office, world: LoginWorld) -> None:
    await feed(world, {"login": "sub-1", "number": number_of(NOOR), "until": "2020-01-01"})
    admin, school = somebody(Role.SCHOOL_ADMIN, school="kompas"), office.school("kompas")
    assert not (await office.shields.look(admin, "sub-1", school=school)).has_been_here


async def test_a_row_of_a_list_that_does_not_open_is_a_fault(
    office: Office, world: LoginWorld
) -> None:
    await feed(world, {"login": "sub-1", "number": number_of(NOOR)})
    ((tag, (of, sealed)),) = world.enrolments.rows.items()
    world.enrolments.rows[tag] = (of, sealed[:-1] + b"!")
    admin, school = somebody(Role.SCHOOL_ADMIN, school="kompas"), office.school("kompas")
    with pytest.raises(RegisterUnavailable, match="check_enrolment_opens"):
        await office.shields.look(admin, "sub-1", school=school)


@pytest.mark.parametrize("identifier", ["", " ", "\ud800"])
async def test_what_is_no_identifier_is_refused(office: Office, identifier: str) -> None:
    with pytest.raises(NoSuchPupil):
        await shield(office, identifier)


async def test_a_supplier_that_is_not_there_is_refused(office: Office) -> None:
    with pytest.raises(SupplierNotChosen):
        await shield(office, NUMBER, NO_LOGIN, SupplierId("unknown"))


async def test_of_its_own_list_a_school_finds_whom_it_shields(office: Office) -> None:
    await shield(office)
    rows = listed(number_of(DAAN), NUMBER, " ")
    assert await office.shields.find_shielded(OFFICER, rows, school=office.school()) == (rows[1],)


async def test_a_long_list_lets_logins_go_between(office: Office) -> None:
    rows = listed(*map(str, range(20)))
    async with Between() as between:
        await office.shields.find_shielded(OFFICER, rows, school=office.school())
        assert between.turns >= len(rows)
