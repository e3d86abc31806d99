"""A school's list: every reason why a line cannot be used, told without a value."""

from datetime import date
from typing import Any

import pytest

from broker.domain.attributes import Population
from broker.domain.enrolment import (
    LINE_CHECKS,
    MAX_GROUPS,
    MAX_PROBLEMS,
    FeedLine,
    FeedRefused,
    LineProblem,
    ListedPerson,
    OwnBrins,
    attributes_of,
    fill_in,
    find_problem,
    read_list,
)
from broker.domain.federation import SchoolFrom
from broker.domain.identifiers import (
    MAX_VALUE_CHARACTERS,
    IdentifierUnusable,
    read_login_identifier,
)
from broker.domain.identity import PersonNotStated, VerifiedLogin, read_identity
from broker.domain.ids import Brin
from tests.builders import AN_ECK_ID, LOGGED_IN_AT, a_school, a_school_idp

OWN = OwnBrins(frozenset({Brin("11AA")}))
SANNE = {
    "login": "107482",
    "eck_id": AN_ECK_ID,
    "number": "1100417",
    "role": "pupil",
    "branch": "11AA00",
    "groups": "7B|plusgroep",
    "until": "2027-07-31",
    "protected": "yes",
}


def a_line(at: int = 2, /, **changes: str) -> FeedLine:
    return FeedLine(at, {**SANNE, **changes})


def test_the_table_is_complete() -> None:
    assert len(LINE_CHECKS) == 8
    for each in LINE_CHECKS:
        assert f"test_{each.__name__}" in globals(), each.__name__
        assert each.__doc__


def reasons(**changes: str) -> str | None:
    assert find_problem(a_line(), own=OWN) is None
    found = find_problem(a_line(**changes), own=OWN)
    assert found is None or not any(value in found for value in changes.values() if len(value) > 4)
    return found


@pytest.mark.parametrize("login", ["", " ", "...", " 107482", "107482\t"])
def test_check_login_stated(login: str) -> None:
    assert "login" in str(reasons(login=login))


@pytest.mark.parametrize("column", SANNE)
def test_check_values_bounded(column: str) -> None:
    assert reasons(**{column: "x" * (MAX_VALUE_CHARACTERS + 1)}) == f"{column} is too long"
    assert reasons(**{column: "a\ud800"}) == f"{column} holds what is no text"


@pytest.mark.parametrize("role", ["student", "Pupil", "teacher"])
def test_check_role_known(role: str) -> None:
    assert "role" in str(reasons(role=role))
    assert reasons(role="") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"eck_id": "", "number": ""},
        {"number": " 1"},
        {"number": "---"},
        {"role": "staff", "number": ""},
    ],
)
def test_check_person_named(changes: dict[str, str]) -> None:
    assert "number" in str(find_problem(a_line(**changes), own=OWN))
    assert reasons(eck_id="") is None
    assert reasons(number="") is None
    assert reasons(role="staff", eck_id="") is None


@pytest.mark.parametrize("branch", ["11AA", "22BB00", "11aa00", "11AA001", "nowhere"])
def test_check_branch_own(branch: str) -> None:
    assert "branch" in str(reasons(branch=branch))
    assert reasons(branch="") is None
    assert reasons(branch="11AA01") is None


def test_a_location_lists_itself_alone() -> None:
    here = OwnBrins(frozenset({Brin("11AA")}), Brin("11AA00"))
    assert find_problem(a_line(), own=here) is None
    assert find_problem(a_line(branch="11AA01"), own=here) == "branch belongs to another school"


def test_a_school_goes_on_for_another_one() -> None:
    both = OwnBrins(frozenset({Brin("11AA"), Brin("22BB")}))
    assert find_problem(a_line(branch="22BB00"), own=both) is None


def test_check_groups_bounded() -> None:
    assert "groups" in str(reasons(groups="|".join(map(str, range(MAX_GROUPS + 1)))))


@pytest.mark.parametrize("until", ["31-07-2027", "2027-02-30", "soon"])
def test_check_until_is_a_day(until: str) -> None:
    assert "until" in str(reasons(until=until))
    assert reasons(until="") is None


@pytest.mark.parametrize("protected", ["ja", "true", "1"])
def test_check_protected_is_yes_or_no(protected: str) -> None:
    assert "protected" in str(reasons(protected=protected))
    assert reasons(protected="no") is None


def persons_of(*lines: FeedLine) -> list[tuple[int, ListedPerson]]:
    """Read lines that can all be used."""
    read = list(read_list(lines, own=OWN))
    assert [each for each in read if isinstance(each, LineProblem)] == []
    return [each for each in read if not isinstance(each, LineProblem)]


def test_a_list_is_read_line_by_line() -> None:
    """A whole list takes seconds, in which others log in."""
    sent = iter([a_line(2), a_line(3, **OTHER)])
    read = read_list(sent, own=OWN)
    next(read)
    assert next(sent).number == 3


def test_a_line_says_who_somebody_is() -> None:
    ((number, person),) = persons_of(a_line(7))
    assert number == 7
    assert person.population is Population.PUPIL
    assert (person.login, person.eck_id, person.number) == ("107482", AN_ECK_ID, "1100417")
    assert (person.branch, person.groups) == ("11AA00", ("7B", "plusgroep"))
    assert (person.until, person.protected) == (date(2027, 7, 31), True)
    assert not any(value in repr(person) for value in (*SANNE.values(),) if len(value) > 5)


