"""SAML messages of made-up parties, each flawless until a test says what differs.

`a_response_form()` is what a school posts to us, `an_authn_request()` what a supplier asks. What
differs is named by field (`audiences=(("https://other",),)`), or made by an `edit` of the tree
before it is signed, or a `tamper` after.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from broker.adapters.xml.xml_security import LxmlSecurity
from broker.domain.federation import SamlIdpEndpoints, SchoolFrom, SchoolIdp, State, Supplier
from broker.domain.ids import RelyingPartyId, SchoolId, SchoolIdpId, SupplierId
from broker.domain.registry import Registry, build_registry
from broker.domain.relying_parties import (
    AssertionConsumerService,
    RelyingParty,
    SamlServiceProvider,
)
from broker.saml_sp.login import ExpectedResponse, SamlLogin
from broker.saml_sp.response import read_response
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element, serialize
from broker.saml_xml.forms import PostedForm, build_post_form, build_redirect
from broker.saml_xml.instants import format_instant
from broker.saml_xml.keys import DecryptionKey
from tests.saml_xml.corpus.keys import PartyKey, rsa_key

XML = LxmlSecurity()

NOW = datetime(2026, 3, 2, 8, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)

SCHOOL_ENTITY = "https://login.vuurvogel.example"
SCHOOL_SSO = "https://login.vuurvogel.example/sso"
BROKER_SP = "https://broker.example/saml/sp/metadata"
BROKER_ACS = "https://broker.example/saml/sp/acs"
BROKER_IDP = "https://broker.example/saml/idp/metadata"
BROKER_SSO = "https://broker.example/saml/idp/sso"
SUPPLIER_ENTITY = "https://taaltuin.example/saml/metadata"
SUPPLIER_ACS = "https://taaltuin.example/saml/acs"
REQUEST_ID = "_0123456789abcdef0123456789abcdef"

SCHOOL_KEY = rsa_key("school")
BROKER_KEY = rsa_key("broker")
BROKER_ENCRYPTION = rsa_key("broker encryption")
SUPPLIER_KEY = rsa_key("supplier")
SUPPLIER_ENCRYPTION = rsa_key("supplier encryption")
STRANGER_KEY = rsa_key("stranger")

PUPIL: Mapping[str, tuple[str, ...]] = {
    "uid": ("sanne@vuurvogel.example",),
    "employeeNumber": ("700123",),
    "givenName": ("Sanne",),
    "sn": ("de Vries",),
    "eduPersonAffiliation": ("student",),
    "nlEduPersonHomeOrganizationId": ("11AA",),
}

Signed = Literal["assertion", "response", "both", "nothing"]
Edit = Callable[[Element], object]


def saml(local: str) -> str:
    return f"{{{n.SAML}}}{local}"


def samlp(local: str) -> str:
    return f"{{{n.SAMLP}}}{local}"


def attributes_in(element: Element) -> dict[str, str]:
    """Return the XML attributes of an element."""
    return {str(name): str(value) for name, value in element.attrib.items()}


def nothing(_element: Element) -> None:
    """Leave a tree as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the made-up school answers; the defaults are what we expect. None leaves out."""

    response_issuer: str | None = SCHOOL_ENTITY
    destination: str | None = BROKER_ACS
    response_in_response_to: str | None = REQUEST_ID
    status: tuple[str, ...] = (n.STATUS_SUCCESS,)
    issuer: str = SCHOOL_ENTITY
    issue_instant: datetime = NOW
    name_id: str | None = "sanne@vuurvogel.example"
    name_id_attributes: Mapping[str, str] = field(
        default_factory=lambda: {"Format": n.NAMEID_UNSPECIFIED}
    )
    recipient: str | None = BROKER_ACS
    in_response_to: str | None = REQUEST_ID
    confirmed_until: datetime | None = NOW + 5 * MINUTE
    confirmed_from: datetime | None = None
    confirmations: int = 1
    not_before: datetime | None = NOW
    not_on_or_after: datetime | None = NOW + 5 * MINUTE
    audiences: tuple[tuple[str, ...], ...] = ((BROKER_SP,),)
    authn_instant: datetime = NOW
    session_until: datetime | None = None
    session_index: str | None = "_session"
    authn_context: str | None = n.AUTHN_PASSWORD
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: PUPIL)
    edit_assertion: Edit = nothing
    edit_response: Edit = nothing
    tamper: Edit = nothing
    signed: Signed = "assertion"
    encrypted: bool = False
    key: PartyKey = SCHOOL_KEY


def a_response_form(**changes: Any) -> PostedForm:
    """Return what a browser posts to our assertion consumer service."""
    form = build_post_form(
        BROKER_ACS, serialize(a_response(**changes)), kind="SAMLResponse", relay_state="handle"
    )
    return form.fields


def a_response(**changes: Any) -> Element:
    """Return a school's Response."""
    answer = replace(Answer(), **changes)
    response = build_element(
        samlp("Response"),
        {
            "ID": "_response",
            "Version": "2.0",
            "IssueInstant": format_instant(answer.issue_instant),
            "Destination": answer.destination,
            "InResponseTo": answer.response_in_response_to,
        },
        *_texts("Issuer", answer.response_issuer),
        build_element(samlp("Status"), {}, _status(answer.status)),
        nsmap=dict(n.NSMAP_PROTOCOL),
    )
    if answer.status == (n.STATUS_SUCCESS,):
        response.append(_sealed(answer))
    answer.edit_response(response)
    if answer.signed in ("response", "both"):
        XML.sign(response, key=answer.key.signing)
    answer.tamper(response)
    return response


