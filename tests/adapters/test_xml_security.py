"""The adapter behind `XmlSecurity`: parsing, signing, queries, encryption; each refusal has its
positive twin beside it. Verdicts on signatures are in test_xml_signature_oracles.py."""

import ast
import subprocess
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

import broker
from broker.adapters import xml_parsing, xml_signatures
from broker.adapters.xml_security import LxmlSecurity
from broker.demo.pysaml2 import XMLSEC1
from broker.saml_xml import names as n
from broker.saml_xml.bindings import QuerySignature, build_redirect_query, decode_redirect
from broker.saml_xml.elements import Element, build_element, serialize
from broker.saml_xml.keys import encryption_key
from broker.saml_xml.refusals import (
    MessageUnreadable,
    NoKeyRegistered,
    SignatureMissing,
    SignatureRefused,
    XmlRefusal,
)
from broker.saml_xml.security import XmlSecurity
from tests.saml_xml.corpus.defects import DEFECTS, honest
from tests.saml_xml.corpus.honest import HONEST_MESSAGES, by_pysaml2
from tests.saml_xml.corpus.keys import PartyKey, ec_key, rsa_key
from tests.saml_xml.corpus.messages import (
    ASSERTION,
    HONEST,
    IDP,
    INSTANT,
    SECURITY,
    a_response,
    an_assertion,
    an_authn_request,
    ds,
    saml,
)
from tests.saml_xml.corpus.oracles import read_name_id, xmlsec1_accepts

METADATA = (
    f'<!-- ours --><md:EntityDescriptor xmlns:md="{n.MD}" xmlns:mdui="urn:x" entityID="{IDP}">'
    "<md:Extensions><mdui:UIInfo/></md:Extensions>"
    f'<md:IDPSSODescriptor protocolSupportEnumeration="{n.SAMLP}"><!-- and ours -->'
    f"<md:NameIDFormat>urn:<!-- in a value -->x</md:NameIDFormat>"
    f'<md:SingleSignOnService Binding="{n.BINDING_POST}" Location="https://idp.example/"/>'
    "</md:IDPSSODescriptor></md:EntityDescriptor>"
).encode()


def refused(check: str) -> "pytest.RaisesExc[XmlRefusal]":
    return pytest.raises(XmlRefusal, check=lambda refusal: refusal.check == check)


def test_the_adapter_is_what_the_roles_ask_for() -> None:
    security: XmlSecurity = LxmlSecurity()
    assert security.parse(honest()).root.tag == f"{{{n.SAMLP}}}Response"


# Parsing.


def test_every_check_is_in_its_table_and_refuses_something() -> None:
    for module, tables in (
        (xml_parsing, (xml_parsing.CHECKS_ON_BYTES, xml_parsing.CHECKS_ON_TREE)),
        (xml_signatures, (xml_signatures.CHECKS,)),
    ):
        named = {name for name in vars(module) if name.startswith("check_")}
        assert named == {check.__name__ for table in tables for check in table}
    assert (len(xml_parsing.CHECKS_ON_BYTES), len(xml_parsing.CHECKS_ON_TREE)) == (4, 4)
    assert len(xml_signatures.CHECKS) == 5


@pytest.mark.parametrize("name", HONEST_MESSAGES)
def test_honest_messages_are_schema_valid(name: str) -> None:
    key, make = HONEST_MESSAGES[name]
    assert SECURITY.parse(make(key)).root.get("ID")


@pytest.mark.parametrize(
    "declaration",
    [
        b"",
        b"\xef\xbb\xbf",
        b'<?xml version="1.0"?>',
        b"<?xml version='1.0' encoding='utf-8' ?>\r\n",
        b'<?xml version="1.0" encoding="UTF-8" standalone="no"?>',
        b'\xef\xbb\xbf<?xml version="1.0" encoding="US-ASCII"?>',
    ],
)
def test_a_message_in_utf_8_is_parsed(declaration: bytes) -> None:
    assert read_name_id(declaration + honest(), rsa_key().verification) == HONEST


