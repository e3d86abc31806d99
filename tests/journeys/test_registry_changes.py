"""What a school or operator changes is in force while pupils log in; nothing is restarted."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from joserfc.jwk import ECKey

from broker.demo.addresses import FREE_PORTS, Party, listening
from broker.demo.keys import write_ec_key
from broker.demo.oidc_school import public_jwks
from broker.demo.oidc_supplier import OidcSupplier, OidcSupplierSettings
from broker.demo.peers import PeerDocument
from broker.demo.servers import serving
from broker.demo.start_scenarios import Text
from broker.demo.supplier import Exercises, SupplierPages
from broker.demo.toml_writer import write_toml
from broker.setting_tables import Times
from tests.journeys.commands import change, run_broker, run_program
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.visitor import Visitor, new_visitor
from tests.journeys.waiting import until_followed

pytestmark = pytest.mark.servers

IN_FORCE_WITHIN_MILLISECONDS = 2000


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world of its own: the others must not see what is changed here."""
    async with open_world() as opened:
        yield opened


def test_the_registry_is_looked_at_often_enough() -> None:
    assert Times().registry_poll_milliseconds < IN_FORCE_WITHIN_MILLISECONDS


async def test_a_school_withdraws_the_first_name_and_gives_it_back(
    world: World, browsers: Callable[[], Visitor]
) -> None:
    agreement = "agreements/vuurvogel-rekenrijk.toml"
    before = await browsers().log_in(Party.REKENRIJK, "vuurvogel", "sanne")
    assert before["claims"]["given_name"] == "Sanne"
    await change(
        world,
        agreement,
        ("version = 1", "version = 2"),
        ('approved = ["givenName"]', "approved = []"),
    )
    withheld = await browsers().log_in(Party.REKENRIJK, "vuurvogel", "sanne")
    assert withheld["subject"] == before["subject"]
    assert "given_name" not in withheld["claims"]
    await change(
        world,
        agreement,
        ("version = 2", "version = 3"),
        ("approved = []", 'approved = ["givenName"]'),
    )
    released = await browsers().log_in(Party.REKENRIJK, "vuurvogel", "sanne")
    assert released["subject"] == before["subject"]
    assert "given_name" in released["claims"]


async def test_a_changed_decision_stops_what_waits_for_a_button(
    world: World, browsers: Callable[[], Visitor]
) -> None:
    waiting = browsers()
    await waiting.open_material(Party.TAALTUIN)
    await waiting.choose("vuurvogel")
    await waiting.log_in_at_school("daan")
    await change(
        world,
        "agreements/vuurvogel-taaltuin.toml",
        ("version = 1", "version = 2"),
        ('approved = ["eduPersonAffiliation"]', "approved = []"),
    )
    received = await browsers().log_in(Party.TAALTUIN, "vuurvogel", "sanne")
    assert "eduPersonAffiliation" not in received["claims"]
    await waiting.go_on()
    assert "E-LOGIN-12" in waiting.text
    assert "error" in await waiting.received(Party.TAALTUIN)
    await waiting.choose("vuurvogel")  # "try again"
    await waiting.log_in_at_school("daan")
    await waiting.go_on()
    assert (await waiting.received(Party.TAALTUIN))["claims"] == {}


async def test_a_supplier_that_is_switched_off_is_refused_at_every_step(
    world: World, browsers: Callable[[], Visitor]
) -> None:
    at_chooser, at_school, at_button = browsers(), browsers(), browsers()
    for each in (at_chooser, at_school, at_button):
        await each.open_material(Party.BIOSFEER_SAML)
    for each in (at_school, at_button):
        await each.choose("vuurvogel")
    await at_button.log_in_at_school("sanne")
    await change(
        world, "suppliers/biosfeer.toml", ('id = "biosfeer"', 'id = "biosfeer"\nenabled = false')
    )
    newcomer = browsers()
    await newcomer.open_material(Party.BIOSFEER_SAML)
    assert newcomer.path != "/schools"
    await at_chooser.press("school", "vuurvogel")
    await at_school.log_in_at_school("sanne")
    await at_button.press("continue")
    for each in (at_chooser, at_school, at_button):
        assert each.is_at(Party.BROKER)
        assert each.page.status_code == 403, each.text
        assert "data-reference" in each.page.text
        assert "error" in await each.received(Party.BIOSFEER_SAML)
    await change(world, "suppliers/biosfeer.toml", ("\nenabled = false", ""))
    await newcomer.open_material(Party.BIOSFEER_SAML)
    assert newcomer.path == "/schools"


async def test_a_developer_adds_a_client_of_their_own(world: World, tmp_path: Path) -> None:
    with listening({Party.REKENRIJK: FREE_PORTS[Party.REKENRIJK]}) as sockets:
        base_url = f"http://localhost:{sockets[Party.REKENRIJK].getsockname()[1]}"
        key = write_ec_key(tmp_path, purpose="signing")
        bundle = tmp_path / "my-client.toml"
        bundle.write_text(write_toml(own_documents(base_url, key), comment="Mine."))
        assert "my-company" in await run_program("apply", "--config", world.folder, bundle)
        await until_followed(world)
        async with serving({Party.REKENRIJK: own_client(world, base_url, key)}, sockets=sockets):
            visitor = new_visitor({**world.at, Party.REKENRIJK: base_url})
            async with visitor.client:
                received = await visitor.log_in(Party.REKENRIJK, "kompas", "noor")
                assert received["claims"]["aud"] == "my-client"
                assert "given_name" not in received["claims"]
                await run_broker("apply", "--config", world.folder, bundle)
                visitor.client.cookies.clear()  # else the session answers without the school
                again = await visitor.log_in(Party.REKENRIJK, "kompas", "noor")
                assert again["subject"] == received["subject"]


def own_documents(base_url: str, key: ECKey) -> dict[str, Any]:
    """Return a bundle: a supplier with one client, and an agreement that approves no attribute."""
    client = {
        "id": "my-client",
        "protocol": "oidc",
        "start_url": f"{base_url}/",
        "client_id": "my-client",
        "redirect_uris": [f"{base_url}/callback"],
        "jwks": public_jwks(key),
    }
    supplier = {
        "id": "my-company",
        "legal_name": "My Company B.V.",
        "state": "test",
        "relying_party": [client],
    }
    agreement = {"school": "kompas", "supplier": "my-company", "version": 1, "approved": []}
    return {"supplier": [supplier], "agreement": [agreement | {"from": "2024-08-01"}]}


def own_client(world: World, base_url: str, key: ECKey) -> Any:
    """Return the developer's program."""
    issuer = world.at[Party.BROKER]
    settings = OidcSupplierSettings("my-client", base_url, issuer, key)
    pages = SupplierPages(
        "mine", name="Mine", tagline=Text("", ""), base_url=base_url, exercises=Exercises()
    )
    discovery = PeerDocument(issuer + "/.well-known/openid-configuration")
    return OidcSupplier(settings, pages=pages, discovery=discovery).app()


async def test_a_client_that_was_never_applied_is_not_known(world: World) -> None:
    async with httpx2.AsyncClient(trust_env=False) as browser:
        answer = await browser.get(
            world.at[Party.BROKER] + "/oidc/authorize",
            params={
                "client_id": "not-mine",
                "redirect_uri": "http://localhost:1/",
                "scope": "openid",
            },
        )
    assert answer.status_code in {400, 401, 403}
    assert "location" not in answer.headers
