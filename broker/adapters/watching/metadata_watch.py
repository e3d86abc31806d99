"""Shows in the metrics how sources of metadata fare: what another process found of them."""

import asyncio
from collections.abc import Callable, Mapping

from broker.adapters.watching.metrics import Metrics
from broker.domain.metadata_sources import (
    EntityStanding,
    Origin,
    SourceStanding,
    build_validity,
)
from broker.flow.federation.snapshots import RegistryUnreadable
from broker.flow.ports import Clock

SHOW_SECONDS = 60

ReadStanding = Callable[[], tuple[Mapping[str, SourceStanding], Mapping[Origin, EntityStanding]]]


async def keep_showing_sources(metrics: Metrics, *, read: ReadStanding, clock: Clock) -> None:
    """Show it now and every minute, until cancelled.

    Args:
        read: what is known of sources and their parties; blocks, so it runs in a thread.
    """
    while True:
        try:
            sources, entities = await asyncio.to_thread(read)
        except RegistryUnreadable:
            pass  # the health of the registry says so
        else:
            end = build_validity(sources, entities).next_end(now=clock())
            metrics.metadata_sources(
                failing=sum(each.failures > 0 for each in sources.values()),
                end_at=0.0 if end is None else end.timestamp(),
            )
        await asyncio.sleep(SHOW_SECONDS)
