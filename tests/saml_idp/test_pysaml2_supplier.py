"""pysaml2 as a supplier, with its defaults: it reads our answers, and we read its requests."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from broker.demo.keys import KeyPair
from broker.demo.pysaml2 import (
    BINDING_HTTP_POST,
    BINDING_HTTP_REDIRECT,
    Saml2Client,
    StatusError,
    entity_descriptor,
    xmldsig,
)
from broker.saml_idp.assertion import ResponseIds, Told
from broker.saml_idp.metadata import read_sp_metadata
from broker.saml_idp.refusals import NameIdPolicyNotSupported
from broker.saml_idp.request import CheckedAuthnRequest, check_authn_request
from broker.saml_idp.response import build_error_response, build_response
from broker.saml_sp.refusals import NoPassiveLogin
from broker.saml_xml import names as n
from broker.saml_xml.forms import PostForm
from tests.builders_pysaml2 import a_pysaml2_supplier, as_files, supplier_config, this_moment
from tests.builders_saml import (
    BROKER_IDP,
    BROKER_KEY,
    BROKER_SSO,
    SUPPLIER_ACS,
    SUPPLIER_ENTITY,
    SUPPLIER_KEY,
    XML,
    a_registry,
    a_service_provider,
)

PSEUDONYM = "a" + "b" * 52
ATTRIBUTES = (("givenName", ("Zoë <b>&amp;",)), ("eduPersonAffiliation", ("student", "x")))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    folder: Path = tmp_path_factory.mktemp("supplier")
    return as_files(SUPPLIER_KEY, folder)


@pytest.fixture(scope="module")
def supplier(pair: KeyPair) -> Saml2Client:
    return a_pysaml2_supplier(pair, authn_requests_signed=True)


def ask(
    supplier: Saml2Client, *, binding: str = BINDING_HTTP_REDIRECT, **arguments: Any
) -> CheckedAuthnRequest:
    """Let the supplier ask, and check what it asks."""
    provider = a_service_provider(require_signed_requests=True)
    _, http = supplier.prepare_for_authenticate(
        entityid=BROKER_IDP,
        relay_state="les-3",
        binding=binding,
        response_binding=BINDING_HTTP_POST,
        sigalg=xmldsig.SIG_RSA_SHA256,
        digest_alg=xmldsig.DIGEST_SHA256,  # its default is SHA-1
        **({"sign": True} | arguments),
    )
    message: Any
    if binding == BINDING_HTTP_REDIRECT:
        message = urlsplit(dict(http["headers"])["Location"]).query.encode()
    else:
        page = http["data"]
        fields = ("SAMLRequest", "RelayState")
        message = [(f, page.split(f'name="{f}" value="')[1].split('"')[0]) for f in fields]
    return check_authn_request(
        message, registry=a_registry(provider), xml=XML, sso_url=BROKER_SSO, now=this_moment()
    )


def answer(request: CheckedAuthnRequest, **provider: Any) -> PostForm:
    return build_response(
        request,
        Told(pseudonym=PSEUDONYM, attributes=ATTRIBUTES, authenticated_at=this_moment()),
        service_provider=a_service_provider(**provider),
        entity_id=BROKER_IDP,
        ids=ResponseIds(
            response_id="_r", assertion_id="_a", session_index="_s", transient_name_id="_t"
        ),
        now=this_moment(),
        signing_key=BROKER_KEY.signing,
        xml=XML,
    )


@pytest.mark.parametrize("binding", [BINDING_HTTP_REDIRECT, BINDING_HTTP_POST])
def test_its_signed_request_is_accepted(supplier: Saml2Client, binding: str) -> None:
    request = ask(supplier, binding=binding, force_authn="true")
    assert request.acs_url == SUPPLIER_ACS
    assert request.relay_state == "les-3"
    assert request.force_login


def test_a_kind_of_name_id_that_we_do_not_give(supplier: Saml2Client) -> None:
    with pytest.raises(NameIdPolicyNotSupported):
        ask(supplier, nameid_format=n.NAMEID_EMAIL)
    assert ask(supplier, nameid_format=n.NAMEID_TRANSIENT).name_id_transient


@pytest.mark.parametrize("encrypted", [False, True])
def test_it_accepts_our_answer(supplier: Saml2Client, encrypted: bool) -> None:
    request = ask(supplier)
    form = answer(
        request,
        encrypt_assertions=encrypted,
        encryption_certificates=(SUPPLIER_KEY.certificate,),
    )
    response = supplier.parse_authn_request_response(
        dict(form.fields)["SAMLResponse"], BINDING_HTTP_POST, {request.request_id: "/"}
    )
    assert response.name_id.text == PSEUDONYM
    assert response.name_id.format == n.NAMEID_PERSISTENT
    (statement,) = response.assertion.attribute_statement
    found = {
        each.name: tuple(value.text for value in each.attribute_value)
        for each in statement.attribute
    }
    assert found == dict(ATTRIBUTES)


def test_it_understands_our_error(supplier: Saml2Client) -> None:
    request = ask(supplier)
    form = build_error_response(
        request.answer_to,
        refusal=NoPassiveLogin,
        entity_id=BROKER_IDP,
        response_id="_r",
        now=this_moment(),
        signing_key=BROKER_KEY.signing,
        xml=XML,
    )
    with pytest.raises(StatusError) as caught:
        supplier.parse_authn_request_response(
            dict(form.fields)["SAMLResponse"], BINDING_HTTP_POST, {request.request_id: "/"}
        )
    assert type(caught.value).__name__ == "StatusNoPassive"


def test_we_read_its_metadata(pair: KeyPair) -> None:
    document = str(entity_descriptor(supplier_config(pair, authn_requests_signed=True)))
    provider = read_sp_metadata(
        document.encode(), xml=XML, entity_id=SUPPLIER_ENTITY, encrypt_assertions=True
    )
    assert [each.url for each in provider.assertion_consumer_services] == [SUPPLIER_ACS]
    assert provider.signing_certificates == (SUPPLIER_KEY.certificate,)
    assert provider.encryption_certificates == (SUPPLIER_KEY.certificate,)
    assert provider.require_signed_requests
