"""The drill: everything is wiped and put back on an empty folder, and nobody notices.

The parties keep their own folder; the broker's is copied out of it, backed up, and deleted. What is
done in between is what the README tells under "When all is lost".
"""

import shutil
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from broker.app import build_broker
from broker.demo.addresses import FREE_PORTS, Party, addresses_of, listening
from broker.demo.run import PreparedWorld, prepare_world
from broker.demo.world import running
from broker.settings import load_settings
from tests.journeys.commands import run_broker, run_program
from tests.journeys.test_rotation import told
from tests.journeys.visitor import Visitor, new_visitor

pytestmark = pytest.mark.servers

LOGINS = (
    (Party.REKENRIJK, "vuurvogel", "sanne"),  # OpenID Connect after SAML, with ECK iD
    (Party.REKENRIJK, "vuurvogel", "daan"),  # without
    (Party.REKENRIJK, "kompas", "noor"),  # OpenID Connect on both sides
    (Party.TAALTUIN, "regenboog", "sanne"),  # SAML on both sides
    (Party.BIOSFEER_SAML, "kompas", "noor"),  # SAML after OpenID Connect
    (Party.BIOSFEER_OIDC, "vuurvogel", "els"),  # staff
    (Party.BIOSFEER_OIDC, "vuurvogel", "daan"),
)
NOTICE = "Dit krijgt Biosfeer"
NOBODY_LISTENS_PORT = 1


@dataclass(frozen=True, slots=True)
class Drill:
    """A world whose broker lives in a folder of its own.

    Attributes:
        config: the broker's folder, and nobody else's.
        safe: where people keep what they backed up.
    """

    world: PreparedWorld
    sockets: Mapping[Party, socket.socket]
    config: Path
    safe: Path

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Run all parties, and the broker from its folder, on the same ports as before."""
        loaded = load_settings(self.config, environment={})
        sockets = {party: each.dup() for party, each in self.sockets.items()}
        addresses = self.world.addresses
        async with running(
            self.world.federation, addresses, sockets=sockets, broker=build_broker(loaded)
        ):
            yield

    async def log_everybody_in(self) -> tuple[dict[object, str], list[str]]:
        """Return each pupil's pseudonym, and the pages on which the notice stood."""
        pseudonyms: dict[object, str] = {}
        notices: list[str] = []
        async with AsyncExitStack() as stack:
            for party, school, pupil in LOGINS:
                visitor = new_visitor(self.world.addresses)
                stack.push_async_callback(visitor.client.aclose)
                pseudonyms[party, school, pupil] = await self._log_in(
                    visitor, party, school, pupil, notices
                )
        return pseudonyms, notices

    async def _log_in(
        self, visitor: Visitor, party: Party, school: str, pupil: str, notices: list[str]
    ) -> str:
        await visitor.open_material(party)
        await visitor.choose(school)
        await visitor.log_in_at_school(pupil)
        if NOTICE in visitor.text:
            notices.append(pupil)
        await visitor.go_on()
        assert visitor.is_at(party), visitor.text
        received = await visitor.received(party)
        return str(received["subject"])


@pytest.fixture
def drill(tmp_path: Path) -> Iterator[Drill]:
    with listening(FREE_PORTS) as sockets:
        parties = tmp_path / "parties"
        world = prepare_world(
            parties,
            addresses_of(sockets),
            settings={"server": {"port": NOBODY_LISTENS_PORT}},
        )
        config, safe = tmp_path / "broker", tmp_path / "safe"
        config.mkdir()
        safe.mkdir()
        for name in ("broker.toml", "federation", "keys", "data"):
            shutil.move(parties / name, config / name)
        yield Drill(world, sockets, config, safe)


