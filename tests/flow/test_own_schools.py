"""Two schools at once: a person of several schools says for which of them a login is."""

from typing import Any

import pytest

from broker.demo.people import Person
from broker.domain.agreements import NoticeMode
from broker.domain.attributes import MEMBERSHIP, AttributeName
from broker.domain.release import NoAgreement
from broker.flow.answers import Answer, Redirect, WhichSchool
from broker.flow.persons.person_rows import find_records
from broker.flow.persons.person_suppliers import find_supplier_seen
from broker.flow.persons.register import RegisterUnavailable
from broker.flow.refusals import (
    InteractionRequired,
    LoginStepAbsent,
    LoginStepUsed,
    SchoolNotOpen,
    SchoolUnknown,
)
from broker.flow.school_logins import LoginWish
from broker.pseudonyms.derivation import parse_eckid, root_from_eckid, root_from_local_staff
from tests.builders import a_declaration
from tests.flow.login_answers import Browser, Received, read_at_school, refused, welcomed
from tests.flow.login_parties import (
    BIOSFEER_OIDC,
    BIOSFEER_SAML,
    OTHER_SCHOOL,
    REKENRIJK,
    SAML_SCHOOL,
    TAALTUIN,
)
from tests.flow.login_world import ELS, SANNE, SANNE_ELSEWHERE, LoginWorld
from tests.flow.test_arrival_budgets import protect

HOME = AttributeName("nlEduPersonHomeOrganizationId")
BOTH = {"nlEduPersonHomeOrganizationId": ("11AA", "33CC")}


class OfBoth:
    """Somebody whose one login states De Vuurvogel and De Regenboog."""

    def __init__(self, world: LoginWorld, person: Person = SANNE) -> None:
        self.world = world
        self.person = person
        self.browser = Browser()

    async def arrive(
        self,
        party: str = REKENRIJK,
        *,
        stated: Any = None,
        wish: LoginWish | None = None,
        clicked: str = SAML_SCHOOL,
        **changes: Any,
    ) -> Answer:
        chooser = await self.world.begin(self.browser, party, **changes)
        wishes = {} if wish is None else {"wish": wish}
        step = await self.world.flow.choose(
            self.browser.step(chooser.login),  # type: ignore[union-attr]
            unverified_school=clicked,
            **wishes,
        )
        at_school = read_at_school(self.browser.follow(step))
        states = {**BOTH, **(stated or {})}
        return await self.world.come_back(self.browser, at_school, self.person, stated=states)

    async def choose(self, page: Answer, school: str) -> Answer:
        assert isinstance(page, WhichSchool), page
        step = await self.world.flow.choose_own(
            self.browser.step(page.login), unverified_school=school
        )
        return self.browser.follow(step)

    async def log_in(
        self, party: str = REKENRIJK, *, school: str | None = None, **changes: Any
    ) -> Received:
        answer = await self.arrive(party, **changes)
        if school is not None:
            answer = await self.choose(answer, school)
        assert not isinstance(answer, WhichSchool), answer
        return await self.world.receive(answer, party)


@pytest.fixture
def sanne(world: LoginWorld) -> OfBoth:
    return OfBoth(world)


@pytest.fixture
def els(world: LoginWorld) -> OfBoth:
    return OfBoth(world, ELS)


