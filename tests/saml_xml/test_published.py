"""What parties publish besides places and keys: read where it is sane, else passed over."""

from typing import Any

import pytest

from broker.domain.federation import SamlIdpEndpoints
from broker.domain.relying_parties import SamlServiceProvider
from broker.domain.saml_published import (
    AttributeConsumingService,
    RequestedAttribute,
    SingleLogoutService,
)
from broker.saml_idp.metadata import read_sp_metadata
from broker.saml_sp.metadata import read_idp_metadata
from broker.saml_xml import names as n
from broker.saml_xml.published import ENTITY_CATEGORY, SUBJECT_ID_REQUIRED, VALUES_MAX
from tests.builders_saml import (
    SCHOOL_ENTITY,
    SCHOOL_KEY,
    SUPPLIER_ENCRYPTION,
    SUPPLIER_ENTITY,
    SUPPLIER_KEY,
    XML,
)
from tests.builders_saml_metadata import (
    a_key,
    an_endpoint,
    an_entity_attribute,
    an_idp,
    an_sp,
    ui_info,
)
from tests.saml_xml.corpus.keys import rsa_key

SLO = "https://login.vuurvogel.example/slo"
REFEDS = "http://refeds.org/category/research-and-scholarship"


def read_idp(*inside: str, **changes: Any) -> SamlIdpEndpoints:
    document = an_idp(*inside, **changes).encode()
    return read_idp_metadata(document, xml=XML, entity_id=SCHOOL_ENTITY)


def read_sp(*inside: str, **changes: Any) -> SamlServiceProvider:
    document = an_sp(*inside, **changes).encode()
    return read_sp_metadata(document, xml=XML, entity_id=SUPPLIER_ENTITY)


def slo(binding: str, url: str = SLO, answers: str = "") -> str:
    more = f'ResponseLocation="{answers}"' if answers else ""
    return an_endpoint("SingleLogoutService", binding, url, more)


def scope(text: str, attributes: str = "") -> str:
    return f"<shibmd:Scope {attributes}>{text}</shibmd:Scope>"


def name(text: str, language: str = "nl") -> str:
    return f'<mdui:DisplayName xml:lang="{language}">{text}</mdui:DisplayName>'


def logo(url: str) -> str:
    return f'<mdui:Logo height="16" width="16">{url}</mdui:Logo>'


def privacy(url: str, language: str = "nl") -> str:
    return f'<mdui:PrivacyStatementURL xml:lang="{language}">{url}</mdui:PrivacyStatementURL>'


def signing(algorithm: str) -> str:
    return f'<alg:SigningMethod Algorithm="{algorithm}"/>'


def digest(algorithm: str) -> str:
    return f'<alg:DigestMethod Algorithm="{algorithm}"/>'


def method(algorithm: str) -> str:
    return f'<EncryptionMethod Algorithm="{algorithm}"/>'


def test_who_publishes_nothing_more_has_nothing_more() -> None:
    idp, sp = read_idp(), read_sp()
    assert idp == SamlIdpEndpoints(
        entity_id=idp.entity_id,
        sso_redirect_url=idp.sso_redirect_url,
        signing_certificates=idp.signing_certificates,
    )
    assert sp == SamlServiceProvider(
        entity_id=sp.entity_id,
        assertion_consumer_services=sp.assertion_consumer_services,
        signing_certificates=sp.signing_certificates,
    )


