"""Messages about logging out, as targets: by POST, by redirect and by SOAP, of both kinds."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from lxml import etree

from broker.saml_xml.bindings import build_redirect_query, encode_post
from broker.saml_xml.elements import Element, serialize
from broker.saml_xml.logout.building import build_envelope
from broker.saml_xml.logout.messages import (
    LogoutAnswer,
    LogoutRequest,
    decode_envelope,
    decode_logout,
)
from broker.saml_xml.refusals import SignatureRefused
from tests.builders_encrypted import encrypted
from tests.builders_logout import (
    SOAP_SLO,
    a_logout_answer,
    a_logout_request,
    a_name,
    by_redirect,
    take_logout,
)
from tests.builders_saml import NOW, SUPPLIER_KEY, XML
from tests.fuzz.target import Target, as_it_is, same


def _signed(message: Element) -> bytes:
    XML.sign(message, key=SUPPLIER_KEY.signing)
    return serialize(message)


@cache
def _request() -> bytes:
    return _signed(a_logout_request(indexes=("_index", "_other")))


@cache
def _call() -> bytes:
    return _signed(a_logout_request(Destination=SOAP_SLO))


@cache
def _request_with_encrypted_name() -> bytes:
    return _signed(a_logout_request(name=encrypted(a_name(), wrapper="EncryptedID")))


@cache
def _answer() -> bytes:
    return _signed(a_logout_answer())


@cache
def _plain() -> bytes:
    return serialize(a_logout_request())


@cache
def _query() -> bytes:
    return by_redirect(a_logout_request(), key=SUPPLIER_KEY, relay_state="les-3")


def _with_old_signature(message: bytes, _base: str) -> bytes:
    if message == _plain():
        return _query()
    _, _, rest = _query().partition(b"&")
    return build_redirect_query(message, kind="SAMLRequest").encode() + b"&" + rest


def _sign_anew(message: bytes, _base: str) -> bytes:
    """Sign as a supplier that writes anything."""
    try:
        return _signed(etree.fromstring(message))
    except (etree.LxmlError, SignatureRefused, ValueError):
        return message


def _in_envelope(message: bytes, _base: str) -> bytes:
    try:
        return build_envelope(etree.fromstring(message))
    except etree.LxmlError:
        return message


def _read_posted(message: bytes) -> LogoutRequest | LogoutAnswer:
    name = "SAMLResponse" if b"LogoutResponse" in message else "SAMLRequest"
    arrived = decode_logout([(name, encode_post(message))], xml=XML)
    return take_logout(arrived)


def _read_query(query: bytes) -> LogoutRequest | LogoutAnswer:
    arrived = decode_logout(query, xml=XML)
    assert arrived.relay_state == "les-3"
    return take_logout(arrived)


def _read_envelope(message: bytes) -> LogoutRequest | LogoutAnswer:
    return take_logout(decode_envelope(message, xml=XML))


def _is_bounded(_honest: Any, found: LogoutRequest) -> bool:
    """Whatever a supplier writes: few sessions, a name, and an end."""
    return (
        len(found.session_indexes) <= 8
        and bool(found.name.value.strip())
        and found.usable_until > NOW
        and bool(found.message_id)
    )


LOGOUT_TARGETS: Mapping[str, Target] = {
    "logout": Target(
        {
            "request": _request,
            "request-with-encrypted-name": _request_with_encrypted_name,
            "answer": _answer,
        },
        as_it_is,
        _read_posted,
        same,
    ),
    "logout-query": Target({"query": _plain}, _with_old_signature, _read_query, same),
    "logout-envelope": Target({"request": _call}, _in_envelope, _read_envelope, same),
    "logout-of-a-liar": Target({"request": _plain}, _sign_anew, _read_posted, _is_bounded),
}
