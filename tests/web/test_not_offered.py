"""What we do not offer has its registered error, and discovery does not name it."""

from typing import Any

import pytest

from tests import builders_oidc as oidc
from tests.web.broker_site import OIDC_REQUEST, REDIRECT_URI, Browser, Site, query_of
from tests.web.test_api_schools import CLIENT, KEY, with_key

TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"
GRANTS: dict[str, dict[str, str]] = {
    "password": {"username": "sanne", "password": "x"},
    "urn:ietf:params:oauth:grant-type:token-exchange": {
        "subject_token": "x",
        "subject_token_type": TOKEN_TYPE,
        "resource": "https://biosfeer.example/api",
    },
    "urn:ietf:params:oauth:grant-type:device_code": {"device_code": "x"},
    "urn:openid:params:grant-type:ciba": {"auth_req_id": "x"},
    "urn:ietf:params:oauth:grant-type:jwt-bearer": {"assertion": "x"},
    "urn:ietf:params:oauth:grant-type:saml2-bearer": {"assertion": "x"},
    "implicit": {},
}
"""Each with what its request holds (RFC 6749 4.3, RFC 8693, RFC 8628, CIBA, RFC 7523, RFC 7522)."""

ENDPOINTS = (
    "/oidc/register",
    "/oidc/device_authorization",
    "/oidc/bc-authorize",
    "/oidc/check-session",
)
JWE = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.a.b.c.d"


def proof(site: Site) -> dict[str, str]:
    seconds = int(site.web.clock().timestamp())
    claims = {"iss": CLIENT, "sub": CLIENT, "aud": site.issuer, "iat": seconds}
    claims |= {"exp": seconds + 60, "jti": site.web.random(8).hex()}
    return dict(oidc.assertion_form(oidc.an_assertion(key=KEY, **claims)))


@pytest.mark.parametrize("grant", GRANTS)
def test_a_grant_that_we_do_not_have(site: Site, browser: Browser, grant: str) -> None:
    with site.having(with_key(site.web.snapshots.registry)):
        form = {"grant_type": grant, **GRANTS[grant], **proof(site)}
        answer = browser.post("/oidc/token", form)
        ours = {"grant_type": "authorization_code", "code": "x", "redirect_uri": REDIRECT_URI}
        twin = browser.post("/oidc/token", {**ours, **proof(site)})
    assert (answer.status, answer.response.json()["error"]) == (400, "unsupported_grant_type")
    assert "access_token" not in answer.response.text
    assert twin.response.json()["error"] == "invalid_grant"  # this one we have; the code is none


@pytest.mark.parametrize(
    "response_type",
    [
        *("token", "id_token", "none"),
        *("id_token token", "code id_token", "code token", "code id_token token"),
    ],
)
def test_implicit_and_hybrid(browser: Browser, response_type: str) -> None:
    answer = browser.begin(response_type=response_type)
    assert answer.response.headers["location"].startswith(REDIRECT_URI + "?")  # no fragment
    assert query_of(answer)["error"] == "unsupported_response_type"
    assert query_of(answer)["state"] == OIDC_REQUEST["state"]


@pytest.mark.parametrize("mode", ["fragment", "query.jwt", "form_post.jwt", "web_message"])
def test_a_response_mode_that_we_do_not_have(browser: Browser, mode: str) -> None:
    answer = browser.begin(response_mode=mode)
    assert answer.response.headers["location"].startswith(REDIRECT_URI + "?")
    assert query_of(answer)["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"registration": "{}"}, "registration_not_supported"),
        ({"request": JWE}, "request_not_supported"),
        ({"request_uri": "https://rekenrijk.example/unregistered"}, "request_uri_not_supported"),
    ],
)
def test_a_request_that_asks_for_what_we_do_not_have(
    browser: Browser, changes: dict[str, str], error: str
) -> None:
    assert query_of(browser.begin(**changes))["error"] == error
    assert browser.begin().status == 303


@pytest.mark.parametrize("path", ENDPOINTS)
def test_an_endpoint_that_we_do_not_have(browser: Browser, path: str) -> None:
    for answer in (browser.get(path), browser.post(path, {"client_name": "x"})):
        assert (answer.status, answer.response.json()) == (404, {"error": "not_found"})


def test_discovery_names_none_of_it(browser: Browser) -> None:
    told: dict[str, Any] = browser.get("/.well-known/openid-configuration").response.json()
    absent = {
        "registration_endpoint",
        "device_authorization_endpoint",
        "backchannel_authentication_endpoint",
        "backchannel_token_delivery_modes_supported",
        "check_session_iframe",
    }
    assert absent.isdisjoint(told)
    assert [each for each in told if "encryption" in each] == []
    assert set(GRANTS).isdisjoint(told["grant_types_supported"])
    assert told["response_types_supported"] == ["code"]
