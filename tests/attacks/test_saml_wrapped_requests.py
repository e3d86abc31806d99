"""Signature wrapping on suppliers' requests: what a supplier did not sign is not asked by it.

The evil request asks for what the honest one did not: no new login, and another of the registered
places for the answer. By POST and by redirect, where the signature stands inside all the same.
"""

from collections.abc import Callable
from typing import Any

import pytest

from broker.domain.refusals import Refusal
from broker.domain.relying_parties import AssertionConsumerService
from broker.saml_idp.request import CheckedAuthnRequest
from broker.saml_xml.elements import Element, serialize
from broker.saml_xml.refusals import SupplierMessageUnreadable
from tests.builders_saml import (
    STRANGER_KEY,
    SUPPLIER_ACS,
    SUPPLIER_KEY,
    XML,
    a_response,
    a_service_provider,
    an_authn_request,
    as_form,
    as_query,
)
from tests.saml_idp.asking import check
from tests.saml_xml.corpus.wrapped_messages import MESSAGE_WRAPPINGS

OTHER_ACS = "https://taaltuin.example/saml/other"
PROVIDER = a_service_provider(
    require_signed_requests=True,
    assertion_consumer_services=(
        AssertionConsumerService(url=SUPPLIER_ACS, index=1),
        AssertionConsumerService(url=OTHER_ACS, index=2),
    ),
)


def honest(key: Any = SUPPLIER_KEY) -> Element:
    request = an_authn_request(ForceAuthn="true")
    XML.sign(request, key=key.signing)
    return request


def evil() -> Element:
    return an_authn_request(ID="_evil", AssertionConsumerServiceURL=OTHER_ACS)


def ask(message: Any) -> CheckedAuthnRequest:
    return check(message, provider=PROVIDER)


@pytest.mark.parametrize("arrives", [as_form, as_query])
@pytest.mark.parametrize("name", MESSAGE_WRAPPINGS)
def test_a_wrapped_request_is_refused(name: str, arrives: Callable[[Element], Any]) -> None:
    wrapped = MESSAGE_WRAPPINGS[name](honest(), evil())
    assert OTHER_ACS.encode() in serialize(wrapped)
    with pytest.raises(Refusal) as caught:
        ask(arrives(wrapped))
    assert not caught.value.may_redirect


@pytest.mark.parametrize("name", MESSAGE_WRAPPINGS)
def test_a_query_that_a_stranger_signed_helps_no_wrapping(name: str) -> None:
    with pytest.raises(Refusal):
        ask(as_query(MESSAGE_WRAPPINGS[name](honest(), evil()), key=STRANGER_KEY))


@pytest.mark.parametrize("arrives", [as_form, as_query])
def test_the_request_that_was_wrapped_is_accepted(arrives: Callable[[Element], Any]) -> None:
    assert ask(arrives(honest())).force_login
    assert ask(arrives(honest())).acs_url == SUPPLIER_ACS


def test_a_query_signature_does_not_cover_a_damaged_one_inside() -> None:
    """Both must hold: whoever may sign queries is not asked to vouch for what stands inside."""
    request = honest()
    request.set("ForceAuthn", "false")
    with pytest.raises(Refusal, match="digest"):
        ask(as_query(request, key=SUPPLIER_KEY))
    assert ask(as_query(honest(), key=SUPPLIER_KEY)).force_login


def test_a_response_of_the_same_key_is_no_request() -> None:
    """A supplier that is a school's login, too, signs Responses by the key that we know."""
    response = a_response(key=SUPPLIER_KEY, signed="response")
    with pytest.raises(Refusal):
        ask(as_form(response))
    with pytest.raises(SupplierMessageUnreadable):
        ask([("SAMLResponse", as_form(honest())[0][1])])
