"""The demo world, running once for all journeys, with a witness at every door.

All journeys run on the session's event loop, where the servers live. The search for telling values
comes last, so that it sees every journey.
"""

import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog
from playwright.async_api import Browser, async_playwright
from starlette.types import ASGIApp

import broker.demo.run
import broker.demo.world
import broker.resources
import broker.store_choice
from broker.adapters.watching.logs import SHUT_LOGGERS, configure_logs
from broker.adapters.watching.metrics import Metrics
from broker.app import build_broker
from broker.demo import servers
from broker.demo.addresses import FREE_PORTS, Addresses, Party
from broker.demo.run import PreparedWorld, demo_world
from tests.journeys.chromium import launch
from tests.journeys.visitor import Visitor, new_visitor
from tests.journeys.witness import Witness

HERE = Path(__file__).parent
LAST = "test_nothing_leaks.py"
LOG_FILE = "broker.log"
OTHER_LOG_FILE = "libraries.log"


@dataclass(frozen=True, slots=True)
class World:
    """A running world and who looks on."""

    prepared: PreparedWorld
    witness: Witness

    @property
    def at(self) -> Addresses:
        """Base URL of each party."""
        return self.prepared.addresses

    @property
    def folder(self) -> Path:
        """`--config` for commands beside it."""
        return self.prepared.loaded.config_folder


OpenWorld = Callable[..., contextlib.AbstractAsyncContextManager[World]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = [each for each in items if HERE in each.path.parents]
    for each in here:
        if isinstance(each, pytest.Function) and pytest_asyncio.is_async_test(each):
            each.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
    last = [each for each in here if each.path.name == LAST]
    items[:] = [each for each in items if each not in last] + last


@pytest.fixture(scope="session")
def witnesses() -> list[Witness]:
    """Everybody who looked on at some world, for the search."""
    return []


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """Logs as `broker serve` configures them, at the level that tells most; and the libraries'."""
    folder = tmp_path_factory.mktemp("logs")
    files = [folder / LOG_FILE, folder / OTHER_LOG_FILE]
    configure_logs(level="debug", file=files[0])
    # Kept loggers would go on writing to this file in other tests of this process.
    structlog.configure(**structlog.get_config() | {"cache_logger_on_first_use": False})
    broker_log = structlog.get_config()["logger_factory"]()
    others = logging.FileHandler(files[1], encoding="utf-8")
    root = logging.getLogger()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(root, "level", logging.DEBUG)
        for (
            name
        ) in SHUT_LOGGERS:  # pytest listens to them all the same, and shows thousands of lines
            patch.setattr(logging.getLogger(name), "level", logging.CRITICAL)
        root.addHandler(others)
        yield files
        root.removeHandler(others)
    others.close()
    structlog.reset_defaults()
    broker_log.close()


@pytest.fixture(scope="session")
def open_world(
    tmp_path_factory: pytest.TempPathFactory, witnesses: list[Witness], logs: list[Path]
) -> OpenWorld:
    """Return what starts a world, with free ports and a witness; see `demo_world`."""

    @contextlib.asynccontextmanager
    async def open_one(**how: Any) -> AsyncIterator[World]:
        folder = tmp_path_factory.mktemp("world") / "demo"
        witness = Witness(folder, logs=logs)
        witnesses.append(witness)

        def serving(
            apps: Mapping[Party, ASGIApp], **settings: Any
        ) -> contextlib.AbstractAsyncContextManager[None]:
            watched = {party: witness.stand_at(party, app) for party, app in apps.items()}
            return servers.serving(watched, **settings)

        def building(*of: Any, **settings: Any) -> ASGIApp:
            metrics = Metrics()
            witness.metrics.append(metrics)
            return build_broker(*of, metrics=metrics, **settings)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(broker.demo.run, "build_broker", building)
            patch.setattr(broker.store_choice, "MemoryLoginStore", witness.make_store)
            patch.setattr(broker.resources, "RegistryInForce", witness.open_registry)
            patch.setattr(broker.demo.world, "serving", serving)
            running = demo_world(folder, **{"ports": FREE_PORTS, **how})
            prepared = await running.__aenter__()
        try:
            yield World(prepared, witness)
        finally:
            await running.__aexit__(None, None, None)

    return open_one


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """The world that most journeys share."""
    async with open_world() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def browsers(world: World) -> AsyncIterator[Callable[[], Visitor]]:
    """Return what gives a person with a fresh browser."""
    async with contextlib.AsyncExitStack() as stack:

        def new(**how: Any) -> Visitor:
            visitor = new_visitor(world.at, **how)
            stack.push_async_callback(visitor.client.aclose)
            return visitor

        yield new


@pytest.fixture
def visitor(browsers: Callable[[], Visitor]) -> Visitor:
    """Somebody with a fresh browser in the shared world."""
    return browsers()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One Chromium for all journeys in it; each takes a profile of its own."""
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        yield browser
        await browser.close()
