"""How a service provider's document shapes its answers: signatures, names, attribute names."""

import pytest

from broker.domain.attributes import VOCABULARY
from broker.domain.release import lint_claims
from broker.domain.saml_answer_forms import AnswerForm, Signed
from broker.saml_idp.attributes import (
    OIDS,
    PAIRWISE_ID_NAME,
    attribute_names,
    build_attributes,
    canonical_name,
)
from broker.saml_idp.refusals import CannotEncrypt
from broker.saml_xml import names as n
from broker.saml_xml.elements import children_of, only_child
from tests.builders_saml import (
    BROKER_KEY,
    STRANGER_KEY,
    SUPPLIER_ENCRYPTION,
    XML,
    a_service_provider,
    attributes_in,
    saml,
)
from tests.saml_idp.answering import (
    DECISION,
    PSEUDONYM,
    a_request,
    as_sent,
    assertion_of,
    attributes_of,
    build,
    build_for,
    first,
)

KEYS = [BROKER_KEY.verification]
CBC = n.XENC + "aes256-cbc"
SIGNATURE = f"{{{n.DS}}}Signature"
TRANSIENT = a_request(name_id_transient=True)


class TestSignatures:
    @pytest.mark.parametrize(
        ("signed", "of_response", "of_assertion"),
        [("response", True, False), ("assertion", False, True), ("both", True, True)],
    )
    def test_each_that_is_asked_holds_and_no_other_is_made(
        self, signed: Signed, of_response: bool, of_assertion: bool
    ) -> None:
        response = as_sent(build_for(AnswerForm(signed=signed)))
        assertion = only_child(response, saml("Assertion"))
        assert bool(children_of(response, SIGNATURE)) is of_response
        assert bool(children_of(assertion, SIGNATURE)) is of_assertion
        if of_response:
            response = XML.verify(response, keys=KEYS).root
            assertion = only_child(response, saml("Assertion"))
        if of_assertion:
            assertion = XML.verify(assertion, keys=KEYS).root
        assert first(assertion, "Subject", "NameID").text == PSEUDONYM

    @pytest.mark.parametrize("signed", ["assertion", "both"])
    def test_what_is_encrypted_is_signed_before(self, signed: Signed) -> None:
        provider = a_service_provider(encrypt_assertions=True, answers=AnswerForm(signed=signed))
        response = as_sent(build(service_provider=provider))
        encrypted = only_child(response, saml("EncryptedAssertion"))
        opened = XML.decrypt(encrypted, keys=[SUPPLIER_ENCRYPTION.decryption]).root
        assert first(XML.verify(opened, keys=KEYS).root, "Subject", "NameID").text == PSEUDONYM


class TestEncryption:
    @pytest.mark.parametrize(
        ("methods", "content"),
        [
            ((), n.ALG_AES256_GCM),
            ((n.ALG_SHA1, n.ALG_RSA_OAEP_MGF1P), n.ALG_AES256_GCM),
            ((CBC, n.ALG_AES128_GCM, n.ALG_RSA_OAEP_MGF1P), n.ALG_AES128_GCM),
            ((n.ALG_AES128_GCM, n.ALG_AES256_GCM), n.ALG_AES256_GCM),
        ],
    )
    def test_by_what_its_metadata_name(self, methods: tuple[str, ...], content: str) -> None:
        provider = a_service_provider(encrypt_assertions=True, encryption_methods=methods)
        response = as_sent(build(service_provider=provider))
        (method, transport) = response.iter(f"{{{n.XENC}}}EncryptionMethod")
        assert method.get("Algorithm") == content
        assert transport.get("Algorithm") == n.ALG_RSA_OAEP_MGF1P

    @pytest.mark.parametrize("order", [1, -1])
    def test_to_one_of_its_keys_during_a_roll_over(self, order: int) -> None:
        """IIP-MD08: whichever we choose, it has both."""
        both = (SUPPLIER_ENCRYPTION, STRANGER_KEY)[::order]
        certificates = tuple(each.certificate for each in both)
        provider = a_service_provider(encrypt_assertions=True, encryption_certificates=certificates)
        response = as_sent(build(service_provider=provider))
        encrypted = only_child(response, saml("EncryptedAssertion"))
        opened = XML.decrypt(encrypted, keys=[each.decryption for each in both]).root
        assert first(opened, "Subject", "NameID").text == PSEUDONYM

    @pytest.mark.parametrize("methods", [(CBC,), (n.XENC + "rsa-1_5",), (n.ALG_RSA_OAEP,)])
    def test_what_names_none_of_ours_gets_nothing(self, methods: tuple[str, ...]) -> None:
        provider = a_service_provider(encrypt_assertions=True, encryption_methods=methods)
        with pytest.raises(CannotEncrypt):
            build(service_provider=provider)


