"""Waiting for what comes by itself: a change that brokers follow, a message that is under way."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from broker.adapters.databases.sql_registry import SqliteRegistry
from tests.journeys.conftest import World

GIVE_UP_SECONDS = 60  # only a fault takes so long

Found = TypeVar("Found")


async def until(what: Callable[[], Awaitable[Found | None]]) -> Found:
    """Repeat a request until it gives something."""
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while not (found := await what()):
            pass
    return found


async def until_followed(world: World) -> None:
    """Return once the world's broker has in force, by itself, what was changed last."""
    registry = SqliteRegistry(world.prepared.loaded.data_folder / "registry.db")
    newest = registry.version()

    async def is_in_force() -> bool:
        await asyncio.sleep(0)
        return world.witness.registries[-1].registry.version >= newest

    await until(is_in_force)
