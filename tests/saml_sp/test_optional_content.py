"""What a school may say besides: long texts and content that we do not use stop nobody.

Kantara's implementation profile: IIP-G03 (256 characters), IIP-SSO07 (optional content), IIP-SP01,
SP02, SP10 to SP12 (attributes and names of any kind).
"""

from typing import Any

import pytest

from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element
from tests.builders_saml import a_school_idp, an_attribute, an_expectation, read, saml, samlp

LONG = "urn:x:" + "é&<\u3042\U0001f600" * 50
"""256 characters, of any kind that XML can carry."""


def test_every_text_may_have_256_characters() -> None:
    assert len(LONG) == 256
    expected = an_expectation(idp=a_school_idp(entity_id=LONG))
    login = read(
        expected=expected,
        issuer=LONG,
        response_issuer=LONG,
        name_id=LONG,
        name_id_attributes={"Format": "urn:" + "x" * 252, "NameQualifier": LONG},
        session_index=LONG,
        authn_context=LONG,
        attributes={LONG: (LONG,)},
    )
    assert login.name_id is not None
    assert login.name_id.value == login.session_index == login.login.acr == LONG
    assert login.login.attributes == {LONG: (LONG,)}


def test_optional_parts_that_we_do_not_use_are_passed_over() -> None:
    def in_assertion(assertion: Element) -> None:
        subject, conditions, authenticated = list(assertion)[1:4]
        subject[0].set("SPProvidedID", "x")
        subject[1][0].set("Address", "192.0.2.1")
        conditions.append(build_element(saml("OneTimeUse")))
        conditions.addnext(
            build_element(saml("Advice"), {}, build_element(saml("AssertionIDRef"), text="_other"))
        )
        locality = {"Address": "192.0.2.1", "DNSName": "pc-7.vuurvogel.example"}
        authenticated.insert(0, build_element(saml("SubjectLocality"), locality))
        authority = build_element(saml("AuthenticatingAuthority"), text="https://inside.example")
        authenticated[-1].append(authority)
        decided = {"Resource": "https://x.example", "Decision": "Permit"}
        action = build_element(saml("Action"), {"Namespace": "urn:x"}, text="read")
        assertion.append(build_element(saml("AuthzDecisionStatement"), decided, action))

    def in_response(response: Element) -> None:
        response.set("Consent", "urn:oasis:names:tc:SAML:2.0:consent:unspecified")
        extension = build_element(samlp("Extensions"), {}, build_element("{urn:x:ours}Other"))
        response.insert(1, extension)
        (status,) = response.iter(samlp("Status"))
        status.append(build_element(samlp("StatusMessage"), text="fine"))
        status.append(build_element(samlp("StatusDetail"), {}, build_element("{urn:x:ours}Other")))

    plain = read(signed="both")
    said_more = read(signed="both", edit_assertion=in_assertion, edit_response=in_response)
    assert said_more == plain


@pytest.mark.parametrize(
    "changes",
    [
        {"NameFormat": None},
        {"NameFormat": n.ATTRNAME_URI, "FriendlyName": "eckId"},
        {"NameFormat": "urn:x:a-format-of-our-own"},
    ],
)
@pytest.mark.parametrize("type_of_value", [None, "xs:string", "xs:anyType"])
def test_a_name_is_a_name_whatever_format_and_type_are_said(
    changes: dict[str, Any], type_of_value: str | None
) -> None:
    def edit(assertion: Element) -> None:
        attribute = an_attribute("uid", "sanne")
        for name, value in changes.items():
            if value is None:
                del attribute.attrib[name]
            else:
                attribute.set(name, value)
        if type_of_value is not None:
            typed = build_element(
                saml("AttributeValue"),
                {f"{{{n.XSI}}}type": type_of_value},
                text="sanne",
                nsmap={"xs": "http://www.w3.org/2001/XMLSchema", "xsi": n.XSI},
            )
            attribute[:] = [typed]
        assertion[-1].append(attribute)

    assert read(attributes={}, edit_assertion=edit).login.attributes == {"uid": ("sanne",)}


@pytest.mark.parametrize("value", ["7", "S-1-5-21", "not=base32 at all"])
def test_a_persistent_name_of_a_school_needs_no_shape_of_ours(value: str) -> None:
    login = read(name_id=value, name_id_attributes={"Format": n.NAMEID_PERSISTENT})
    assert login.name_id is not None
    assert (login.name_id.value, login.name_id.format) == (value, n.NAMEID_PERSISTENT)
