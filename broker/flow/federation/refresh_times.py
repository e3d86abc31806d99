"""When a source of metadata is asked again, and when somebody must be told of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from broker.domain.metadata_sources import (
    EntityStanding,
    MetadataSource,
    Origin,
    SourceStanding,
    believed_until,
)

JITTER = 0.1
"""Of the time between two looks: brokers that were begun together do not ask together."""
FIRST_RETRY = timedelta(minutes=10)
"""After a look in vain; doubled with each, up to the time between two looks."""

Known = Mapping[str, tuple[MetadataSource, SourceStanding | None]]


def due_at(source: MetadataSource, known: SourceStanding) -> datetime:
    """Return when a source is asked again."""
    pause = timedelta(hours=source.refresh_hours)
    if known.failures:
        doubled: int = 2 ** min(known.failures - 1, 16)
        return known.looked_at + min(pause, FIRST_RETRY * doubled)
    drawn = sha256(f"{source.id} {known.looked_at.isoformat()}".encode()).digest()[0] / 255
    return known.looked_at + pause * (1 - JITTER * drawn)


def find_due(sources: Known, *, now: datetime) -> list[str]:
    """Return the sources that are to be asked now."""
    return sorted(
        name
        for name, (source, known) in sources.items()
        if known is None or due_at(source, known) <= now
    )


@dataclass(frozen=True, slots=True)
class Ending:
    """Metadata that end soon, or ended.

    Attributes:
        party: entity id, where a party ends before the rest of its source; "" for all of it.
    """

    source: str
    party: str
    ends_at: datetime
    failure: str


def find_ending(
    sources: Known, entities: Mapping[Origin, EntityStanding], *, now: datetime
) -> Iterator[Ending]:
    """Yield what ends within the days that its source's document names, or ended."""
    for name, (source, known) in sorted(sources.items()):
        alarm = now + timedelta(days=source.alarm_days)
        if known is not None and known.valid_until is not None:
            ends_at = believed_until(known.valid_until, confirmed_at=known.confirmed_at)
            if ends_at <= alarm:
                yield Ending(name, "", ends_at, known.failure)
        failure = "" if known is None else known.failure
        for origin, each in _of(name, entities):
            if each.valid_until <= alarm:
                yield Ending(name, origin.entity_id, each.valid_until, failure)


def _of(
    source: str, entities: Mapping[Origin, EntityStanding]
) -> Iterable[tuple[Origin, EntityStanding]]:
    return sorted(
        ((origin, each) for origin, each in entities.items() if origin.source == source),
        key=lambda found: found[0],
    )
