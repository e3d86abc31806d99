"""What we read of the metadata of suppliers."""

from datetime import timedelta
from typing import Any

import pytest

from broker.domain.relying_parties import AssertionConsumerService, SamlServiceProvider
from broker.saml_idp.metadata import read_sp_metadata
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element, serialize
from broker.saml_xml.metadata import (
    SupplierMetadataUnusable,
)
from broker.saml_xml.own_metadata import build_entity_descriptor, build_key_descriptors
from broker.saml_xml.refusals import SupplierMessageUnreadable
from tests.builders_saml import (
    NOW,
    SUPPLIER_ACS,
    SUPPLIER_ENCRYPTION,
    SUPPLIER_ENTITY,
    SUPPLIER_KEY,
    XML,
)
from tests.saml_xml.corpus.keys import ec_key

TOMORROW = NOW + timedelta(days=1)


def md(local: str) -> str:
    return f"{{{n.MD}}}{local}"


def a_service(
    url: str = SUPPLIER_ACS, *, index: str = "1", binding: str = n.BINDING_POST, **more: str
) -> Element:
    attributes = {"Binding": binding, "Location": url, "index": index}
    return build_element(md("AssertionConsumerService"), attributes | more)


def a_document(
    *services: Element,
    signing: tuple[bytes, ...] = (SUPPLIER_KEY.certificate,),
    encryption: tuple[bytes, ...] = (SUPPLIER_ENCRYPTION.certificate,),
    **attributes: str,
) -> bytes:
    role = build_element(
        md("SPSSODescriptor"),
        {"protocolSupportEnumeration": n.SAMLP} | attributes,
        *build_key_descriptors(signing, use="signing"),
        *build_key_descriptors(encryption, use="encryption"),
        *(services or (a_service(),)),
    )
    return serialize(
        build_entity_descriptor(SUPPLIER_ENTITY, role, document_id="_md", valid_until=TOMORROW)
    )


def read(document: bytes, **arguments: Any) -> SamlServiceProvider:
    return read_sp_metadata(document, xml=XML, entity_id=SUPPLIER_ENTITY, **arguments)


def refused(check: str, document: bytes, **arguments: Any) -> None:
    with pytest.raises(SupplierMetadataUnusable) as caught:
        read(document, **arguments)
    assert caught.value.check == check


class TestSuppliers:
    def test_everything(self) -> None:
        found = read(
            a_document(
                a_service(index="0", binding="urn:oasis:names:tc:SAML:2.0:bindings:PAOS"),
                a_service(index="1"),
                a_service("http://localhost:8021/acs", index="2", isDefault="true"),
                AuthnRequestsSigned="true",
            ),
            encrypt_assertions=True,
        )
        assert found == SamlServiceProvider(
            entity_id=SUPPLIER_ENTITY,
            assertion_consumer_services=(
                AssertionConsumerService(url=SUPPLIER_ACS, index=1),
                AssertionConsumerService(url="http://localhost:8021/acs", index=2, is_default=True),
            ),
            signing_certificates=(SUPPLIER_KEY.certificate,),
            encryption_certificates=(SUPPLIER_ENCRYPTION.certificate,),
            require_signed_requests=True,
            encrypt_assertions=True,
        )

    def test_without_keys(self) -> None:
        found = read(a_document(signing=(), encryption=()))
        assert not found.require_signed_requests
        assert not found.encrypt_assertions

    def test_signing_stays_required_whatever_whitespace_stands_around_it(self) -> None:
        assert read(a_document(AuthnRequestsSigned=" true ")).require_signed_requests
        assert not read(a_document(AuthnRequestsSigned=" false ")).require_signed_requests

    def test_signing_key_published(self) -> None:
        refused("check_signing_key_published", a_document(signing=(), AuthnRequestsSigned="1"))

    def test_encryption_key_published(self) -> None:
        for none in ((), (ec_key().certificate,)):
            refused(
                "check_encryption_key_published",
                a_document(encryption=none),
                encrypt_assertions=True,
            )

    def test_endpoint_published(self) -> None:
        artifact = a_service(binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact")
        refused("check_endpoint_published", a_document(artifact))

    def test_location_safe(self) -> None:
        refused("check_location_safe", a_document(a_service("http://taaltuin.example/acs")))

    def test_not_expired(self) -> None:
        assert read(a_document(), now=NOW)
        refused("check_not_expired", a_document(), now=TOMORROW)

    def test_no_metadata(self) -> None:
        with pytest.raises(SupplierMessageUnreadable):
            read(b"<html/>")
