"""One login's answer to a service provider, and what it reads there."""

from dataclasses import fields
from typing import Any

import msgspec

from broker.domain.attributes import AttributeName
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.release import Released, ReleaseDecision
from broker.domain.saml_answer_forms import AnswerForm
from broker.saml_idp.assertion import ResponseIds, Told
from broker.saml_idp.attributes import build_attributes
from broker.saml_idp.request import CheckedAuthnRequest
from broker.saml_idp.response import build_response
from broker.saml_xml.bindings import decode_post
from broker.saml_xml.elements import Element, only_child, text_of
from broker.saml_xml.forms import PostForm
from tests.builders_saml import (
    BROKER_IDP,
    BROKER_KEY,
    NOW,
    REQUEST_ID,
    SUPPLIER_ACS,
    XML,
    a_service_provider,
    saml,
)

PSEUDONYM = "a" + "b" * 52
IDS = ResponseIds(
    response_id="_response",
    assertion_id="_assertion",
    session_index="_session",
    transient_name_id="_transient",
)
REQUEST = CheckedAuthnRequest(
    relying_party="taaltuin",  # type: ignore[arg-type]
    request_id=REQUEST_ID,
    acs_url=SUPPLIER_ACS,
    relay_state="les-3",
)
DECISION = ReleaseDecision(
    school=SchoolId("vuurvogel"),
    supplier=SupplierId("taaltuin"),
    agreement_version=1,
    released=(
        Released(AttributeName("givenName"), ("Sanne",)),
        Released(AttributeName("eduPersonAffiliation"), ("student", "affiliate")),
    ),
    withheld=(),
    missing=(),
)


def a_request(**changes: Any) -> CheckedAuthnRequest:
    return msgspec.structs.replace(REQUEST, **changes)


def build(**changes: Any) -> PostForm:
    """Return the form of an answer; changes are of what is told, or of `build_response`."""
    told: dict[str, Any] = {
        "pseudonym": PSEUDONYM,
        "attributes": build_attributes(DECISION),
        "authenticated_at": NOW,
    }
    told |= {each.name: changes.pop(each.name) for each in fields(Told) if each.name in changes}
    arguments: dict[str, Any] = {
        "request": REQUEST,
        "service_provider": a_service_provider(),
        "entity_id": BROKER_IDP,
        "ids": IDS,
        "now": NOW,
        "signing_key": BROKER_KEY.signing,
        "xml": XML,
    } | changes
    return build_response(arguments.pop("request"), Told(**told), **arguments)


def build_for(form: AnswerForm, **changes: Any) -> PostForm:
    """Return an answer in a form that a document chose."""
    return build(service_provider=a_service_provider(answers=form), **changes)


def as_sent(form: PostForm) -> Element:
    """Return the Response as it arrives, nothing verified."""
    return XML.parse(decode_post(form.fields[0][1])).root


def verified(form: PostForm) -> Element:
    """Return the Response as a supplier reads it: by the schema and our key."""
    return XML.verify(as_sent(form), keys=[BROKER_KEY.verification]).root


def assertion_of(form: PostForm) -> Element:
    return only_child(verified(form), saml("Assertion"))


def attributes_of(assertion: Element) -> dict[str, list[str]]:
    statements = assertion.findall(saml("AttributeStatement"))
    return {
        each.get("Name", ""): [text_of(value) for value in each]
        for statement in statements
        for each in statement
    }


def first(element: Element, *path: str) -> Element:
    for local in path:
        element = only_child(element, saml(local))
    return element
