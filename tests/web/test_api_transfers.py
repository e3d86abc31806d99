"""`GET /api/transfers/{school}`: by day, of one's own school alone, and of nobody."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from starlette.requests import Request
from starlette.responses import Response

from broker.domain.dutch_days import day_of
from broker.domain.federation import ApiScope
from broker.flow.persons.arrival_budgets import ArrivalRules
from broker.flow.persons.school_counts import Counted, CountKind
from broker.flow.programs.api_access import ApiCaller, SchoolCaller
from broker.flow.programs.transfer_notices import TransferNotices
from broker.web.api_routes import ApiEndpoint, api_routes
from broker.web.api_transfers import show_transfers
from broker.web.site import build_site
from broker.web.wiring import Web
from tests.web.broker_site import Browser, Site
from tests.web.test_api_routes import bearer, refused, with_program

TRANSFERS = ApiScope.TRANSFERS


async def show_counted(web: Web, request: Request, caller: ApiCaller) -> Response:
    yesterday = day_of(web.clock()) - timedelta(days=1)

    def read(school: str, since: date) -> Counted:
        return {(yesterday, CountKind.LEFT): 2} if school == "vuurvogel" else {}

    counted = replace(web, notices=TransferNotices(read, ArrivalRules()))
    return await show_transfers(counted, request, caller)


@pytest.fixture
def asking(site: Site, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """A school with a program, and a broker that counted two pupils who left it."""
    row = ApiEndpoint("/api/counted/{school}", "GET", TRANSFERS, (SchoolCaller,), show_counted)
    real = ApiEndpoint("/api/transfers/{school}", "GET", TRANSFERS, (SchoolCaller,), show_transfers)
    monkeypatch.setattr(
        "broker.web.site.api_routes", lambda web: api_routes(web, endpoints=(row, real))
    )
    before = site.app.site
    site.app.site = build_site(site.web)
    with site.having(with_program(site.web.snapshots.registry, TRANSFERS)):
        yield browser
    site.app.site = before


def test_a_school_learns_how_many_left_and_not_where_to(asking: Browser, site: Site) -> None:
    shown = bearer(asking, site, "transfers")
    told = asking.get("/api/counted/vuurvogel", headers=shown).response.json()
    today = day_of(site.web.clock())
    assert told == {
        "school": "vuurvogel",
        "day": today.isoformat(),
        "may_come_today": told["may_come_today"],
        "may_come_this_year": told["may_come_this_year"],
        "pupils_this_year": 0,
        "stated_first_this_year": 0,
        "may_state_first_this_year": told["may_state_first_this_year"],
        "protected_this_year": 0,
        "days": [
            {"day": (today - timedelta(days=1)).isoformat(), "came": 0, "left": 2, "waited": 0}
        ],
    }


def test_the_broker_s_own_counts_are_read(asking: Browser, site: Site) -> None:
    answer = asking.get("/api/transfers/vuurvogel", headers=bearer(asking, site, "transfers"))
    assert (answer.status, answer.response.json()["school"]) == (200, "vuurvogel")
    assert answer.response.headers["cache-control"] == "no-store"


def test_another_school_s_are_not_told(asking: Browser, site: Site) -> None:
    answer = asking.get("/api/transfers/kompas", headers=bearer(asking, site, "transfers"))
    refused(answer, 403, "E-API-3", "check_school_of_caller")


def test_without_the_permission_nothing_is_told(asking: Browser, site: Site) -> None:
    with site.having(with_program(site.web.snapshots.registry, ApiScope.ENROLMENT)):
        shown = bearer(asking, site, "enrolment")
        answer = asking.get("/api/transfers/vuurvogel", headers=shown)
        refused(answer, 403, "E-API-3", "check_scope_granted")
    refused(asking.get("/api/transfers/vuurvogel"), 401, "E-API-2", "check_access_token_present")
