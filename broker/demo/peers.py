"""What a demo party fetches from the broker: its metadata, its discovery document, its keys.

Fetched at first use and kept for a minute, so that no party depends on the order in which the
parties start and a roll-over of the broker's keys reaches them.
"""

import ssl
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import anyio
import httpx2

FRESH_SECONDS = 60
TIMEOUT_SECONDS = 10


class PeerUnreachable(Exception):  # noqa: N818 -- the party then answers 503
    """The broker did not answer, and there is no earlier answer to go on with."""


@cache
def tls_trust(ca_file: Path | None) -> ssl.SSLContext:
    """Return whom to trust on https: the authority of `ca_file` alone, or the system's.

    Made once: reading the system's authorities costs more than a whole login.
    """
    return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))


class PeerDocument:
    """One document of the broker, by URL.

    Args:
        url: where it is published.
        ca_file: certificate authority of the broker's https, when not a public one.
        clock: seconds, monotonic.
    """

    def __init__(
        self, url: str, *, ca_file: Path | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.url = url
        self._ca_file = ca_file
        self._clock = clock
        self._text: str | None = None
        self._fetched_at = 0.0
        self._lock: anyio.Lock | None = None

    def expire(self) -> None:
        """Fetch anew at the next use: something did not verify, keys may have changed."""
        self._fetched_at = float("-inf")

    async def read(self) -> str:
        """Return the document's text.

        Raises:
            PeerUnreachable: the broker is down and the document was never fetched.
        """
        self._lock = self._lock or anyio.Lock()
        async with self._lock:
            if self._text is None or self._clock() - self._fetched_at > FRESH_SECONDS:
                await self._fetch()
        if self._text is None:
            raise PeerUnreachable
        return self._text

    async def _fetch(self) -> None:
        try:
            async with httpx2.AsyncClient(
                timeout=TIMEOUT_SECONDS, trust_env=False, verify=tls_trust(self._ca_file)
            ) as client:
                answer = await client.get(self.url)
                answer.raise_for_status()
        except httpx2.HTTPError:
            return  # go on with the last good copy, when there is one
        self._text = answer.text
        self._fetched_at = self._clock()
