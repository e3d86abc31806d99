"""What must hold between documents: parties exist, stand once, and test never meets production."""

from typing import Any

import pytest

from broker.domain.documents import Kind
from broker.flow.federation.links import LINK_CHECKS
from tests.flow.federation_builders import (
    a_client,
    a_federation,
    a_saml_login,
    a_school,
    a_service_provider,
    a_supplier,
    an_agreement,
    an_oidc_login,
    idp_metadata,
    problems_of,
    stated,
    without,
)


def paths_of(*more: Any, **changes: Any) -> list[tuple[str, str]]:
    return [(file, path) for file, path, _ in problems_of(a_federation(more=more, **changes))]


def test_checks_are_counted() -> None:
    assert len(LINK_CHECKS) == 13


def test_a_federation_that_holds_together() -> None:
    assert paths_of() == []


def test_a_login_speaks_for_schools_that_exist() -> None:
    assert paths_of(login=an_oidc_login(schools=["other"])) == [
        ("identity_providers.toml", "schools[0]")
    ]


def test_a_login_and_its_schools_are_in_one_state() -> None:
    assert paths_of(login=an_oidc_login(state="production")) == [
        ("identity_providers.toml", "schools[0]")
    ]


@pytest.mark.parametrize(
    ("agreement", "path"),
    [
        (an_agreement(school="other"), "school"),
        (an_agreement(supplier="other"), "supplier"),
        (without(an_agreement(board="other"), "school"), "board"),
        (without(an_agreement(board="stichting", supplier="other"), "school"), "supplier"),
    ],
)
def test_the_parties_of_an_agreement_exist(agreement: Any, path: str) -> None:
    assert paths_of(agreement=agreement) == [("agreements.toml", path)]


@pytest.mark.parametrize(
    "agreement", [an_agreement(), without(an_agreement(board="stichting"), "school")]
)
def test_test_and_production_never_meet(agreement: Any) -> None:
    supplier = a_supplier(state="production")
    assert paths_of(agreement=agreement, supplier=supplier) == [("agreements.toml", "supplier")]
    assert paths_of(agreement=agreement) == []


def test_a_board_s_agreement_fits_any_of_its_schools() -> None:
    twin = stated(Kind.SCHOOL, a_school(id="twin", state="production"))
    agreement = without(an_agreement(board="stichting"), "school")
    assert paths_of(twin, agreement=agreement, supplier=a_supplier(state="production")) == []


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({}, "brin"),
        ({"branch": "11AA01"}, None),
        ({"brin": "22BB"}, None),
        ({"state": "production"}, None),
    ],
)
def test_a_brin_belongs_to_one_school(changes: Any, path: str | None) -> None:
    second = stated(Kind.SCHOOL, a_school(id="second", **changes))
    assert paths_of(second) == ([] if path is None else [("schools.toml", path)])


def test_a_branch_belongs_to_one_school() -> None:
    second = stated(Kind.SCHOOL, a_school(id="second", branch="11AA01"))
    third = stated(Kind.SCHOOL, a_school(id="third", branch="11AA01"))
    assert paths_of(second, third) == [("schools.toml", "branch")]


def test_an_issuer_belongs_to_one_login() -> None:
    second = stated(Kind.IDENTITY_PROVIDER, an_oidc_login(id="second"))
    other = stated(Kind.IDENTITY_PROVIDER, an_oidc_login(id="o", issuer="https://o.example"))
    assert paths_of(second) == [("identity_providers.toml", "issuer")]
    assert paths_of(other) == []


def test_an_entity_id_belongs_to_one_login() -> None:
    second = stated(Kind.IDENTITY_PROVIDER, a_saml_login(id="second"))
    other = stated(
        Kind.IDENTITY_PROVIDER,
        a_saml_login(
            id="o", entity_id="https://o.example", metadata=idp_metadata("https://o.example")
        ),
    )
    assert paths_of(second, login=a_saml_login()) == [("identity_providers.toml", "entity_id")]
    assert paths_of(other, login=a_saml_login()) == []


@pytest.mark.parametrize(
    ("party", "key"),
    [
        (a_client(client_id="other"), "id"),
        (a_client(id="other"), "client_id"),
        (a_client(id="other", client_id="other"), None),
    ],
)
def test_a_system_stands_once_in_the_federation(party: Any, key: str | None) -> None:
    second = stated(Kind.SUPPLIER, a_supplier(party, id="second"))
    assert paths_of(second) == (
        [] if key is None else [("suppliers.toml", f"relying_party[0].{key}")]
    )
    in_one = a_supplier(a_client(), party)
    assert paths_of(supplier=in_one) == (
        [] if key is None else [("suppliers.toml", f"relying_party[1].{key}")]
    )


def test_an_entity_id_belongs_to_one_system() -> None:
    both = a_supplier(a_service_provider(), a_service_provider(id="second"))
    assert paths_of(supplier=both) == [("suppliers.toml", "relying_party[1].entity_id")]


def test_a_resource_belongs_to_one_supplier() -> None:
    api = {"id": "api", "resource": "https://rekenrijk.example/api"}
    other = {"id": "other", "legal_name": "Other B.V.", "state": "test"}
    second = stated(Kind.SUPPLIER, other | {"api": [api]})
    mine = a_supplier(api=[api])
    assert paths_of(second, supplier=mine) == [("suppliers.toml", "api[0].resource")]
    elsewhere = stated(Kind.SUPPLIER, other | {"api": [api | {"resource": "https://o.example/"}]})
    assert paths_of(elsewhere, supplier=mine) == []


@pytest.mark.parametrize(
    ("state", "named", "holds"),
    [("test", "portal", True), ("test", "porta", False), ("production", "portal", False)],
)
def test_a_portal_speaks_for_systems_that_exist(state: str, named: str, holds: bool) -> None:
    mine = a_supplier(a_client(), a_service_provider(proxies_for=["rekenrijk", named]))
    other = a_supplier(a_client(id="portal", client_id="portal"), id="second", state=state)
    found = paths_of(stated(Kind.SUPPLIER, other), supplier=mine)
    assert found == ([] if holds else [("suppliers.toml", "relying_party[1].proxies_for[1]")])
