"""Messages about logging out of made-up parties, each flawless until a test says what differs."""

from collections.abc import Callable, Sequence
from typing import Any

from broker.saml_xml import names as n
from broker.saml_xml.bindings import MessageKind
from broker.saml_xml.elements import Element, build_element, serialize
from broker.saml_xml.forms import PostedForm, build_post_form, build_redirect
from broker.saml_xml.instants import format_instant
from broker.saml_xml.logout.building import build_envelope
from broker.saml_xml.logout.messages import (
    ArrivedLogout,
    LogoutAnswer,
    LogoutRequest,
    authenticate_logout,
)
from broker.saml_xml.logout.reading import read_logout_answer, read_logout_request
from tests.builders_saml import (
    BROKER_ENCRYPTION,
    NOW,
    SUPPLIER_ENTITY,
    SUPPLIER_KEY,
    XML,
    saml,
    samlp,
)
from tests.saml_xml.corpus.keys import PartyKey

IDP_SLO = "https://broker.example/saml/idp/slo"
SP_SLO = "https://broker.example/saml/sp/slo"
SOAP_SLO = IDP_SLO + "/soap"
REQUEST_ID = "_logout-0123456789abcdef"


def a_name(value: str = "pseudonym", **attributes: str) -> Element:
    return build_element(saml("NameID"), attributes, text=value)


def a_logout_request(
    *children: Element,
    issuer: str | None = SUPPLIER_ENTITY,
    name: Element | None = None,
    indexes: Sequence[str] = ("_index",),
    **changes: Any,
) -> Element:
    """Return a LogoutRequest.

    Args:
        children: between Issuer and name.
        name: NameID, EncryptedID or BaseID.
        changes: XML attributes; None leaves one out.
    """
    attributes: dict[str, str | None] = {
        "ID": REQUEST_ID,
        "Version": "2.0",
        "IssueInstant": format_instant(NOW),
        "Destination": IDP_SLO,
    }
    return build_element(
        samlp("LogoutRequest"),
        attributes | changes,
        *([] if issuer is None else [build_element(saml("Issuer"), text=issuer)]),
        *children,
        a_name() if name is None else name,
        *(build_element(samlp("SessionIndex"), text=each) for each in indexes),
        nsmap=dict(n.NSMAP_PROTOCOL),
    )


def a_logout_answer(
    *,
    issuer: str | None = SUPPLIER_ENTITY,
    status: Sequence[str] = (n.STATUS_SUCCESS,),
    **changes: Any,
) -> Element:
    """Return a LogoutResponse; arguments as of `a_logout_request`."""
    attributes: dict[str, str | None] = {
        "ID": "_answer",
        "Version": "2.0",
        "IssueInstant": format_instant(NOW),
        "Destination": IDP_SLO,
        "InResponseTo": REQUEST_ID,
    }
    code: Element | None = None
    for each in reversed(status):
        inside = [] if code is None else [code]
        code = build_element(samlp("StatusCode"), {"Value": each}, *inside)
    return build_element(
        samlp("LogoutResponse"),
        attributes | changes,
        *([] if issuer is None else [build_element(saml("Issuer"), text=issuer)]),
        build_element(samlp("Status"), {}, *([] if code is None else [code])),
        nsmap=dict(n.NSMAP_PROTOCOL),
    )


Arrives = Callable[..., bytes | PostedForm]


def by_redirect(message: Element, *, key: PartyKey | None, relay_state: str | None = None) -> bytes:
    """Return the raw query by which a message arrives, signed when there is a key."""
    redirect = build_redirect(
        "https://broker.example/slo",
        serialize(message),
        kind=_kind(message),
        relay_state=relay_state,
        signing_key=None if key is None else key.signing,
        xml=XML,
    )
    return redirect.url.partition("?")[2].encode()


def by_post(
    message: Element, *, key: PartyKey | None, relay_state: str | None = None
) -> PostedForm:
    """Return the form by which a message arrives, signed when there is a key."""
    if key is not None:
        XML.sign(message, key=key.signing)
    return build_post_form(
        "https://broker.example/slo",
        serialize(message),
        kind=_kind(message),
        relay_state=relay_state,
    ).fields


def by_soap(message: Element, *, key: PartyKey | None) -> bytes:
    """Return the envelope by which a message arrives, signed when there is a key."""
    if key is not None:
        XML.sign(message, key=key.signing)
    return build_envelope(message)


def take_logout(arrived: ArrivedLogout) -> LogoutRequest | LogoutAnswer:
    """Return what a message of the supplier says, as we take it where it arrived."""
    signed = authenticate_logout(arrived, keys=[SUPPLIER_KEY.verification], xml=XML)
    how: dict[str, Any] = {
        "binding": arrived.binding,
        "url": SOAP_SLO if arrived.binding == "soap" else IDP_SLO,
        "now": NOW,
    }
    if not arrived.is_request:
        return read_logout_answer(signed, request_id=REQUEST_ID, **how)
    keys = [BROKER_ENCRYPTION.decryption]
    return read_logout_request(signed, decryption_keys=keys, xml=XML, **how)


def _kind(message: Element) -> MessageKind:
    return "SAMLRequest" if message.tag == samlp("LogoutRequest") else "SAMLResponse"