@pytest.mark.parametrize(
    ("document", "check"),
    [
        (b"", "size"),
        (honest() + b" " * xml_parsing.MESSAGE.max_bytes, "size"),
        (b"\xff" + honest(), "encoding"),
        (b'<?xml version="1.1"?>' + honest(), "processing-instruction"),
        (b'<?xml version="1.0" encoding="utf-7"?>' + honest(), "processing-instruction"),
        (b" <?xml version='1.0'?>" + honest(), "processing-instruction"),
        (honest() + b"<?x?>", "processing-instruction"),
        (b"<!DOCTYPE a>" + honest(), "markup-declaration"),
        (honest() + b"<!---->", "markup-declaration"),
        (b"<a>" * 5000, "amount"),
        (b"<a " + b"xmlns:a='b' " * 500 + b"/>", "amount"),
        (b"<a>", "well-formed"),
        (b"<a/><a/>", "well-formed"),
        (b"text", "well-formed"),
        (b"<a b='1' b='2'/>", "well-formed"),
        (b"<p:a/>", "well-formed"),
        (b"<a>&#0;</a>", "well-formed"),
        (b"<a>" * 41 + b"</a>" * 41, "depth"),
        (b"<a>" * 40 + b"</a>" * 40, "schema"),
        (b"<a ID='1'><b xml:id='1'/></a>", "unique-ids"),
        (b"<a ID='1'><b xml:id='2'/></a>", "schema"),
        (b"<a/>", "schema"),
        (honest().replace(b"Version", b"version", 1), "schema"),
        (honest().replace(b"<saml:Subject>", b"<saml:Subject>text", 1), "schema"),
        (honest().replace(INSTANT.encode(), b"yesterday", 1), "schema"),
    ],
)
def test_a_document_is_refused_by_the_first_check_that_it_fails(
    document: bytes, check: str
) -> None:
    with refused(check):
        SECURITY.parse(document)


def test_no_schema_is_loaded_from_where_a_message_points() -> None:
    hint = b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x file:///nowhere.xsd"'
    message = honest().replace(b" Version", hint + b" Version", 1)
    assert read_name_id(message, rsa_key().verification) == HONEST


def test_text_in_cdata_is_text() -> None:
    name_id = HONEST.encode()
    message = honest().replace(b">" + name_id, b"><![CDATA[" + name_id + b"]]>", 1)
    assert read_name_id(message, rsa_key().verification) == HONEST
    with refused("markup-declaration"):
        SECURITY.parse(message.replace(b"[CDATA[", b"[CDATA[<!--", 1))


def test_comments_are_dropped_from_metadata_and_values_stay_whole() -> None:
    root = SECURITY.parse_metadata(METADATA).root
    assert root.tag == f"{{{n.MD}}}EntityDescriptor"
    assert next(root.iter(f"{{{n.MD}}}NameIDFormat")).text == "urn:x"
    assert not list(root.iter(etree.Comment))
    with refused("markup-declaration"):
        SECURITY.parse(METADATA)
    with refused("markup-declaration"):
        SECURITY.parse_metadata(b"<!DOCTYPE a>" + METADATA)
    with refused("processing-instruction"):
        SECURITY.parse_metadata(METADATA + b"<?x?>")


@given(st.binary(max_size=300))
def test_no_bytes_whatever_do_anything_but_refuse(document: bytes) -> None:
    for parse in (SECURITY.parse, SECURITY.parse_metadata):
        with pytest.raises(MessageUnreadable):
            parse(document)


# Verifying.

HONEST_BYTES = honest()
SIGNED_BYTES = etree.tostring(
    SECURITY.verify(SECURITY.parse(HONEST_BYTES).root[-1], keys=[rsa_key().verification]).root,
    method="c14n",
)


