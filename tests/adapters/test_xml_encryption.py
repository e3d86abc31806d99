"""Encrypting and opening behind `XmlSecurity`; what must not open is in
tests/attacks/test_decryption_answers.py."""

import subprocess
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from broker.demo.pysaml2 import XMLSEC1
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element, serialize
from broker.saml_xml.keys import encryption_key
from broker.saml_xml.refusals import (
    XmlRefusal,
)
from tests.saml_xml.corpus.honest import by_pysaml2
from tests.saml_xml.corpus.keys import PartyKey, rsa_key
from tests.saml_xml.corpus.messages import (
    ASSERTION,
    HONEST,
    SECURITY,
    a_response,
    an_assertion,
    ds,
    saml,
)
from tests.saml_xml.corpus.oracles import xmlsec1_accepts


def refused(check: str) -> "pytest.RaisesExc[XmlRefusal]":
    return pytest.raises(XmlRefusal, check=lambda refusal: refusal.check == check)


@pytest.mark.parametrize("content", [n.ALG_AES128_GCM, n.ALG_AES256_GCM])
def test_what_we_encrypt_only_its_recipient_opens(content: str) -> None:
    broker_key = rsa_key("broker")
    assertion = an_assertion()
    SECURITY.sign(assertion, key=rsa_key().signing)
    recipient = encryption_key(broker_key.certificate, content_algorithm=content)
    encrypted = _sent(SECURITY.encrypt(assertion, recipient=recipient))
    assert HONEST.encode() not in serialize(encrypted)
    opened = SECURITY.decrypt(encrypted, keys=[rsa_key("next").decryption, broker_key.decryption])
    assert serialize(opened.root) == serialize(assertion)
    assert SECURITY.verify(opened.root, keys=[rsa_key().verification]).root.tag == ASSERTION
    assert "<Element" not in repr(opened)
    with refused("decryption"):
        SECURITY.decrypt(encrypted, keys=[rsa_key("next").decryption])
    with refused("decryption"):
        SECURITY.decrypt(encrypted, keys=[])


def test_an_encrypted_part_of_a_signed_response_is_signed_by_its_key() -> None:
    encrypted = SECURITY.encrypt(an_assertion(), recipient=rsa_key("broker").encryption)
    response = a_response(encrypted)
    SECURITY.sign(response, key=rsa_key().signing)
    signed = SECURITY.verify(
        SECURITY.parse(serialize(response)).root, keys=[rsa_key().verification]
    )
    opened = SECURITY.decrypt_signed(signed, signed.root[-1], keys=[rsa_key("broker").decryption])
    assert (opened.root.tag, opened.key) == (ASSERTION, signed.key)
    with pytest.raises(ValueError, match="not part"):
        SECURITY.decrypt_signed(signed, encrypted, keys=[rsa_key("broker").decryption])


def test_what_pysaml2_encrypts_we_open() -> None:
    message = by_pysaml2(rsa_key(), response=True, assertion=True, encrypt=True)
    signed = SECURITY.verify(SECURITY.parse(message).root, keys=[rsa_key().verification])
    opened = SECURITY.decrypt_signed(signed, signed.root[-1], keys=[rsa_key("broker").decryption])
    assert SECURITY.verify(opened.root, keys=[rsa_key().verification]).root.tag == ASSERTION


def test_what_we_encrypt_xmlsec1_opens_and_what_we_sign_then_verifies(tmp_path: Path) -> None:
    assertion = an_assertion()
    SECURITY.sign(assertion, key=rsa_key().signing)
    encrypted = SECURITY.encrypt(assertion, recipient=rsa_key("broker").encryption)
    (tmp_path / "in.xml").write_bytes(serialize(a_response(encrypted)))
    (tmp_path / "key.pem").write_text(rsa_key("broker").private_pem)
    command = [XMLSEC1, "--decrypt", "--privkey-pem", str(tmp_path / "key.pem")]
    command += ["--output", str(tmp_path / "out.xml"), str(tmp_path / "in.xml")]
    subprocess.run(command, capture_output=True, check=True)
    decrypted = (tmp_path / "out.xml").read_bytes()
    assert HONEST.encode() in decrypted
    assert xmlsec1_accepts(decrypted, rsa_key())


