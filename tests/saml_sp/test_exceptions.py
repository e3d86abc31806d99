"""What a login's document may except for a while: each with and without it, and after its end."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from broker.domain.dutch_days import day_of
from broker.domain.refusals import Refusal
from broker.domain.tolerances import IdpException, Tolerance
from broker.saml_sp.exceptions import LIFTED_BY
from broker.saml_sp.login import SamlLogin
from broker.saml_sp.refusals import ExceptionEnded, NameIdUnusable
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element
from broker.saml_xml.refusals import DecryptionRefused, MessageUnreadable, SignatureRefused
from tests.builders_encrypted import encrypt_in_place
from tests.builders_saml import (
    NOW,
    PUPIL,
    SCHOOL_KEY,
    a_school_idp,
    an_expectation,
    read,
    saml,
)
from tests.saml_sp.refusing import refused
from tests.saml_xml.corpus.by_hand import RSA_SHA1, sign_by_hand

TODAY = day_of(NOW)
YESTERDAY = TODAY - timedelta(days=1)


def excepted(*names: Tolerance, until: date = TODAY) -> Any:
    """Return what is expected of a login whose document has these exceptions."""
    exceptions = tuple(
        IdpException(name=each, last_day=until, reason="the school will mend it") for each in names
    )
    return an_expectation(idp=replace(a_school_idp(), exceptions=exceptions))


def by_sha1(digest: str = n.ALG_SHA1, method: str = RSA_SHA1) -> dict[str, Any]:
    """Return an answer whose assertion is signed so."""

    def sign(response: Element) -> None:
        sign_by_hand(response[-1], SCHOOL_KEY, method=method, digest_method=digest)

    return {"signed": "nothing", "edit_response": sign}


def by_cbc(content: str = n.ALG_AES256_CBC, **how: Any) -> dict[str, Any]:
    """Return an answer with an encrypted assertion in a signed Response."""

    def encrypt(response: Element) -> None:
        encrypt_in_place(response[-1], "EncryptedAssertion", content=content, **how)

    return {"signed": "response", "edit_response": encrypt}


def name_id_by_cbc() -> dict[str, Any]:
    def encrypt(assertion: Element) -> None:
        name_id = next(assertion.iter(saml("NameID")))
        encrypt_in_place(name_id, "EncryptedID", content=n.ALG_AES128_CBC)

    return {"edit_assertion": encrypt}


WITHOUT_NAME_ID: dict[str, Any] = {"name_id": None}

CASES: dict[str, tuple[Tolerance, type[Refusal], str, Callable[[], dict[str, Any]]]] = {
    "sha1": (Tolerance.SHA1_SIGNATURES, SignatureRefused, "signature-algorithm", by_sha1),
    "sha1-value-alone": (
        Tolerance.SHA1_SIGNATURES,
        SignatureRefused,
        "signature-algorithm",
        lambda: by_sha1(digest=n.ALG_SHA256),
    ),
    "sha1-digest-alone": (
        Tolerance.SHA1_SIGNATURES,
        SignatureRefused,
        "digest-algorithm",
        lambda: by_sha1(method=n.ALG_RSA_SHA256),
    ),
    "cbc-256": (Tolerance.AES_CBC, DecryptionRefused, "encryption-method", by_cbc),
    "cbc-128": (
        Tolerance.AES_CBC,
        DecryptionRefused,
        "encryption-method",
        lambda: by_cbc(n.ALG_AES128_CBC),
    ),
    "cbc-name-id": (Tolerance.AES_CBC, DecryptionRefused, "encryption-method", name_id_by_cbc),
    "no-name-id": (
        Tolerance.NO_NAME_ID,
        NameIdUnusable,
        "check_name_id_stated",
        lambda: WITHOUT_NAME_ID,
    ),
}


@pytest.fixture(params=CASES, name="case")
def _case(request: pytest.FixtureRequest) -> Any:
    return CASES[request.param]


class TestEach:
    def test_lets_through_what_it_names_up_to_its_last_day(self, case: Any) -> None:
        name, _, _, answer = case
        login: SamlLogin = read(expected=excepted(name), **answer())
        assert login.login.attributes == PUPIL
        assert login.exceptions == (name,)

    def test_is_needed_for_it(self, case: Any) -> None:
        _, refusal, check, answer = case
        refused(refusal, check, **answer())

    def test_is_not_that_of_another_thing(self, case: Any) -> None:
        name, refusal, check, answer = case
        others = [each for each in Tolerance if each is not name]
        refused(refusal, check, expected=excepted(*others), **answer())

    def test_says_that_it_has_ended(self, case: Any) -> None:
        name, _, check, answer = case
        told = refused(ExceptionEnded, check, expected=excepted(name, until=YESTERDAY), **answer())
        assert told.subject == name

    def test_may_be_stated_anew(self, case: Any) -> None:
        name, _, _, answer = case
        both = [
            IdpException(name=name, last_day=each, reason="again") for each in (YESTERDAY, TODAY)
        ]
        idp = replace(a_school_idp(), exceptions=tuple(both))
        assert read(expected=an_expectation(idp=idp), **answer()).exceptions == (name,)


def test_what_needs_no_exception_notes_none() -> None:
    assert read(expected=excepted(*Tolerance)).exceptions == ()
    assert read(expected=excepted(*Tolerance), encrypted=True, signed="both").exceptions == ()


def test_each_is_lifted_by_a_check() -> None:
    assert set(LIFTED_BY.values()) == set(Tolerance)


def test_several_at_once() -> None:
    def both(response: Element) -> None:
        sign_by_hand(response[-1], SCHOOL_KEY, method=RSA_SHA1, digest_method=n.ALG_SHA1)
        encrypt_in_place(response[-1], "EncryptedAssertion", content=n.ALG_AES256_CBC)

    login = read(expected=excepted(*Tolerance), name_id=None, signed="response", edit_response=both)
    assert set(login.exceptions) == set(Tolerance)


class TestNoFurther:
    """An exception lifts one rule and none beside it."""

    def test_sha1_is_still_the_school_s_own_signature(self) -> None:
        def sign(response: Element) -> None:
            sign_by_hand(response[-1], SCHOOL_KEY, method=RSA_SHA1, digest_method=n.ALG_SHA1)

        def change(response: Element) -> None:
            next(response.iter(saml("NameID"))).text = "els@vuurvogel.example"

        refused(
            SignatureRefused,
            "digest",
            expected=excepted(Tolerance.SHA1_SIGNATURES),
            signed="nothing",
            edit_response=sign,
            tamper=change,
        )

    @pytest.mark.parametrize("method", [n.DS + "hmac-sha1", n.DS + "dsa-sha1", n.XENC + "x"])
    def test_sha1_is_no_other_algorithm(self, method: str) -> None:
        def rename(response: Element) -> None:
            next(response.iter(f"{{{n.DS}}}SignatureMethod")).set("Algorithm", method)

        refused(
            SignatureRefused,
            "signature-algorithm",
            expected=excepted(Tolerance.SHA1_SIGNATURES),
            tamper=rename,
        )

    def test_cbc_is_never_tried_where_nobody_signed_it(self) -> None:
        for signed in ("assertion", "nothing"):
            refused(
                DecryptionRefused,
                "encryption-method",
                expected=excepted(Tolerance.AES_CBC),
                **(by_cbc() | {"signed": signed}),
            )

    @pytest.mark.parametrize("last_byte", [0, 17, 255])
    def test_cbc_with_wrong_padding_gets_the_one_answer(self, last_byte: int) -> None:
        refused(
            DecryptionRefused,
            "decryption",
            expected=excepted(Tolerance.AES_CBC),
            **by_cbc(last_byte=last_byte),
        )

    def test_a_blank_name_id_is_still_refused(self) -> None:
        refused(
            NameIdUnusable, "check_name_id", expected=excepted(Tolerance.NO_NAME_ID), name_id=" "
        )

    def test_a_base_id_is_no_form_that_the_schemas_know(self) -> None:
        def base_id(assertion: Element) -> None:
            subject = next(assertion.iter(saml("Subject")))
            own = build_element(saml("BaseID"), {f"{{{n.XSI}}}type": "saml:NameIDType"})
            subject.replace(subject[0], own)

        refused(
            MessageUnreadable,
            "schema",
            expected=excepted(Tolerance.NO_NAME_ID),
            edit_assertion=base_id,
        )
