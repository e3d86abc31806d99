"""What a supplier's AuthnRequest must be before it is answered, as a table.

`REQUEST_CHECKS` and `choose_acs_url` prove that there is somebody to answer; only then
`ANSWERABLE_CHECKS` may refuse in a way that the service provider learns.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from broker.domain.registry import Registry
from broker.domain.relying_parties import (
    AssertionConsumerService,
    RelyingParty,
    SamlServiceProvider,
)
from broker.saml_idp.authn_contexts import may_be_met, read_authn_contexts
from broker.saml_idp.name_ids import gives_format
from broker.saml_idp.refusals import (
    AcsNotRegistered,
    AnswerTo,
    AuthnContextUnknown,
    NameIdPolicyNotSupported,
    ProxyingForbidden,
    RequestForSomebodyElse,
    RequestMalformed,
    RequestNotSigned,
    RequestTooOld,
    SubjectNotSupported,
    UnknownServiceProvider,
)
from broker.saml_idp.scoping import forbids_proxying
from broker.saml_xml.bindings import QuerySignature
from broker.saml_xml.clock import CLOCK_SKEW
from broker.saml_xml.elements import Element, optional_child, required_attribute, text_of
from broker.saml_xml.instants import parse_instant
from broker.saml_xml.names import (
    BINDING_POST,
    SAML,
    SAMLP,
)
from broker.saml_xml.registered_keys import verification_keys
from broker.saml_xml.security import XmlSecurity

REQUEST_MAX_AGE = timedelta(seconds=600)  # ours: a browser goes at once
REQUEST_ID_MAX_CHARS = 256  # IIP-G02


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request of a registered service provider, its signature verified when there is one.

    Attributes:
        root: the AuthnRequest; the verified element when `is_signed`.
        relay_state: exactly as received.
        is_signed: a registered key of the provider signed the request or the query around it.
    """

    root: Element = field(repr=False)
    relying_party: RelyingParty
    provider: SamlServiceProvider
    relay_state: str | None = field(repr=False)
    is_signed: bool


Check = Callable[[ReceivedRequest, str, datetime], None]
AnswerableCheck = Callable[[ReceivedRequest, AnswerTo], None]


def find_service_provider(
    root: Element, *, registry: Registry
) -> tuple[RelyingParty, SamlServiceProvider]:
    """Return the enabled service provider that the request names (profiles 4.1.4.1).

    Raises:
        RequestMalformed: no AuthnRequest, or one without Issuer.
        UnknownServiceProvider: not registered, or it or its supplier is disabled.
    """
    if root.tag != f"{{{SAMLP}}}AuthnRequest":
        raise RequestMalformed("check_is_authn_request")
    issuer = optional_child(root, f"{{{SAML}}}Issuer")
    if issuer is None:
        raise RequestMalformed("check_issuer_stated")
    party = registry.by_sp_entity_id.get(text_of(issuer))
    if party is None or not isinstance(party.protocol, SamlServiceProvider):
        raise UnknownServiceProvider("check_service_provider_registered")
    if not party.enabled or not registry.suppliers[party.supplier].enabled:
        raise UnknownServiceProvider("check_service_provider_enabled")
    return party, party.protocol


def authenticate_request(
    root: Element,
    *,
    provider: SamlServiceProvider,
    query_signature: QuerySignature | None,
    xml: XmlSecurity,
) -> tuple[Element, bool]:
    """Return the request to read from here on, and whether it is signed.

    Every signature that is there is verified, also where none is required, and by registered keys
    only. For the redirect binding that is the one over the raw query (bindings 3.4.4.1), and one
    inside besides, if there is one.

    Raises:
        RequestNotSigned: this provider signs, and this request is not signed.
        XmlRefusal: a signature does not hold, or no key is registered.
    """
    keys = verification_keys(provider.signing_certificates)
    is_signed = query_signature is not None
    if query_signature is not None:
        xml.verify_query(query_signature, keys=keys)
    if xml.is_signed(root):
        root, is_signed = xml.verify(root, keys=keys).root, True
    if provider.require_signed_requests and not is_signed:
        raise RequestNotSigned("check_signed")
    return root, is_signed


def check_version(received: ReceivedRequest, _sso_url: str, _now: datetime) -> None:
    """SAML core 4.1.3.1: a request of SAML 2.0."""
    if required_attribute(received.root, "Version") != "2.0":
        raise RequestMalformed("check_version")


