"""Signing and verifying behind `XmlSecurity`; verdicts on whole messages are compared in
test_xml_signature_oracles.py."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

import broker
from broker.adapters.xml import signature_algorithms, xml_parsing, xml_signatures
from broker.saml_xml import names as n
from broker.saml_xml.bindings import QuerySignature, build_redirect_query, decode_redirect
from broker.saml_xml.elements import Element, build_element, serialize
from broker.saml_xml.refusals import (
    NoKeyRegistered,
    SignatureMissing,
    SignatureRefused,
    XmlRefusal,
)
from tests.saml_xml.corpus.damage import honest
from tests.saml_xml.corpus.defects import DEFECTS
from tests.saml_xml.corpus.keys import PartyKey, ec_key, rsa_key
from tests.saml_xml.corpus.messages import (
    ASSERTION,
    IDP,
    SECURITY,
    an_assertion,
    an_authn_request,
    ds,
)

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
    value = signature_algorithms.sign_octets(octets, key=ec_key().private_key)
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


def test_a_forged_signature_is_refused_before_the_message_is_hashed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    canonicalised: list[str] = []

    def watch(element: Element, prefixes: list[str]) -> bytes:
        canonicalised.append(str(element.tag))
        return canonical(element, prefixes)

    canonical = xml_signatures._canonical
    monkeypatch.setattr(xml_signatures, "_canonical", watch)
    SECURITY.verify(SECURITY.parse(HONEST_BYTES).root[-1], keys=[rsa_key().verification])
    assert canonicalised == [ds("SignedInfo"), ASSERTION]
    canonicalised.clear()
    with refused("signature-value"):
        SECURITY.verify(SECURITY.parse(HONEST_BYTES).root[-1], keys=[ec_key().verification])
    assert canonicalised == [ds("SignedInfo")]


def _never(*_args: object, **_kwargs: object) -> None:
    raise AssertionError("computed before the shape was checked")


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
    value = signature_algorithms.sign_octets(octets, key=rsa_key().private_key)
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


def test_a_signed_element_is_made_by_a_verification_alone() -> None:
    makers = set()
    for path in Path(broker.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("SignedElement"):
                makers.add(path.name)
    assert makers == {"xml_signatures.py", "xml_security.py"}
