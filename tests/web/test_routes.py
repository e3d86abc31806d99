"""What the routes answer to honest visitors."""

from dataclasses import replace
from typing import Any

import pytest

from broker.web.begin import MAX_LOGINS_FOR_A_FRAME, MAX_STARTS_A_MINUTE
from broker.web.cookies import MAX_LOGINS_AT_ONCE
from tests.web.broker_site import (
    OIDC_REQUEST,
    REDIRECT_URI,
    Browser,
    Site,
    fields_of,
    query_of,
)


def test_a_request_leads_to_the_chooser_and_from_there_to_the_school(browser: Browser) -> None:
    begun = browser.begin()
    assert begun.status == 303
    assert begun.response.headers["location"].startswith("/schools?login=")
    chooser = browser.get(begun.response.headers["location"])
    assert chooser.status == 200
    assert "RekenRijk" in chooser.response.text
    gone = browser.post("/schools", fields_of(chooser) | {"school": "kompas"})
    assert gone.status == 303
    assert gone.response.headers["location"].startswith("http://localhost:1011/")
    assert browser.cookies["school"] == "kompas"


def test_a_request_by_post_is_one_too(browser: Browser) -> None:
    begun = browser.post("/oidc/authorize", OIDC_REQUEST)
    assert begun.response.headers["location"].startswith("/schools?login=")


def test_a_hint_skips_the_chooser(browser: Browser) -> None:
    begun = browser.begin(idp_hint="kompas")
    assert begun.response.headers["location"].startswith("http://localhost:1011/")


def test_what_the_supplier_must_know_goes_back_to_it(browser: Browser) -> None:
    answer = browser.begin(prompt="none")
    assert query_of(answer)["error"] == "login_required"
    assert query_of(answer)["state"] == OIDC_REQUEST["state"]
    assert answer.refused == ["check_school_known_when_passive"]
    assert answer.lines[0]["relying_party"] == "rekenrijk"


def test_a_refused_request_names_its_relying_party_in_the_audit(browser: Browser) -> None:
    answer = browser.begin(response_type="token")
    assert answer.response.headers["location"].startswith(f"{REDIRECT_URI}?error=")
    (refused,) = [each for each in answer.lines if each["event"] == "refused"]
    assert refused["relying_party"] == "rekenrijk"


def test_published_documents_may_be_kept_and_read_by_scripts(browser: Browser) -> None:
    for path in ("/.well-known/openid-configuration", "/oidc/jwks"):
        answer = browser.get(path)
        assert answer.status == 200
        assert answer.response.headers["cache-control"] == "public, max-age=300"
        assert answer.response.headers["access-control-allow-origin"] == "*"
        assert answer.response.json()
    assert browser.get("/oidc/jwks").response.json()["keys"]


@pytest.mark.parametrize("path", ["/saml/idp/metadata", "/saml/sp/metadata"])
def test_metadata_is_served_as_such_and_stays_the_same(browser: Browser, path: str) -> None:
    first, second = browser.get(path), browser.get(path)
    assert first.response.headers["content-type"] == "application/samlmetadata+xml"
    assert first.response.content == second.response.content


