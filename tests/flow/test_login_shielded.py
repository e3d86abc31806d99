"""Pupils whom a school shields: what reaches a supplier, by every way there."""

import pytest
from msgspec.structs import replace

from broker.demo.people import Person
from broker.domain.attributes import AttributeName, Population
from broker.domain.federation import SingleSignOn
from broker.domain.ids import Brin, SchoolId, SupplierId
from broker.domain.release import WithheldBecause
from broker.domain.shielded_release import PersonShielded
from broker.domain.shielding import ShieldedBy, ShieldLevel
from broker.flow.answers import Redirect
from broker.flow.held_state.framing import NONCE_BYTES
from broker.flow.persons.persons import present_roots
from broker.flow.persons.register import RegisterUnavailable
from broker.flow.refusals import AgreementChanged
from broker.flow.shielding.shield_records import ShieldRecord, places_of, seal_shield
from broker.flow.shielding.shields import StoredShield
from broker.oidc_op.token import GrantRefused
from broker.oidc_op.userinfo import AccessTokenRefused
from tests.builders import a_declaration
from tests.flow.login_answers import Browser, refused, welcomed
from tests.flow.login_parties import (
    BIOSFEER_SAML,
    FIRST_NAME,
    OTHER_SCHOOL,
    ROLE,
    SAML_SCHOOL,
    TAALTUIN,
)
from tests.flow.login_world import DAAN, ELS, NOOR, SANNE, LoginWorld
from tests.flow.test_login_relations import go_on
from tests.flow.test_own_schools import OfBoth
from tests.flow.token_desk import OFFLINE, a_code, refresh, register, tokens, userinfo

NO_LOGIN, NO_ATTRIBUTES = ShieldLevel
VUURVOGEL, REGENBOOG = SchoolId(SAML_SCHOOL), SchoolId(OTHER_SCHOOL)


async def shield(
    world: LoginWorld,
    person: Person = SANNE,
    level: ShieldLevel = NO_ATTRIBUTES,
    *suppliers: str,
    school: SchoolId = VUURVOGEL,
    attributes: tuple[AttributeName, ...] = (),
    population: Population = Population.PUPIL,
    by_eck_id: bool = False,
) -> None:
    """Shield somebody by the school's own number, or by an ECK iD alone."""
    stated = person.attributes
    presented = present_roots(
        school,
        population=population,
        number=None if by_eck_id else stated["employeeNumber"][0],
        eck_id=stated["eckId"][0] if by_eck_id else None,
        key=world.keys.root,
    )
    named = tuple(map(SupplierId, suppliers))
    record = ShieldRecord(level=level, suppliers=named, attributes=attributes)
    rows = [
        StoredShield(
            each.tag,
            "mark",
            ShieldedBy.SCHOOL,
            seal_shield(record, place=each, of="mark", nonce=world.random(NONCE_BYTES)),
        )
        for each in places_of(presented, school=school, keys=world.keys.shields)
    ]
    await world.shields.put(school, rows)


async def test_nothing_but_the_pseudonym_goes_out_and_it_stays_the_same(world: LoginWorld) -> None:
    before = await world.log_in()
    await shield(world)
    after = await world.log_in()
    assert after.subject == before.subject
    assert "given_name" in before.claims
    assert "given_name" not in after.claims
    assert dict(world.audit.events[-2].withheld)[FIRST_NAME] == WithheldBecause.SHIELDED
    assert "given_name" in (await world.log_in(person=DAAN)).claims


async def test_the_same_by_saml(world: LoginWorld) -> None:
    before = await world.log_in(party=TAALTUIN)
    await shield(world)
    after = await world.log_in(party=TAALTUIN)
    assert after.subject == before.subject
    assert before.claims
    assert not after.claims


async def test_at_named_suppliers_alone(world: LoginWorld) -> None:
    await shield(world, SANNE, NO_ATTRIBUTES, "biosfeer")
    assert "given_name" in (await world.log_in()).claims


