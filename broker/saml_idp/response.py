"""Our answer to a supplier's service provider: a Response with one assertion, or with an error.

SAML core 2 and 3.3.3, profiles 4.1.4.2. Values are set on a tree, so markup in them stays text.

**What is signed** is the service provider's choice (`AnswerForm.signed`). saml2int (IDP09) wants
the Response signed, and one signature around it suffices for pysaml2, Shibboleth, mod_auth_mellon,
SimpleSAMLphp and the OneLogin family: it covers status, destination and an encrypted assertion.
node-saml wants the assertion signed besides by default, and so does whoever publishes
`WantAssertionsSigned`; that second signature costs 0.5 ms. An error is always signed itself.

Nothing here is shared between two suppliers but our own entity id: ids and SessionIndex are random,
times are floored, and AuthenticatingAuthority is left out.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from broker.domain.refusals import Refusal
from broker.domain.relying_parties import SamlServiceProvider
from broker.saml_idp.assertion import ResponseIds, Told, add_assertion
from broker.saml_idp.refusals import AnswerTo, CannotEncrypt
from broker.saml_idp.request import CheckedAuthnRequest
from broker.saml_xml.elements import (
    Element,
    add_element,
    build_element,
    serialize,
    write_indented,
)
from broker.saml_xml.forms import PostForm, build_post_form
from broker.saml_xml.instants import format_instant
from broker.saml_xml.keys import SigningKey
from broker.saml_xml.names import (
    NSMAP_PROTOCOL,
    SAML,
    SAMLP,
    STATUS_PREFIX,
    STATUS_REQUESTER,
    STATUS_RESPONDER,
    STATUS_SUCCESS,
)
from broker.saml_xml.registered_keys import encryption_key_of
from broker.saml_xml.security import XmlSecurity

_REQUESTER_FAULTS = frozenset({"InvalidNameIDPolicy", "RequestUnsupported", "NoAuthnContext"})
_TOP_LEVEL = frozenset({"Requester", "Responder"})
_NSMAP = dict(NSMAP_PROTOCOL)


def build_response(
    request: CheckedAuthnRequest,
    told: Told,
    *,
    service_provider: SamlServiceProvider,
    entity_id: str,
    ids: ResponseIds,
    now: datetime,
    signing_key: SigningKey,
    xml: XmlSecurity,
) -> PostForm:
    """Return the form that brings a login to the service provider.

    Args:
        service_provider: the request's, as registered now.
        entity_id: ours.

    Raises:
        CannotEncrypt: encryption is registered and there is no key for it.
        ValueUnwritable, ValueError: of `add_assertion`.
    """
    response = _build_envelope(
        request.answer_to,
        entity_id=entity_id,
        response_id=ids.response_id,
        now=now,
        status=(STATUS_SUCCESS,),
    )
    assertion = add_assertion(
        response,
        request,
        told,
        service_provider=service_provider,
        entity_id=entity_id,
        ids=ids,
        now=now,
    )
    signed = service_provider.answers.signed
    if signed != "response":
        xml.sign(assertion, key=signing_key)
    if service_provider.encrypt_assertions:
        recipient = encryption_key_of(
            service_provider.encryption_certificates, service_provider.encryption_methods
        )
        if recipient is None:
            raise CannotEncrypt("check_encryption_key_registered")
        response.replace(assertion, xml.encrypt(assertion, recipient=recipient))
    if signed != "assertion":
        xml.sign(response, key=signing_key)
    return _post(response, request.answer_to)


def show_assertion(
    request: CheckedAuthnRequest,
    told: Told,
    *,
    service_provider: SamlServiceProvider,
    entity_id: str,
    ids: ResponseIds,
    now: datetime,
) -> str:
    """Return the assertion of such an answer for people to read: in lines, neither signed nor
    encrypted. Arguments as of `build_response`.

    Raises:
        ValueUnwritable, ValueError: of `add_assertion`.
    """
    response = build_element(f"{{{SAMLP}}}Response", nsmap=_NSMAP)
    assertion = add_assertion(
        response,
        request,
        told,
        service_provider=service_provider,
        entity_id=entity_id,
        ids=ids,
        now=now,
    )
    return write_indented(assertion)


def build_error_response(
    answer_to: AnswerTo,
    *,
    refusal: Refusal | type[Refusal],
    entity_id: str,
    response_id: str,
    now: datetime,
    signing_key: SigningKey,
    xml: XmlSecurity,
) -> PostForm:
    """Return the form that tells the service provider that, and why, nobody comes (core 3.2.2.2).

    Of the refusal only its status and its code go out: no subject, no check, no value.
    """
    second = refusal.saml_status
    if second in _TOP_LEVEL:
        status = [STATUS_PREFIX + second]
    else:
        first = STATUS_REQUESTER if second in _REQUESTER_FAULTS else STATUS_RESPONDER
        status = [first, STATUS_PREFIX + second]
    response = _build_envelope(
        answer_to,
        entity_id=entity_id,
        response_id=response_id,
        now=now,
        status=status,
        status_message=refusal.code,
    )
    xml.sign(response, key=signing_key)
    return _post(response, answer_to)


def _build_envelope(
    answer_to: AnswerTo,
    *,
    entity_id: str,
    response_id: str,
    now: datetime,
    status: Sequence[str],
    status_message: str | None = None,
) -> Element:
    """Return a Response without what it is about.

    Args:
        status: codes, the first around the second.
    """
    response = build_element(
        f"{{{SAMLP}}}Response",
        {
            "ID": response_id,
            "Version": "2.0",
            "IssueInstant": format_instant(now),
            "Destination": answer_to.acs_url,
            "InResponseTo": answer_to.request_id or None,
        },
        nsmap=_NSMAP,
    )
    add_element(response, f"{{{SAML}}}Issuer", text=entity_id)
    stated = around = _samlp(response, "Status")
    for code in status:
        around = _samlp(around, "StatusCode", {"Value": code})
    if status_message is not None:
        _samlp(stated, "StatusMessage", text=status_message)
    return response


def _post(response: Element, answer_to: AnswerTo) -> PostForm:
    return build_post_form(
        answer_to.acs_url,
        serialize(response),
        kind="SAMLResponse",
        relay_state=answer_to.relay_state,
    )


def _samlp(
    parent: Element,
    local: str,
    attributes: Mapping[str, str] | None = None,
    *,
    text: str | None = None,
) -> Element:
    return add_element(parent, f"{{{SAMLP}}}{local}", attributes, text=text)
