"""Authlib supplier against the joserfc school: the demo's two sides of OpenID Connect.

Both run as servers on loopback, because Authlib's client makes its own connections.
"""

import base64
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc.jwk import ECKey

from broker.demo.addresses import Party, addresses_of, listening
from broker.demo.oidc_school import (
    CLAIM_NAMES,
    OidcSchool,
    OidcSchoolSettings,
    RequestRefused,
    read_request,
)
from broker.demo.oidc_supplier import OidcSupplier, OidcSupplierSettings
from broker.demo.oidc_tokens import (
    ASSERTION_TYPE,
    ClientRefused,
    OidcClientSettings,
    check_client_secret_basic,
    check_private_key_jwt,
)
from broker.demo.peers import PeerDocument
from broker.demo.people import KOMPAS, PEOPLE
from broker.demo.servers import serving
from broker.demo.start_scenarios import Text
from broker.demo.supplier import Exercises, SupplierPages
from tests.demo.browser import press

NOOR = next(each for each in PEOPLE if each.id == "noor")
KEYS = {
    each: ECKey.generate_key("P-256", parameters={"use": "sig"}, auto_kid=True)
    for each in ("school", "supplier")
}


@pytest.fixture
async def world() -> AsyncIterator[SimpleNamespace]:
    with listening({Party.KOMPAS: 0, Party.REKENRIJK: 0}) as sockets:
        urls = addresses_of(sockets)
        school_url, supplier_url = urls[Party.KOMPAS], urls[Party.REKENRIJK]
        supplier = OidcSupplierSettings(
            "rekenrijk", base_url=supplier_url, issuer=school_url, key=KEYS["supplier"]
        )
        client = OidcClientSettings("rekenrijk", supplier.redirect_uri)
        school = OidcSchoolSettings(KOMPAS, school_url, KEYS["school"], client)
        pages = SupplierPages(
            "rekenrijk",
            name="RekenRijk",
            tagline=Text("", ""),
            base_url=supplier_url,
            exercises=Exercises(),
        )
        apps = {
            Party.KOMPAS: OidcSchool(
                school, broker_jwks=PeerDocument(f"{supplier_url}/jwks.json")
            ).app(),
            Party.REKENRIJK: OidcSupplier(
                supplier,
                pages=pages,
                discovery=PeerDocument(f"{school_url}/.well-known/openid-configuration"),
            ).app(),
        }
        async with (
            serving(apps, sockets=sockets),
            httpx2.AsyncClient(follow_redirects=True, trust_env=False) as browser,
        ):
            yield SimpleNamespace(
                browser=browser, school=school_url, supplier=supplier_url, client=client
            )


async def log_in(world: SimpleNamespace, *, query: str = "", **fields: str) -> httpx2.Response:
    form = await world.browser.get(f"{world.supplier}/login{query}")
    return await press(world.browser, form, ("pupil", "noor"), **fields)


async def received(world: SimpleNamespace) -> httpx2.Response:
    return await world.browser.get(f"{world.supplier}/received.json")


async def test_a_fine_login_brings_what_the_school_knows(world: SimpleNamespace) -> None:
    page = await log_in(world, query="?target=/les/3&prompt=login")
    assert page.status_code == 200
    assert page.url.path == "/les/3"
    answer = (await received(world)).json()
    assert answer["protocol"] == "oidc"
    assert answer["subject"] == answer["claims"]["sub"] == NOOR.attributes["uid"][0]
    for name, values in NOOR.attributes.items():
        assert answer["claims"][CLAIM_NAMES[name]] in (values[0], list(values))


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        ("expired", "id_token (ExpiredTokenError)"),
        ("tampered", "id_token (BadSignatureError)"),
        ("cancelled", "access_denied"),
    ],
)
async def test_a_scenario_that_ends_without_login(
    world: SimpleNamespace, scenario: str, reason: str
) -> None:
    assert (await log_in(world, scenario=scenario)).status_code == 403
    assert (await received(world)).json() == {"error": reason}
    assert (await log_in(world, scenario="fine")).status_code == 200


async def test_a_school_that_is_down_answers_503(world: SimpleNamespace) -> None:
    assert (await log_in(world, scenario="down")).status_code == 503


@pytest.mark.parametrize(
    ("scenario", "missing"), [("no-eck-id", "eck_id"), ("missing-attribute", "roles")]
)
async def test_a_scenario_leaves_a_claim_out(
    world: SimpleNamespace, scenario: str, missing: str
) -> None:
    await log_in(world, scenario=scenario)
    claims = (await received(world)).json()["claims"]
    assert missing not in claims
    assert "pupil_number" in claims


