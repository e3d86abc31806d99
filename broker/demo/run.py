"""`broker demo`: set the whole world up anew in one folder and run it on loopback.

Every start resets the folder: keys, databases and documents of the last one are gone. The folder
serves as `--config DIR` for commands that are run beside the demo.
"""

import asyncio
import contextlib
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.adapters.federation_files import open_documents
from broker.adapters.keys.keys_init import init_keys
from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.watching.logs import configure_logs
from broker.adapters.xml.xml_security import LxmlSecurity
from broker.app import build_broker
from broker.demo.actions import Stage
from broker.demo.addresses import (
    ALL_ON_LOCALHOST,
    DEMO_PORTS,
    LOOPBACK,
    Addresses,
    Party,
    addresses_beside,
    addresses_of,
    listening,
)
from broker.demo.console_users import give_roles
from broker.demo.federation import EACH_ITS_OWN, DemoFederation, write_federation
from broker.demo.putting_back import keep_first_state
from broker.demo.servers import TlsFiles
from broker.demo.sheets import write_draft
from broker.demo.toml_writer import Table, write_toml
from broker.demo.world import running
from broker.flow.federation.change import Compiler, check_apply
from broker.flow.federation.discovery import FetchFailed
from broker.flow.federation.documents import read_documents
from broker.settings import LoadedSettings, load_settings

LOG_FILE = "broker.log"
EVERYWHERE = "0.0.0.0"  # inside a container of its own

MARK = ".schuilnaam-demo"
"""A file by which a folder shows that it is a demo's, so that nothing else is ever wiped."""


class NotADemoFolder(Exception):  # noqa: N818 -- told to the person at the keyboard
    """The folder holds something that no demo made; it is left alone."""


@dataclass(frozen=True, slots=True)
class PreparedWorld:
    """A folder in which everything is set up, and what runs in it."""

    loaded: LoadedSettings
    federation: DemoFederation
    addresses: Addresses

    @property
    def stage(self) -> Stage:
        """What the start page's actions change."""
        return Stage(self.loaded, self.addresses)


def prepare_world(
    folder: Path,
    addresses: Addresses,
    *,
    serves: Mapping[str, Sequence[str]] = EACH_ITS_OWN,
    ca_file: Path | None = None,
    settings: Table | None = None,
) -> PreparedWorld:
    """Wipe a demo folder and set it up anew: settings, keys, documents, registry.

    Args:
        serves: identity provider -> schools, for worlds in which one serves several.
        settings: tables laid over the demo's own, for tests.

    Raises:
        NotADemoFolder: the folder is not empty and no demo's.
    """
    reset_folder(folder)
    table = {
        "issuer": addresses[Party.BROKER],
        "logging": {"file": LOG_FILE},  # for `broker trace`
        "fetch_allowed_hosts": sorted(
            {urlsplit(each).hostname or "" for each in addresses.values()}
        ),
        **(settings or {}),
    }
    (folder / "broker.toml").write_text(
        write_toml(table, comment="Settings of the demo: written at each start.")
    )
    loaded = load_settings(folder, environment={})
    init_keys(loaded.keys_folder, now=datetime.now(UTC), issuer_name=addresses[Party.BROKER])
    federation = write_federation(folder, addresses, serves=serves, ca_file=ca_file)
    apply_documents(loaded, [folder / "federation"])
    give_roles(loaded)
    write_draft(loaded)
    keep_first_state(loaded)
    return PreparedWorld(loaded, federation, addresses)


def reset_folder(folder: Path) -> None:
    """Empty a folder that a demo made, or make it."""
    if folder.exists():
        if any(folder.iterdir()) and not (folder / MARK).exists():
            raise NotADemoFolder(f"{folder} is not empty and was not made by a demo")
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True)
    (folder / MARK).touch()


