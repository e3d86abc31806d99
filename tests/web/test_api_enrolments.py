"""`POST /api/enrolments/{school}`: one list at a time, and only of who is still there."""

from contextlib import ExitStack
from typing import Any

import msgspec
import pytest
from starlette.requests import Request

from broker.domain.ids import SchoolId
from broker.domain.registry import build_registry
from broker.web import api_enrolments
from broker.web.api_bodies import read_api_body
from broker.web.wiring import Web
from tests.web.broker_site import Answer, Browser, Site
from tests.web.test_api_routes import api, bearer, refused

__all__ = ["api"]  # a fixture

SCHOOL = SchoolId("vuurvogel")


def send(browser: Browser, site: Site, body: str = "login;number\nsub-1;17\n") -> Answer:
    headers = {**bearer(browser, site), "content-type": "text/csv"}
    return browser.send("POST", f"/api/enrolments/{SCHOOL}", headers=headers, content=body)


def test_a_list_is_taken_and_another_after_it(api: Browser, site: Site) -> None:
    for expected in ({"new": 1, "unchanged": 0}, {"new": 0, "unchanged": 1}):
        told = send(api, site).response.json()
        assert told["status"] == "in-force"
        assert {name: told[name] for name in expected} == expected


def test_a_school_sends_one_list_at_a_time(api: Browser, site: Site) -> None:
    """Each takes some hundred megabytes while it is worked on."""
    with site.web.lists.one_of(SCHOOL):
        refused(send(api, site), 409, "E-ENROLMENT-4", "check_one_list_at_a_time")
    with site.web.lists.one_of(SchoolId("kompas")):
        assert send(api, site).status == 200


def test_a_school_that_is_refused_may_send_again(api: Browser, site: Site) -> None:
    assert send(api, site, "nonsense").status == 400
    assert send(api, site).status == 200


def test_a_school_that_is_switched_off_while_its_list_arrives_changes_nothing(
    api: Browser, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = site.web.snapshots.registry
    schools = [
        msgspec.structs.replace(each, enabled=each.id != SCHOOL)
        for each in registry.schools.values()
    ]
    without = build_registry(
        registry.version,
        schools=schools,
        idps=registry.idps.values(),
        suppliers=registry.suppliers.values(),
        agreements=(),
    )

    async def while_it_arrives(web: Web, request: Request, **how: Any) -> bytes:
        body = await read_api_body(web, request, **how)
        switched.enter_context(site.having(without))
        return body

    with ExitStack() as switched:
        monkeypatch.setattr(api_enrolments, "read_api_body", while_it_arrives)
        refused(send(api, site), 401, "E-API-2", "check_school_enabled")
    monkeypatch.undo()
