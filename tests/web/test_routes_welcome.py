"""The page between school and supplier, over HTTP: its two buttons, where devices are shared.

What the school answered is put in place of the reading of it; everything else is the broker.
"""

from typing import Any

import pytest

from broker.domain.ids import SchoolId
from broker.flow.at_school import SchoolAnswer
from broker.flow.school_side import SchoolSide
from tests.builders import a_verified_login
from tests.web.broker_site import (
    OIDC_REQUEST,
    REDIRECT_URI,
    Answer,
    Browser,
    Site,
    fields_of,
    query_of,
)


@pytest.fixture
def welcome(site: Site, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Log in at De Vuurvogel; the page that asks who this is."""
    school = site.web.snapshots.registry.schools[SchoolId("vuurvogel")]
    assert school.shared_devices

    def read(_self: object, _pending: object, idp: Any, *, form: object) -> SchoolAnswer:
        login = a_verified_login(idp=idp, nlEduPersonHomeOrganizationId=school.brin, eckId=None)
        return SchoolAnswer(login)

    monkeypatch.setattr(SchoolSide, "read_saml", read)
    browser.post("/schools", fields_of(browser.choose()) | {"school": "vuurvogel"})
    state = [each for each in browser.cookies if each.startswith("login.")][-1]
    form = {"SAMLResponse": "PHg+", "RelayState": state.removeprefix("login.")}
    page = browser.post("/saml/sp/acs", form)
    assert page.refused == []
    return page


def test_go_on_leads_to_the_supplier_with_a_code(browser: Browser, welcome: Answer) -> None:
    fields = fields_of(welcome, "/login/continue")
    gone_on = browser.post("/login/continue", fields)
    assert gone_on.status == 303
    assert gone_on.response.headers["location"].startswith(f"{REDIRECT_URI}?")
    assert query_of(gone_on)["code"]
    assert query_of(gone_on)["state"] == OIDC_REQUEST["state"]
    assert f"login.{fields['login']}" not in browser.cookies
    assert browser.post("/login/continue", fields).refused == ["check_browser_binding"]


def test_that_is_not_me_leads_back_to_the_school(browser: Browser, welcome: Answer) -> None:
    fields = fields_of(welcome, "/login/not-me")
    again = browser.post("/login/not-me", fields)
    assert again.status in {200, 303}
    assert again.refused == []
    assert "localhost:1010" in again.response.headers.get("location", again.response.text)
    assert f"login.{fields['login']}" not in browser.cookies
    assert browser.post("/login/continue", fields).refused == ["check_browser_binding"]


@pytest.mark.parametrize("path", ["/login/continue", "/login/not-me"])
def test_a_button_of_another_page_does_nothing(
    browser: Browser, welcome: Answer, path: str
) -> None:
    fields = fields_of(welcome, path)
    assert browser.post(path, fields | {"csrf": "0" * 32}).refused == ["check_csrf_token"]
    assert browser.post(path, fields).refused == []
