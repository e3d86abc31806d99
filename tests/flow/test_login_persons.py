"""Whom a supplier meets: one pupil is one pseudonym there, whatever the way, and never another's.

The rules themselves are held by `test_register_rules.py`; these are whole logins.
"""

from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from broker.demo.people import Person
from broker.domain.attributes import AttributeName
from broker.domain.federation import SchoolFrom
from broker.domain.identity import PersonNotStated
from broker.domain.release import NoAgreement, RequiredAttributeNotApproved
from broker.domain.stated_schools import SchoolNotAllowed, SchoolNotStated
from broker.flow.persons.person_rules import EckIdMissing
from broker.saml_xml.bindings import decode_redirect
from broker.saml_xml.elements import build_element, serialize
from broker.saml_xml.names import NAMEID_TRANSIENT
from tests.builders import a_declaration
from tests.builders_saml import XML, samlp
from tests.flow.login_answers import Browser, read_at_school, read_response, refused
from tests.flow.login_parties import (
    BIOSFEER_OIDC,
    BIOSFEER_SAML,
    FIRST_NAME,
    REKENRIJK,
    SAML_IDP,
    TAALTUIN,
)
from tests.flow.login_world import DAAN, ELS, NOOR, SANNE, SANNE_ELSEWHERE, LoginWorld

ECK_ID = SANNE.attributes["eckId"]
PARTIES = (REKENRIJK, TAALTUIN, BIOSFEER_OIDC, BIOSFEER_SAML)


async def pseudonyms(world: LoginWorld, person: Person, **how: object) -> dict[str, str]:
    """Log in at every relying party."""
    return {party: (await world.log_in(party, person, **how)).subject for party in PARTIES}  # type: ignore[arg-type]


class TestOnePupil:
    async def test_the_same_at_both_systems_of_a_supplier_another_at_another_supplier(
        self, world: LoginWorld
    ) -> None:
        of = await pseudonyms(world, SANNE)
        assert of[BIOSFEER_OIDC] == of[BIOSFEER_SAML]
        assert len(set(of.values())) == 3

    async def test_the_same_at_another_school_and_by_another_protocol(
        self, world: LoginWorld
    ) -> None:
        first = await pseudonyms(world, SANNE)
        assert await pseudonyms(world, SANNE_ELSEWHERE) == first
        assert await pseudonyms(world, NOOR, stated={"eckId": ECK_ID}) == first
        assert await pseudonyms(world, NOOR) != first

    async def test_the_same_on_a_day_without_eck_id(self, world: LoginWorld) -> None:
        first = await pseudonyms(world, SANNE)
        assert await pseudonyms(world, SANNE, stated={"eckId": None}) == first
        assert await pseudonyms(world, SANNE, stated={"eckId": ()}) == first

    async def test_a_pupil_and_a_teacher_with_one_number_are_two(self, world: LoginWorld) -> None:
        assert DAAN.attributes["employeeNumber"] == ELS.attributes["employeeNumber"]
        pupil, teacher = await pseudonyms(world, DAAN), await pseudonyms(world, ELS)
        assert not set(pupil.values()) & set(teacher.values())
        assert await pseudonyms(world, DAAN) == pupil

    @given(st.permutations([SANNE, DAAN, ELS, NOOR, SANNE_ELSEWHERE]), st.sampled_from(PARTIES))
    async def test_the_order_of_people_changes_nobody(
        self, people: list[Person], party: str
    ) -> None:
        world = LoginWorld()
        met = {
            (each.id, each.school.id): (await world.log_in(party, each)).subject for each in people
        }
        assert met["sanne", "vuurvogel"] == met.pop(("sanne", "regenboog"))
        assert len(set(met.values())) == len(met) == 4

    async def test_transient_names_tell_nothing(self, world: LoginWorld) -> None:
        names = []
        for _ in range(2):
            browser = Browser()
            policy = build_element(samlp("NameIDPolicy"), {"Format": NAMEID_TRANSIENT})
            step = await world.flow.begin(world.ask(TAALTUIN, policy))
            chooser = browser.follow(step)
            answer = await world.choose(browser, chooser.login, "vuurvogel")  # type: ignore[union-attr]
            answer = await world.come_back(browser, read_at_school(answer))
            received = read_response(answer)  # type: ignore[arg-type]
            assert received.protocol_values["format"] == NAMEID_TRANSIENT
            names.append(received.subject)
        assert len(set(names)) == 2
        assert (await world.log_in(TAALTUIN)).subject not in names


