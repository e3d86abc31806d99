"""A change of documents does not make strangers of people, or change releases, without a word."""

from datetime import date, timedelta
from typing import Any

import pytest

from broker.domain.documents import Kind
from broker.flow.federation.change import check_apply, check_return
from broker.flow.federation.documents import FederationProblems, StatedDocument
from tests.builders_saml import NOW
from tests.flow.federation_builders import (
    a_client,
    a_compiler,
    a_federation,
    a_saml_login,
    a_school,
    a_service_provider,
    a_supplier,
    an_agreement,
    an_oidc_login,
    apply,
    stated,
)

TODAY = NOW.date()
AN_SP = a_service_provider(id="rekenrijk-saml")
WITH_BOTH = a_supplier(a_client(), AN_SP)


def a_changed(**documents: Any) -> list[StatedDocument]:
    return a_federation(**documents)


def under_supplier(id_: str, **changes: Any) -> list[StatedDocument]:
    return a_federation(
        supplier=a_supplier(a_client(), AN_SP, id=id_, **changes),
        agreement=an_agreement(supplier=id_),
    )


def under_school(id_: str, **changes: Any) -> list[StatedDocument]:
    return a_federation(
        school=a_school(id=id_, **changes),
        login=an_oidc_login(schools=[id_]),
        agreement=an_agreement(school=id_),
    )


STRANGERS = [
    (a_changed(login=an_oidc_login(identifier="uid"), supplier=WITH_BOTH), ["identifier"]),
    (
        a_changed(login=an_oidc_login(id="other", identifier="uid"), supplier=WITH_BOTH),
        ["identifier"],
    ),
    (
        under_supplier("rekenrijk-bv"),
        ["relying_party[0].client_id", "relying_party[1].entity_id", "id"],
    ),
    (
        under_supplier("rekenrijk-bv", relying_party=[a_client(client_id="x")]),
        ["id"],
    ),
    (under_school("de-vuurvogel"), ["id"]),
]


@pytest.mark.parametrize(("documents", "paths"), STRANGERS)
def test_strangers_are_made_only_when_that_is_meant(
    documents: list[StatedDocument], paths: list[str]
) -> None:
    store = apply(a_federation(supplier=WITH_BOTH))
    with pytest.raises(FederationProblems) as found:
        check_apply(store, documents, prune=True, compiler=a_compiler())
    assert [each.path for each in found.value.problems] == paths
    assert all("--allow-new-pseudonyms" in each.remedy for each in found.value.problems)
    apply(documents, store, prune=True, allow_new_pseudonyms=True)
    with pytest.raises(FederationProblems):
        check_return(store, version=1, compiler=a_compiler())
    check_return(store, version=1, compiler=a_compiler(allow_new_pseudonyms=True))


@pytest.mark.parametrize(
    "documents",
    [
        a_federation(supplier=WITH_BOTH),
        a_federation(login=an_oidc_login(id="other"), supplier=WITH_BOTH),
        a_federation(login=a_saml_login(id="second", entity_id="https://login.vuurvogel.example")),
        a_federation(supplier=a_supplier(a_client(client_id="new"), legal_name="New B.V.")),
        under_supplier("other", legal_name="Other", relying_party=[a_client(client_id="x")]),
        under_school("other", brin="33CC"),
    ],
)
def test_what_keeps_pseudonyms_is_fine(documents: list[StatedDocument]) -> None:
    store = apply(a_federation(supplier=WITH_BOTH))
    assert check_apply(store, documents, prune=True, compiler=a_compiler()).warnings == ()


@pytest.mark.parametrize(
    ("before", "begins", "warned"),
    [
        ({}, TODAY + timedelta(days=1), True),
        ({"until": TODAY}, TODAY + timedelta(days=1), True),
        ({}, TODAY, False),
        ({"until": TODAY - timedelta(days=1)}, TODAY + timedelta(days=1), False),
        ({"from": TODAY + timedelta(days=1)}, TODAY + timedelta(days=2), False),
    ],
)
def test_an_agreement_that_leaves_a_gap_is_warned_of(
    before: dict[str, date], begins: date, warned: bool
) -> None:
    store = apply(a_federation(agreement=an_agreement(**before)))
    later = [stated(Kind.AGREEMENT, an_agreement(version=2, **{"from": begins}))]
    for today, expected in ((TODAY, ["from"] if warned else []), (None, [])):
        change = check_apply(store, later, prune=False, compiler=a_compiler(today=today))
        assert [each.path for each in change.warnings] == expected


def test_an_agreement_that_comes_back_is_warned_of() -> None:
    store = apply(a_federation())
    apply([stated(Kind.AGREEMENT, an_agreement(version=2, approved=[]))], store)
    apply(a_federation()[:3], store, prune=True)
    for version, told in ((1, "is 1 again, in place of no agreement"), (2, "is 2 again")):
        (warning,) = check_return(store, version=version, compiler=a_compiler()).warnings
        assert warning.problem.startswith(told)
    apply([stated(Kind.AGREEMENT, an_agreement(version=3, approved=[]))], store)
    (warning,) = check_return(store, version=1, compiler=a_compiler()).warnings
    assert warning.problem.startswith("is 1 again, in place of version 3")
    assert check_return(store, version=4, compiler=a_compiler()).warnings == ()


def test_going_back_over_schools_alone_warns_of_nothing() -> None:
    store = apply(a_federation())
    apply([stated(Kind.SCHOOL, a_school(name="New"))], store)
    assert check_return(store, version=1, compiler=a_compiler(today=TODAY)).warnings == ()


SECOND = an_oidc_login(id="second", issuer="https://second.vuurvogel.example")


@pytest.mark.parametrize(
    ("login", "warned"),
    [
        (SECOND, False),
        (SECOND | {"identifier": "nlEduPersonProfileId"}, True),
        (SECOND | {"identifier": "nlEduPersonProfileId", "enabled": False}, False),
    ],
)
def test_two_logins_that_name_people_differently_are_warned_of(
    login: dict[str, Any], warned: bool
) -> None:
    store = apply(a_federation())
    change = check_apply(
        store, a_federation(login=login)[1:2], prune=False, compiler=a_compiler(today=None)
    )
    told = ["differs between its logins: employeeNumber, nlEduPersonProfileId"] if warned else []
    assert [each.problem.partition(".")[0] for each in change.warnings] == told
    apply(a_federation(login=login)[1:2], store)
    others = [stated(Kind.AGREEMENT, an_agreement(version=2))]
    assert check_apply(store, others, prune=False, compiler=a_compiler(today=None)).warnings == ()
    # Told again when that one goes, or changes, and the school still has two.
    again = a_federation(login=login | {"scopes": ["x.example"]})[1:2]
    change = check_apply(store, again, prune=False, compiler=a_compiler(today=None))
    assert len(change.warnings) == int(warned)
    back = check_return(store, version=1, compiler=a_compiler(today=None))
    assert back.warnings == ()
