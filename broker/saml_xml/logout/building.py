"""What we send about logging out: requests to parties, answers to theirs. Not signed yet."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from broker.saml_xml.elements import Element, add_element, build_element, serialize
from broker.saml_xml.instants import format_instant
from broker.saml_xml.logout.messages import LOGOUT_REQUEST, LOGOUT_RESPONSE, NameIdentifier
from broker.saml_xml.names import NSMAP_PROTOCOL, SAML, SAMLP, SOAP

LOGOUT_LIFETIME = timedelta(seconds=300)  # of what we ask
REASON_USER = "urn:oasis:names:tc:SAML:2.0:logout:user"  # core 3.7.3


def build_logout_request(
    *,
    message_id: str,
    entity_id: str,
    destination: str,
    name: NameIdentifier,
    session_index: str | None,
    now: datetime,
) -> Element:
    """Return our LogoutRequest to a party, not signed yet (core 3.7.1).

    Args:
        entity_id: ours, in the role in which the party knows us.
        name, session_index: as that party and we named person and session; nobody else's.
    """
    root = build_element(
        LOGOUT_REQUEST,
        {
            "ID": message_id,
            "Version": "2.0",
            "IssueInstant": format_instant(now),
            "Destination": destination,
            "NotOnOrAfter": format_instant(now + LOGOUT_LIFETIME),
            "Reason": REASON_USER,
        },
        nsmap=dict(NSMAP_PROTOCOL),
    )
    add_element(root, f"{{{SAML}}}Issuer", text=entity_id)
    add_element(
        root,
        f"{{{SAML}}}NameID",
        {
            "Format": name.format or None,
            "NameQualifier": name.name_qualifier,
            "SPNameQualifier": name.sp_name_qualifier,
        },
        text=name.value,
    )
    if session_index is not None:
        add_element(root, f"{{{SAMLP}}}SessionIndex", text=session_index)
    return root


def build_logout_answer(
    *,
    message_id: str,
    entity_id: str,
    destination: str | None,
    in_response_to: str,
    status: Sequence[str],
    now: datetime,
) -> Element:
    """Return our LogoutResponse, not signed yet (core 3.7.2).

    Args:
        destination: None by SOAP, which answers on the same connection.
        status: codes, the first around the second.
    """
    root = build_element(
        LOGOUT_RESPONSE,
        {
            "ID": message_id,
            "Version": "2.0",
            "IssueInstant": format_instant(now),
            "Destination": destination,
            "InResponseTo": in_response_to,
        },
        nsmap=dict(NSMAP_PROTOCOL),
    )
    add_element(root, f"{{{SAML}}}Issuer", text=entity_id)
    around = add_element(root, f"{{{SAMLP}}}Status")
    for code in status:
        around = add_element(around, f"{{{SAMLP}}}StatusCode", {"Value": code})
    return root


def build_envelope(message: Element) -> bytes:
    """Return a signed message in a SOAP 1.1 envelope (bindings 3.2.2.1)."""
    return _in_envelope(message)


def build_fault(code: str) -> bytes:
    """Return what a caller by SOAP gets whose message is refused (SOAP 1.1 4.4): our code alone."""
    fault = build_element(_soap("Fault"), nsmap={"soap": SOAP})
    add_element(fault, "faultcode", text="soap:Client")
    add_element(fault, "faultstring", text=code)
    return _in_envelope(fault)


def _in_envelope(held: Element) -> bytes:
    body = build_element(_soap("Body"), {}, held, nsmap={"soap": SOAP})
    return serialize(build_element(_soap("Envelope"), {}, body, nsmap={"soap": SOAP}))


def _soap(local: str) -> str:
    return f"{{{SOAP}}}{local}"
