"""One parameter in two places or twice: no two readers may see different requests."""

from urllib.parse import urlencode

import pytest

from tests.web.broker_site import (
    FORM_TYPE,
    OIDC_REQUEST,
    REDIRECT_URI,
    Browser,
    fields_of,
    query_of,
)

OF_THE_ANSWER = {"client_id", "redirect_uri", "state"}
"""Said twice, nobody knows where an answer would go, or whose it is."""

AS_FORM = {"Content-Type": FORM_TYPE}


@pytest.mark.parametrize("name", OIDC_REQUEST)
@pytest.mark.parametrize("value", ["the same", "another"])
def test_a_request_that_says_something_twice(browser: Browser, name: str, value: str) -> None:
    said = OIDC_REQUEST[name] if value == "the same" else "https://evil.example/"
    twice = urlencode([*OIDC_REQUEST.items(), (name, said)])
    for answer in (
        browser.get(f"/oidc/authorize?{twice}"),
        browser.send("POST", "/oidc/authorize", content=twice, headers=AS_FORM),
    ):
        if name in OF_THE_ANSWER:
            assert answer.status == 400
            assert answer.refused == ["check_parameter_once"]
        else:
            assert answer.refused == ["check_nothing_twice"]
            assert answer.response.headers["location"].startswith(f"{REDIRECT_URI}?error=")
            assert query_of(answer)["error"] == "invalid_request"
            assert query_of(answer)["state"] == OIDC_REQUEST["state"]


@pytest.mark.parametrize("name", OIDC_REQUEST)
def test_a_request_in_query_and_form_at_once(browser: Browser, name: str) -> None:
    answer = browser.post(f"/oidc/authorize?{name}=x", OIDC_REQUEST)
    assert answer.refused == ["check_parameter_in_one_place"]
    apart = browser.post("/oidc/authorize?utm_source=x", OIDC_REQUEST)
    assert apart.status == 303
    assert apart.refused == []


def test_half_a_request_in_the_query_of_a_post_is_not_read(browser: Browser) -> None:
    rest = dict(OIDC_REQUEST)
    client = rest.pop("client_id")
    assert browser.post(f"/oidc/authorize?client_id={client}", rest).status == 400


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/oidc/token", {"grant_type": "authorization_code", "code": "x"}),
        ("/oidc/userinfo", {"access_token": "x"}),
        ("/saml/sp/acs", {"SAMLResponse": "x", "RelayState": "y"}),
        ("/saml/idp/sso", {"SAMLRequest": "x", "RelayState": "y"}),
        ("/schools", {"login": "x", "school": "kompas"}),
        ("/schools/forget", {"login": "x", "csrf": "y"}),
        ("/login/continue", {"login": "x", "csrf": "y"}),
        ("/login/not-me", {"login": "x", "csrf": "y"}),
    ],
)
def test_every_other_form(browser: Browser, path: str, form: dict[str, str]) -> None:
    for name, value in form.items():
        in_both = browser.post(f"{path}?{urlencode({name: value})}", form)
        assert in_both.refused == ["check_parameter_in_one_place"]
        twice = urlencode([*form.items(), (name, "z")])
        answer = browser.send("POST", path, content=twice, headers=AS_FORM)
        assert 400 <= answer.status < 500
        assert len(answer.refused) == 1


@pytest.mark.parametrize("name", ["login", "q"])
def test_the_chooser(browser: Browser, name: str) -> None:
    assert browser.get(f"/schools?{name}=a&{name}=a").refused == ["check_parameter_once"]


def test_a_state_that_comes_back_twice(browser: Browser) -> None:
    state = browser.go_to_school("kompas")
    twice = browser.get(f"/oidc/callback?code=c&state={state}&state={state}")
    assert twice.refused == ["check_parameter_once"]
    mixed = browser.get(f"/oidc/callback?code=c&code=d&state={state}")
    assert mixed.refused == ["check_parameters_once"]


def test_two_proofs_of_who_calls(browser: Browser) -> None:
    headers = [("Authorization", "Basic YTpi"), ("Authorization", "Basic Yzpk")]
    answer = browser.post("/oidc/token", {"code": "x"}, headers=headers)
    assert answer.refused == ["check_authorization_once"]


def test_a_separator_that_only_some_readers_know(browser: Browser) -> None:
    fields = fields_of(browser.choose())
    body = urlencode(fields) + ";school=kompas"
    answer = browser.send("POST", "/schools", content=body, headers=AS_FORM)
    assert answer.refused == ["check_csrf_token"]
