"""Our answer to a supplier's service provider: a Response with one assertion, or with an error.

SAML core 2 and 3.3.3, profiles 4.1.4.2. Values are set on a tree, so markup in them stays text.

**One signature, around the Response.** saml2int (IDP09) asks for it, pysaml2 demands it by default
(`want_response_signed`), and Shibboleth, mod_auth_mellon and SimpleSAMLphp accept an assertion
inside a signed Response. It covers status, destination and an encrypted assertion; a second
signature would prove nothing more and cost 0.5 ms.

Nothing here is shared between two suppliers but our own entity id: ids and SessionIndex are random,
times are floored, and AuthenticatingAuthority is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from broker.domain.attributes import VOCABULARY, AttributeName
from broker.domain.refusals import Refusal
from broker.domain.release import ReleaseDecision
from broker.domain.relying_parties import SamlServiceProvider
from broker.saml_idp.refusals import AnswerTo, CannotEncrypt
from broker.saml_idp.request import CheckedAuthnRequest
from broker.saml_xml.elements import Element, add_element, build_element, serialize
from broker.saml_xml.forms import PostForm, build_post_form
from broker.saml_xml.instants import format_instant
from broker.saml_xml.keys import SigningKey
from broker.saml_xml.names import (
    ATTRNAME_BASIC,
    AUTHN_UNSPECIFIED,
    CONFIRMATION_BEARER,
    NAMEID_PERSISTENT,
    NAMEID_TRANSIENT,
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

ASSERTION_LIFETIME = timedelta(seconds=300)  # a browser posts at once
BACKDATED = timedelta(seconds=60)  # suppliers' clocks lag, and some allow no skew at all
INSTANT_STEP_MINUTES = 5  # two suppliers must not match moments

PREVIOUS_SUB = "previous_sub"
"""Attribute by which we tell a supplier the pseudonym of before of the same person."""

Attributes = Sequence[tuple[str, tuple[str, ...]]]
"""Attribute name on the wire and its values, in order."""

_REQUESTER_FAULTS = frozenset({"InvalidNameIDPolicy", "RequestUnsupported", "NoAuthnContext"})
_TOP_LEVEL = frozenset({"Requester", "Responder"})
_NSMAP = dict(NSMAP_PROTOCOL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseIds:
    """Random values of one answer, each an NCName of at least 128 bits; never used twice.

    Attributes:
        session_index: of the supplier's session with us; the handle for logout.
        transient_name_id: used when the request asks for a transient NameID.
    """

    response_id: str
    assertion_id: str
    session_index: str = field(repr=False)
    transient_name_id: str = field(repr=False)


def attribute_names() -> Mapping[str, AttributeName]:
    """Return outgoing attribute name -> canonical name, for `release.lint_claims`.

    In both claim profiles a SAML attribute has its canonical (Entree) name, NameFormat basic.
    """
    return _ATTRIBUTE_NAMES


_ATTRIBUTE_NAMES: Mapping[str, AttributeName] = MappingProxyType(
    {str(each): each for each in VOCABULARY}
)


def build_attributes(decision: ReleaseDecision) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the attributes that a decision releases, by their names on the wire, as stated."""
    return tuple((str(each.name), each.values) for each in decision.released)


def build_response(
    request: CheckedAuthnRequest,
    *,
    service_provider: SamlServiceProvider,
    entity_id: str,
    pseudonym: str,
    previous_pseudonym: str | None = None,
    attributes: Attributes,
    authenticated_at: datetime,
    authn_context: str = AUTHN_UNSPECIFIED,
    ids: ResponseIds,
    now: datetime,
    signing_key: SigningKey,
    xml: XmlSecurity,
) -> PostForm:
    """Return the form that brings a login to the service provider.

    Args:
        service_provider: the request's, as registered now.
        entity_id: ours.
        pseudonym: the supplier's; not used, and may be empty, for a transient NameID.
        previous_pseudonym: of the same supplier and person, while our keys or accounts change.
        attributes: of `build_attributes`, linted.
        authenticated_at: our own moment, floored to 5 minutes here; that of the login at school,
            and exact, only when the request forced the login.
        authn_context: class reference; never above what the school stated.

    Raises:
        CannotEncrypt: encryption is registered and there is no key for it.
        ValueUnwritable: a value holds a character that XML cannot carry.
        ValueError: no pseudonym for a persistent NameID, which would make everybody one person; a
            mistake of ours.
    """
    if not pseudonym and not request.name_id_transient:
        raise ValueError("a persistent NameID needs a pseudonym")
    stated = list(attributes)
    if previous_pseudonym is not None:
        stated.append((PREVIOUS_SUB, (previous_pseudonym,)))
    response = _build_envelope(
        request.answer_to,
        entity_id=entity_id,
        response_id=ids.response_id,
        now=now,
        status=(STATUS_SUCCESS,),
    )
    assertion = _saml(
        response,
        "Assertion",
        {"ID": ids.assertion_id, "Version": "2.0", "IssueInstant": format_instant(now)},
    )
    _saml(assertion, "Issuer", text=entity_id)
    ends = format_instant(now + ASSERTION_LIFETIME)
    subject = _saml(assertion, "Subject")
    _add_name_id(
        subject, request, pseudonym, ids=ids, entity_id=entity_id, provider=service_provider
    )
    _add_confirmation(subject, request, ends=ends)
    _add_conditions(assertion, audience=service_provider.entity_id, now=now, ends=ends)
    statement = _saml(
        assertion,
        "AuthnStatement",
        {
            "AuthnInstant": format_instant(told_instant(authenticated_at, request=request)),
            "SessionIndex": ids.session_index,
        },
    )
    _saml(_saml(statement, "AuthnContext"), "AuthnContextClassRef", text=authn_context)
    _add_attributes(assertion, stated)
    if service_provider.encrypt_assertions:
        recipient = encryption_key_of(service_provider.encryption_certificates)
        if recipient is None:
            raise CannotEncrypt("check_encryption_key_registered")
        response.replace(assertion, xml.encrypt(assertion, recipient=recipient))
    return _sign_and_post(response, request.answer_to, signing_key=signing_key, xml=xml)


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
    return _sign_and_post(response, answer_to, signing_key=signing_key, xml=xml)