class TestChoice:
    async def test_is_among_the_stated_schools_the_clicked_one_first(self, sanne: OfBoth) -> None:
        page = await sanne.arrive(clicked=OTHER_SCHOOL)
        assert isinstance(page, WhichSchool)
        assert [each.id for each in page.schools] == [OTHER_SCHOOL, SAML_SCHOOL]
        assert (page.supplier.id, page.first_name, page.may_switch) == ("rekenrijk", "", False)
        assert page.is_remembered

    @pytest.mark.parametrize("party", [REKENRIJK, TAALTUIN, BIOSFEER_OIDC, BIOSFEER_SAML])
    async def test_releases_what_that_school_approved_and_of_that_school_alone(
        self, world: LoginWorld, sanne: OfBoth, party: str
    ) -> None:
        supplier = world.snapshots.registry.relying_parties[party].supplier  # type: ignore[index]
        declared = tuple(map(a_declaration, ("givenName", HOME, "nlEduPersonUnit")))
        world.change(supplier, attributes=declared)
        names = frozenset({HOME, AttributeName("givenName"), AttributeName("nlEduPersonUnit")})
        world.change(f"vuurvogel/{supplier}", approved=names)
        world.change(f"regenboog/{supplier}", approved=names - {"givenName"}, version=3)
        got = await sanne.log_in(party, school=OTHER_SCHOOL)
        assert "33CC" in str(dict(got.claims))
        for never in ("11AA", "Sanne", "groep-7b"):
            assert never not in str(dict(got.claims))
        (receipt,) = world.receipts.kept
        assert receipt.school == OTHER_SCHOOL
        event = next(each for each in world.audit.events if each.action == "released")
        assert (event.school, dict(event.withheld)["nlEduPersonUnit"]) == (
            OTHER_SCHOOL,
            "other-school",
        )

    async def test_keeps_a_pupils_pseudonym(self, world: LoginWorld, sanne: OfBoth) -> None:
        alone = await world.log_in()
        here = await sanne.log_in(school=SAML_SCHOOL)
        there = await sanne.log_in(school=OTHER_SCHOOL, prompt="select_account")
        assert alone.subject == here.subject == there.subject

    async def test_opens_the_teachers_account_at_that_school(
        self, world: LoginWorld, els: OfBoth
    ) -> None:
        alone = await world.log_in(person=ELS)
        here = await els.log_in(school=SAML_SCHOOL)
        there = await els.log_in(school=OTHER_SCHOOL, prompt="select_account")
        assert alone.subject == here.subject != there.subject

    async def test_leaves_no_trace_at_the_other_school(
        self, world: LoginWorld, sanne: OfBoth
    ) -> None:
        page = await sanne.arrive()
        assert world.register.rows == {}
        await sanne.choose(page, OTHER_SCHOOL)
        root = root_from_eckid(parse_eckid(SANNE.attributes["eckId"][0]), key=world.keys.root)
        found = await find_records((root,), register=world.register, keys=world.keys.register)
        assert set(found[root].seen) == {OTHER_SCHOOL}

    async def test_a_school_that_this_login_did_not_state_is_refused(
        self, world: LoginWorld, sanne: OfBoth
    ) -> None:
        for forged in ("kompas", "", "nobody", "11AA"):
            page = refused(await sanne.choose(await sanne.arrive(), forged))
            assert isinstance(page.refusal, SchoolUnknown)
            assert page.refusal.check == "check_school_offered"
            assert page.retry is not None
        assert (world.register.rows, world.receipts.kept) == ({}, [])

    async def test_is_made_once(self, sanne: OfBoth) -> None:
        page = await sanne.arrive()
        kept = dict(sanne.browser.cookies)
        await sanne.choose(page, SAML_SCHOOL)
        sanne.browser.cookies = kept
        with pytest.raises(LoginStepUsed):
            await sanne.choose(page, OTHER_SCHOOL)

    async def test_belongs_to_the_browser_that_began(
        self, world: LoginWorld, sanne: OfBoth
    ) -> None:
        page = await sanne.arrive()
        step = Browser().step(page.login)  # type: ignore[union-attr]
        with pytest.raises(LoginStepAbsent):
            await world.flow.choose_own(step, unverified_school=SAML_SCHOOL)

    async def test_an_answer_of_the_school_is_used_up_by_the_page(
        self, world: LoginWorld, sanne: OfBoth
    ) -> None:
        at_school = await world.go_to_school(sanne.browser)
        form = world.saml_answer(at_school, SANNE, stated=BOTH)
        step = sanne.browser.step(at_school.state)
        page = sanne.browser.follow(await world.flow.finish_saml(step, form=form))
        assert isinstance(page, WhichSchool)
        with pytest.raises(LoginStepUsed):
            await world.flow.finish_saml(step, form=form)


class TestOffered:
    async def test_only_schools_with_an_agreement_in_force(
        self, world: LoginWorld, sanne: OfBoth
    ) -> None:
        world.put("vuurvogel/rekenrijk", None)
        assert (await sanne.log_in()).subject
        assert [each.school for each in world.receipts.kept] == [OTHER_SCHOOL]

    async def test_none_is_the_refusal_of_the_first(self, world: LoginWorld, sanne: OfBoth) -> None:
        world.put("vuurvogel/rekenrijk", None)
        world.change("regenboog", enabled=False)
        page = refused(await sanne.arrive())
        assert isinstance(page.refusal, NoAgreement)

    async def test_only_schools_that_are_open(self, world: LoginWorld, sanne: OfBoth) -> None:
        world.change("regenboog", enabled=False)
        await sanne.log_in()
        assert [each.school for each in world.receipts.kept] == [SAML_SCHOOL]

    async def test_only_schools_that_let_the_material_work(
        self, world: LoginWorld, sanne: OfBoth
    ) -> None:
        world.change("rekenrijk", attributes=(a_declaration("givenName", required=True),))
        world.change("regenboog/rekenrijk", approved=frozenset())
        await sanne.log_in()
        assert [each.school for each in world.receipts.kept] == [SAML_SCHOOL]

    async def test_what_changes_while_the_page_waits_is_refused(
        self, world: LoginWorld, sanne: OfBoth
    ) -> None:
        page = await sanne.arrive()
        world.change("regenboog/rekenrijk", version=9)
        assert refused(await sanne.choose(page, OTHER_SCHOOL)).refusal.code == "E-LOGIN-12"
        page = await sanne.arrive()
        world.change("regenboog", enabled=False)
        assert isinstance(refused(await sanne.choose(page, OTHER_SCHOOL)).refusal, SchoolNotOpen)
        assert world.register.rows == {}