async def test_hidden_fields_state_anything(world: SimpleNamespace) -> None:
    fields = {"name_id": "somebody", "state.nlEduPersonHomeOrganizationId": "11AA"}
    await log_in(world, **fields)
    answer = (await received(world)).json()
    assert answer["subject"] == "somebody"
    assert answer["claims"]["brin"] == "11AA"


async def test_prompt_none_is_answered_without_a_form(world: SimpleNamespace) -> None:
    page = await world.browser.get(f"{world.supplier}/login?prompt=none")
    assert page.status_code == 403
    assert (await received(world)).json() == {"error": "login_required"}
    await log_in(world)
    assert (await world.browser.get(f"{world.supplier}/login?prompt=none")).status_code == 200


async def test_the_request_is_plain_with_pkce(world: SimpleNamespace) -> None:
    answer = await world.browser.get(f"{world.supplier}/login", follow_redirects=False)
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["response_type"] == ["code"]
    assert {"state", "nonce"} <= asked.keys()
    assert not {"request", "request_uri"} & asked.keys()


async def test_a_code_works_once_and_an_answer_belongs_to_its_browser(
    world: SimpleNamespace,
) -> None:
    form = await world.browser.get(f"{world.supplier}/login")
    world.browser.follow_redirects = False
    answer = await press(world.browser, form, ("pupil", "noor"))
    callback = answer.headers["location"]
    async with httpx2.AsyncClient(trust_env=False) as stranger:
        assert (await stranger.get(callback)).status_code == 403
    assert (await world.browser.get(callback)).status_code == 303
    assert (await world.browser.get(callback)).status_code == 403
    form = await world.browser.get(f"{world.supplier}/login", follow_redirects=True)
    callback = (await press(world.browser, form, ("pupil", "noor"))).headers["location"]
    wrong = callback.replace("iss=http", "iss=https")
    assert (await world.browser.get(wrong)).status_code == 403


async def test_the_school_refuses_requests_that_do_not_hold(world: SimpleNamespace) -> None:
    browser, school = world.browser, world.school
    assert (await browser.get(f"{school}/authorize?client_id=other")).status_code == 400
    asked = {"client_id": "rekenrijk", "redirect_uri": world.client.redirect_uri}
    refused = await browser.post(f"{school}/authorize", data=asked, follow_redirects=False)
    assert "error=unsupported_response_type" in refused.headers["location"]
    assert (await browser.post(f"{school}/login", data={"pupil": "sanne"})).status_code == 400
    assert (await browser.post(f"{school}/login", data={"pupil": "noor"})).status_code == 400
    assert (await browser.post(f"{school}/token", data={})).status_code == 401
    assert (await browser.get(f"{school}/userinfo")).status_code == 401
    assert (await browser.get(school)).status_code == 200
    discovery = (await browser.get(f"{school}/.well-known/openid-configuration")).json()
    keys = (await browser.get(discovery["jwks_uri"])).json()["keys"]
    assert all("d" not in each for each in keys)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_a_request_that_does_not_hold_is_refused(change: dict[str, str], error: str) -> None:
    good = {
        "response_type": "code",
        "scope": "openid",
        "redirect_uri": "http://x.test/",
        "code_challenge": "c",
        "code_challenge_method": "S256",
    }
    assert read_request(good).code_challenge == "c"
    with pytest.raises(RequestRefused) as refused:
        read_request(good | change)
    assert refused.value.error == error


def test_a_client_secret_is_checked() -> None:
    client = OidcClientSettings("broker", "http://x.test/", client_secret="right")

    def header(text: str) -> str:
        return "Basic " + base64.b64encode(text.encode()).decode()

    check_client_secret_basic(header("broker:right"), client=client)
    for wrong in (header("broker:wrong"), header("other:right"), "Basic !", "", "Bearer x"):
        with pytest.raises(ClientRefused):
            check_client_secret_basic(wrong, client=client)


def test_a_client_assertion_must_be_signed_by_the_client() -> None:
    client = OidcClientSettings("broker", "http://x.test/")
    jwks = json.loads(json.dumps({"keys": [KEYS["school"].as_dict(private=False)]}))
    for form in ({}, {"client_assertion_type": ASSERTION_TYPE, "client_assertion": "x"}):
        with pytest.raises(ClientRefused):
            check_private_key_jwt(form, client=client, jwks=jwks, audiences={"a"}, now=0)
