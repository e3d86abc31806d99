"""Waiting for what comes by itself: a change that brokers follow, a message that is under way."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

GIVE_UP_SECONDS = 60  # only a fault takes so long

Found = TypeVar("Found")


async def until(what: Callable[[], Awaitable[Found | None]]) -> Found:
    """Repeat a request until it gives something."""
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while not (found := await what()):
            pass
    return found