async def test_one_attribute_alone(world: LoginWorld) -> None:
    await shield(world, attributes=(ROLE,))
    assert "given_name" in (await world.log_in()).claims


async def test_no_login_leaves_a_calm_page_and_no_trace_in_the_register(
    world: LoginWorld, browser: Browser
) -> None:
    await shield(world, SANNE, NO_LOGIN, "rekenrijk")
    page = refused(await world.arrive(browser))
    assert type(page.refusal) is PersonShielded
    assert page.refusal.subject == "RekenRijk"
    assert "shield" not in f"{page.refusal.what} {page.refusal.remedy}".lower()
    assert world.audit.last.check == "check_not_shut_out"
    assert not world.register.rows
    assert (await world.log_in(person=DAAN)).subject


async def test_one_of_two_whose_material_needs_more_reads_the_same_page(
    world: LoginWorld, browser: Browser
) -> None:
    world.change("rekenrijk", attributes=(a_declaration("givenName", required=True),))
    await shield(world)
    page = refused(await world.arrive(browser))
    assert type(page.refusal) is PersonShielded
    assert world.audit.last.check == "check_required_not_shielded:givenName"
    assert (await world.log_in(person=DAAN)).subject


async def test_whoever_asked_for_no_page_learns_no_more_than_of_nobody(
    world: LoginWorld, browser: Browser
) -> None:
    world.change(SAML_SCHOOL, single_sign_on=SingleSignOn.ON, shared_devices=False)
    await world.arrive(browser)
    silent = {"hint": SAML_SCHOOL, "prompt": "none"}
    answer = await world.begin(browser, **silent)
    assert isinstance(answer, Redirect)
    assert "code=" in answer.url
    await shield(world, SANNE, NO_LOGIN)
    answer = await world.begin(browser, **silent)
    assert isinstance(answer, Redirect)
    assert "error=login_required" in answer.url


async def test_a_session_under_way_follows(world: LoginWorld, browser: Browser) -> None:
    world.change(SAML_SCHOOL, single_sign_on=SingleSignOn.ON, shared_devices=False)
    assert "given_name" in (await world.receive(await world.arrive(browser))).claims
    await shield(world)
    again = await world.receive(await world.begin(browser, hint=SAML_SCHOOL))
    assert "given_name" not in again.claims


class TestBothSchools:
    async def test_the_shield_of_one_school_holds_at_its_own_logins(
        self, world: LoginWorld
    ) -> None:
        await shield(world, SANNE, NO_LOGIN)
        refused(await world.arrive(Browser()))  # from here on it is found by the ECK iD as well
        received = await world.receive(await OfBoth(world).arrive())  # without a page that asks
        assert received.subject
        (released,) = [each for each in world.audit.events if each.action == "released"]
        assert released.school == REGENBOOG

    @pytest.mark.parametrize("by_eck_id", [False, True])
    async def test_nobody_shields_a_pupil_of_another_school(
        self, world: LoginWorld, by_eck_id: bool
    ) -> None:
        """By a number that both give, or an ECK iD that one read somewhere."""
        await shield(world, SANNE, NO_LOGIN, school=REGENBOOG, by_eck_id=by_eck_id)
        assert "given_name" in (await world.log_in()).claims


async def test_a_teacher_with_the_same_number_is_somebody_else(world: LoginWorld) -> None:
    await shield(world, ELS, NO_LOGIN, population=Population.PUPIL)
    assert (await world.log_in(person=ELS)).subject
    await shield(world, ELS, NO_LOGIN, population=Population.STAFF)
    assert refused(await world.arrive(Browser(), ELS))


async def test_a_portal_gets_no_more_in_anothers_name(world: LoginWorld) -> None:
    await shield(world, SANNE, NO_ATTRIBUTES, "taaltuin")
    received = await world.log_in(party=BIOSFEER_SAML)
    assert received.claims


