"""A supplier's own program that signs its request and pushes it, over HTTP.

It is no part of the demo: it asks discovery, signs with joserfc and redeems the code itself.
"""

import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from authlib.common.security import generate_token
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt

from broker.demo.addresses import Party
from broker.demo.oidc_supplier import OidcSupplierSettings
from tests.journeys.conftest import World
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.servers

Browsers = Callable[[], Visitor]
BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Program:
    """RekenRijk's login, as another of its systems would do it."""

    def __init__(self, settings: OidcSupplierSettings, client: httpx2.AsyncClient) -> None:
        self._settings = settings
        self._client = client
        self.verifier = generate_token(48)

    async def discover(self) -> dict[str, Any]:
        url = self._settings.issuer + "/.well-known/openid-configuration"
        told: dict[str, Any] = (await self._client.get(url)).json()
        return told

    def sign(self, claims: dict[str, Any], *, typ: str) -> str:
        now = int(time.time())
        times = {"iat": now, "nbf": now, "exp": now + 60, "jti": generate_token(24)}
        header = {"alg": "ES256", "kid": self._settings.key.kid, "typ": typ}
        own = {"iss": self._settings.client_id, "aud": self._settings.issuer}
        return jwt.encode(header, {**own, **times, **claims}, self._settings.key)

    def proof(self) -> dict[str, str]:
        assertion = self.sign({"sub": self._settings.client_id}, typ="JWT")
        return {"client_assertion_type": BEARER, "client_assertion": assertion}

    def request(self, **changes: Any) -> str:
        return self.sign(
            {
                "client_id": self._settings.client_id,
                "redirect_uri": self._settings.redirect_uri,
                "response_type": "code",
                "scope": "openid",
                "state": "lesson-3",
                "nonce": "nonce-of-this-login",
                "code_challenge": create_s256_code_challenge(self.verifier),
                "code_challenge_method": "S256",
                **changes,
            },
            typ="oauth-authz-req+jwt",
        )

    async def post(self, endpoint: str, form: dict[str, str]) -> httpx2.Response:
        return await self._client.post(endpoint, data={**form, **self.proof()})


@pytest.fixture
def program(world: World, browsers: Browsers) -> Program:
    return Program(world.prepared.federation.rekenrijk, browsers().client)


async def test_a_signed_request_is_pushed_and_leads_to_one_login(
    world: World, browsers: Browsers, program: Program
) -> None:
    told = await program.discover()
    form = {"client_id": "rekenrijk", "request": program.request()}
    answer = await program.post(told["pushed_authorization_request_endpoint"], form)
    assert answer.status_code == 201, answer.text
    request_uri = answer.json()["request_uri"]

    async def open_in(visitor: Visitor) -> None:
        visitor.page = await visitor.client.get(
            told["authorization_endpoint"],
            params={"client_id": "rekenrijk", "request_uri": request_uri, "state": "evil"},
        )

    visitor = browsers()
    await open_in(browsers())  # a virus checker looks first
    await open_in(visitor)
    await open_in(visitor)  # and the pupil reloads
    await visitor.choose("vuurvogel")
    await visitor.log_in_at_school("sanne")
    await visitor.go_on()
    assert visitor.is_at(Party.REKENRIJK), visitor.text
    assert visitor.parameter("state") == "lesson-3"

    redeemed = await program.post(
        told["token_endpoint"],
        {
            "grant_type": "authorization_code",
            "code": visitor.parameter("code"),
            "redirect_uri": world.prepared.federation.rekenrijk.redirect_uri,
            "code_verifier": program.verifier,
        },
    )
    assert redeemed.status_code == 200, redeemed.text
    usual = await browsers().log_in(Party.REKENRIJK, "vuurvogel", "sanne")
    told_by = {"authorization": f"Bearer {redeemed.json()['access_token']}"}
    claims = (await visitor.client.get(told["userinfo_endpoint"], headers=told_by)).json()
    assert claims["sub"] == usual["subject"]

    await open_in(visitor)  # the back button, afterwards
    assert visitor.page.status_code == 400
    assert "E-OIDC-43" in visitor.text
    assert world.at[Party.REKENRIJK] in visitor.page.text


async def test_what_is_wrong_with_it_is_told_to_the_program(world: World, program: Program) -> None:
    told = await program.discover()
    endpoint = told["pushed_authorization_request_endpoint"]
    for changes, error in (
        ({"aud": "https://elsewhere.example"}, "invalid_request_object"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"resource": "https://biosfeer.example/api"}, "invalid_target"),
    ):
        claims = {name: each for name, each in changes.items() if each is not None}
        token = program.request(**claims) if claims else program.sign(
            {"client_id": "rekenrijk", "response_type": "code", "scope": "openid",
             "redirect_uri": world.prepared.federation.rekenrijk.redirect_uri},
            typ="oauth-authz-req+jwt",
        )  # fmt: skip
        answer = await program.post(endpoint, {"client_id": "rekenrijk", "request": token})
        assert (answer.status_code, answer.json()["error"]) == (400, error)
    answer = await program.post(endpoint, {"client_id": "rekenrijk", "request": program.request()})
    assert answer.status_code == 201
