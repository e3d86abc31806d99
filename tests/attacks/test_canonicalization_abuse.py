"""Canonicalisation runs before a signature is known to hold, so whoever can send a message reaches
it: it must cost little, and what has no canonical form is a refusal and no fault of ours."""

import pytest

from broker.adapters.xml.xml_signatures import INCLUSIVE_PREFIXES_MAX
from broker.saml_xml.refusals import SignatureRefused
from tests.saml_xml.corpus.damage import honest
from tests.saml_xml.corpus.honest import by_hand
from tests.saml_xml.corpus.keys import rsa_key
from tests.saml_xml.corpus.messages import SECURITY


def verify(message: bytes) -> None:
    SECURITY.verify(SECURITY.parse(message).root[-1], keys=[rsa_key().verification])


@pytest.mark.parametrize("where", ["prefixes", "prefixes_of_signed_info"])
def test_each_prefix_is_looked_up_for_each_element_so_they_are_few(where: str) -> None:
    verify(by_hand(rsa_key(), **{where: "xs " * INCLUSIVE_PREFIXES_MAX}))
    with pytest.raises(SignatureRefused) as refused:
        verify(by_hand(rsa_key(), **{where: "xs " * (INCLUSIVE_PREFIXES_MAX + 1)}))
    assert refused.value.check == "canonicalization-parameter"


@pytest.mark.parametrize("name", [b"relative", b"../x"])
def test_a_relative_namespace_name_has_no_canonical_form(name: bytes) -> None:
    def declaring(namespace: bytes) -> bytes:
        start = b"<samlp:Response "
        return honest().replace(start, start + b'xmlns:q="%s" ' % namespace, 1)

    verify(declaring(b"urn:x"))
    with pytest.raises(SignatureRefused) as refused:
        verify(declaring(name))
    assert refused.value.check == "canonicalization"
