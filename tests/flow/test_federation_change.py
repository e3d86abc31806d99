"""Applying documents: plans, versions, pins, and going back."""

from typing import Any

import pytest

from broker.domain.documents import Kind
from broker.flow.federation.change import (
    CheckedChange,
    NothingApplied,
    RegistryMoved,
    check_apply,
    check_return,
)
from broker.flow.federation.documents import FederationProblems
from broker.flow.federation.plan import Action, KeyChange, Plan
from tests.builders_saml import NOW
from tests.flow.federation_builders import (
    MemoryFederation,
    a_client,
    a_compiler,
    a_federation,
    a_saml_login,
    a_school,
    a_supplier,
    an_agreement,
    an_oidc_login,
    apply,
    discovery,
    idp_metadata,
    problems_of,
    stated,
    without,
)

SCHOOL, SUPPLIER = (Kind.SCHOOL, "vuurvogel"), (Kind.SUPPLIER, "rekenrijk")
AGREEMENT = Kind.AGREEMENT, "school/vuurvogel/rekenrijk"


def change(documents: Any, store: MemoryFederation, *, prune: bool = False) -> CheckedChange:
    return check_apply(store, documents, prune=prune, compiler=a_compiler())


def plan(documents: Any, store: MemoryFederation, *, prune: bool = False) -> Plan:
    return change(documents, store, prune=prune).plan


def go_back(store: MemoryFederation, version: int, **compiler: Any) -> CheckedChange:
    found = check_return(store, version=version, compiler=a_compiler(**compiler))
    store.write(found, by="tester", at=NOW)
    return found


def test_the_first_apply_adds_everything() -> None:
    planned = plan(a_federation(), MemoryFederation())
    assert [each.action for each in planned.documents] == [Action.ADDED] * 4
    assert planned.keys(Action.ADDED) == tuple(sorted(each.key for each in a_federation()))


def test_applying_twice_leaves_nothing_to_do() -> None:
    again = plan(a_federation(), apply(a_federation()))
    assert (again.documents, again.unchanged) == ((), 4)


def test_what_is_not_stated_stays_unless_pruned() -> None:
    store = apply(a_federation())
    fewer = a_federation()[:3]
    assert plan(fewer, store).documents == ()
    assert plan(fewer, store, prune=True).keys(Action.REMOVED) == (AGREEMENT,)
    assert plan(fewer, store, prune=True).count(Action.REMOVED) == 1


def test_nothing_can_be_pruned_that_others_need() -> None:
    with pytest.raises(FederationProblems) as caught:
        change(a_federation()[1:], apply(a_federation()), prune=True)
    assert {each.path for each in caught.value.problems} == {"schools[0]", "school"}


def test_a_change_is_told_by_key() -> None:
    store = apply(a_federation())
    supplier = a_supplier(
        a_client(redirect_uris=["https://new.example/cb"], start_url="https://new.example/"),
        display_name="RekenRijk",
        attribute=[],
    )
    (changed,) = plan([stated(Kind.SUPPLIER, supplier)], store).documents
    assert changed.changes == (
        KeyChange("attribute[0].name", '"givenName"', None),
        KeyChange("attribute[0].purpose", '"We greet you."', None),
        KeyChange(
            "relying_party[0].redirect_uris",
            '["https://rekenrijk.example/cb"]',
            '["https://new.example/cb"]',
        ),
        KeyChange("display_name", None, '"RekenRijk"'),
        KeyChange("relying_party[0].start_url", None, '"https://new.example/"'),
    )


def test_a_file_that_changed_beside_its_document_is_a_change() -> None:
    login = a_saml_login(metadata="m.xml")
    entity = "https://login.vuurvogel.example"
    before = stated(Kind.IDENTITY_PROVIDER, login, metadata=idp_metadata(entity))
    after = stated(Kind.IDENTITY_PROVIDER, login, metadata=idp_metadata(entity, sso="https://b/"))
    store = apply([stated(Kind.SCHOOL, a_school()), before])
    (changed,) = plan([after], store).documents
    assert [each.path for each in changed.changes] == ["metadata (contents)"]