def told_instant(authenticated_at: datetime, *, request: CheckedAuthnRequest) -> datetime:
    """Return the AuthnInstant that a supplier may know: exact only if it forced the login.

    An exact one would let two suppliers match a pupil by the second of logging in at school.
    """
    if request.force_login:
        return authenticated_at
    exact = authenticated_at.astimezone(UTC)
    minute = exact.minute - exact.minute % INSTANT_STEP_MINUTES
    return exact.replace(minute=minute, second=0, microsecond=0)


def _add_name_id(
    subject: Element,
    request: CheckedAuthnRequest,
    pseudonym: str,
    *,
    ids: ResponseIds,
    entity_id: str,
    provider: SamlServiceProvider,
) -> None:
    """Core 8.3.7 and 8.3.8: both qualifiers, since some service providers store the three."""
    transient = request.name_id_transient
    _saml(
        subject,
        "NameID",
        {
            "Format": NAMEID_TRANSIENT if transient else NAMEID_PERSISTENT,
            "NameQualifier": entity_id,
            "SPNameQualifier": provider.entity_id,
        },
        text=ids.transient_name_id if transient else pseudonym,
    )


def _add_confirmation(subject: Element, request: CheckedAuthnRequest, *, ends: str) -> None:
    _saml(
        _saml(subject, "SubjectConfirmation", {"Method": CONFIRMATION_BEARER}),
        "SubjectConfirmationData",
        {
            "InResponseTo": request.request_id,
            "NotOnOrAfter": ends,
            "Recipient": request.acs_url,
        },
    )


def _add_conditions(assertion: Element, *, audience: str, now: datetime, ends: str) -> None:
    begins = format_instant(now - BACKDATED)
    conditions = _saml(assertion, "Conditions", {"NotBefore": begins, "NotOnOrAfter": ends})
    _saml(_saml(conditions, "AudienceRestriction"), "Audience", text=audience)


def _add_attributes(assertion: Element, attributes: Attributes) -> None:
    """No statement at all when nothing is released: an empty one is not allowed (core 2.7.3)."""
    if not attributes:
        return
    statement = _saml(assertion, "AttributeStatement")
    for name, values in attributes:
        attribute = _saml(statement, "Attribute", {"Name": name, "NameFormat": ATTRNAME_BASIC})
        for value in values:
            _saml(attribute, "AttributeValue", text=value)


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
            "InResponseTo": answer_to.request_id,
        },
        nsmap=_NSMAP,
    )
    _saml(response, "Issuer", text=entity_id)
    stated = around = _samlp(response, "Status")
    for code in status:
        around = _samlp(around, "StatusCode", {"Value": code})
    if status_message is not None:
        _samlp(stated, "StatusMessage", text=status_message)
    return response


def _sign_and_post(
    response: Element, answer_to: AnswerTo, *, signing_key: SigningKey, xml: XmlSecurity
) -> PostForm:
    xml.sign(response, key=signing_key)
    return build_post_form(
        answer_to.acs_url,
        serialize(response),
        kind="SAMLResponse",
        relay_state=answer_to.relay_state,
    )


def _saml(
    parent: Element,
    local: str,
    attributes: Mapping[str, str] | None = None,
    *,
    text: str | None = None,
) -> Element:
    return add_element(parent, f"{{{SAML}}}{local}", attributes, text=text)


def _samlp(
    parent: Element,
    local: str,
    attributes: Mapping[str, str] | None = None,
    *,
    text: str | None = None,
) -> Element:
    return add_element(parent, f"{{{SAMLP}}}{local}", attributes, text=text)
