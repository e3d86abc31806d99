"""Encrypted parts of made-up schools' messages, in every form that the field has.

Our own code encrypts in one form only; here are the others, those that we refuse too.
"""

import os
from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from broker.adapters.xml.xml_encryption import CBC_KEY_BYTES, CONTENT_KEY_BYTES, OAEP_PADDINGS
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element, serialize
from tests.builders_saml import BROKER_ENCRYPTION, saml
from tests.saml_xml.corpus.keys import PartyKey
from tests.saml_xml.corpus.messages import ds

BLOCK = 16
RSA_1_5 = n.XENC + "rsa-1_5"
MGF1P = (n.ALG_RSA_OAEP_MGF1P, n.ALG_SHA1, n.ALG_MGF1_SHA1)
OAEP_SHA256 = (n.ALG_RSA_OAEP, n.ALG_SHA256, n.ALG_MGF1_SHA256)
PKCS1 = (RSA_1_5, "", "")


def xenc(local: str) -> str:
    return f"{{{n.XENC}}}{local}"


def encrypted(
    element: Element | bytes,
    *,
    wrapper: str = "EncryptedAssertion",
    to: PartyKey = BROKER_ENCRYPTION,
    content: str = n.ALG_AES256_GCM,
    key_method: tuple[str, str, str] = MGF1P,
    last_byte: int | None = None,
) -> Element:
    """Return an element of SAML that holds `element` encrypted.

    Args:
        wrapper: EncryptedAssertion, EncryptedID or EncryptedAttribute.
        content: how the content is encrypted.
        key_method: how its key is: algorithm, digest, mask.
        last_byte: of the padding of CBC, where it is not what it should be.
    """
    plaintext = element if isinstance(element, bytes) else serialize(element)
    content_key = os.urandom({**CONTENT_KEY_BYTES, **CBC_KEY_BYTES}[content])
    data = build_element(
        xenc("EncryptedData"),
        {"Type": n.TYPE_ELEMENT},
        build_element(xenc("EncryptionMethod"), {"Algorithm": content}),
        build_element(
            ds("KeyInfo"), {}, _encrypted_key(content_key, to, key_method), nsmap={"ds": n.DS}
        ),
        _value(_seal(plaintext, content_key, content, last_byte)),
        nsmap={"xenc": n.XENC},
    )
    return build_element(saml(wrapper), {}, data, nsmap={"saml": n.SAML})


def encrypt_in_place(element: Element, wrapper: str, **how: object) -> None:
    """Put an element's encrypted form in its place."""
    parent = element.getparent()
    assert parent is not None
    parent.replace(element, encrypted(element, wrapper=wrapper, **how))  # type: ignore[arg-type]


def _seal(plaintext: bytes, key: bytes, algorithm: str, last_byte: int | None) -> bytes:
    if algorithm in CONTENT_KEY_BYTES:
        nonce = os.urandom(12)
        return nonce + AESGCM(key).encrypt(nonce, plaintext, None)
    short = BLOCK - len(plaintext) % BLOCK
    padded = plaintext + bytes(short - 1) + bytes([short if last_byte is None else last_byte])
    start = os.urandom(BLOCK)
    sealer = Cipher(algorithms.AES(key), modes.CBC(start)).encryptor()
    return start + sealer.update(padded) + sealer.finalize()


def _encrypted_key(content_key: bytes, to: PartyKey, method: tuple[str, str, str]) -> Element:
    algorithm, digest, mask = method
    public_key = to.private_key.public_key()
    assert isinstance(public_key, RSAPublicKey)
    oaep = padding.PKCS1v15() if algorithm == RSA_1_5 else OAEP_PADDINGS[digest, mask]
    stated = build_element(xenc("EncryptionMethod"), {"Algorithm": algorithm})
    if algorithm != RSA_1_5:
        stated.append(build_element(ds("DigestMethod"), {"Algorithm": digest}))
    if algorithm == n.ALG_RSA_OAEP:
        stated.append(build_element(f"{{{n.XENC11}}}MGF", {"Algorithm": mask}))
    return build_element(
        xenc("EncryptedKey"), {}, stated, _value(public_key.encrypt(content_key, oaep))
    )


def _value(octets: bytes) -> Element:
    value = build_element(xenc("CipherValue"), text=b64encode(octets).decode())
    return build_element(xenc("CipherData"), {}, value)
