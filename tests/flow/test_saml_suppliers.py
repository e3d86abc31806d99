"""SAML suppliers: what their documents and requests change about an answer, over a whole login."""

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from broker.domain.release import NoAgreement
from broker.domain.saml_answer_forms import AnswerForm
from broker.domain.saml_published import AttributeConsumingService, RequestedAttribute
from broker.flow.answers import PostMessage
from broker.flow.refusals import AgreementChanged
from broker.flow.start_links import StartLink, find_start
from broker.saml_idp.attributes import PAIRWISE_ID_NAME
from broker.saml_xml import names as n
from broker.saml_xml.bindings import decode_post
from broker.saml_xml.elements import Element, build_element
from tests.builders_saml import BROKER_IDP, XML, samlp
from tests.flow.login_answers import Browser, Received, read_at_school, read_response, refused
from tests.flow.login_parties import (
    BIOSFEER_ENTITY,
    BIOSFEER_OIDC,
    BIOSFEER_SAML,
    ROLE,
    TAALTUIN,
    with_party,
)
from tests.flow.login_world import SANNE, LoginWorld

TRANSIENT = build_element(samlp("NameIDPolicy"), {"Format": n.NAMEID_TRANSIENT})


def answer_as(world: LoginWorld, **form: Any) -> None:
    """Put another way of answering Taaltuin in force."""
    provider_with(world, answers=AnswerForm(**form))


def provider_with(world: LoginWorld, **changes: Any) -> None:
    supplier = world.records["taaltuin"]
    provider = replace(supplier.relying_parties[0].protocol, **changes)
    world.put("taaltuin", with_party(supplier, TAALTUIN, protocol=provider))


async def log_in(world: LoginWorld, *asked: Element, **attributes: str) -> Received:
    """Log in with a request that asks this, in a browser of its own."""
    browser = Browser()
    arrived = await world.come_back(browser, await go(world, browser, *asked, **attributes), SANNE)
    assert isinstance(arrived, PostMessage), arrived
    return read_response(arrived)


async def go(world: LoginWorld, browser: Browser, *asked: Element, **attributes: str) -> Any:
    step = await world.flow.begin(world.ask(TAALTUIN, *asked, **attributes), wish=browser.wish)
    chooser: Any = browser.follow(step)
    return read_at_school(await world.choose(browser, chooser.login, "vuurvogel"))


async def test_a_transient_name_beside_the_pairwise_id(world: LoginWorld) -> None:
    known = await log_in(world)
    answer_as(world, pseudonym_attributes=("pairwise-id",))
    first, second = [await log_in(world, TRANSIENT) for _ in range(2)]
    assert first.subject != second.subject != known.subject
    for each in (first, second):
        assert each.protocol_values["format"] == n.NAMEID_TRANSIENT
        assert each.claims[PAIRWISE_ID_NAME] == [f"{known.subject}@broker.example"]


async def test_the_pseudonym_whatever_a_request_asks(world: LoginWorld) -> None:
    known = await log_in(world)
    answer_as(world, name_ids="persistent")
    assert (await log_in(world, TRANSIENT)).subject == known.subject


async def test_attributes_by_their_uris(world: LoginWorld) -> None:
    answer_as(world, attribute_names="uri")
    assert (await log_in(world)).claims == {
        "urn:oid:2.5.4.42": ["Sanne"],
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.1": ["student"],
    }


@pytest.mark.parametrize("meanwhile", [True, False])
async def test_another_kind_of_name_meanwhile_is_another_try(
    world: LoginWorld, meanwhile: bool
) -> None:
    """No pseudonym was derived for a transient name, and none may be made up."""
    world.change("vuurvogel", shared_devices=True)
    browser = Browser()
    page: Any = await world.come_back(browser, await go(world, browser, TRANSIENT), SANNE)
    if meanwhile:
        answer_as(world, name_ids="persistent")
    answer = await world.press(browser, "go_on", page.login)
    if meanwhile:
        assert isinstance(refused(answer).refusal, AgreementChanged)
    else:
        assert isinstance(answer, PostMessage)


FIRST_NAME_ONLY = AttributeConsumingService(
    index=1, requested=(RequestedAttribute(name="urn:oid:2.5.4.42"),)
)
ROLE_ONLY = AttributeConsumingService(
    index=2,
    is_default=True,
    requested=(
        RequestedAttribute(name="eduperson_affiliation"),
        RequestedAttribute(name="urn:example:shoe-size"),
    ),
)


@pytest.mark.parametrize(
    ("services", "index", "told"),
    [
        ((), "1", {"givenName", "eduPersonAffiliation"}),
        ((FIRST_NAME_ONLY,), None, {"givenName"}),
        ((FIRST_NAME_ONLY, ROLE_ONLY), None, {"eduPersonAffiliation"}),
        ((FIRST_NAME_ONLY, ROLE_ONLY), "1", {"givenName"}),
        ((FIRST_NAME_ONLY, ROLE_ONLY), "002", {"eduPersonAffiliation"}),
        ((FIRST_NAME_ONLY, ROLE_ONLY), "7", {"eduPersonAffiliation"}),
    ],
)
async def test_a_set_of_attributes_narrows_what_goes_out(
    world: LoginWorld,
    services: tuple[AttributeConsumingService, ...],
    index: str | None,
    told: set[str],
) -> None:
    provider_with(world, attribute_consuming_services=services)
    changes = {} if index is None else {"AttributeConsumingServiceIndex": index}
    received = await log_in(world, **changes)
    assert set(received.claims) == told


