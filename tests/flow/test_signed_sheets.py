"""Which school signed which version of a sheet: for the supplier's own people."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from broker.domain.agreements import Agreement, Stopped
from broker.domain.ids import BoardId, SchoolId
from broker.domain.registry import build_registry
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.sheets.sheet_reading import SheetReader
from broker.flow.sheets.signed_sheets import SignedSheetReader, Standing
from tests.builders import a_school, a_supplier
from tests.flow.sheet_desk_builders import (
    BIOSFEER,
    NOBODY,
    NOW,
    REKENRIJK,
    MemorySheets,
    an_actor,
)

TODAY = NOW.date()
DAY = timedelta(days=1)


def an_agreement(school: str | None = "vuurvogel", **changes: Any) -> Agreement:
    stated: dict[str, Any] = {
        "school": None if school is None else SchoolId(school),
        "board": None,
        "supplier": REKENRIJK,
        "version": 1,
        "first_day": date(2024, 8, 1),
        "last_day": None,
        "approved": frozenset(),
        "sheet": 1,
    }
    return Agreement(**(stated | changes))


def a_reader(*agreements: Agreement) -> SignedSheetReader:
    sheets = MemorySheets(agreements=list(agreements))
    registry = build_registry(
        1,
        schools=(a_school(id=SchoolId("vuurvogel"), name="De Vuurvogel"),),
        idps=(),
        suppliers=(a_supplier(id=REKENRIJK), a_supplier(id=BIOSFEER)),
        agreements=(),
    )
    snapshots: Any = SimpleNamespace(registry=registry)
    reader = SheetReader(store=sheets, snapshots=snapshots)
    return SignedSheetReader(sheets, reader, snapshots, lambda: NOW)


async def test_schools_stand_by_name_with_the_version_that_they_read() -> None:
    found = await a_reader(
        an_agreement(sheet=2),
        an_agreement(school=None, board=BoardId("bestuur")),
        an_agreement("gone", sheet=0),
        an_agreement(supplier=BIOSFEER),
    ).read(an_actor(), "rekenrijk")
    assert [(each.signer, each.is_board, each.version) for each in found.signed] == [
        ("bestuur", True, 1),
        ("De Vuurvogel", False, 2),
        ("gone", False, 0),
    ]
    assert found.in_force == {2: 1, 1: 1, 0: 1}


@pytest.mark.parametrize(
    ("changes", "standing"),
    [
        ({}, Standing.IN_FORCE),
        ({"last_day": TODAY}, Standing.IN_FORCE),
        ({"last_day": TODAY - DAY}, Standing.ENDED),
        ({"first_day": TODAY + DAY}, Standing.TO_COME),
        ({"stopped": Stopped(by="school", on=TODAY)}, Standing.STOPPED),
    ],
)
async def test_how_an_agreement_stands_is_told(changes: dict[str, Any], standing: Standing) -> None:
    found = await a_reader(an_agreement(**changes)).read(an_actor(), "rekenrijk")
    assert found.signed[0].standing is standing
    assert found.in_force == ({1: 1} if standing is Standing.IN_FORCE else {})


@pytest.mark.parametrize("actor", [NOBODY, an_actor(place="biosfeer")])
async def test_who_signed_is_nobody_elses_to_know(actor: Any) -> None:
    with pytest.raises(NotAllowed):
        await a_reader(an_agreement()).read(actor, "rekenrijk")