class TestRequiredEckId:
    async def test_an_unknown_pupil_without_is_refused(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        world.change("vuurvogel", eck_id_required=True)
        page = refused(await world.arrive(browser, DAAN))
        assert isinstance(page.refusal, EckIdMissing)
        assert world.register.rows == {}
        assert world.receipts.kept == []

    async def test_with_it_or_known_from_before_it_goes_on(self, world: LoginWorld) -> None:
        daan = await world.log_in(person=DAAN)
        world.change("vuurvogel", eck_id_required=True)
        first = await world.log_in()
        assert (await world.log_in(stated={"eckId": None})).subject == first.subject
        assert (await world.log_in(person=DAAN)).subject == daan.subject
        assert (await world.log_in(person=ELS)).subject


class TestStatedSchool:
    """The school that a login states decides, never the one that was clicked."""

    async def test_its_agreement_and_release(self, world: LoginWorld) -> None:
        world.change("regenboog/rekenrijk", version=7, approved=frozenset())
        here = await world.log_in(REKENRIJK, SANNE)
        there = await world.log_in(REKENRIJK, SANNE_ELSEWHERE, school="vuurvogel")
        assert set(here.claims) == {"given_name", "eduperson_affiliation"}
        assert there.claims == {}
        assert here.subject == there.subject
        assert [each.school for each in world.receipts.kept] == ["vuurvogel", "regenboog"]

    async def test_its_lack_of_an_agreement(self, world: LoginWorld, browser: Browser) -> None:
        world.put("regenboog/rekenrijk", None)
        at_school = await world.go_to_school(browser, school="vuurvogel")
        page = refused(await world.come_back(browser, at_school, SANNE_ELSEWHERE))
        assert isinstance(page.refusal, NoAgreement)
        assert world.register.rows == {}

    async def test_its_being_closed(self, world: LoginWorld, browser: Browser) -> None:
        world.change("regenboog", enabled=False)
        at_school = await world.go_to_school(browser, school="vuurvogel")
        page = refused(await world.come_back(browser, at_school, SANNE_ELSEWHERE))
        assert page.refusal.check == "check_school_enabled"

    async def test_none_or_one_that_is_not_its_own(self, world: LoginWorld) -> None:
        for brin, refusal in ((None, SchoolNotStated), (("44DD",), SchoolNotAllowed)):
            answer = await world.arrive(Browser(), stated={"nlEduPersonHomeOrganizationId": brin})
            assert isinstance(refused(answer).refusal, refusal)

    async def test_a_school_learns_which_of_its_own_was_clicked_and_nothing_else(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        for several in (True, False):
            if not several:
                world.change(SAML_IDP, schools=("vuurvogel",), school_from=SchoolFrom.FIXED)
            answer = await world.begin(browser, hint="vuurvogel")
            query = urlsplit(answer.url).query.encode()  # type: ignore[union-attr]
            request = serialize(XML.parse(decode_redirect(query).message).root).decode()
            assert ("11AA" in request) == several
            for word in ("rekenrijk", "RekenRijk", "lesson-3"):
                assert word not in request


class TestRelease:
    async def test_an_unknown_attribute_is_reported_by_name(self, world: LoginWorld) -> None:
        many = {f"x-{each}-{'y' * 80}": ("1",) for each in range(30)}
        await world.log_in(stated=many)
        event = next(each for each in world.audit.events if each.action == "unknown-attributes")
        assert len(event.names) == 20
        assert all(len(each) == 64 for each in event.names)
        assert (event.school, event.idp) == ("vuurvogel", SAML_IDP)

    async def test_a_claim_of_a_form_that_no_attribute_has_is_reported(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        odd = {"groups": {"a": 1}, "address": {"locality": "Zwolle"}}  # the latter: ignored
        await world.arrive(browser, NOOR, **odd)
        event = next(each for each in world.audit.events if each.action == "unknown-attributes")
        assert "groups" in event.names
        assert "address" not in event.names

    async def test_a_required_attribute_that_is_not_approved_is_named(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        declared = (a_declaration("sn", required=True),)
        world.change("rekenrijk", attributes=declared)
        page = refused(await world.arrive(browser))
        assert isinstance(page.refusal, RequiredAttributeNotApproved)
        assert page.refusal.subject == "sn"
        world.change("vuurvogel/rekenrijk", approved=frozenset({AttributeName("sn")}))
        assert (await world.log_in()).claims == {"family_name": "de Vries"}

    async def test_nobody_is_nobody(self, world: LoginWorld, browser: Browser) -> None:
        nobody = {"eckId": None, "employeeNumber": None}
        page = refused(await world.arrive(browser, stated=nobody))
        assert isinstance(page.refusal, PersonNotStated)

    async def test_without_a_role_what_is_for_everybody_goes_out(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        world.change("vuurvogel", shared_devices=True)
        page = await world.arrive(browser, stated={"eduPersonAffiliation": None})
        answer = await world.press(browser, "go_on", page.login)  # type: ignore[union-attr]
        assert (await world.receive(answer)).claims == {"given_name": "Sanne"}
        assert FIRST_NAME == "givenName"
