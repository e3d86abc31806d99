"""Public keys that other parties publish at an address: kept, refreshed, last good ones held."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

from broker.adapters.calls.http_fetch import Fetcher
from broker.domain.federation import ApiClient, OidcIdpEndpoints
from broker.domain.ids import SchoolIdpId
from broker.domain.relying_parties import OidcClient
from broker.flow.ports import SchoolUnanswered
from broker.jose.keys import KeySet, KeySetUnusable, parse_key_set

FRESH = timedelta(minutes=10)
ASK_AGAIN_AFTER = timedelta(seconds=30)
"""At least this between two questions to one address: an unknown `kid` must not become a hammer."""

TRY_AGAIN_AFTER = timedelta(seconds=3)
"""The same for an address that never answered: whoever knows a client's name makes us ask."""

MAX_ADDRESSES = 4096
"""Kept at a time: with room for every party that has one; those of old documents go."""


@dataclass(slots=True)
class _Kept:
    jwks: str = field(default="", repr=False)
    fetched_seconds: float | None = None
    asked_seconds: float | None = None
    asking: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)


class PublishedKeys:
    """Fetches key sets by address and keeps the last good one of each.

    Args:
        read_seconds: a clock that never goes back; with one that does, keys would stay fresh and
            questions too early until it has caught up.
    """

    def __init__(self, fetcher: Fetcher, *, read_seconds: Callable[[], float] = monotonic) -> None:
        self._fetcher = fetcher
        self._read_seconds = read_seconds
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def read(self, address: str, *, refresh: bool) -> str:
        """Return the key set at an address as JSON.

        Args:
            refresh: a key was not found in what is kept, so ask again, within bounds.

        Raises:
            SchoolUnanswered: nothing good was ever fetched.
        """
        kept = self._find(address)
        if self._is_due(kept, refresh=refresh):
            await self._fetch(address, kept)
        elif refresh or not kept.jwks:
            async with kept.asking:  # when a question is under way, its answer is what we need
                pass
        if not kept.jwks:
            raise SchoolUnanswered
        return kept.jwks

    def _find(self, address: str) -> _Kept:
        """Return what is kept of an address; of too many, those asked for longest ago go."""
        kept = self._kept.setdefault(address, _Kept())
        self._kept.move_to_end(address)
        while len(self._kept) > MAX_ADDRESSES:
            self._kept.popitem(last=False)
        return kept

    def _is_due(self, kept: _Kept, *, refresh: bool) -> bool:
        now = self._read_seconds()
        pause = ASK_AGAIN_AFTER if kept.jwks else TRY_AGAIN_AFTER
        asked, fetched = kept.asked_seconds, kept.fetched_seconds
        if asked is not None and now - asked <= pause.total_seconds():
            return False
        return refresh or fetched is None or now - fetched > FRESH.total_seconds()

    async def _fetch(self, address: str, kept: _Kept) -> None:
        """Replace what is kept by what is published, if that can be used."""
        kept.asked_seconds = self._read_seconds()
        async with kept.asking:
            try:
                jwks = (await self._fetcher.get(address, headers={})).decode()
                usable = parse_key_set(jwks).keys
            except (SchoolUnanswered, UnicodeDecodeError, KeySetUnusable):
                return
            if usable:
                kept.jwks, kept.fetched_seconds = jwks, self._read_seconds()


class SchoolEndpoints:
    """`flow.ports.SchoolCalls`: a school's token endpoint, userinfo and keys."""

    def __init__(
        self,
        fetcher: Fetcher,
        *,
        published: PublishedKeys,
        read_secret: Callable[[SchoolIdpId], str | None],
    ) -> None:
        self._fetcher = fetcher
        self._published = published
        self._read_secret = read_secret

    async def post_form(
        self, url: str, *, headers: Mapping[str, str], form: Mapping[str, str]
    ) -> bytes:
        """Return the body of a 200 answer to a posted form."""
        return await self._fetcher.post_form(url, headers=headers, form=form)

    async def get(self, url: str, *, headers: Mapping[str, str]) -> bytes:
        """Return the body of a 200 answer."""
        return await self._fetcher.get(url, headers=headers)

    def client_secret(self, idp: SchoolIdpId) -> str | None:
        """Return our secret at this provider, or None."""
        return self._read_secret(idp)

    async def fetch_keys(self, endpoints: OidcIdpEndpoints, *, refresh: bool) -> str:
        """Return the provider's key set as JSON."""
        if endpoints.jwks_uri is None:
            raise SchoolUnanswered
        return await self._published.read(endpoints.jwks_uri, refresh=refresh)


class RegisteredClientKeys:
    """`flow.ports.ClientKeys`: the keys in a client's document, or at its `jwks_uri`."""

    def __init__(self, published: PublishedKeys) -> None:
        self._published = published

    async def find(self, client: OidcClient | ApiClient, *, refresh: bool = False) -> KeySet:
        """Return the client's keys; an empty set, which verifies nothing, when there are none."""
        try:
            if client.jwks:
                return parse_key_set(client.jwks)
            if client.jwks_uri is not None:
                return parse_key_set(await self._published.read(client.jwks_uri, refresh=refresh))
        except (KeySetUnusable, SchoolUnanswered):
            pass
        return KeySet()
