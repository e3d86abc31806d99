"""The registry in force: swapped whole, and kept when the next one cannot be used."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from broker.domain.federation import State, Supplier
from broker.domain.ids import SupplierId
from broker.domain.registry import Registry, build_registry
from broker.flow.federation.snapshots import RegistryInForce, RegistryUnreadable
from tests.builders_saml import NOW, SECOND


def a_supplier(*, epoch: str, previous: str | None = None) -> Supplier:
    return Supplier(
        id=SupplierId("rekenrijk"),
        legal_name="RekenRijk B.V.",
        display_name="RekenRijk",
        state=State.TEST,
        epoch=epoch,
        previous_epoch=previous,
    )


class Source:
    """A registry whose next version a test sets."""

    def __init__(self, *suppliers: Supplier) -> None:
        self.next_version = 1
        self.suppliers = suppliers
        self.broken = ""
        self.loads = 0
        self.ends: tuple[datetime, ...] = ()

    def version(self) -> int:
        if self.broken:
            raise RegistryUnreadable(self.broken)
        return self.next_version

    def load(self, *, now: datetime) -> Registry:
        self.loads += 1
        found = build_registry(
            self.version(), schools=(), idps=(), suppliers=self.suppliers, agreements=()
        )
        ends = min((each for each in self.ends if each > now), default=None)
        return replace(found, metadata_end=ends)


Events = list[tuple[str, int, str]]


def in_force(
    source: Source, events: Events, clock: Callable[[], datetime] = lambda: NOW
) -> RegistryInForce:
    return RegistryInForce(
        source,
        epochs="ab",
        report=lambda *event: events.append((event[0], event[1], event[2])),
        clock=clock,
    )


async def test_it_is_loaded_again_when_metadata_end() -> None:
    source, events, now = Source(), Events(), [NOW]
    source.ends = NOW + SECOND, NOW + 2 * SECOND
    snapshots = in_force(source, events, lambda: now[0])
    await snapshots.refresh()
    assert source.loads == 1
    now[0] = NOW + SECOND
    await snapshots.refresh()
    await snapshots.refresh()
    assert source.loads == 2
    now[0] = NOW + 5 * SECOND
    await snapshots.refresh()
    await snapshots.refresh()
    assert (source.loads, snapshots.registry.metadata_end) == (3, None)


async def test_a_new_version_is_put_in_force_once() -> None:
    source, events = Source(), Events()
    snapshots = in_force(source, events)
    await snapshots.refresh()
    assert (snapshots.registry.version, source.loads, events) == (1, 1, [])
    source.next_version = 2
    await snapshots.refresh()
    await snapshots.refresh()
    assert (snapshots.registry.version, source.loads) == (2, 2)
    assert snapshots.index.registry is snapshots.registry
    assert events == [("registry-loaded", 2, "")]


async def test_a_bad_reload_keeps_the_old_one_and_says_so_once() -> None:
    source, events = Source(), Events()
    snapshots = in_force(source, events)
    source.broken = "no such table"
    await snapshots.refresh()
    await snapshots.refresh()
    assert (snapshots.registry.version, snapshots.healthy) == (1, False)
    assert events == [("registry-refused", 1, "no such table")]
    source.broken, source.next_version = "", 2
    await snapshots.refresh()
    assert (snapshots.registry.version, snapshots.healthy) == (2, True)


async def test_a_version_that_pins_to_a_missing_key_is_not_put_in_force() -> None:
    source, events = Source(), Events()
    snapshots = in_force(source, events)
    source.suppliers, source.next_version = (a_supplier(epoch="c"),), 2
    await snapshots.refresh()
    assert (snapshots.registry.version, snapshots.healthy) == (1, False)
    assert "(c)" in events[0][2]
    source.suppliers = (a_supplier(epoch="b"),)
    await snapshots.refresh()
    assert (snapshots.registry.version, snapshots.healthy) == (2, True)


async def test_a_window_with_an_epoch_without_a_key_is_not_put_in_force() -> None:
    source, events = Source(), Events()
    snapshots = in_force(source, events)
    source.suppliers, source.next_version = (a_supplier(epoch="b", previous="c"),), 2
    await snapshots.refresh()
    assert snapshots.registry.version == 1
    source.suppliers = (a_supplier(epoch="b", previous="a"),)
    await snapshots.refresh()
    assert snapshots.registry.version == 2


def test_a_broker_does_not_start_without_a_registry() -> None:
    source = Source()
    source.broken = "unreadable"
    with pytest.raises(RegistryUnreadable):
        in_force(source, [])


async def test_watching_follows_the_counter_until_cancelled() -> None:
    source = Source()
    loaded = asyncio.Event()
    snapshots = RegistryInForce(
        source, epochs="a", report=lambda *_: loaded.set(), clock=lambda: NOW
    )
    watching = asyncio.create_task(snapshots.watch(poll_seconds=0))
    source.next_version = 2
    await loaded.wait()
    assert snapshots.registry.version == 2
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
