"""Verifying and making enveloped XML signatures (XML Signature 1.0, SAML core 5), narrowly.

What a signature may look like is fixed by a table of checks that runs before anything is computed.
Then, in the order in which a forgery costs least: the signature over SignedInfo, the digest of the
element, and a parse of the digested bytes, which are what the caller gets.

Nothing is looked up: the signature is a child of the element, the Reference must name that
element's ID, ids are unique (the parser holds that), and KeyInfo is never read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lxml import etree

from broker.adapters.xml.signature_algorithms import SHA2, Accepted, digest, find_signer
from broker.adapters.xml.xml_parsing import parse_own_bytes
from broker.saml_xml import names as n
from broker.saml_xml.bindings import QuerySignature, decode_base64
from broker.saml_xml.elements import Element, children_of, text_of
from broker.saml_xml.keys import VerificationKey
from broker.saml_xml.refusals import (
    MessageUnreadable,
    NoKeyRegistered,
    SignatureMissing,
    SignatureRefused,
)
from broker.saml_xml.security import SignedElement

XML_WHITESPACE = " \t\r\n"

INCLUSIVE_PREFIXES_MAX = 20
"""Ours; the field uses one to three. Canonicalisation looks each up for each element before the
signature is known to hold, so a long list would let a forgery cost thousands of honest messages."""


@dataclass(frozen=True, slots=True)
class UnverifiedSignature:
    """The parts of one ds:Signature, found at their places and not judged."""

    accepted: Accepted
    element: Element
    signature: Element
    signed_info: Element
    canonicalization: Element
    method: Element
    reference: Element
    transforms: tuple[Element, ...]
    digest_method: Element
    digest_value: Element
    signature_value: Element


def _ds(local: str) -> str:
    return f"{{{n.DS}}}{local}"


SIGNATURE = _ds("Signature")
INCLUSIVE_NAMESPACES = f"{{{n.EC}}}InclusiveNamespaces"


def read_signature(element: Element, *, accepted: Accepted) -> UnverifiedSignature:
    """Return the one signature that is a direct child of `element`, exactly as SAML shapes it.

    One SignedInfo, one Reference, no Object, and no element that is not named here.

    Raises:
        SignatureMissing: `element` has no such child.
        SignatureRefused: there are several, or one of another shape.
    """
    signatures = children_of(element, SIGNATURE)
    if not signatures:
        raise SignatureMissing("signature-present")
    if len(signatures) > 1:
        raise SignatureRefused("one-signature")
    (signature,) = signatures
    parts = list(signature)
    if len(parts) == 3 and parts[2].tag == _ds("KeyInfo"):
        parts.pop()
    signed_info, signature_value = _exactly(parts, "SignedInfo", "SignatureValue")
    canonicalization, method, reference = _exactly(
        list(signed_info), "CanonicalizationMethod", "SignatureMethod", "Reference"
    )
    transforms, digest_method, digest_value = _exactly(
        list(reference), "Transforms", "DigestMethod", "DigestValue"
    )
    return UnverifiedSignature(
        accepted=accepted,
        element=element,
        signature=signature,
        signed_info=signed_info,
        canonicalization=canonicalization,
        method=method,
        reference=reference,
        transforms=_exactly(list(transforms), "Transform", "Transform"),
        digest_method=digest_method,
        digest_value=digest_value,
        signature_value=signature_value,
    )


def _exactly(found: list[Element], *local_names: str) -> tuple[Element, ...]:
    if [each.tag for each in found] != [_ds(local) for local in local_names]:
        raise SignatureRefused("signature-shape")
    return tuple(found)


def check_canonicalization(signature: UnverifiedSignature) -> None:
    """Exclusive canonicalisation, without comments."""
    if signature.canonicalization.get("Algorithm") != n.ALG_EXCLUSIVE_C14N:
        raise SignatureRefused("canonicalization")


def check_signature_algorithm(signature: UnverifiedSignature) -> None:
    """RSA or ECDSA with SHA-2, and no parameters that could bend it."""
    algorithm, accepted = signature.method.get("Algorithm", ""), signature.accepted
    if algorithm not in accepted.rsa and algorithm not in accepted.ecdsa:
        raise SignatureRefused("signature-algorithm")
    if len(signature.method):
        raise SignatureRefused("signature-algorithm")


def check_reference_to_own_element(signature: UnverifiedSignature) -> None:
    """The Reference names the very element that holds the signature."""
    own_id = signature.element.get("ID")
    if not own_id or signature.reference.get("URI") != "#" + own_id:
        raise SignatureRefused("reference")
    if set(signature.reference.keys()) - {"URI", "Id"}:
        raise SignatureRefused("reference")


def check_transforms(signature: UnverifiedSignature) -> None:
    """Enveloped signature, then exclusive canonicalisation, and no other."""
    enveloped, exclusive = signature.transforms
    if enveloped.get("Algorithm") != n.ALG_ENVELOPED or len(enveloped):
        raise SignatureRefused("transforms")
    if exclusive.get("Algorithm") != n.ALG_EXCLUSIVE_C14N:
        raise SignatureRefused("transforms")


def check_digest_algorithm(signature: UnverifiedSignature) -> None:
    """SHA-2."""
    method = signature.digest_method
    if method.get("Algorithm", "") not in signature.accepted.digests or len(method):
        raise SignatureRefused("digest-algorithm")


CHECKS: tuple[Callable[[UnverifiedSignature], None], ...] = (
    check_canonicalization,
    check_signature_algorithm,
    check_reference_to_own_element,
    check_transforms,
    check_digest_algorithm,
)


def verify_enveloped(
    element: Element, *, keys: Sequence[VerificationKey], accepted: Accepted = SHA2
) -> SignedElement:
    """Return `element` as one of `keys` signed it; takes the signature out of the tree.

    Raises:
        NoKeyRegistered, SignatureMissing, SignatureRefused: see `XmlSecurity.verify`.
    """
    if not keys:
        raise NoKeyRegistered("key-registered")
    signature = read_signature(element, accepted=accepted)
    for check in CHECKS:
        check(signature)
    octets = _canonical(signature.signed_info, _inclusive_prefixes(signature.canonicalization))
    value = _octets_of(signature.signature_value)
    key = find_signer(
        octets,
        value=value,
        algorithm=signature.method.get("Algorithm", ""),
        keys=keys,
        accepted=accepted,
    )
    prefixes = _inclusive_prefixes(signature.transforms[1])
    digest_value = _octets_of(signature.digest_value)
    _take_out(signature.signature, of=element)
    hashed = _canonical(element, prefixes)
    digest_algorithm = accepted.digests[signature.digest_method.get("Algorithm", "")]
    if digest(hashed, digest_algorithm) != digest_value:
        raise SignatureRefused("digest")
    return SignedElement(root=parse_own_bytes(hashed), key=key)


def verify_octets(signature: QuerySignature, *, keys: Sequence[VerificationKey]) -> VerificationKey:
    """Return the key that signed a redirect query.

    Raises:
        NoKeyRegistered, SignatureRefused: see `XmlSecurity.verify_query`.
    """
    if not keys:
        raise NoKeyRegistered("key-registered")
    algorithm = signature.algorithm
    if algorithm not in SHA2.rsa and algorithm not in SHA2.ecdsa:
        raise SignatureRefused("signature-algorithm")
    return find_signer(signature.octets, value=signature.value, algorithm=algorithm, keys=keys)


def _octets_of(element: Element) -> bytes:
    try:
        return decode_base64(text_of(element), whitespace=XML_WHITESPACE)
    except MessageUnreadable:
        raise SignatureRefused("base64") from None


def _inclusive_prefixes(method: Element) -> list[str]:
    """Return the PrefixList of a canonicalisation's only permitted parameter.

    lxml skips the token `#default`. Where that makes a difference (a default namespace from
    further up that the element itself does not use) the digest differs and the message is refused.

    Raises:
        SignatureRefused: another parameter, or more prefixes than any honest message names.
    """
    parameters = list(method)
    if not parameters:
        return []
    if len(parameters) > 1 or parameters[0].tag != INCLUSIVE_NAMESPACES:
        raise SignatureRefused("canonicalization-parameter")
    prefixes = parameters[0].get("PrefixList", "").split()
    if len(prefixes) > INCLUSIVE_PREFIXES_MAX:
        raise SignatureRefused("canonicalization-parameter")
    return prefixes


def _canonical(element: Element, inclusive_prefixes: list[str]) -> bytes:
    """Return `element` by Exclusive XML Canonicalization 1.0, in its place in the tree.

    Raises:
        SignatureRefused: it has no canonical form: a namespace name is a relative reference
            (Canonical XML 1.0, 1.3).
    """
    try:
        return etree.tostring(
            element,
            method="c14n",
            exclusive=True,
            with_comments=False,
            inclusive_ns_prefixes=inclusive_prefixes,
        )
    except etree.C14NError:
        raise SignatureRefused("canonicalization") from None


def canonical(element: Element) -> bytes:
    """Return `element` by Exclusive XML Canonicalization 1.0 without inclusive prefixes."""
    return _canonical(element, [])


def _take_out(signature: Element, *, of: Element) -> None:
    """Remove a child, and leave the text behind it where it stood (XML Signature 6.6.4)."""
    previous = signature.getprevious()
    if signature.tail:
        if previous is None:
            of.text = (of.text or "") + signature.tail
        else:
            previous.tail = (previous.tail or "") + signature.tail
    of.remove(signature)
