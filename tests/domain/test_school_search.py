"""Finding schools by what people type, and logins by hints."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.federation import State
from broker.domain.registry import build_registry
from broker.domain.school_search import (
    MAX_QUERY_CHARACTERS,
    SchoolIndex,
    build_school_index,
    find_hinted_school,
    fold,
    search_schools,
)
from tests.domain.federation_records import a_login, a_school, oidc_endpoints

SCHOOLS = (
    a_school("vuurvogel", name="De Vuurvogel", place="Utrecht", brin="11AA"),
    a_school("utrecht", name="Utrechts Lyceum", place="Zeist", brin="22BB", branch="22BB01"),
    a_school("ecole", name="École Bénin", place="Den Haag", brin="33CC"),
    a_school("real", name="De Vuurvogel", place="Almelo", brin="11AA", state=State.PRODUCTION),
)


def an_index(*schools: Any, logins: Any = None) -> SchoolIndex:
    found = schools or SCHOOLS
    idps = [a_login(each.id, state=each.state) for each in found] if logins is None else logins
    return build_school_index(
        build_registry(1, schools=found, idps=idps, suppliers=(), agreements=())
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["real", "vuurvogel", "ecole", "utrecht"]),
        ("utrecht", ["utrecht", "vuurvogel"]),
        ("vogel", ["real", "vuurvogel"]),
        ("VUURVOGEL  utrecht", ["vuurvogel"]),
        ("ecole benin", ["ecole"]),
        ("Bénin", ["ecole"]),
        ("22bb01", ["utrecht"]),
        ("22BB", ["utrecht"]),
        ("vuur vogel almelo", ["real"]),
        ("nowhere", []),
    ],
)
def test_every_word_must_occur_and_the_best_comes_first(query: str, found: list[str]) -> None:
    assert [each.id for each in search_schools(an_index(), query, state=None)] == found


def test_only_schools_of_the_supplier_s_state_are_found() -> None:
    (found,) = search_schools(an_index(), "vuurvogel", state=State.PRODUCTION)
    assert found.id == "real"


def test_a_school_that_is_off_or_has_no_login_cannot_be_chosen() -> None:
    off, alone, fine = a_school("off", enabled=False), a_school("alone"), a_school("fine")
    index = an_index(off, alone, fine, logins=[a_login("off"), a_login("fine")])
    assert search_schools(index, "", state=None) == [fine]


def test_a_very_long_query_is_cut() -> None:
    query = "vuurvogel" + " " * MAX_QUERY_CHARACTERS + "nowhere"
    assert len(search_schools(an_index(), query, state=None)) == 2


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def hinted(index: SchoolIndex, *hints: str, state: State = State.TEST) -> str | None:
    found = find_hinted_school(index, hints, state=state, today=date(2026, 9, 7))
    return None if found is None else found[0].id


@pytest.mark.parametrize(
    ("hint", "school"),
    [
        ("vuurvogel", "vuurvogel"),
        (" Vuurvogel ", "vuurvogel"),
        ("11aa", "vuurvogel"),
        ("22BB01", "utrecht"),
        ("https://ecole.example/saml", "ecole"),
        ("nobody", None),
        ("", None),
    ],
)
def test_a_hint_names_a_school_or_its_login(hint: str, school: str | None) -> None:
    assert hinted(an_index(), hint) == school


def test_a_brin_that_a_test_school_shares_with_a_real_one_is_told_by_state() -> None:
    assert hinted(an_index(), "11AA") == "vuurvogel"
    assert hinted(an_index(), "11AA", state=State.PRODUCTION) == "real"


def test_a_hint_never_crosses_states() -> None:
    assert hinted(an_index(), "ecole", state=State.PRODUCTION) is None
    assert hinted(an_index(), "https://ecole.example/saml", state=State.PRODUCTION) is None


def test_what_stands_before_the_at_sign_is_not_read() -> None:
    index = an_index(a_school(), logins=[a_login(scopes=("realm.nl",))])
    assert hinted(index, "anything@Realm.nl") == "vuurvogel"
    assert hinted(index, "realm.nl@other.nl") is None


def test_the_first_hint_that_is_understood_counts() -> None:
    assert hinted(an_index(), "nobody", "ecole", "vuurvogel") == "ecole"


def test_a_hint_that_fits_two_schools_is_left_to_the_chooser() -> None:
    index = an_index(a_school(branch="11AA01"), a_school("second", branch="11AA02"))
    assert hinted(index, "11AA") is None
    assert hinted(index, "11AA02") == "second"


def test_an_issuer_is_a_hint() -> None:
    login = a_login(endpoints=oidc_endpoints("https://kompas.example"))
    assert hinted(an_index(a_school(), logins=[login]), "https://kompas.example") == "vuurvogel"


@pytest.mark.parametrize("hint", ["vuurvogel", "https://vuurvogel.example/saml"])
def test_what_is_switched_off_is_not_found_by_hint(hint: str) -> None:
    assert hinted(an_index(a_school()), hint) == "vuurvogel"
    assert hinted(an_index(a_school(), logins=[a_login(enabled=False)]), hint) is None
    assert hinted(an_index(a_school(enabled=False)), hint) is None
    assert hinted(an_index(a_school(), logins=[]), hint) is None