async def test_what_the_document_requires_is_not_chosen_away_and_nothing_is_added(
    world: LoginWorld,
) -> None:
    provider_with(world, attribute_consuming_services=(FIRST_NAME_ONLY,))
    supplier = world.records["taaltuin"]
    first_name, role = supplier.attributes
    world.put("taaltuin", replace(supplier, attributes=(first_name, replace(role, required=True))))
    assert set((await log_in(world)).claims) == {"givenName", "eduPersonAffiliation"}
    agreement = replace(world.records["vuurvogel/taaltuin"], approved=frozenset({role.name}))
    world.put("vuurvogel/taaltuin", agreement)
    assert set((await log_in(world)).claims) == {"eduPersonAffiliation"}


def on_behalf_of(*entities: str) -> Element:
    named = [build_element(samlp("RequesterID"), text=each) for each in entities]
    return build_element(samlp("Scoping"), {}, *named)


class TestProxies:
    """Taaltuin as a portal that asks in Biosfeer's name."""

    @pytest.fixture(autouse=True)
    def portal(self, world: LoginWorld) -> None:
        answer_as(world, proxies_for=(BIOSFEER_SAML, BIOSFEER_OIDC))

    @pytest.mark.parametrize("named", [BIOSFEER_ENTITY, "biosfeer"])
    async def test_it_gets_what_both_may_have_and_its_own_pseudonym(
        self, world: LoginWorld, named: str
    ) -> None:
        alone, other = await log_in(world), await world.log_in(BIOSFEER_SAML)
        role = frozenset({ROLE})
        agreed = world.records["vuurvogel/biosfeer"]
        world.put("vuurvogel/biosfeer", replace(agreed, approved=role))
        received = await log_in(world, on_behalf_of(named))
        assert received.claims == {"eduPersonAffiliation": ["student"]}
        assert received.subject == alone.subject != other.subject
        world.put("vuurvogel/biosfeer", agreed)
        agreed = replace(world.records["vuurvogel/taaltuin"], approved=role)
        world.put("vuurvogel/taaltuin", agreed)
        assert set((await log_in(world, on_behalf_of(named))).claims) == {ROLE}

    async def test_a_name_that_its_document_does_not_hold_is_passed_over(
        self, world: LoginWorld
    ) -> None:
        world.put("vuurvogel/biosfeer", None)
        asked = on_behalf_of("https://stranger.example", "rekenrijk")
        assert set((await log_in(world, asked)).claims) == {"givenName", ROLE}

    async def test_without_an_agreement_with_the_other_nobody_goes_on(
        self, world: LoginWorld
    ) -> None:
        world.put("vuurvogel/biosfeer", None)
        browser = Browser()
        at_school = await go(world, browser, on_behalf_of(BIOSFEER_ENTITY))
        page = refused(await world.come_back(browser, at_school, SANNE))
        assert isinstance(page.refusal, NoAgreement)
        assert page.refusal.subject == "Biosfeer"
        assert world.receipts.kept == []

    async def test_of_two_schools_only_one_agrees_with_both(self, world: LoginWorld) -> None:
        """Each of the two has an agreement with one of the suppliers, and none with both."""
        world.put("vuurvogel/biosfeer", None)
        world.put("regenboog/taaltuin", None)
        browser = Browser()
        at_school = await go(world, browser, on_behalf_of(BIOSFEER_ENTITY))
        both = {"nlEduPersonHomeOrganizationId": ("11AA", "33CC")}
        page = refused(await world.come_back(browser, at_school, SANNE, stated=both))
        assert isinstance(page.refusal, NoAgreement)
        assert page.refusal.check == "check_agreement_of_all"

    @pytest.mark.parametrize("ended", [True, False])
    async def test_an_agreement_that_ends_while_a_page_waits(
        self, world: LoginWorld, ended: bool
    ) -> None:
        world.change("vuurvogel", shared_devices=True)
        browser = Browser()
        at_school = await go(world, browser, on_behalf_of(BIOSFEER_ENTITY))
        page: Any = await world.come_back(browser, at_school, SANNE)
        if ended:
            world.put("vuurvogel/biosfeer", None)
        answer = await world.press(browser, "go_on", page.login)
        if ended:
            assert refused(answer).refusal.check == "check_behind_still_allowed"
        else:
            assert isinstance(answer, PostMessage)


async def test_a_login_that_nobody_asked_for_answers_no_request(world: LoginWorld) -> None:
    provider_with(world, answers=AnswerForm(unsolicited=True))
    found = find_start(
        StartLink(relying_party=TAALTUIN, school="vuurvogel"),
        index=world.snapshots.index,
        issuer="https://broker.example",
        idp_entity_id=BROKER_IDP,
        today=date(2026, 3, 2),
    )
    assert found.login is not None
    browser = Browser()
    at_school = read_at_school(browser.follow(await world.flow.begin(found.login)))
    answer = await world.come_back(browser, at_school, SANNE)
    assert isinstance(answer, PostMessage)
    root = XML.parse(decode_post(dict(answer.fields)["SAMLResponse"])).root
    assert not any("InResponseTo" in each.attrib for each in root.iter())
    assert read_response(answer).subject == (await log_in(world)).subject


@pytest.mark.parametrize("begins_at", ["", "https://taaltuin.example/login"])
async def test_a_system_that_begins_logins_itself_is_asked_to(
    world: LoginWorld, begins_at: str
) -> None:
    answer_as(world, unsolicited=True)
    supplier = world.records["taaltuin"]
    world.put("taaltuin", with_party(supplier, TAALTUIN, initiate_login_uri=begins_at))
    found = find_start(
        StartLink(relying_party=TAALTUIN),
        index=world.snapshots.index,
        issuer="https://broker.example",
        idp_entity_id=BROKER_IDP,
        today=date(2026, 3, 2),
    )
    assert (found.login is None) is bool(begins_at)
