"""The first page says what waits, to who can do it."""

import pytest

from broker.domain.console_roles import HeldRole, PlaceKind, Role
from broker.web.console import waiting
from tests.web.broker_site import Site
from tests.web.console_seats import SCHOOL_ADMIN, seat

SIGNER = HeldRole(Role.SIGNER, PlaceKind.BOARD, "stichting-vuurvogel")
OFFICER = HeldRole(Role.PRIVACY_OFFICER, PlaceKind.SCHOOL, "vuurvogel")


@pytest.mark.parametrize("held", [SCHOOL_ADMIN, SIGNER, OFFICER])
def test_the_first_page_opens_for_who_has_nothing_to_do(site: Site, held: HeldRole) -> None:
    page = seat(site, held).get("/console")
    assert page.status == 200
    assert "What waits for you" not in page.response.text


def test_it_says_what_waits(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def two(*_: object) -> int:
        return 2

    monkeypatch.setattr(waiting, "WAITING", (("Requests to answer", "/console/requests", two),))
    page = seat(site, OFFICER).get("/console").response.text
    assert "What waits for you" in page
    assert "Requests to answer: 2" in page
