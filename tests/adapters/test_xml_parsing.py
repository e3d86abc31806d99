"""The strict parser behind `XmlSecurity`: each refusal has its positive twin beside it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from broker.adapters.xml import xml_parsing, xml_signatures
from broker.adapters.xml.xml_security import LxmlSecurity
from broker.saml_xml import names as n
from broker.saml_xml.elements import serialize
from broker.saml_xml.metadata import entities_of
from broker.saml_xml.refusals import (
    MessageUnreadable,
    XmlRefusal,
)
from broker.saml_xml.security import XmlSecurity
from tests.builders_metadata_sources import FEDERATION_KEY, an_aggregate, group
from tests.builders_saml_metadata import an_idp
from tests.saml_xml.corpus.damage import honest
from tests.saml_xml.corpus.honest import HONEST_MESSAGES
from tests.saml_xml.corpus.keys import rsa_key
from tests.saml_xml.corpus.messages import (
    HONEST,
    IDP,
    INSTANT,
    SECURITY,
    an_authn_request,
)
from tests.saml_xml.corpus.oracles import read_name_id

METADATA = (
    f'<!-- ours --><md:EntityDescriptor xmlns:md="{n.MD}" xmlns:mdui="urn:x" entityID="{IDP}">'
    "<md:Extensions><mdui:UIInfo/></md:Extensions>"
    f'<md:IDPSSODescriptor protocolSupportEnumeration="{n.SAMLP}"><!-- and ours -->'
    f"<md:NameIDFormat>urn:<!-- in a value -->x</md:NameIDFormat>"
    f'<md:SingleSignOnService Binding="{n.BINDING_POST}" Location="https://idp.example/"/>'
    "</md:IDPSSODescriptor></md:EntityDescriptor>"
).encode()


def refused(check: str) -> "pytest.RaisesExc[XmlRefusal]":
    return pytest.raises(XmlRefusal, check=lambda refusal: refusal.check == check)


def test_the_adapter_is_what_the_roles_ask_for() -> None:
    security: XmlSecurity = LxmlSecurity()
    assert security.parse(honest()).root.tag == f"{{{n.SAMLP}}}Response"


def test_every_check_is_in_its_table_and_refuses_something() -> None:
    for module, tables in (
        (xml_parsing, (xml_parsing.CHECKS_ON_BYTES, xml_parsing.CHECKS_ON_TREE)),
        (xml_signatures, (xml_signatures.CHECKS,)),
    ):
        named = {name for name in vars(module) if name.startswith("check_")}
        assert named == {check.__name__ for table in tables for check in table}
    assert (len(xml_parsing.CHECKS_ON_BYTES), len(xml_parsing.CHECKS_ON_TREE)) == (4, 5)
    assert len(xml_signatures.CHECKS) == 5


@pytest.mark.parametrize("name", HONEST_MESSAGES)
def test_honest_messages_are_schema_valid(name: str) -> None:
    key, make = HONEST_MESSAGES[name]
    assert SECURITY.parse(make(key)).root.get("ID")


@pytest.mark.parametrize(
    "declaration",
    [
        b"",
        b"\xef\xbb\xbf",
        b'<?xml version="1.0"?>',
        b"<?xml version='1.0' encoding='utf-8' ?>\r\n",
        b'<?xml version="1.0" encoding="UTF-8" standalone="no"?>',
        b'\xef\xbb\xbf<?xml version="1.0" encoding="US-ASCII"?>',
    ],
)
def test_a_message_in_utf_8_is_parsed(declaration: bytes) -> None:
    assert read_name_id(declaration + honest(), rsa_key().verification) == HONEST


@pytest.mark.parametrize(
    ("document", "check"),
    [
        (b"", "size"),
        (honest() + b" " * xml_parsing.MESSAGE.max_bytes, "size"),
        (b"\xff" + honest(), "encoding"),
        (b'<?xml version="1.1"?>' + honest(), "processing-instruction"),
        (b'<?xml version="1.0" encoding="utf-7"?>' + honest(), "processing-instruction"),
        (b" <?xml version='1.0'?>" + honest(), "processing-instruction"),
        (honest() + b"<?x?>", "processing-instruction"),
        (b"<!DOCTYPE a>" + honest(), "markup-declaration"),
        (honest() + b"<!---->", "markup-declaration"),
        (b"<a>" * 5000, "amount"),
        (b"<a " + b"xmlns:a='b' " * 500 + b"/>", "amount"),
        (b"<a " + b"a='b' " * 5000 + b"/>", "amount"),
        (b"<a>", "well-formed"),
        (b"<a/><a/>", "well-formed"),
        (b"text", "well-formed"),
        (b"<a b='1' b='2'/>", "well-formed"),
        (b"<p:a/>", "well-formed"),
        (b"<a>&#0;</a>", "well-formed"),
        (b"<a>" * 41 + b"</a>" * 41, "depth"),
        (b"<a>" * 40 + b"</a>" * 40, "schema"),
        (b"<a ID='1'><b xml:id='1'/></a>", "unique-ids"),
        (b"<a ID='1'><b xml:id='2'/></a>", "schema"),
        (b"<a/>", "schema"),
        (honest().replace(b"Version", b"version", 1), "schema"),
        (honest().replace(b"<saml:Subject>", b"<saml:Subject>text", 1), "schema"),
        (honest().replace(INSTANT.encode(), b"yesterday", 1), "schema"),
    ],
)
def test_a_document_is_refused_by_the_first_check_that_it_fails(
    document: bytes, check: str
) -> None:
    with refused(check):
        SECURITY.parse(document)


OF_ANOTHER_PROTOCOL = (
    f'<RoleDescriptor xmlns:xsi="{n.XSI}" xmlns:fed="urn:fed" protocolSupportEnumeration="urn:fed"'
    ' xsi:type="fed:SecurityTokenServiceType"><fed:ClaimTypesOffered/></RoleDescriptor>'
)
NEITHER, BOTH = an_idp(), an_idp().replace("<IDPSSO", f"{OF_ANOTHER_PROTOCOL}<IDPSSO", 1)


@pytest.mark.parametrize("beside", [NEITHER, BOTH])
@pytest.mark.parametrize("deep", [False, True])
def test_an_aggregate_may_hold_roles_of_other_protocols(beside: str, deep: bool) -> None:
    inside = group(BOTH, BOTH) if deep else f"{BOTH}{BOTH}"
    document = an_aggregate(NEITHER, inside, beside)
    root = SECURITY.parse_aggregate(document).root
    assert len(list(entities_of(root))) == 4
    SECURITY.verify(root, keys=[FEDERATION_KEY.verification])  # still as it was signed
    for attribute in (b" entityID=", b" Location="):
        parts = document.split(attribute)
        assert len(parts) == 5
        for at in range(1, 5):  # wherever it stands
            damaged = (attribute.join(parts[:at]), attribute.join(parts[at:]))
            with refused("schema"):
                SECURITY.parse_aggregate(b" unknown=".join(damaged))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"<EntityDescriptor", b"words<EntityDescriptor"),
        (b"<EntityDescriptor", b'<md:Unknown xmlns:md="urn:x"/><EntityDescriptor'),
        (b"<EntityDescriptor", b"<Extensions/><EntityDescriptor"),
        (b' ID="_root"', b' ID="_root" Unknown="1"'),
        (b' validUntil="', b' validUntil="on '),
    ],
)
def test_what_is_around_entities_must_be_as_saml_has_it(before: bytes, after: bytes) -> None:
    document = an_aggregate(NEITHER, BOTH)
    assert SECURITY.parse_aggregate(document)
    assert before in document
    with refused("schema"):
        SECURITY.parse_aggregate(document.replace(before, after, 1))


def test_no_schema_is_loaded_from_where_a_message_points() -> None:
    hint = b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x file:///nowhere.xsd"'
    message = honest().replace(b" Version", hint + b" Version", 1)
    assert read_name_id(message, rsa_key().verification) == HONEST


def test_text_in_cdata_is_text() -> None:
    name_id = HONEST.encode()
    message = honest().replace(b">" + name_id, b"><![CDATA[" + name_id + b"]]>", 1)
    assert read_name_id(message, rsa_key().verification) == HONEST
    with refused("markup-declaration"):
        SECURITY.parse(message.replace(b"[CDATA[", b"[CDATA[<!--", 1))


def test_comments_are_dropped_from_metadata_and_values_stay_whole() -> None:
    root = SECURITY.parse_metadata(METADATA).root
    assert root.tag == f"{{{n.MD}}}EntityDescriptor"
    assert next(root.iter(f"{{{n.MD}}}NameIDFormat")).text == "urn:x"
    assert not list(root.iter(etree.Comment))
    with refused("markup-declaration"):
        SECURITY.parse(METADATA)
    with refused("markup-declaration"):
        SECURITY.parse_metadata(b"<!DOCTYPE a>" + METADATA)
    with refused("processing-instruction"):
        SECURITY.parse_metadata(METADATA + b"<?x?>")


@given(st.binary(max_size=300))
def test_no_bytes_whatever_do_anything_but_refuse(document: bytes) -> None:
    for parse in (SECURITY.parse, SECURITY.parse_metadata):
        with pytest.raises(MessageUnreadable):
            parse(document)


def crowded(attributes: int) -> bytes:
    extension = "<y xmlns='urn:x' " + " ".join(f"a{n}=''" for n in range(attributes)) + "/>"
    start = b"<samlp:Status>"
    inside = f"<samlp:Extensions>{extension}</samlp:Extensions>".encode()
    return honest().replace(start, inside + start, 1)


def test_an_element_has_few_attributes() -> None:
    """Canonicalisation compares each with each, before a signature can be looked at."""
    most = xml_parsing.ATTRIBUTES_OF_ELEMENT_MAX
    assert SECURITY.parse(crowded(most)).root.get("ID")
    with refused("attributes"):
        SECURITY.parse(crowded(most + 1))


@pytest.mark.parametrize(
    ("most", "inside", "check"),
    [
        (50, b"<y xmlns='urn:x'></y>", "amount"),  # tags
        (4, b"<y xmlns='urn:x'" + b" %b=''" * 50 + b"/>", "amount"),  # attributes
        (2, b"<y xmlns='urn:x'" + b" xmlns:%b='urn:x'" * 20 + b"/>", "amount"),
        (7, b"<y xmlns='urn:x'>" + b"x" * 2000 + b"</y>", "size"),
    ],
)
def test_a_request_is_smaller_than_a_response(most: int, inside: bytes, check: str) -> None:
    def holding(elements: int) -> bytes:
        each = inside
        while b"%b" in each:
            each = each.replace(b"%b", b"a%d" % each.count(b"%b"), 1)
        start = b"<samlp:NameIDPolicy"
        extensions = b"<samlp:Extensions>" + each * elements + b"</samlp:Extensions>"
        return serialize(an_authn_request()).replace(start, extensions + start, 1)

    assert SECURITY.parse_request(holding(most)).root.get("ID")
    with refused(check):
        SECURITY.parse_request(holding(3 * most))
    assert SECURITY.parse(holding(3 * most)).root.get("ID")
