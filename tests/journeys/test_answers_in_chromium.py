"""How answers reach suppliers' own pages, and logouts too, in a real browser.

Two suppliers stand on 127.0.0.1 and localhost, the second beside the broker's own host: to a
browser those are two sites. Their pages are no part of the demo.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx2
import pytest
import pytest_asyncio
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import KeySet
from playwright.async_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from broker.demo.addresses import FREE_PORTS, Party, listening
from broker.demo.servers import serving
from broker.demo.toml_writer import write_toml
from broker.oidc_op.client_secrets import hash_client_secret
from tests.journeys.chromium import check_page, open_page
from tests.journeys.commands import apply
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.waiting import GIVE_UP_SECONDS

pytestmark = [pytest.mark.servers, pytest.mark.browser]

SECRET = secrets.token_urlsafe(32)
APP = "nl.gamma.app:/cb"
SYSTEMS = {"alfa": "127.0.0.1", "beta": "localhost"}


@dataclass
class Suppliers:
    """Two suppliers' systems, and what reached their pages.

    Attributes:
        framed: system -> parameters with which its page of logging out was opened in a frame.
    """

    broker: str
    origins: dict[str, str]
    framed: dict[str, dict[str, str]] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def callback(self, system: str) -> str:
        return f"{self.origins[system]}/cb/{system}"

    def request(self, system: str, **changes: str) -> dict[str, str]:
        return {
            "client_id": system,
            "redirect_uri": self.callback(system),
            "response_type": "code",
            "scope": "openid",
            "state": "lesson-3",
            **changes,
        }

    def begin(self, system: str, **changes: str) -> str:
        return f"{self.broker}/oidc/authorize?{urlencode(self.request(system, **changes))}"

    async def redeem(self, system: str, code: str) -> tuple[str, dict[str, Any]]:
        """Return an ID token and its claims."""
        async with httpx2.AsyncClient(auth=httpx2.BasicAuth(system, SECRET)) as client:
            form = {"grant_type": "authorization_code", "code": code}
            form["redirect_uri"] = self.callback(system)
            answer = await client.post(self.discovery["token_endpoint"], data=form)
            keys = KeySet.import_key_set((await client.get(self.discovery["jwks_uri"])).json())
        token = answer.json()["id_token"]
        return token, dict(jwt.decode(token, keys, algorithms=["ES256"]).claims)

    async def both_framed(self) -> None:
        async with asyncio.timeout(GIVE_UP_SECONDS), self.changed:
            await self.changed.wait_for(lambda: len(self.framed) == len(SYSTEMS))

    def app(self) -> Starlette:
        """Their pages: where answers arrive, one that asks by POST, one that logs out."""

        async def receive(request: Request) -> Response:
            posted = dict(parse_qsl((await request.body()).decode()))
            told = {"query": dict(request.query_params), "posted": posted}
            return HTMLResponse(
                f"<h1>Here</h1><script type=json id=told>{json.dumps(told)}</script>"
            )

        async def ask(request: Request) -> Response:
            system = request.path_params["system"]
            fields = "".join(
                f'<input type="hidden" name="{name}" value="{value}">'
                for name, value in self.request(system, prompt="none").items()
            )
            method, where = request.query_params["method"], f"{self.broker}/oidc/authorize"
            form = f'<form method="{method}" action="{where}">{fields}<button>Ask</button></form>'
            return HTMLResponse(form)

        async def leave(request: Request) -> Response:
            assert request.headers["sec-fetch-dest"] == "iframe"
            self.framed[request.path_params["system"]] = dict(request.query_params)
            async with self.changed:
                self.changed.notify_all()
            return HTMLResponse("<p>Out</p>", headers={"cache-control": "no-store"})

        return Starlette(
            routes=[
                Route("/cb/{system}", receive, methods=["GET", "POST"]),
                Route("/ask/{system}", ask),
                Route("/leave/{system}", leave),
            ]
        )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world of its own, in which suppliers' pages of logging out are shown."""
    rules = {"logout_wait_seconds": 0, "front_channel_logout": True}
    async with open_world(settings={"sessions": rules}) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def suppliers(world: World) -> AsyncIterator[Suppliers]:
    """Both of them, served, registered and known to the broker."""
    with listening({Party.REKENRIJK: FREE_PORTS[Party.REKENRIJK]}) as sockets:
        port = sockets[Party.REKENRIJK].getsockname()[1]
        origins = {system: f"http://{host}:{port}" for system, host in SYSTEMS.items()}
        made = Suppliers(world.at[Party.BROKER], origins)
        bundle = world.folder / "bundle-answers.toml"
        bundle.write_text(write_toml(documents(made), comment="Two suppliers."))
        await apply(world, bundle)
        async with serving({Party.REKENRIJK: made.app()}, sockets=sockets):
            async with httpx2.AsyncClient() as client:
                where = f"{made.broker}/.well-known/openid-configuration"
                made.discovery = (await client.get(where)).json()
            yield made


