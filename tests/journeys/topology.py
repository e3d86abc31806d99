"""The package as processes: nginx with `docker/nginx`, brokers, one Redis, one data folder.

The demo's parties run beside it in the test's own event loop, and know the broker by the https
address of nginx alone.
"""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from broker.demo.addresses import FREE_PORTS, Addresses, Party, addresses_of, listening
from broker.demo.peers import tls_trust
from broker.demo.run import prepare_world
from broker.demo.world import running
from tests.docker.nginx import CLIENTS_HOST, HOST, Nginx, write_site
from tests.journeys.certificates import MadeCertificate, make_certificate
from tests.journeys.resting_connections import BrowserTransport
from tests.journeys.visitor import TIMEOUT_SECONDS, Visitor
from tests.redis_server import RedisServer, a_free_port

DOCKER = Path(__file__).parents[2] / "docker"
GIVE_UP_SECONDS = 60  # only a fault takes so long


@dataclass(slots=True)
class BrokerProcess:
    """One `broker serve`, by a port of its own.

    Attributes:
        environment: that it gets beside ours.
    """

    config_folder: Path
    port: int = field(default_factory=a_free_port)
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.config_folder / f"broker-{self.port}.log"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "broker", "serve"),
                    *("--config", str(self.config_folder), *self.options),
                ],
                env={**os.environ, **self.environment, "BROKER_SERVER__PORT": str(self.port)},
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    async def until_ready(self) -> None:
        """Return when it says that somebody can log in."""
        async with asyncio.timeout(GIVE_UP_SECONDS), httpx2.AsyncClient() as client:
            while True:
                assert self.process is not None
                assert self.process.poll() is None, self.log.read_text()
                with contextlib.suppress(httpx2.TransportError):
                    said = await client.get(f"http://127.0.0.1:{self.port}/health/ready")
                    if said.status_code == 200:
                        return
                await asyncio.sleep(0)

    def workers_seen(self) -> set[str]:
        """Return the names of the workers that answered anything so far."""
        return set(re.findall(r'"event":"request","worker":"([^"]+)"', self.log.read_text()))

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop, and return its exit status when it did."""
        assert self.process is not None
        process, self.process = self.process, None
        process.send_signal(number)
        return await asyncio.to_thread(process.wait)


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything that runs."""

    addresses: Addresses
    certificate: MadeCertificate
    nginx: Nginx
    brokers: tuple[BrokerProcess, ...]
    redis: RedisServer
    config_folder: Path

    @contextlib.asynccontextmanager
    async def somebody(self) -> AsyncIterator[Visitor]:
        """A person with a fresh browser that trusts nginx's certificate."""
        async with httpx2.AsyncClient(
            follow_redirects=True,
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
            transport=BrowserTransport(verify=tls_trust(self.certificate.ca_file)),
            headers={"accept-language": "en"},
        ) as client:
            yield Visitor(self.addresses, client)

    def served(self, broker: BrokerProcess) -> int:
        """Return how many requests nginx had answered by this broker."""
        return self.nginx.said.read_text().count(f"127.0.0.1:{broker.port}")


@contextlib.asynccontextmanager
async def running_topology(
    folder: Path,
    *,
    brokers: int = 2,
    options: tuple[str, ...] = (),
    client_authority: Path | None = None,
) -> AsyncIterator[Topology]:
    """Set everything up and run it while the context lasts.

    Args:
        options: of each `broker serve`.
        client_authority: certificate of who vouches for the certificates of suppliers' systems.
    """
    certificate = make_certificate(folder, hosts=[HOST, CLIENTS_HOST])
    secrets = make_secrets(folder / "secrets")
    redis = RedisServer(folder, redis_options(secrets))
    (folder / "nginx").mkdir()
    nginx = Nginx(folder / "nginx")
    ports = {party: port for party, port in FREE_PORTS.items() if party is not Party.BROKER}
    with contextlib.ExitStack() as stack:
        sockets = stack.enter_context(listening(ports))
        addresses = {
            **addresses_of(sockets),
            Party.BROKER: f"https://{HOST}:{nginx.https_port}",
        }
        world = prepare_world(
            folder / "config",
            addresses,
            ca_file=certificate.ca_file,
            settings={
                "certificates": {
                    "hops": ["127.0.0.1"],
                    "url": f"https://{CLIENTS_HOST}:{nginx.https_port}",
                },
                "logging": {},  # to standard error, which goes to `BrokerProcess.log`
                "store": {
                    "url": f"redis://broker@127.0.0.1:{redis.port}",
                    "password_file": str(secrets / "redis-password"),
                },
            },
        )
        config_folder = world.loaded.config_folder
        processes = tuple(BrokerProcess(config_folder, options=options) for _ in range(brokers))
        write_site(
            nginx.folder / "conf",
            https_port=nginx.https_port,
            http_port=nginx.http_port,
            brokers=[each.port for each in processes],
            certificate=certificate,
            client_authority=client_authority,
        )
        stack.enter_context(_ended(nginx, redis, processes))
        redis.start()
        nginx.start()
        for each in processes:
            each.start()
        async with running(
            world.federation, addresses, sockets=sockets, ca_file=certificate.ca_file
        ):
            for each in processes:
                await each.until_ready()
            yield Topology(addresses, certificate, nginx, processes, redis, config_folder)


def make_secrets(folder: Path) -> Path:
    """Have `docker/make-secrets` make what Redis and the brokers share; all of it is ours here."""
    script = DOCKER / "make-secrets"
    if os.geteuid() == 0:
        subprocess.run([script, folder], check=True, capture_output=True)
    else:  # only root gives files away: the same, without that line
        text = script.read_text().replace("chown ", ": ")
        subprocess.run(["bash", "-c", text, script, folder], check=True, capture_output=True)
    return folder


def redis_options(secrets: Path) -> tuple[str, ...]:
    """Return what makes a Redis that of `docker/redis`, but for its place."""
    return (
        "--include",
        str(DOCKER / "redis" / "redis.conf"),
        "--aclfile",
        f"{secrets}/redis-users",
    )


@contextlib.contextmanager
def _ended(nginx: Nginx, redis: RedisServer, brokers: tuple[BrokerProcess, ...]) -> Iterator[None]:
    try:
        yield
    finally:
        nginx.stop()
        for each in brokers:
            if each.process is not None:
                each.process.kill()
                each.process.wait()
        redis.kill()
