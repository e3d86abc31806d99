"""Make us send a browser somewhere: by a parameter, a header, or a path of the attacker's."""

from urllib.parse import urlsplit

import pytest

from tests.web.broker_site import PLACES, Browser, Party, Site, fields_of

EVIL = ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
OURS = urlsplit(PLACES[Party.BROKER]).netloc

LYING_HEADERS = [
    {"Host": "evil.example"},
    {"X-Forwarded-Host": "evil.example"},
    {"X-Forwarded-Proto": "https"},
    {"X-Forwarded-Prefix": "//evil.example"},
    {"X-Original-URL": "//evil.example"},
    {"X-Rewrite-URL": "//evil.example"},
    {"Forwarded": "host=evil.example;proto=https"},
    {"X-HTTP-Method-Override": "DELETE"},
    {"Referer": "https://evil.example/"},
    {"Host": "[::"},
    {"Host": "evil.example/x?y="},
    {"Host": ""},
]


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize(
    "path", ["/oidc/authorize", "/saml/idp/sso", "/schools", "/oidc/callback", "/", "/schools/"]
)
@pytest.mark.parametrize(
    "name",
    ["redirect_uri", "state", "lang", "login", "ui_locales", "RelayState", "next", "q", "school"],
)
def test_a_parameter_of_the_attackers_leads_nowhere(
    browser: Browser, path: str, name: str, evil: str
) -> None:
    answer = browser.get(path, params={name: evil})
    location = urlsplit(answer.response.headers.get("location", ""))
    assert location.netloc == ""
    assert location.scheme == ""
    assert f'href="{evil}' not in answer.response.text


@pytest.mark.parametrize("evil", EVIL)
def test_a_request_of_a_known_supplier_leads_to_its_own_place(browser: Browser, evil: str) -> None:
    assert browser.begin(redirect_uri=evil).status == 400
    told = browser.begin(state=evil, response_type="token").response.headers["location"]
    assert told.startswith("http://localhost:1020/callback?")
    chosen = browser.begin(lang=evil, ui_locales=evil).response.headers["location"]
    assert chosen.startswith("/schools?login=")
    assert "evil.example" not in chosen


@pytest.mark.parametrize("evil", [*EVIL, "x\r\nLocation: https://evil.example"])
def test_a_form_of_ours_leads_to_schools_alone(browser: Browser, evil: str) -> None:
    fields = fields_of(browser.choose())
    assert browser.post("/schools", fields | {"school": evil}).status == 400
    assert browser.post("/schools", fields | {"login": evil}).status == 400
    assert browser.post("/schools/forget", fields | {"login": evil}).status == 400


@pytest.mark.parametrize("headers", LYING_HEADERS, ids=lambda each: "".join(map(str, each.items())))
def test_who_we_are_never_comes_from_a_request(site: Site, headers: dict[str, str]) -> None:
    browser = site.visit()
    for path in (
        "/.well-known/openid-configuration", "/saml/idp/metadata", "/saml/sp/metadata", "/schools",
        "/schools/", "/oidc/callback", "/nothing",
    ):  # fmt: skip
        honest = site.visit().get(path)
        answer = browser.get(path, headers=headers)
        assert answer.status == honest.status
        assert "evil.example" not in answer.response.text + repr(answer.response.headers)
    framed = browser.get("/schools?q=x", headers={**headers, "Sec-Fetch-Dest": "iframe"})
    assert 'href="/schools?q=x"' in framed.response.text
    gone = browser.get("/oidc/authorize?client_id=rekenrijk", headers=headers)
    assert "evil.example" not in gone.response.text + repr(gone.response.headers)


@pytest.mark.parametrize("headers", LYING_HEADERS, ids=lambda each: "".join(map(str, each.items())))
def test_the_school_is_told_our_own_address(site: Site, headers: dict[str, str]) -> None:
    browser = site.visit(**headers)
    fields = fields_of(browser.choose())
    gone = browser.post("/schools", fields | {"school": "kompas"})
    assert gone.response.headers["location"].startswith("http://localhost:1011/")
    assert "evil.example" not in gone.response.headers["location"]
    assert OURS.replace(":", "%3A") in gone.response.headers["location"]


@pytest.mark.parametrize(
    "path",
    ["//evil.example/", "//evil.example/schools", "/\\evil.example/", "/schools//evil.example/..",
     "/%2f%2fevil.example/", "/http://evil.example/", "/schools/", "/oidc/token/"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_strange_path_is_not_mended_by_a_redirect(site: Site, path: str, method: str) -> None:
    sent, _ = site.send_raw(
        {"method": method, "path": path, "headers": [(b"host", b"evil.example")]}, []
    )
    assert sent[0]["status"] == 404
    assert b"location" not in dict(sent[0]["headers"])