@pytest.mark.parametrize(
    ("content", "session_key", "cbc"),
    [
        (n.ALG_AES128_GCM, "aes-128", False),
        (n.ALG_AES256_GCM, "aes-256", False),
        (n.ALG_AES128_CBC, "aes-128", True),
        (n.ALG_AES256_CBC, "aes-256", True),
    ],
)
def test_what_xmlsec1_encrypts_we_open_and_cbc_by_exception_alone(
    tmp_path: Path, content: str, session_key: str, cbc: bool
) -> None:
    broker_key = rsa_key("broker")
    signed = an_assertion()
    SECURITY.sign(signed, key=rsa_key().signing)
    template = SECURITY.encrypt(an_assertion(), recipient=broker_key.encryption)[0]
    template[0].set("Algorithm", content)
    for value in template.iter(f"{{{n.XENC}}}CipherValue"):
        value.text = ""
    paths = {each: tmp_path / each for each in ("template", "data", "certificate", "out")}
    paths["template"].write_bytes(serialize(template))
    paths["data"].write_bytes(serialize(signed))
    paths["certificate"].write_text(broker_key.certificate_pem)
    command = [XMLSEC1, "--encrypt", "--session-key", session_key]
    command += ["--pubkey-cert-pem", str(paths["certificate"]), "--xml-data", str(paths["data"])]
    command += ["--output", str(paths["out"]), str(paths["template"])]
    subprocess.run(command, capture_output=True, check=True)
    data = etree.fromstring(paths["out"].read_bytes())
    response = a_response(build_element(saml("EncryptedAssertion"), {}, data))
    SECURITY.sign(response, key=rsa_key().signing)
    around = SECURITY.verify(
        SECURITY.parse(serialize(response)).root, keys=[rsa_key().verification]
    )
    ours = [broker_key.decryption]
    if cbc:
        with refused("encryption-method"):
            SECURITY.decrypt_signed(around, around.root[-1], keys=ours)
        with refused("encryption-method"):
            SECURITY.decrypt(around.root[-1], keys=ours)
    opened = SECURITY.decrypt_signed(around, around.root[-1], keys=ours, cbc=cbc)
    assert SECURITY.verify(opened.root, keys=[rsa_key().verification]).root.tag == ASSERTION


@pytest.mark.parametrize("place", ["inside", "beside"])
@pytest.mark.parametrize(
    ("algorithm", "parameters", "oaep_hash", "mask"),
    [
        (n.ALG_RSA_OAEP_MGF1P, [], hashes.SHA1(), hashes.SHA1()),
        (n.ALG_RSA_OAEP_MGF1P, [n.ALG_SHA1], hashes.SHA1(), hashes.SHA1()),
        (n.ALG_RSA_OAEP_MGF1P, [n.ALG_SHA256], hashes.SHA256(), hashes.SHA1()),
        (n.ALG_RSA_OAEP, [], hashes.SHA1(), hashes.SHA1()),
        (n.ALG_RSA_OAEP, [n.ALG_SHA256], hashes.SHA256(), hashes.SHA1()),
        (n.ALG_RSA_OAEP, [n.ALG_SHA256, n.ALG_MGF1_SHA256], hashes.SHA256(), hashes.SHA256()),
        (n.ALG_RSA_OAEP, [n.ALG_MGF1_SHA256], hashes.SHA1(), hashes.SHA256()),
    ],
)
def test_each_form_of_oaep_opens(
    place: str,
    algorithm: str,
    parameters: list[str],
    oaep_hash: hashes.HashAlgorithm,
    mask: hashes.HashAlgorithm,
) -> None:
    broker_key = rsa_key("broker")
    encrypted = SECURITY.encrypt(an_assertion(), recipient=broker_key.encryption)
    key = next(encrypted.iter(f"{{{n.XENC}}}EncryptedKey"))
    value = next(key.iter(f"{{{n.XENC}}}CipherValue"))
    opened = xmlenc_open(value, broker_key)
    oaep = padding.OAEP(padding.MGF1(mask), oaep_hash, None)
    wrapped = broker_key.encryption.public_key.encrypt(opened, oaep)
    value.text = b64encode(wrapped).decode()
    method = key[0]
    method.set("Algorithm", algorithm)
    method.remove(method[0])
    for parameter in parameters:
        tag = f"{{{n.XENC11}}}MGF" if "mgf1" in parameter else ds("DigestMethod")
        method.append(build_element(tag, {"Algorithm": parameter}))
    if place == "beside":
        key_info = encrypted[0][1]
        key_info.append(build_element(ds("RetrievalMethod"), {"URI": "#_key"}))
        key.set("Id", "_key")
        encrypted.append(key)
    opened_assertion = SECURITY.decrypt(_sent(encrypted), keys=[broker_key.decryption]).root
    assert opened_assertion.find(saml("Issuer")) is not None


def xmlenc_open(value: Element, key: PartyKey) -> bytes:
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    return key.decryption.private_key.decrypt(b64decode(value.text or ""), oaep)


def _sent(encrypted: Element) -> Element:
    """Return `encrypted` as it arrives in a Response."""
    return SECURITY.parse(serialize(a_response(encrypted))).root[-1]
