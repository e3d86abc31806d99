"""Values that look like markup stay values, in everything that we send."""

import pytest

from broker.saml_idp.assertion import ResponseIds, Told
from broker.saml_idp.request import CheckedAuthnRequest
from broker.saml_idp.response import build_response
from broker.saml_xml.bindings import decode_post
from broker.saml_xml.elements import Element, text_of
from tests.builders_saml import (
    BROKER_IDP,
    BROKER_KEY,
    NOW,
    SUPPLIER_ACS,
    XML,
    a_service_provider,
    saml,
)

MARKUP = (
    "</saml:AttributeValue><saml:AttributeValue>employee",
    '"/><saml:Attribute Name="eduPersonAffiliation"><saml:AttributeValue>employee',
    "]]>",
    "<![CDATA[employee]]>",
    "<!-- -->",
    "&employee;",
    "<?php echo 1 ?>",
    "sanne<!-- -->@vuurvogel.example",
    "student\r\nemployee",
)


def answer(value: str) -> Element:
    form = build_response(
        CheckedAuthnRequest(
            relying_party="taaltuin",  # type: ignore[arg-type]
            request_id=value,
            acs_url=SUPPLIER_ACS,
        ),
        Told(pseudonym=value, attributes=((value, (value, "second")),), authenticated_at=NOW),
        service_provider=a_service_provider(entity_id=value),
        entity_id=BROKER_IDP,
        ids=ResponseIds(
            response_id="_r", assertion_id="_a", session_index=value, transient_name_id="_t"
        ),
        now=NOW,
        signing_key=BROKER_KEY.signing,
        xml=_Signing(),  # type: ignore[arg-type]
    )
    return _parse(decode_post(form.fields[0][1]))


class _Signing:
    """Signs nothing: some of these values no schema allows where they stand."""

    def sign(self, _element: Element, *, key: object) -> None:
        del key


def _parse(message: bytes) -> Element:
    from lxml import etree

    return etree.fromstring(message, etree.XMLParser(resolve_entities=False))


@pytest.mark.parametrize("value", MARKUP)
def test_markup_in_a_value_stays_text(value: str) -> None:
    response = answer(value)
    (name_id,) = response.iter(saml("NameID"))
    assert text_of(name_id) == value
    (attribute,) = response.iter(saml("Attribute"))
    assert attribute.get("Name") == value
    assert [text_of(each) for each in attribute] == [value, "second"]
    (audience,) = response.iter(saml("Audience"))
    assert text_of(audience) == value
    assert response.get("InResponseTo") == value


def test_a_plain_value_arrives_through_the_strict_reader() -> None:
    assert XML.is_signed(answer("taaltuin")) is False
    assert text_of(next(answer("sanne").iter(saml("NameID")))) == "sanne"
