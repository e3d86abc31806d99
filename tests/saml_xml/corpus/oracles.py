"""Four judges of one message: ours, signxml, the xmlsec1 program, pysaml2.

Each answers whether it takes the message for signed by the one registered key. The other three are
asked as their documentation says an application asks them.
"""

import logging
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from lxml import etree
from saml2 import SAMLError
from signxml.exceptions import InvalidInput, SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from broker.demo.pysaml2 import XMLSEC1, SPConfig, samlp, sigver
from broker.saml_xml.elements import only_child, text_of
from broker.saml_xml.keys import VerificationKey
from broker.saml_xml.refusals import XmlRefusal
from tests.saml_xml.corpus.keys import PartyKey
from tests.saml_xml.corpus.messages import ASSERTION, IDP, SECURITY, saml

ID_ATTRIBUTES = (
    "--id-attr:ID",
    "urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
    "--id-attr:ID",
    "urn:oasis:names:tc:SAML:2.0:protocol:Response",
)


def read_name_id(message: bytes, *keys: VerificationKey) -> str:
    """Return the NameID, read as a service provider reads: from verified elements only."""
    root = SECURITY.parse(message).root
    if SECURITY.is_signed(root):
        assertion = only_child(SECURITY.verify(root, keys=keys).root, ASSERTION)
    else:
        assertion = SECURITY.verify(only_child(root, ASSERTION), keys=keys).root
    return text_of(only_child(only_child(assertion, saml("Subject")), saml("NameID")))


def we_accept(message: bytes, key: PartyKey) -> bool:
    """Ask ourselves."""
    try:
        read_name_id(message, key.verification)
    except XmlRefusal:
        return False
    return True


def signxml_accepts(message: bytes, key: PartyKey) -> bool:
    """Ask signxml for the first signature in the document."""
    logging.getLogger("signxml").setLevel(logging.CRITICAL)
    try:
        XMLVerifier().verify(
            etree.fromstring(message),
            x509_cert=key.certificate_pem,
            id_attribute="ID",
            expect_config=SignatureConfiguration(location=".//"),
        )
    except (SignXMLException, InvalidInput, etree.LxmlError, ValueError, KeyError, TypeError):
        return False
    return True


def xmlsec1_accepts(message: bytes, key: PartyKey) -> bool:
    """Ask the xmlsec1 program for the first signature in the document."""
    with tempfile.TemporaryDirectory() as folder:
        document, certificate = Path(folder, "message.xml"), Path(folder, "key.pem")
        document.write_bytes(message)
        certificate.write_text(key.certificate_pem)
        command = [XMLSEC1, "--verify", "--pubkey-cert-pem", str(certificate), *ID_ATTRIBUTES]
        command += ["--enabled-reference-uris", "empty,same-doc"]
        command += ["--enabled-key-data", "raw-x509-cert", str(document)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def pysaml2_accepts(message: bytes, key: PartyKey) -> bool:
    """Ask pysaml2 for the Response's signature, and for the first assertion's if it has one."""
    context = _pysaml2_context(key)
    try:
        response = samlp.any_response_from_string(message.decode())
        signed = bool(response.signature)
        context.correctly_signed_response(message.decode(), must=True)
        for assertion in response.assertion[:1]:
            if assertion.signature:
                signed = True
                context.check_signature(
                    assertion, "urn:oasis:names:tc:SAML:2.0:assertion:Assertion", message.decode()
                )
    except (SAMLError, *_PYSAML2_ACCIDENTS):
        return False
    return signed


# What pysaml2 lets escape when it is sent something that it did not think of.
_PYSAML2_ACCIDENTS = (AttributeError, TypeError, ValueError, IndexError, SyntaxError, KeyError)


@cache
def _pysaml2_context(key: PartyKey) -> sigver.SecurityContext:
    certificate = "".join(key.certificate_pem.splitlines()[1:-1])
    metadata = (
        f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{IDP}">'
        '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        '<md:KeyDescriptor><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
        f"<ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        '</md:KeyDescriptor><md:SingleSignOnService Location="https://idp.example/sso" '
        'Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"/></md:IDPSSODescriptor>'
        "</md:EntityDescriptor>"
    )
    config = SPConfig().load(
        {
            "entityid": "https://sp.example",
            "xmlsec_binary": XMLSEC1,
            "only_use_keys_in_metadata": True,
            "service": {
                "sp": {"endpoints": {"assertion_consumer_service": ["https://sp.example"]}}
            },
            "metadata": {"inline": [metadata]},
        }
    )
    return sigver.security_context(config)


ORACLES = {
    "signxml": signxml_accepts,
    "xmlsec1": xmlsec1_accepts,
    "pysaml2": pysaml2_accepts,
}
