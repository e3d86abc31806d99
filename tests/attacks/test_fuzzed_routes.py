"""Anything at all, at every address: never a fault of ours, always one refusal with its reference.

A refusal page shows code and reference, and the audit has exactly one event with that reference
and the name of a check; machines get the code in JSON.
"""

import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.domain.refusals import every_refusal
from tests.web.broker_site import FORM_TYPE, OIDC_REQUEST, Browser, Site, fields_of

PATHS = [
    "/oidc/authorize", "/oidc/token", "/oidc/userinfo", "/oidc/callback", "/oidc/jwks",
    "/.well-known/openid-configuration", "/saml/idp/sso", "/saml/idp/metadata", "/saml/sp/acs",
    "/saml/sp/metadata", "/schools", "/schools/forget", "/login/continue", "/login/not-me",
    "/static/x", "/health/live", "/health/ready",
]  # fmt: skip
NAMES = [
    *OIDC_REQUEST, "prompt", "max_age", "claims", "acr_values", "login_hint", "idp_hint", "request",
    "request_uri", "response_mode", "ui_locales", "lang", "login", "school", "csrf", "q", "code",
    "error", "iss", "grant_type", "code_verifier", "client_secret", "client_assertion",
    "client_assertion_type", "access_token", "SAMLRequest", "SAMLResponse", "RelayState", "SigAlg",
    "Signature", "SAMLEncoding",
]  # fmt: skip
VALUES = [
    *OIDC_REQUEST.values(), "none", "login", "0", "-1", "99999999999", '{"id_token": null}', "[[[[",
    "kompas", "vuurvogel", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "e30.e30.e30",
    "authorization_code", "PHg+", "s\u0000", "A" * 22, "A" * 43, "nl", "\u202e", "x" * 3000,
]  # fmt: skip

texts = st.sampled_from(VALUES) | st.text(max_size=30)
pairs = st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=8), texts), max_size=8)
octets = st.binary(max_size=60) | pairs.map(
    lambda each: urlencode(each, errors="surrogatepass").encode()
)
paths = st.sampled_from(PATHS) | st.text(max_size=20).map(lambda text: "/" + text)
methods = st.sampled_from(["GET", "POST", "POST", "HEAD", "PUT", "OPTIONS", "TRACE", "X"])
HEADER_NAMES = [
    b"cookie", b"origin", b"sec-fetch-site", b"sec-fetch-dest", b"accept", b"host", b"referer",
    b"accept-language", b"authorization", b"content-length", b"content-type",
]  # fmt: skip
HEADER_VALUES = [
    b"iframe", b"Basic YTpi", b"Bearer " + b"A" * 43, b"Basic !", b"null", b"en;q=x",
    b"lang=en; school=kompas; starts=9-9; form=" + b"0" * 32,
]  # fmt: skip
headers = st.lists(
    st.tuples(
        st.sampled_from(HEADER_NAMES), st.sampled_from(HEADER_VALUES) | st.binary(max_size=40)
    ),
    max_size=4,
)
types = st.sampled_from([FORM_TYPE.encode()] * 5 + [b"application/json", b"text/html", b""])

CODES = {each.code for each in every_refusal()}


def check_answer(sent: list[Any], lines: Any) -> None:
    """Hold what every answer keeps to."""
    start, body = sent[0], b"".join(each.get("body", b"") for each in sent[1:])
    assert start["status"] < 500
    assert [each["event"] for each in lines].count("request") == 1
    assert "unexpected" not in [each["event"] for each in lines]
    named = [name.lower() for name, _ in start["headers"]]
    for name in (b"content-security-policy", b"x-content-type-options", b"referrer-policy"):
        assert named.count(name) == 1
    text = body.decode()
    assert "Traceback" not in text
    refused = [each for each in lines if each["event"] == "refused"]
    assert len(refused) <= 1
    for each in refused:
        assert each["code"] in CODES
        assert each["check"]
        assert re.fullmatch("[a-z]{8}", each["reference"])
        if start["status"] >= 400:
            assert each["code"] in text
        if b"text/html" in dict(start["headers"]).get(b"content-type", b"") and "E-" in text:
            assert f'data-reference="{each["reference"]}"' in text
    if start["status"] in {400, 401, 403, 413, 429, 431}:
        assert len(refused) == 1


