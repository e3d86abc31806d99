"""Scoping: whose list of schools it is, and in whose name a request comes."""

import pytest

from broker.domain.ids import RelyingPartyId
from broker.domain.saml_answer_forms import AnswerForm
from broker.saml_idp.scoping import LISTED_MAX, read_hints, read_requesters
from broker.saml_xml.elements import Element, build_element
from tests.builders_saml import (
    BROKER_IDP,
    SUPPLIER_ENTITY,
    a_registry,
    a_service_provider,
    an_authn_request,
    samlp,
)


def listing(*schools: str) -> Element:
    entries = [build_element(samlp("IDPEntry"), {"ProviderID": each}) for each in schools]
    return an_authn_request(
        build_element(samlp("Scoping"), {}, build_element(samlp("IDPList"), {}, *entries))
    )


@pytest.mark.parametrize(
    ("schools", "found"),
    [
        (("11AA", "22BB"), (("11AA", "22BB"), True)),
        (("11AA",) * LISTED_MAX, (("11AA",) * LISTED_MAX, True)),
        (("11AA",) * (LISTED_MAX + 1), (("11AA",) * LISTED_MAX, False)),
        (("x" * 2000, "11AA"), (("11AA",), False)),
        (("11AA", BROKER_IDP), ((), False)),
    ],
)
def test_which_schools_it_names_and_whether_it_wants_no_other(
    schools: tuple[str, ...], found: tuple[tuple[str, ...], bool]
) -> None:
    assert read_hints(listing(*schools), entity_id=BROKER_IDP) == found


@pytest.mark.parametrize(
    "request_", [an_authn_request(), an_authn_request(build_element(samlp("Scoping")))]
)
def test_no_list(request_: Element) -> None:
    assert read_hints(request_, entity_id=BROKER_IDP) == ((), False)


def test_it_speaks_only_for_whom_its_document_names() -> None:
    named = [SUPPLIER_ENTITY, "https://stranger.example", SUPPLIER_ENTITY]
    requesters = [build_element(samlp("RequesterID"), text=each) for each in named]
    request = an_authn_request(build_element(samlp("Scoping"), {}, *requesters))
    registry, own = a_registry(), RelyingPartyId("taaltuin")
    allowed = a_service_provider(answers=AnswerForm(proxies_for=(own,)))
    assert read_requesters(request, provider=allowed, registry=registry) == (own,)
    for form in (AnswerForm(), AnswerForm(proxies_for=(RelyingPartyId("other"),))):
        provider = a_service_provider(answers=form)
        assert read_requesters(request, provider=provider, registry=registry) == ()
    assert read_requesters(an_authn_request(), provider=allowed, registry=registry) == ()


def test_whom_it_speaks_for_counts_at_the_end_of_a_long_list_too() -> None:
    """What is released is what all of them may have: one that is passed over would widen it."""
    named = [f"https://behind-{number}.example" for number in range(30)] + [SUPPLIER_ENTITY]
    requesters = [build_element(samlp("RequesterID"), text=each) for each in named]
    request = an_authn_request(build_element(samlp("Scoping"), {}, *requesters))
    own = RelyingPartyId("taaltuin")
    provider = a_service_provider(answers=AnswerForm(proxies_for=(own,)))
    assert read_requesters(request, provider=provider, registry=a_registry()) == (own,)
