"""An encrypted assertion that does not open: one answer, whatever the reason, and no second try."""

from base64 import b64decode, b64encode
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from broker.adapters.xml import xml_encryption
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element, serialize
from broker.saml_xml.refusals import DecryptionRefused
from tests.saml_xml.corpus.keys import rsa_key
from tests.saml_xml.corpus.messages import HONEST, SECURITY, a_response, an_assertion, ds

OURS = rsa_key("broker")


def encrypted() -> Element:
    """Return an EncryptedAssertion that opens."""
    return SECURITY.encrypt(an_assertion(), recipient=OURS.encryption)


def of_plaintext(plaintext: bytes) -> Element:
    return xml_encryption.encrypt_element(plaintext, recipient=OURS.encryption)


def xenc(local: str) -> str:
    return f"{{{n.XENC}}}{local}"


def _values(element: Element) -> list[Element]:
    """Return the CipherValue of the key, then that of the content."""
    return list(element.iter(xenc("CipherValue")))


def _with_bit_changed(which: int, position: int) -> Element:
    element = encrypted()
    value = _values(element)[which]
    octets = bytearray(b64decode(value.text or ""))
    octets[position] ^= 1
    value.text = b64encode(octets).decode()
    return element


def _with_content(octets: bytes) -> Element:
    element = encrypted()
    _values(element)[1].text = b64encode(octets).decode()
    return element


def _with_key(content_key: bytes) -> Element:
    element = encrypted()
    oaep = xml_encryption._oaep_of(next(element.iter(xenc("EncryptedKey")))[0])
    wrapped = OURS.encryption.public_key.encrypt(content_key, oaep)
    _values(element)[0].text = b64encode(wrapped).decode()
    return element


def _short_key() -> Element:
    """AES-128 under the name of AES-256, otherwise right."""
    key, nonce = b"k" * 16, b"n" * 12
    element = _with_key(key)
    content = nonce + AESGCM(key).encrypt(nonce, serialize(an_assertion()), None)
    _values(element)[1].text = b64encode(content).decode()
    return element


UNOPENABLE: dict[str, Callable[[], Element]] = {
    "key-changed-first": lambda: _with_bit_changed(0, 0),
    "key-changed-last": lambda: _with_bit_changed(0, -1),
    "nonce-changed": lambda: _with_bit_changed(1, 0),
    "content-changed": lambda: _with_bit_changed(1, 20),
    "tag-changed": lambda: _with_bit_changed(1, -1),
    "no-content": lambda: _with_content(b""),
    "no-tag": lambda: _with_content(b"n" * 12),
    "short-nonce": lambda: _with_content(b"n" * 5),
    "other-key": lambda: _with_key(b"k" * 32),
    "shorter-key": _short_key,
    "empty-key": lambda: _with_key(b""),
    "for-somebody-else": lambda: SECURITY.encrypt(
        an_assertion(), recipient=rsa_key("other").encryption
    ),
}


@pytest.mark.parametrize("name", UNOPENABLE)
def test_whatever_does_not_open_gets_the_same_answer(name: str) -> None:
    with pytest.raises(DecryptionRefused) as refused:
        SECURITY.decrypt(UNOPENABLE[name](), keys=[OURS.decryption])
    assert (refused.value.check, refused.value.subject) == ("decryption", "")
    assert refused.value.__cause__ is None


def test_the_twin_opens() -> None:
    assert HONEST.encode() in serialize(SECURITY.decrypt(encrypted(), keys=[OURS.decryption]).root)


@pytest.mark.parametrize(
    ("plaintext", "check"),
    [
        (b"", "decrypted-size"),
        (b"not xml", "decrypted-well-formed"),
        (b"<!DOCTYPE a><a/>", "decrypted-markup-declaration"),
        (serialize(an_assertion()) + b"<!-- -->", "decrypted-markup-declaration"),
        (serialize(an_assertion()) * 2, "decrypted-well-formed"),
        (serialize(an_assertion()).replace(b"Version", b"V"), "decrypted-schema"),
        (serialize(a_response(an_assertion())), "decrypted-element"),
    ],
)
def test_what_was_encrypted_is_parsed_as_strictly_as_what_is_sent(
    plaintext: bytes, check: str
) -> None:
    with pytest.raises(DecryptionRefused) as refused:
        SECURITY.decrypt(of_plaintext(plaintext), keys=[OURS.decryption])
    assert refused.value.check == check


