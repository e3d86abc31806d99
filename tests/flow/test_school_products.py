"""Whole logins by the field's identity providers, and what each often has set wrong.

The pupil is the same at each: a change of product changes no account.
"""

from typing import Any

import pytest
from msgspec.structs import replace

from broker.domain.federation import SamlIdpEndpoints
from broker.domain.refusals import WhoseTask
from broker.flow.federation.logins import with_built_in_names
from tests.builders_saml import SCHOOL_SSO
from tests.flow.federation_builders import a_saml_login, idp_metadata
from tests.flow.login_answers import Browser, refused
from tests.flow.login_parties import SAML_IDP
from tests.flow.login_world import SANNE, LoginWorld
from tests.flow.school_products import PRODUCTS, Product
from tests.flow.test_federation_schools import compiled_login

MISTAKES = [(product, mistake) for product in PRODUCTS for mistake in PRODUCTS[product].mistakes]


def connect(world: LoginWorld, product: Product) -> None:
    """Put the product's document in force, compiled as `broker apply` does."""
    document = dict(product.document)
    mapping = {
        theirs: ours for ours, theirs in product.names.items() if ours != theirs
    } | document.pop("attributes", {})
    compiled = compiled_login(
        a_saml_login(
            entity_id=product.entity_id,
            metadata=idp_metadata(product.entity_id, sso=SCHOOL_SSO),
            scopes=["vuurvogel.example"],
            attributes=mapping,
            **document,
        )
    )
    (whole,) = with_built_in_names([compiled])
    world.put(SAML_IDP, replace(whole, id=SAML_IDP))


def answer_of(product: Product, **changes: Any) -> dict[str, Any]:
    """Return what the product answers about Sanne; `without` leaves attributes out."""
    changed = {**product.answer(), **changes}
    left_out = changed.pop("without", ())
    attributes = {
        theirs: SANNE.attributes[ours]
        for ours, theirs in product.names.items()
        if ours in SANNE.attributes and ours not in left_out
    }
    issuers = {"issuer": product.entity_id, "response_issuer": product.entity_id}
    return {**issuers, "attributes": attributes, **changed}


@pytest.mark.parametrize("name", PRODUCTS)
async def test_it_logs_in_and_the_account_is_the_same_as_before(
    world: LoginWorld, name: str
) -> None:
    world.change(SAML_IDP, schools=("vuurvogel",), school_from="fixed")
    before = await world.log_in(stated={"eckId": None})
    connect(world, PRODUCTS[name])
    answer = answer_of(PRODUCTS[name])
    answer["attributes"] = {
        each: values for each, values in answer["attributes"].items() if each != "eckId"
    }
    after = await world.log_in(**answer)
    assert after.subject == before.subject
    assert after.claims["given_name"] == "Sanne"


@pytest.mark.parametrize(("name", "mistake"), MISTAKES)
async def test_what_is_often_set_wrong_is_said_to_the_school_and_to_nobody_else(
    world: LoginWorld, browser: Browser, name: str, mistake: str
) -> None:
    product, wrong = PRODUCTS[name], PRODUCTS[name].mistakes[mistake]
    connect(world, product)
    page = refused(await world.arrive(browser, **answer_of(product, **wrong.changes())))
    assert (type(page.refusal), page.refusal.check) == (wrong.refusal, wrong.check)
    assert page.refusal.code.startswith("E-")
    unsolicited = wrong.check == "check_in_response_to"
    assert page.refusal.whose_task is (WhoseTask.PUPIL if unsolicited else WhoseTask.SCHOOL)
    assert world.receipts.kept == []


def test_their_documents_name_no_key_or_endpoint_that_metadata_would_not_say(
    world: LoginWorld,
) -> None:
    for product in PRODUCTS.values():
        connect(world, product)
        endpoints = world.records[SAML_IDP].endpoints
        assert isinstance(endpoints, SamlIdpEndpoints)
        assert endpoints.entity_id == product.entity_id
