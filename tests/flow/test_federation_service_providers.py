"""What a document says of how a SAML system is answered: refusals, defaults, and its metadata."""

from typing import Any

import pytest
from msgspec import structs

from broker.domain.documents import Kind
from broker.domain.federation import Supplier
from broker.domain.relying_parties import SamlServiceProvider
from broker.domain.saml_answer_forms import AnswerForm
from broker.saml_xml.published import ENTITY_CATEGORY
from tests.builders_saml_metadata import an_entity_attribute, an_sp
from tests.flow.federation_builders import (
    Table,
    a_client,
    a_service_provider,
    a_supplier,
    apply,
    problems_of,
    stated,
)

REQUIRED = "urn:oasis:names:tc:SAML:profiles:subject-id:req"


def answers_of(party: Table) -> AnswerForm:
    supplier = apply([stated(Kind.SUPPLIER, a_supplier(party))]).records[Kind.SUPPLIER, "rekenrijk"]
    assert isinstance(supplier, Supplier)
    protocol = supplier.relying_parties[0].protocol
    assert isinstance(protocol, SamlServiceProvider)
    return protocol.answers


def paths_of(party: Table, **changes: Any) -> list[str]:
    found = problems_of([stated(Kind.SUPPLIER, a_supplier(party, **changes))])
    return [path.removeprefix("relying_party[0].") for _, path, _ in found]


def publishing(*, wants: str = "", required: str = "") -> Table:
    """Return a system whose metadata ask for this."""
    of_entity = (an_entity_attribute(REQUIRED, required),) if required else ()
    return a_service_provider(
        metadata=an_sp(attributes=wants, of_entity=of_entity, entity_id="https://taaltuin.example")
    )


@pytest.mark.parametrize(
    ("wants", "stated_sign", "signed"),
    [
        ("", {}, "both"),
        ('WantAssertionsSigned="true"', {}, "both"),
        ('WantAssertionsSigned="0"', {}, "response"),
        ("", {"sign": "response"}, "response"),
        ('WantAssertionsSigned="false"', {"sign": "assertion"}, "assertion"),
    ],
)
def test_what_is_signed(wants: str, stated_sign: Table, signed: str) -> None:
    assert answers_of(publishing(wants=wants) | stated_sign).signed == signed


@pytest.mark.parametrize(
    ("required", "names", "told"),
    [
        ("", [], ()),
        ("", ["uid", "pairwise-id"], ("uid", "pairwise-id")),
        ("pairwise-id", [], ("pairwise-id",)),
        ("any", ["uid"], ("pairwise-id", "uid")),
        ("any", ["pairwise-id"], ("pairwise-id",)),
        ("subject-id", [], ()),
        ("none", ["pairwise-id", "uid"], ("uid",)),
    ],
)
def test_which_attributes_hold_the_pseudonym(
    required: str, names: list[str], told: tuple[str, ...]
) -> None:
    party = publishing(required=required) | {"pseudonym_attributes": names}
    assert answers_of(party).pseudonym_attributes == told


@pytest.mark.parametrize(
    "category",
    [
        *("https://refeds.org/category/anonymous", "https://refeds.org/category/pseudonymous"),
        "https://refeds.org/category/personalized",
        "https://refeds.org/category/code-of-conduct/v2",
        "http://refeds.org/category/research-and-scholarship",
    ],
)
def test_a_category_releases_and_changes_nothing(category: str) -> None:
    """The agreement decides; a category is a word of the supplier's (IIP-IDP03)."""

    def compiled(*of_entity: str) -> Supplier:
        metadata = an_sp(of_entity=of_entity, entity_id="https://taaltuin.example")
        document = a_supplier(a_service_provider(metadata=metadata))
        supplier = apply([stated(Kind.SUPPLIER, document)]).records[Kind.SUPPLIER, "rekenrijk"]
        assert isinstance(supplier, Supplier)
        return supplier

    plain = compiled()
    told = compiled(an_entity_attribute(ENTITY_CATEGORY, category))
    (party,) = told.relying_parties
    assert isinstance(party.protocol, SamlServiceProvider)
    assert party.protocol.entity_categories == (category,)
    without = structs.replace(party.protocol, entity_categories=())
    party = structs.replace(party, protocol=without)
    assert structs.replace(told, relying_parties=(party,)) == plain


def test_the_other_wishes() -> None:
    party = a_service_provider(
        name_ids="none", pseudonym_attributes=["pairwise-id"], attribute_names="uri"
    )
    form = answers_of(party)
    assert (form.name_ids, form.attribute_names) == ("none", "uri")
    form = answers_of(a_service_provider(unsolicited=True, proxies_for=["taaltuin"]))
    assert (form.unsolicited, form.proxies_for) == (True, ("taaltuin",))
    assert answers_of(a_service_provider()).name_ids == "asked"


@pytest.mark.parametrize(
    "name",
    [
        *("PGN", "previous_sub", "subject-id", "urn:oasis:names:tc:SAML:attribute:subject-id"),
        *("urn:oasis:names:tc:SAML:attribute:pairwise-id", "givenName", "urn:oid:2.5.4.42"),
    ],
)
def test_a_name_that_means_something_else_holds_no_pseudonym(name: str) -> None:
    party = a_service_provider(pseudonym_attributes=["uid", name])
    assert paths_of(party) == ["pseudonym_attributes[1]"]


def test_a_name_is_stated_once() -> None:
    assert paths_of(a_service_provider(pseudonym_attributes=["a", "a"])) == [
        "pseudonym_attributes[1]"
    ]
    assert paths_of(a_service_provider(pseudonym_attributes=["a", "sn"])) == []


@pytest.mark.parametrize("required", ["", "none"])
def test_an_answer_names_somebody(required: str) -> None:
    nameless = {"name_ids": "none", "pseudonym_attributes": ["pairwise-id"] if required else []}
    assert paths_of(publishing(required=required) | nameless) == ["name_ids"]
    assert paths_of(publishing(required="pairwise-id") | {"name_ids": "none"}) == []


@pytest.mark.parametrize(
    "key",
    [
        {"sign": "both"},
        {"name_ids": "none"},
        {"pseudonym_attributes": ["uid"]},
        {"attribute_names": "uri"},
        {"unsolicited": True},
        {"proxies_for": ["rekenrijk"]},
    ],
)
def test_they_are_keys_of_saml_alone(key: Table) -> None:
    assert paths_of(a_client(**key)) == list(key)
