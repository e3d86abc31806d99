"""The API over HTTP: who calls is proven first, errors are JSON, nothing is cached."""

import json
from typing import Any

import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import Response

from broker.domain.federation import ApiClient, ApiScope
from broker.domain.registry import Registry, build_registry
from broker.flow.programs.api_access import ApiCaller, SchoolCaller, SupplierCaller
from broker.web.api_bodies import read_json, read_lines
from broker.web.api_routes import API_ENDPOINTS, ApiEndpoint, api_routes
from broker.web.responses import json as as_json
from broker.web.site import build_site
from broker.web.wiring import Web
from tests import builders_oidc as oidc
from tests.proof_builders import a_dpop_proof
from tests.web.broker_site import Answer, Browser, Site

PROGRAM, PROGRAM_KEY = "vuurvogel-las", oidc.make_key()


class Asked(msgspec.Struct):
    """What the endpoint of this test reads."""

    number: int


async def double(web: Web, request: Request, _: ApiCaller) -> Response:
    doubled = 2 * (await read_json(web, request, Asked)).number
    return as_json({"number": doubled, "school": request.path_params["school"]})


async def count(web: Web, request: Request, _: ApiCaller) -> Response:
    return as_json([number for number, _ in await read_lines(web, request)])


ENDPOINTS = (
    *API_ENDPOINTS,
    ApiEndpoint("/api/double/{school}", "POST", ApiScope.ENROLMENT, (SchoolCaller,), double),
    ApiEndpoint("/api/count", "POST", ApiScope.TAKEOVER, (SchoolCaller, SupplierCaller), count),
    ApiEndpoint("/api/supplier", "POST", ApiScope.TAKEOVER, (SupplierCaller,), count),
)


def with_program(registry: Registry, *purposes: ApiScope) -> Registry:
    program = ApiClient(
        id=PROGRAM, jwks=oidc.jwks_of(PROGRAM_KEY), purposes=purposes or tuple(ApiScope)[:2]
    )
    schools = [
        msgspec.structs.replace(each, api_clients=(program,)) if each.id == "vuurvogel" else each
        for each in registry.schools.values()
    ]
    return build_registry(
        registry.version,
        schools=schools,
        idps=registry.idps.values(),
        suppliers=registry.suppliers.values(),
        agreements=(),
    )


