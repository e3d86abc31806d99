"""Signed requests that relying parties publish at registered addresses: fetched, kept a minute.

Whoever knows a client's name can make us ask, so each address is asked at most once in a while,
whatever it answers, and what came last is given meanwhile. The addresses are those of documents;
the egress guard keeps them out of our own network.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from broker.adapters.calls.http_fetch import Fetcher
from broker.flow.ports import SchoolUnanswered
from broker.jose.tokens import MAX_TOKEN_CHARS

FRESH_SECONDS = 60.0
TRY_AGAIN_SECONDS = 3.0
MAX_PLACES = 512
"""Kept at a time; of more, those that were asked for longest ago are forgotten."""

_ACCEPT = {"Accept": "application/oauth-authz-req+jwt, application/jwt"}


@dataclass(slots=True)
class _Kept:
    token: str = field(default="", repr=False)
    until_seconds: float = 0.0
    asking: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)


class PublishedRequests:
    """`flow.ports.RequestObjectPlaces`.

    Args:
        read_seconds: a clock that never goes back.
    """

    def __init__(self, fetcher: Fetcher, *, read_seconds: Callable[[], float] = monotonic) -> None:
        self._fetcher = fetcher
        self._read_seconds = read_seconds
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def fetch(self, request_uri: str) -> str:
        """Return what stands at an address.

        Raises:
            SchoolUnanswered: no good answer now, or a moment ago.
        """
        kept = self._find(request_uri)
        async with kept.asking:  # who comes meanwhile waits for the same answer
            if self._read_seconds() >= kept.until_seconds:
                kept.token = await self._ask(request_uri)
                lasts = FRESH_SECONDS if kept.token else TRY_AGAIN_SECONDS
                kept.until_seconds = self._read_seconds() + lasts
        if not kept.token:
            raise SchoolUnanswered
        return kept.token

    async def _ask(self, request_uri: str) -> str:
        """Return what stands there, or "" when that is no object."""
        try:
            token = (await self._fetcher.get(request_uri, headers=_ACCEPT)).decode("ascii").strip()
        except (SchoolUnanswered, UnicodeDecodeError):
            return ""
        return token if len(token) <= MAX_TOKEN_CHARS else ""

    def _find(self, request_uri: str) -> _Kept:
        kept = self._kept.setdefault(request_uri, _Kept())
        self._kept.move_to_end(request_uri)
        while len(self._kept) > MAX_PLACES:
            self._kept.popitem(last=False)
        return kept
