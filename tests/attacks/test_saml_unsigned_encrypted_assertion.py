"""Anybody can encrypt to our published key, so being encrypted proves nothing."""

import pytest

from broker.saml_sp.refusals import NotAuthenticated
from broker.saml_xml.bindings import encode_post
from broker.saml_xml.elements import Element, serialize
from broker.saml_xml.refusals import SignatureRefused, XmlRefusal
from tests.builders_saml import PUPIL, SCHOOL_KEY, STRANGER_KEY, a_response, a_response_form, read


def test_an_assertion_of_nobody_is_refused_encrypted_or_not() -> None:
    for encrypted in (True, False):
        with pytest.raises(NotAuthenticated):
            read(signed="nothing", encrypted=encrypted)


def test_an_assertion_that_the_attacker_signed_is_refused() -> None:
    with pytest.raises(SignatureRefused):
        read(key=STRANGER_KEY, encrypted=True)


def test_an_encrypted_assertion_put_into_a_signed_response_is_refused() -> None:
    honest = a_response(signed="response", encrypted=True)
    forged = a_response(
        signed="nothing", encrypted=True, attributes={**PUPIL, "uid": ("els@vuurvogel.example",)}
    )
    honest.replace(honest[-1], forged[-1])
    with pytest.raises(XmlRefusal):
        read([("SAMLResponse", encode_post(serialize(honest)))])


def test_a_signed_refusal_does_not_vouch_for_an_assertion_added_to_it() -> None:
    def add_assertion(response: Element) -> None:
        response.append(a_response(signed="nothing")[-1])

    forged = a_response(signed="response", tamper=add_assertion)
    with pytest.raises(XmlRefusal):
        read([("SAMLResponse", encode_post(serialize(forged)))])


@pytest.mark.parametrize("signed", ["assertion", "response", "both"])
def test_the_school_s_own_is_accepted(signed: str) -> None:
    form = a_response_form(signed=signed, encrypted=True, key=SCHOOL_KEY)
    assert read(form).login.attributes == PUPIL