class TestLoggingOut:
    def test_each_binding_of_a_school(self) -> None:
        found = read_idp(
            slo(n.BINDING_REDIRECT, answers=f"{SLO}/answers"),
            slo(n.BINDING_POST, f"{SLO}/post", f"{SLO}/post/answers"),
            slo(n.BINDING_SOAP, f"{SLO}/soap"),
            slo(n.BINDING_SOAP, f"{SLO}/second"),
        )
        assert (found.slo_redirect_url, found.slo_redirect_response_url) == (SLO, f"{SLO}/answers")
        assert found.slo_post_url == f"{SLO}/post"
        assert found.slo_post_response_url == f"{SLO}/post/answers"
        assert found.slo_soap_url == f"{SLO}/soap"

    def test_all_of_a_supplier(self) -> None:
        found = read_sp(slo(n.BINDING_POST), slo(n.BINDING_REDIRECT, answers=f"{SLO}/answers"))
        assert found.single_logout_services == (
            SingleLogoutService(binding=n.BINDING_POST, url=SLO),
            SingleLogoutService(binding=n.BINDING_REDIRECT, url=SLO, response_url=f"{SLO}/answers"),
        )

    @pytest.mark.parametrize(
        "place",
        [
            slo(n.BINDING_REDIRECT, "http://login.vuurvogel.example/slo"),
            slo(n.BINDING_REDIRECT, "javascript:alert(1)"),
            slo(n.BINDING_REDIRECT, SLO, "http://login.vuurvogel.example/slo"),
            slo("urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"),
        ],
    )
    def test_a_place_that_is_not_safe_is_none(self, place: str) -> None:
        assert read_idp(place).slo_redirect_url is None
        assert read_sp(place).single_logout_services == ()


class TestNames:
    def test_by_language_the_first_of_each(self) -> None:
        names = ui_info(name(" Vuurvogel "), name("Firebird", "EN"), name("Tweede"))
        assert read_idp(of_role=(names,)).display_names == {"nl": "Vuurvogel", "en": "Firebird"}
        assert read_sp(of_role=(names,)).display_names == {"nl": "Vuurvogel", "en": "Firebird"}

    @pytest.mark.parametrize(
        "bad",
        [
            name(""),
            name("x" * 257),
            name("<b>vet</b>"),
            name("x", "aaaaaaaa-bbbbbbbb"),
            "<mdui:DisplayName>zonder taal</mdui:DisplayName>",
        ],
    )
    def test_what_is_no_name_is_passed_over(self, bad: str) -> None:
        found = read_idp(of_role=(ui_info(bad, name("goed", "en")),))
        assert found.display_names == {"en": "goed"}

    def test_no_more_than_a_worker_should_keep(self) -> None:
        many = [name("x", f"l-{number}") for number in range(VALUES_MAX + 1)]
        assert len(read_idp(of_role=(ui_info(*many),)).display_names) == VALUES_MAX

    def test_logo_and_pages_on_the_web_alone(self) -> None:
        inside = logo("data:image/png;base64,AAAA"), logo("https://taaltuin.example/logo.png")
        page = "https://taaltuin.example/privacy"
        pages = privacy(page), privacy("javascript:alert(1)", "en")
        found = read_sp(of_role=(ui_info(*inside, *pages),))
        assert found.logo == "https://taaltuin.example/logo.png"
        assert found.privacy_urls == {"nl": page}
        assert read_idp(of_role=(ui_info(*inside),)).logo == found.logo

    def test_error_page(self) -> None:
        page = "https://vuurvogel.example/help"
        assert read_idp(attributes=f'errorURL="{page}"').error_url == page
        assert read_idp(attributes='errorURL="http://vuurvogel.example/"').error_url is None


class TestScopes:
    def test_literal_ones_of_role_and_entity(self) -> None:
        found = read_idp(
            of_role=(scope("vuurvogel.example", 'regexp="false"'), scope(" 11AA ")),
            of_entity=(scope("vuurvogel.example"), scope("basis.example", 'regexp="0"')),
        )
        assert found.scopes == ("vuurvogel.example", "11AA", "basis.example")

    @pytest.mark.parametrize(
        "bad",
        [
            scope(".*", 'regexp="true"'),
            scope(".*", 'regexp="1"'),
            scope(".*", 'regexp="yes"'),
            scope("twee woorden"),
            scope(""),
            scope("x" * 257),
        ],
    )
    def test_a_regular_expression_or_no_scope_is_passed_over(self, bad: str) -> None:
        assert read_idp(of_role=(bad, scope("goed.example"))).scopes == ("goed.example",)


