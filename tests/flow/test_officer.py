"""The privacy officer decides what pupils ask, and nobody else does."""

import json

import pytest

from broker.demo.people import Person
from broker.domain.attributes import GIVEN_NAME, Population
from broker.domain.console_roles import Role
from broker.domain.ids import SupplierId
from broker.domain.release import WithheldBecause
from broker.domain.shielded_release import PersonShielded
from broker.flow.console.actors import Actor
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.persons.persons import present_roots
from broker.flow.requests.deciding import GROUNDS, SOON_DAYS, OpenCounts
from broker.flow.requests.filing import Asked
from broker.flow.requests.person_requests import (
    Grounds,
    RequestChanged,
    RequestId,
    RequestKind,
    RequestMove,
    RequestNotPossible,
    RequestNotThere,
    RequestState,
)
from tests.flow.login_answers import Browser, refused
from tests.flow.login_world import DAAN, SANNE, LoginWorld
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

REKENRIJK = SupplierId("rekenrijk")
OBJECTS = Asked(RequestKind.OBJECTION, REKENRIJK)


@pytest.fixture
def office(world: LoginWorld) -> Office:
    return Office(world)


async def file(
    office: Office, asked: Asked = OBJECTS, person: Person = SANNE, *, by_eck_id: bool = False
) -> RequestId:
    stated, world = person.attributes, office.world
    presented = present_roots(
        person.school.id,  # type: ignore[arg-type]
        population=Population.PUPIL,
        number=None if by_eck_id else number_of(person),
        eck_id=stated["eckId"][0] if "eckId" in stated else None,
        key=world.keys.root,
    )
    filed = await office.requests.file(
        asked,
        presented=presented,
        school=office.school(person.school.id),
        registry=world.snapshots.registry,
    )
    return filed.id


async def decide(office: Office, of: RequestId, *, granted: bool = True) -> None:
    grounds = GROUNDS[granted][0]
    await office.officer.decide(OFFICER, office.school(), of, granted=granted, grounds=grounds)


async def test_a_granted_objection_ends_the_logins_there_until_it_is_ended(
    office: Office, world: LoginWorld
) -> None:
    filed = await file(office)
    assert (await world.log_in()).claims["given_name"] == "Sanne"
    await decide(office, filed)
    assert type(refused(await world.arrive(Browser())).refusal) is PersonShielded
    assert (await world.log_in(person=DAAN)).subject
    ended = await office.officer.end(OFFICER, office.school(), filed)
    assert ended.state is RequestState.WITHDRAWN
    assert (await world.log_in()).claims["given_name"] == "Sanne"


async def test_one_against_an_attribute_withholds_it(office: Office, world: LoginWorld) -> None:
    filed = await file(office, Asked(RequestKind.OBJECTION, REKENRIJK, GIVEN_NAME))
    await decide(office, filed)
    assert "given_name" not in (await world.log_in()).claims
    (released,) = [each for each in world.audit.events if each.action == "released"]
    assert dict(released.withheld)[GIVEN_NAME] == WithheldBecause.OBJECTED


async def test_a_refused_one_changes_nothing(office: Office, world: LoginWorld) -> None:
    world.change("vuurvogel", objection_blocks=True)
    filed = await file(office)
    assert refused(await world.arrive(Browser()))
    await decide(office, filed, granted=False)
    assert (await world.log_in()).claims["given_name"] == "Sanne"
    (stands,) = await office.officer.list_for(OFFICER, office.school())
    assert (stands.state, stands.grounds) == (RequestState.REFUSED, Grounds.NEEDED_FOR_LESSONS)


async def test_what_is_open_comes_first_and_what_is_late_is_counted(
    office: Office, world: LoginWorld
) -> None:
    done = await file(office, Asked(RequestKind.CORRECTION))
    await decide(office, done)
    late = await file(office)
    world.wait(days=28 - SOON_DAYS)
    assert await office.officer.count_open(OFFICER, office.school()) == OpenCounts(1, 1, 0)
    world.wait(days=SOON_DAYS + 1)
    fresh = await file(office, person=DAAN)
    assert await office.officer.count_open(OFFICER, office.school()) == OpenCounts(2, 0, 1)
    shown = await office.officer.list_for(ADMIN, office.school())
    assert [each.id for each in shown] == [late, fresh, done]
    assert shown[2].decided_on is not None


