"""What becomes of each attribute: the verdicts that depend on how a login states its school."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pytest

from broker.domain.attribute_verdicts import Verdict, judge_attributes, needed_names
from broker.domain.attributes import MAIL, UID, AttributeName
from broker.domain.federation import SchoolFrom
from broker.domain.ids import SchoolId
from broker.domain.refusals import WhoseTask
from tests.builders import a_school, a_school_idp, a_verified_login

SCHOOL, OTHER = a_school(), a_school(id="kompas", brin="22BB")
SCHOOLS = {each.id: each for each in (SCHOOL, OTHER)}
NUMBER = "employeeNumber"


def judge(
    *, unreadable: Sequence[str] = (), wanted: Sequence[str] = (), idp: Any = None, **stated: Any
) -> Mapping[str, Verdict]:
    found = judge_attributes(
        a_verified_login(idp=idp or a_school_idp(), **stated),
        school=SCHOOL,
        schools=SCHOOLS,
        former=MappingProxyType({}),
        wanted=tuple(map(AttributeName, wanted)),
        unreadable=unreadable,
        is_eck_id=lambda text: text.startswith("https://ketenid.nl/"),
    )
    assert all(each.whose_task in (None, *WhoseTask) for each in found)
    return {each.incoming or f"-{each.name}": each.verdict for each in found}


def by_domain(**changes: Any) -> Any:
    domains = {"vuurvogel.example": SCHOOL.id, "kompas.example": OTHER.id}
    return a_school_idp(
        schools=(SCHOOL.id, OTHER.id),
        school_from=SchoolFrom.DOMAIN,
        domains=domains,
        scopes=(),
        **changes,
    )


def test_a_flawless_login() -> None:
    assert set(judge().values()) <= {Verdict.MAPPED, Verdict.IGNORED}


@pytest.mark.parametrize(
    ("mail", "uid", "verdict"),
    [
        ("sanne@vuurvogel.example", None, Verdict.MAPPED),
        ("sanne@elsewhere.example", None, Verdict.OUT_OF_SCOPE),
        ("no-domain", None, Verdict.MAPPED),
    ],
)
def test_a_login_that_states_its_school_by_domain(
    mail: str, uid: str | None, verdict: Verdict
) -> None:
    assert judge(idp=by_domain(), mail=(mail,), uid=uid)["mail"] is verdict


def test_a_form_that_no_attribute_has() -> None:
    told = judge(unreadable=("family_name", "displayName", "groups"))
    assert told["family_name"] is told["groups"] is Verdict.WRONG_FORM
    assert "displayName" not in told


def test_what_only_a_school_s_list_knows_is_good() -> None:
    idp = a_school_idp(login_identifier="nameFromTheList")
    told = judge(idp=idp, nameFromTheList=("x",), eckId=None, employeeNumber=None)
    assert told["nameFromTheList"] is Verdict.MAPPED
    assert Verdict.MISSING not in told.values()


def test_what_we_state_ourselves_is_not_asked_of_the_school() -> None:
    assert "-schoolMembership" not in judge(wanted=("schoolMembership", "birthDate"))


@pytest.mark.parametrize(
    ("school_from", "came", "needed"),
    [
        (SchoolFrom.FIXED, {"eckId"}, set()),
        (SchoolFrom.FIXED, set(), {"eduPersonAffiliation", NUMBER}),
        (SchoolFrom.ATTRIBUTE, {"eckId"}, {"nlEduPersonHomeOrganizationId"}),
        (SchoolFrom.ATTRIBUTE, {"eckId", "nlEduPersonHomeOrganizationBranchId"}, set()),
        (SchoolFrom.DOMAIN, {"eckId"}, {MAIL}),
        (SchoolFrom.DOMAIN, {"eckId", UID}, set()),
    ],
)
def test_what_no_login_works_without(
    school_from: SchoolFrom, came: set[Any], needed: set[Any]
) -> None:
    idp = a_school_idp(school_from=school_from, schools=(SchoolId("vuurvogel"),))
    assert set(needed_names(idp, SCHOOL, came)) == needed
