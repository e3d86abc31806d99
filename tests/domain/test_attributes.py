"""The vocabulary, the built-in mappings and the list of what never leaves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.attributes import (
    ENTREE_NAMES,
    IGNORE,
    NEVER_RELEASED,
    OIDC_NAMES,
    STATED_BY_US,
    VOCABULARY,
    is_never_released,
)

ONCE_ONLY_NUMBERS = ("pgn", "bsn", "onderwijsnummer", "hPGN", "stampseudonym", "eduID")

BEFORE = ("", "nlEduPerson", "urn:mace:dir:attribute-def:", "https://school.example/claims/", "x-")
AFTER = ("", ":", "/", "#", "Value", "-hash", ":2", "=1")
BETWEEN = ("", "_", "-", ".", " ", "\u00ad", "\u200b", "\u0301")


def full_width(text: str) -> str:
    """`pgn` as `ｐｇｎ`."""
    return "".join(chr(ord(each) + 0xFEE0) for each in text)


def in_bold(text: str) -> str:
    """`pgn` in mathematical bold letters."""
    return "".join(chr(ord(each) - ord("a") + 0x1D41A) for each in text.lower())


def with_look_alikes(text: str) -> str:
    """`p`, `e`, `o` and `s` in Cyrillic, the rest plain."""
    return text.lower().translate(str.maketrans("peosn", "реоѕп"))


class TestNeverReleased:
    @given(
        name=st.sampled_from(ONCE_ONLY_NUMBERS),
        respell=st.sampled_from(
            (str, str.upper, str.lower, str.swapcase, full_width, in_bold, with_look_alikes)
        ),
        between=st.sampled_from(BETWEEN),
        before=st.sampled_from(BEFORE),
        after=st.sampled_from(AFTER),
    )
    def test_no_spelling_escapes(
        self, name: str, respell: object, between: str, before: str, after: str
    ) -> None:
        assert callable(respell)
        assert is_never_released(before + between.join(respell(name)) + after)

    @pytest.mark.parametrize(
        "name",
        [
            "PGN",
            "urn:mace:surffederatie.nl:attribute-def:nlEduPersonPGN",
            "urn:example:bsn:value",
            "https://login.obs.nl/claims#pgn",
            "http://schemas.example/claims?name=bsn",
            "burgerServiceNummer",
            "citizen_service_number",
            "persoonsgebonden nummer",
            "sofi-nummer",
            "stampseudoniem",
            "hashedPgn",
            "p.g.n.",
            "grüße",
        ],
    )
    def test_is_one(self, name: str) -> None:
        assert is_never_released(name)

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "https://login.obs.nl/claims/givenName",  # an openbare basisschool
            "urn:mace:dir:attribute-def:employeeNumber",
            "pseudonym",
            "nummer",
        ],
    )
    def test_is_none(self, name: str) -> None:
        assert not is_never_released(name)

    def test_the_list_is_in_the_form_that_names_are_compared_in(self) -> None:
        assert all(each.isascii() and each.isalnum() and each.islower() for each in NEVER_RELEASED)

    @given(st.text())
    def test_decides_on_any_name(self, name: str) -> None:
        assert is_never_released(name) in (True, False)


class TestVocabulary:
    def test_holds_nothing_that_may_never_leave(self) -> None:
        for attribute in VOCABULARY.values():
            assert not is_never_released(attribute.name)
            assert not is_never_released(attribute.claim)

    def test_each_attribute_has_a_claim_name_of_its_own(self) -> None:
        assert len({each.claim for each in VOCABULARY.values()}) == len(VOCABULARY)
        assert all(name == each.name for name, each in VOCABULARY.items())

    def test_what_identifies_across_suppliers_is_restricted(self) -> None:
        assert {each.name for each in VOCABULARY.values() if each.restricted} == {
            "eckId",
            "uid",
            "employeeNumber",
            "nlEduPersonProfileId",
            "nlEduPersonRealId",
        }

    def test_nobody_changes_it(self) -> None:
        with pytest.raises(TypeError):
            VOCABULARY["pgn"] = VOCABULARY["sn"]  # type: ignore[index]


class TestBuiltInNames:
    @pytest.mark.parametrize("names", [ENTREE_NAMES, OIDC_NAMES])
    def test_lead_into_the_vocabulary_or_nowhere(self, names: dict[str, str]) -> None:
        told = {each for each in names.values() if each != IGNORE}
        assert told == set(VOCABULARY) - STATED_BY_US
        assert not any(is_never_released(each) for each in names)

    def test_entree_names_come_plain_and_as_urn(self) -> None:
        assert ENTREE_NAMES["givenName"] == "givenName"
        assert ENTREE_NAMES["urn:mace:dir:attribute-def:givenName"] == "givenName"
        assert ENTREE_NAMES["urn:oid:2.5.4.42"] == "givenName"
        assert ENTREE_NAMES["displayName"] == IGNORE

    def test_standard_claims_come_by_their_names(self) -> None:
        assert OIDC_NAMES["given_name"] == "givenName"
        assert OIDC_NAMES["email"] == "mail"
        assert OIDC_NAMES["birthdate"] == "birthDate"

    def test_claims_about_the_token_say_nothing_about_a_person(self) -> None:
        claims = {each.claim for each in VOCABULARY.values()} | set(VOCABULARY)
        about_the_token = {"iss", "sub", "aud", "nonce", "oid", "upn", "preferred_username", "sid"}
        assert not claims & about_the_token
        assert all(OIDC_NAMES[each] == IGNORE for each in about_the_token)
