"""Libraries with their default settings are answered, and take the answer (`library_defaults`)."""

from typing import Any

import pytest

from broker.domain.documents import RelyingPartyDocument
from broker.domain.relying_parties import SamlServiceProvider
from broker.domain.saml_answer_forms import PAIRWISE_ID, AnswerForm
from broker.flow.federation.service_providers import compile_answers
from broker.saml_idp.refusals import NameIdPolicyNotSupported
from broker.saml_xml import names as n
from tests.builders_saml import NOW, a_service_provider, an_authn_request, saml
from tests.saml_idp.answering import PSEUDONYM, as_sent, build
from tests.saml_idp.asking import check, refused
from tests.saml_idp.library_defaults import (
    EVERY,
    LIBRARIES,
    Arrived,
    Library,
    attribute_statement,
)

every_library = pytest.mark.parametrize("library", LIBRARIES, ids=lambda each: each.name)


def registered(library: Library) -> AnswerForm:
    """Return how it is answered with nothing in its document but what must be."""
    document = RelyingPartyDocument(id="x", protocol="saml")
    return compile_answers(document, provider_of(library))


def provider_of(library: Library, **changes: Any) -> SamlServiceProvider:
    return a_service_provider(
        name_id_formats=library.formats,
        want_assertions_signed=library.want_assertions_signed,
        **changes,
    )


@every_library
def test_it_is_answered_and_takes_the_answer(library: Library) -> None:
    provider = provider_of(library, answers=registered(library))
    request = check(an_authn_request(*library.asks), provider=provider)
    arrived = Arrived(as_sent(build(request=request, service_provider=provider)), NOW)
    for demand in (*EVERY, *library.demands):
        demand(arrived)
    (name,) = arrived.assertion.iter(saml("NameID"))
    assert (name.text == PSEUDONYM) is library.persistent
    expected = n.NAMEID_PERSISTENT if library.persistent else n.NAMEID_TRANSIENT
    assert name.get("Format") == expected


@every_library
def test_one_signature_where_one_is_all_that_it_says(library: Library) -> None:
    expected = "response" if library.want_assertions_signed is False else "both"
    assert registered(library).signed == expected


def test_a_format_that_metadata_do_not_name_is_refused() -> None:
    node_saml = LIBRARIES[0]
    request = an_authn_request(*node_saml.asks)
    assert check(request, provider=a_service_provider(name_id_formats=node_saml.formats))
    refused(NameIdPolicyNotSupported, "check_name_id_policy", request)


@every_library
def test_the_name_that_lasts_where_the_guide_says_how(library: Library) -> None:
    """`name_ids = "persistent"`, also where metadata name no format."""
    provider = a_service_provider(answers=AnswerForm(name_ids="persistent"))
    request = check(an_authn_request(*library.asks), provider=provider)
    arrived = Arrived(as_sent(build(request=request, service_provider=provider)), NOW)
    (name,) = arrived.assertion.iter(saml("NameID"))
    assert (name.text, name.get("Format")) == (PSEUDONYM, n.NAMEID_PERSISTENT)


def test_an_agreement_that_approves_nothing_gives_an_attribute_where_the_guide_says_how() -> None:
    """python3-saml refuses an answer without AttributeStatement (`wantAttributeStatement`)."""

    def answered(form: AnswerForm) -> Arrived:
        provider = a_service_provider(answers=form)
        return Arrived(as_sent(build(service_provider=provider, attributes=())), NOW)

    attribute_statement(answered(AnswerForm(pseudonym_attributes=(PAIRWISE_ID,))))
    with pytest.raises(AssertionError):
        attribute_statement(answered(AnswerForm()))
