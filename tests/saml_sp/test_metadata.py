"""What we read of the metadata of schools."""

from datetime import timedelta
from typing import Any

import pytest
from lxml import etree

from broker.domain.federation import SamlIdpEndpoints
from broker.saml_sp.metadata import read_idp_metadata
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element, serialize
from broker.saml_xml.metadata import (
    MetadataUnusable,
)
from broker.saml_xml.own_metadata import build_entity_descriptor, build_key_descriptors
from broker.saml_xml.refusals import MessageUnreadable
from tests.builders_saml import (
    NOW,
    SCHOOL_ENTITY,
    SCHOOL_KEY,
    SCHOOL_SSO,
    STRANGER_KEY,
    XML,
    a_school_idp,
    an_expectation,
    nothing,
)
from tests.builders_saml import read as read_answer
from tests.saml_xml.corpus.keys import certified, rsa_key

TOMORROW = NOW + timedelta(days=1)


def md(local: str) -> str:
    return f"{{{n.MD}}}{local}"


def a_service(url: str = SCHOOL_SSO, binding: str = n.BINDING_REDIRECT) -> Element:
    return build_element(md("SingleSignOnService"), {"Binding": binding, "Location": url})


def a_document(
    *services: Element,
    certificates: tuple[bytes, ...] = (SCHOOL_KEY.certificate,),
    use: str = "signing",
    entity_id: str = SCHOOL_ENTITY,
    edit: Any = nothing,
    **attributes: str,
) -> bytes:
    role = build_element(
        md("IDPSSODescriptor"),
        {"protocolSupportEnumeration": n.SAMLP} | attributes,
        *build_key_descriptors(certificates, use=use),
        *(services or (a_service(),)),
    )
    entity = build_entity_descriptor(entity_id, role, document_id="_md", valid_until=TOMORROW)
    edit(entity)
    return serialize(entity)


def read(document: bytes, **arguments: Any) -> SamlIdpEndpoints:
    return read_idp_metadata(document, xml=XML, entity_id=SCHOOL_ENTITY, **arguments)


def refused(check: str, document: bytes, **arguments: Any) -> MetadataUnusable:
    with pytest.raises(MetadataUnusable) as caught:
        read(document, **arguments)
    assert caught.value.check == check
    return caught.value