async def test_a_granted_erasure_waits_for_operators(office: Office, world: LoginWorld) -> None:
    await decide(office, await file(office, Asked(RequestKind.ERASURE, REKENRIJK)))
    assert world.audit.last.action == "erasure-awaited"
    await world.log_in()  # nothing was erased by a press of a button


async def test_the_audit_tells_of_the_request_and_not_of_whom(office: Office) -> None:
    filed = await file(office)
    await decide(office, filed)
    entry = office.entries.last
    assert (entry.action, entry.supplier) == ("request-decided", REKENRIJK)
    assert json.loads(entry.before)["state"] == "open"
    assert json.loads(entry.after) == {
        "request": filed,
        "kind": "objection",
        "state": "granted",
        "grounds": "as-asked",
    }


@pytest.mark.parametrize("actor", [ADMIN, *STRANGERS])
async def test_nobody_else_decides(office: Office, actor: Actor) -> None:
    filed, school = await file(office), office.school()
    with pytest.raises(NotAllowed):
        await office.officer.decide(actor, school, filed, granted=True, grounds=Grounds.AS_ASKED)
    with pytest.raises(NotAllowed):
        await office.officer.end(actor, school, filed)


@pytest.mark.parametrize("actor", STRANGERS)
async def test_nobody_else_sees_them(office: Office, actor: Actor) -> None:
    filed, school = await file(office), office.school()
    with pytest.raises(NotAllowed):
        await office.officer.list_for(actor, school)
    with pytest.raises(NotAllowed):
        await office.officer.look(actor, school, filed)
    with pytest.raises(NotAllowed):
        await office.officer.find_whose(actor, listed(number_of(SANNE)), school=school)


async def test_the_request_of_another_school_is_not_there(office: Office) -> None:
    filed = await file(office)
    other = somebody(Role.PRIVACY_OFFICER, school="regenboog")
    with pytest.raises(RequestNotThere):
        await office.officer.look(other, office.school("regenboog"), filed)
    with pytest.raises(RequestNotThere):
        await office.officer.decide(
            other, office.school("regenboog"), filed, granted=True, grounds=Grounds.AS_ASKED
        )


async def test_twice_is_once(office: Office) -> None:
    filed = await file(office)
    await decide(office, filed)
    with pytest.raises(RequestChanged, match="check_request_open"):
        await decide(office, filed, granted=False)


async def test_somebody_was_faster(
    office: Office, world: LoginWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    filed = await file(office)

    async def is_other_by_now(move: RequestMove) -> bool:
        return False

    monkeypatch.setattr(world.shields, "move", is_other_by_now)
    with pytest.raises(RequestChanged, match="check_request_unchanged"):
        await decide(office, filed)


async def test_grounds_must_fit(office: Office) -> None:
    filed = await file(office)
    with pytest.raises(RequestNotPossible):
        await office.officer.decide(
            OFFICER, office.school(), filed, granted=True, grounds=Grounds.LAW_REQUIRES
        )


async def test_only_a_granted_objection_is_ended(office: Office) -> None:
    correction, objection = await file(office, Asked(RequestKind.CORRECTION)), await file(office)
    await decide(office, correction)
    for each in (correction, objection):
        with pytest.raises(RequestChanged, match="check_objection_granted"):
            await office.officer.end(OFFICER, office.school(), each)


async def test_the_schools_own_list_tells_whose_they_are(office: Office, world: LoginWorld) -> None:
    await world.log_in()  # from here on the register knows Sanne's number and ECK iD as one
    of_sanne = await file(office, by_eck_id=True)
    decided = await file(office, Asked(RequestKind.CORRECTION))
    await decide(office, decided)
    of_daan = await file(office, person=DAAN)
    rows = listed("999", number_of(SANNE), " ")
    found = await office.officer.find_whose(OFFICER, rows, school=office.school())
    assert found == {of_sanne: rows[1]}
    rows = listed(number_of(DAAN))
    assert await office.officer.find_whose(OFFICER, rows, school=office.school()) == {
        of_daan: rows[0]
    }


async def test_where_nothing_is_open_no_list_is_looked_at(office: Office) -> None:
    rows = listed(number_of(SANNE))
    assert await office.officer.find_whose(OFFICER, rows, school=office.school()) == {}
    assert office.world.register.looked_up == 0


async def test_a_long_list_lets_logins_go_between(office: Office) -> None:
    await file(office)
    rows = listed(*map(str, range(20)))
    async with Between() as between:
        await office.officer.find_whose(OFFICER, rows, school=office.school())
        assert between.turns >= len(rows)
