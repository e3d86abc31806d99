"""pysaml2 as a school: it reads our requests and metadata, and we read its answers."""

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from broker.demo.pysaml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, saml
from broker.demo.saml_messages import (
    CANCELLED,
    NO_PASSIVE,
    SchoolServer,
    build_refusal,
    build_response,
    idp_metadata,
)
from broker.demo.scenarios import Statement
from broker.domain.refusals import Refusal, WhoseTask
from broker.saml_sp.metadata import read_idp_metadata
from broker.saml_sp.refusals import (
    LoginCancelled,
    NoPassiveLogin,
    NotAuthenticated,
    ResponseTooLate,
)
from broker.saml_sp.request import build_authn_request
from broker.saml_xml import names as n
from broker.saml_xml.forms import PostedForm, PostForm, RedirectUrl
from broker.saml_xml.refusals import SignatureRefused
from tests.builders_pysaml2 import SCHOOL_URL, a_pysaml2_school, as_files, this_moment
from tests.builders_saml import (
    BROKER_ACS,
    BROKER_ENCRYPTION,
    BROKER_KEY,
    BROKER_SP,
    PUPIL,
    REQUEST_ID,
    SCHOOL_KEY,
    XML,
    a_school_idp,
    an_expectation,
    read,
)

ENTITY = f"{SCHOOL_URL}/saml/metadata"


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> SchoolServer:
    folder: Path = tmp_path_factory.mktemp("school")
    return a_pysaml2_school(as_files(SCHOOL_KEY, folder), want_signed_requests=True)


def answer(school: SchoolServer, *, sign_response: bool = False, **statement: Any) -> PostedForm:
    xml = build_response(
        school,
        Statement("sanne@vuurvogel.example", PUPIL, **statement),
        request_id=REQUEST_ID,
        session_index="_session",
        sp_entity_id=BROKER_SP,
        acs_url=BROKER_ACS,
        sign_response=sign_response,
        attribute_prefix="",
        authenticated_at=this_moment(),
    )
    return posted(xml)


def posted(xml: str) -> PostedForm:
    return [("SAMLResponse", base64.b64encode(xml.encode()).decode())]


def expected() -> Any:
    return an_expectation(idp=a_school_idp(entity_id=ENTITY))


@pytest.mark.parametrize("sign_response", [False, True])
def test_its_signed_and_encrypted_answer_is_accepted(
    school: SchoolServer, sign_response: bool
) -> None:
    form = answer(school, sign_response=sign_response)
    login = read(form, expected=expected(), now=this_moment())
    assert login.login.attributes == PUPIL
    assert login.name_id.value == "sanne@vuurvogel.example"


UID = "urn:oid:0.9.2342.19200300.100.1.1"  # as pysaml2 writes it
SHA256 = {"sign_alg": n.ALG_RSA_SHA256, "digest_alg": n.ALG_SHA256}
SIGNED_RESPONSE = {"sign_response": True, "sign_assertion": False}
SIGNED_ASSERTION = {"sign_response": False, "sign_assertion": True}
ENCRYPTED = {
    "encrypt_assertion": True,
    "encrypt_cert_assertion": BROKER_ENCRYPTION.certificate_pem,
}


@pytest.mark.parametrize(
    ("settings", "name_format"),
    [
        pytest.param(SIGNED_ASSERTION | SHA256, n.NAMEID_UNSPECIFIED, id="adfs"),
        pytest.param(SIGNED_ASSERTION | SHA256, n.NAMEID_PERSISTENT, id="entra-assertion"),
        pytest.param(SIGNED_RESPONSE | SHA256, n.NAMEID_PERSISTENT, id="entra-response"),
        pytest.param(SIGNED_ASSERTION | SHA256, n.NAMEID_EMAIL, id="google-workspace"),
        pytest.param(
            SIGNED_RESPONSE | {"sign_assertion": True} | ENCRYPTED | SHA256,
            n.NAMEID_TRANSIENT,
            id="simplesamlphp",
        ),
        pytest.param(SIGNED_RESPONSE | ENCRYPTED | SHA256, n.NAMEID_TRANSIENT, id="shibboleth"),
    ],
)
def test_set_up_as_the_field_s_products_are(
    school: SchoolServer, settings: dict[str, Any], name_format: str
) -> None:
    form = posted(str(authenticate(school, settings, name_format)))
    login = read(form, expected=expected(), now=this_moment())
    assert login.login.attributes == {UID: ("sanne@vuurvogel.example",)}
    assert login.name_id is not None
    assert (login.name_id.value, login.name_id.format) == ("_name", name_format)


