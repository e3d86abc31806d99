"""A signer without any rule, for signatures that our own signer would never make."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree

from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element
from tests.saml_xml.corpus.keys import PartyKey
from tests.saml_xml.corpus.messages import ds

INCLUSIVE_C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
WITH_COMMENTS = n.ALG_EXCLUSIVE_C14N + "WithComments"
RSA_SHA1 = n.DS + "rsa-sha1"
HMAC_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"

HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


@dataclass(frozen=True, slots=True)
class Transform:
    """One transform with what stands inside it."""

    algorithm: str
    parameters: tuple[Element, ...] = ()


ENVELOPED = Transform(n.ALG_ENVELOPED)
EXCLUSIVE = Transform(n.ALG_EXCLUSIVE_C14N)


def inclusive_prefixes(prefixes: str) -> Element:
    """Return the parameter of exclusive canonicalisation."""
    return build_element(
        f"{{{n.EC}}}InclusiveNamespaces", {"PrefixList": prefixes}, nsmap={"ec": n.EC}
    )


def sign_by_hand(
    element: Element,
    key: PartyKey,
    *,
    transforms: Sequence[Transform] = (ENVELOPED, EXCLUSIVE),
    canonicalization: Transform = EXCLUSIVE,
    method: str = n.ALG_RSA_SHA256,
    digest_method: str = n.ALG_SHA256,
    uri: str | None = None,
    references: int = 1,
    place: int = 1,
    parent: Element | None = None,
) -> Element:
    """Put a signature into `element` (or `parent`) whose digest and value are right; return it."""
    reference_uri = "#" + str(element.get("ID")) if uri is None else uri
    hashed = hashlib.new(_hash_name(digest_method), _canonical(element, transforms[-1])).digest()
    signed_info = build_element(
        ds("SignedInfo"),
        {},
        _with_parameters("CanonicalizationMethod", canonicalization),
        build_element(ds("SignatureMethod"), {"Algorithm": method}),
        *(
            build_element(
                ds("Reference"),
                {"URI": reference_uri},
                build_element(
                    ds("Transforms"), {}, *(_with_parameters("Transform", t) for t in transforms)
                ),
                build_element(ds("DigestMethod"), {"Algorithm": digest_method}),
                build_element(ds("DigestValue"), text=b64encode(hashed).decode()),
            )
            for _ in range(references)
        ),
    )
    signature = build_element(ds("Signature"), {}, signed_info, nsmap={"ds": n.DS})
    (element if parent is None else parent).insert(place, signature)
    value = _sign(_canonical(signed_info, canonicalization), key, method)
    signature.append(build_element(ds("SignatureValue"), text=b64encode(value).decode()))
    return signature


def add_key_info(signature: Element, key: PartyKey) -> None:
    """Let `signature` carry the certificate of `key`."""
    text = b64encode(key.certificate).decode()
    certificate = build_element(ds("X509Certificate"), text=text)
    signature.append(
        build_element(ds("KeyInfo"), {}, build_element(ds("X509Data"), {}, certificate))
    )


def _with_parameters(local: str, transform: Transform) -> Element:
    copies = [etree.fromstring(etree.tostring(each)) for each in transform.parameters]
    return build_element(ds(local), {"Algorithm": transform.algorithm}, *copies)


def _canonical(element: Element, transform: Transform) -> bytes:
    prefixes = [each.get("PrefixList", "") for each in transform.parameters]
    return etree.tostring(
        element,
        method="c14n",
        exclusive=transform.algorithm != INCLUSIVE_C14N,
        with_comments=transform.algorithm == WITH_COMMENTS,
        inclusive_ns_prefixes=" ".join(prefixes).split(),
    )


def _hash_name(algorithm: str) -> str:
    return next(name for name in HASHES if algorithm.endswith(name))


def _sign(octets: bytes, key: PartyKey, method: str) -> bytes:
    if method == HMAC_SHA256:
        # The confusion of CVE-2015-9235's kind: the public key, which everybody has, as secret.
        return hmac.new(key.certificate_pem.encode(), octets, "sha256").digest()
    algorithm = HASHES[_hash_name(method)]
    if isinstance(key.private_key, rsa.RSAPrivateKey):
        return key.private_key.sign(octets, padding.PKCS1v15(), algorithm)
    size = (key.private_key.key_size + 7) // 8
    r, s = decode_dss_signature(key.private_key.sign(octets, ec.ECDSA(algorithm)))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")
