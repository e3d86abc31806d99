"""What a supplier's own program does with its tokens, over HTTP: an API, refresh, revoke, ask.

The API knows nothing but our discovery, and verifies tokens by joserfc and the published keys.
"""

import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import KeySet

from broker.demo.addresses import Party
from tests.journeys.commands import apply
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.test_pushed_request import Program
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.servers

Browsers = Callable[[], Visitor]
API = "https://api.rekenrijk.example/exercises"
TOKENS = f"""
refresh_hours = 24
access_tokens = "jwt"
userinfo_algorithm = "RS256"

[[api]]
id = "exercises"
resource = "{API}"
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world of its own, in which RekenRijk has an API and may refresh."""
    async with open_world() as opened:
        file = opened.folder / "federation" / "suppliers" / "rekenrijk.toml"
        before, table, party = file.read_text().partition("[[relying_party]]")
        file.write_text(before + table + party.rstrip() + TOKENS)
        await apply(opened, file)
        yield opened


@pytest.fixture
def program(world: World, browsers: Browsers) -> Program:
    return Program(world.prepared.federation.rekenrijk, browsers().client)


class Api:
    """A resource server of RekenRijk."""

    def __init__(self, told: dict[str, Any], client: httpx2.AsyncClient) -> None:
        self._told, self._client = told, client

    async def read(self, token: str) -> dict[str, Any]:
        """RFC 9068 4: type, issuer, audience, signature, end."""
        published = (await self._client.get(self._told["jwks_uri"])).json()
        found = jwt.decode(token, KeySet.import_key_set(published), algorithms=["ES256", "RS256"])
        assert found.header["typ"] == "at+jwt"
        asked = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self._told["issuer"]},
            aud={"essential": True, "value": API},
            exp={"essential": True},
            client_id={"essential": True},
            jti={"essential": True},
        )
        asked.validate(found.claims)
        return dict(found.claims)


async def log_in(
    world: World, browsers: Browsers, program: Program, **request: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return discovery and the tokens of one login of Sanne."""
    told = await program.discover()
    visitor = browsers()
    settings = world.prepared.federation.rekenrijk
    visitor.page = await visitor.client.get(
        told["authorization_endpoint"],
        params={
            "client_id": settings.client_id,
            "request": program.request(**request),
        },
    )
    await visitor.choose("vuurvogel")
    await visitor.log_in_at_school("sanne")
    await visitor.go_on()
    assert visitor.is_at(Party.REKENRIJK), visitor.text
    redeemed = await program.post(
        told["token_endpoint"],
        {
            "grant_type": "authorization_code",
            "code": visitor.parameter("code"),
            "redirect_uri": settings.redirect_uri,
            "code_verifier": program.verifier,
        },
    )
    assert redeemed.status_code == 200, redeemed.text
    assert redeemed.headers["cache-control"] == "no-store"
    return told, redeemed.json()


async def ask(program: Program, told: dict[str, Any], token: str) -> dict[str, Any]:
    answer = await program.post(told["introspection_endpoint"], {"token": token})
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def test_an_api_verifies_a_token_by_the_published_keys_alone(
    world: World, browsers: Browsers, program: Program
) -> None:
    told, tokens = await log_in(world, browsers, program, resource=API)
    api = Api(told, browsers().client)
    claims = await api.read(tokens["access_token"])
    assert claims["sub"] == jwt_claims(tokens["id_token"])["sub"]
    assert "given_name" not in claims
    assert (await ask(program, told, tokens["access_token"]))["aud"] == API
    for wrong in (tokens["id_token"], tokens["access_token"][:-4] + "AAAA"):
        with pytest.raises(Exception):  # noqa: B017 -- of joserfc, or the type
            await api.read(wrong)
    shown = {"authorization": f"Bearer {tokens['access_token']}"}
    refused = await browsers().client.get(told["userinfo_endpoint"], headers=shown)
    assert refused.status_code == 401
    assert "invalid_token" in refused.headers["www-authenticate"]


async def test_refresh_revoke_and_ask(world: World, browsers: Browsers, program: Program) -> None:
    told, first = await log_in(world, browsers, program, scope="openid offline_access")
    client = browsers().client
    for endpoint in ("introspection_endpoint", "revocation_endpoint"):
        refused = await client.post(told[endpoint], data={"token": first["refresh_token"]})
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")

    async def refresh(token: str) -> httpx2.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return await program.post(told["token_endpoint"], form)

    second = (await refresh(first["refresh_token"])).json()
    before, after = jwt_claims(first["id_token"]), jwt_claims(second["id_token"])
    assert (before["sub"], before["aud"]) == (after["sub"], after["aud"])

    answers = (
        await client.get(told["userinfo_endpoint"], headers={"authorization": f"Bearer {token}"})
        for token in (first["access_token"], second["access_token"])
    )
    async for answer in answers:
        assert answer.headers["content-type"] == "application/jwt"
        assert jwt_claims(answer.text)["sub"] == after["sub"]
    by_form = await client.post(
        told["userinfo_endpoint"], data={"access_token": second["access_token"]}
    )
    assert by_form.status_code == 200

    assert (await ask(program, told, second["access_token"]))["active"] is True
    assert await ask(program, told, first["refresh_token"]) == {"active": False}

    revoked = await program.post(told["revocation_endpoint"], {"token": second["refresh_token"]})
    assert revoked.status_code == 200
    for token in (second["refresh_token"], second["access_token"], first["access_token"]):
        assert await ask(program, told, token) == {"active": False}
    over = await refresh(second["refresh_token"])
    assert (over.status_code, over.json()["error"]) == (400, "invalid_grant")
    unknown = await program.post(told["revocation_endpoint"], {"token": "no-token-of-ours"})
    assert unknown.status_code == 200


async def test_a_refresh_token_that_is_used_twice_ends_everything(
    world: World, browsers: Browsers, program: Program
) -> None:
    told, first = await log_in(world, browsers, program, scope="openid offline_access")
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = (await program.post(told["token_endpoint"], form)).json()
    again = await program.post(told["token_endpoint"], form)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    for token in (second["refresh_token"], second["access_token"]):
        assert await ask(program, told, token) == {"active": False}


@pytest.mark.parametrize(
    "grant_type",
    ["password", "urn:ietf:params:oauth:grant-type:token-exchange", "implicit"],
)
async def test_other_grants_are_not_offered(program: Program, grant_type: str) -> None:
    told = await program.discover()
    assert grant_type not in told["grant_types_supported"]
    answer = await program.post(told["token_endpoint"], {"grant_type": grant_type})
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def jwt_claims(token: str) -> dict[str, Any]:
    """What stands in a token, whoever signed it."""
    payload = token.split(".")[1]
    read: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return read