@pytest.mark.parametrize(
    ("settings", "refusal"),
    [
        (
            SIGNED_ASSERTION | {"sign_alg": n.ALG_RSA_SHA1, "digest_alg": n.ALG_SHA1},
            SignatureRefused,
        ),
        ({"sign_response": False, "sign_assertion": False}, NotAuthenticated),
        ({"sign_response": False, "sign_assertion": False} | ENCRYPTED, NotAuthenticated),
    ],
)
def test_set_up_wrong(
    school: SchoolServer, settings: dict[str, Any], refusal: type[Refusal]
) -> None:
    form = posted(str(authenticate(school, settings, n.NAMEID_UNSPECIFIED)))
    with pytest.raises(refusal) as refused:
        read(form, expected=expected(), now=this_moment())
    assert refused.value.whose_task is WhoseTask.SCHOOL


def authenticate(school: SchoolServer, settings: dict[str, Any], name_format: str) -> object:
    """Return pysaml2's Response about Sanne."""
    return school.create_authn_response(
        {"uid": ["sanne@vuurvogel.example"]},
        in_response_to=REQUEST_ID,
        destination=BROKER_ACS,
        sp_entity_id=BROKER_SP,
        name_id=saml.NameID(text="_name", format=name_format),
        authn={"class_ref": n.AUTHN_PASSWORD, "authn_auth": ENTITY},
        **settings,
    )


def test_its_expired_answer_is_refused(school: SchoolServer) -> None:
    with pytest.raises(ResponseTooLate):
        read(answer(school, expired=True), expected=expected(), now=this_moment())


@pytest.mark.parametrize(
    ("status", "refusal"), [(CANCELLED, LoginCancelled), (NO_PASSIVE, NoPassiveLogin)]
)
def test_its_answer_without_login_is_understood(
    school: SchoolServer, status: str, refusal: type[Exception]
) -> None:
    xml = build_refusal(school, request_id=REQUEST_ID, acs_url=BROKER_ACS, status=status, text="no")
    with pytest.raises(refusal):
        read(posted(xml), expected=expected(), now=this_moment())


@pytest.mark.parametrize("binding", [BINDING_HTTP_REDIRECT, BINDING_HTTP_POST])
def test_it_reads_its_own_endpoints_and_our_signed_request(
    school: SchoolServer, binding: str, tmp_path: Path
) -> None:
    document = idp_metadata(
        SCHOOL_URL, keys=as_files(SCHOOL_KEY, tmp_path), want_signed_requests=True
    )
    endpoints = read_idp_metadata(document.encode(), xml=XML, entity_id=ENTITY)
    assert endpoints.sign_requests
    assert endpoints.signing_certificates == (SCHOOL_KEY.certificate,)
    by_post = a_school_idp(
        sso_redirect_url=None, sso_post_url=endpoints.sso_post_url, sign_requests=True
    ).endpoints
    message = build_authn_request(
        endpoints if binding == BINDING_HTTP_REDIRECT else by_post,  # type: ignore[arg-type]
        request_id=REQUEST_ID,
        entity_id=BROKER_SP,
        acs_url=BROKER_ACS,
        relay_state="handle",
        now=this_moment() - timedelta(seconds=1),
        force_authn=True,
        school_hint="11AA",
        signing_key=BROKER_KEY.signing,
        xml=XML,
    )
    if isinstance(message, RedirectUrl):
        query = {name: each for name, (each,) in parse_qs(urlsplit(message.url).query).items()}
        parsed = school.parse_authn_request(
            query["SAMLRequest"],
            binding,
            relay_state=query["RelayState"],
            sigalg=query["SigAlg"],
            signature=query["Signature"],
        )
    else:
        assert isinstance(message, PostForm)
        parsed = school.parse_authn_request(dict(message.fields)["SAMLRequest"], binding)
    assert parsed.message.id == REQUEST_ID
    assert parsed.message.force_authn == "true"
    assert school.response_args(parsed.message, [BINDING_HTTP_POST])["destination"] == BROKER_ACS
