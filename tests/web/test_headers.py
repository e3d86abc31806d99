"""Headers of every answer, and what each kind of page may do."""

import pytest
from lxml import html

from broker.web.headers import common_headers, content_policy
from tests.web.broker_site import Browser, Site, fields_of

ALL_KINDS = (
    "/schools", "/nothing", "/oidc/jwks", "/oidc/nothing", "/saml/sp/metadata", "/health/live",
    "/oidc/callback", "/oidc/userinfo",
)  # fmt: skip


def directives(policy: str) -> dict[str, str]:
    return {each.partition(" ")[0]: each.partition(" ")[2] for each in policy.split("; ")}


@pytest.mark.parametrize("path", ALL_KINDS)
def test_every_answer_has_the_common_headers_once(browser: Browser, path: str) -> None:
    headers = browser.get(path).response.headers
    for name, value in common_headers(secure=False):
        assert headers.get_list(name.decode()) == [value.decode()]
    assert len(headers.get_list("content-security-policy")) == 1
    assert len(headers.get_list("cache-control")) == 1
    assert "strict-transport-security" not in headers
    assert "server" not in headers


@pytest.mark.parametrize("path", ALL_KINDS)
def test_nothing_but_the_new_tab_page_may_be_framed(browser: Browser, path: str) -> None:
    assert directives(browser.get(path).policy)["frame-ancestors"] == "'none'"
    framed = browser.get("/schools", headers={"Sec-Fetch-Dest": "iframe"})
    assert "frame-ancestors" not in directives(framed.policy)
    assert "<form" not in framed.response.text


def test_https_is_asked_for_ever(secure_site: Site) -> None:
    answer = secure_site.visit().get("/schools")
    assert "max-age=63072000" in answer.response.headers["strict-transport-security"]


@pytest.mark.parametrize("path", ["/schools", "/nothing", "/oidc/callback", "/oidc/userinfo"])
def test_nothing_personal_is_kept(browser: Browser, path: str) -> None:
    assert browser.get(path).response.headers["cache-control"] == "no-store"


def test_steps_of_a_login_are_not_kept(browser: Browser) -> None:
    begun = browser.begin()
    assert begun.response.headers["cache-control"] == "no-store"
    chooser = browser.get(begun.response.headers["location"])
    assert chooser.response.headers["cache-control"] == "no-store"
    gone = browser.post("/schools", fields_of(chooser) | {"school": "kompas"})
    assert gone.response.headers["cache-control"] == "no-store"


def test_pages_run_no_inline_script_and_load_nothing_foreign(browser: Browser) -> None:
    page = browser.get("/schools")
    allowed = directives(page.policy)
    assert allowed["default-src"] == "'none'"
    assert allowed["base-uri"] == "'none'"
    assert {allowed[f"{each}-src"] for each in ("script", "style", "img", "font", "connect")} == {
        "'self'"
    }
    document = html.fromstring(page.response.content)
    assert document.xpath("//@style | //style | //script[not(@src)]") == []
    assert document.xpath("//@*[starts-with(name(), 'on')]") == []
    assert all(str(each).startswith("/static/") for each in document.xpath("//@src"))


def test_forms_lead_onward_only_where_a_page_has_such_a_form(browser: Browser) -> None:
    assert "https:" in directives(browser.get("/schools").policy)["form-action"]
    assert directives(browser.get("/nothing").policy)["form-action"] == "'self'"
    assert directives(browser.get("/oidc/jwks").policy)["form-action"] == "'none'"


def test_plain_http_is_allowed_onward_on_loopback_alone() -> None:
    secure = directives(content_policy(onward=True, secure=True))["form-action"]
    plain = directives(content_policy(onward=True, secure=False))["form-action"]
    assert secure == "'self' https:"
    assert set(plain.split()) - set(secure.split()) == {
        "http://localhost:*",
        "http://127.0.0.1:*",
    }