def a_signed_assertion(**changes: Any) -> Element:
    """Return a school's assertion, signed unless `signed` says otherwise."""
    return _assertion(replace(Answer(), **changes))


def _sealed(answer: Answer) -> Element:
    assertion = _assertion(answer)
    if not answer.encrypted:
        return assertion
    return XML.encrypt(assertion, recipient=BROKER_ENCRYPTION.encryption)


def _assertion(answer: Answer) -> Element:
    assertion = build_element(
        saml("Assertion"),
        {
            "ID": "_assertion",
            "Version": "2.0",
            "IssueInstant": format_instant(answer.issue_instant),
        },
        build_element(saml("Issuer"), text=answer.issuer),
        _subject(answer),
        build_element(
            saml("Conditions"),
            {
                "NotBefore": _instant(answer.not_before),
                "NotOnOrAfter": _instant(answer.not_on_or_after),
            },
            *(
                build_element(
                    saml("AudienceRestriction"),
                    {},
                    *(build_element(saml("Audience"), text=each) for each in restriction),
                )
                for restriction in answer.audiences
            ),
        ),
        build_element(
            saml("AuthnStatement"),
            {
                "AuthnInstant": format_instant(answer.authn_instant),
                "SessionIndex": answer.session_index,
                "SessionNotOnOrAfter": _instant(answer.session_until),
            },
            build_element(
                saml("AuthnContext"),
                {},
                *_texts("AuthnContextClassRef", answer.authn_context),
                *([] if answer.authn_context else _texts("AuthnContextDeclRef", "urn:x:ours")),
            ),
        ),
        build_element(
            saml("AttributeStatement"),
            {},
            *(an_attribute(name, *values) for name, values in answer.attributes.items()),
        ),
        nsmap=dict(n.NSMAP_ASSERTION),
    )
    answer.edit_assertion(assertion)
    if answer.signed in ("assertion", "both"):
        XML.sign(assertion, key=answer.key.signing)
    return assertion


def _subject(answer: Answer) -> Element:
    name_id = []
    if answer.name_id is not None:
        name_id = [build_element(saml("NameID"), answer.name_id_attributes, text=answer.name_id)]
    confirmation = {
        "Recipient": answer.recipient,
        "InResponseTo": answer.in_response_to,
        "NotOnOrAfter": _instant(answer.confirmed_until),
        "NotBefore": _instant(answer.confirmed_from),
    }
    return build_element(
        saml("Subject"),
        {},
        *name_id,
        *(
            build_element(
                saml("SubjectConfirmation"),
                {"Method": n.CONFIRMATION_BEARER},
                build_element(saml("SubjectConfirmationData"), confirmation),
            )
            for _ in range(answer.confirmations)
        ),
    )


def an_attribute(name: str, *values: str) -> Element:
    return build_element(
        saml("Attribute"),
        {"Name": name, "NameFormat": n.ATTRNAME_BASIC},
        *(build_element(saml("AttributeValue"), text=each) for each in values),
    )


def _status(codes: tuple[str, ...]) -> Element:
    first, *below = codes
    nested = [_status(tuple(below))] if below else []
    return build_element(samlp("StatusCode"), {"Value": first}, *nested)


def _texts(local: str, text: str | None) -> list[Element]:
    return [] if text is None else [build_element(saml(local), text=text)]


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)