class TestWhileItWaits:
    async def test_a_page(self, world: LoginWorld, browser: Browser) -> None:
        await shield(world, DAAN)  # the school has shields already
        world.change(SAML_SCHOOL, shared_devices=True)
        page = welcomed(await world.arrive(browser))
        await shield(world)
        answer = refused(await world.press(browser, "go_on", page.login))
        assert type(answer.refusal) is AgreementChanged
        assert world.audit.last.check == "check_not_shielded_since"

    async def test_a_code(self, world: LoginWorld) -> None:
        await shield(world, DAAN)
        code = await a_code(world)
        await shield(world)
        with pytest.raises(GrantRefused, match="check_not_shielded_since"):
            await world.redeem(code)
        assert (await world.redeem(await a_code(world))).id_token

    async def test_userinfo(self, world: LoginWorld) -> None:
        await shield(world, DAAN)
        given = await tokens(world)
        assert "given_name" in await userinfo(world, given.access_token)
        await shield(world)
        with pytest.raises(AccessTokenRefused, match="check_not_shielded_since"):
            await userinfo(world, given.access_token)

    @pytest.mark.parametrize("has_others", [False, True])
    async def test_refresh_tokens(self, world: LoginWorld, has_others: bool) -> None:
        register(world, refresh_hours=24, refresh_idle_hours=6)
        if has_others:
            await shield(world, DAAN)
        given = await tokens(world, scope=OFFLINE)
        assert "given_name" in await userinfo(world, given.access_token)
        await shield(world)
        second = await refresh(world, given.refresh_token)
        told = await userinfo(world, second.access_token)
        assert "given_name" not in told
        await shield(world, SANNE, NO_LOGIN)
        with pytest.raises(GrantRefused, match="check_not_shut_out"):
            await refresh(world, second.refresh_token)


class TestCost:
    async def test_nor_does_one_that_goes_on_for_a_school_without(self, world: LoginWorld) -> None:
        kompas, new = world.records["kompas"], SchoolId("samenklank")
        world.put(new, replace(kompas, id=new, brin=Brin("55EE"), name="Samenklank"))
        go_on(world)
        world.faults.start()
        await world.log_in(person=NOOR, school=new)
        assert world.faults.counted["shields"] == 0

    async def test_a_school_without_shields_pays_nothing(self, world: LoginWorld) -> None:
        world.faults.start()
        await world.log_in()
        assert world.faults.counted["shields"] == 0

    async def test_a_school_with_shields_pays_two_look_ups(self, world: LoginWorld) -> None:
        await shield(world, DAAN)
        world.faults.start()
        await world.log_in()
        calls = [each for each in world.faults.calls if each.startswith("shields")]
        assert set(calls) == {"shields.find"}

    async def test_when_nobody_can_tell_nobody_gets_in(self, world: LoginWorld) -> None:
        await shield(world, DAAN)
        at_school = await world.go_to_school(browser := Browser())
        world.faults.start(fails_at=2)  # the login store is asked first
        page = refused(await world.come_back(browser, at_school))
        assert world.faults.calls[1] == "shields.find"
        assert type(page.refusal) is RegisterUnavailable


async def test_what_a_school_decided_goes_on_where_its_numbers_do(world: LoginWorld) -> None:
    kompas, new = world.records["kompas"], SchoolId("samenklank")
    world.put(new, replace(kompas, id=new, brin=Brin("55EE"), name="Samenklank", board="nieuw"))
    await shield(world, NOOR, school=SchoolId("kompas"))
    assert "given_name" not in (await world.log_in(person=NOOR, school="kompas")).claims
    go_on(world)
    await shield(world, DAAN, school=SchoolId("elsewhere"))
    assert "given_name" not in (await world.log_in(person=NOOR, school=new)).claims
    await world.shields.remove([each for each, _ in world.shields.shields])
    assert "given_name" in (await world.log_in(person=NOOR, school=new)).claims
