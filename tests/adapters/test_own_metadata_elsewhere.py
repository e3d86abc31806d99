"""What others make of our metadata: the xmlsec1 program, signxml, pysaml2, and our own readers."""

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree
from saml2.mdstore import InMemoryMetaData, MetadataStore
from signxml.verifier import SignatureConfiguration, XMLVerifier

from broker.adapters.xml import signature_algorithms, xml_encryption
from broker.demo.pysaml2 import XMLSEC1, SPConfig
from broker.saml_idp.metadata import read_sp_metadata
from broker.saml_idp.own_metadata import build_idp_metadata
from broker.saml_sp.metadata import read_idp_metadata
from broker.saml_sp.own_metadata import ASKED_OF_SCHOOLS, build_sp_metadata
from broker.saml_xml import names as n
from broker.saml_xml import own_metadata
from broker.saml_xml.own_metadata import AboutUs, OwnLogo
from tests.builders_pysaml2 import this_moment
from tests.builders_saml import (
    BROKER_ACS,
    BROKER_ENCRYPTION,
    BROKER_IDP,
    BROKER_KEY,
    BROKER_SP,
    BROKER_SSO,
    STRANGER_KEY,
    XML,
)

LOGO = OwnLogo(url="https://login.example/logo.png", width_pixels=80, height_pixels=60)
ABOUT = AboutUs(
    names={"nl": "Schuilnaam & Co", "en": "Pseudonym <Co>"},
    descriptions={"nl": "Logt in.", "en": "Logs in."},
    information_urls={"nl": "https://login.example/over"},
    privacy_urls={"nl": "https://login.example/privacy"},
    logo=LOGO,
    organization=("Stichting Schuilnaam", "https://login.example/"),
    technical_mail="techniek@login.example",
    support_mail="hulp@login.example",
    security_mail="cert@login.example",
    error_url="https://login.example/fout?code=ERRORURL_CODE",
    scope="login.example",
)
PREFIXES = {
    "md": n.MD,
    "saml": n.SAML,
    "mdui": n.MDUI,
    "alg": n.ALG,
    "shibmd": n.SHIBMD,
    "remd": own_metadata.REMD,
}


def idp_document() -> bytes:
    return build_idp_metadata(
        entity_id=BROKER_IDP,
        sso_url=BROKER_SSO,
        slo_url="https://login.example/saml/idp/slo",
        signing_certificates=[BROKER_KEY.certificate, STRANGER_KEY.certificate],
        document_id="_md",
        valid_until=this_moment() + timedelta(days=7),
        about=ABOUT,
        signing_key=BROKER_KEY.signing,
        xml=XML,
    )


def sp_document() -> bytes:
    return build_sp_metadata(
        entity_id=BROKER_SP,
        acs_url=BROKER_ACS,
        slo_url="https://login.example/saml/sp/slo",
        signing_certificates=[BROKER_KEY.certificate, STRANGER_KEY.certificate],
        encryption_certificates=[BROKER_ENCRYPTION.certificate],
        document_id="_md",
        valid_until=this_moment() + timedelta(days=7),
        about=ABOUT,
        signing_key=BROKER_KEY.signing,
        xml=XML,
    )


BOTH = pytest.mark.parametrize("document", [idp_document(), sp_document()], ids=["idp", "sp"])


def found(document: bytes, path: str) -> list[str]:
    return [str(each) for each in etree.fromstring(document).xpath(path, namespaces=PREFIXES)]


@BOTH
def test_our_own_parser_and_schema_take_it(document: bytes) -> None:
    root = XML.parse_metadata(document).root
    assert XML.verify(root, keys=[BROKER_KEY.verification]).root.get("cacheDuration") == "PT1H"


