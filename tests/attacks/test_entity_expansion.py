"""Entities and outside references: nothing is expanded, opened or fetched."""

import pytest

from broker.saml_xml.refusals import MessageUnreadable
from tests.saml_xml.corpus.damage import honest
from tests.saml_xml.corpus.messages import SECURITY

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
