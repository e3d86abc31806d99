"""What the modules of OpenID Connect Basic and Form Post certification ask of a request.

A client of profile `compat` sends what such a module sends, without PKCE and by a client secret; a
pupil logs in with a simple browser; and what comes back is judged as the module judges it.
"""

import json
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import KeySet
from lxml import html
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from broker.demo.addresses import FREE_PORTS, Party, listening
from broker.demo.servers import serving
from broker.demo.toml_writer import write_toml
from broker.oidc_op.client_secrets import hash_client_secret
from tests.journeys.commands import apply
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.servers

SECRET = secrets.token_urlsafe(32)
CLIENT = "module-client"
AGREED = ["givenName", "sn", "mail"]
SKEW_SECONDS = 300  # by which a time that is not forced may be floored


async def receive(request: Request) -> Response:
    """Show what arrived at the redirect URI, in the query or posted."""
    posted = dict(parse_qsl((await request.body()).decode()))
    return JSONResponse({"query": dict(request.query_params), "posted": posted})


@dataclass
class Suite:
    """The client of a module, and a pupil's browser.

    Attributes:
        asked: the last request.
    """

    callback: str
    visitor: Visitor
    discovery: dict[str, Any]
    asked: dict[str, str] = field(default_factory=dict)

    async def ask(self, *, method: str = "GET", **changes: str | None) -> None:
        """Send an authorization request; None leaves a parameter out."""
        merged: dict[str, str | None] = {
            "client_id": CLIENT,
            "redirect_uri": self.callback,
            "response_type": "code",
            "scope": "openid",
            "state": secrets.token_urlsafe(96),
            "nonce": secrets.token_urlsafe(16),
            **changes,
        }
        self.asked = {name: each for name, each in merged.items() if each is not None}
        where, client = self.discovery["authorization_endpoint"], self.visitor.client
        if method == "POST":
            self.visitor.page = await client.post(where, data=self.asked)
        else:
            self.visitor.page = await client.get(where, params=self.asked)

    async def log_in(self) -> bool:
        """Do what a pupil does until the client has its answer; tell whether the school asked."""
        visitor, asked = self.visitor, False
        if visitor.shows("school"):
            await visitor.choose("kompas")
        if visitor.shows("pupil"):
            asked = True
            await visitor.log_in_at_school("noor")
        return asked

    async def arrived(self) -> dict[str, str]:
        """Return what the client got, by either way, once `state` and `iss` are what they must."""
        visitor = self.visitor
        posted = self.asked.get("response_mode") == "form_post"
        if posted:
            assert visitor.page.headers["cache-control"] == "no-store"
            (form,) = html.fromstring(visitor.page.content).forms
            assert form.action == self.callback
            visitor.page = await visitor.client.post(form.action, data=dict(form.form_values()))
        assert visitor.page.headers["content-type"] == "application/json", visitor.text
        told = visitor.page.json()
        found: dict[str, str] = told["posted" if posted else "query"]
        assert told["query" if posted else "posted"] == {}
        assert found.get("state") == self.asked.get("state")
        assert found["iss"] == self.discovery["issuer"]
        return found

    async def tokens(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what the token endpoint gives, and the ID token's claims."""
        client, found = self.visitor.client, await self.arrived()
        assert "error" not in found, found
        answer = await client.post(
            self.discovery["token_endpoint"],
            data={
                "grant_type": "authorization_code",
                "code": found["code"],
                "redirect_uri": self.callback,
            },
            auth=httpx2.BasicAuth(CLIENT, SECRET),
        )
        tokens: dict[str, Any] = answer.json()
        assert answer.status_code == 200, tokens
        keys = KeySet.import_key_set((await client.get(self.discovery["jwks_uri"])).json())
        claims = jwt.decode(tokens["id_token"], keys, algorithms=["ES256"]).claims
        assert claims["aud"] == CLIENT
        assert claims.get("nonce") == self.asked.get("nonce")
        return tokens, claims

    def shown(self, tokens: dict[str, Any]) -> dict[str, str]:
        return {"authorization": f"Bearer {tokens['access_token']}"}

    async def redeem(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the ID token's claims and userinfo."""
        tokens, claims = await self.tokens()
        where, headers = self.discovery["userinfo_endpoint"], self.shown(tokens)
        userinfo = (await self.visitor.client.get(where, headers=headers)).json()
        assert userinfo["sub"] == claims["sub"]
        return claims, userinfo

    async def whole(self, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Ask, log in, redeem; return the ID token's claims and userinfo."""
        await self.ask(**changes)
        await self.log_in()
        return await self.redeem()

    async def refused(self, **changes: Any) -> str:
        """Ask what is refused, and return the error that the client gets."""
        await self.ask(**changes)
        return (await self.arrived())["error"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world of its own, with one supplier more."""
    async with open_world() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def callback(world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The client's redirect URI, served, registered and known to the broker."""
    app = Starlette(routes=[Route("/cb", receive, methods=["GET", "POST"])])
    with listening({Party.REKENRIJK: FREE_PORTS[Party.REKENRIJK]}) as sockets:
        uri = f"http://localhost:{sockets[Party.REKENRIJK].getsockname()[1]}/cb"
        bundle = world.folder / "bundle-module.toml"
        bundle.write_text(write_toml(documents(uri), comment="The client of a module."))
        await apply(world, bundle)
        async with serving({Party.REKENRIJK: app}, sockets=sockets):
            yield uri


def documents(uri: str) -> dict[str, Any]:
    """Return the client's supplier, and an agreement with one school."""
    attributes = [{"name": each, "purpose": "Om te zien."} for each in AGREED]
    party = {
        "id": CLIENT,
        "protocol": "oidc",
        "profile": "compat",
        "client_id": CLIENT,
        "redirect_uris": [uri],
        "client_secret_hash": hash_client_secret(SECRET),
    }
    supplier = {"id": "module", "legal_name": "Module B.V.", "state": "test"}
    agreement = {"school": "kompas", "supplier": "module", "version": 1, "approved": AGREED}
    return {
        "supplier": [supplier | {"attribute": attributes, "relying_party": [party]}],
        "agreement": [agreement | {"from": date(2024, 8, 1)}],
    }


@pytest_asyncio.fixture(loop_scope="session")
async def suite(world: World, callback: str, browsers: Callable[[], Visitor]) -> Suite:
    """A client with a pupil whose browser is fresh."""
    visitor = browsers()
    where = f"{world.at[Party.BROKER]}/.well-known/openid-configuration"
    return Suite(callback, visitor, (await visitor.client.get(where)).json())


def claims_of(**members: Any) -> str:
    return json.dumps(members)


@pytest.mark.parametrize("mode", [None, "form_post"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_request_without_nonce_or_pkce_succeeds(
    suite: Suite, mode: str | None, method: str
) -> None:
    """oidcc-server, oidcc-ensure-request-without-nonce-succeeds-for-code-flow, -post-request."""
    claims, _ = await suite.whole(nonce=None, response_mode=mode, method=method)
    assert "nonce" not in claims
    assert "auth_time" not in claims


async def test_userinfo_by_each_of_its_ways_and_by_no_other(suite: Suite) -> None:
    """oidcc-userinfo-get, -post-header, -post-body; RFC 6750 2.3: never by the address."""
    await suite.ask()
    await suite.log_in()
    tokens, claims = await suite.tokens()
    client, where = suite.visitor.client, suite.discovery["userinfo_endpoint"]
    shown, token = suite.shown(tokens), {"access_token": tokens["access_token"]}
    for answer in (
        await client.get(where, headers=shown),
        await client.post(where, headers=shown),
        await client.post(where, data=token),
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["sub"] == claims["sub"]
    for refused in (
        await client.get(where, params=token),
        await client.post(where, params=token),
    ):
        assert refused.status_code == 401
        assert "sub" not in refused.text


@pytest.mark.parametrize("prompt", ["none login", "login none", "none consent"])
async def test_no_page_and_a_page_are_asked_at_once(suite: Suite, prompt: str) -> None:
    """OIDC Core 3.1.2.1: `none` stands alone."""
    assert await suite.refused(prompt=prompt) == "invalid_request"


async def test_an_essential_time_is_told(suite: Suite) -> None:
    """OIDC Core 2: `auth_time` is required when it is asked as essential."""
    asked = claims_of(id_token={"auth_time": {"essential": True}})
    claims, _ = await suite.whole(claims=asked)
    assert abs(claims["auth_time"] - claims["iat"]) <= SKEW_SECONDS


@pytest.mark.parametrize(
    "changes",
    [
        {"extra": "foobar"},
        {"display": "page"},
        {"display": "popup"},
        {"claims_locales": "se"},
        {"ui_locales": "se"},
        {"acr_values": "1 2"},
        {"login_hint": "somebody@kompas.example"},
        {"scope": "email openid"},
        {"scope": "openid profile email address phone"},
        {"prompt": "consent"},
    ],
)
async def test_what_is_optional_never_fails(suite: Suite, changes: dict[str, str]) -> None:
    """oidcc-ensure-request-with-unknown-parameter-succeeds and -with-acr-values-succeeds,
    oidcc-display-page, -display-popup, -claims-locales, -ui-locales, -login-hint, -scope-all,
    oidcc-ensure-other-scope-order-succeeds.
    """
    _, userinfo = await suite.whole(**changes)
    assert userinfo["given_name"] == "Noor"


async def test_the_pages_speak_the_language_that_is_asked(suite: Suite) -> None:
    await suite.ask(ui_locales="fr en")
    assert "Choose your school" in suite.visitor.text
    await suite.ask()
    assert "Kies je school" in suite.visitor.text


async def test_a_missing_response_type_is_told(suite: Suite) -> None:
    """oidcc-response-type-missing."""
    told = await suite.refused(response_type=None)
    assert told in {"invalid_request", "unsupported_response_type"}


@pytest.mark.parametrize("mode", [None, "form_post"])
async def test_nobody_is_logged_in_and_no_page_may_be_shown(suite: Suite, mode: str | None) -> None:
    """oidcc-prompt-none-not-logged-in."""
    told = await suite.refused(prompt="none", response_mode=mode)
    assert told in {"interaction_required", "login_required", "account_selection_required"}


@pytest.mark.parametrize("added", ["?foo=bar", "/", "#x", "%2f", "@evil.test"])
async def test_an_address_that_is_not_registered_gets_nothing(suite: Suite, added: str) -> None:
    """oidcc-ensure-registered-redirect-uri, oidcc-redirect-uri-query-added."""
    await suite.ask(redirect_uri=suite.callback + added)
    assert suite.visitor.page.status_code == 400
    assert "E-OIDC-5" in suite.visitor.text
    await suite.ask(redirect_uri=None)
    assert "E-OIDC-5" in suite.visitor.text


async def test_prompt_login_asks_again_and_the_time_goes_on(suite: Suite) -> None:
    """oidcc-prompt-login, oidcc-max-age-1."""
    first, _ = await suite.whole(max_age="15000")
    for changes in ({"prompt": "login", "max_age": "10000"}, {"max_age": "1"}):
        await suite.ask(**changes)
        assert await suite.log_in()
        again, _ = await suite.redeem()
        assert again["sub"] == first["sub"]
        assert abs(again["auth_time"] - again["iat"]) <= 1  # exact: the request forced the login
        assert again["auth_time"] > first["auth_time"] - SKEW_SECONDS


async def test_a_long_max_age_asks_nobody_again(suite: Suite) -> None:
    """oidcc-max-age-10000."""
    first, _ = await suite.whole(max_age="15000")
    await suite.ask(max_age="10000")
    assert not await suite.log_in()
    again, _ = await suite.redeem()
    assert again["sub"] == first["sub"]
    assert again["auth_time"] == first["auth_time"]


async def test_one_who_is_logged_in_at_school_comes_back_without_a_page(suite: Suite) -> None:
    """oidcc-prompt-none-logged-in, also for a client that says which school."""
    first, _ = await suite.whole()
    for changes in ({}, {"idp_hint": "kompas"}, {"response_mode": "form_post"}):
        await suite.ask(prompt="none", **changes)
        again, _ = await suite.redeem()
        assert again["sub"] == first["sub"]


async def test_an_essential_claim_comes_from_where_it_was_asked(suite: Suite) -> None:
    """oidcc-claims-essential, with a name that schools approve."""
    asked = claims_of(userinfo={"given_name": {"essential": True}})
    claims, userinfo = await suite.whole(claims=asked)
    assert userinfo["given_name"] == "Noor"
    assert not {"given_name", "family_name", "email"} & set(claims)
    assert not {"family_name", "email"} & set(userinfo)
    claims, userinfo = await suite.whole(claims=claims_of(id_token={"given_name": None}))
    assert claims["given_name"] == "Noor"
    assert "given_name" not in userinfo


@pytest.mark.parametrize(
    ("scope", "names"),
    [("openid profile", {"given_name", "family_name"}), ("openid email", {"email"})],
)
async def test_a_scope_s_claims_are_those_that_were_released(
    suite: Suite, scope: str, names: set[str]
) -> None:
    """oidcc-scope-profile, oidcc-scope-email."""
    _, userinfo = await suite.whole(scope=scope)
    assert names <= set(userinfo)
    assert not {"address", "phone_number", "birthdate"} & set(userinfo)


async def test_another_person_than_asked_is_not_let_through(suite: Suite) -> None:
    first, _ = await suite.whole()
    mine = claims_of(id_token={"sub": {"value": first["sub"]}})
    assert (await suite.whole(claims=mine))[0]["sub"] == first["sub"]
    await suite.ask(claims=claims_of(id_token={"sub": {"value": "a" * 53}}))
    await suite.log_in()
    assert (await suite.arrived())["error"] == "login_required"


async def test_a_level_that_no_login_has_is_told(suite: Suite) -> None:
    high = "http://eidas.europa.eu/LoA/high"
    claims, _ = await suite.whole(acr_values=high)
    assert "acr" not in claims
    await suite.ask(claims=claims_of(id_token={"acr": {"essential": True, "value": high}}))
    await suite.log_in()
    assert (await suite.arrived())["error"] == "unmet_authentication_requirements"


async def test_discovery_says_what_is_enabled(suite: Suite) -> None:
    """oidcc-discovery-endpoint-verification, as far as it concerns requests."""
    told = suite.discovery
    assert told["response_types_supported"] == ["code"]
    assert told["response_modes_supported"] == ["query", "form_post"]
    assert told["claims_parameter_supported"] is True
    assert {"openid", "profile", "email"} <= set(told["scopes_supported"])
    assert told["subject_types_supported"] == ["pairwise"]
    assert {"none", "login", "consent", "select_account"} == set(told["prompt_values_supported"])
