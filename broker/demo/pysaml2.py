"""The one place that imports pysaml2, the independent SAML implementation of the demo's parties.

pysaml2 7.5.5 names a cipher mode that `cryptography` deprecates; the warning is about the
library's own table and is silenced for this import alone. pysaml2 logs whole messages, with
everything a school states in them, so its loggers are shut.
It starts the program xmlsec1 for each signature and each decryption: call it from a thread.
"""

import logging
import shutil
import warnings

from cryptography.utils import CryptographyDeprecationWarning

with warnings.catch_warnings():
    warnings.simplefilter("ignore", CryptographyDeprecationWarning)
    from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, saml, samlp, sigver, xmldsig
    from saml2.client import Saml2Client
    from saml2.config import IdPConfig, SPConfig
    from saml2.metadata import entity_descriptor
    from saml2.response import AuthnResponse, StatusError
    from saml2.server import Server

logging.getLogger("saml2").setLevel(logging.CRITICAL + 1)

XMLSEC1 = shutil.which("xmlsec1") or "/usr/bin/xmlsec1"

AES_256_GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
RSA_OAEP = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"

__all__ = [
    "AES_256_GCM",
    "BINDING_HTTP_POST",
    "BINDING_HTTP_REDIRECT",
    "RSA_OAEP",
    "XMLSEC1",
    "AuthnResponse",
    "IdPConfig",
    "SPConfig",
    "Saml2Client",
    "Server",
    "StatusError",
    "entity_descriptor",
    "saml",
    "samlp",
    "sigver",
    "xmldsig",
]