@BOTH
def test_xmlsec1_verifies_it_and_not_a_changed_one(document: bytes, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text(BROKER_KEY.certificate_pem)
    for content, taken in ((document, True), (document.replace(b"Logs in.", b"Logs on."), False)):
        file = tmp_path / "document.xml"
        file.write_bytes(content)
        command = [XMLSEC1, "--verify", "--pubkey-cert-pem", str(key)]
        command += ["--id-attr:ID", f"{n.MD}:EntityDescriptor", str(file)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert (done.returncode == 0) is taken


@BOTH
def test_signxml_verifies_it(document: bytes) -> None:
    config = SignatureConfiguration(location="./")
    verified = XMLVerifier().verify(
        etree.fromstring(document),
        x509_cert=BROKER_KEY.certificate_pem,
        id_attribute="ID",
        expect_config=config,
    )
    assert verified.signed_xml is not None
    assert verified.signed_xml.get("ID") == "_md"


@BOTH
def test_people_are_told_who_we_are(document: bytes) -> None:
    assert found(document, "//mdui:DisplayName/text()") == list(ABOUT.names.values())
    assert found(document, "//mdui:Description/@xml:lang") == ["nl", "en"]
    assert found(document, "//mdui:Logo[@width='80'][@height='60']/text()") == [LOGO.url]
    assert found(document, "//mdui:InformationURL/text()") == ["https://login.example/over"]
    assert found(document, "//mdui:PrivacyStatementURL/text()") == ["https://login.example/privacy"]
    assert found(document, "//md:OrganizationURL/text()") == ["https://login.example/"]
    assert found(document, "//md:ContactPerson/@contactType") == ["technical", "support", "other"]
    security = "//md:ContactPerson[@remd:contactType]/md:EmailAddress/text()"
    assert found(document, security) == ["mailto:cert@login.example"]


def test_suppliers_are_told_our_scope_and_where_the_refused_may_go() -> None:
    told = read_idp_metadata(idp_document(), xml=XML, entity_id=BROKER_IDP)
    assert told.scopes == ("login.example",)
    assert told.error_url == ABOUT.error_url
    assert told.slo_redirect_url == told.slo_post_url == "https://login.example/saml/idp/slo"
    assert told.display_names == ABOUT.names
    assert told.signature_algorithms == (*own_metadata.ACCEPTED_RSA, *own_metadata.ACCEPTED_ECDSA)
    assert told.digest_algorithms == own_metadata.ACCEPTED_DIGESTS


def test_schools_are_told_what_we_ask_for_and_open() -> None:
    told = read_sp_metadata(sp_document(), xml=XML, entity_id=BROKER_SP)
    (asked,) = told.attribute_consuming_services
    assert asked.requested == ASKED_OF_SCHOOLS
    assert [each.name for each in asked.requested if each.required] == ["eduPersonAffiliation"]
    names = {each.name for each in asked.requested}
    assert {"employeeNumber", "eckId", "givenName"} < names
    assert names.isdisjoint({"uid", "schoolMembership", "nlEduPersonRealId"})
    assert told.encryption_methods == own_metadata.ACCEPTED_ENCRYPTION
    assert told.subject_id_required == "none"
    assert [each.binding for each in told.single_logout_services] == [
        n.BINDING_REDIRECT,
        n.BINDING_POST,
    ]


def test_what_we_say_we_accept_is_what_we_accept() -> None:
    assert set(own_metadata.ACCEPTED_RSA) == set(signature_algorithms.RSA_ALGORITHMS)
    assert set(own_metadata.ACCEPTED_ECDSA) == set(signature_algorithms.ECDSA_ALGORITHMS)
    assert set(own_metadata.ACCEPTED_DIGESTS) == set(signature_algorithms.DIGESTS)
    wraps = {n.ALG_RSA_OAEP_MGF1P, n.ALG_RSA_OAEP}
    assert set(own_metadata.ACCEPTED_ENCRYPTION) == {*xml_encryption.CONTENT_KEY_BYTES, *wraps}


@BOTH
def test_pysaml2_reads_it(document: bytes) -> None:
    config = SPConfig().load({"xmlsec_binary": XMLSEC1})
    store = MetadataStore(None, config)
    source = InMemoryMetaData(None, document.decode())
    source.parse(document.decode())
    store.metadata["ours"] = source
    (entity_id,) = source.keys()
    kinds = [each["contact_type"] for each in store[entity_id]["contact_person"]]
    assert kinds == ["technical", "support", "other"]
    assert len(store.certs(entity_id, "any", "signing")) == 2
    if entity_id == BROKER_SP:
        wanted = store.attribute_requirement(BROKER_SP)
        assert [each["name"] for each in wanted["required"]] == ["eduPersonAffiliation"]
        assert len(wanted["optional"]) == len(ASKED_OF_SCHOOLS) - 1


def test_nothing_is_said_that_nobody_stated() -> None:
    document = build_sp_metadata(
        entity_id=BROKER_SP,
        acs_url=BROKER_ACS,
        signing_certificates=[],
        encryption_certificates=[],
        document_id="_md",
        valid_until=this_moment(),
        xml=XML,
    )
    XML.parse_metadata(document)
    for tag in ("mdui:UIInfo", "md:Organization", "md:ContactPerson", "md:SingleLogoutService"):
        assert found(document, f"//{tag}/@*") == []
    assert b"AttributeConsumingService" not in document
