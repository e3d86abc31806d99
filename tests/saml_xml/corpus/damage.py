"""How an honest message is damaged: in its bytes, in its tree, or by an odd signature."""

import re
from collections.abc import Callable

from lxml import etree

from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element, only_child, serialize
from tests.saml_xml.corpus.by_hand import (
    Transform,
    add_key_info,
    sign_by_hand,
)
from tests.saml_xml.corpus.keys import rsa_key
from tests.saml_xml.corpus.messages import EVIL, HONEST, SECURITY, a_response, an_assertion, ds


def honest() -> bytes:
    """Return the message that most defects start from: a signed assertion."""
    response = a_response(an_assertion())
    SECURITY.sign(response[-1], key=rsa_key().signing)
    return serialize(response)


def replaced(pattern: bytes, by: bytes) -> Callable[[], bytes]:
    """Change the bytes that match `pattern`, once."""

    def make() -> bytes:
        changed, times = re.subn(pattern, by, honest(), count=1)
        if times != 1:
            raise LookupError(pattern)
        return changed

    return make


def signed(**how: object) -> Callable[[], bytes]:
    """Sign the assertion by hand, in a way that we never do; `key` may be given."""

    def make() -> bytes:
        response = a_response(an_assertion())
        key = how.get("key", rsa_key())
        options = {name: value for name, value in how.items() if name != "key"}
        sign_by_hand(response[-1], key, **options)  # type: ignore[arg-type]
        return serialize(response)

    return make


def changed(change: Callable[[Element], None]) -> Callable[[], bytes]:
    """Change the tree of the honest message."""

    def make() -> bytes:
        response = etree.fromstring(honest())
        change(response)
        return serialize(response)

    return make


def _signature(response: Element) -> Element:
    return only_child(response[-1], ds("Signature"))


def second_signed_info(response: Element) -> None:
    evil = etree.fromstring(etree.tostring(_signature(response)[0]))
    _signature(response).insert(0, evil)


def second_signature(response: Element) -> None:
    _signature(response).addnext(etree.fromstring(etree.tostring(_signature(response))))


def an_object(response: Element) -> None:
    _signature(response).append(build_element(ds("Object"), text="unsigned"))


def signature_at_the_end(response: Element) -> None:
    response[-1].append(_signature(response))


def signature_in_subject(response: Element) -> None:
    response[-1][2].append(_signature(response))


def no_signature(response: Element) -> None:
    response[-1].remove(_signature(response))


def no_id(response: Element) -> None:
    del response[-1].attrib["ID"]


def reference_type(response: Element) -> None:
    _signature(response)[0][2].set("Type", n.DS + "Object")


def text_in_digest(response: Element) -> None:
    value = next(response.iter(ds("DigestValue")))
    value.append(build_element("{urn:x}y"))


def key_of_the_attacker() -> bytes:
    response = a_response(an_assertion(name_id=EVIL))
    SECURITY.sign(response[-1], key=rsa_key("attacker").signing)
    return serialize(response)


def no_key_info_and_wrong_key() -> bytes:
    response = a_response(an_assertion(name_id=EVIL))
    sign_by_hand(response[-1], rsa_key("attacker"))
    return serialize(response)


def key_info_of_the_owner() -> bytes:
    response = a_response(an_assertion(name_id=EVIL))
    add_key_info(sign_by_hand(response[-1], rsa_key("attacker")), rsa_key())
    return serialize(response)


def foreign_reference() -> bytes:
    """The Response's signature covers the assertion only; the rest of the Response is free."""
    response = a_response(an_assertion())
    sign_by_hand(response[-1], rsa_key(), parent=response)
    return serialize(response)


def empty_uri() -> bytes:
    response = a_response(an_assertion())
    sign_by_hand(response, rsa_key(), uri="")
    return serialize(response)


def external_general_entity() -> bytes:
    doctype = b'<!DOCTYPE r [<!ENTITY pupil SYSTEM "file:///etc/hostname">]>'
    return doctype + honest().replace(HONEST.encode(), b"&pupil;", 1)


def xpath(expression: str) -> Transform:
    parameter = build_element(ds("XPath"), text=expression, nsmap={"ds": n.DS})
    return Transform("http://www.w3.org/TR/1999/REC-xpath-19991116", (parameter,))


def xslt() -> Transform:
    sheet = etree.fromstring(
        '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0">'
        '<xsl:template match="@*|node()"><xsl:copy><xsl:apply-templates select="@*|node()"/>'
        "</xsl:copy></xsl:template></xsl:stylesheet>"
    )
    return Transform("http://www.w3.org/TR/1999/REC-xslt-19991116", (sheet,))
