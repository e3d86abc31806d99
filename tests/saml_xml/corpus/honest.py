"""Honest messages in every variant that schools send, by four makers: ours, by hand, signxml,
xmlsec1 and pysaml2."""

import atexit
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree
from signxml.signer import XMLSigner

from broker.demo.pysaml2 import IdPConfig, saml
from broker.demo.saml_messages import SchoolServer
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element, serialize
from tests.saml_xml.corpus.by_hand import (
    ENVELOPED,
    EXCLUSIVE,
    Transform,
    inclusive_prefixes,
    sign_by_hand,
)
from tests.saml_xml.corpus.keys import PartyKey, ec_key, rsa_key
from tests.saml_xml.corpus.messages import (
    ACS,
    HONEST,
    IDP,
    SECURITY,
    SP,
    a_response,
    an_assertion,
    ds,
)
from tests.saml_xml.corpus.oracles import ID_ATTRIBUTES, XMLSEC1

P521 = ec_key("p521", curve=ec.SECP521R1)
P384 = ec_key("p384", curve=ec.SECP384R1)
RSA_3072 = rsa_key("rsa3072", bits=3072)


def ours(key: PartyKey, *, response: bool = False, assertion: bool = False) -> bytes:
    """Made and signed by our own code."""
    message = a_response(an_assertion())
    if assertion:
        SECURITY.sign(message[-1], key=key.signing)
    if response:
        SECURITY.sign(message, key=key.signing)
    return serialize(message)


def by_hand(
    key: PartyKey,
    method: str = n.ALG_RSA_SHA256,
    digest_method: str = n.ALG_SHA256,
    *,
    prefixes: str = "",
    prefixes_of_signed_info: str = "",
) -> bytes:
    """An assertion signed with chosen algorithms and, if any, inclusive prefixes.

    Parsed first: lxml passes over a prefix that its parser never read, and so over one of a tree
    that was built.
    """
    message = etree.fromstring(serialize(a_response(an_assertion())))
    sign_by_hand(
        message[-1],
        key,
        method=method,
        digest_method=digest_method,
        transforms=(ENVELOPED, _exclusive(prefixes)),
        canonicalization=_exclusive(prefixes_of_signed_info),
    )
    return serialize(message)


def _exclusive(prefixes: str) -> Transform:
    if not prefixes:
        return EXCLUSIVE
    return Transform(n.ALG_EXCLUSIVE_C14N, (inclusive_prefixes(prefixes),))


def by_signxml(key: PartyKey, method: str) -> bytes:
    """An assertion signed by signxml at a placeholder behind the Issuer."""
    assertion = an_assertion()
    placeholder = build_element(ds("Signature"), {"Id": "placeholder"}, nsmap={"ds": n.DS})
    assertion.insert(1, placeholder)
    signer = XMLSigner(signature_algorithm=method, c14n_algorithm=n.ALG_EXCLUSIVE_C14N)
    signed = signer.sign(
        assertion,
        key=key.private_pem,
        cert=key.certificate_pem,
        reference_uri="#_assertion",
        id_attribute="ID",
    )
    return serialize(a_response(signed))


def by_xmlsec1(key: PartyKey, *, method: str, whole: bool) -> bytes:
    """A Response or assertion signed by the xmlsec1 program: base64 in lines, KeyInfo empty."""
    message = a_response(an_assertion())
    target: Element = message if whole else message[-1]
    signature = sign_by_hand(target, key, method=method)
    signature[0].find(f".//{ds('DigestValue')}").text = ""  # type: ignore[union-attr]
    signature[1].text = ""
    with tempfile.TemporaryDirectory() as folder:
        template, private, signed = (Path(folder, name) for name in ("in.xml", "key.pem", "out"))
        template.write_bytes(serialize(message))
        private.write_text(key.private_pem)
        command = [XMLSEC1, "--sign", "--privkey-pem", str(private), *ID_ATTRIBUTES]
        command += ["--output", str(signed), str(template)]
        subprocess.run(command, capture_output=True, check=True)
        return signed.read_bytes()


@cache
def _pysaml2_server(key: PartyKey) -> SchoolServer:
    folder = tempfile.mkdtemp()  # pysaml2 reads its key anew for every signature
    atexit.register(shutil.rmtree, folder)
    private, certificate = Path(folder, "key.pem"), Path(folder, "cert.pem")
    private.write_text(key.private_pem)
    certificate.write_text(key.certificate_pem)
    service_provider = (
        f'<md:EntityDescriptor xmlns:md="{n.MD}" entityID="{SP}">'
        f'<md:SPSSODescriptor protocolSupportEnumeration="{n.SAMLP}">'
        f'<md:AssertionConsumerService Location="{ACS}" Binding="{n.BINDING_POST}" index="1"/>'
        "</md:SPSSODescriptor></md:EntityDescriptor>"
    )
    config = IdPConfig().load(
        {
            "entityid": IDP,
            "xmlsec_binary": XMLSEC1,
            "key_file": str(private),
            "cert_file": str(certificate),
            "service": {"idp": {"endpoints": {"single_sign_on_service": []}}},
            "metadata": {"inline": [service_provider]},
        }
    )
    return SchoolServer(config=config)


