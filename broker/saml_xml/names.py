"""The vocabulary of SAML 2.0 and XML security: namespaces, bindings, formats, status, algorithms.

Values come from SAML core, bindings and metadata (OASIS, 2005), XML Signature, RFC 4051 and 6931,
XML Encryption 1.0 and 1.1. Names of elements are in lxml's `{namespace}local` form.
"""

from typing import Final

SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
MD: Final = "urn:oasis:names:tc:SAML:2.0:metadata"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
XENC11: Final = "http://www.w3.org/2009/xmlenc11#"
EC: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
XS: Final = "http://www.w3.org/2001/XMLSchema"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
XML: Final = "http://www.w3.org/XML/1998/namespace"

# Extensions of metadata: login and discovery, entity attributes, algorithm support, Shibboleth's.
MDUI: Final = "urn:oasis:names:tc:SAML:metadata:ui"
MDATTR: Final = "urn:oasis:names:tc:SAML:metadata:attribute"
ALG: Final = "urn:oasis:names:tc:SAML:metadata:algsupport"
SHIBMD: Final = "urn:mace:shibboleth:metadata:1.0"

# Namespace maps for elements that we build: the conventional prefixes, declared once at the top.
NSMAP_PROTOCOL: Final = {"samlp": SAMLP, "saml": SAML}
NSMAP_ASSERTION: Final = {"saml": SAML, "xs": XS, "xsi": XSI}
NSMAP_METADATA: Final = {"md": MD, "ds": DS}
NSMAP_OWN_METADATA: Final = {
    **NSMAP_METADATA,
    "saml": SAML,
    "mdui": MDUI,
    "mdattr": MDATTR,
    "alg": ALG,
    "shibmd": SHIBMD,
}

# Bindings (SAML bindings 3.2, 3.4, 3.5).
BINDING_REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
BINDING_POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
BINDING_SOAP: Final = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"
ENCODING_DEFLATE: Final = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"

# NameID formats (SAML core 8.3).
NAMEID_UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
NAMEID_EMAIL: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
NAMEID_PERSISTENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
NAMEID_TRANSIENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
NAMEID_ENTITY: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"

# Attribute name formats (SAML core 8.2).
ATTRNAME_BASIC: Final = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
ATTRNAME_URI: Final = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"

# Subject confirmation (SAML profiles 3) and authentication contexts (SAML authncontext 3.4).
CONFIRMATION_BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
AUTHN_CLASSES: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
AUTHN_UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
AUTHN_PASSWORD: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
AUTHN_PASSWORD_PROTECTED: Final = (
    "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
)

# Status codes (SAML core 3.2.2.2). The first three are top-level.
STATUS_PREFIX: Final = "urn:oasis:names:tc:SAML:2.0:status:"
STATUS_SUCCESS: Final = STATUS_PREFIX + "Success"
STATUS_REQUESTER: Final = STATUS_PREFIX + "Requester"
STATUS_RESPONDER: Final = STATUS_PREFIX + "Responder"
STATUS_AUTHN_FAILED: Final = STATUS_PREFIX + "AuthnFailed"
STATUS_INVALID_NAMEID_POLICY: Final = STATUS_PREFIX + "InvalidNameIDPolicy"
STATUS_NO_AUTHN_CONTEXT: Final = STATUS_PREFIX + "NoAuthnContext"
STATUS_NO_PASSIVE: Final = STATUS_PREFIX + "NoPassive"
STATUS_PARTIAL_LOGOUT: Final = STATUS_PREFIX + "PartialLogout"
STATUS_REQUEST_DENIED: Final = STATUS_PREFIX + "RequestDenied"

# Canonicalisation and transforms.
ALG_EXCLUSIVE_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ALG_ENVELOPED: Final = DS + "enveloped-signature"

# Signatures and digests that we accept and make (RFC 4051 2.3, XML Encryption 5.7). What is not
# here is refused: SHA-1, HMAC, DSA, MD5.
ALG_RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
ALG_RSA_SHA384: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"
ALG_RSA_SHA512: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
ALG_ECDSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
ALG_ECDSA_SHA384: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
ALG_ECDSA_SHA512: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"
ALG_RSA_SHA1: Final = DS + "rsa-sha1"  # by exception of one school, never else
ALG_SHA256: Final = XENC + "sha256"
ALG_SHA384: Final = "http://www.w3.org/2001/04/xmldsig-more#sha384"
ALG_SHA512: Final = XENC + "sha512"

# Encryption (XML Encryption 1.1, 5.2.4 and 5.5.2). SHA-1 appears below inside OAEP, where its
# weakness does not matter and many programs know nothing else; as the digest of a signature, and
# CBC, by exception of one school only.
ALG_AES128_GCM: Final = XENC11 + "aes128-gcm"
ALG_AES256_GCM: Final = XENC11 + "aes256-gcm"
ALG_AES128_CBC: Final = XENC + "aes128-cbc"
ALG_AES256_CBC: Final = XENC + "aes256-cbc"
ALG_RSA_OAEP_MGF1P: Final = XENC + "rsa-oaep-mgf1p"
ALG_RSA_OAEP: Final = XENC11 + "rsa-oaep"
ALG_SHA1: Final = DS + "sha1"
ALG_MGF1_SHA1: Final = XENC11 + "mgf1sha1"
ALG_MGF1_SHA256: Final = XENC11 + "mgf1sha256"
TYPE_ELEMENT: Final = XENC + "Element"
