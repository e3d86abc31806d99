"""Whole logins through the package's own nginx, over https, by two brokers on one Redis."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from broker.demo.addresses import Party
from tests.journeys.topology import Topology, running_topology

pytestmark = pytest.mark.servers

LOGINS = [
    (Party.REKENRIJK, "vuurvogel", "sanne"),
    (Party.REKENRIJK, "kompas", "noor"),
    (Party.TAALTUIN, "vuurvogel", "sanne"),
    (Party.BIOSFEER_SAML, "kompas", "noor"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def topology(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Topology]:
    async with running_topology(tmp_path_factory.mktemp("topology")) as running:
        yield running


@pytest.mark.parametrize(("party", "school", "pupil"), LOGINS)
async def test_pupils_log_in(topology: Topology, party: Party, school: str, pupil: str) -> None:
    async with topology.somebody() as visitor:
        assert (await visitor.log_in(party, school, pupil))["subject"]


async def test_the_steps_of_logins_land_on_both_brokers(topology: Topology) -> None:
    before = [topology.served(each) for each in topology.brokers]
    async with topology.somebody() as visitor:
        await visitor.log_in(Party.REKENRIJK, "vuurvogel", "sanne")
    after = [topology.served(each) for each in topology.brokers]
    assert all(now > then for now, then in zip(after, before, strict=True))


async def test_nobody_is_another_person_on_another_broker(topology: Topology) -> None:
    subjects = set()
    for _ in range(4):
        async with topology.somebody() as visitor:
            received = await visitor.log_in(Party.REKENRIJK, "vuurvogel", "sanne")
            subjects.add(received["subject"])
    assert len(subjects) == 1


async def test_the_cookies_are_those_of_https(topology: Topology) -> None:
    async with topology.somebody() as visitor:
        await visitor.open_material(Party.REKENRIJK)
        ours = [each.name for each in visitor.client.cookies.jar if "login." in each.name]
        assert ours
        assert all(name.startswith("__Host-login.") for name in ours)


async def test_what_nginx_writes_down_tells_nobody_anything(
    topology: Topology, telling_values: frozenset[str]
) -> None:
    async with topology.somebody() as visitor:
        await visitor.log_in(Party.BIOSFEER_SAML, "kompas", "noor")
    said = topology.nginx.said.read_text()
    assert '"asked":"GET /oidc/callback"' in said
    assert [value for value in telling_values if value in said] == []
    for secret in ("code=", "state=", "SAMLRequest", "RelayState", "login=", "?"):
        assert secret not in said, secret
