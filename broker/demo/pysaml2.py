"""The one place that imports pysaml2, the independent SAML implementation of the demo's parties.

pysaml2 7.5.5 names a cipher mode that `cryptography` deprecates; the warning is about the
library's own table and is silenced for this import alone. pysaml2 logs whole messages, with
everything a school states in them, so its loggers are shut.
Its temporary files (certificates, messages) stay open until the garbage collector finds them, in
any order, which Python reports as a leak; `ClosedTemporaryFile` takes their place.
It starts the program xmlsec1 for each signature and each decryption: call it from a thread.
"""

import base64
import logging
import os
import shutil
import tempfile
import warnings
import weakref
from xml.etree import ElementTree

from cryptography.utils import CryptographyDeprecationWarning

with warnings.catch_warnings():
    warnings.simplefilter("ignore", CryptographyDeprecationWarning)
    from saml2 import (
        BINDING_HTTP_POST,
        BINDING_HTTP_REDIRECT,
        BINDING_SOAP,
        entity,
        saml,
        samlp,
        sigver,
        xmldsig,
    )
    from saml2.client import Saml2Client
    from saml2.config import IdPConfig, SPConfig
    from saml2.metadata import entity_descriptor
    from saml2.response import AuthnResponse, StatusError
    from saml2.server import Server


class ClosedTemporaryFile:
    """A file with content that is closed already, and removed when nobody refers to it any more."""

    def __init__(self, content: bytes, *, suffix: str) -> None:
        descriptor, self.name = tempfile.mkstemp(suffix=suffix)
        with open(descriptor, "wb") as file:
            file.write(content)
        weakref.finalize(self, os.unlink, self.name)


def make_temporary_file(
    content: str | bytes, suffix: str = "", decode: bool = True, delete_tmpfiles: bool = True
) -> ClosedTemporaryFile:
    """Do what `saml2.sigver.make_temp` does; `delete_tmpfiles` is always meant.

    Args:
        content: text, or base64 of it when `decode`.
    """
    content_bytes = content.encode() if isinstance(content, str) else content
    if decode:
        content_bytes = base64.b64decode(content_bytes)
    return ClosedTemporaryFile(content_bytes, suffix=suffix)


sigver.make_temp = make_temporary_file
entity.make_temp = make_temporary_file

# What comes in a SOAP envelope pysaml2 writes anew before it verifies, with prefixes of its own
# choice: these are ours, so that signed names stay what was signed.
for _prefix, _namespace in (
    ("samlp", samlp.NAMESPACE),
    ("saml", saml.NAMESPACE),
    ("ds", xmldsig.NAMESPACE),
):
    ElementTree.register_namespace(_prefix, _namespace)

logging.getLogger("saml2").setLevel(logging.CRITICAL + 1)

XMLSEC1 = shutil.which("xmlsec1") or "/usr/bin/xmlsec1"

AES_256_GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
RSA_OAEP = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"

__all__ = [
    "AES_256_GCM",
    "BINDING_HTTP_POST",
    "BINDING_HTTP_REDIRECT",
    "BINDING_SOAP",
    "RSA_OAEP",
    "XMLSEC1",
    "AuthnResponse",
    "IdPConfig",
    "SPConfig",
    "Saml2Client",
    "Server",
    "StatusError",
    "entity_descriptor",
    "make_temporary_file",
    "saml",
    "samlp",
    "sigver",
    "xmldsig",
]
