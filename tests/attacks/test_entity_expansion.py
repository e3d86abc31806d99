"""Entities and outside references: nothing is expanded, opened or fetched."""

from pathlib import Path

import pytest

from broker.saml_xml.refusals import MessageUnreadable
from tests.saml_xml.corpus.damage import honest
from tests.saml_xml.corpus.keys import rsa_key
from tests.saml_xml.corpus.messages import HONEST, SECURITY
from tests.saml_xml.corpus.oracles import read_name_id

LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10) for level in range(1, 10)
)

DOCTYPES = {
    "billion-laughs": b'<!DOCTYPE r [<!ENTITY l0 "ha">' + LAUGHS + b"]>",
    "quadratic-blow-up": b'<!DOCTYPE r [<!ENTITY a "' + b"x" * 50_000 + b'">]>',
    "file": b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    "network": b'<!DOCTYPE r [<!ENTITY a SYSTEM "http://127.0.0.1:9/">]>',
    "external-subset": b'<!DOCTYPE r SYSTEM "http://127.0.0.1:9/">',
    "parameter-entity": b'<!DOCTYPE r [<!ENTITY % a SYSTEM "http://127.0.0.1:9/"> %a;]>',
    "lower-case": b"<!doctype r>",
}


@pytest.mark.parametrize("name", DOCTYPES)
def test_a_doctype_is_refused_before_it_is_parsed(name: str) -> None:
    with pytest.raises(MessageUnreadable, match="markup-declaration"):
        SECURITY.parse(DOCTYPES[name] + honest())
    with pytest.raises(MessageUnreadable, match="markup-declaration"):
        SECURITY.parse_metadata(DOCTYPES[name] + honest())


def test_a_doctype_in_utf_7_or_utf_16_is_no_way_round() -> None:
    text = (DOCTYPES["file"] + honest()).decode()
    for document in (text.encode("utf-16"), text.encode("utf-16-le"), text.encode("utf-7")):
        with pytest.raises(MessageUnreadable):
            SECURITY.parse(document)
        with pytest.raises(MessageUnreadable):
            SECURITY.parse(b'<?xml version="1.0" encoding="utf-7"?>' + document)


def test_without_a_doctype_the_message_is_parsed() -> None:
    assert SECURITY.parse(honest()).root.get("ID") == "_response"
    assert SECURITY.parse_metadata(honest()).root.get("ID") == "_response"


@pytest.mark.parametrize(
    "hint",
    [
        "xsi:schemaLocation='urn:x http://127.0.0.1:9/x.xsd'",
        "xsi:schemaLocation='urn:x {schema}'",
        "xsi:noNamespaceSchemaLocation='{schema}'",
    ],
)
def test_a_schema_that_the_message_names_is_not_looked_at(hint: str, tmp_path: Path) -> None:
    """Read, it would refuse what is in front of it: it knows one element, which is a number."""
    schema = tmp_path / "theirs.xsd"
    schema.write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x">'
        '<xs:element name="y" type="xs:integer"/></xs:schema>'
    )
    start = "<samlp:Response xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
    start += hint.format(schema=schema) + " "
    named = honest().replace(b"<samlp:Response ", start.encode(), 1)
    y = b'<samlp:Extensions><y xmlns="urn:x">no number</y></samlp:Extensions>'
    message = named.replace(b"<samlp:Status>", y + b"<samlp:Status>", 1)
    assert SECURITY.parse(message).root.get("ID") == "_response"


def test_where_a_key_is_to_be_fetched_is_not_looked_at() -> None:
    """KeyInfo says nothing to us, so what it names is neither fetched nor missed."""
    fetch = b'<ds:RetrievalMethod URI="http://127.0.0.1:9/"/>'
    message = honest().replace(b"<ds:X509Data>", fetch + b"<ds:X509Data>", 1)
    assert message != honest()
    assert read_name_id(message, rsa_key().verification) == HONEST
