"""Look-ups in one registry version, and days of agreements."""

from datetime import date
from typing import Any

import pytest

from broker.domain.federation import ApiClient, ApiScope
from broker.domain.ids import BoardId, SupplierId
from broker.domain.registry import Registry, build_registry
from tests.domain.federation_records import (
    a_client,
    a_login,
    a_school,
    a_service_provider,
    a_supplier,
    an_agreement,
    oidc_endpoints,
)

SUPPLIER = SupplierId("rekenrijk")


def a_registry(**changes: Any) -> Registry:
    records: dict[str, Any] = {"schools": [], "idps": [], "suppliers": [], "agreements": []}
    return build_registry(7, **records | changes)


def test_systems_are_found_by_id_client_id_and_entity_id() -> None:
    client, provider = a_client(), a_service_provider()
    registry = a_registry(suppliers=[a_supplier(client, provider)])
    assert dict(registry.relying_parties) == {"rekenrijk": client, "taaltuin": provider}
    assert dict(registry.by_client_id) == {"client-rekenrijk": client}
    assert dict(registry.by_sp_entity_id) == {"https://taaltuin.example": provider}
    assert registry.version == 7


def test_programs_are_found_with_their_school() -> None:
    program = ApiClient(id="las", purposes=(ApiScope.ENROLMENT,))
    school = a_school(api_clients=(program,))
    registry = a_registry(schools=[school, a_school("kompas")])
    assert dict(registry.by_api_client) == {"las": (school, program)}


def test_logins_are_found_by_entity_id_and_issuer() -> None:
    saml = a_login("vuurvogel")
    oidc = a_login("kompas", endpoints=oidc_endpoints("https://kompas.example"))
    registry = a_registry(idps=[saml, oidc])
    assert dict(registry.by_idp_entity_id) == {"https://vuurvogel.example/saml": saml}
    assert dict(registry.by_idp_issuer) == {"https://kompas.example": oidc}


def test_a_school_has_its_enabled_logins() -> None:
    first, second, off = (a_login(id=each, enabled=each != "c") for each in "abc")
    registry = a_registry(schools=[a_school()], idps=[first, off, second])
    assert registry.idps_of_school == {"vuurvogel": (first, second)}
    assert registry.schools_of(first) == {"vuurvogel": a_school()}


def test_a_school_s_own_agreement_goes_before_its_board_s() -> None:
    own = an_agreement()
    board = an_agreement(school=None, board="stichting", version=9)
    both = a_registry(agreements=[own, board])
    assert both.agreement(a_school(), SUPPLIER) == own
    assert a_registry(agreements=[board]).agreement(a_school(), SUPPLIER) == board
    elsewhere = a_school(board=BoardId("other"))
    assert a_registry(agreements=[board]).agreement(elsewhere, SUPPLIER) is None
    assert both.agreement(a_school(), SupplierId("taaltuin")) is None


def test_a_hint_may_be_an_id_a_brin_a_realm_or_a_domain() -> None:
    schools = [
        a_school(branch="11AA01"),
        a_school("second", branch="11AA02"),
    ]
    idp = a_login("vuurvogel", "second", scopes=("Realm.nl",), domains={"S.nl": "second"})
    assert a_registry(schools=schools, idps=[idp]).by_hint == {
        "vuurvogel": ("vuurvogel",),
        "second": ("second",),
        "11aa": ("vuurvogel", "second"),
        "11aa01": ("vuurvogel",),
        "11aa02": ("second",),
        "realm.nl": ("vuurvogel", "second"),
        "s.nl": ("second",),
    }


def test_a_snapshot_cannot_be_changed() -> None:
    registry = a_registry(schools=[a_school()])
    with pytest.raises(TypeError):
        registry.schools["x"] = a_school()  # type: ignore[index]


@pytest.mark.parametrize(
    ("today", "in_force"),
    [
        (date(2024, 7, 31), False),
        (date(2024, 8, 1), True),
        (date(2025, 7, 31), True),
        (date(2025, 8, 1), False),
    ],
)
def test_an_agreement_is_in_force_from_its_first_to_its_last_day(
    today: date, *, in_force: bool
) -> None:
    assert an_agreement(last_day=date(2025, 7, 31)).is_in_force(today) is in_force


def test_an_agreement_without_last_day_goes_on() -> None:
    assert an_agreement().is_in_force(date(2100, 1, 1))
