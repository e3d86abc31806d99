"""Pushed requests over HTTP: the answers of RFC 9126, and pages for browsers that come again."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from broker.domain.registry import Registry, build_registry
from broker.flow.pushed_requests import PushBudget
from tests import builders_oidc as oidc
from tests.web.broker_site import OIDC_REQUEST, Answer, Browser, Site, query_of

SECONDS = {"iat": 0, "exp": 60}
START_URL = "http://localhost:1020/"


@pytest.fixture(autouse=True)
def _client(site: Site) -> Iterator[None]:
    """Let RekenRijk have a key that the tests have too."""
    with site.having(with_client(site.web.snapshots.registry)):
        yield


def with_client(registry: Registry, **changes: Any) -> Registry:
    supplier = registry.suppliers[registry.by_client_id["rekenrijk"].supplier]
    parties = tuple(
        replace(
            each,
            protocol=replace(
                each.protocol, jwks=oidc.jwks_of(oidc.CLIENT_KEY), jwks_uri=None, **changes
            ),
        )
        for each in supplier.relying_parties
    )
    others = (each for each in registry.suppliers.values() if each is not supplier)
    return build_registry(
        registry.version,
        schools=registry.schools.values(),
        idps=registry.idps.values(),
        suppliers=(*others, replace(supplier, relying_parties=parties)),
        agreements=(*registry.school_agreements.values(), *registry.board_agreements.values()),
    )


def assertion(site: Site, **changes: Any) -> dict[str, str]:
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": "rekenrijk",
        "sub": "rekenrijk",
        "aud": site.issuer,
        "iat": now,
        "exp": now + 60,
        "jti": f"jti-{time.monotonic_ns()}",
    }
    return dict(oidc.assertion_form(oidc.an_assertion(**{**claims, **changes})))


def push(site: Site, **changes: str) -> Answer:
    form = {**OIDC_REQUEST, **assertion(site), **changes}
    return site.visit().post("/oidc/par", {name: each for name, each in form.items() if each})


def pushed(site: Site, **changes: str) -> str:
    return str(push(site, **changes).response.json()["request_uri"])


def begin(browser: Browser, request_uri: str, **changes: str) -> Answer:
    parameters = {"client_id": "rekenrijk", "request_uri": request_uri, **changes}
    return browser.get("/oidc/authorize", params=parameters)


def test_a_push_is_answered_as_the_rfc_has_it(site: Site) -> None:
    answer = push(site)
    assert answer.status == 201
    assert answer.response.headers["cache-control"] == "no-store"
    assert answer.response.headers["content-type"].startswith("application/json")
    told = answer.response.json()
    assert told.keys() == {"request_uri", "expires_in"}
    assert told["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
    assert told["expires_in"] == 300


def test_discovery_names_the_endpoint(site: Site) -> None:
    told = site.visit().get("/.well-known/openid-configuration").response.json()
    assert told["pushed_authorization_request_endpoint"] == site.issuer + "/oidc/par"


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"scope": "profile"}, 400, "invalid_scope"),
        ({"redirect_uri": "https://evil.example/"}, 400, "invalid_request"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, 400, "invalid_request"),
        ({"resource": "https://evil.example/"}, 400, "invalid_target"),
        ({"request": "x"}, 400, "invalid_request_object"),
        ({"code_challenge": ""}, 400, "invalid_request"),
        ({"client_assertion": "e30.e30.AA"}, 401, "invalid_client"),
        ({"claims": "x" * 9000}, 400, "invalid_request"),
    ],
)
def test_a_push_that_is_refused_is_told_so(
    site: Site, changes: dict[str, str], status: int, error: str
) -> None:
    answer = push(site, **changes)
    assert (answer.status, answer.response.json()["error"]) == (status, error)
    assert "location" not in answer.response.headers


@pytest.mark.parametrize("profile", ["strict", "compat"])
@pytest.mark.parametrize("place", ["/oidc/par", "/oidc/token", "", "/"])
@pytest.mark.parametrize("listed", [False, True])
def test_an_assertion_is_for_our_issuer_alone(
    site: Site, profile: str, place: str, listed: bool
) -> None:
    """draft-ietf-oauth-rfc7523bis 4: not for this endpoint, and in no list; module
    par-endpoint-url-as-audience-fails, par-test-array-as-audience-fails.
    """
    audience: Any = [site.issuer + place] if listed else site.issuer + place
    is_fine = not listed and place in ("", *(["/oidc/token"] if profile == "compat" else []))
    with site.having(with_client(site.web.snapshots.registry, profile=profile)):
        answer = push(site, **assertion(site, aud=audience))
    if is_fine:
        assert answer.status == 201
    else:
        assert (answer.status, answer.response.json()["error"]) == (401, "invalid_client")
        assert answer.refused == ["check_assertion_audience"]


def test_a_push_is_a_form_that_is_posted(site: Site) -> None:
    browser = site.visit()
    got = browser.get("/oidc/par", params={**OIDC_REQUEST, **assertion(site)})
    assert (got.status, got.response.headers["allow"]) == (405, "POST")
    both = browser.send("POST", "/oidc/par?client_id=rekenrijk", data={"client_id": "rekenrijk"})
    assert both.status == 400
    large = browser.post("/oidc/par", {"state": "x" * 300_000})
    assert large.status == 413
    json = browser.send("POST", "/oidc/par", json={"client_id": "rekenrijk"})
    assert json.status == 400


def test_too_many_pushes_are_put_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.web.pushed, "_budget", PushBudget(1))
    assert push(site).status == 201
    answer = push(site)
    assert (answer.status, answer.response.headers["retry-after"]) == (429, "60")
    assert answer.response.json()["error"] == "temporarily_unavailable"


def test_its_address_begins_a_login_also_when_it_is_opened_again(site: Site) -> None:
    request_uri, browser = pushed(site), site.visit()
    for _ in range(3):
        answer = begin(browser, request_uri)
        assert (answer.status, answer.refused) == (303, [])
        assert answer.response.headers["location"].startswith("/schools?login=")


@pytest.mark.parametrize("request_uri", ["x", "A" * 43])
def test_one_that_is_not_there_leads_back_to_the_material(site: Site, request_uri: str) -> None:
    answer = begin(site.visit(), "urn:ietf:params:oauth:request_uri:" + request_uri)
    assert answer.status == 400
    assert "E-OIDC-42" in answer.response.text
    party = site.web.snapshots.registry.by_client_id["rekenrijk"]
    assert f'href="{party.start_url}"' in answer.response.text


def test_one_that_is_not_there_is_told_where_that_is_proven(site: Site) -> None:
    answer = begin(
        site.visit(),
        "urn:ietf:params:oauth:request_uri:" + "A" * 43,
        redirect_uri=OIDC_REQUEST["redirect_uri"],
        state="s",
    )
    assert query_of(answer)["error"] == "invalid_request_uri"
    assert query_of(answer)["state"] == "s"


def test_a_switched_off_client_is_refused_between_push_and_use(site: Site) -> None:
    request_uri = pushed(site)
    registry = site.web.snapshots.registry
    supplier = registry.suppliers[registry.by_client_id["rekenrijk"].supplier]
    others = (each for each in registry.suppliers.values() if each is not supplier)
    closed = build_registry(
        registry.version,
        schools=registry.schools.values(),
        idps=registry.idps.values(),
        suppliers=(*others, replace(supplier, enabled=False)),
        agreements=(),
    )
    with site.having(closed):
        assert begin(site.visit(), request_uri).refused == ["check_client_enabled"]
        assert push(site).response.json()["error"] == "invalid_client"
    assert begin(site.visit(), request_uri).status == 303


def test_in_a_frame_it_is_read_first(site: Site) -> None:
    """Only the request itself knows whether it asks for no page."""
    framed = site.visit(**{"Sec-Fetch-Dest": "iframe"})
    shown = begin(framed, pushed(site), prompt="none")
    assert shown.status == 200
    assert 'target="_blank"' in shown.response.text
    assert query_of(begin(framed, pushed(site, prompt="none")))["error"] == "login_required"


def test_a_client_that_must_push_cannot_leave_it_out(site: Site) -> None:
    must = with_client(site.web.snapshots.registry, require_pushed=True)
    with site.having(must):
        assert query_of(site.visit().begin())["error"] == "invalid_request"
        assert begin(site.visit(), pushed(site)).status == 303
    assert site.visit().begin().status == 303