def by_pysaml2(
    key: PartyKey, *, response: bool = False, assertion: bool = False, encrypt: bool = False
) -> bytes:
    """A Response as the demo's schools make it."""
    return str(
        _pysaml2_server(key).create_authn_response(
            {"uid": [HONEST], "givenName": ["Sanne"]},
            in_response_to="_request",
            destination=ACS,
            sp_entity_id=SP,
            name_id=saml.NameID(text=HONEST, format=n.NAMEID_UNSPECIFIED),
            authn={"class_ref": n.AUTHN_PASSWORD, "authn_auth": IDP},
            sign_response=response,
            sign_assertion=assertion,
            sign_alg=n.ALG_RSA_SHA256,
            digest_alg=n.ALG_SHA256,
            encrypt_assertion=encrypt,
            encrypt_cert_assertion=rsa_key("broker").certificate_pem if encrypt else None,
        )
    ).encode()


def indented(key: PartyKey) -> bytes:
    """A message with whitespace between all elements, signed so."""
    message = a_response(an_assertion())
    etree.indent(message)
    sign_by_hand(message[-1], key)
    return b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n' + serialize(message)


def with_cdata(key: PartyKey) -> bytes:
    """A signed value sent as CDATA: canonicalisation knows no difference."""
    sent = ours(key, assertion=True)
    return sent.replace(b">Sanne<", b"><![CDATA[Sanne]]><")


HONEST_MESSAGES: dict[str, tuple[PartyKey, Callable[[PartyKey], bytes]]] = {
    "ours-assertion-rsa": (rsa_key(), lambda key: ours(key, assertion=True)),
    "ours-response-rsa": (rsa_key(), lambda key: ours(key, response=True)),
    "ours-both-rsa": (rsa_key(), lambda key: ours(key, assertion=True, response=True)),
    "ours-both-ec": (ec_key(), lambda key: ours(key, assertion=True, response=True)),
    "ours-assertion-p384": (P384, lambda key: ours(key, assertion=True)),
    "ours-assertion-p521": (P521, lambda key: ours(key, assertion=True)),
    "rsa-3072-sha384": (RSA_3072, lambda key: by_hand(key, n.ALG_RSA_SHA384, n.ALG_SHA384)),
    "rsa-sha512": (rsa_key(), lambda key: by_hand(key, n.ALG_RSA_SHA512, n.ALG_SHA512)),
    "ec-sha512": (ec_key(), lambda key: by_hand(key, n.ALG_ECDSA_SHA512, n.ALG_SHA512)),
    "inclusive-prefixes": (
        rsa_key(),
        lambda key: by_hand(key, prefixes="xs saml absent"),
    ),
    "default-prefix": (rsa_key(), lambda key: by_hand(key, prefixes="#default saml ds xs xsi")),
    "indented": (rsa_key(), indented),
    "cdata": (rsa_key(), with_cdata),
    "signxml-rsa": (rsa_key(), lambda key: by_signxml(key, "rsa-sha256")),
    "signxml-ec": (ec_key(), lambda key: by_signxml(key, "ecdsa-sha256")),
    "xmlsec1-response": (
        rsa_key(),
        lambda key: by_xmlsec1(key, method=n.ALG_RSA_SHA256, whole=True),
    ),
    "xmlsec1-assertion-ec": (
        ec_key(),
        lambda key: by_xmlsec1(key, method=n.ALG_ECDSA_SHA256, whole=False),
    ),
    "pysaml2-response": (rsa_key(), lambda key: by_pysaml2(key, response=True)),
    "pysaml2-assertion": (rsa_key(), lambda key: by_pysaml2(key, assertion=True)),
    "pysaml2-both": (rsa_key(), lambda key: by_pysaml2(key, response=True, assertion=True)),
}

# The standard permits it and xmlsec1 accepts it; signxml and pysaml2 refuse it, since the schema
# that they ship does not know the element in that place.
HONEST_TO_SOME: dict[str, tuple[PartyKey, Callable[[PartyKey], bytes]]] = {
    "inclusive-prefixes-of-signed-info": (
        rsa_key(),
        lambda key: by_hand(key, prefixes="xs", prefixes_of_signed_info="xs saml"),
    ),
}