def check_request_id(received: ReceivedRequest, _sso_url: str, _now: datetime) -> None:
    """SAML core 1.3.4: an ID of sane length, since it goes back in the answer."""
    if not 0 < len(required_attribute(received.root, "ID")) <= REQUEST_ID_MAX_CHARS:
        raise RequestMalformed("check_request_id")


def check_destination(received: ReceivedRequest, sso_url: str, _now: datetime) -> None:
    """SAML bindings 3.4.5.2 and 3.5.5.2: sent here; must be stated when the request is signed."""
    destination = received.root.get("Destination")
    if destination != sso_url and (received.is_signed or destination is not None):
        raise RequestForSomebodyElse("check_destination")


def check_issue_instant(received: ReceivedRequest, _sso_url: str, now: datetime) -> None:
    """SAML core 3.2.1: made just now, so that an old page begins no login."""
    age = now - parse_instant(required_attribute(received.root, "IssueInstant"))
    if not -CLOCK_SKEW <= age <= REQUEST_MAX_AGE + CLOCK_SKEW:
        raise RequestTooOld("check_issue_instant")


REQUEST_CHECKS: tuple[Check, ...] = (
    check_version,
    check_request_id,
    check_destination,
    check_issue_instant,
)


def choose_acs_url(received: ReceivedRequest) -> str:
    """Return the registered place for the answer (core 3.4.1, metadata 2.2.3).

    By URL, exactly as registered; else by index; else the default.

    Raises:
        RequestMalformed: both URL and index.
        AcsNotRegistered: no such place, or another binding than POST.
    """
    url = received.root.get("AssertionConsumerServiceURL")
    index = received.root.get("AssertionConsumerServiceIndex")
    if url is not None and index is not None:
        raise RequestMalformed("check_acs_named_once")
    if received.root.get("ProtocolBinding") not in (None, BINDING_POST):
        raise AcsNotRegistered("check_protocol_binding_registered")
    services = received.provider.assertion_consumer_services
    if url is None and index is None:
        return default_acs(services).url
    for each in services:
        if each.url == url or (index is not None and str(each.index) == index):
            return each.url
    raise AcsNotRegistered("check_acs_registered")


def default_acs(services: tuple[AssertionConsumerService, ...]) -> AssertionConsumerService:
    """Return the one marked as default, else the first (metadata 2.2.3)."""
    return next((each for each in services if each.is_default), services[0])


def check_no_subject(received: ReceivedRequest, answer_to: AnswerTo) -> None:
    """SAML core 3.4.1.2: a request about one person is not answered."""
    if optional_child(received.root, f"{{{SAML}}}Subject") is not None:
        raise SubjectNotSupported("check_no_subject", answer_to=answer_to)


def check_name_id_policy(received: ReceivedRequest, answer_to: AnswerTo) -> None:
    """SAML core 3.4.1.1: a kind of NameID that we give, for this service provider itself.

    AllowCreate changes nothing: a pseudonym is derived, never created.
    """
    policy = optional_child(received.root, f"{{{SAMLP}}}NameIDPolicy")
    if policy is None:
        return
    ours = policy.get("SPNameQualifier") in (None, received.provider.entity_id)
    if not ours or not gives_format(received.provider, policy.get("Format")):
        raise NameIdPolicyNotSupported("check_name_id_policy", answer_to=answer_to)


def check_proxying_allowed(received: ReceivedRequest, answer_to: AnswerTo) -> None:
    """SAML core 3.4.1.5.1: a school logs the person in, so a ProxyCount of 0 is exceeded."""
    if forbids_proxying(received.root):
        raise ProxyingForbidden("check_proxying_allowed", answer_to=answer_to)


def check_authn_context(received: ReceivedRequest, answer_to: AnswerTo) -> None:
    """SAML core 3.3.2.2.1: what no login could meet is said before anybody goes to school.

    Whether this login meets the rest is seen when the school has answered.
    """
    _, wanted = read_authn_contexts(received.root)
    if wanted is not None and not may_be_met(wanted):
        raise AuthnContextUnknown("check_authn_context", answer_to=answer_to)


ANSWERABLE_CHECKS: tuple[AnswerableCheck, ...] = (
    check_no_subject,
    check_name_id_policy,
    check_proxying_allowed,
    check_authn_context,
)
