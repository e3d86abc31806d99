"""Metadata that asks us to check less: weak algorithms, no signatures, any scope, other people's
entities. What is read of them is places, keys and names; which check runs is nobody's to publish.
"""

from typing import Any

import pytest

from broker.domain.federation import SamlIdpEndpoints
from broker.domain.relying_parties import SamlServiceProvider
from broker.saml_idp.metadata import read_sp_metadata
from broker.saml_sp.metadata import read_idp_metadata
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, serialize
from broker.saml_xml.refusals import MessageUnreadable, XmlRefusal
from tests.builders_encrypted import encrypted
from tests.builders_saml import (
    BROKER_KEY,
    SCHOOL_ENTITY,
    SCHOOL_KEY,
    STRANGER_KEY,
    SUPPLIER_ENCRYPTION,
    SUPPLIER_ENTITY,
    SUPPLIER_KEY,
    XML,
    a_response,
    a_school_idp,
    an_authn_request,
    an_expectation,
    as_form,
    read,
)
from tests.builders_saml_metadata import (
    a_key,
    an_endpoint,
    an_entity_attribute,
    an_idp,
    an_sp,
    ui_info,
)
from tests.saml_idp.answering import as_sent, build
from tests.saml_idp.asking import check as check_request
from tests.saml_xml.corpus.by_hand import RSA_SHA1, sign_by_hand

CERTIFIED = an_entity_attribute(
    "urn:oasis:names:tc:SAML:attribute:assurance-certification", "https://refeds.org/sirtfi"
)
WEAK = (
    f'<alg:SigningMethod Algorithm="{RSA_SHA1}"/>',
    f'<alg:SigningMethod Algorithm="{n.DS}hmac-sha1"/>',
    f'<alg:DigestMethod Algorithm="{n.ALG_SHA1}"/>',
)
CBC_METHOD = f'<EncryptionMethod Algorithm="{n.ALG_AES256_CBC}"/>'
ANY_SCOPE = '<shibmd:Scope regexp="true">.*</shibmd:Scope>'


def a_school(*inside: str, **changes: Any) -> SamlIdpEndpoints:
    document = an_idp(*inside, **changes).encode()
    return read_idp_metadata(document, xml=XML, entity_id=SCHOOL_ENTITY)


def a_supplier(*inside: str, encrypt: bool = False, **changes: Any) -> SamlServiceProvider:
    document = an_sp(*inside, **changes).encode()
    return read_sp_metadata(
        document, xml=XML, entity_id=SUPPLIER_ENTITY, encrypt_assertions=encrypt
    )


def log_in(endpoints: SamlIdpEndpoints, response: Element) -> object:
    idp = a_school_idp(**{each: getattr(endpoints, each) for each in endpoints.__struct_fields__})
    form = as_form(response)
    return read([("SAMLResponse", form[0][1])], expected=an_expectation(idp=idp))


