"""Fetching a provider's discovery document when a federation document is applied."""

import asyncio
from collections.abc import Collection

from broker.adapters.calls.http_fetch import Fetcher
from broker.flow.federation.discovery import Fetch, FetchFailed
from broker.flow.ports import SchoolUnanswered


def make_fetch(*, allowed_hosts: Collection[str], timeout_seconds: float) -> Fetch:
    """Return a blocking fetch behind the egress guard, for commands outside the server.

    Args:
        allowed_hosts: hosts that may be on a private address.
    """

    async def fetch_once(url: str) -> bytes:
        fetcher = Fetcher(allowed_hosts=allowed_hosts, timeout_seconds=timeout_seconds)
        try:
            return await fetcher.get(url, headers={})
        finally:
            await fetcher.close()

    def fetch(url: str) -> str:
        try:
            return asyncio.run(fetch_once(url)).decode()
        except SchoolUnanswered:
            raise FetchFailed(
                "no answer 200 in time, or a private address that fetch_allowed_hosts lacks"
            ) from None
        except UnicodeDecodeError:
            raise FetchFailed("the answer is no UTF-8 text") from None

    return fetch
