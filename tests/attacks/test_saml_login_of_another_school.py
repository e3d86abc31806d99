"""A school, or somebody with its key, speaks for another school's login."""

import pytest

from broker.saml_sp.refusals import ResponseFromSomebodyElse
from broker.saml_xml.refusals import SignatureRefused
from tests.builders_saml import PUPIL, SCHOOL_KEY, STRANGER_KEY, a_school_idp, an_expectation, read

OTHER_ENTITY = "https://login.kompas.example"
OTHER_SCHOOL = a_school_idp(
    entity_id=OTHER_ENTITY, signing_certificates=(STRANGER_KEY.certificate,)
)


@pytest.mark.parametrize("signed", ["assertion", "response", "both"])
def test_its_own_key_under_the_name_of_the_school_that_was_asked(signed: str) -> None:
    with pytest.raises(SignatureRefused):
        read(signed=signed, key=STRANGER_KEY)


@pytest.mark.parametrize("signed", ["assertion", "response", "both"])
def test_an_honest_login_at_another_school_than_was_asked(signed: str) -> None:
    """Mix-up: the pending login went to one school, the answer comes from another."""
    with pytest.raises(SignatureRefused):
        read(signed=signed, key=STRANGER_KEY, issuer=OTHER_ENTITY, response_issuer=OTHER_ENTITY)


def test_two_logins_with_one_key_are_still_two() -> None:
    """A vendor that signs for all its schools with one key: the Issuer decides."""
    shared = a_school_idp(entity_id=OTHER_ENTITY, signing_certificates=(SCHOOL_KEY.certificate,))
    with pytest.raises(ResponseFromSomebodyElse):
        read(expected=an_expectation(idp=shared))


def test_the_response_of_one_around_the_assertion_of_another() -> None:
    with pytest.raises(ResponseFromSomebodyElse):
        read(signed="both", response_issuer=OTHER_ENTITY)
    with pytest.raises(ResponseFromSomebodyElse):
        read(signed="both", issuer=OTHER_ENTITY)


def test_the_school_that_was_asked_is_believed() -> None:
    assert read().login.attributes == PUPIL
    theirs = read(
        expected=an_expectation(idp=OTHER_SCHOOL),
        key=STRANGER_KEY,
        issuer=OTHER_ENTITY,
        response_issuer=OTHER_ENTITY,
    )
    assert theirs.login.idp is OTHER_SCHOOL