def test_health_says_what_is_not_well(
    site: Site, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert browser.get("/health/live").response.json() == {"status": "live"}
    assert browser.get("/health/ready").response.json() == {"status": "ready", "failing": []}
    monkeypatch.setattr(site.web.snapshots, "_refused", "unreadable")
    broken = browser.get("/health/ready")
    assert broken.status == 503
    assert broken.response.json() == {"status": "failing", "failing": ["registry"]}


def test_a_static_file_is_kept_for_good_and_another_name_is_not_there(
    site: Site, browser: Browser
) -> None:
    path = site.web.pages.assets.url("schuilnaam.css")
    assert "immutable" in browser.get(path).response.headers["cache-control"]
    assert browser.get("/static/schuilnaam.css").status == 404
    assert browser.get("/static/..%2f..%2fapp.py").status == 404


def test_the_school_that_is_logged_in_to_decides_where_a_login_goes(browser: Browser) -> None:
    chooser = browser.choose()
    by_saml = browser.post("/schools", fields_of(chooser) | {"school": "vuurvogel"})
    assert by_saml.response.headers.get("location", "").startswith("http://localhost:1010/")


def test_a_choice_without_a_school_shows_the_chooser_again(browser: Browser) -> None:
    fields = fields_of(browser.choose())
    again = browser.post("/schools", fields)
    assert again.response.headers["location"] == f"/schools?login={fields['login']}"


def test_a_school_that_is_not_there_is_refused_with_another_try(browser: Browser) -> None:
    refused = browser.post("/schools", fields_of(browser.choose()) | {"school": "nowhere"})
    assert refused.refused == ["check_school_known"]
    assert "school" not in browser.cookies
    retry = fields_of(refused)
    assert browser.post("/schools", retry | {"school": "kompas"}).status == 303


def test_a_school_without_login_is_refused_and_not_remembered(site: Site, browser: Browser) -> None:
    fields = fields_of(browser.choose())
    registry = site.web.snapshots.registry
    with site.having(replace(registry, idps_of_school={})):
        refused = browser.post("/schools", fields | {"school": "kompas"})
    assert refused.refused == ["check_school_has_login"]
    assert "school" not in browser.cookies


def test_a_browser_that_goes_in_circles_is_stopped(site: Site, browser: Browser) -> None:
    for _ in range(MAX_STARTS_A_MINUTE):
        assert browser.begin().status == 303
    stopped = browser.begin()
    assert stopped.status == 429
    assert stopped.refused == ["check_starts_a_minute"]
    assert site.visit().begin().status == 303


@pytest.mark.parametrize("path", ["/oidc/end-session", "/logout"])
def test_logouts_that_go_in_circles_are_stopped_apart(
    site: Site, browser: Browser, path: str
) -> None:
    """Each that begins leaves a record for a while; who goes round in logins can log out."""
    for _ in range(MAX_STARTS_A_MINUTE):
        assert browser.begin(response_type="token").status == 303
        assert browser.get(path).status == 303
    stopped = browser.get(path)
    assert (stopped.status, stopped.refused) == (429, ["check_ends_a_minute"])
    assert browser.begin().refused == ["check_starts_a_minute"]
    begun = site.visit()
    shown = begun.get(begun.get(path).response.headers["location"])
    assert shown.status == 200


def test_circles_of_refused_requests_are_counted_too(browser: Browser) -> None:
    for _ in range(MAX_STARTS_A_MINUTE):
        assert browser.begin(response_type="token").status == 303
    assert browser.begin(response_type="token").status == 429


def test_many_tabs_leave_few_cookies(browser: Browser) -> None:
    for _ in range(MAX_STARTS_A_MINUTE):
        browser.begin()
    held = [name for name in browser.cookies if name.startswith("login.")]
    assert 12 <= len(held) <= 13


def test_three_logins_in_one_browser_go_on_in_any_order(browser: Browser) -> None:
    pages = [browser.choose() for _ in range(3)]
    for page in reversed(pages):
        assert browser.post("/schools", fields_of(page) | {"school": "kompas"}).status == 303


def test_the_back_button_shows_the_chooser_again(browser: Browser) -> None:
    address = browser.begin().response.headers["location"]
    fields = fields_of(browser.get(address))
    browser.post("/schools", fields | {"school": "kompas"})
    assert browser.get(address).status == 200


class TestFrames:
    @pytest.mark.parametrize("kind", ["iframe", "frame", "embed", "object", "fencedframe"])
    @pytest.mark.parametrize("path", ["/oidc/authorize", "/saml/idp/sso", "/schools"])
    def test_no_login_begins_in_a_frame(self, browser: Browser, kind: str, path: str) -> None:
        answer = browser.get(f"{path}?a=b%26c&d=%22", headers={"Sec-Fetch-Dest": kind})
        assert answer.status == 200
        assert 'target="_blank"' in answer.response.text
        assert f'href="{path}?a=b%26c&amp;d=%22"' in answer.response.text
        assert "set-cookie" not in answer.response.headers

    def test_a_request_for_no_page_is_answered_in_a_frame(self, browser: Browser) -> None:
        answer = browser.send(
            "GET",
            "/oidc/authorize",
            params=OIDC_REQUEST | {"prompt": "none"},
            headers={"Sec-Fetch-Dest": "iframe"},
        )
        assert answer.status == 303
        assert "error=login_required" in answer.response.headers["location"]

    def test_frames_push_out_no_login(self, browser: Browser) -> None:
        chooser = browser.choose()
        silent = OIDC_REQUEST | {"prompt": "none", "idp_hint": "kompas"}
        answers = [
            browser.get("/oidc/authorize", params=silent, headers={"Sec-Fetch-Dest": "iframe"})
            for _ in range(MAX_LOGINS_AT_ONCE + 1)
        ]
        let = MAX_LOGINS_FOR_A_FRAME - 1
        assert [each.status for each in answers[:let]] == [303] * let
        assert {tuple(each.refused) for each in answers[let:]} == {("check_room_for_frame",)}
        assert all("set-cookie" not in each.response.headers for each in answers[let:])
        gone_on = browser.post("/schools", fields_of(chooser) | {"school": "kompas"})
        assert gone_on.status == 303

    def test_in_a_tab_it_does(self, browser: Browser) -> None:
        answer = browser.send(
            "GET", "/oidc/authorize", params=OIDC_REQUEST, headers={"Sec-Fetch-Dest": "document"}
        )
        assert answer.status == 303


class TestWhatIsNoNavigation:
    @pytest.mark.parametrize("kind", ["image", "script", "style", "empty", "worker", "", "new"])
    @pytest.mark.parametrize("method", ["GET", "POST"])
    @pytest.mark.parametrize("path", ["/oidc/authorize", "/saml/idp/sso"])
    def test_it_begins_nothing(self, browser: Browser, kind: str, method: str, path: str) -> None:
        how = {"GET": "params", "POST": "data"}[method]
        answer = browser.send(method, path, headers={"Sec-Fetch-Dest": kind}, **{how: OIDC_REQUEST})
        assert answer.status == 403
        assert "E-HTTP-7" in answer.response.text
        assert answer.refused == ["check_destination"]
        assert "set-cookie" not in answer.response.headers

    @pytest.mark.parametrize("prompt", ["none", "login"])
    def test_not_without_a_page_either(self, browser: Browser, prompt: str) -> None:
        browser._client.headers["Sec-Fetch-Dest"] = "image"
        assert browser.begin(prompt=prompt, idp_hint="kompas").refused == ["check_destination"]

    def test_pictures_leave_a_login_that_is_under_way(self, browser: Browser) -> None:
        chooser = browser.choose()
        for _ in range(MAX_STARTS_A_MINUTE + 1):
            browser.get("/oidc/authorize", params=OIDC_REQUEST, headers={"Sec-Fetch-Dest": "image"})
        gone_on = browser.post("/schools", fields_of(chooser) | {"school": "kompas"})
        assert gone_on.status == 303
        assert browser.begin().status == 303

    @pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Dest": "document"}])
    def test_a_tab_and_a_browser_that_says_nothing_go_on(
        self, browser: Browser, headers: dict[str, str]
    ) -> None:
        answer = browser.get("/oidc/authorize", params=OIDC_REQUEST, headers=headers)
        assert answer.response.headers["location"].startswith("/schools?login=")
        by_saml = browser.get("/saml/idp/sso?SAMLRequest=x", headers=headers)
        assert by_saml.refused
        assert by_saml.refused != ["check_destination"]


class TestErrorsForPeopleAndMachines:
    @pytest.mark.parametrize(
        ("path", "status", "told"),
        [
            ("/oidc/nothing", 404, "not_found"),
            ("/.well-known/nothing", 404, "not_found"),
            ("/oidc/token", 405, "method_not_allowed"),
            ("/oidc/token/", 404, "not_found"),
        ],
    )
    def test_machines_get_json(self, browser: Browser, path: str, status: int, told: str) -> None:
        answer = browser.get(path)
        assert answer.status == status
        assert answer.response.json() == {"error": told}
        assert answer.refused == []

    @pytest.mark.parametrize("path", ["/", "/nothing", "/schools/", "/oidc", "/SCHOOLS"])
    def test_people_get_a_page(self, browser: Browser, path: str) -> None:
        answer = browser.get(path)
        assert answer.status == 404
        assert answer.response.headers["content-type"] == "text/html; charset=utf-8"

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("PUT", "/schools", "GET, HEAD, POST"),
            ("GET", "/schools/forget", "POST"),
            ("POST", "/oidc/callback", "GET"),
            ("HEAD", "/oidc/callback", "GET"),
            ("HEAD", "/oidc/authorize", "GET, POST"),
            ("HEAD", "/saml/idp/sso", "GET, POST"),
            ("GET", "/saml/sp/acs", "POST"),
            ("OPTIONS", "/oidc/introspect", "POST"),
            ("TRACE", "/oidc/userinfo", "GET, HEAD, OPTIONS, POST"),
            ("BREW", "/login/continue", "POST"),
        ],
    )
    def test_another_method_says_which_there_are(
        self, browser: Browser, method: str, path: str, allowed: str
    ) -> None:
        answer = browser.send(method, path)
        assert answer.status == 405
        assert sorted(answer.response.headers["allow"].split(", ")) == allowed.split(", ")
        assert "set-cookie" not in answer.response.headers

    def test_head_is_answered_where_a_get_changes_nothing(self, browser: Browser) -> None:
        for path in ("/schools", "/oidc/jwks", "/saml/sp/metadata", "/health/live"):
            assert browser.send("HEAD", path).status == 200

    def test_token_and_userinfo_refuse_in_the_words_of_oauth(self, browser: Browser) -> None:
        token = browser.post("/oidc/token", {"grant_type": "authorization_code", "code": "x"})
        assert token.status == 401
        assert token.response.json() == {
            "error": "invalid_client",
            "error_description": "E-OIDC-14",
        }
        assert token.response.headers["www-authenticate"].startswith("Basic ")
        assert token.response.headers["cache-control"] == "no-store"
        assert len(token.refused) == 1
        userinfo = browser.get("/oidc/userinfo", headers={"Authorization": "Bearer abc"})
        assert userinfo.status == 401
        assert userinfo.response.headers["www-authenticate"] == 'Bearer error="invalid_token"'

    def test_userinfo_reads_a_form_only_when_there_is_one(self, browser: Browser) -> None:
        assert browser.send("POST", "/oidc/userinfo").refused == ["check_access_token_present"]
        shown = browser.post("/oidc/userinfo", {"access_token": "A" * 43})
        assert shown.refused == ["check_access_token_known"]


