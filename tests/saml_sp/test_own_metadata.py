"""Our metadata as a service provider."""

from datetime import timedelta

from broker.saml_sp.own_metadata import build_sp_metadata
from broker.saml_xml import names as n
from broker.saml_xml.metadata import read_certificates
from tests.builders_saml import (
    BROKER_ACS,
    BROKER_ENCRYPTION,
    BROKER_KEY,
    BROKER_SP,
    NOW,
    STRANGER_KEY,
    XML,
)

TOMORROW = NOW + timedelta(days=1)


def md(local: str) -> str:
    return f"{{{n.MD}}}{local}"


def test_valid_with_two_keys_during_a_roll_over() -> None:
    document = build_sp_metadata(
        entity_id=BROKER_SP,
        acs_url=BROKER_ACS,
        signing_certificates=[BROKER_KEY.certificate, STRANGER_KEY.certificate],
        encryption_certificates=[BROKER_ENCRYPTION.certificate],
        document_id="_md",
        valid_until=TOMORROW,
        signing_key=BROKER_KEY.signing,
        xml=XML,
    )
    root = XML.verify(XML.parse_metadata(document).root, keys=[BROKER_KEY.verification]).root
    assert root.get("entityID") == BROKER_SP
    assert root.get("validUntil") == "2026-03-03T08:00:00Z"
    (role,) = root.iterchildren(md("SPSSODescriptor"))
    assert role.get("AuthnRequestsSigned") == "true"
    assert role.get("WantAssertionsSigned") == "true"
    assert len(read_certificates(role, use="signing")) == 2
    assert read_certificates(role, use="encryption") == (BROKER_ENCRYPTION.certificate,)
    assert role[-1].get("Location") == BROKER_ACS


def test_unsigned_and_without_signing_keys() -> None:
    document = build_sp_metadata(
        entity_id=BROKER_SP,
        acs_url=BROKER_ACS,
        signing_certificates=[],
        encryption_certificates=[],
        document_id="_md",
        valid_until=TOMORROW,
        xml=XML,
    )
    root = XML.parse_metadata(document).root
    assert not XML.is_signed(root)
    (role,) = root.iterchildren(md("SPSSODescriptor"))
    assert role.get("AuthnRequestsSigned") == "false"
