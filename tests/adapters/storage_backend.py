"""What the storage suite asks of a backend besides the port, and the records it puts."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from broker.flow.held_state.login_store import Claim, Locator, LoginStore, Put


class Backend(Protocol):
    """A store and what the suite needs to do to it from outside."""

    @property
    def store(self) -> LoginStore: ...

    @property
    def other(self) -> LoginStore:
        """The same store as another worker sees it; the store itself where there is one worker."""

    async def advance(self, seconds: float) -> None:
        """Let time pass, without waiting (a clock that is injected, or TTLs that are moved up)."""


OpenBackend = Callable[[], AbstractAsyncContextManager[Backend]]


def a_locator(number: int = 1) -> Locator:
    return Locator(number.to_bytes(32, "big"))


def a_put(number: int = 1, sealed: bytes = b"sealed", ttl_seconds: int = 60) -> Put:
    return Put(a_locator(number), sealed, ttl_seconds)


def a_claim(number: int = 100, ttl_seconds: int = 60) -> Claim:
    return Claim(a_locator(number), ttl_seconds)