def ask(site: Site, **scope: Any) -> None:
    body = scope.pop("body", b"")
    messages = [{"type": "http.request", "body": body, "more_body": False}]
    check_answer(*site.send_raw(scope, messages))


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=paths, method=methods, query=octets, body=octets, sent=headers, kind=types)
def test_anything_at_any_address(
    site: Site,
    path: str,
    method: str,
    query: bytes,
    body: bytes,
    sent: list[tuple[bytes, bytes]],
    kind: bytes,
) -> None:
    ask(
        site,
        path=path,
        raw_path=quote(path, errors="replace").encode(),
        method=method,
        query_string=query,
        headers=[(b"content-type", kind), *sent],
        body=body,
    )


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=pairs, by_post=st.booleans())
def test_a_request_with_anything_changed(
    site: Site, changes: list[tuple[str, str]], by_post: bool
) -> None:
    encoded = urlencode(
        list((OIDC_REQUEST | dict(changes)).items()), errors="surrogatepass"
    ).encode()
    if by_post:
        kind = [(b"content-type", FORM_TYPE.encode())]
        ask(site, path="/oidc/authorize", method="POST", headers=kind, body=encoded)
    else:
        ask(site, path="/oidc/authorize", query_string=encoded)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=pairs)
def test_a_step_of_a_login_with_anything_changed(
    site: Site, changes: list[tuple[str, str]]
) -> None:
    browser = site.visit()
    state = browser.go_to_school("kompas")
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items()).encode()
    query = urlencode(list(({"state": state, "iss": "x"} | dict(changes)).items()))
    ask(
        site,
        path="/oidc/callback",
        query_string=query.encode(),
        headers=[(b"cookie", cookie)],
    )


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=pairs,
    path=st.sampled_from([each for each in PATHS if "/login" in each or "sch" in each]),
)
def test_a_form_of_ours_with_anything_changed(
    site: Site, changes: list[tuple[str, str]], path: str
) -> None:
    browser = site.visit()
    form = fields_of(browser.choose()) | {"school": "kompas"} | dict(changes)
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items()).encode()
    ask(
        site,
        path=path,
        method="POST",
        headers=[(b"cookie", cookie), (b"content-type", FORM_TYPE.encode())],
        body=urlencode(form, errors="surrogatepass").encode(),
    )


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(response=st.text(max_size=40) | st.binary(max_size=40).map(lambda each: each.hex()))
def test_any_response_of_a_school(site: Site, response: str) -> None:
    browser: Browser = site.visit()
    gone = browser.post("/schools", fields_of(browser.choose()) | {"school": "vuurvogel"})
    assert gone.status == 303
    name = [each for each in browser.cookies if each.startswith("login.")][-1]
    form = {"SAMLResponse": response, "RelayState": name.removeprefix("login.")}
    ask(
        site,
        path="/saml/sp/acs",
        method="POST",
        headers=[
            (b"cookie", f"{name}={browser.cookies[name]}".encode()),
            (b"content-type", FORM_TYPE.encode()),
        ],
        body=urlencode(form, errors="surrogatepass").encode(),
    )


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "written", ["{}/", "{}//", "/.{}", "/x/..{}", "{}%00", "{}\n", "{};x=y", "{}%2f", "{}\\", "/{}"]
)
def test_another_way_of_writing_an_address_is_another_address(
    site: Site, path: str, written: str
) -> None:
    sent, lines = site.send_raw({"path": written.format(path)}, [])
    assert sent[0]["status"] == 404
    assert [each["event"] for each in lines] == ["request"]
