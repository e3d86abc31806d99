"""Messages on which two programs may disagree about what they read: parser differentials, doubled
identifiers and attributes, references written otherwise. Names as keys of `defects.DEFECTS`.

    name -> (message, check that refuses, why we refuse what an oracle accepts)
"""

from collections.abc import Callable

from tests.saml_xml.corpus.damage import replaced
from tests.saml_xml.corpus.messages import EVIL, HONEST

_VALUE = HONEST.encode()
_EVIL = EVIL.encode()
_XSI = b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_EVIL_ATTRIBUTE = (
    b'<saml:Attribute Name="uid"><saml:AttributeValue>' + _EVIL + b"</saml:AttributeValue>"
    b"</saml:Attribute>"
)
_MANIFEST = (
    b'<ds:Object><ds:Manifest><ds:Reference URI="#_assertion">'
    b'<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
    b"<ds:DigestValue>AAAA</ds:DigestValue></ds:Reference></ds:Manifest></ds:Object>"
)
_ID = b' ID="_assertion"'
_URI = b'URI="#_assertion"'

Differential = tuple[Callable[[], bytes], str, str]


_ROWS: tuple[tuple[str, bytes, bytes, str, str], ...] = (
    # Doubled identifiers and attributes.
    ("attribute-twice-in-a-tag", _ID, _ID + b' ID="_evil"', "well-formed", ""),
    (
        "attribute-twice-by-two-prefixes",
        _ID,
        _ID + b' xmlns:a="urn:x" xmlns:b="urn:x" a:y="1" b:y="2"',
        "well-formed",
        "",
    ),
    ("id-in-a-namespace", _ID, b' saml:ID="_evil"' + _ID, "schema", ""),
    ("xml-id-beside-id", _ID, b' xml:id="_evil"' + _ID, "schema", ""),
    (
        "xml-id-of-another-element",
        b' ID="_response"',
        b' xml:id="_assertion" ID="_response"',
        "unique-ids",
        "To programs that know xml:id, one ID names two elements.",
    ),
    (
        "second-name-id",
        b"</saml:NameID>",
        b"</saml:NameID><saml:NameID>" + _EVIL + b"</saml:NameID>",
        "schema",
        "",
    ),
    (
        "second-subject",
        b"</saml:Subject>",
        b"</saml:Subject><saml:Subject><saml:NameID>" + _EVIL + b"</saml:NameID></saml:Subject>",
        "schema",
        "",
    ),
    (
        "attribute-stated-twice",
        b"<saml:AttributeStatement>",
        b"<saml:AttributeStatement>" + _EVIL_ATTRIBUTE,
        "digest",
        "",
    ),
    (
        "second-attribute-statement",
        b"</saml:Assertion>",
        b"<saml:AttributeStatement>" + _EVIL_ATTRIBUTE + b"</saml:AttributeStatement>"
        b"</saml:Assertion>",
        "digest",
        "",
    ),
    # Octets that decoders read differently.
    (
        "xml-1.1",
        rb"\A",
        b'<?xml version="1.1"?>',
        "processing-instruction",
        "XML 1.1 knows other line ends and characters: canonical form is of XML 1.0 alone.",
    ),
    ("nul-in-value", _VALUE, b"sanne\x00@vuurvogel.example", "well-formed", ""),
    ("overlong-utf-8", _VALUE, b"sanne\xc0\xbcx/\xc0\xbe@vuurvogel.example", "encoding", ""),
    ("surrogate-in-utf-8", _VALUE, b"sanne\xed\xa0\x80@vuurvogel.example", "encoding", ""),
    ("two-byte-order-marks", rb"\A", b"\xef\xbb\xbf\xef\xbb\xbf", "well-formed", ""),
    ("carriage-return-in-value", _VALUE, _VALUE + b"&#13;", "digest", ""),
    ("accent-in-value", _VALUE, b"sanne\xcc\x81@vuurvogel.example", "digest", ""),
    ("cdata-closed-early", _VALUE, b"sanne]]>@vuurvogel.example", "well-formed", ""),
    ("two-roots", rb"\Z", b"<x/>", "well-formed", ""),
    # Names that mean another element, or that there is none.
    ("prefix-bound-anew", b"<saml:NameID ", b'<saml:NameID xmlns:saml="urn:x" ', "schema", ""),
    ("prefix-unbound", b"<saml:NameID ", b"<other:NameID ", "well-formed", ""),
    (
        "nil-value",
        b"<saml:NameID ",
        b"<saml:NameID " + _XSI + b' xsi:nil="true" ',
        "schema",
        "",
    ),
    # References and keys.
    ("reference-with-base", b"<ds:Reference ", b'<ds:Reference xml:base="urn:x" ', "schema", ""),
    ("reference-with-whitespace", _URI, b'URI=" #_assertion"', "reference", ""),
    ("reference-escaped", _URI, b'URI="#%5Fassertion"', "reference", ""),
    ("reference-with-query", _URI, b'URI="?#_assertion"', "reference", ""),
    ("reference-to-the-root", _URI, b'URI="#xpointer(/)"', "reference", ""),
    ("id-with-whitespace", _ID, b' ID=" _assertion"', "reference", ""),
    (
        "truncated-hmac",
        b"(<ds:SignatureMethod [^>]*)/>",
        rb"\1><ds:HMACOutputLength>1</ds:HMACOutputLength></ds:SignatureMethod>",
        "signature-algorithm",
        "",
    ),
    (
        "manifest",
        b"</ds:Signature>",
        _MANIFEST + b"</ds:Signature>",
        "signature-shape",
        "A Manifest's references need not be checked (XML Signature 5.1): it vouches for nothing.",
    ),
)

DIFFERENTIALS: dict[str, Differential] = {
    name: (replaced(pattern, by), check, why) for name, pattern, by, check, why in _ROWS
}
