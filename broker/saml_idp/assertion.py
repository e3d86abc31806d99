"""The assertion inside our answer: who it is for, whom it is about, and until when it counts.

SAML core 2, profiles 4.1.4.2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from broker.domain.relying_parties import SamlServiceProvider
from broker.saml_idp.attributes import (
    PREVIOUS_SUB,
    Attributes,
    add_attributes,
    build_pseudonym_attributes,
)
from broker.saml_idp.name_ids import NameIdKind, choose_name_id, tells_pseudonym
from broker.saml_idp.request import CheckedAuthnRequest
from broker.saml_xml.elements import Element, add_element
from broker.saml_xml.instants import format_instant
from broker.saml_xml.names import (
    AUTHN_UNSPECIFIED,
    CONFIRMATION_BEARER,
    NAMEID_PERSISTENT,
    NAMEID_TRANSIENT,
    SAML,
)

ASSERTION_LIFETIME = timedelta(seconds=300)  # a browser posts at once
BACKDATED = timedelta(seconds=60)  # suppliers' clocks lag, and some allow no skew at all
INSTANT_STEP_MINUTES = 5  # two suppliers must not match moments


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an answer tells of a login; linted before it gets here.

    Attributes:
        pseudonym: the supplier's; not used, and may be empty, where no part of the answer holds it.
        previous_pseudonym: of the same supplier and person, while our keys or accounts change.
        pairwise_scope: ours, behind a `pairwise-id`.
        attributes: of `build_attributes`, linted.
        authenticated_at: our own moment, floored to 5 minutes here; that of the login at school,
            and exact, only when the request forced the login.
        authn_context: class reference; never above what the school stated.
        session_until: from then on no logout reaches this supplier; None without a session of ours.
    """

    pseudonym: str = field(repr=False)
    previous_pseudonym: str | None = field(default=None, repr=False)
    pairwise_scope: str = ""
    attributes: Attributes = field(default=(), repr=False)
    authenticated_at: datetime
    authn_context: str = AUTHN_UNSPECIFIED
    session_until: datetime | None = None


def add_assertion(
    response: Element,
    request: CheckedAuthnRequest,
    told: Told,
    *,
    service_provider: SamlServiceProvider,
    entity_id: str,
    ids: ResponseIds,
    now: datetime,
) -> Element:
    """Put the assertion into a Response, and return it.

    Raises:
        ValueUnwritable: a value holds a character that XML cannot carry.
        ValueError: no pseudonym where the answer must hold one, which would make everybody one
            person; a mistake of ours.
    """
    transient = request.name_id_transient
    holds_pseudonym = tells_pseudonym(service_provider, transient_asked=transient)
    if holds_pseudonym and not told.pseudonym:
        raise ValueError("an answer that names somebody needs a pseudonym")
    assertion = _add(
        response,
        "Assertion",
        {"ID": ids.assertion_id, "Version": "2.0", "IssueInstant": format_instant(now)},
    )
    _add(assertion, "Issuer", text=entity_id)
    ends = format_instant(now + ASSERTION_LIFETIME)
    subject = _add(assertion, "Subject")
    kind = choose_name_id(service_provider, transient_asked=transient)
    if kind is not NameIdKind.NONE:
        _add_name_id(
            subject, kind, told, ids=ids, entity_id=entity_id, audience=service_provider.entity_id
        )
    _add_confirmation(subject, request, ends=ends)
    _add_conditions(assertion, audience=service_provider.entity_id, now=now, ends=ends)
    statement = _add(
        assertion,
        "AuthnStatement",
        {
            "AuthnInstant": format_instant(told_instant(told.authenticated_at, request=request)),
            "SessionIndex": ids.session_index,
            **_session_end(told.session_until),
        },
    )
    _add(_add(statement, "AuthnContext"), "AuthnContextClassRef", text=told.authn_context)
    names = service_provider.answers.pseudonym_attributes
    add_attributes(assertion, _stated(told, names=names if holds_pseudonym else ()))
    return assertion


def _session_end(until: datetime | None) -> dict[str, str]:
    """Core 2.7.2: when the supplier's session must end, floored as other times are."""
    if until is None:
        return {}
    return {"SessionNotOnOrAfter": format_instant(_floor(until))}


def told_instant(authenticated_at: datetime, *, request: CheckedAuthnRequest) -> datetime:
    """Return the AuthnInstant that a supplier may know: exact only if it forced the login.

    An exact one would let two suppliers match a pupil by the second of logging in at school.
    """
    if request.force_login:
        return authenticated_at
    return _floor(authenticated_at)


def _floor(instant: datetime) -> datetime:
    exact = instant.astimezone(UTC)
    minute = exact.minute - exact.minute % INSTANT_STEP_MINUTES
    return exact.replace(minute=minute, second=0, microsecond=0)


def _stated(told: Told, *, names: Sequence[str]) -> Attributes:
    previous = told.previous_pseudonym
    return (
        *told.attributes,
        *build_pseudonym_attributes(told.pseudonym, names=names, scope=told.pairwise_scope),
        *(() if previous is None else ((PREVIOUS_SUB, (previous,)),)),
    )


def _add_name_id(
    subject: Element,
    kind: NameIdKind,
    told: Told,
    *,
    ids: ResponseIds,
    entity_id: str,
    audience: str,
) -> None:
    """Core 8.3.7 and 8.3.8: both qualifiers, since some service providers store the three."""
    transient = kind is NameIdKind.TRANSIENT
    _add(
        subject,
        "NameID",
        {
            "Format": NAMEID_TRANSIENT if transient else NAMEID_PERSISTENT,
            "NameQualifier": entity_id,
            "SPNameQualifier": audience,
        },
        text=ids.transient_name_id if transient else told.pseudonym,
    )


def _add_confirmation(subject: Element, request: CheckedAuthnRequest, *, ends: str) -> None:
    _add(
        _add(subject, "SubjectConfirmation", {"Method": CONFIRMATION_BEARER}),
        "SubjectConfirmationData",
        {
            "InResponseTo": request.request_id or None,
            "NotOnOrAfter": ends,
            "Recipient": request.acs_url,
        },
    )


def _add_conditions(assertion: Element, *, audience: str, now: datetime, ends: str) -> None:
    begins = format_instant(now - BACKDATED)
    conditions = _add(assertion, "Conditions", {"NotBefore": begins, "NotOnOrAfter": ends})
    _add(_add(conditions, "AudienceRestriction"), "Audience", text=audience)


def _add(
    parent: Element,
    local: str,
    attributes: Mapping[str, str | None] | None = None,
    *,
    text: str | None = None,
) -> Element:
    return add_element(parent, f"{{{SAML}}}{local}", attributes, text=text)
