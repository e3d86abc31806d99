"""Nobody makes us send a browser, or an answer, to a place that is not registered."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.refusals import Refusal
from broker.saml_idp.refusals import AnswerableRefusal
from broker.saml_idp.request import CheckedAuthnRequest, check_authn_request
from broker.saml_xml import names as n
from broker.saml_xml.elements import build_element
from tests.builders_saml import (
    BROKER_SSO,
    NOW,
    SUPPLIER_ACS,
    XML,
    a_registry,
    an_authn_request,
    as_query,
    samlp,
)

NEARLY = (
    "https://evil.example/acs",
    SUPPLIER_ACS + "#x",
    SUPPLIER_ACS + "?",
    SUPPLIER_ACS + "/",
    SUPPLIER_ACS + "%00",
    SUPPLIER_ACS.upper(),
    SUPPLIER_ACS.replace("https://", "https://user@"),
    SUPPLIER_ACS.replace("taaltuin.example", "taaltuin.example.evil.example"),
    SUPPLIER_ACS.replace("taaltuin.example", "taaltuin.example:443"),
    "//taaltuin.example/saml/acs",
    "javascript:alert(1)",
)


def check(**attributes: Any) -> CheckedAuthnRequest:
    policy = build_element(samlp("NameIDPolicy"), {"Format": attributes.pop("wish", None)})
    return check_authn_request(
        as_query(an_authn_request(policy, **attributes)),
        registry=a_registry(),
        xml=XML,
        sso_url=BROKER_SSO,
        now=NOW,
    )


@pytest.mark.parametrize("url", NEARLY)
@pytest.mark.parametrize("wish", [None, n.NAMEID_EMAIL])
def test_an_unregistered_place_is_never_answered(url: str, wish: str | None) -> None:
    with pytest.raises(Refusal) as caught:
        check(AssertionConsumerServiceURL=url, wish=wish)
    assert not caught.value.may_redirect
    assert not isinstance(caught.value, AnswerableRefusal)


@given(
    url=st.none() | st.just(SUPPLIER_ACS) | st.sampled_from(NEARLY),
    index=st.none() | st.integers(0, 3).map(str),
    wish=st.sampled_from([None, n.NAMEID_EMAIL, n.NAMEID_TRANSIENT]),
)
def test_whatever_is_asked_the_answer_goes_to_a_registered_place(
    url: str | None, index: str | None, wish: str | None
) -> None:
    try:
        answer_to = check(
            AssertionConsumerServiceURL=url, AssertionConsumerServiceIndex=index, wish=wish
        ).answer_to
    except AnswerableRefusal as refusal:
        answer_to = refusal.answer_to
    except Refusal:
        return
    assert answer_to.acs_url == SUPPLIER_ACS


def test_the_registered_place_is_answered() -> None:
    assert check(AssertionConsumerServiceURL=SUPPLIER_ACS).acs_url == SUPPLIER_ACS