def documents(suppliers: Suppliers) -> dict[str, Any]:
    found: dict[str, Any] = {"supplier": [], "agreement": []}
    for system, origin in suppliers.origins.items():
        party = {
            "id": system,
            "protocol": "oidc",
            "profile": "compat",
            "client_id": system,
            "redirect_uris": [suppliers.callback(system)],
            "client_secret_hash": hash_client_secret(SECRET),
            "frontchannel_logout_uri": f"{origin}/leave/{system}?of={system}",
        }
        supplier = {"id": system, "legal_name": system.title(), "state": "test"}
        agreement = {"school": "kompas", "supplier": system, "version": 1, "approved": []}
        found["supplier"].append({**supplier, "relying_party": [party]})
        found["agreement"].append({**agreement, "from": date(2024, 8, 1)})
    app = {"id": "gamma", "protocol": "oidc", "profile": "native", "client_id": "gamma"}
    app |= {"authentication": "none", "redirect_uris": [APP]}
    found["supplier"].append(
        {"id": "gamma", "legal_name": "Gamma", "state": "test", "relying_party": [app]}
    )
    agreement = {"school": "vuurvogel", "supplier": "gamma", "version": 1, "approved": []}
    found["agreement"].append({**agreement, "from": date(2024, 8, 1)})
    return found


async def log_in(page: Page, suppliers: Suppliers, system: str, **changes: str) -> None:
    """Do what a pupil does, as far as its login at school."""
    await page.goto(suppliers.begin(system, **changes))
    await page.locator("button[name=school][value=kompas]").first.click()
    await page.locator("button[name=pupil][value=noor]").click()


async def arrived(page: Page, suppliers: Suppliers, system: str) -> dict[str, dict[str, str]]:
    """Return what reached a supplier's page, which must be the one in this tab."""
    await expect(page.get_by_role("heading", level=1)).to_have_text("Here")
    assert page.url.partition("?")[0] == suppliers.callback(system)
    told: dict[str, dict[str, str]] = json.loads(await page.locator("#told").text_content() or "")
    return told


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("system", SYSTEMS)
async def test_an_answer_is_posted_with_javascript_and_without(
    chromium: Browser, suppliers: Suppliers, system: str, script: bool
) -> None:
    """OAuth 2.0 Form Post Response Mode 2: the content policy lets the one form through."""
    page = await open_page(chromium, java_script_enabled=script, locale="nl-NL")
    await log_in(page, suppliers, system, response_mode="form_post", state='"><b>')
    if not script:
        await page.get_by_role("button", name="Verder").click()
    told = await arrived(page, suppliers, system)
    assert told["query"] == {}
    assert told["posted"].keys() == {"code", "state", "iss"}
    assert told["posted"]["state"] == '"><b>'
    assert told["posted"]["iss"] == suppliers.broker
    _, claims = await suppliers.redeem(system, told["posted"]["code"])
    assert claims["aud"] == system
    await page.context.close()


@pytest.mark.parametrize("script", [True, False])
async def test_an_error_is_posted_too(
    chromium: Browser, suppliers: Suppliers, script: bool
) -> None:
    page = await open_page(chromium, java_script_enabled=script, locale="nl-NL")
    await page.goto(suppliers.begin("beta", response_mode="form_post", prompt="none"))
    if not script:
        await page.get_by_role("button", name="Verder").click()
    told = (await arrived(page, suppliers, "beta"))["posted"]
    assert (told["error"], told["state"]) == ("login_required", "lesson-3")
    await page.context.close()


