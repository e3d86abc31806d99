"""An AuthnRequest of a supplier's service provider, from the wire to a `CheckedAuthnRequest`.

SAML core 3.4.1, bindings 3.4 and 3.5, profiles 4.1.4.1. The procedure is the table
in `broker.saml_idp.checks`. Nothing is sent to the service provider before it and the place for
its answers are proven: until then every refusal ends on our own page.
"""

from datetime import datetime

import msgspec

from broker.domain.ids import RelyingPartyId
from broker.domain.registry import Registry
from broker.domain.relying_parties import SamlServiceProvider
from broker.saml_idp.authn_contexts import Comparison, read_authn_contexts
from broker.saml_idp.checks import (
    ANSWERABLE_CHECKS,
    REQUEST_CHECKS,
    ReceivedRequest,
    authenticate_request,
    choose_acs_url,
    default_acs,
    find_service_provider,
)
from broker.saml_idp.refusals import AnswerTo
from broker.saml_idp.scoping import read_hints, read_requesters
from broker.saml_xml.bindings import REQUEST_MAX_BYTES, decode_post, decode_redirect
from broker.saml_xml.elements import (
    Element,
    optional_child,
    required_attribute,
)
from broker.saml_xml.forms import PostedForm, take_field, take_relay_state
from broker.saml_xml.metadata import is_true
from broker.saml_xml.names import NAMEID_TRANSIENT, SAMLP
from broker.saml_xml.refusals import MessageUnreadable, sent_by_supplier
from broker.saml_xml.security import XmlSecurity


class CheckedAuthnRequest(msgspec.Struct, frozen=True, kw_only=True, tag="saml"):
    """A request that passed every check; kept sealed in the pending login.

    The fields up to `hints` are the questions that the flow asks of any protocol's request
    (`broker.oidc_op.request` answers the same ones).

    Attributes:
        relying_party: to be looked up again at every step, since it may be disabled meanwhile.
        force_login: ForceAuthn: the school must ask for a new login.
        passive: IsPassive: no page may be shown.
        max_age_seconds: always None; SAML cannot ask it.
        hints: which school: entity id, BRIN or realm of each IDPEntry, untrusted text.
        request_id: goes back as InResponseTo; "" for a login that a link of ours began.
        acs_url: the registered place for the answer.
        relay_state: exactly as received; None when there was none.
        schools_listed: `hints` are the only schools that it wants.
        name_id_transient: the supplier wants a NameID that is another at every login.
        requested_authn_contexts: class references in the supplier's order of preference.
        authn_comparison: how the login's relates to them.
        attribute_service: index of the set of attributes that it chose of its metadata.
        on_behalf_of: systems in whose name it asks, all allowed by its document.
    """

    relying_party: RelyingPartyId
    force_login: bool = False
    passive: bool = False
    max_age_seconds: int | None = None
    hints: tuple[str, ...] = ()
    request_id: str
    acs_url: str
    relay_state: str | None = None
    name_id_transient: bool = False
    requested_authn_contexts: tuple[str, ...] = ()
    authn_comparison: Comparison = "exact"
    schools_listed: bool = False
    attribute_service: int | None = None
    on_behalf_of: tuple[RelyingPartyId, ...] = ()

    def __repr__(self) -> str:
        return f"CheckedAuthnRequest(relying_party={self.relying_party!r}, ...)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("relying_party", self.relying_party)]

    @property
    def answer_to(self) -> AnswerTo:
        """Where the answer goes."""
        return AnswerTo(
            relying_party=self.relying_party,
            request_id=self.request_id,
            acs_url=self.acs_url,
            relay_state=self.relay_state,
        )


@sent_by_supplier()
def check_authn_request(
    message: bytes | PostedForm,
    *,
    registry: Registry,
    xml: XmlSecurity,
    sso_url: str,
    entity_id: str = "",
    now: datetime,
) -> CheckedAuthnRequest:
    """Return a supplier's request after every check.

    Args:
        message: the raw bytes of a redirect's query, or the fields of a posted form.
        sso_url: ours, where the message arrived.
        entity_id: ours, which a list of schools may name.
        now: aware.

    Raises:
        AnswerableRefusal: the service provider must learn it, at `answer_to`.
        Refusal: any other; ends on our own page.
    """
    received = read_request(message, registry=registry, xml=xml)
    for check in REQUEST_CHECKS:
        check(received, sso_url, now)
    root = received.root
    answer_to = AnswerTo(
        relying_party=received.relying_party.id,
        request_id=required_attribute(root, "ID"),
        acs_url=choose_acs_url(received),
        relay_state=received.relay_state,
    )
    for answerable in ANSWERABLE_CHECKS:
        answerable(received, answer_to)
    policy = optional_child(root, f"{{{SAMLP}}}NameIDPolicy")
    hints, schools_listed = read_hints(root, entity_id=entity_id)
    comparison, contexts = read_authn_contexts(root)
    return CheckedAuthnRequest(
        relying_party=answer_to.relying_party,
        force_login=is_true(root.get("ForceAuthn")),
        passive=is_true(root.get("IsPassive")),
        hints=hints,
        schools_listed=schools_listed,
        request_id=answer_to.request_id,
        acs_url=answer_to.acs_url,
        relay_state=answer_to.relay_state,
        name_id_transient=policy is not None and policy.get("Format") == NAMEID_TRANSIENT,
        requested_authn_contexts=contexts or (),
        authn_comparison=comparison,
        attribute_service=read_attribute_service(root),
        on_behalf_of=read_requesters(root, provider=received.provider, registry=registry),
    )


def begin_unasked(
    relying_party: RelyingPartyId,
    provider: SamlServiceProvider,
    *,
    hints: tuple[str, ...],
    relay_state: str | None,
) -> CheckedAuthnRequest:
    """Return what a link of ours asks in place of a service provider (profiles 4.1.5).

    Args:
        provider: one whose document says that it takes answers that it did not ask for.
        hints: which school.
        relay_state: a page of its own, below the places that its document names.
    """
    return CheckedAuthnRequest(
        relying_party=relying_party,
        hints=hints,
        request_id="",
        acs_url=default_acs(provider.assertion_consumer_services).url,
        relay_state=relay_state,
    )


def read_request(
    message: bytes | PostedForm, *, registry: Registry, xml: XmlSecurity
) -> ReceivedRequest:
    """Return a request whose sender is known, and proven where it signs.

    Raises:
        RequestMalformed, UnknownServiceProvider, RequestNotSigned, XmlRefusal: no such request.
    """
    if isinstance(message, bytes):
        redirected = decode_redirect(message)
        if redirected.kind != "SAMLRequest":
            raise MessageUnreadable("one-message", subject="SAMLRequest")
        root = xml.parse_request(redirected.message).root
        relay_state, query_signature = redirected.relay_state, redirected.signature
    else:
        posted = take_field(message, "SAMLRequest")
        root = xml.parse_request(decode_post(posted, max_bytes=REQUEST_MAX_BYTES)).root
        relay_state, query_signature = take_relay_state(message), None
    relying_party, provider = find_service_provider(root, registry=registry)
    root, is_signed = authenticate_request(
        root, provider=provider, query_signature=query_signature, xml=xml
    )
    return ReceivedRequest(root, relying_party, provider, relay_state, is_signed)


def read_attribute_service(root: Element) -> int | None:
    """Return the index of the set of attributes that a request chooses (core 3.4.1)."""
    index = root.get("AttributeConsumingServiceIndex")
    if index is None:
        return None
    return int(index.strip("+- \t\r\n").lstrip("0") or "0")  # by the schema at most 65535
