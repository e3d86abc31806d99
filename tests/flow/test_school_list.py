"""A supplier sees the schools that have an agreement with it, how they stand, and no others."""

from datetime import date
from typing import Any

import msgspec
import pytest

from broker.domain.agreements import Agreement
from broker.domain.federation import State
from broker.domain.ids import BoardId, Brin, SchoolId, SchoolIdpId, SupplierId
from broker.domain.registry import build_registry
from broker.flow.programs.school_list import ListedSchool, SchoolStatus, list_schools
from tests.builders import a_school, a_school_idp, a_supplier, an_agreement

TODAY = date(2026, 9, 1)
LINDE = SchoolId("de-linde")


def listed(
    *agreements: Agreement,
    school: dict[str, Any] | None = None,
    idps: bool = True,
    supplier: dict[str, Any] | None = None,
) -> tuple[ListedSchool, ...]:
    other = a_supplier(id=SupplierId("taaltuin"), relying_parties=())
    asking = a_supplier(**(supplier or {}))
    registry = build_registry(
        1,
        schools=[
            a_school(id=LINDE, name="De Linde", brin=Brin("44DD")),
            a_school(**(school or {})),
        ],
        idps=[a_school_idp(schools=(LINDE,), id=SchoolIdpId("linde"))]
        + ([a_school_idp()] if idps else []),
        suppliers=[asking, other],
        agreements=agreements,
    )
    return list_schools(registry, asking, today=TODAY)


def test_a_school_with_an_agreement_is_told_with_what_it_approved() -> None:
    (found,) = listed(an_agreement(last_day=date(2027, 7, 31)))
    assert msgspec.json.decode(msgspec.json.encode(found)) == {
        "school": "vuurvogel",
        "name": "De Vuurvogel",
        "place": "Utrecht",
        "brin": "11AA",
        "sector": "po",
        "state": "test",
        "status": "open",
        "agreement": {
            "version": 1,
            "by": "school",
            "from": "2025-08-01",
            "until": "2027-07-31",
            "approved": ["givenName"],
        },
    }


def test_without_an_agreement_with_this_supplier_nothing_is_told() -> None:
    assert listed() == ()
    assert listed(an_agreement(supplier=SupplierId("taaltuin"))) == ()
    assert listed(an_agreement(), supplier={"state": State.PRODUCTION}) == ()


def test_a_board_agrees_for_each_of_its_schools_and_a_school_goes_before_it() -> None:
    board = an_agreement(school=None, board=BoardId("stichting-vuurvogel"), version=7)
    both = listed(board)
    assert [(each.school, each.agreement.by) for each in both] == [
        ("de-linde", "board"),
        ("vuurvogel", "board"),
    ]
    assert [each.agreement.version for each in listed(board, an_agreement(version=2))] == [7, 2]


@pytest.mark.parametrize(
    ("agreement", "how", "status"),
    [
        ({"first_day": date(2026, 9, 2)}, {}, SchoolStatus.BEGINS_LATER),
        ({"first_day": TODAY, "last_day": TODAY}, {}, SchoolStatus.OPEN),
        ({"last_day": date(2026, 8, 31)}, {}, SchoolStatus.ENDED),
        ({}, {"school": {"enabled": False}}, SchoolStatus.CLOSED),
        ({}, {"idps": False}, SchoolStatus.CLOSED),
    ],
)
def test_the_status_says_what_comes_of_a_login(
    agreement: dict[str, Any], how: dict[str, Any], status: SchoolStatus
) -> None:
    (found,) = listed(an_agreement(**agreement), **how)
    assert found.status is status
