"""XML security on lxml and cryptography: the adapter behind `broker.saml_xml.security.XmlSecurity`.

Our own code verifies, instead of a library, because our rules (`broker.saml_sp.response`) are
narrower than any library's and cost less; `tests/adapters/test_xml_signature_oracles.py` compares
its verdicts with signxml, the xmlsec1 program and pysaml2 over honest and defective messages.
"""

from base64 import b64encode
from collections.abc import Sequence
from copy import copy

from lxml import etree

from broker.adapters.xml.signature_algorithms import (
    DIGESTS,
    SHA2,
    WITH_SHA1,
    digest,
    sign_octets,
)
from broker.adapters.xml.xml_encryption import (
    HELD_BY,
    encrypt_element,
    open_encrypted,
    plaintext_of,
    read_encrypted,
)
from broker.adapters.xml.xml_parsing import (
    AGGREGATE,
    MESSAGE,
    METADATA,
    REQUEST,
    parse_envelope,
    parse_strictly,
)
from broker.adapters.xml.xml_signatures import (
    SIGNATURE,
    canonical,
    verify_enveloped,
    verify_octets,
)
from broker.saml_xml import names as n
from broker.saml_xml.bindings import QuerySignature, quote_parameter
from broker.saml_xml.elements import Element, children_of
from broker.saml_xml.keys import (
    DecryptionKey,
    EncryptionKey,
    SigningKey,
    VerificationKey,
    algorithm_of,
)
from broker.saml_xml.refusals import DecryptionRefused, MessageUnreadable
from broker.saml_xml.security import SignedElement, UnverifiedElement

ISSUER = f"{{{n.SAML}}}Issuer"


_UNSIGNED = etree.fromstring(
    f"""<ds:Signature xmlns:ds="{n.DS}"><ds:SignedInfo>
<ds:CanonicalizationMethod Algorithm="{n.ALG_EXCLUSIVE_C14N}"/>
<ds:SignatureMethod/>
<ds:Reference>
<ds:Transforms>
<ds:Transform Algorithm="{n.ALG_ENVELOPED}"/>
<ds:Transform Algorithm="{n.ALG_EXCLUSIVE_C14N}"/>
</ds:Transforms>
<ds:DigestMethod Algorithm="{n.ALG_SHA256}"/>
<ds:DigestValue/>
</ds:Reference>
</ds:SignedInfo>
<ds:SignatureValue/>
<ds:KeyInfo><ds:X509Data><ds:X509Certificate/></ds:X509Data></ds:KeyInfo>
</ds:Signature>""",
    etree.XMLParser(remove_blank_text=True),
)
"""A signature before its values are set on a copy; building its elements one by one takes longer
than all else around the private key's own work."""


class LxmlSecurity:
    """`XmlSecurity`, whose docstrings hold here too. Stateless: one serves the whole process."""

    def parse(self, message: bytes) -> UnverifiedElement:
        return UnverifiedElement(parse_strictly(message, limits=MESSAGE))

    def parse_request(self, message: bytes) -> UnverifiedElement:
        return UnverifiedElement(parse_strictly(message, limits=REQUEST))

    def parse_envelope(self, message: bytes) -> UnverifiedElement:
        return UnverifiedElement(parse_envelope(message))

    def parse_metadata(self, document: bytes) -> UnverifiedElement:
        return UnverifiedElement(parse_strictly(document, limits=METADATA))

    def parse_aggregate(self, document: bytes) -> UnverifiedElement:
        return UnverifiedElement(parse_strictly(document, limits=AGGREGATE))

    def is_signed(self, element: Element) -> bool:
        return bool(children_of(element, SIGNATURE))

    def verify(
        self, element: Element, *, keys: Sequence[VerificationKey], sha1: bool = False
    ) -> SignedElement:
        return verify_enveloped(element, keys=keys, accepted=WITH_SHA1 if sha1 else SHA2)

    def verify_query(
        self, signature: QuerySignature, *, keys: Sequence[VerificationKey]
    ) -> VerificationKey:
        return verify_octets(signature, keys=keys)

    def decrypt(self, encrypted: Element, *, keys: Sequence[DecryptionKey]) -> UnverifiedElement:
        return UnverifiedElement(_open(encrypted, keys=keys, cbc=False))

    def decrypt_signed(
        self,
        around: SignedElement,
        encrypted: Element,
        *,
        keys: Sequence[DecryptionKey],
        cbc: bool = False,
    ) -> SignedElement:
        if encrypted.getroottree().getroot() is not around.root:
            raise ValueError("the encrypted element is not part of the signed one")
        return SignedElement(root=_open(encrypted, keys=keys, cbc=cbc), key=around.key)

    def sign(self, element: Element, *, key: SigningKey) -> None:
        own_id = element.get("ID")
        if not own_id:
            raise ValueError("an element to sign has an ID")
        hashed = digest(canonical(element), DIGESTS[n.ALG_SHA256])
        signature = copy(_UNSIGNED)  # of an element, a copy has all that is in it
        signed_info, signature_value, key_info = signature
        _, method, reference = signed_info
        method.set("Algorithm", algorithm_of(key.private_key))
        reference.set("URI", f"#{own_id}")
        reference[-1].text = _base64(hashed)
        behind_issuer = len(element) > 0 and element[0].tag == ISSUER
        # Canonicalised in its place: the prefixes around it are those the verifier will see.
        element.insert(1 if behind_issuer else 0, signature)
        signature_value.text = _base64(sign_octets(canonical(signed_info), key=key.private_key))
        key_info[0][0].text = _base64(key.certificate)

    def sign_query(self, query: str, *, key: SigningKey) -> str:
        algorithm = algorithm_of(key.private_key)
        signed = f"{query}&SigAlg={quote_parameter(algorithm)}"
        value = sign_octets(signed.encode("ascii"), key=key.private_key)
        return f"{signed}&Signature={quote_parameter(_base64(value))}"

    def encrypt(self, assertion: Element, *, recipient: EncryptionKey) -> Element:
        return encrypt_element(plaintext_of(assertion), recipient=recipient)


def _open(encrypted: Element, *, keys: Sequence[DecryptionKey], cbc: bool) -> Element:
    plaintext = open_encrypted(read_encrypted(encrypted, cbc=cbc), keys=keys)
    try:
        held = parse_strictly(plaintext, limits=MESSAGE)
    except MessageUnreadable as unreadable:
        # The person sees the one answer; the audit event may know which check it was, since
        # whoever wrote the plaintext knew it already.
        raise DecryptionRefused(f"decrypted-{unreadable.check}") from None
    if held.tag != HELD_BY.get(str(encrypted.tag)):
        raise DecryptionRefused("decrypted-element")
    return held


def _base64(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")
