"""Sources of SAML metadata, and how long what came from them may be believed.

A source is believed for what its pinned key signed, and about parties that a document names alone.
What it says is valid until a moment; past it the party is as if switched off (saml2int 2.0, MD03).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

import msgspec

from broker.domain.federation import State

MAX_BELIEVED = timedelta(days=60)
"""Ours: metadata is believed no longer than this after its source last confirmed it, whatever it
says itself. A key that a source once published is not in force for years after the source died."""


class MetadataSource(msgspec.Struct, frozen=True, kw_only=True):
    """One source, compiled from its document.

    Attributes:
        kind: `url` gives one document with all, signed as a whole; `file` likewise, on this
            machine; `mdq` gives each party by its entity id (Metadata Query Protocol).
        place: URL, base URL or absolute path.
        certificates: DER; only keys in them may have signed.
        alarm_days: so many days before its metadata end, somebody is told.
    """

    id: str
    state: State
    kind: Literal["url", "file", "mdq"]
    place: str
    certificates: tuple[bytes, ...]
    refresh_hours: int
    alarm_days: int


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Of whom a source says something: what it says of anybody else is not looked at."""

    source: str
    entity_id: str


@dataclass(frozen=True, slots=True)
class Validity:
    """Until when metadata of sources are valid.

    Attributes:
        of_source: for every party of it that `of_entity` does not name; no source by MDQ is here.
        of_entity: until when for one party; a moment of the past for a party that its
            source no longer describes.
    """

    of_source: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))
    of_entity: Mapping[Origin, datetime] = field(
        default_factory=lambda: MappingProxyType({}), repr=False
    )

    def until(self, origin: Origin) -> datetime | None:
        """Return until when what a source says of a party is valid; None: it never said a thing."""
        own = self.of_entity.get(origin)
        return self.of_source.get(origin.source) if own is None else own

    def is_valid(self, origin: Origin, *, now: datetime) -> bool:
        """Tell whether a party of a source may be used."""
        until = self.until(origin)
        return until is not None and now < until

    def next_end(self, *, now: datetime) -> datetime | None:
        """Return when the first of what is valid now ends; None: nothing does."""
        ends: Iterable[datetime] = (*self.of_source.values(), *self.of_entity.values())
        return min((each for each in ends if each > now), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStanding:
    """What is known of a source since we looked last.

    Attributes:
        document: SHA-256 of the source's document, as it was when its metadata were read.
        etag, last_modified: by which it says whether something is new (RFC 9110 8.8); "" for none.
        valid_until: as its metadata say; None by MDQ, where each party has its own.
        confirmed_at: when it last gave these metadata, or said that they are the newest.
        looked_at: when it was last asked.
        failures: how often in a row since.
        failure: of the last one, in words; "" when there was none.
    """

    document: bytes = field(repr=False)
    etag: str = ""
    last_modified: str = ""
    valid_until: datetime | None
    confirmed_at: datetime
    looked_at: datetime
    failures: int = 0
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityStanding:
    """What is known of one party of a source where it differs from all others of it."""

    valid_until: datetime
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class SourceUpdate:
    """What a look at a source changes of its standing.

    Attributes:
        standing: None: the source is gone, and all that is known of it.
        entities: of these parties; the rest of the source goes by its own.
        all_entities: whether `entities` replaces all that was known of the source's parties.
    """

    source: str
    standing: SourceStanding | None
    entities: Mapping[str, EntityStanding] = field(default_factory=lambda: MappingProxyType({}))
    all_entities: bool = False


def believed_until(stated: datetime, *, confirmed_at: datetime) -> datetime:
    """Return until when metadata are valid that say so themselves of another moment."""
    return min(stated, confirmed_at + MAX_BELIEVED)


def apply_update(
    sources: Mapping[str, SourceStanding],
    entities: Mapping[Origin, EntityStanding],
    update: SourceUpdate,
) -> tuple[dict[str, SourceStanding], dict[Origin, EntityStanding]]:
    """Return what is known of all sources and their parties after an update."""
    of_sources = {name: each for name, each in sources.items() if name != update.source}
    if update.standing is not None:
        of_sources[update.source] = update.standing
    of_entities = {
        origin: each
        for origin, each in entities.items()
        if not (update.all_entities and origin.source == update.source)
    }
    of_entities |= {Origin(update.source, name): each for name, each in update.entities.items()}
    return of_sources, of_entities


def build_validity(
    sources: Mapping[str, SourceStanding], entities: Mapping[Origin, EntityStanding]
) -> Validity:
    """Return until when metadata are valid, by what is known of all sources."""
    return Validity(
        MappingProxyType(
            {
                name: believed_until(each.valid_until, confirmed_at=each.confirmed_at)
                for name, each in sources.items()
                if each.valid_until is not None
            }
        ),
        MappingProxyType({origin: each.valid_until for origin, each in entities.items()}),
    )
