"""The four combinations of protocols, and what one login costs."""

import pytest

from broker.demo.people import Person
from tests.flow.login_answers import Browser, read_at_school
from tests.flow.login_parties import REKENRIJK, TAALTUIN
from tests.flow.login_world import NOOR, SANNE, SUPPLIER_STATE, LoginWorld

COMBINATIONS = [
    pytest.param(person, party, id=f"{school}-{supplier}")
    for person, school in ((SANNE, "saml"), (NOOR, "oidc"))
    for party, supplier in ((REKENRIJK, "oidc"), (TAALTUIN, "saml"))
]
every_combination = pytest.mark.parametrize(("person", "party"), COMBINATIONS)


@every_combination
async def test_a_supplier_gets_the_pseudonym_and_what_was_approved(
    world: LoginWorld, person: Person, party: str
) -> None:
    received = await world.log_in(party, person)
    assert received.error == ""
    assert received.state == SUPPLIER_STATE
    assert len(received.subject) == 53
    released = set(map(str, received.claims.values()))
    assert released <= {person.first_name, f"['{person.first_name}']", "['student']"}
    assert len(received.claims) == 2
    assert world.audit.actions()[-1] in ("released", "redeemed")
    assert len(world.receipts.kept) == 1


@every_combination
@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
async def test_a_login_costs_four_trips_one_look_up_and_one_append(
    world: LoginWorld, browser: Browser, person: Person, party: str, known: bool
) -> None:
    if known:
        await world.log_in(party, person)
    world.faults.start()
    answer = await world.begin(browser, party, hint=person.school.brin)
    answer = await world.come_back(browser, read_at_school(answer), person)
    received = await world.receive(answer, party)
    assert received.subject
    counted = world.faults.counted
    # put, take, put (claims of the assertion, and the grant), take of the code; then userinfo.
    trips = [each for each in world.faults.calls if each.startswith("store")]
    assert trips[:2] == ["store.put", "store.take"]
    assert len([each for each in trips if each != "store.get"]) == EXPECTED_TRIPS[person.id, party]
    assert world.faults.calls.count("register.find") == 1
    assert world.faults.calls.count("register.apply") == (0 if known else 1)
    assert counted["receipts"] == 1
    if trips.count("store.put") > 1:  # durable first: what a code opens comes after its receipt
        last_put = len(world.faults.calls) - world.faults.calls[::-1].index("store.put") - 1
        assert world.faults.calls.index("receipts.append") < last_put


EXPECTED_TRIPS = {
    ("sanne", REKENRIJK): 4,
    ("noor", REKENRIJK): 4,
    ("sanne", TAALTUIN): 3,  # the assertion id is used up with a trip of its own
    ("noor", TAALTUIN): 2,
}