@given(st.integers(0, len(HONEST_BYTES) - 1), st.binary(min_size=1, max_size=3))
def test_whatever_is_changed_the_signed_element_is_what_was_signed(
    position: int, instead: bytes
) -> None:
    message = HONEST_BYTES[:position] + instead + HONEST_BYTES[position + len(instead) :]
    try:
        root = SECURITY.parse(message).root
        signed = SECURITY.verify(root[-1], keys=[rsa_key().verification])
    except XmlRefusal:
        return
    assert etree.tostring(signed.root, method="c14n") == SIGNED_BYTES


def test_without_a_registered_key_nothing_is_verified() -> None:
    with pytest.raises(NoKeyRegistered):
        SECURITY.verify(SECURITY.parse(honest()).root[-1], keys=[])
    with pytest.raises(SignatureMissing):
        SECURITY.verify(an_assertion(), keys=[rsa_key().verification])


def test_each_registered_key_is_tried_and_the_one_that_fits_is_told() -> None:
    keys = [ec_key().verification, rsa_key("old").verification, rsa_key().verification]
    signed = SECURITY.verify(SECURITY.parse(honest()).root[-1], keys=keys)
    assert signed.key is keys[2]
    assert "<Element" not in repr(signed)
    with pytest.raises(SignatureRefused):
        SECURITY.verify(SECURITY.parse(honest()).root[-1], keys=keys[:2])


def test_text_beside_the_signature_is_part_of_what_is_signed() -> None:
    assertion = an_assertion()
    SECURITY.sign(assertion, key=rsa_key().signing)
    signature = assertion[1]
    signature.tail = " "
    with refused("digest"):
        SECURITY.verify(assertion, keys=[rsa_key().verification])


def test_what_the_parser_holds_is_held_again_where_it_matters() -> None:
    """Behind the first net: what no parsed message can contain is refused all the same."""
    root = etree.fromstring(b"<!DOCTYPE a><a/>")
    with refused("only-elements"):
        xml_parsing.check_only_elements(root)
    with refused("only-elements"):
        xml_parsing.check_only_elements(etree.fromstring(b"<a><!-- --></a>"))
    xml_parsing.check_only_elements(etree.fromstring(b"<a/>"))

    twice = an_assertion()
    SECURITY.sign(twice, key=rsa_key().signing)
    SECURITY.sign(twice, key=rsa_key().signing)
    with refused("one-signature"):
        SECURITY.verify(twice, keys=[rsa_key().verification])


@pytest.mark.parametrize("local", ["SignatureMethod", "DigestMethod"])
def test_an_algorithm_takes_no_parameters(local: str) -> None:
    root = SECURITY.parse(honest()).root
    next(root.iter(ds(local))).append(build_element(ds("HMACOutputLength"), text="1"))
    with refused("signature-algorithm" if local == "SignatureMethod" else "digest-algorithm"):
        SECURITY.verify(root[-1], keys=[rsa_key().verification])


def test_an_elliptic_signature_has_the_length_of_its_curve() -> None:
    octets = b"octets"
    value = xml_signatures.sign_octets(octets, key=ec_key().private_key)
    for changed in (b"", value[:-1], value + b"x", b"\x00" * 64, value[:32] + b"\x00" + value[32:]):
        with refused("signature-value"):
            SECURITY.verify_query(
                QuerySignature(n.ALG_ECDSA_SHA256, octets, changed), keys=[ec_key().verification]
            )
    good = QuerySignature(n.ALG_ECDSA_SHA256, octets, value)
    assert SECURITY.verify_query(good, keys=[ec_key().verification]) == ec_key().verification


def test_text_around_the_signature_stays_where_it_stood() -> None:
    def element() -> Element:
        root = build_element("{urn:x}a", {"ID": "_a"}, build_element("b"), text="front")
        root[0].tail = "behind"
        return root

    in_front, between = element(), element()
    for root in (in_front, between):
        SECURITY.sign(root, key=rsa_key().signing)
    in_front.text, in_front[0].tail = "fro", "nt"
    signature = between[0]
    between.append(signature)
    between[0].tail, signature.tail = "beh", "ind"
    for root in (in_front, between):
        signed = SECURITY.verify(root, keys=[rsa_key().verification])
        assert serialize(signed.root) == serialize(element())


