"""Logins at a school that goes on for another one: what is released, written down and opened."""

from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from broker.domain.dutch_days import day_of
from broker.domain.federation import RelationKind
from broker.domain.ids import Brin, SchoolId
from broker.domain.relations import CarriedFrom
from broker.domain.stated_schools import SchoolNotAllowed
from broker.flow.answers import ChooseSchool, Redirect, Welcome
from broker.flow.persons.register import derive_tag, open_record
from broker.flow.receipts.receipts import derive_receipt_keys, open_receipt
from broker.flow.refusals import AgreementChanged
from broker.oidc_op.token import GrantRefused
from broker.pseudonyms.derivation import parse_eckid, root_from_eckid
from tests.domain.federation_records import a_relation
from tests.flow.feeding import feed
from tests.flow.login_answers import Browser, Received, refused
from tests.flow.login_parties import FIRST_NAME, OIDC_IDP, REKENRIJK, TAALTUIN
from tests.flow.login_world import NOOR, LoginWorld
from tests.flow.test_enrolments import LISTED, NOTHING, SUB

NEW = SchoolId("samenklank")
NOOR_ECK = NOOR.attributes["eckId"][0]
BY_NUMBER = {"eckId": None}


@pytest.fixture
def world(world: LoginWorld) -> LoginWorld:
    """A world in which Het Kompas can go on as Samenklank."""
    kompas = world.records["kompas"]
    world.put(NEW, replace(kompas, id=NEW, brin=Brin("55EE"), name="Samenklank", board="nieuw"))
    return world


def go_on(world: LoginWorld, **changes: Any) -> None:
    """Let the login of Het Kompas speak for Samenklank, which goes on for it."""
    today = day_of(world.now)
    relation = a_relation(
        "kompas",
        kind=RelationKind.RENUMBER,
        **{
            "first_day": today,
            "last_day": today + timedelta(days=300),
            "numbers_of": ("kompas",),
            "numbers_at": NEW,
        }
        | changes,
    )
    world.put("relation", relation)
    world.change(OIDC_IDP, schools=(NEW,))


async def log_in(world: LoginWorld, party: str = REKENRIJK, **changes: Any) -> Received:
    return await world.log_in(party, NOOR, school=NEW, **changes)


@pytest.mark.parametrize("stated", [{}, BY_NUMBER])
async def test_the_same_pupil_at_suppliers_of_both_protocols(
    world: LoginWorld, stated: dict[str, None]
) -> None:
    before = [await world.log_in(each, NOOR, stated=stated) for each in (REKENRIJK, TAALTUIN)]
    go_on(world)
    after = [await log_in(world, each, stated=stated) for each in (REKENRIJK, TAALTUIN)]
    assert [each.subject for each in after] == [each.subject for each in before]
    assert after[0].claims == before[0].claims


async def test_the_receipt_names_the_old_school_and_its_version(world: LoginWorld) -> None:
    world.change("kompas/rekenrijk", version=7)
    go_on(world)
    await log_in(world)
    root = root_from_eckid(parse_eckid(NOOR_ECK), key=world.keys.root)
    row = world.register.rows[derive_tag(world.keys.register, root)]
    salt = open_record(row, root=root, keys=world.keys.register).salt
    keys = derive_receipt_keys(world.keys.receipts, root=root, school=NEW, salt=salt)
    receipt = open_receipt(world.receipts.kept[-1], keys=keys)
    assert (receipt.school, receipt.agreement_version) == (NEW, 7)
    assert receipt.carried_from == (CarriedFrom(SchoolId("kompas"), 7),)


async def test_its_own_agreement_goes_before_the_carried_one(world: LoginWorld) -> None:
    go_on(world)
    assert FIRST_NAME in world.records["kompas/rekenrijk"].approved
    assert "given_name" in (await log_in(world)).claims
    own = replace(world.records["kompas/rekenrijk"], school=NEW, approved=frozenset())
    world.put(f"{NEW}/rekenrijk", own)
    assert (await log_in(world)).claims == {}


async def test_a_carried_agreement_that_changes_under_way_stops_the_login(
    world: LoginWorld,
) -> None:
    go_on(world)
    world.change(NEW, shared_devices=True)
    for change in ({"version": 2}, {"last_day": date(2020, 1, 1)}):
        browser = Browser()
        at_school = await world.go_to_school(browser, REKENRIJK, NEW)
        page = await world.come_back(browser, at_school, NOOR)
        assert isinstance(page, Welcome)
        world.change("kompas/rekenrijk", **change)
        answer = await world.press(browser, "go_on", page.login)
        assert isinstance(refused(answer).refusal, AgreementChanged)
        world.change("kompas/rekenrijk", version=1, last_day=None)


async def test_one_that_changes_before_the_code_is_redeemed_gives_nothing(
    world: LoginWorld,
) -> None:
    go_on(world)
    browser = Browser()
    at_school = await world.go_to_school(browser, REKENRIJK, NEW)
    answer = await world.come_back(browser, at_school, NOOR)
    world.change("kompas/rekenrijk", version=2)
    with pytest.raises(GrantRefused):
        await world.receive(answer, REKENRIJK)


async def test_the_old_brin_may_be_stated_as_long_as_it_is_said(world: LoginWorld) -> None:
    today = day_of(world.now)
    go_on(world, brins_last_day=today)
    assert (await log_in(world)).subject
    world.wait(days=1)
    browser = Browser()
    at_school = await world.go_to_school(browser, REKENRIJK, NEW)
    answer = await world.come_back(browser, at_school, NOOR)
    assert isinstance(refused(answer).refusal, SchoolNotAllowed)


async def test_a_link_that_names_the_old_school_leads_to_the_new_one(world: LoginWorld) -> None:
    """A deep link of a supplier's outlives the school that it names."""
    go_on(world)
    for hint in ("kompas", "22BB", "22bb"):
        at_school = await world.begin(Browser(), REKENRIJK, hint=hint)
        assert isinstance(at_school, Redirect), hint
    world.put("relation", None)
    assert isinstance(await world.begin(Browser(), REKENRIJK, hint="22BB"), ChooseSchool)


async def test_a_number_that_a_list_brings_goes_on_too(world: LoginWorld) -> None:
    before = (await world.log_in(REKENRIJK, NOOR, stated=BY_NUMBER)).subject
    go_on(world)
    world.change(OIDC_IDP, login_identifier="sub")
    await feed(world, {**LISTED, "eck_id": "", "branch": ""}, school=NEW)
    assert (await log_in(world, stated=NOTHING, sub=SUB)).subject == before
