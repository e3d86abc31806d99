"""The state machine of `two_workers` on a store in memory, and planted faults that it must find.

A planted fault is a worker, or its way to the store, that does one thing wrong. A machine that does
not find it has gone blind.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import settings
from msgspec.structs import replace

from broker.flow.held_state.browser_steps import BrowserStep
from broker.flow.held_state.login_store import Absent, Claim, Locator, Put, TakenBefore
from broker.flow.receipts.receipts import ReceiptsUnavailable, SealedReceipt
from tests.flow.failing_store import SharedServer, SharedStore
from tests.flow.login_world import LoginWorld, Worker
from tests.flow.two_workers import TwoWorkers, what_is_found


class InMemory:
    """`two_workers.Backend` over a server in memory."""

    def __init__(self, world: LoginWorld, store: type[SharedStore] = SharedStore) -> None:
        self.server = SharedServer(lambda: world.now.timestamp())
        self.store = store

    def open(self) -> SharedStore:
        return self.store(self.server)

    async def lose(self, how: str) -> None:
        if how == "flush":
            self.server.flush()
        else:
            self.server.fail_over()

    async def keep(self) -> None:
        self.server.keep()

    async def pass_time(self, seconds: int) -> None:
        pass  # its clock is the world's

    async def look(self, store: Any) -> None:
        await store.check()

    async def close(self) -> None:
        pass


class OnMemory(TwoWorkers):
    open_backend = InMemory


TestTwoWorkers = OnMemory.TestCase
TestTwoWorkers.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


# Planted in the store


class GetThenDelete(SharedStore):
    """Reads a record, and takes it away in a second step."""

    async def take(
        self, locator: Locator, *, tombstone_ttl_seconds: int, claims: Sequence[Claim] = ()
    ) -> bytes:
        sealed = await self.get(locator)
        with suppress(TakenBefore):
            await super().take(locator, tombstone_ttl_seconds=tombstone_ttl_seconds, claims=claims)
        return sealed


class ForgetsClaimsOfPuts(SharedStore):
    async def put(self, puts: Sequence[Put], *, claims: Sequence[Claim] = ()) -> None:
        if puts:
            await super().put(puts)


class ForgetsClaimsOfTakes(SharedStore):
    async def take(
        self, locator: Locator, *, tombstone_ttl_seconds: int, claims: Sequence[Claim] = ()
    ) -> bytes:
        return await super().take(locator, tombstone_ttl_seconds=tombstone_ttl_seconds)


class IgnoresEpochs(SharedStore):
    """Believes what comes back after a loss."""

    def is_stale(self) -> bool:
        self.epoch = 1
        return False


class LeavesNoTombstones(SharedStore):
    async def take(
        self, locator: Locator, *, tombstone_ttl_seconds: int, claims: Sequence[Claim] = ()
    ) -> bytes:
        try:
            return await super().take(locator, tombstone_ttl_seconds=1, claims=claims)
        except TakenBefore:
            raise Absent from None


class AsksAgain(SharedStore):
    """Believes that a record is there still when it hears that it was taken."""

    def __init__(self, server: SharedServer) -> None:
        super().__init__(server)
        self.heard: dict[Locator, bytes] = {}

    async def take(
        self, locator: Locator, *, tombstone_ttl_seconds: int, claims: Sequence[Claim] = ()
    ) -> bytes:
        try:
            sealed = await super().take(
                locator, tombstone_ttl_seconds=tombstone_ttl_seconds, claims=claims
            )
        except TakenBefore:
            if locator not in self.heard:
                raise
            return self.heard[locator]
        self.heard[locator] = sealed
        return sealed


@pytest.mark.parametrize(
    "store",
    [
        GetThenDelete,
        ForgetsClaimsOfPuts,
        ForgetsClaimsOfTakes,
        IgnoresEpochs,
        LeavesNoTombstones,
        AsksAgain,
    ],
)
def test_a_fault_planted_in_the_store_is_found(store: type[SharedStore]) -> None:
    class Planted(TwoWorkers):
        def open_backend(world: LoginWorld) -> InMemory:  # noqa: N805 -- called on the class
            return InMemory(world, store)

    assert "once" in what_is_found(Planted, within_examples=200)


# Planted in a worker


class IgnoresCookies(OnMemory):
    """Finds the record of a step by its state, which travels, instead of by the cookie."""

    def make_worker(self, number: int) -> Worker:
        worker = super().make_worker(number)
        steps: Any = worker.flow._steps
        take = steps.take

        async def take_by_state(kind: Any, step: BrowserStep) -> Any:
            handles = {
                each.step.state: each.step.unverified_handle for each in (*self.trips, *self.pages)
            }
            return await take(kind, BrowserStep(step.state, handles[step.state]))

        steps.take = take_by_state
        return worker


class RemembersTheFirst(OnMemory):
    """Keeps whom it released at a supplier's system first, and takes everybody for that person."""

    def make_worker(self, number: int) -> Worker:
        worker = super().make_worker(number)
        desk: Any = worker.flow._desk
        prepare, pseudonyms = desk.prepare, dict[str, Any]()

        async def prepare_once(*args: Any, **named: Any) -> Any:
            prepared, page = await prepare(*args, **named)
            party = prepared.request.relying_party
            pseudonym = pseudonyms.setdefault(party, prepared.pseudonym)
            return replace(prepared, pseudonym=pseudonym), page

        desk.prepare = prepare_once
        return worker


class GoesOnWithoutReceipts(OnMemory):
    def make_worker(self, number: int) -> Worker:
        class Lossy:
            healthy = True

            async def append(self, receipt: SealedReceipt) -> None:
                await asyncio.sleep(0)

            async def find(self, locators: Sequence[bytes]) -> list[SealedReceipt]:
                raise ReceiptsUnavailable

        return self.world.make_worker(self.stores[number], receipts=Lossy())


class Raises(OnMemory):
    """Meets what it does not expect in the middle of a step."""

    def make_worker(self, number: int) -> Worker:
        worker = super().make_worker(number)
        steps: Any = worker.flow._steps
        take = steps.take

        async def take_or_raise(kind: Any, step: BrowserStep) -> Any:
            try:
                return await take(kind, step)
            except Exception as unexpected:
                raise KeyError from unexpected

        steps.take = take_or_raise
        return worker


class NeverRecovers(OnMemory):
    """Stays with the epoch that it began in, and refuses for ever after a loss."""

    def make_worker(self, number: int) -> Worker:
        store: Any = self.stores[number].inner
        store.is_stale = lambda: store.epoch != store.server.epoch
        store.epoch = store.server.epoch

        async def check() -> None:
            pass

        store.check = check
        return super().make_worker(number)


@pytest.mark.parametrize(
    ("planted", "promise"),
    [
        (IgnoresCookies, "own"),
        (RemembersTheFirst, "own"),
        (GoesOnWithoutReceipts, "receipt"),
        (Raises, "way on"),
        (NeverRecovers, "recovery"),
    ],
)
def test_a_fault_planted_in_a_worker_is_found(planted: type[TwoWorkers], promise: str) -> None:
    assert promise in what_is_found(planted, within_examples=200)
