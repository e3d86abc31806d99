"""One login at school for several suppliers, and logging out of all of them, over HTTP."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from lxml import html

from broker.demo.addresses import Party
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.visitor import Visitor
from tests.journeys.waiting import until

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld):  # type: ignore[no-untyped-def]
    """A world in which nobody waits before a supplier is told."""
    async with open_world(settings={"sessions": {"logout_wait_seconds": 0}}) as opened:
        yield opened


async def opened(visitor: Visitor, party: Party) -> bool:
    """Open material, and tell whether that needed neither a school nor a login there."""
    await visitor.open_material(party)
    await visitor.pass_on()
    return visitor.is_at(party)


async def test_one_login_serves_the_next_supplier(visitor: Visitor) -> None:
    first = await visitor.log_in(Party.REKENRIJK, "kompas", "noor")
    for party in (Party.BIOSFEER_OIDC, Party.BIOSFEER_SAML, Party.REKENRIJK):
        assert await opened(visitor, party)
        received = await visitor.received(party)
        assert (received["subject"] == first["subject"]) == (party is Party.REKENRIJK)


async def test_shared_devices_have_no_session(visitor: Visitor) -> None:
    await visitor.log_in(Party.REKENRIJK, "vuurvogel", "sanne")
    assert not await opened(visitor, Party.BIOSFEER_OIDC)
    assert visitor.shows("school", "vuurvogel")
    assert not [name for name in visitor.client.cookies if name.startswith("session")]


async def test_asking_for_a_new_login_reaches_the_school(visitor: Visitor) -> None:
    await visitor.log_in(Party.REKENRIJK, "kompas", "noor")
    await visitor.open_material(Party.BIOSFEER_OIDC, prompt="login", idp_hint="kompas")
    assert visitor.shows("pupil", "noor")


async def test_without_a_page_a_session_answers_and_nobody_else(visitor: Visitor) -> None:
    await visitor.open_material(Party.REKENRIJK, prompt="none")
    assert "login_required" in visitor.text
    await visitor.log_in(Party.BIOSFEER_OIDC, "kompas", "noor")
    await visitor.open_material(Party.REKENRIJK, prompt="none")
    assert (await visitor.received(Party.REKENRIJK))["subject"]


async def test_logging_out_at_one_supplier_reaches_the_others(
    world: World, browsers: Callable[[], Visitor]
) -> None:
    visitor = browsers()
    await visitor.log_in(Party.REKENRIJK, "kompas", "noor")
    assert await opened(visitor, Party.BIOSFEER_OIDC)
    page = await visitor.client.post(world.at[Party.REKENRIJK] + "/logout")
    visitor.page = page
    assert visitor.is_at(Party.BROKER)
    assert "RekenRijk" in visitor.text
    assert "error" in await visitor.received(Party.REKENRIJK)

    async def is_out() -> bool:
        return "error" in await visitor.received(Party.BIOSFEER_OIDC)

    await until(is_out)

    async def page_says_so() -> bool:
        visitor.page = await visitor.client.get(str(page.url))
        return 'data-out="waiting"' not in visitor.page.text

    await until(page_says_so)
    assert visitor.page.text.count('data-out="yes"') == 2
    assert "<iframe" not in visitor.page.text  # front-channel logout is off unless it is set
    assert "frame-src" not in visitor.page.headers["content-security-policy"]
    assert not await opened(visitor, Party.BIOSFEER_OIDC)
    assert visitor.shows("school", "kompas")


async def test_who_took_part_alone_goes_straight_back(
    world: World, browsers: Callable[[], Visitor]
) -> None:
    visitor = browsers()
    await visitor.log_in(Party.REKENRIJK, "kompas", "noor")
    visitor.page = await visitor.client.post(world.at[Party.REKENRIJK] + "/logout")
    assert visitor.is_at(Party.REKENRIJK)
    assert parse_qs(urlsplit(str(visitor.page.url)).query)["state"]
    assert not await opened(visitor, Party.BIOSFEER_OIDC)


async def test_a_logout_may_be_asked_by_post(world: World, browsers: Callable[[], Visitor]) -> None:
    """RP-Initiated Logout 1.0 2: so that no token stands in the browser's history."""
    visitor = browsers()
    await visitor.log_in(Party.REKENRIJK, "kompas", "noor")
    by_get = await visitor.client.post(
        world.at[Party.REKENRIJK] + "/logout", follow_redirects=False
    )
    asked = {
        name: values[0]
        for name, values in parse_qs(urlsplit(by_get.headers["location"]).query).items()
    }
    assert {"id_token_hint", "post_logout_redirect_uri", "state"} <= asked.keys()
    where = world.at[Party.BROKER] + "/oidc/end-session"
    begun = await visitor.client.post(where, data=asked, follow_redirects=False)
    assert begun.status_code == 303
    assert begun.headers["location"].startswith("/logout?logout=")
    assert "id_token_hint" not in begun.headers["location"]
    visitor.page = await visitor.client.get(world.at[Party.BROKER] + begun.headers["location"])
    assert visitor.is_at(Party.REKENRIJK)
    assert visitor.parameter("state") == asked["state"]
    assert not await opened(visitor, Party.BIOSFEER_OIDC)