def apply_documents(loaded: LoadedSettings, paths: Sequence[Path]) -> None:
    """Put documents in force in an empty registry; nothing is fetched."""
    loaded.data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = loaded.data_folder / "registry.db"
    upgrade_database(database, "registry")
    store = SqliteRegistry(database)

    def refuse_fetch(url: str) -> str:
        raise FetchFailed(url)

    change = check_apply(
        store,
        read_documents(open_documents(paths)),
        prune=False,
        compiler=Compiler(
            xml=LxmlSecurity(),
            newest_epoch=load_keys(loaded.keys_folder).pairwise.newest,
            fetch=refuse_fetch,
        ),
    )
    store.write(change, by="demo", at=datetime.now(UTC))


@contextlib.asynccontextmanager
async def demo_world(
    folder: Path,
    *,
    ports: Mapping[Party, int] = DEMO_PORTS,
    serves: Mapping[str, Sequence[str]] = EACH_ITS_OWN,
    say: Callable[[str], None] = lambda _line: None,
    hosts: Mapping[Party, str] = ALL_ON_LOCALHOST,
    tls: TlsFiles | None = None,
    ca_file: Path | None = None,
    settings: Table | None = None,
) -> AsyncIterator[PreparedWorld]:
    """Set the world up and run it, the broker included, while the context lasts.

    Args:
        hosts: name of each party; the machine must find it on loopback.
        tls: serve https; the certificate names every host, `ca_file` holds who signed it.

    Raises:
        PortTaken, NotADemoFolder: it cannot start.
    """
    with listening(ports) as sockets:
        addresses = addresses_of(sockets, hosts=hosts, scheme="http" if tls is None else "https")
        world = prepare_world(folder, addresses, serves=serves, ca_file=ca_file, settings=settings)
        broker = with_start_page(
            build_broker(world.loaded, ca_file=ca_file), addresses[Party.START_PAGE] + "/"
        )
        async with running(
            world.federation,
            addresses,
            sockets=sockets,
            broker=broker,
            stage=world.stage,
            ca_file=ca_file,
            tls=tls,
            say=say,
        ):
            yield world


@contextlib.asynccontextmanager
async def parties_beside(
    folder: Path,
    *,
    issuer: str,
    ports: Mapping[Party, int] = DEMO_PORTS,
    host: str = LOOPBACK,
    say: Callable[[str], None] = lambda _line: None,
    ca_file: Path | None = None,
) -> AsyncIterator[PreparedWorld]:
    """Set the world up and run everybody but the broker, which runs elsewhere on this folder.

    Args:
        issuer: address of the broker; a proxy leads to the others by names beside it.
        host: where they listen.
        ca_file: certificate authority of that proxy, when not a public one.

    Raises:
        PortTaken, NotADemoFolder: it cannot start.
    """
    addresses = addresses_beside(issuer)
    others: dict[Party, int] = {**ports}
    del others[Party.BROKER]
    with listening(others, host=host) as sockets:
        world = prepare_world(folder, addresses, ca_file=ca_file)
        async with running(
            world.federation,
            addresses,
            sockets=sockets,
            stage=world.stage,
            ca_file=ca_file,
            say=say,
        ):
            yield world


def with_start_page(broker: ASGIApp, start_page: str) -> ASGIApp:
    """Return the broker, whose bare address leads to the demo's start page."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/":
            await RedirectResponse(start_page, status_code=303)(scope, receive, send)
        else:
            await broker(scope, receive, send)

    return app


async def run_demo(
    folder: Path,
    *,
    say: Callable[[str], None],
    issuer: str | None = None,
    ca_file: Path | None = None,
) -> None:
    """Run the demo on its fixed ports until SIGINT or SIGTERM.

    Args:
        issuer: address of a broker that runs elsewhere; without it, the broker is part of the demo.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    world = (
        demo_world(folder, say=say)
        if issuer is None
        else parties_beside(folder, issuer=issuer, host=EVERYWHERE, say=say, ca_file=ca_file)
    )
    async with world:
        configure_logs(level="info", file=folder / LOG_FILE)
        await stop.wait()
    say("Stopped.")