class TestFaultsOfOurs:
    @pytest.fixture
    def broken(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> Any:
        async def fail(*_: object, **__: object) -> None:
            raise RuntimeError("sanne@vuurvogel.example")

        monkeypatch.setattr(site.web.login, "begin", fail)
        monkeypatch.setattr(site.web.token, "redeem", fail)

    def test_people_get_a_page_with_a_reference(self, browser: Browser, broken: None) -> None:
        answer = browser.begin()
        assert answer.status == 500
        assert "E-HTTP-5" in answer.response.text
        assert answer.refused == ["RuntimeError"]

    def test_machines_get_json(self, browser: Browser, broken: None) -> None:
        answer = browser.post("/oidc/token", {"code": "x"})
        assert answer.status == 500
        assert answer.response.json()["error"] == "server_error"

    def test_the_log_names_the_place_and_not_what_was_said(
        self, browser: Browser, broken: None
    ) -> None:
        answer = browser.begin()
        (fault,) = [each for each in answer.lines if each["event"] == "unexpected"]
        assert fault["kind"] == "RuntimeError"
        assert fault["place"].startswith("tests.web.test_routes.fail:")
        assert "sanne" not in repr(answer.lines) + answer.response.text

    def test_when_not_even_the_page_can_be_made_nothing_is_raised(
        self, site: Site, browser: Browser, broken: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> bytes:
            raise KeyError("template")

        monkeypatch.setattr(site.web.pages, "render", fail)
        answer = browser.begin()
        assert answer.status == 500
        assert answer.response.content == b"E-HTTP-5"
        assert [each["kind"] for each in answer.lines if each["event"] == "unexpected"] == [
            "RuntimeError",
            "KeyError",
        ]
