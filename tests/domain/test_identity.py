"""From what a login stated to an identity: which person, as whom."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.attributes import (
    IGNORE,
    VOCABULARY,
    AttributeName,
    Population,
    fold_ascii,
)
from broker.domain.identifiers import IdentifierUnusable, read_single
from broker.domain.identity import (
    UNREADABLE_NAME,
    Identity,
    PersonNotStated,
    ValueTooLong,
    VerifiedLogin,
    map_attributes,
    read_identity,
    read_population,
)
from tests.builders import (
    AN_ECK_ID,
    LOGGED_IN_AT,
    PUPIL,
    a_school,
    a_school_idp,
    a_verified_login,
    an_identity,
)

OTHER_ECK_ID = AN_ECK_ID.replace("5a", "5b")


def identify(**stated: Any) -> Identity:
    school = a_school()
    return read_identity(a_verified_login(**stated), schools={school.id: school})


def stating(name: str, *values: str) -> dict[AttributeName, tuple[str, ...]]:
    return {AttributeName(name): values}


class TestReadIdentity:
    def test_says_who_at_which_school(self) -> None:
        identity = identify()
        assert identity.school == "vuurvogel"
        assert identity.idp == "vuurvogel"
        assert identity.population is Population.PUPIL
        assert identity.identifier == "1100417"
        assert identity.eck_id == AN_ECK_ID
        assert identity.attributes == PUPIL
        assert identity.authenticated_at == LOGGED_IN_AT
        assert (identity.acr, identity.unknown) == ("", ())

    def test_shows_no_value(self) -> None:
        login, identity = a_verified_login(), an_identity()
        for values in PUPIL.values():
            if values != ("11AA",):  # a school's own, public
                assert values[0] not in repr(login)
                assert values[0] not in repr(identity)

    def test_takes_the_identifier_that_the_document_names(self) -> None:
        identity = identify(
            idp=a_school_idp(identifier=AttributeName("nlEduPersonRealId")),
            nlEduPersonRealId="real-7",
        )
        assert identity.identifier == "real-7"

    def test_a_pupil_is_known_by_either_one(self) -> None:
        assert identify(eckId=()).identifier == "1100417"
        assert identify(employeeNumber=None).eck_id == AN_ECK_ID

    @pytest.mark.parametrize("without", [{"eckId": None}, {"eckId": ()}, {"eckId": ("", "")}])
    def test_an_empty_container_is_no_eck_id(self, without: dict[str, Any]) -> None:
        identity = identify(**without)
        assert identity.eck_id is None
        assert "eckId" not in identity.attributes

    def test_a_container_with_one_eck_id_is_that_one(self) -> None:
        assert identify(eckId=("", AN_ECK_ID, AN_ECK_ID)).eck_id == AN_ECK_ID

    def test_a_container_with_two_eck_ids_is_two_persons(self) -> None:
        with pytest.raises(IdentifierUnusable) as caught:
            identify(eckId=(AN_ECK_ID, OTHER_ECK_ID))
        assert caught.value.args == ("E-IDENTITY-3", "check_identifier_single", "eckId")

    def test_a_teacher_at_two_schools_has_two_and_is_known_by_neither(self) -> None:
        identity = identify(eduPersonAffiliation="employee", eckId=(AN_ECK_ID, OTHER_ECK_ID))
        assert identity.eck_id is None
        assert identity.identifier == "1100417"
        assert identity.attributes[AttributeName("eckId")] == (AN_ECK_ID, OTHER_ECK_ID)

    def test_a_role_unknown_is_known_by_the_eck_id_alone(self) -> None:
        identity = identify(eduPersonAffiliation="affiliate")
        assert identity.population is None
        assert identity.eck_id == AN_ECK_ID

    @pytest.mark.parametrize(
        "role", [None, (), "affiliate", "", ("student", "employee"), "Schüler"]
    )
    def test_a_number_without_one_role_is_nobody(self, role: Any) -> None:
        with pytest.raises(PersonNotStated) as caught:
            identify(eduPersonAffiliation=role, eckId=None)
        assert caught.value.subject == "eduPersonAffiliation"

    @pytest.mark.parametrize("stated", [{"eckId": None}, {"eduPersonAffiliation": "staff"}])
    def test_nobody_without_identifier(self, stated: dict[str, Any]) -> None:
        with pytest.raises(PersonNotStated) as caught:
            identify(**stated, employeeNumber=None)
        assert caught.value.subject == "employeeNumber"

    def test_a_refusal_names_the_attribute_and_never_its_value(self) -> None:
        with pytest.raises(IdentifierUnusable) as caught:
            identify(employeeNumber=("1100417", "1100418"))
        assert "1100417" not in repr(caught.value) + str(caught.value)
        assert caught.value.subject == "employeeNumber"


class TestReadSingle:
    @pytest.mark.parametrize(
        "value",
        ["7", " 7", "7 ", "007", "a-b", "Zoë", "Zoe\u0308", "ſ", "李", "nullius", "N/A-1", "-0-"],
    )
    def test_is_exact_as_sent(self, value: str) -> None:
        assert read_single(stating("uid", value), AttributeName("uid")) == value

    @pytest.mark.parametrize(
        "value",
        [" ", "\t", "\u00a0", "\u3000", "\u200b", "\ufeff", "\x00", "-", "--", "?", "@", "."],
    )
    def test_blank_is_refused(self, value: str) -> None:
        with pytest.raises(IdentifierUnusable):
            read_single(stating("uid", value), AttributeName("uid"))

    @pytest.mark.parametrize("value", ["null", "NULL", "None", "undefined", "NaN", "N/A", "nil"])
    def test_a_word_for_no_value_is_refused(self, value: str) -> None:
        with pytest.raises(IdentifierUnusable):
            read_single(stating("uid", value), AttributeName("uid"))

    def test_absent_is_none(self) -> None:
        assert read_single({}, AttributeName("uid")) is None
        assert read_single(stating("uid"), AttributeName("uid")) is None

    def test_the_same_twice_is_one(self) -> None:
        assert read_single(stating("uid", "a", "a"), AttributeName("uid")) == "a"

    @pytest.mark.parametrize(
        "values",
        [
            ("a", "b"),
            ("a", "A"),
            ("a", "a "),
            ("a", " "),
            ("Zo\u00eb", "Zoe\u0308"),  # composed and decomposed: two texts as sent
            ("K", "\u212a"),  # Kelvin sign
        ],
    )
    def test_two_are_refused(self, values: tuple[str, ...]) -> None:
        with pytest.raises(IdentifierUnusable):
            read_single(stating("uid", *values), AttributeName("uid"))


class TestMapAttributes:
    @given(
        st.dictionaries(
            st.one_of(st.text(min_size=1), st.sampled_from([*PUPIL, "sub", "cn", "PGN"])),
            st.lists(st.text(), max_size=3).map(tuple),
        ),
        st.dictionaries(
            st.text(min_size=1), st.sampled_from([*VOCABULARY, IGNORE, "pgn", "x"]), max_size=5
        ),
    )
    def test_accounts_for_everything_once(
        self, stated: dict[str, tuple[str, ...]], mapping: dict[str, str]
    ) -> None:
        idp = a_school_idp(attributes=a_school_idp().attributes | mapping)
        mapped, unknown = map_attributes(VerifiedLogin(idp, stated, LOGGED_IN_AT))
        ignored = [each for each in stated if idp.attributes.get(each) == IGNORE]
        used: Counter[str] = Counter()
        for incoming in stated:
            alone, strange = map_attributes(
                VerifiedLogin(idp, {incoming: ("value",)}, LOGGED_IN_AT)
            )
            used[incoming] = len(alone) + len(strange) + (incoming in ignored)
        assert all(used[each] == 1 for each in stated)
        sent = {value for values in stated.values() for value in values}
        for name, values in mapped.items():
            assert name in VOCABULARY
            assert values
            assert all(values)
            assert len(set(values)) == len(values)
            if name != "eduPersonAffiliation":
                assert set(values) <= sent
        assert len(unknown) <= len(stated)

    def map(self, mapping: dict[str, str], **stated: tuple[str, ...]) -> Any:
        return map_attributes(VerifiedLogin(a_school_idp(attributes=mapping), stated, LOGGED_IN_AT))

    def test_by_the_documents_names(self) -> None:
        mapping = {"roepnaam": "givenName", "groep": "nlEduPersonUnit", "thema": IGNORE}
        mapped, unknown = self.map(
            mapping, roepnaam=("Sanne",), thema=("blauw",), groep=("7b", "koor"), schoenmaat=("33",)
        )
        assert mapped == {"givenName": ("Sanne",), "nlEduPersonUnit": ("7b", "koor")}
        assert unknown == ("schoenmaat",)

    def test_names_are_exact(self) -> None:
        mapped, unknown = self.map({"givenName": "givenName"}, givenname=("Sanne",))
        assert (mapped, unknown) == ({}, ("givenname",))

    def test_one_attribute_under_two_names_counts_once(self) -> None:
        mapping = {"a": "employeeNumber", "b": "employeeNumber"}
        assert self.map(mapping, a=("7",), b=("7", ""))[0] == {"employeeNumber": ("7",)}
        assert self.map(mapping, a=("7",), b=("8",))[0] == {"employeeNumber": ("7", "8")}

    def test_empty_values_are_absent_and_nothing_is_trimmed(self) -> None:
        mapping = {"mail": "mail", "sn": "sn"}
        assert self.map(mapping, mail=("", ""), sn=("", " de Vries ")) == (
            {"sn": (" de Vries ",)},
            (),
        )

    def test_roles_in_any_case(self) -> None:
        mapping = {"roles": "eduPersonAffiliation"}
        mapped, _ = self.map(mapping, roles=("Student", "STUDENT", "Schüler"))
        assert mapped == {"eduPersonAffiliation": ("student", "Schüler")}

    @pytest.mark.parametrize("incoming", ["PGN", "urn:x:nlEduPersonBSN", "hpgn", "bѕn"])
    def test_no_mapping_brings_in_what_may_never_leave(self, incoming: str) -> None:
        mapped, unknown = self.map({incoming: "employeeNumber"}, **{incoming: ("999996708",)})
        assert mapped == {}
        assert len(unknown) == 1

    @pytest.mark.parametrize("target", ["pgn", "shoeSize", ""])
    def test_no_mapping_leads_out_of_the_vocabulary(self, target: str) -> None:
        assert self.map({"number": target}, number=("7",)) == ({}, ("number",))

    @pytest.mark.parametrize(
        "incoming", ["sanne@vuurvogel.example", "Sanne de Vries", "Zoë", "a\nb", "x" * 201, ""]
    )
    def test_a_name_that_may_hold_a_value_is_not_repeated(self, incoming: str) -> None:
        assert self.map({}, **{incoming: ("7",)}) == ({}, (UNREADABLE_NAME,))


class TestReadPopulation:
    @pytest.mark.parametrize(
        ("stated", "population"),
        [
            (("student",), Population.PUPIL),
            (("student", "affiliate"), Population.PUPIL),
            (("employee",), Population.STAFF),
            (("staff",), Population.STAFF),
            (("employee", "staff"), Population.STAFF),
            (("student", "staff"), None),
            (("affiliate",), None),
            (("students",), None),
            (("ſtudent",), None),
            ((), None),
        ],
    )
    def test_is_one_or_none(self, stated: tuple[str, ...], population: Population | None) -> None:
        assert read_population(stating("eduPersonAffiliation", *stated)) is population

    def test_not_stated_is_none(self) -> None:
        assert read_population({}) is None


class TestFoldAscii:
    @given(st.text())
    def test_makes_no_two_letters_equal_but_the_two_cases_of_ascii(self, text: str) -> None:
        folded = fold_ascii(text)
        assert folded == (text.lower() if text.isascii() else text)
        assert fold_ascii(folded) == folded


class TestBounds:
    def test_check_values_bounded(self) -> None:
        for values in (("x" * 1025,), tuple(map(str, range(101)))):
            with pytest.raises(ValueTooLong) as refused:
                map_attributes(a_verified_login(nlEduPersonUnit=values))
            assert refused.value.subject == "nlEduPersonUnit"

    def test_what_schools_have_fits(self) -> None:
        values = ("x" * 1024, *map(str, range(99)))
        mapped, _ = map_attributes(a_verified_login(nlEduPersonUnit=values))
        assert mapped[AttributeName("nlEduPersonUnit")] == values