class TestOfSchools:
    METADATA = a_school(
        of_role=(*WEAK, ANY_SCOPE),
        of_entity=(*WEAK, CERTIFIED),
        keys=(a_key(SCHOOL_KEY.certificate, CBC_METHOD, use=None),),
        attributes='WantAuthnRequestsSigned="false"',
    )

    def test_the_honest_login_is_accepted(self) -> None:
        assert log_in(self.METADATA, a_response())

    def test_no_weak_signature(self) -> None:
        response = a_response(signed="nothing")
        sign_by_hand(response[-1], SCHOOL_KEY, method=RSA_SHA1, digest_method=n.ALG_SHA1)
        with pytest.raises(XmlRefusal, match="signature-algorithm"):
            log_in(self.METADATA, response)

    def test_no_weak_encryption(self) -> None:
        def cbc(response: Element) -> None:
            response.replace(response[-1], encrypted(response[-1], content=n.ALG_AES256_CBC))

        with pytest.raises(XmlRefusal, match="encryption-method"):
            log_in(self.METADATA, a_response(signed="response", edit_response=cbc))

    def test_no_scope_but_literal_ones(self) -> None:
        assert self.METADATA.scopes == ()

    @pytest.mark.parametrize(
        "keys",
        [
            ("<KeyDescriptor><ds:KeyInfo><ds:KeyName>x</ds:KeyName></ds:KeyInfo></KeyDescriptor>",),
            (a_key(SCHOOL_KEY.certificate, use="encryption"),),
            (
                (
                    '<KeyDescriptor><ds:KeyInfo><ds:RetrievalMethod URI="http://127.0.0.1:9/"/>'
                    "</ds:KeyInfo></KeyDescriptor>"
                ),
            ),
        ],
    )
    def test_no_login_without_a_key(self, keys: tuple[str, ...]) -> None:
        with pytest.raises(XmlRefusal, match="check_signing_key_published"):
            a_school(keys=keys)

    def test_no_key_of_another_role_or_entity(self) -> None:
        """A service provider's key, in the same entity or in one that stands inside it, is none of
        the identity provider's."""
        smuggled = an_idp(keys=(a_key(STRANGER_KEY.certificate),))
        found = a_school(of_entity=(ui_info(smuggled),))
        assert found.signing_certificates == (SCHOOL_KEY.certificate,)
        with pytest.raises(XmlRefusal, match="signature-value"):
            log_in(found, a_response(key=STRANGER_KEY))

    @pytest.mark.parametrize(
        "trick",
        [
            '<!DOCTYPE EntityDescriptor [<!ENTITY e "x">]>',
            '<?xml-stylesheet href="http://127.0.0.1:9/x.xsl"?>',
        ],
    )
    def test_no_instruction_in_front(self, trick: str) -> None:
        with pytest.raises(MessageUnreadable):
            read_idp_metadata((trick + an_idp()).encode(), xml=XML, entity_id=SCHOOL_ENTITY)


class TestOfSuppliers:
    METADATA = a_supplier(
        of_role=WEAK,
        of_entity=(*WEAK, CERTIFIED),
        attributes='AuthnRequestsSigned="false" WantAssertionsSigned="false"',
    )

    def test_an_answer_is_signed_and_by_a_good_algorithm(self) -> None:
        response = as_sent(build(service_provider=self.METADATA))
        verified = XML.verify(response, keys=[BROKER_KEY.verification])
        assert verified.key == BROKER_KEY.verification
        assert RSA_SHA1.encode() not in serialize(response)

    def test_a_signature_that_is_there_is_checked(self) -> None:
        assert check_request(as_form(an_authn_request(), key=SUPPLIER_KEY), provider=self.METADATA)
        with pytest.raises(XmlRefusal, match="signature-value"):
            check_request(as_form(an_authn_request(), key=STRANGER_KEY), provider=self.METADATA)

    def test_an_assertion_that_must_be_encrypted_is_never_sent_weakly_or_plainly(self) -> None:
        weak = a_key(SUPPLIER_ENCRYPTION.certificate, CBC_METHOD, use="encryption")
        with pytest.raises(XmlRefusal, match="check_encryption_key_published"):
            a_supplier(keys=(a_key(SUPPLIER_KEY.certificate), weak), encrypt=True)
        with pytest.raises(XmlRefusal, match="check_encryption_key_published"):
            a_supplier(encrypt=True)
        good = a_key(SUPPLIER_ENCRYPTION.certificate, use="encryption")
        found = a_supplier(keys=(a_key(SUPPLIER_KEY.certificate), good), encrypt=True)
        sent = serialize(as_sent(build(service_provider=found)))
        assert n.ALG_AES256_GCM.encode() in sent
        assert b"givenName" not in sent

    @pytest.mark.parametrize(
        "location", ["javascript:alert(1)", "http://taaltuin.example/", "data:text/html,x"]
    )
    def test_no_place_that_is_not_safe(self, location: str) -> None:
        with pytest.raises(XmlRefusal, match="check_location_safe"):
            a_supplier(acs=location)
        logout = an_endpoint("SingleLogoutService", n.BINDING_REDIRECT, location)
        assert a_supplier(logout).single_logout_services == ()
