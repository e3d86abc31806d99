"""Signature wrapping: no arrangement of an honest signature makes us read anybody else."""

import pytest
from lxml import etree

from broker.saml_xml.elements import serialize
from broker.saml_xml.refusals import XmlRefusal
from tests.saml_xml.corpus.damage import honest
from tests.saml_xml.corpus.keys import rsa_key
from tests.saml_xml.corpus.messages import ASSERTION, EVIL, HONEST, SECURITY, a_response
from tests.saml_xml.corpus.oracles import read_name_id
from tests.saml_xml.corpus.wrapping import WRAPPINGS, wrapped


@pytest.mark.parametrize("name", WRAPPINGS)
def test_a_wrapped_message_is_refused(name: str) -> None:
    message = wrapped(name)
    assert EVIL.encode() in message or name == "signature-moved-to-response"
    with pytest.raises(XmlRefusal):
        read_name_id(message, rsa_key().verification)


def test_the_message_that_was_wrapped_is_accepted() -> None:
    assert read_name_id(honest(), rsa_key().verification) == HONEST


def test_what_is_verified_is_a_tree_of_its_own() -> None:
    root = SECURITY.parse(honest()).root
    signed = SECURITY.verify(root[-1], keys=[rsa_key().verification])
    assert signed.root.getparent() is None
    assert signed.root.getroottree().getroot() is signed.root
    # Whatever happens to the message now, the signed element stays as it was signed.
    for element in root.iter():
        element.text = EVIL
    assert EVIL.encode() not in serialize(signed.root)


def test_a_signature_further_down_proves_nothing_about_the_root() -> None:
    root = SECURITY.parse(honest()).root
    assert not SECURITY.is_signed(root)
    assert SECURITY.is_signed(root[-1])
    with pytest.raises(XmlRefusal, match="signature-present"):
        SECURITY.verify(root, keys=[rsa_key().verification])


def test_a_signature_inside_a_verified_response_still_has_to_verify() -> None:
    stranger = etree.fromstring(honest())
    assertion = stranger[-1]
    assertion[2][0].text = EVIL
    response = a_response(assertion)
    SECURITY.sign(response, key=rsa_key().signing)
    signed = SECURITY.verify(
        SECURITY.parse(serialize(response)).root, keys=[rsa_key().verification]
    )
    inner = signed.root.find(ASSERTION)
    assert inner is not None
    with pytest.raises(XmlRefusal, match="digest"):
        SECURITY.verify(inner, keys=[rsa_key().verification])