def a_school_idp(**changes: Any) -> SchoolIdp:
    """Return the school's registered login; changes are of its endpoints."""
    endpoints = {
        "entity_id": SCHOOL_ENTITY,
        "sso_redirect_url": SCHOOL_SSO,
        "signing_certificates": (SCHOOL_KEY.certificate,),
    }
    return SchoolIdp(
        id=SchoolIdpId("vuurvogel-login"),
        schools=(SchoolId("vuurvogel"),),
        state=State.TEST,
        endpoints=SamlIdpEndpoints(**(endpoints | changes)),
        school_from=SchoolFrom.FIXED,
    )


def an_expectation(**changes: Any) -> ExpectedResponse:
    """Return what the pending login says."""
    expected = ExpectedResponse(
        idp=a_school_idp(), request_id=REQUEST_ID, acs_url=BROKER_ACS, entity_id=BROKER_SP
    )
    return replace(expected, **changes)


def read(
    form: PostedForm | None = None,
    *,
    expected: ExpectedResponse | None = None,
    decryption_keys: Sequence[DecryptionKey] = (BROKER_ENCRYPTION.decryption,),
    now: datetime = NOW,
    **changes: Any,
) -> SamlLogin:
    """Read a form, or the answer that `changes` describe, as the broker does."""
    return read_response(
        a_response_form(**changes) if form is None else form,
        xml=XML,
        expected=expected or an_expectation(),
        decryption_keys=decryption_keys,
        now=now,
    )


def a_service_provider(**changes: Any) -> SamlServiceProvider:
    """Return a supplier's service provider."""
    fields: dict[str, Any] = {
        "entity_id": SUPPLIER_ENTITY,
        "assertion_consumer_services": (AssertionConsumerService(url=SUPPLIER_ACS, index=1),),
        "signing_certificates": (SUPPLIER_KEY.certificate,),
        "encryption_certificates": (SUPPLIER_ENCRYPTION.certificate,),
    }
    return SamlServiceProvider(**(fields | changes))


def a_registry(
    provider: SamlServiceProvider | None = None,
    *,
    enabled: bool = True,
    supplier_enabled: bool = True,
) -> Registry:
    """Return a registry with one supplier that has one service provider."""
    party = RelyingParty(
        id=RelyingPartyId("taaltuin"),
        supplier=SupplierId("taaltuin"),
        start_url="https://taaltuin.example/",
        protocol=provider or a_service_provider(),
        enabled=enabled,
    )
    supplier = Supplier(
        id=SupplierId("taaltuin"),
        legal_name="Taaltuin BV",
        display_name="Taaltuin",
        state=State.TEST,
        relying_parties=(party,),
        epoch="a",
        enabled=supplier_enabled,
    )
    return build_registry(1, schools=(), idps=(), suppliers=(supplier,), agreements=())


def an_authn_request(
    *children: Element, issuer: str | None = SUPPLIER_ENTITY, **changes: Any
) -> Element:
    """Return a supplier's AuthnRequest.

    Args:
        children: behind the Issuer.
        changes: XML attributes; None leaves one out.
    """
    attributes: dict[str, str | None] = {
        "ID": REQUEST_ID,
        "Version": "2.0",
        "IssueInstant": format_instant(NOW),
        "Destination": BROKER_SSO,
        "AssertionConsumerServiceURL": SUPPLIER_ACS,
        "ProtocolBinding": n.BINDING_POST,
    }
    return build_element(
        samlp("AuthnRequest"),
        attributes | changes,
        *_texts("Issuer", issuer),
        *children,
        nsmap=dict(n.NSMAP_PROTOCOL),
    )


def as_query(
    request: Element, *, relay_state: str | None = "les-3", key: PartyKey | None = None
) -> bytes:
    """Return the raw query by which a request arrives, signed when there is a key."""
    redirect = build_redirect(
        BROKER_SSO,
        serialize(request),
        kind="SAMLRequest",
        relay_state=relay_state,
        signing_key=None if key is None else key.signing,
        xml=XML,
    )
    return urlsplit(redirect.url).query.encode()


def as_form(
    request: Element, *, relay_state: str | None = "les-3", key: PartyKey | None = None
) -> PostedForm:
    """Return the form by which a request arrives, signed when there is a key."""
    if key is not None:
        XML.sign(request, key=key.signing)
    form = build_post_form(
        BROKER_SSO, serialize(request), kind="SAMLRequest", relay_state=relay_state
    )
    return form.fields
