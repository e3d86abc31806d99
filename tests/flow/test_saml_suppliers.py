"""SAML suppliers: what their documents and requests change about an answer, over a whole login."""

from typing import Any

import pytest
from msgspec.structs import replace

from broker.domain.saml_answers import AnswerForm
from broker.flow.answers import PostMessage
from broker.flow.refusals import AgreementChanged
from broker.saml_idp.attributes import PAIRWISE_ID_NAME
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element
from tests.builders_saml import samlp
from tests.flow.login_answers import Browser, Received, read_at_school, read_response, refused
from tests.flow.login_parties import TAALTUIN, with_party
from tests.flow.login_world import SANNE, LoginWorld

TRANSIENT = build_element(samlp("NameIDPolicy"), {"Format": n.NAMEID_TRANSIENT})


def answer_as(world: LoginWorld, **form: Any) -> None:
    """Put another way of answering Taaltuin in force."""
    provider_with(world, answers=AnswerForm(**form))


def provider_with(world: LoginWorld, **changes: Any) -> None:
    supplier = world.records["taaltuin"]
    provider = replace(supplier.relying_parties[0].protocol, **changes)
    world.put("taaltuin", with_party(supplier, TAALTUIN, protocol=provider))


async def log_in(world: LoginWorld, *asked: Element, **answer: Any) -> Received:
    """Log in with a request that asks this, in a browser of its own."""
    browser = Browser()
    arrived = await world.come_back(browser, await go(world, browser, *asked), SANNE, **answer)
    assert isinstance(arrived, PostMessage), arrived
    return read_response(arrived)


async def go(world: LoginWorld, browser: Browser, *asked: Element) -> Any:
    step = await world.flow.begin(world.ask(TAALTUIN, *asked), wish=browser.wish)
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
