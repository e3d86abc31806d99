"""How a browser treats a connection that rests and that the other side may close at any moment.

nginx closes resting connections when it is reloaded, at once (1.22; `keepalive_min_timeout` came
with 1.27.4). A request that crosses that is lost, unseen by nginx: no configuration of ours can
prevent it, and clients know what to do. What changes nothing is sent again (RFC 9110 9.2.2); a
form is not, so it goes by a connection that never rested. A simple client does neither.
"""

import ssl

import httpx2

IDEMPOTENT = frozenset({"GET", "HEAD"})
CLOSED = (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError)


class BrowserTransport(httpx2.AsyncBaseTransport):
    """Sends a page's request once more, by a fresh connection, when a resting one was closed."""

    def __init__(self, *, verify: ssl.SSLContext | bool = True) -> None:
        self._resting = httpx2.AsyncHTTPTransport(verify=verify)
        no_rest = httpx2.Limits(max_keepalive_connections=0)
        self._fresh = httpx2.AsyncHTTPTransport(verify=verify, limits=no_rest)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method not in IDEMPOTENT:
            return await self._fresh.handle_async_request(request)
        try:
            return await self._resting.handle_async_request(request)
        except CLOSED:
            return await self._fresh.handle_async_request(request)

    async def aclose(self) -> None:
        await self._resting.aclose()
        await self._fresh.aclose()
