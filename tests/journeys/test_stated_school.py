"""The school that a login states decides what is released, never the one that was clicked."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from broker.demo.addresses import Party
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.servers

Browsers = Callable[[], Visitor]
REGENBOOG_BRIN = "33CC"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world in which the login of De Vuurvogel also serves De Regenboog."""
    serves = {
        "vuurvogel": ("vuurvogel", "regenboog"),
        "kompas": ("kompas",),
        "regenboog": ("regenboog",),
    }
    async with open_world(serves=serves) as opened:
        yield opened


async def test_the_stated_schools_agreement_counts(browsers: Browsers) -> None:
    of_vuurvogel = await browsers().log_in(Party.REKENRIJK, "vuurvogel", "sanne")
    of_regenboog = await browsers().log_in(
        Party.REKENRIJK, "vuurvogel", "sanne", scenario="other-school"
    )
    assert of_vuurvogel["claims"]["given_name"] == "Sanne"
    assert "given_name" not in of_regenboog["claims"]
    assert of_vuurvogel["subject"] == of_regenboog["subject"]


async def test_the_page_names_the_school_that_was_stated(visitor: Visitor) -> None:
    await visitor.open_material(Party.TAALTUIN)
    await visitor.choose("vuurvogel")
    await visitor.log_in_at_school("sanne", nlEduPersonHomeOrganizationId=REGENBOOG_BRIN)
    assert "De Regenboog" in visitor.text
    assert "De Vuurvogel" not in visitor.text


async def test_a_login_that_names_no_school_of_several_is_refused(visitor: Visitor) -> None:
    await visitor.try_to_log_in(
        Party.REKENRIJK, "vuurvogel", "sanne", nlEduPersonHomeOrganizationId=""
    )
    assert "E-IDENTITY-1" in visitor.text
    assert "error" in await visitor.received(Party.REKENRIJK)


async def test_a_login_that_names_a_school_it_does_not_serve_is_refused(visitor: Visitor) -> None:
    await visitor.try_to_log_in(
        Party.REKENRIJK, "vuurvogel", "sanne", nlEduPersonHomeOrganizationId="22BB"
    )
    assert "E-IDENTITY-2" in visitor.text
    assert "error" in await visitor.received(Party.REKENRIJK)


async def test_one_number_at_two_schools_of_one_login_is_two_persons(browsers: Browsers) -> None:
    here = await browsers().log_in(Party.TAALTUIN, "vuurvogel", "daan")
    there = await browsers().log_in(
        Party.TAALTUIN, "vuurvogel", "daan", nlEduPersonHomeOrganizationId=REGENBOOG_BRIN
    )
    assert here["subject"] != there["subject"]
