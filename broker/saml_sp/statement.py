"""What a signed assertion states, read once into a record that the checks then judge.

Nothing is judged here but the shape that reading needs. Every value comes from the verified
element; the three of a Response around it may be unsigned, and are only ever compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from broker.saml_sp.login import SamlNameId
from broker.saml_sp.refusals import NameIdUnusable, ResponseMalformed
from broker.saml_xml.elements import (
    Element,
    children_of,
    only_child,
    optional_child,
    required_attribute,
    text_of,
)
from broker.saml_xml.instants import parse_instant
from broker.saml_xml.names import CONFIRMATION_BEARER, SAML
from broker.saml_xml.security import SignedElement

ASSERTION = f"{{{SAML}}}Assertion"
ENCRYPTED_ASSERTION = f"{{{SAML}}}EncryptedAssertion"
ISSUER = f"{{{SAML}}}Issuer"
SUBJECT = f"{{{SAML}}}Subject"
NAME_ID = f"{{{SAML}}}NameID"
ENCRYPTED_ID = f"{{{SAML}}}EncryptedID"
CONFIRMATION = f"{{{SAML}}}SubjectConfirmation"
CONFIRMATION_DATA = f"{{{SAML}}}SubjectConfirmationData"
CONDITIONS = f"{{{SAML}}}Conditions"
AUDIENCE_RESTRICTION = f"{{{SAML}}}AudienceRestriction"
AUDIENCE = f"{{{SAML}}}Audience"
ONE_TIME_USE = f"{{{SAML}}}OneTimeUse"
AUTHN_STATEMENT = f"{{{SAML}}}AuthnStatement"
AUTHN_CONTEXT = f"{{{SAML}}}AuthnContext"
AUTHN_CONTEXT_CLASS = f"{{{SAML}}}AuthnContextClassRef"
ATTRIBUTE_STATEMENT = f"{{{SAML}}}AttributeStatement"
ATTRIBUTE = f"{{{SAML}}}Attribute"
ENCRYPTED_ATTRIBUTE = f"{{{SAML}}}EncryptedAttribute"
ATTRIBUTE_VALUE = f"{{{SAML}}}AttributeValue"


@dataclass(frozen=True, slots=True)
class SignedAssertion:
    """An assertion that a registered key of the expected provider signed.

    Attributes:
        root: the Assertion, of or below `signed`.
        signed: what the signature covers.
        response: the Response around it, maybe unsigned: compare, never believe.
    """

    root: Element = field(repr=False)
    signed: SignedElement
    response: Element = field(repr=False)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A bearer SubjectConfirmation (SAML profiles 3.3, 4.1.4.2)."""

    recipient: str | None
    in_response_to: str | None = field(repr=False)
    not_on_or_after: datetime | None
    has_not_before: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The contents of a signed assertion, not yet checked.

    Attributes:
        response_issuer: Issuer of the Response; None when it has none.
        audiences: of each AudienceRestriction.
        conditions_understood: no condition is there but audiences and one-time use.
        attributes: incoming name -> values as sent, in order; FriendlyName is never read.
        authn_context: class reference, or "".
    """

    response_issuer: str | None
    destination: str | None
    response_in_response_to: str | None = field(repr=False)
    assertion_id: str = field(repr=False)
    issuer: str
    issue_instant: datetime
    confirmations: tuple[Confirmation, ...]
    not_before: datetime | None
    not_on_or_after: datetime | None
    audiences: tuple[tuple[str, ...], ...]
    conditions_understood: bool
    authenticated_at: datetime
    session_not_on_or_after: datetime | None
    session_index: str | None = field(repr=False)
    authn_context: str
    name_id: SamlNameId | None
    attributes: Mapping[str, tuple[str, ...]] = field(repr=False)


def read_statement(assertion: SignedAssertion) -> Statement:
    """Read a signed assertion.

    Raises:
        ResponseMalformed: no Conditions, or not exactly one AuthnStatement.
        NameIdUnusable: no Subject.
        MessageUnreadable: an instant or text that is none.
    """
    root, response = assertion.root, assertion.response
    conditions = optional_child(root, CONDITIONS)
    if conditions is None:
        raise ResponseMalformed("check_conditions_stated")
    authn_statements = children_of(root, AUTHN_STATEMENT)
    if len(authn_statements) != 1:  # saml2int IDP10
        raise ResponseMalformed("check_one_authn_statement")
    (authn,) = authn_statements
    subject = optional_child(root, SUBJECT)
    if subject is None:
        raise NameIdUnusable("check_subject_stated")
    restrictions = children_of(conditions, AUDIENCE_RESTRICTION)
    one_time_use = children_of(conditions, ONE_TIME_USE)
    return Statement(
        response_issuer=_optional_text(response, ISSUER),
        destination=response.get("Destination"),
        response_in_response_to=response.get("InResponseTo"),
        assertion_id=required_attribute(root, "ID"),
        issuer=text_of(only_child(root, ISSUER)),
        issue_instant=parse_instant(required_attribute(root, "IssueInstant")),
        confirmations=tuple(
            _read_confirmation(each)
            for each in children_of(subject, CONFIRMATION)
            if each.get("Method") == CONFIRMATION_BEARER
        ),
        not_before=_optional_instant(conditions, "NotBefore"),
        not_on_or_after=_optional_instant(conditions, "NotOnOrAfter"),
        audiences=tuple(
            tuple(text_of(audience) for audience in children_of(each, AUDIENCE))
            for each in restrictions
        ),
        conditions_understood=len(conditions) == len(restrictions) + len(one_time_use),
        authenticated_at=parse_instant(required_attribute(authn, "AuthnInstant")),
        session_not_on_or_after=_optional_instant(authn, "SessionNotOnOrAfter"),
        session_index=authn.get("SessionIndex"),
        authn_context=_optional_text(only_child(authn, AUTHN_CONTEXT), AUTHN_CONTEXT_CLASS) or "",
        name_id=_read_name_id(subject),
        attributes=_read_attributes(root),
    )


def _read_name_id(subject: Element) -> SamlNameId | None:
    name_id = optional_child(subject, NAME_ID)
    if name_id is None:  # nor a BaseID: the schemas know no form of one
        return None
    return SamlNameId(
        text_of(name_id),
        name_id.get("Format", ""),
        name_id.get("NameQualifier"),
        name_id.get("SPNameQualifier"),
    )


def _read_confirmation(confirmation: Element) -> Confirmation:
    stated = optional_child(confirmation, CONFIRMATION_DATA)
    if stated is None:
        return Confirmation(None, None, None, has_not_before=False)
    return Confirmation(
        recipient=stated.get("Recipient"),
        in_response_to=stated.get("InResponseTo"),
        not_on_or_after=_optional_instant(stated, "NotOnOrAfter"),
        has_not_before=stated.get("NotBefore") is not None,
    )


def _read_attributes(assertion: Element) -> dict[str, tuple[str, ...]]:
    """Return every attribute by its Name; one that stands there twice has the values of both."""
    found: dict[str, tuple[str, ...]] = {}
    for statement in children_of(assertion, ATTRIBUTE_STATEMENT):
        for attribute in children_of(statement, ATTRIBUTE):
            name = required_attribute(attribute, "Name")
            values = tuple(
                text_of(each)
                for each in children_of(attribute, ATTRIBUTE_VALUE)
                if not len(each)  # a structured value (eduPersonTargetedID) means nothing here
            )
            found[name] = found.get(name, ()) + values
    return found


def _optional_text(element: Element, tag: str) -> str | None:
    child = optional_child(element, tag)
    return None if child is None else text_of(child)


def _optional_instant(element: Element, name: str) -> datetime | None:
    value = element.get(name)
    return None if value is None else parse_instant(value)