@pytest.fixture
def api(site: Site, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A site with some endpoints, and a school that has a program."""
    monkeypatch.setattr(
        "broker.web.site.api_routes", lambda web: api_routes(web, endpoints=ENDPOINTS)
    )
    before = site.app.site
    site.app.site = build_site(site.web)
    with site.having(with_program(site.web.snapshots.registry)):
        yield browser
    site.app.site = before


def ask_token(
    browser: Browser, site: Site, scope: str, *, headers: Any = None, **changes: Any
) -> Answer:
    seconds = int(site.web.clock().timestamp())
    claims = {"iss": PROGRAM, "sub": PROGRAM, "aud": site.issuer, "iat": seconds}
    claims |= {"exp": seconds + 60, "jti": site.web.random(8).hex()} | changes
    form = oidc.assertion_form(oidc.an_assertion(key=PROGRAM_KEY, **claims))
    return browser.post(
        "/oidc/token",
        {"grant_type": "client_credentials", "scope": scope, **dict(form)},
        headers=headers,
    )


def bearer(browser: Browser, site: Site, scope: str = "enrolment takeover") -> dict[str, str]:
    tokens = ask_token(browser, site, scope).response.json()
    return {"authorization": f"Bearer {tokens['access_token']}"}


def refused(answer: Answer, status: int, code: str, check: str) -> None:
    told = answer.response.json()
    assert (answer.status, told["code"], answer.refused) == (status, code, [check])
    assert set(told) == {"code", "what", "remedy", "reference"}
    assert told["reference"] in {each.get("reference") for each in answer.lines}
    assert answer.response.headers["cache-control"] == "no-store"


def test_a_program_learns_who_it_is(api: Browser, site: Site) -> None:
    token = ask_token(api, site, "enrolment")
    assert (token.status, token.response.headers["cache-control"]) == (200, "no-store")
    shown = api.get("/api/access", headers=bearer(api, site))
    assert shown.response.json() == {
        "school": "vuurvogel",
        "scope": "enrolment takeover",
        "state": "test",
    }
    assert shown.response.headers["cache-control"] == "no-store"


def test_the_grant_is_published(api: Browser) -> None:
    told = api.get("/.well-known/openid-configuration").response.json()
    assert told["grant_types_supported"] == [
        *("authorization_code", "refresh_token", "client_credentials"),
    ]
    assert told["scopes_supported"] == [
        *("openid", "profile", "email", "offline_access"),
        *("enrolment", "takeover", "conversion", "schools", "transfers"),
    ]


def test_who_proves_nothing_gets_no_token(api: Browser, site: Site) -> None:
    answer = ask_token(api, site, "enrolment", aud="https://elsewhere.example")
    assert (answer.status, answer.response.json()["error"]) == (401, "invalid_client")
    answer = ask_token(api, site, "conversion")
    assert (answer.status, answer.response.json()["error"]) == (400, "invalid_scope")


def test_without_a_token_nothing_of_the_body_is_read(api: Browser, site: Site) -> None:
    answer = api.send("POST", "/api/double/x", content=b"x" * (site.web.max_api_body_bytes + 1))
    refused(answer, 401, "E-API-2", "check_access_token_present")
    assert answer.response.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_a_token_in_the_address_is_none(api: Browser, site: Site) -> None:
    """OAuth 2.1, RFC 6750 2.3: addresses stand in logs and histories."""
    shown = bearer(api, site)
    token = shown["authorization"].removeprefix("Bearer ")
    answer = api.get("/api/access", params={"access_token": token})
    refused(answer, 401, "E-API-2", "check_access_token_present")
    assert api.get("/api/access", headers=shown).status == 200


def test_a_bound_permission_needs_a_proof_for_the_very_address(api: Browser, site: Site) -> None:
    now = site.web.clock()
    asked = a_dpop_proof(jti="asked", now=now, htu=f"{site.issuer}/oidc/token")
    given = ask_token(api, site, "enrolment", headers={"dpop": asked})
    assert given.response.json()["token_type"] == "DPoP"
    assert given.response.headers["dpop-nonce"]
    token = given.response.json()["access_token"]
    answer = api.get("/api/access", headers={"authorization": f"Bearer {token}"})
    refused(answer, 401, "E-API-2", "check_token_shown_as_given")
    for address, check in (("/api/access", None), ("/api/count", "check_proof_address")):
        shown = a_dpop_proof(
            jti=address, now=now, htm="GET", htu=site.issuer + address, access_token=token
        )
        sent = {"authorization": f"DPoP {token}", "dpop": shown}
        answer = api.get("/api/access", headers=sent)
        assert answer.response.headers["dpop-nonce"]
        if check is None:
            assert answer.response.json()["scope"] == "enrolment"
        else:
            refused(answer, 401, "E-OIDC-61", check)
            challenge = answer.response.headers["www-authenticate"]
            assert challenge.startswith('DPoP error="invalid_dpop_proof"')


def test_a_scope_and_a_kind_of_caller(api: Browser, site: Site) -> None:
    takeover = bearer(api, site, "takeover")
    answer = api.send("POST", "/api/double/x", headers=takeover, json={"number": 2})
    refused(answer, 403, "E-API-3", "check_scope_granted")
    refused(
        api.send("POST", "/api/supplier", headers=takeover), 403, "E-API-3", "check_caller_kind"
    )
    enrolment = bearer(api, site, "enrolment")
    assert api.send(
        "POST", "/api/double/x", headers=enrolment, json={"number": 2}
    ).response.json() == {"number": 4, "school": "x"}


def test_bodies_are_of_a_known_form_and_size(api: Browser, site: Site) -> None:
    headers = bearer(api, site)
    for content, type_, code, check in (
        (b"{}", "application/json", "E-API-4", "check_json_form"),
        (b"[" * 5000, "application/json", "E-API-4", "check_json_form"),
        (b'{"number": "\xff"}', "application/json", "E-API-4", "check_json_form"),
        (b"{}", "text/plain", "E-API-4", "check_content_type"),
    ):
        sent = headers | {"content-type": type_}
        answer = api.send("POST", "/api/double/x", headers=sent, content=content)
        refused(answer, 400, code, check)
    sent = headers | {"content-type": "application/json"}
    large = b" " * (site.web.max_api_body_bytes + 1)
    answer = api.send("POST", "/api/double/x", headers=sent, content=large)
    refused(answer, 413, "E-API-7", "check_body_size")
    assert b"  " not in answer.response.content


def test_a_body_that_lies_about_its_length_is_not_read(api: Browser, site: Site) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"x")]
    headers += [(name.encode(), each.encode()) for name, each in bearer(api, site).items()]
    scope = {"method": "POST", "path": "/api/double/x", "headers": headers}
    sent, lines = site.send_raw(scope, [])
    assert json.loads(sent[1]["body"])["code"] == "E-API-4"
    assert "check_content_length" in {each.get("check") for each in lines}


def test_a_list_has_lines(api: Browser, site: Site) -> None:
    sent = bearer(api, site) | {"content-type": "application/x-ndjson"}
    answer = api.send("POST", "/api/count", headers=sent, content=b'{"a":1}\n\n{"a":2}\r\n{"a":3}')
    assert answer.response.json() == [1, 3, 4]


def test_what_is_not_there(api: Browser, site: Site) -> None:
    assert api.get("/api/nothing").response.json() == {"error": "not_found"}
    assert api.get("/api/count").status == 405


def test_a_fault_of_ours_is_told_in_the_same_form(
    api: Browser, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("broker.flow.programs.api_access.ApiAccess.admit", fail)
    answer = api.get("/api/access")
    assert (answer.status, answer.response.json()["code"]) == (500, "E-HTTP-5")