async def test_everything_is_lost_and_put_back(
    drill: Drill, telling_values: frozenset[str]
) -> None:
    config, safe = drill.config, drill.safe
    async with drill.serving():
        before, notices = await drill.log_everybody_in()
        assert "daan" in notices
        # The keys and the databases, while the broker serves.
        await run_broker(
            *("keys", "backup", "--config", config, "--to", safe / "keys"),
            *("--shares", "5", "--threshold", "3"),
        )
        await run_broker("backup", "--config", config, safe / "backup.tar")
    assert len(set(before.values())) == len(before)

    shutil.rmtree(config)

    told = await run_broker("restore", "--config", config, safe / "backup.tar")
    assert "keys restore" in told
    (bundle,) = (safe / "keys").glob("*.bundle")
    shares = sorted((safe / "keys").glob("share-*"))[1:4]
    told = await run_broker(
        *("keys", "restore", "--config", config, "--bundle", bundle),
        *(part for each in shares for part in ("--share", each)),
    )
    assert "as registry.db knows them" in told
    await run_broker("keys", "init", "--config", config)
    documents = config / "federation"
    assert "Nothing to do" in await run_broker("apply", "--config", config, "--prune", documents)
    assert "No problem found" in await run_broker("check", "--config", config)
    verified = await run_broker("receipts", "verify", "--config", config)
    assert verified.startswith(f"{len(LOGINS)} receipts")

    async with drill.serving():
        after, notices = await drill.log_everybody_in()
    assert after == before
    assert notices == []  # seen before, and that stays
    verified = await run_broker("receipts", "verify", "--config", config)
    assert verified.startswith(f"{2 * len(LOGINS)} receipts")

    kept = b"".join(each.read_bytes() for each in safe.rglob("*") if each.is_file())
    assert [each for each in telling_values if each.encode() in kept] == []


async def test_all_is_put_back_inside_a_window_and_the_documents_of_before_it(
    drill: Drill,
) -> None:
    """What is restored is the window too; going back to older documents moves no key."""
    config, safe = drill.config, drill.safe
    of = ("--config", config)
    agreement = config / "federation/agreements/vuurvogel-taaltuin.toml"
    async with drill.serving():
        old = await told_at_taaltuin(drill)
    await run_broker("keys", "init", *of, "--next-epoch")
    changed = agreement.read_text().replace("version = 1", "version = 2")
    assert changed != agreement.read_text()
    agreement.write_text(changed)
    await run_broker("apply", *of, agreement)
    await run_program("pseudonyms", "rotate", *of, "--supplier", "taaltuin")
    async with drill.serving():
        within = await told_at_taaltuin(drill)
        await run_broker(
            *("keys", "backup", *of, "--to", safe / "keys"),
            *("--shares", "3", "--threshold", "2"),
        )
        await run_broker("backup", *of, safe / "backup.tar")
    assert (within.previous, old.previous) == (old.subject, None)
    assert within.subject != old.subject

    shutil.rmtree(config)
    await run_broker("restore", *of, safe / "backup.tar")
    (bundle,) = (safe / "keys").glob("*.bundle")
    shares = sorted((safe / "keys").glob("share-*"))[:2]
    await run_broker(
        *("keys", "restore", *of, "--bundle", bundle),
        *(part for each in shares for part in ("--share", each)),
    )
    await run_broker("keys", "init", *of)
    async with drill.serving():
        assert await told_at_taaltuin(drill) == within

    went_back = await run_broker("apply", *of, "--to", "1")  # of before agreement and key changed
    assert "Nothing to do" not in went_back
    async with drill.serving():
        assert await told_at_taaltuin(drill) == within
    await run_program("pseudonyms", "rollback", *of, "--supplier", "taaltuin")
    async with drill.serving():
        assert await told_at_taaltuin(drill) == Told(old.subject, within.subject)


@dataclass(frozen=True, slots=True)
class Told:
    """By which names a supplier is told of somebody."""

    subject: str
    previous: str | None


async def told_at_taaltuin(drill: Drill) -> Told:
    visitor = new_visitor(drill.world.addresses)
    async with visitor.client:
        received = await visitor.log_in(Party.TAALTUIN, "vuurvogel", "sanne")
    return Told(received["subject"], told(received))
