"""What makes a message of any kind dear to read, just inside the limits or just outside them.

Each goes into the Extensions of a message that its sender signed before, where the schema takes
anything: the signature is an honest one and does not hold any more, so that nothing but the digest
of the whole tells the forgery.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from secrets import token_urlsafe

from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element

TEXT_CHARACTERS = 44_000
"""So that the message, in base64, stays under its limit."""
TREE = 330
"""Elements, of which each has a start and an end tag: under the limit on tags."""
ATTRIBUTES = 1_900
NAMESPACES = 380
DEPTH = 34
REFERENCES = 90
CERTIFICATES = 28

Burden = Callable[[Element], None]
"""Loads a signed message."""


def huge_text(message: Element) -> None:
    """One long text."""
    _extend(message, build_element("{urn:x}y", text="x" * TEXT_CHARACTERS))


def huge_tree(message: Element) -> None:
    """Many elements beside each other."""
    _extend(message, *(build_element("{urn:x}y", text="x") for _ in range(TREE)))


def many_attributes(message: Element) -> None:
    """Many attributes of one element: canonicalisation sorts them."""
    names = {f"a{number}": "x" for number in range(ATTRIBUTES)}
    _extend(message, build_element("{urn:x}y", names))


def many_namespaces(message: Element) -> None:
    """Many declarations that nothing uses, around everything."""
    _extend(
        message, build_element("{urn:x}y", nsmap={f"p{n_}": "urn:p" for n_ in range(NAMESPACES)})
    )


def deep_nesting(message: Element) -> None:
    """As deep as may be."""
    _extend(message, _nested(DEPTH))


def too_deep_nesting(message: Element) -> None:
    """Deeper than may be, found out after parsing."""
    _extend(message, _nested(10 * DEPTH))


def many_references(message: Element) -> None:
    """SignedInfo with many References."""
    reference = _find(message, "Reference")
    for _ in range(REFERENCES):
        reference.addnext(deepcopy(reference))


def many_certificates(message: Element) -> None:
    """KeyInfo with many certificates, each of which could be tried; none is, so that the value has
    to be wrong besides."""
    other_value(message)
    certificate = _find(message, "X509Certificate")
    for _ in range(CERTIFICATES):
        certificate.addnext(deepcopy(certificate))


def many_signatures(message: Element) -> None:
    """Signatures further down, which each could be verified."""
    signature = _find(message, "Signature")
    _extend(message, *(deepcopy(signature) for _ in range(12)))


def other_value(message: Element) -> None:
    """The signature's value is another one of the same length."""
    value = _find(message, "SignatureValue")
    value.text = (value.text or "")[::-1].lstrip("=") + "=="


def other_id(message: Element) -> None:
    """The signature covers another message than this one."""
    message.set("ID", f"_{token_urlsafe(20)}")


BURDENS: Mapping[str, Burden] = {
    each.__name__: each
    for each in (
        other_value,
        other_id,
        huge_text,
        huge_tree,
        many_attributes,
        many_namespaces,
        deep_nesting,
        too_deep_nesting,
        many_references,
        many_certificates,
        many_signatures,
    )
}


def _extend(message: Element, *inside: Element) -> None:
    """Put Extensions behind Issuer and Signature."""
    extensions = build_element(f"{{{n.SAMLP}}}Extensions", {}, *inside)
    _find(message, "Signature").addnext(extensions)


def _nested(depth: int) -> Element:
    innermost = build_element("{urn:x}y")
    for _ in range(depth):
        innermost = build_element("{urn:x}y", {}, innermost)
    return innermost


def _find(element: Element, local: str) -> Element:
    return next(element.iter(f"{{{n.DS}}}{local}"))
