"""Our metadata as an identity provider."""

from datetime import timedelta

import pytest

from broker.saml_idp.own_metadata import build_idp_metadata
from broker.saml_xml import names as n
from broker.saml_xml.elements import text_of
from broker.saml_xml.metadata import read_certificates
from tests.builders_saml import BROKER_IDP, BROKER_KEY, BROKER_SSO, NOW, STRANGER_KEY, XML

TOMORROW = NOW + timedelta(days=1)


def md(local: str) -> str:
    return f"{{{n.MD}}}{local}"


@pytest.mark.parametrize("signed", [True, False])
def test_ours_is_valid_with_two_keys_during_a_roll_over(signed: bool) -> None:
    document = build_idp_metadata(
        entity_id=BROKER_IDP,
        sso_url=BROKER_SSO,
        signing_certificates=[BROKER_KEY.certificate, STRANGER_KEY.certificate],
        document_id="_md",
        valid_until=TOMORROW,
        signing_key=BROKER_KEY.signing if signed else None,
        xml=XML,
    )
    root = XML.parse_metadata(document).root
    assert XML.is_signed(root) is signed
    if signed:
        root = XML.verify(root, keys=[BROKER_KEY.verification]).root
    (role,) = root.iterchildren(md("IDPSSODescriptor"))
    assert root.get("entityID") == BROKER_IDP
    assert read_certificates(role, use="signing") == (
        BROKER_KEY.certificate,
        STRANGER_KEY.certificate,
    )
    services = role.findall(md("SingleSignOnService"))
    assert [each.get("Binding") for each in services] == [n.BINDING_REDIRECT, n.BINDING_POST]
    assert {each.get("Location") for each in services} == {BROKER_SSO}
    formats = [text_of(each) for each in role.findall(md("NameIDFormat"))]
    assert formats == [n.NAMEID_PERSISTENT, n.NAMEID_TRANSIENT]