def _method(algorithm: str) -> Callable[[Element], None]:
    def change(element: Element) -> None:
        element[0][0].set("Algorithm", algorithm)

    return change


def _key_method(algorithm: str) -> Callable[[Element], None]:
    def change(element: Element) -> None:
        next(element.iter(xenc("EncryptedKey")))[0].set("Algorithm", algorithm)

    return change


def _key_parameter(
    tag: str, algorithm: str | None, *, under: str = n.ALG_RSA_OAEP
) -> Callable[[Element], None]:
    def change(element: Element) -> None:
        method = next(element.iter(xenc("EncryptedKey")))[0]
        method.set("Algorithm", under)
        method.append(build_element(tag, {"Algorithm": algorithm}))

    return change


def _digest(element: Element) -> None:
    next(element.iter(ds("DigestMethod"))).set(
        "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#md5"
    )


def _key_size(element: Element) -> None:
    element[0][0].append(build_element(xenc("KeySize"), text="256"))


def _second_key(element: Element) -> None:
    element.append(next(encrypted().iter(xenc("EncryptedKey"))))


def _no_key(element: Element) -> None:
    element[0].remove(element[0][1])


def _second_data(element: Element) -> None:
    element.append(encrypted()[0])


def _of_type_content(element: Element) -> None:
    element[0].set("Type", n.XENC + "Content")


def _reference(element: Element) -> None:
    cipher_data = element[0][2]
    cipher_data.remove(cipher_data[0])
    cipher_data.append(build_element(xenc("CipherReference"), {"URI": "http://127.0.0.1:9/"}))


def _not_base64(element: Element) -> None:
    _values(element)[1].text = "*"


MALFORMED: dict[str, tuple[Callable[[Element], None], str]] = {
    "aes-cbc": (_method(n.XENC + "aes256-cbc"), "encryption-method"),
    "triple-des": (_method(n.XENC + "tripledes-cbc"), "encryption-method"),
    "no-method": (_method(""), "encryption-method"),
    "method-with-parameter": (_key_size, "encryption-method"),
    "rsa-1-5": (_key_method(n.XENC + "rsa-1_5"), "encryption-method"),
    "key-wrap": (_key_method(n.XENC + "kw-aes256"), "encryption-method"),
    "unknown-mask": (_key_parameter(f"{{{n.XENC11}}}MGF", "urn:x"), "encryption-method"),
    "mask-of-mgf1p": (
        _key_parameter(f"{{{n.XENC11}}}MGF", n.ALG_MGF1_SHA256, under=n.ALG_RSA_OAEP_MGF1P),
        "encryption-method",
    ),
    "oaep-label": (_key_parameter(xenc("OAEPparams"), None), "encryption-method"),
    "two-digests": (_key_parameter(ds("DigestMethod"), n.ALG_SHA1), "encryption-method"),
    "unknown-digest": (_digest, "encryption-method"),
    "two-keys": (_second_key, "encryption-shape"),
    "no-key": (_no_key, "encryption-shape"),
    "two-data": (_second_data, "encryption-shape"),
    "content-type": (_of_type_content, "encryption-shape"),
    "cipher-reference": (_reference, "encryption-shape"),
    "not-base64": (_not_base64, "encryption-shape"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_we_do_not_accept_costs_no_private_key_operation(name: str) -> None:
    change, check = MALFORMED[name]
    element = encrypted()
    change(element)
    with pytest.raises(DecryptionRefused) as refused:
        SECURITY.decrypt(element, keys=[_Untouchable()])  # type: ignore[list-item]
    assert refused.value.check == check


class _Untouchable:
    """A decryption key that must not be used."""

    @property
    def private_key(self) -> rsa.RSAPrivateKey:
        raise AssertionError("a private key was used")
