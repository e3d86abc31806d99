"""Encrypted parts of messages: AES-GCM under RSA-OAEP.

XML Encryption 1.1; SAML core 2.2.4, 2.3.4, 2.7.3.2 and 6.

CBC and RSA 1.5 are refused, not tried: both let whoever can ask often enough read what was
encrypted. RSA 1.5 always; CBC but where the caller knows that the school signed this very
ciphertext and its document has an exception: then nobody else can ask. What is wrong with the
method is told by its own check, since the message shows it to everybody; from the first use of a
private key on there is one answer for everything. Exactly one EncryptedKey is accepted: each
further one would buy a forger a private-key operation.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from broker.adapters.xml.xml_signatures import XML_WHITESPACE
from broker.saml_xml import names as n
from broker.saml_xml.bindings import decode_base64, encode_post
from broker.saml_xml.elements import Element, build_element, children_of, text_of
from broker.saml_xml.keys import DecryptionKey, EncryptionKey
from broker.saml_xml.refusals import DecryptionRefused, MessageUnreadable

GCM_NONCE_BYTES = 12  # XML Encryption 1.1, 5.2.4: 96 bits, in front of the ciphertext

AES_BLOCK_BYTES = 16

CONTENT_KEY_BYTES = {n.ALG_AES128_GCM: 16, n.ALG_AES256_GCM: 32}
CBC_KEY_BYTES = {n.ALG_AES128_CBC: 16, n.ALG_AES256_CBC: 32}
OAEP_DIGESTS: dict[str, hashes.HashAlgorithm] = {
    n.ALG_SHA1: hashes.SHA1(),  # noqa: S303 -- inside OAEP, where collisions do not matter
    n.ALG_SHA256: hashes.SHA256(),
    n.ALG_SHA384: hashes.SHA384(),
    n.ALG_SHA512: hashes.SHA512(),
}
OAEP_MASKS: dict[str, hashes.HashAlgorithm] = {
    n.ALG_MGF1_SHA1: hashes.SHA1(),  # noqa: S303 -- a mask, not a fingerprint
    n.ALG_MGF1_SHA256: hashes.SHA256(),
}
OAEP_PADDINGS = {
    (digest_name, mask_name): padding.OAEP(padding.MGF1(mask), digest, None)
    for digest_name, digest in OAEP_DIGESTS.items()
    for mask_name, mask in OAEP_MASKS.items()
}
"""DigestMethod and MGF, as a message names them -> the padding that they mean together."""

ENCRYPTED_ASSERTION = f"{{{n.SAML}}}EncryptedAssertion"
HELD_BY = {
    f"{{{n.SAML}}}{encrypted}": f"{{{n.SAML}}}{held}"
    for encrypted, held in (
        ("EncryptedAssertion", "Assertion"),
        ("EncryptedID", "NameID"),
        ("EncryptedAttribute", "Attribute"),
    )
}
"""Encrypted element -> what it must hold."""
_KEY_INFO = f"{{{n.DS}}}KeyInfo"
_DIGEST_METHOD = f"{{{n.DS}}}DigestMethod"
_MGF = f"{{{n.XENC11}}}MGF"


def _xenc(local: str) -> str:
    return f"{{{n.XENC}}}{local}"


@dataclass(frozen=True, slots=True)
class EncryptedParts:
    """What is needed to open one encrypted element; its methods are those that we accept."""

    content_key_bytes: int
    is_cbc: bool
    content: bytes = field(repr=False)
    wrapped_key: bytes = field(repr=False)
    oaep: padding.OAEP


def read_encrypted(encrypted: Element, *, cbc: bool = False) -> EncryptedParts:
    """Return the parts of an encrypted element, if its methods are accepted.

    The EncryptedKey stands in the EncryptedData's KeyInfo or beside the EncryptedData.

    Raises:
        DecryptionRefused: check "encryption-shape" or "encryption-method".
    """
    data = _one(children_of(encrypted, _xenc("EncryptedData")))
    inside = [
        key
        for info in children_of(data, _KEY_INFO)
        for key in children_of(info, _xenc("EncryptedKey"))
    ]
    key = _one([*inside, *children_of(encrypted, _xenc("EncryptedKey"))])
    if data.get("Type", n.TYPE_ELEMENT) != n.TYPE_ELEMENT:
        raise DecryptionRefused("encryption-shape")
    method = _one(children_of(data, _xenc("EncryptionMethod")))
    algorithm = method.get("Algorithm", "")
    is_cbc = cbc and algorithm in CBC_KEY_BYTES
    content_key_bytes = (CBC_KEY_BYTES if is_cbc else CONTENT_KEY_BYTES).get(algorithm)
    if content_key_bytes is None or len(method):
        raise DecryptionRefused("encryption-method")
    return EncryptedParts(
        content_key_bytes=content_key_bytes,
        is_cbc=is_cbc,
        content=_cipher_value(data),
        wrapped_key=_cipher_value(key),
        oaep=_oaep_of(_one(children_of(key, _xenc("EncryptionMethod")))),
    )


def open_encrypted(parts: EncryptedParts, *, keys: Sequence[DecryptionKey]) -> bytes:
    """Return the plaintext; GCM proves it unchanged since it was encrypted, CBC nothing.

    Raises:
        DecryptionRefused: check "decryption", whatever the reason.
    """
    for key in keys:
        try:
            content_key = key.private_key.decrypt(parts.wrapped_key, parts.oaep)
        except ValueError:
            continue
        if len(content_key) != parts.content_key_bytes:
            continue
        try:
            return _open_content(content_key, parts)
        except (InvalidTag, ValueError):
            continue
    raise DecryptionRefused("decryption")


def _open_content(content_key: bytes, parts: EncryptedParts) -> bytes:
    """Raise InvalidTag or ValueError where the content does not open."""
    if parts.is_cbc:
        start, sealed = parts.content[:AES_BLOCK_BYTES], parts.content[AES_BLOCK_BYTES:]
        opener = Cipher(algorithms.AES(content_key), modes.CBC(start)).decryptor()
        padded = opener.update(sealed) + opener.finalize()
        # XML Encryption 5.2: the last byte counts the padding, of any content, itself included.
        if not padded or not 1 <= padded[-1] <= AES_BLOCK_BYTES:
            raise ValueError
        return padded[: -padded[-1]]
    nonce, sealed = parts.content[:GCM_NONCE_BYTES], parts.content[GCM_NONCE_BYTES:]
    return AESGCM(content_key).decrypt(nonce, sealed, None)


def encrypt_element(plaintext: bytes, *, recipient: EncryptionKey) -> Element:
    """Return an EncryptedAssertion holding `plaintext` (one serialised element).

    The key is wrapped by OAEP with SHA-1 inside, the only form that every SAML program knows.
    """
    content_key = os.urandom(CONTENT_KEY_BYTES[recipient.content_algorithm])
    nonce = os.urandom(GCM_NONCE_BYTES)
    content = nonce + AESGCM(content_key).encrypt(nonce, plaintext, None)
    oaep = OAEP_PADDINGS[n.ALG_SHA1, n.ALG_MGF1_SHA1]
    wrapped = recipient.public_key.encrypt(content_key, oaep)
    encrypted_key = build_element(
        _xenc("EncryptedKey"),
        {},
        build_element(
            _xenc("EncryptionMethod"),
            {"Algorithm": n.ALG_RSA_OAEP_MGF1P},
            build_element(_DIGEST_METHOD, {"Algorithm": n.ALG_SHA1}, nsmap={"ds": n.DS}),
        ),
        _cipher_data(wrapped),
    )
    return build_element(
        ENCRYPTED_ASSERTION,
        {},
        build_element(
            _xenc("EncryptedData"),
            {"Type": n.TYPE_ELEMENT},
            build_element(_xenc("EncryptionMethod"), {"Algorithm": recipient.content_algorithm}),
            build_element(_KEY_INFO, {}, encrypted_key, nsmap={"ds": n.DS}),
            _cipher_data(content),
            nsmap={"xenc": n.XENC},
        ),
        nsmap={"saml": n.SAML},
    )


def _oaep_of(method: Element) -> padding.OAEP:
    """Return the padding that an EncryptedKey's EncryptionMethod names (XML Encryption 5.5.2)."""
    algorithm = method.get("Algorithm")
    parameters = {str(each.tag): each.get("Algorithm", "") for each in method}
    if len(parameters) != len(method) or algorithm not in (n.ALG_RSA_OAEP_MGF1P, n.ALG_RSA_OAEP):
        raise DecryptionRefused("encryption-method")
    digest_name, mask_name = parameters.pop(_DIGEST_METHOD, n.ALG_SHA1), n.ALG_MGF1_SHA1
    if algorithm == n.ALG_RSA_OAEP:
        mask_name = parameters.pop(_MGF, mask_name)
    oaep = OAEP_PADDINGS.get((digest_name, mask_name))
    if oaep is None or parameters:
        raise DecryptionRefused("encryption-method")
    return oaep


def _one(found: list[Element]) -> Element:
    if len(found) != 1:
        raise DecryptionRefused("encryption-shape")
    return found[0]


def _cipher_value(encrypted: Element) -> bytes:
    cipher_data = _one(children_of(encrypted, _xenc("CipherData")))
    value = _one(children_of(cipher_data, _xenc("CipherValue")))
    try:
        return decode_base64(text_of(value), whitespace=XML_WHITESPACE)
    except MessageUnreadable:
        raise DecryptionRefused("encryption-shape") from None


def _cipher_data(octets: bytes) -> Element:
    value = build_element(_xenc("CipherValue"), text=encode_post(octets))
    return build_element(_xenc("CipherData"), {}, value)


def plaintext_of(element: Element) -> bytes:
    """Return `element` so that it can be parsed on its own: with the prefixes it stands under."""
    return etree.tostring(element, encoding="utf-8", with_tail=False)