class TestSchools:
    def test_both_bindings(self) -> None:
        post = a_service("https://login.vuurvogel.example/post", n.BINDING_POST)
        found = read(a_document(a_service(), post, WantAuthnRequestsSigned="true"))
        assert found == SamlIdpEndpoints(
            entity_id=SCHOOL_ENTITY,
            sso_redirect_url=SCHOOL_SSO,
            sso_post_url="https://login.vuurvogel.example/post",
            signing_certificates=(SCHOOL_KEY.certificate,),
            sign_requests=True,
        )

    @pytest.mark.parametrize("binding", [n.BINDING_POST, n.BINDING_REDIRECT])
    def test_one_binding(self, binding: str) -> None:
        found = read(a_document(a_service(binding=binding), WantAuthnRequestsSigned="0"))
        assert found.sso_redirect_url == (SCHOOL_SSO if binding == n.BINDING_REDIRECT else None)
        assert found.sso_post_url == (SCHOOL_SSO if binding == n.BINDING_POST else None)
        assert not found.sign_requests

    def test_beside_a_role_of_another_protocol(self) -> None:
        def as_adfs_has_it(entity: Element) -> None:
            role = etree.fromstring(
                f'<RoleDescriptor xmlns="{n.MD}" xmlns:xsi="{n.XSI}" xmlns:fed="urn:fed"'
                ' xsi:type="fed:SecurityTokenServiceType" protocolSupportEnumeration="urn:fed">'
                "<fed:ClaimTypesOffered/></RoleDescriptor>"
            )
            entity.insert(0, role)
            XML.sign(entity, key=SCHOOL_KEY.signing)

        document = a_document(edit=as_adfs_has_it)
        assert read(document).sso_redirect_url == SCHOOL_SSO
        XML.verify(XML.parse_metadata(document).root, keys=[SCHOOL_KEY.verification])
        with pytest.raises(MessageUnreadable):  # what SAML defines must be as SAML has it
            read(document.replace(b"IDPSSODescriptor", b"IDPSSODescriptors"))

    def test_a_key_without_use_serves_both(self) -> None:
        def without_use(entity: Element) -> None:
            del entity[0][0].attrib["use"]

        assert read(a_document(edit=without_use)).signing_certificates == (SCHOOL_KEY.certificate,)

    def test_any_number_of_keys_each_once(self) -> None:
        three = (SCHOOL_KEY.certificate, STRANGER_KEY.certificate, SCHOOL_KEY.certificate)
        assert read(a_document(certificates=three)).signing_certificates == three[:2]

    @pytest.mark.parametrize("first_year", [2000, 2100])
    def test_a_certificate_holds_a_key_and_its_dates_say_nothing(self, first_year: int) -> None:
        """Metadata interoperability profile 2.6.1: expired or not valid yet, and self-signed."""
        undated = certified(SCHOOL_KEY.private_key, first_year=first_year).certificate
        found = read(a_document(certificates=(undated,)))
        assert found.signing_certificates == (undated,)
        idp = a_school_idp(signing_certificates=found.signing_certificates)
        assert read_answer(expected=an_expectation(idp=idp)).login.idp is idp

    def test_certificates_in_lines(self) -> None:
        def in_lines(entity: Element) -> None:
            (certificate,) = entity.iter(f"{{{n.DS}}}X509Certificate")
            text = certificate.text or ""
            certificate.text = "\n   " + "\n\t".join(
                text[i : i + 64] for i in range(0, len(text), 64)
            )

        assert read(a_document(edit=in_lines)).signing_certificates == (SCHOOL_KEY.certificate,)

    def test_found_in_an_aggregate(self) -> None:
        aggregate = build_element(md("EntitiesDescriptor"), nsmap=dict(n.NSMAP_METADATA))
        for entity_id in ("https://other.example", SCHOOL_ENTITY):
            document = a_document(entity_id=entity_id)
            entity = XML.parse_metadata(document).root
            del entity.attrib["ID"]
            aggregate.append(entity)
        assert read(serialize(aggregate)).entity_id == SCHOOL_ENTITY

    @pytest.mark.parametrize("copies", [0, 2])
    def test_entity_described_once(self, copies: int) -> None:
        aggregate = build_element(md("EntitiesDescriptor"), nsmap=dict(n.NSMAP_METADATA))
        aggregate.append(XML.parse_metadata(a_document(entity_id="https://other.example")).root)
        for number in range(copies):
            entity = XML.parse_metadata(a_document()).root
            entity.set("ID", f"_{number}")
            aggregate.append(entity)
        refused("check_entity_described_once", serialize(aggregate))

    def test_a_document_that_describes_no_entity(self) -> None:
        role = XML.parse_metadata(a_document()).root[0]
        refused("check_entity_described_once", serialize(role))

    def test_role_described_once(self) -> None:
        def twice(entity: Element) -> None:
            entity.append(XML.parse_metadata(a_document()).root[0])

        def saml1(entity: Element) -> None:
            entity[0].set("protocolSupportEnumeration", "urn:oasis:names:tc:SAML:1.1:protocol")

        for edit in (twice, saml1):
            refused("check_role_described_once", a_document(edit=edit))

    def test_signing_key_published(self) -> None:
        refused("check_signing_key_published", a_document(use="encryption"))
        refused("check_signing_key_published", a_document(certificates=()))

    def test_key_usable(self) -> None:
        weak = rsa_key("weak", bits=1024).certificate
        caught = refused("check_key_usable", a_document(certificates=(weak,)))
        assert caught.subject == "X509Certificate"

    def test_endpoint_published(self) -> None:
        soap = a_service(binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP")
        refused("check_endpoint_published", a_document(soap))

    @pytest.mark.parametrize(
        "location",
        [
            "http://login.vuurvogel.example/sso",
            "javascript:alert(1)",
            "//login.example/sso",
            "https:///sso",
            "https://user@login.example/sso",
            "https://login.example/sso#part",
            "https://login.example:99999/sso",
            "https://login.ex\u00e4mple/sso",
            "http://localhost.evil.example/sso",
        ],
    )
    def test_location_safe(self, location: str) -> None:
        refused("check_location_safe", a_document(a_service(location)))

    @pytest.mark.parametrize(
        "location", ["https://x.example/a?b=c", "http://localhost:8010/sso", "http://[::1]:1/"]
    )
    def test_location_safe_accepts(self, location: str) -> None:
        assert read(a_document(a_service(location))).sso_redirect_url == location

    def test_not_expired(self) -> None:
        assert read(a_document(), now=TOMORROW - timedelta(seconds=1))
        refused("check_not_expired", a_document(), now=TOMORROW)
        assert read(a_document())

        def endless(entity: Element) -> None:
            del entity.attrib["validUntil"]

        assert read(a_document(edit=endless), now=TOMORROW)

    def test_no_metadata(self) -> None:
        with pytest.raises(MessageUnreadable):
            read(b"<html/>")
