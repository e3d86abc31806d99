"""From a signed message about logging out to what it asks or answers."""

from collections.abc import Sequence
from datetime import datetime

from broker.saml_xml.clock import CLOCK_SKEW
from broker.saml_xml.elements import (
    Element,
    children_of,
    only_child,
    optional_child,
    required_attribute,
    text_of,
)
from broker.saml_xml.instants import parse_instant
from broker.saml_xml.keys import DecryptionKey
from broker.saml_xml.logout.checks import (
    ENVELOPE_CHECKS,
    LOGOUT_MAX_AGE,
    MESSAGE_CHECKS,
    REQUEST_CHECKS,
    Check,
    check_in_response_to,
)
from broker.saml_xml.logout.messages import (
    LOGOUT_REQUEST,
    LOGOUT_RESPONSE,
    LogoutAnswer,
    LogoutBinding,
    LogoutRequest,
    NameIdentifier,
    SignedLogout,
)
from broker.saml_xml.logout.refusals import LogoutMalformed
from broker.saml_xml.names import SAML, SAMLP, STATUS_PARTIAL_LOGOUT, STATUS_SUCCESS
from broker.saml_xml.security import XmlSecurity

ASYNCHRONOUS = "{urn:oasis:names:tc:SAML:2.0:protocol:ext:async-slo}Asynchronous"


def read_logout_request(
    signed: SignedLogout,
    *,
    binding: LogoutBinding,
    url: str,
    decryption_keys: Sequence[DecryptionKey],
    xml: XmlSecurity,
    now: datetime,
) -> LogoutRequest:
    """Return what a signed LogoutRequest asks, after every check.

    Args:
        url: where it arrived, of ours.
        decryption_keys: ours, for an EncryptedID.

    Raises:
        LogoutMessageRefused, XmlRefusal
    """
    root = signed.root
    if root.tag != LOGOUT_REQUEST:
        raise LogoutMalformed("check_is_logout_request")
    for check in (*_checks_of(binding), *REQUEST_CHECKS):
        check(root, url, now)
    issued_at = parse_instant(required_attribute(root, "IssueInstant"))
    ends = [issued_at + LOGOUT_MAX_AGE]
    stated_end = root.get("NotOnOrAfter")
    if stated_end is not None:
        ends.append(parse_instant(stated_end))
    extensions = optional_child(root, f"{{{SAMLP}}}Extensions")
    return LogoutRequest(
        message_id=required_attribute(root, "ID"),
        usable_until=min(ends) + CLOCK_SKEW,
        made_after=issued_at - CLOCK_SKEW,
        name=_read_name(root, decryption_keys=decryption_keys, xml=xml),
        session_indexes=tuple(
            dict.fromkeys(text_of(each) for each in children_of(root, f"{{{SAMLP}}}SessionIndex"))
        ),
        is_async=extensions is not None and bool(children_of(extensions, ASYNCHRONOUS)),
    )


def read_logout_answer(
    signed: SignedLogout, *, binding: LogoutBinding, url: str, request_id: str, now: datetime
) -> LogoutAnswer:
    """Return what a signed LogoutResponse says, after every check.

    Args:
        url: where it arrived, of ours.
        request_id: ID of our LogoutRequest to this party.

    Raises:
        LogoutMessageRefused, XmlRefusal
    """
    root = signed.root
    if root.tag != LOGOUT_RESPONSE:
        raise LogoutMalformed("check_is_logout_response")
    for check in _checks_of(binding):
        check(root, url, now)
    check_in_response_to(root, request_id)
    code = only_child(only_child(root, f"{{{SAMLP}}}Status"), f"{{{SAMLP}}}StatusCode")
    below = optional_child(code, f"{{{SAMLP}}}StatusCode")
    partial = below is not None and below.get("Value") == STATUS_PARTIAL_LOGOUT
    return LogoutAnswer(code.get("Value") == STATUS_SUCCESS and not partial)


def _checks_of(binding: LogoutBinding) -> tuple[Check, ...]:
    return ENVELOPE_CHECKS if binding == "soap" else MESSAGE_CHECKS


def _read_name(
    root: Element, *, decryption_keys: Sequence[DecryptionKey], xml: XmlSecurity
) -> NameIdentifier:
    """IIP-IDP19: also one that is encrypted to us, by any of our keys."""
    name = optional_child(root, f"{{{SAML}}}NameID")
    encrypted = optional_child(root, f"{{{SAML}}}EncryptedID")
    if encrypted is not None:
        name = xml.decrypt(encrypted, keys=decryption_keys).root
    if name is None or not text_of(name).strip():  # BaseID names nobody that we could know
        raise LogoutMalformed("check_name_stated")
    return NameIdentifier(
        text_of(name),
        name.get("Format", ""),
        name.get("NameQualifier"),
        name.get("SPNameQualifier"),
    )
