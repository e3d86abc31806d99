"""What a signed message about logging out must be, as tables of small functions.

They take the message, the place of ours where it arrived, and the moment.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from broker.saml_xml.clock import CLOCK_SKEW
from broker.saml_xml.elements import Element, children_of, required_attribute, text_of
from broker.saml_xml.instants import parse_instant
from broker.saml_xml.logout.refusals import (
    LogoutForSomebodyElse,
    LogoutMalformed,
    LogoutNotAsked,
    LogoutOutOfTime,
)
from broker.saml_xml.names import SAMLP

LOGOUT_MAX_AGE = timedelta(seconds=600)  # ours, as of a request to log in: a browser goes at once
MESSAGE_ID_MAX_CHARS = 256  # IIP-G02
SESSION_INDEXES_MAX = 8
"""Ours: each is looked up. A service provider has one session of a person in one browser."""

Check = Callable[[Element, str, datetime], None]


def check_version(root: Element, _url: str, _now: datetime) -> None:
    """SAML core 4.1.3: a message of SAML 2.0."""
    if required_attribute(root, "Version") != "2.0":
        raise LogoutMalformed("check_version")


def check_message_id(root: Element, _url: str, _now: datetime) -> None:
    """SAML core 1.3.4: an ID of sane length, since it goes back in the answer."""
    if not 0 < len(required_attribute(root, "ID")) <= MESSAGE_ID_MAX_CHARS:
        raise LogoutMalformed("check_message_id")


def check_destination(root: Element, url: str, _now: datetime) -> None:
    """SAML bindings 3.4.5.2, 3.5.5.2: it says that it was sent here."""
    if root.get("Destination") != url:
        raise LogoutForSomebodyElse("check_destination")


def check_destination_of_envelope(root: Element, url: str, _now: datetime) -> None:
    """SAML core 3.2.1: by SOAP the place may be left out, and must be right when it is there.

    pysaml2 leaves it empty.
    """
    if root.get("Destination") not in (None, "", url):
        raise LogoutForSomebodyElse("check_destination")


def check_issue_instant(root: Element, _url: str, now: datetime) -> None:
    """SAML core 3.2.1: made just now."""
    age = now - parse_instant(required_attribute(root, "IssueInstant"))
    if not -CLOCK_SKEW <= age <= LOGOUT_MAX_AGE + CLOCK_SKEW:
        raise LogoutOutOfTime("check_issue_instant")


def check_not_on_or_after(root: Element, _url: str, now: datetime) -> None:
    """SAML core 3.7.1: before the end that the request states, when it states one."""
    end = root.get("NotOnOrAfter")
    if end is not None and now >= parse_instant(end) + CLOCK_SKEW:
        raise LogoutOutOfTime("check_not_on_or_after")


def check_session_indexes(root: Element, _url: str, _now: datetime) -> None:
    """Ours: few sessions, each named once in a sane length."""
    found = [text_of(each) for each in children_of(root, f"{{{SAMLP}}}SessionIndex")]
    if len(found) > SESSION_INDEXES_MAX or any(
        not 0 < len(each) <= MESSAGE_ID_MAX_CHARS for each in found
    ):
        raise LogoutMalformed("check_session_indexes")


MESSAGE_CHECKS: tuple[Check, ...] = (
    check_version,
    check_message_id,
    check_destination,
    check_issue_instant,
)
ENVELOPE_CHECKS: tuple[Check, ...] = (
    check_version,
    check_message_id,
    check_destination_of_envelope,
    check_issue_instant,
)
"""The same by SOAP."""
REQUEST_CHECKS: tuple[Check, ...] = (check_not_on_or_after, check_session_indexes)
"""Of a request, besides."""


def check_in_response_to(root: Element, request_id: str) -> None:
    """SAML core 3.2.2: an answer to the question that was asked there, in this browser."""
    if root.get("InResponseTo") != request_id:
        raise LogoutNotAsked("check_in_response_to")