def test_a_default_that_is_written_out_is_no_change() -> None:
    store = apply(a_federation())
    assert plan([stated(Kind.SCHOOL, a_school(eck_id="optional"))], store).documents == ()


def test_a_changed_agreement_has_a_higher_version() -> None:
    store = apply(a_federation())
    changed = an_agreement(approved=[])
    (problem,) = problems_of([stated(Kind.AGREEMENT, changed)], store)
    assert problem[1] == "version"
    apply([stated(Kind.AGREEMENT, changed | {"version": 2})], store)
    back = stated(Kind.AGREEMENT, an_agreement())
    assert [path for _, path, _ in problems_of([back], store)] == ["version"]


def test_a_version_is_not_used_again_after_its_agreement_went() -> None:
    store = apply(a_federation())
    apply(a_federation()[:3], store, prune=True)
    other = stated(Kind.AGREEMENT, an_agreement(approved=[]))
    assert [path for _, path, _ in problems_of([other], store)] == ["version"]
    assert problems_of([stated(Kind.AGREEMENT, an_agreement())], store) == []


def test_a_supplier_is_pinned_when_it_is_first_applied_and_never_again() -> None:
    store = apply(a_federation(), newest_epoch="a")
    renamed = stated(Kind.SUPPLIER, a_supplier(legal_name="New B.V."))
    apply([renamed], store, newest_epoch="b")
    assert store.pins == {"rekenrijk": "a"}
    assert store.records[SUPPLIER].epoch == "a"
    second = stated(Kind.SUPPLIER, a_supplier(a_client(id="x", client_id="x"), id="second"))
    apply([second], store, newest_epoch="b")
    assert store.pins["second"] == "b"


def test_a_supplier_that_went_and_comes_back_keeps_its_pin() -> None:
    store = apply(a_federation(), newest_epoch="a")
    apply(a_federation()[:2], store, prune=True)
    apply(a_federation(), store, newest_epoch="b")
    assert store.pins == {"rekenrijk": "a"}
    assert store.records[SUPPLIER].epoch == "a"


def test_going_back_is_a_new_version_with_the_old_documents() -> None:
    store = apply(a_federation())
    apply([stated(Kind.AGREEMENT, an_agreement(version=2, approved=[]))], store)
    found = go_back(store, 1)
    assert found.note == "back to version 1"
    assert found.plan.keys(Action.CHANGED) == (AGREEMENT,)
    assert len(store.versions) == 3
    assert store.versions[2] == store.versions[0]


def test_going_back_moves_no_pin() -> None:
    store = apply(a_federation()[:2])
    apply(a_federation(), store, newest_epoch="a")
    go_back(store, 1)
    go_back(store, 2, newest_epoch="b")
    assert store.pins == {"rekenrijk": "a"}


def test_going_back_fetches_nothing_again() -> None:
    login = without(an_oidc_login(), "token_endpoint")
    store = apply(a_federation(login=login), fetch=lambda _: discovery())
    apply([stated(Kind.IDENTITY_PROVIDER, an_oidc_login())], store)
    go_back(store, 1)  # with the network shut
    endpoints = store.records[Kind.IDENTITY_PROVIDER, "vuurvogel"].endpoints
    assert endpoints.token_endpoint == "https://login.vuurvogel.example/found/token"


def test_a_version_that_never_was_is_refused() -> None:
    with pytest.raises(FederationProblems):
        go_back(apply(a_federation()), 2)


def test_a_change_checked_on_another_version_is_refused() -> None:
    store = apply(a_federation())
    late = change([stated(Kind.SCHOOL, a_school(name="Late"))], store)
    apply([stated(Kind.SCHOOL, a_school(name="First"))], store)
    with pytest.raises(RegistryMoved):
        store.write(late, by="tester", at=NOW)


def test_before_the_first_apply_there_is_nothing() -> None:
    nothing = NothingApplied()
    first = check_apply(nothing, a_federation(), prune=True, compiler=a_compiler())
    assert first.base == 0
    assert len(first.put) == 4
    with pytest.raises(RegistryMoved):
        nothing.write(first, by="tester", at=NOW)
    with pytest.raises(FederationProblems):
        check_return(nothing, version=1, compiler=a_compiler())