def test_most_columns_may_be_missing() -> None:
    line = FeedLine(2, {"login": "107482", "eck_id": AN_ECK_ID})
    ((_, person),) = persons_of(line)
    assert (person.population, person.number, person.groups) == (Population.PUPIL, None, ())
    assert (person.branch, person.until, person.protected) == (None, None, False)


def test_an_eck_id_of_staff_counts_for_nothing() -> None:
    ((_, person),) = persons_of(a_line(role="staff"))
    assert person.eck_id is None


OTHER = {"login": "2", "eck_id": AN_ECK_ID.replace("5a", "5b"), "number": "2"}


@pytest.mark.parametrize("column", ["login", "eck_id", "number"])
def test_nobody_stands_there_twice(column: str) -> None:
    twice = a_line(3, **{**OTHER, column: SANNE[column]})
    _, problem = read_list([a_line(2), twice], own=OWN)
    assert problem == LineProblem(3, f"{column} stands in line 2 as well")
    assert len(persons_of(a_line(2), a_line(3, **OTHER))) == 2


def test_a_pupil_and_a_teacher_may_share_a_number() -> None:
    teacher = a_line(3, **{**OTHER, "number": SANNE["number"], "role": "staff"})
    assert len(persons_of(a_line(2), teacher)) == 2


def test_problems_are_told_in_order_and_counted() -> None:
    found = [LineProblem(number, "x") for number in range(MAX_PROBLEMS + 5, 0, -1)]
    refused = FeedRefused("check_lines", problems=found)
    assert refused.count == MAX_PROBLEMS + 5
    assert [each.line for each in refused.problems] == list(range(1, MAX_PROBLEMS + 1))


def test_what_is_listed_becomes_attributes() -> None:
    stated = dict(attributes_of(Population.STAFF, branch="11AA00", groups=("7B",)))
    assert stated == {
        "eduPersonAffiliation": ("employee",),
        "nlEduPersonHomeOrganizationBranchId": ("11AA00",),
        "nlEduPersonUnit": ("7B",),
    }
    assert dict(attributes_of(Population.PUPIL, branch=None, groups=())) == {
        "eduPersonAffiliation": ("student",)
    }


def a_login(login_identifier: str | None = "sub", **attributes: str) -> VerifiedLogin:
    idp = a_school_idp(login_identifier=login_identifier, school_from=SchoolFrom.FIXED)
    stated = {name: (value,) for name, value in attributes.items()}
    return VerifiedLogin(idp, stated, LOGGED_IN_AT)


SCHOOLS: Any = {"vuurvogel": a_school()}


class TestLoginThatNamesNobody:
    def test_goes_on_where_a_list_may_say_the_rest(self) -> None:
        identity = read_identity(a_login(sub="107482", mail="s@x.example"), schools=SCHOOLS)
        assert identity.login_identifier == "107482"
        assert "107482" not in repr(identity)
        filled = fill_in(identity, population=Population.PUPIL, attributes={})
        assert filled.population is Population.PUPIL

    def test_is_refused_where_no_list_does(self) -> None:
        identity = read_identity(a_login(sub="107482"), schools=SCHOOLS)
        with pytest.raises(PersonNotStated) as caught:
            fill_in(identity, population=None, attributes={}, name="employeeNumber")
        assert caught.value.subject == "eduPersonAffiliation"
        with_role = a_login(sub="107482", eduPersonAffiliation="student")
        identity = read_identity(with_role, schools=SCHOOLS)
        with pytest.raises(PersonNotStated) as caught:
            fill_in(identity, population=None, attributes={}, name="employeeNumber")
        assert caught.value.subject == "employeeNumber"

    @pytest.mark.parametrize("login_identifier", [None, "uid"])
    def test_is_refused_where_it_does_not_even_state_that(self, login_identifier: Any) -> None:
        with pytest.raises(PersonNotStated):
            read_identity(a_login(login_identifier, sub="107482"), schools=SCHOOLS)


def test_what_the_login_states_goes_before_the_list() -> None:
    login = a_login(sub="107482", eckId=AN_ECK_ID, nlEduPersonUnit="8A")
    identity = read_identity(login, schools=SCHOOLS)
    listed = dict(attributes_of(Population.PUPIL, branch="11AA00", groups=("7B",)))
    filled = fill_in(identity, population=Population.PUPIL, attributes=listed)
    assert filled.attributes["nlEduPersonUnit"] == ("8A",)  # type: ignore[index]
    assert filled.attributes["nlEduPersonHomeOrganizationBranchId"] == ("11AA00",)  # type: ignore[index]
    assert filled.eck_id == AN_ECK_ID
    assert fill_in(identity, population=Population.STAFF, attributes={}).eck_id is None


@pytest.mark.parametrize(
    "values", [("a", "b"), ("null",), ("--",), ("x" * (MAX_VALUE_CHARACTERS + 1),), ("a\ud800",)]
)
def test_a_login_identifier_is_one_usable_value(values: tuple[str, ...]) -> None:
    with pytest.raises(IdentifierUnusable):
        read_login_identifier({"sub": values}, "sub")
    assert read_login_identifier({"sub": ("107482",)}, "sub") == "107482"
    assert read_login_identifier({"sub": ("",)}, "sub") is None
    assert read_login_identifier({}, "sub") is None
    assert read_login_identifier({"sub": ("107482",)}, None) is None