class TestEntityAttributes:
    def test_categories(self) -> None:
        stated = (an_entity_attribute(ENTITY_CATEGORY, REFEDS, "https://example.org/cat"),)
        expected = (REFEDS, "https://example.org/cat")
        assert read_idp(of_entity=stated).entity_categories == expected
        assert read_sp(of_entity=stated).entity_categories == expected
        assert read_sp(of_entity=(an_entity_attribute("other", REFEDS),)).entity_categories == ()

    @pytest.mark.parametrize("value", ["subject-id", "pairwise-id", "none", "any"])
    def test_subject_id_required(self, value: str) -> None:
        stated = (an_entity_attribute(SUBJECT_ID_REQUIRED, value),)
        assert read_sp(of_entity=stated).subject_id_required == value

    @pytest.mark.parametrize("values", [("uid",), ("any", "none"), ()])
    def test_subject_id_that_says_nothing(self, values: tuple[str, ...]) -> None:
        stated = (an_entity_attribute(SUBJECT_ID_REQUIRED, *values),)
        assert read_sp(of_entity=stated).subject_id_required == ""


class TestAlgorithms:
    def test_the_roles_own_before_the_entitys(self) -> None:
        found = read_sp(
            of_role=(signing(n.ALG_ECDSA_SHA256), signing(n.ALG_RSA_SHA256)),
            of_entity=(signing(n.ALG_RSA_SHA512), digest(n.ALG_SHA512)),
        )
        assert found.signature_algorithms == (n.ALG_ECDSA_SHA256, n.ALG_RSA_SHA256)
        assert found.digest_algorithms == (n.ALG_SHA512,)
        school = read_idp(of_entity=(signing(n.ALG_RSA_SHA512), digest(n.ALG_SHA512)))
        assert school.signature_algorithms == (n.ALG_RSA_SHA512,)
        assert school.digest_algorithms == (n.ALG_SHA512,)

    def test_encryption_of_the_first_key_that_names_any(self) -> None:
        keys = (
            a_key(SUPPLIER_KEY.certificate, method(n.ALG_AES256_GCM)),
            a_key(SUPPLIER_ENCRYPTION.certificate, use="encryption"),
            a_key(SUPPLIER_ENCRYPTION.certificate, method(n.ALG_AES128_GCM), use=None),
        )
        assert read_sp(keys=keys).encryption_methods == (n.ALG_AES128_GCM,)
        assert read_sp(keys=keys[:2]).encryption_methods == ()


class TestKeysOfASchool:
    def test_to_encrypt_to(self) -> None:
        found = read_idp(keys=(a_key(SCHOOL_KEY.certificate, use=None),))
        assert found.encryption_certificates == (SCHOOL_KEY.certificate,)

    def test_one_that_is_too_weak_to_encrypt_to_stops_no_login(self) -> None:
        weak = a_key(rsa_key("weak", bits=1024).certificate, use="encryption")
        found = read_idp(keys=(a_key(SCHOOL_KEY.certificate), weak))
        assert found.encryption_certificates == ()
        assert found.signing_certificates == (SCHOOL_KEY.certificate,)


class TestServices:
    def test_sets_of_attributes(self) -> None:
        sets = (
            '<AttributeConsumingService index="0" isDefault="true">'
            '<ServiceName xml:lang="nl">Lezen</ServiceName>'
            '<RequestedAttribute Name="urn:oid:2.5.4.42" FriendlyName="sn" isRequired="true"/>'
            '<RequestedAttribute Name="urn:oid:2.5.4.4"/></AttributeConsumingService>'
        )
        found = read_sp(behind=(sets,), attributes='WantAssertionsSigned="true"')
        assert found.attribute_consuming_services == (
            AttributeConsumingService(
                index=0,
                is_default=True,
                requested=(
                    RequestedAttribute(name="urn:oid:2.5.4.42", required=True),
                    RequestedAttribute(name="urn:oid:2.5.4.4"),
                ),
            ),
        )
        assert found.want_assertions_signed

    def test_formats_of_names(self) -> None:
        formats = f"<NameIDFormat>{n.NAMEID_TRANSIENT}</NameIDFormat>"
        assert read_sp(formats).name_id_formats == (n.NAMEID_TRANSIENT,)
