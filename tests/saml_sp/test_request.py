"""Our AuthnRequest: minimal, valid, signed where wanted, and silent about the supplier."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.federation import SamlIdpEndpoints
from broker.saml_sp.refusals import ProviderUnreachable
from broker.saml_sp.request import build_authn_request
from broker.saml_xml import names as n
from broker.saml_xml.bindings import decode_post, decode_redirect
from broker.saml_xml.elements import Element, only_child, text_of
from broker.saml_xml.forms import PostForm, RedirectUrl
from broker.saml_xml.refusals import SignatureRefused
from tests.builders_saml import (
    BROKER_ACS,
    BROKER_KEY,
    BROKER_SP,
    NOW,
    REQUEST_ID,
    SCHOOL_SSO,
    STRANGER_KEY,
    XML,
    a_school_idp,
    attributes_in,
    saml,
    samlp,
)
from tests.saml_xml.corpus.keys import PartyKey, ec_key


def build(*, endpoints: dict[str, Any] | None = None, **changes: Any) -> RedirectUrl | PostForm:
    to = a_school_idp(**(endpoints or {})).endpoints
    assert isinstance(to, SamlIdpEndpoints)
    arguments: dict[str, Any] = {
        "request_id": REQUEST_ID,
        "entity_id": BROKER_SP,
        "acs_url": BROKER_ACS,
        "relay_state": "handle",
        "now": NOW,
        "xml": XML,
    }
    return build_authn_request(to, **(arguments | changes))


def sent(message: RedirectUrl | PostForm) -> Element:
    """Return the request as the school parses it: by the schema."""
    if isinstance(message, RedirectUrl):
        return XML.parse(decode_redirect(urlsplit(message.url).query.encode()).message).root
    return XML.parse(decode_post(message.fields[0][1])).root


def test_a_plain_request_says_what_is_needed_and_nothing_else() -> None:
    message = build()
    assert isinstance(message, RedirectUrl)
    assert message.url.startswith(SCHOOL_SSO + "?SAMLRequest=")
    assert parse_qs(urlsplit(message.url).query)["RelayState"] == ["handle"]
    request = sent(message)
    assert attributes_in(request) == {
        "ID": REQUEST_ID,
        "Version": "2.0",
        "IssueInstant": "2026-03-02T08:00:00Z",
        "Destination": SCHOOL_SSO,
        "ProtocolBinding": n.BINDING_POST,
        "AssertionConsumerServiceURL": BROKER_ACS,
    }
    assert [each.tag for each in request] == [saml("Issuer")]
    assert text_of(request[0]) == BROKER_SP


def test_force_passive_level_and_hint() -> None:
    request = sent(
        build(
            force_authn=True,
            is_passive=True,
            authn_contexts=[n.AUTHN_PASSWORD],
            school_hint="11AA",
        )
    )
    assert request.get("ForceAuthn") == "true"
    assert request.get("IsPassive") == "true"
    wanted = only_child(request, samlp("RequestedAuthnContext"))
    assert text_of(wanted[0]) == n.AUTHN_PASSWORD
    scoping = only_child(request, samlp("Scoping"))
    assert [each.tag for each in scoping] == [samlp("IDPList")]  # no RequesterID
    assert scoping[0][0].get("ProviderID") == "11AA"


def test_a_location_with_a_query_of_its_own() -> None:
    message = build(endpoints={"sso_redirect_url": SCHOOL_SSO + "?tenant=1"})
    assert isinstance(message, RedirectUrl)
    assert message.url.startswith(SCHOOL_SSO + "?tenant=1&SAMLRequest=")


def test_signed_when_the_school_wants_it() -> None:
    message = build(endpoints={"sign_requests": True}, signing_key=BROKER_KEY.signing)
    assert isinstance(message, RedirectUrl)
    received = decode_redirect(urlsplit(message.url).query.encode())
    assert received.signature is not None
    XML.verify_query(received.signature, keys=[BROKER_KEY.verification])
    with pytest.raises(SignatureRefused):
        XML.verify_query(received.signature, keys=[STRANGER_KEY.verification])


def test_not_signed_when_the_school_does_not_want_it() -> None:
    message = build(signing_key=BROKER_KEY.signing)
    assert isinstance(message, RedirectUrl)
    assert "Signature=" not in message.url


@pytest.mark.parametrize("signs", [True, False])
def test_by_post_where_there_is_no_redirect(signs: bool) -> None:
    endpoints = {"sso_redirect_url": None, "sso_post_url": SCHOOL_SSO, "sign_requests": signs}
    message = build(endpoints=endpoints, signing_key=BROKER_KEY.signing)
    assert isinstance(message, PostForm)
    assert message.action == SCHOOL_SSO
    assert message.fields[1] == ("RelayState", "handle")
    request = sent(message)
    assert XML.is_signed(request) is signs
    if signs:
        XML.verify(request, keys=[BROKER_KEY.verification])


def test_endpoint_known() -> None:
    with pytest.raises(ProviderUnreachable) as caught:
        build(endpoints={"sso_redirect_url": None})
    assert caught.value.check == "check_endpoint_known"


def test_signing_key_present() -> None:
    with pytest.raises(ProviderUnreachable) as caught:
        build(endpoints={"sign_requests": True})
    assert caught.value.check == "check_signing_key_present"


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cn", "Cs"]), max_size=40))
def test_any_text_arrives_as_text(text: str) -> None:
    assert text_of(sent(build(entity_id=text))[0]) == text


def test_nothing_of_the_journey_shows_in_repr() -> None:
    assert "handle" not in repr(build())
    assert "handle" not in repr(build(endpoints={"sso_redirect_url": None, "sso_post_url": "x"}))


EC_KEY = ec_key("broker, elliptic")


@pytest.mark.parametrize(
    ("taken", "key", "signs"),
    [
        ((), BROKER_KEY, True),
        ((n.ALG_RSA_SHA256, n.ALG_ECDSA_SHA256), BROKER_KEY, True),
        ((n.ALG_RSA_SHA256, n.ALG_ECDSA_SHA256), EC_KEY, True),
        ((), EC_KEY, True),
        ((n.ALG_RSA_SHA256,), EC_KEY, False),
        ((n.ALG_RSA_SHA512,), BROKER_KEY, False),
    ],
)
@pytest.mark.parametrize("by_post", [False, True])
def test_signing_algorithm_taken(
    taken: tuple[str, ...], key: PartyKey, signs: bool, by_post: bool
) -> None:
    endpoints: dict[str, Any] = {"sign_requests": True, "signature_algorithms": taken}
    if by_post:
        endpoints |= {"sso_redirect_url": None, "sso_post_url": SCHOOL_SSO}
    if not signs:
        with pytest.raises(ProviderUnreachable) as caught:
            build(endpoints=endpoints, signing_key=key.signing)
        assert caught.value.check == "check_signing_algorithm_taken"
        return
    message = build(endpoints=endpoints, signing_key=key.signing)
    if isinstance(message, PostForm):
        XML.verify(sent(message), keys=[key.verification])
        return
    received = decode_redirect(urlsplit(message.url).query.encode())
    assert received.signature is not None
    XML.verify_query(received.signature, keys=[key.verification])


def test_what_is_not_signed_needs_no_algorithm() -> None:
    assert build(endpoints={"signature_algorithms": (n.ALG_RSA_SHA512,)})
