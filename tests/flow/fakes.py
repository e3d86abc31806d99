"""Login stores that count and fail, around any backend."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from broker.flow.held_state.login_store import Claim, Locator, LoginStore, Put, StoreUnsure

Lost = Literal["request", "answer"]


class CountingStore:
    """Counts round trips by method, and fails at its n-th one when told to.

    Args:
        inner: the backend.
        fails_at: which call, counted from 1, raises `StoreUnsure`; none by default.
        lost: "request": the backend never saw the failing call; "answer": it carried it out.
    """

    def __init__(
        self, inner: LoginStore, *, fails_at: int | None = None, lost: Lost = "request"
    ) -> None:
        self.inner = inner
        self.fails_at = fails_at
        self.lost = lost
        self.calls: Counter[str] = Counter()
        self.claims = 0

    @property
    def round_trips(self) -> int:
        return self.calls.total()

    def forget_counts(self) -> None:
        self.calls.clear()
        self.claims = 0

    def _count(self, method: str, claims: int = 0) -> bool:
        """Count one call and tell whether its answer gets lost."""
        self.calls[method] += 1
        self.claims += claims
        fails = self.round_trips == self.fails_at
        if fails and self.lost == "request":
            raise StoreUnsure
        return fails

    async def put(self, puts: Sequence[Put], *, claims: Sequence[Claim] = ()) -> None:
        fails = self._count("put", len(claims))
        await self.inner.put(puts, claims=claims)
        _lose(fails)

    async def take(
        self, locator: Locator, *, tombstone_ttl_seconds: int, claims: Sequence[Claim] = ()
    ) -> bytes:
        fails = self._count("take", len(claims))
        sealed = await self.inner.take(
            locator, tombstone_ttl_seconds=tombstone_ttl_seconds, claims=claims
        )
        _lose(fails)
        return sealed

    async def get(self, locator: Locator) -> bytes:
        fails = self._count("get")
        sealed = await self.inner.get(locator)
        _lose(fails)
        return sealed

    async def get_all(self, locators: Sequence[Locator]) -> list[bytes | None]:
        fails = self._count("get_all")
        found = await self.inner.get_all(locators)
        _lose(fails)
        return found

    async def delete(self, locators: Sequence[Locator], *, tombstone_ttl_seconds: int) -> None:
        fails = self._count("delete")
        await self.inner.delete(locators, tombstone_ttl_seconds=tombstone_ttl_seconds)
        _lose(fails)


class FailingStore(CountingStore):
    """A backend that is down: every call is unsure, and none is carried out."""

    def __init__(self, inner: LoginStore) -> None:
        super().__init__(inner)

    def _count(self, method: str, claims: int = 0) -> bool:
        super()._count(method, claims)
        raise StoreUnsure


def _lose(fails: bool) -> None:
    if fails:
        raise StoreUnsure