async def test_without_a_proof_a_button_is_asked_for(
    world: World, browsers: Callable[[], Visitor]
) -> None:
    visitor = browsers()
    await visitor.log_in(Party.REKENRIJK, "kompas", "noor")
    await visitor.visit(Party.BROKER, "/oidc/end-session", state="x")
    assert visitor.shows("continue")
    assert await opened(visitor, Party.BIOSFEER_OIDC)  # nothing happened
    await visitor.visit(Party.BROKER, "/logout")
    assert visitor.shows("continue")
    await visitor.press("continue")
    assert visitor.path == "/logout"
    assert not visitor.shows("continue")
    assert not await opened(visitor, Party.BIOSFEER_OIDC)


@pytest.mark.parametrize(
    "parameters",
    [
        {"id_token_hint": "modified"},
        {"client_id": "rekenrijk", "post_logout_redirect_uri": "https://evil.example/"},
    ],
)
async def test_what_is_wrong_ends_on_a_page_of_ours(
    browsers: Callable[[], Visitor], parameters: dict[str, str]
) -> None:
    visitor = browsers()
    await visitor.visit(Party.BROKER, "/oidc/end-session", **parameters)
    assert visitor.page.status_code == 400
    assert visitor.is_at(Party.BROKER)
    assert 'href="/logout"' in visitor.page.text  # a way on: nobody is logged out yet


async def test_a_page_of_logging_out_that_is_over_offers_another(
    browsers: Callable[[], Visitor],
) -> None:
    visitor = browsers()
    await visitor.visit(Party.BROKER, "/logout", logout="of-yesterday")
    assert "E-LOGOUT-4" in visitor.text
    assert 'href="/logout"' in visitor.page.text
    await visitor.visit(Party.BROKER, "/logout")
    assert visitor.shows("continue")


async def test_who_does_not_want_to_log_out_goes_back(
    world: World, browsers: Callable[[], Visitor]
) -> None:
    visitor = browsers()
    await visitor.visit(Party.BROKER, "/oidc/end-session", client_id="rekenrijk")
    assert visitor.shows("continue")
    assert f'href="{world.at[Party.REKENRIJK]}/"' in visitor.page.text


async def test_two_systems_of_one_name_are_told_apart(
    world: World, browsers: Callable[[], Visitor]
) -> None:
    visitor = browsers()
    await visitor.log_in(Party.REKENRIJK, "kompas", "noor")
    for party in (Party.BIOSFEER_OIDC, Party.BIOSFEER_SAML):
        assert await opened(visitor, party)
    visitor.page = await visitor.client.post(world.at[Party.REKENRIJK] + "/logout")
    told = html.fromstring(visitor.page.content).find_class("schuilnaam-place-host")
    assert {each.text_content() for each in told} == {
        urlsplit(world.at[each]).netloc for each in (Party.BIOSFEER_OIDC, Party.BIOSFEER_SAML)
    }


async def test_a_strangers_token_logs_nobody_else_out(
    world: World, browsers: Callable[[], Visitor]
) -> None:
    stranger, victim = browsers(), browsers()
    received = await stranger.log_in(Party.REKENRIJK, "kompas", "noor")
    assert received["claims"]["sid"]
    await victim.log_in(Party.BIOSFEER_OIDC, "kompas", "noor")
    logout = await stranger.client.post(
        world.at[Party.REKENRIJK] + "/logout", follow_redirects=False
    )
    victim.page = await victim.client.get(logout.headers["location"])
    assert victim.is_at(Party.BROKER)
    assert await opened(victim, Party.BIOSFEER_OIDC)
    assert await opened(stranger, Party.BIOSFEER_OIDC)


async def test_a_supplier_learns_nothing_of_others_by_logging_its_pupil_out(
    world: World, browsers: Callable[[], Visitor]
) -> None:
    """It shows its pupil's ID token itself, and reads the page: a pupil's browser is not there."""
    pupil, server = browsers(), browsers()
    await pupil.log_in(Party.REKENRIJK, "kompas", "noor")
    assert await opened(pupil, Party.BIOSFEER_OIDC)
    logout = await pupil.client.post(world.at[Party.REKENRIJK] + "/logout", follow_redirects=False)
    token = parse_qs(urlsplit(logout.headers["location"]).query)["id_token_hint"][0]
    await server.visit(Party.BROKER, "/oidc/end-session", id_token_hint=token)
    assert server.page.status_code == 200
    assert not {"Biosfeer", "Kompas", "kompas"} & set(server.page.text.replace("<", " ").split())
    assert "biosfeer" not in server.page.text.lower()
    assert await opened(pupil, Party.BIOSFEER_OIDC)