async def test_an_app_takes_its_answer_from_a_page_that_names_nobody(
    chromium: Browser, suppliers: Suppliers
) -> None:
    """The browser hands the address over and stays where it was, on a device that pupils share."""
    page = await open_page(chromium, locale="nl-NL")
    verifier = secrets.token_urlsafe(48)
    asked = {
        "client_id": "gamma",
        "redirect_uri": APP,
        "code_challenge": create_s256_code_challenge(verifier),
        "code_challenge_method": "S256",
    }
    await page.goto(suppliers.begin("beta", **asked))
    await page.locator("button[name=school][value=vuurvogel]").first.click()
    await page.locator("button[name=pupil][value=sanne]").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Hoi Sanne!")
    await page.get_by_role("button", name="Verder").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ga verder in je app")
    await check_page(page, language="nl")
    assert "Sanne" not in await page.content()
    opens = await page.get_by_role("link", name="Open de app").get_attribute("href")
    assert opens is not None
    assert opens.startswith(APP + "?")
    told = dict(parse_qsl(opens.partition("?")[2]))
    assert told["state"] == "lesson-3"
    form = {"grant_type": "authorization_code", "code": told["code"], "redirect_uri": APP}
    form |= {"client_id": "gamma", "code_verifier": verifier}
    async with httpx2.AsyncClient() as app:
        answer = await app.post(suppliers.discovery["token_endpoint"], data=form)
    assert answer.json()["id_token"], answer.text
    await page.context.close()


async def test_a_request_by_post_from_another_site_brings_no_session(
    chromium: Browser, suppliers: Suppliers
) -> None:
    """OIDC Core 3.1.2.1 knows both ways; a session's cookie is SameSite=Lax, so by POST a browser
    brings it from its own site alone. The README says so among the divergences.
    """
    page = await open_page(chromium, locale="nl-NL")
    await log_in(page, suppliers, "alfa")
    assert (await arrived(page, suppliers, "alfa"))["query"]["code"]
    for system, method, brings in (
        ("alfa", "get", True),
        ("alfa", "post", False),
        ("beta", "post", True),
    ):
        await page.goto(f"{suppliers.origins[system]}/ask/{system}?method={method}")
        await page.get_by_role("button", name="Ask").click()
        told = (await arrived(page, suppliers, system))["query"]
        if brings:
            assert told["code"], (system, method)
        else:
            assert told["error"] == "login_required"
    await page.context.close()


async def test_logging_out_shows_each_supplier_s_own_page_in_a_frame(
    chromium: Browser, suppliers: Suppliers
) -> None:
    """Front-Channel Logout 1.0 2 and 3: issuer and `sid` in the address, no cookie is needed."""
    page = await open_page(chromium, locale="nl-NL")
    blocked: list[str] = []
    page.on("console", lambda each: blocked.append(each.text))
    await log_in(page, suppliers, "alfa")
    code = (await arrived(page, suppliers, "alfa"))["query"]["code"]
    token, claims = await suppliers.redeem("alfa", code)
    sids = {"alfa": claims["sid"]}
    await page.goto(suppliers.begin("beta"))
    code = (await arrived(page, suppliers, "beta"))["query"]["code"]
    sids["beta"] = (await suppliers.redeem("beta", code))[1]["sid"]
    assert sids["alfa"] != sids["beta"]

    blocked.clear()
    suppliers.framed.clear()
    where = suppliers.discovery["end_session_endpoint"]
    shown = await page.goto(f"{where}?{urlencode({'id_token_hint': token})}")
    assert shown is not None
    await suppliers.both_framed()
    assert suppliers.framed == {
        system: {"of": system, "iss": suppliers.broker, "sid": sids[system]} for system in SYSTEMS
    }
    policy = dict(
        each.partition(" ")[::2] for each in shown.headers["content-security-policy"].split("; ")
    )
    assert set(policy["frame-src"].split()) == set(suppliers.origins.values())
    assert [each for each in blocked if "Content Security Policy" in each] == []
    await expect(page.get_by_role("heading", level=1)).to_have_text("Je bent hier uitgelogd")
    await page.context.close()
