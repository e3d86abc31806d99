"""Encrypted assertions, name ids and attributes, in the forms that the field has."""

from base64 import b64decode

import pytest

from broker.saml_sp import refusals as r
from broker.saml_sp.encrypted_parts import ENCRYPTED_PARTS_MAX
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, serialize
from broker.saml_xml.refusals import DecryptionRefused, MessageUnreadable
from tests.builders_encrypted import (
    MGF1P,
    OAEP_SHA256,
    PKCS1,
    encrypt_in_place,
    encrypted,
)
from tests.builders_saml import (
    BROKER_ENCRYPTION,
    PUPIL,
    STRANGER_KEY,
    XML,
    a_response_form,
    an_attribute,
    read,
    saml,
)
from tests.saml_sp.refusing import refused
from tests.saml_xml.corpus.keys import PartyKey, rsa_key

NEXT = rsa_key("broker encryption, next")


def encrypt_name_id(assertion: Element) -> None:
    encrypt_in_place(next(assertion.iter(saml("NameID"))), "EncryptedID")


def encrypt_attributes(assertion: Element) -> None:
    for each in list(assertion.iter(saml("Attribute"))):
        encrypt_in_place(each, "EncryptedAttribute")


def encrypt_both(assertion: Element) -> None:
    encrypt_name_id(assertion)
    encrypt_attributes(assertion)


class TestParts:
    @pytest.mark.parametrize("within", [False, True])
    @pytest.mark.parametrize("signed", ["assertion", "response", "both"])
    def test_are_read_as_if_they_stood_there_plainly(self, signed: str, within: bool) -> None:
        login = read(edit_assertion=encrypt_both, signed=signed, encrypted=within)
        assert login.login.attributes == PUPIL
        assert login.name_id is not None
        assert login.name_id.value == "sanne@vuurvogel.example"

    def test_plain_and_encrypted_attributes_stand_side_by_side(self) -> None:
        def one_of_them(assertion: Element) -> None:
            encrypt_in_place(next(assertion.iter(saml("Attribute"))), "EncryptedAttribute")

        assert read(edit_assertion=one_of_them).login.attributes == PUPIL

    def test_no_value_can_be_seen_on_the_way(self) -> None:
        form = a_response_form(edit_assertion=encrypt_both)
        sent = dict(form)["SAMLResponse"]
        assert not {"Sanne", "700123"} & set(serialize_form(sent).split(">"))

    def test_as_many_as_a_pupil_has_and_no_more(self) -> None:
        def many(count: int) -> "object":
            def edit(assertion: Element) -> None:
                for number in range(count):
                    assertion[-1].append(an_attribute(f"a{number}", "x"))
                encrypt_attributes(assertion)

            return edit

        login = read(attributes={}, edit_assertion=many(ENCRYPTED_PARTS_MAX))
        assert len(login.login.attributes) == ENCRYPTED_PARTS_MAX
        refused(
            r.ResponseMalformed,
            "check_encrypted_parts_bounded",
            attributes={},
            edit_assertion=many(ENCRYPTED_PARTS_MAX + 1),
        )

    def test_for_somebody_else_do_not_open(self) -> None:
        def to_a_stranger(assertion: Element) -> None:
            encrypt_in_place(next(assertion.iter(saml("NameID"))), "EncryptedID", to=STRANGER_KEY)

        refused(DecryptionRefused, "decryption", edit_assertion=to_a_stranger)

    def test_hold_what_their_place_says(self) -> None:
        def an_attribute_as_name_id(assertion: Element) -> None:
            name_id = next(assertion.iter(saml("NameID")))
            parent = name_id.getparent()
            assert parent is not None
            hidden = encrypted(an_attribute("uid", "x"), wrapper="EncryptedID")
            parent.replace(name_id, hidden)

        refused(DecryptionRefused, "decrypted-element", edit_assertion=an_attribute_as_name_id)

    def test_an_id_is_still_one(self) -> None:
        def twice(assertion: Element) -> None:
            subject = next(assertion.iter(saml("Subject")))
            subject.insert(1, encrypted(subject[0], wrapper="EncryptedID"))

        refused(MessageUnreadable, "schema", edit_assertion=twice)


@pytest.mark.parametrize("content", [n.ALG_AES128_GCM, n.ALG_AES256_GCM])
@pytest.mark.parametrize("key_method", [MGF1P, OAEP_SHA256])
def test_the_forms_of_encryption_that_the_profiles_name(
    content: str, key_method: tuple[str, str, str]
) -> None:
    def edit(response: Element) -> None:
        encrypt_in_place(response[-1], "EncryptedAssertion", content=content, key_method=key_method)

    assert read(edit_response=edit).login.attributes == PUPIL


def test_rsa_1_5_is_refused_in_whatever_is_signed() -> None:
    def edit(response: Element) -> None:
        encrypt_in_place(response[-1], "EncryptedAssertion", key_method=PKCS1)

    refused(DecryptionRefused, "encryption-method", edit_response=edit, signed="response")


@pytest.mark.parametrize("to", [BROKER_ENCRYPTION, NEXT, rsa_key("broker encryption, third")])
def test_each_of_our_keys_opens_during_a_roll_over(to: PartyKey) -> None:
    def edit(assertion: Element) -> None:
        encrypt_in_place(next(assertion.iter(saml("NameID"))), "EncryptedID", to=to)

    ours = [
        each.decryption for each in (BROKER_ENCRYPTION, NEXT, rsa_key("broker encryption, third"))
    ]
    assert read(edit_assertion=edit, decryption_keys=ours).name_id is not None
    without = [each for each in ours if each.key_id != to.decryption.key_id]
    refused(DecryptionRefused, "decryption", edit_assertion=edit, decryption_keys=without)


def serialize_form(value: str) -> str:
    """Return what a posted message shows."""
    return serialize(XML.parse(b64decode(value)).root).decode()