@pytest.mark.parametrize("key", [rsa_key(), ec_key()], ids=["rsa", "ec"])
def test_a_request_of_a_supplier_is_verified_too(key: PartyKey) -> None:
    request = an_authn_request()
    SECURITY.sign(request, key=key.signing)
    root = SECURITY.parse(serialize(request)).root
    assert SECURITY.verify(root, keys=[key.verification]).root.get("ID") == "_request"


def test_signed_metadata_is_verified() -> None:
    root = SECURITY.parse_metadata(METADATA.replace(b"entityID", b'ID="_m" entityID')).root
    SECURITY.sign(root, key=rsa_key().signing)
    assert root[0].tag == ds("Signature")
    again = SECURITY.parse_metadata(serialize(root)).root
    assert SECURITY.verify(again, keys=[rsa_key().verification]).root.get("entityID") == IDP


def test_signing_needs_an_id() -> None:
    with pytest.raises(ValueError, match="ID"):
        SECURITY.sign(build_element("a"), key=rsa_key().signing)


def test_the_shape_is_checked_before_anything_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = {"canonicalization", "signature-algorithm", "reference", "transforms"}
    malformed = [(each.check, each.make()) for each in DEFECTS.values() if each.check in shapes]
    assert {check for check, _ in malformed} == shapes
    monkeypatch.setattr(xml_signatures, "_canonical", _never)
    monkeypatch.setattr(xml_signatures, "find_signer", _never)
    for check, message in malformed:
        root = SECURITY.parse(message).root
        target = root if SECURITY.is_signed(root) else root[-1]
        with refused(check):
            SECURITY.verify(target, keys=[rsa_key().verification])


def _never(*_args: object, **_kwargs: object) -> None:
    raise AssertionError("computed before the shape was checked")


# Redirect queries.


@pytest.mark.parametrize("key", [rsa_key(), ec_key()], ids=["rsa", "ec"])
def test_a_signed_query_verifies_by_its_key_alone(key: PartyKey) -> None:
    query = build_redirect_query(b"<a/>", kind="SAMLRequest", relay_state="é &=+")
    signed = SECURITY.sign_query(query, key=key.signing)
    signature = decode_redirect(signed.encode()).signature
    assert signature is not None
    keys = [rsa_key("other").verification, ec_key("other").verification, key.verification]
    assert SECURITY.verify_query(signature, keys=keys) is keys[2]
    with refused("signature-value"):
        SECURITY.verify_query(signature, keys=keys[:2])
    with pytest.raises(NoKeyRegistered):
        SECURITY.verify_query(signature, keys=[])
    other = decode_redirect(signed.replace("%C3%A9", "%c3%a9").encode()).signature
    assert other is not None
    with refused("signature-value"):
        SECURITY.verify_query(other, keys=keys)


def test_a_query_with_a_weak_algorithm_is_refused() -> None:
    octets = b"SAMLRequest=x"
    value = xml_signatures.sign_octets(octets, key=rsa_key().private_key)
    good = QuerySignature(n.ALG_RSA_SHA256, octets, value)
    assert SECURITY.verify_query(good, keys=[rsa_key().verification]).key_id
    for algorithm in (n.DS + "rsa-sha1", n.DS + "hmac-sha1", n.DS + "dsa-sha1", ""):
        with refused("signature-algorithm"):
            SECURITY.verify_query(
                QuerySignature(algorithm, octets, value), keys=[rsa_key().verification]
            )
    with refused("signature-value"):
        SECURITY.verify_query(
            QuerySignature(n.ALG_ECDSA_SHA256, octets, value), keys=[rsa_key().verification]
        )


# Encryption. What must not open is in tests/attacks/test_decryption_answers.py.


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


# Trust.


def test_a_signed_element_is_made_by_a_verification_alone() -> None:
    makers = set()
    for path in Path(broker.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("SignedElement"):
                makers.add(path.name)
    assert makers == {"xml_signatures.py", "xml_security.py"}