class TestRemembered:
    async def test_for_the_person_at_every_device(self, world: LoginWorld, sanne: OfBoth) -> None:
        first = await sanne.log_in(school=OTHER_SCHOOL)
        again = await OfBoth(world).log_in()
        assert again.subject == first.subject
        assert [each.school for each in world.receipts.kept] == [OTHER_SCHOOL] * 2

    async def test_for_this_supplier_alone(self, world: LoginWorld, sanne: OfBoth) -> None:
        await sanne.log_in(school=OTHER_SCHOOL)
        assert isinstance(await sanne.arrive(TAALTUIN), WhichSchool)
        await sanne.log_in(BIOSFEER_OIDC, school=SAML_SCHOOL)
        await sanne.log_in(BIOSFEER_SAML)
        assert [each.school for each in world.receipts.kept] == [
            OTHER_SCHOOL,
            SAML_SCHOOL,
            SAML_SCHOOL,
        ]

    async def test_for_nobody_else_on_this_device(self, world: LoginWorld, sanne: OfBoth) -> None:
        await sanne.log_in(school=OTHER_SCHOOL)
        other = OfBoth(world, ELS)
        other.browser = sanne.browser
        assert isinstance(await other.arrive(), WhichSchool)

    @pytest.mark.parametrize("person", [SANNE, ELS])
    async def test_until_another_is_chosen(self, world: LoginWorld, person: Person) -> None:
        somebody = OfBoth(world, person)
        await somebody.log_in(school=OTHER_SCHOOL)
        await somebody.log_in(school=SAML_SCHOOL, prompt="select_account")
        await somebody.log_in()
        await somebody.log_in(school=OTHER_SCHOOL, wish=LoginWish(own_school_again=True))
        await somebody.log_in()
        assert [each.school for each in world.receipts.kept] == [
            *(OTHER_SCHOOL, SAML_SCHOOL, SAML_SCHOOL, OTHER_SCHOOL, OTHER_SCHOOL)
        ]

    async def test_the_wish_to_choose_again_travels_with_a_hint(
        self, world: LoginWorld, sanne: OfBoth
    ) -> None:
        await sanne.log_in(school=OTHER_SCHOOL)
        asked = world.ask_hinting(REKENRIJK, SAML_SCHOOL)
        step = await world.flow.begin(asked, wish=LoginWish(own_school_again=True))
        at_school = read_at_school(sanne.browser.follow(step))
        page = await world.come_back(sanne.browser, at_school, SANNE, stated=BOTH)
        assert isinstance(page, WhichSchool)

    async def test_as_long_as_that_school_is_offered(
        self, world: LoginWorld, sanne: OfBoth
    ) -> None:
        await sanne.log_in(school=OTHER_SCHOOL)
        world.put("regenboog/rekenrijk", None)
        await sanne.log_in()
        assert [each.school for each in world.receipts.kept] == [OTHER_SCHOOL, SAML_SCHOOL]

    async def test_one_stated_school_is_that_one_whatever_was_chosen(
        self, world: LoginWorld, sanne: OfBoth
    ) -> None:
        there = await sanne.log_in(school=OTHER_SCHOOL)
        here = await world.log_in()
        assert here.subject == there.subject
        assert [each.school for each in world.receipts.kept] == [OTHER_SCHOOL, SAML_SCHOOL]

    async def test_costs_no_write_the_next_day(self, world: LoginWorld, sanne: OfBoth) -> None:
        await sanne.log_in(school=OTHER_SCHOOL)
        before = dict(world.register.rows)
        await sanne.log_in()
        assert world.register.rows == before

    async def test_in_the_row_of_the_account_that_was_opened(
        self, world: LoginWorld, els: OfBoth
    ) -> None:
        number = ELS.attributes["employeeNumber"][0]
        await els.log_in(school=OTHER_SCHOOL)
        for school, expected in ((OTHER_SCHOOL, OTHER_SCHOOL), (SAML_SCHOOL, None)):
            seen = await find_supplier_seen(
                root_from_local_staff(school, number, key=world.keys.root),
                supplier=world.snapshots.registry.relying_parties[REKENRIJK].supplier,
                register=world.register,
                keys=world.keys.register,
            )
            assert (None if seen is None else seen.school) == expected

    async def test_accounts_that_never_chose_are_left_alone(
        self, world: LoginWorld, els: OfBoth
    ) -> None:
        await world.log_in(person=ELS)  # her account at De Vuurvogel, without a choice
        before = dict(world.register.rows)
        await els.log_in(school=OTHER_SCHOOL)
        assert before.items() <= world.register.rows.items()
        await els.log_in()
        assert world.receipts.kept[-1].school == OTHER_SCHOOL

    async def test_a_lost_race_is_run_again(
        self, world: LoginWorld, els: OfBoth, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await els.log_in(school=OTHER_SCHOOL)
        apply, losses = world.register.apply, [False, False]

        async def losing(writes: Any, counts: Any = ()) -> bool:
            return losses.pop() if losses else await apply(writes, counts)

        monkeypatch.setattr(world.register, "apply", losing)
        await els.log_in(school=SAML_SCHOOL, prompt="select_account")
        await els.log_in()
        assert world.receipts.kept[-1].school == SAML_SCHOOL

    async def test_accounts_that_cannot_agree_release_nothing(
        self, world: LoginWorld, els: OfBoth, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await els.log_in(school=OTHER_SCHOOL)
        page = await els.arrive(prompt="select_account")
        apply, count = world.register.apply, [0]

        async def losing(writes: Any, counts: Any = ()) -> bool:
            count[0] += 1
            return count[0] == 1 and await apply(writes, counts)

        monkeypatch.setattr(world.register, "apply", losing)
        answer = refused(await els.choose(page, SAML_SCHOOL))
        assert isinstance(answer.refusal, RegisterUnavailable)
        assert len(world.receipts.kept) == 1


class TestNumbers:
    async def test_beside_an_eck_id_a_number_is_nobody_s_at_the_other_school(
        self, world: LoginWorld, sanne: OfBoth
    ) -> None:
        """At De Regenboog a pupil without ECK iD has the number that is Sanne's at De Vuurvogel."""
        own = (await world.log_in()).subject
        assert (await sanne.log_in(school=OTHER_SCHOOL)).subject == own
        same_number = {"employeeNumber": SANNE.attributes["employeeNumber"], "eckId": ()}
        other = await world.log_in(person=SANNE_ELSEWHERE, stated=same_number)
        assert other.subject != own

    async def test_of_a_login_for_one_school_it_counts(self, world: LoginWorld) -> None:
        own = (await world.log_in()).subject
        assert (await world.log_in(stated={"eckId": ()})).subject == own


class TestPassive:
    async def test_no_page_can_ask(self, world: LoginWorld, sanne: OfBoth) -> None:
        answer = await passively(sanne)
        assert (await world.receive(answer)).error == InteractionRequired.oauth_error
        event = world.audit.events[-1]
        assert event.check == "check_own_school_known_when_passive"

    async def test_what_is_remembered_needs_none(self, world: LoginWorld, sanne: OfBoth) -> None:
        first = await sanne.log_in(school=OTHER_SCHOOL)
        assert (await world.receive(await passively(sanne))).subject == first.subject

    async def test_one_offered_school_needs_none(self, world: LoginWorld, sanne: OfBoth) -> None:
        world.put("regenboog/rekenrijk", None)
        assert (await world.receive(await passively(sanne))).subject


async def passively(somebody: OfBoth) -> Answer:
    world, browser = somebody.world, somebody.browser
    answer = await world.begin(browser, hint=SAML_SCHOOL, prompt="none")
    return await world.come_back(browser, read_at_school(answer), somebody.person, stated=BOTH)


class TestOtherPages:
    async def test_a_shared_device_is_greeted_once(self, world: LoginWorld, sanne: OfBoth) -> None:
        world.change("regenboog", shared_devices=True)
        page = await sanne.arrive()
        assert isinstance(page, WhichSchool)
        assert (page.first_name, page.may_switch) == ("Sanne", True)
        assert isinstance(await sanne.choose(page, OTHER_SCHOOL), Redirect)
        assert welcomed(await sanne.arrive()).first_name == "Sanne"  # remembered: the usual page

    async def test_that_is_not_me_asks_again(self, world: LoginWorld, sanne: OfBoth) -> None:
        world.change("regenboog", shared_devices=True)
        page = await sanne.arrive()
        again = await world.flow.not_me_at_schools(sanne.browser.step(page.login))  # type: ignore[union-attr]
        assert read_at_school(sanne.browser.follow(again)).force_login
        assert world.register.rows == {}

    async def test_a_protected_pupil_confirms_an_arrival_by_the_choice_of_a_school_of_before(
        self, world: LoginWorld, sanne: OfBoth
    ) -> None:
        subject = (await world.log_in()).subject
        root = root_from_eckid(parse_eckid(SANNE.attributes["eckId"][0]), key=world.keys.root)
        await protect(world.register, root, keys=world.keys.register)
        page = refused(await sanne.choose(await sanne.arrive(), OTHER_SCHOOL))
        assert (page.refusal.code, page.retry is not None) == ("E-PERSON-5", True)
        browser = sanne.browser
        chosen = await world.choose(browser, page.retry.name, SAML_SCHOOL)  # type: ignore[union-attr]
        again = await world.come_back(browser, read_at_school(chosen), SANNE, stated=BOTH)
        assert "arrival-confirmed" not in world.audit.actions()
        await sanne.choose(again, SAML_SCHOOL)
        assert "arrival-confirmed" in world.audit.actions()
        wish = LoginWish(own_school_again=True)
        assert (await sanne.log_in(school=OTHER_SCHOOL, wish=wish)).subject == subject

    async def test_a_notice_follows_the_choice(self, world: LoginWorld, sanne: OfBoth) -> None:
        world.change("regenboog/rekenrijk", notice=NoticeMode.INFORM)
        page = welcomed(await sanne.choose(await sanne.arrive(), OTHER_SCHOOL))
        assert (page.school.id, page.first_name) == (OTHER_SCHOOL, "")
        await world.press(sanne.browser, "go_on", page.login)
        assert isinstance(await sanne.arrive(), Redirect)


class TestMembership:
    """What the broker states of school, role and school year, at the end of a login."""

    @pytest.fixture(autouse=True)
    def agreed(self, world: LoginWorld) -> None:
        world.change("rekenrijk", attributes=(a_declaration("schoolMembership"),))
        for school in (SAML_SCHOOL, OTHER_SCHOOL):
            world.change(f"{school}/rekenrijk", approved=frozenset({MEMBERSHIP}))

    async def test_tells_since_when_and_changes_with_the_school(self, world: LoginWorld) -> None:
        year = world.now.year if world.now.month >= 8 else world.now.year - 1
        here = await world.log_in()
        assert here.claims == {"school_membership": [f"student@11AA;since={year}-{year + 1}"]}
        world.wait(days=370)
        there = await world.log_in(person=SANNE_ELSEWHERE, school="regenboog")
        later = year + 1
        assert there.claims == {"school_membership": [f"student@33CC;since={later}-{later + 1}"]}
        assert there.subject == here.subject
        assert (await world.log_in()).claims == here.claims

    async def test_is_of_the_chosen_school(self, sanne: OfBoth) -> None:
        got = await sanne.log_in(school=OTHER_SCHOOL)
        assert str(got.claims).count("@33CC") == 1
        assert "11AA" not in str(got.claims)

    async def test_is_withheld_by_default(self, world: LoginWorld) -> None:
        world.change("vuurvogel/rekenrijk", approved=frozenset())
        assert (await world.log_in()).claims == {}
        event = next(each for each in world.audit.events if each.action == "released")
        assert dict(event.withheld)["schoolMembership"] == "not-approved"

    async def test_is_an_attribute_in_saml_too(self, world: LoginWorld) -> None:
        world.change("taaltuin", attributes=(a_declaration("schoolMembership"),))
        world.change("vuurvogel/taaltuin", approved=frozenset({MEMBERSHIP}))
        got = await world.log_in(TAALTUIN, ELS)
        (value,) = got.claims["schoolMembership"]
        assert value.startswith("employee@11AA;since=")

    async def test_nobody_without_a_role_is_a_member(self, world: LoginWorld) -> None:
        got = await world.log_in(stated={"eduPersonAffiliation": None})
        assert got.claims == {}
