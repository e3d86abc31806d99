"""Whatever a visitor puts into an address, form, cookie or header, it is text and not our page."""

import pytest
from lxml import html

from tests.web.broker_site import OIDC_REQUEST, Answer, Browser, fields_of

MARKUP = ['<script>alert("x")</script>', '"><img src=x onerror=alert(1)>', "'; alert(1); //{{7*7}}"]
MARK = "zzmarkzz"
"""Stands in each value that is sent, so that it is found wherever it comes back."""


def check_page(answer: Answer) -> None:
    """Hold that the page has only scripts of ours and no text of the visitor's in its markup."""
    if not answer.response.headers.get("content-type", "").startswith("text/html"):
        assert MARK not in answer.response.text
        return
    page = html.fromstring(answer.response.content)
    assert page.xpath("//img | //script[not(starts-with(@src, '/static/'))] | //iframe") == []
    assert page.xpath("//@*[starts-with(name(), 'on')]") == []
    assert not any("javascript:" in str(each).lower() for each in page.xpath("//@href | //@action"))
    assert "{{" not in answer.response.text or "49" not in page.text_content()


@pytest.mark.parametrize("markup", MARKUP)
@pytest.mark.parametrize(
    "path", ["/schools", "/oidc/authorize", "/oidc/callback", "/saml/idp/sso", "/oidc/userinfo"]
)
def test_every_parameter(browser: Browser, path: str, markup: str) -> None:
    for name in (*OIDC_REQUEST, "q", "login", "lang", "school", "error", "error_description",
                 "SAMLRequest", "RelayState", "SigAlg", "Signature", "code", markup):  # fmt: skip
        check_page(browser.get(path, params={name: MARK + markup}))


@pytest.mark.parametrize("markup", MARKUP)
def test_every_form(browser: Browser, markup: str) -> None:
    value = MARK + markup
    for path in ("/oidc/authorize", "/saml/idp/sso", "/saml/sp/acs", "/oidc/token", "/schools",
                 "/schools/forget", "/login/continue", "/login/not-me"):  # fmt: skip
        for name in (*OIDC_REQUEST, "login", "school", "csrf", "SAMLResponse", "RelayState"):
            check_page(browser.post(path, {name: value}))


@pytest.mark.parametrize("markup", MARKUP)
def test_headers_cookies_and_paths(browser: Browser, markup: str) -> None:
    value = MARK + markup.replace(";", "")
    named = ("Host", "Referer", "User-Agent", "Accept-Language", "X-Forwarded-For")
    headers = dict.fromkeys(named, value)
    cookies = "; ".join(f"{name}={value}" for name in ("school", "lang", "form", "starts"))
    for path in ("/schools", f"/{value}", f"/static/{value}", f"/oidc/{value}"):
        answer = browser.get(path, headers={**headers, "Cookie": cookies})
        check_page(answer)
        assert MARK not in answer.response.text


@pytest.mark.parametrize("markup", MARKUP)
def test_what_a_school_answers(browser: Browser, markup: str) -> None:
    state = browser.go_to_school("kompas")
    query = {"state": state, "error": MARK + markup, "error_description": MARK + markup}
    answer = browser.get("/oidc/callback", params=query)
    check_page(answer)
    assert MARK not in answer.response.text


@pytest.mark.parametrize("markup", MARKUP)
def test_a_suppliers_state_goes_back_as_one_value(browser: Browser, markup: str) -> None:
    told = browser.begin(state=markup + "&error=none#x", response_type="token")
    assert told.response.headers["location"].count("error=") == 1
    assert "<" not in told.response.headers["location"]


@pytest.mark.parametrize("school", ["<b>", "\x00", "\u202egnp", "a" * 5000, "kompas\x00"])
def test_a_school_that_is_a_strange_text(browser: Browser, school: str) -> None:
    answer = browser.post("/schools", fields_of(browser.choose()) | {"school": school})
    assert answer.refused == ["check_school_known"]
    check_page(answer)
