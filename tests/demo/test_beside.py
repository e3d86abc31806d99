"""The parties beside a broker that runs elsewhere on their folder."""

from pathlib import Path

import httpx2
import pytest

from broker.demo.addresses import FREE_PORTS, Party, listening
from broker.demo.run import parties_beside
from broker.settings import load_settings
from tests.redis_server import a_free_port

pytestmark = pytest.mark.servers

ISSUER = "https://login.schuilnaam.localhost:8443"


async def test_everybody_runs_but_the_broker(tmp_path: Path) -> None:
    ports = {party: a_free_port() for party in FREE_PORTS}
    folder = tmp_path / "demo"
    async with (
        parties_beside(folder, issuer=ISSUER, ports=ports) as world,
        httpx2.AsyncClient(trust_env=False) as client,
    ):
        page = await client.get(f"http://127.0.0.1:{ports[Party.START_PAGE]}/")
        assert page.status_code == 200
        assert "https://rekenrijk.schuilnaam.localhost:8443" in page.text
        with listening({Party.BROKER: ports[Party.BROKER]}):
            pass  # nobody took the broker's port
        loaded = load_settings(folder, environment={})
    assert loaded.settings.issuer == world.addresses[Party.BROKER] == ISSUER
    assert (folder / "keys" / "root" / "root.hex").exists()
    assert "kompas.schuilnaam.localhost" in loaded.settings.fetch_allowed_hosts