class TestNames:
    def test_the_pseudonym_whatever_is_asked(self) -> None:
        form = build_for(AnswerForm(name_ids="persistent"), request=TRANSIENT)
        name_id = first(assertion_of(form), "Subject", "NameID")
        assert (name_id.text, name_id.get("Format")) == (PSEUDONYM, n.NAMEID_PERSISTENT)

    def test_no_name_id(self) -> None:
        form = AnswerForm(name_ids="none", pseudonym_attributes=("pairwise-id",))
        assertion = assertion_of(build_for(form, pairwise_scope="broker.example"))
        assert [each.tag for each in first(assertion, "Subject")] == [saml("SubjectConfirmation")]
        assert attributes_of(assertion)[PAIRWISE_ID_NAME] == [f"{PSEUDONYM}@broker.example"]

    @pytest.mark.parametrize("request_", [a_request(), TRANSIENT])
    def test_attributes_that_hold_the_pseudonym(self, request_: object) -> None:
        form = AnswerForm(pseudonym_attributes=("pairwise-id", "uid"))
        built = build_for(
            form, request=request_, pairwise_scope="broker.example", previous_pseudonym="z" * 53
        )
        assertion = assertion_of(built)
        assert attributes_of(assertion) == {
            "givenName": ["Sanne"],
            "eduPersonAffiliation": ["student", "affiliate"],
            PAIRWISE_ID_NAME: [f"{PSEUDONYM}@broker.example"],
            "uid": [PSEUDONYM],
            "previous_sub": ["z" * 53],
        }
        pairwise = assertion.findall(f".//{saml('Attribute')}")[2]
        assert attributes_in(pairwise) == {
            "Name": PAIRWISE_ID_NAME,
            "NameFormat": n.ATTRNAME_URI,
            "FriendlyName": "pairwise-id",
        }

    def test_nobody_is_named_by_nothing(self) -> None:
        assert build(request=TRANSIENT, pseudonym="")
        for form in (AnswerForm(pseudonym_attributes=("uid",)), AnswerForm(name_ids="persistent")):
            with pytest.raises(ValueError, match="pseudonym"):
                build_for(form, request=TRANSIENT, pseudonym="")

    def test_an_attribute_is_there_for_a_transient_name_only_when_asked(self) -> None:
        assert PSEUDONYM not in str(attributes_of(assertion_of(build(request=TRANSIENT))))

    def test_a_pairwise_id_is_the_same_without_regard_to_case(self) -> None:
        """Subject-id profile 2.2 and IIP-IDP21: compared so, no two pseudonyms become one."""
        form = AnswerForm(pseudonym_attributes=("pairwise-id",))
        assertion = assertion_of(build_for(form, pairwise_scope="broker.example"))
        (value,) = attributes_of(assertion)[PAIRWISE_ID_NAME]
        assert value == value.lower()
        assert len(value.partition("@")[0]) <= 127


class TestAttributeNames:
    def test_uris_for_those_that_have_one(self) -> None:
        form = AnswerForm(attribute_names="uri")
        built = build_attributes(DECISION, "uri")
        lint_claims(built, decision=DECISION, names=attribute_names("uri"))
        assertion = assertion_of(build_for(form, attributes=(*built, ("birthDate", ("x",)))))
        found = [attributes_in(each) for each in assertion.findall(f".//{saml('Attribute')}")]
        assert found == [
            {
                "Name": "urn:oid:2.5.4.42",
                "NameFormat": n.ATTRNAME_URI,
                "FriendlyName": "givenName",
            },
            {
                "Name": "urn:oid:1.3.6.1.4.1.5923.1.1.1.1",
                "NameFormat": n.ATTRNAME_URI,
                "FriendlyName": "eduPersonAffiliation",
            },
            {"Name": "birthDate", "NameFormat": n.ATTRNAME_BASIC},
        ]

    def test_every_name_means_one_attribute(self) -> None:
        for naming in ("basic", "uri"):
            assert sorted(attribute_names(naming).values()) == sorted(VOCABULARY)  # type: ignore[arg-type]
        for name, oid in OIDS.items():
            assert canonical_name(oid) == canonical_name(name) == name
        assert canonical_name("shoeSize") is None
