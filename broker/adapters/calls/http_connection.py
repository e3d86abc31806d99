"""One kept connection to another party's HTTP/1.1 server: one call at a time, all of it bounded.

Parsing is llhttp's (httptools), in its strict mode. What we think of an answer is simpler than
HTTP: status 200 (or 204) and a whole body within the limits, or nothing (RFC 9112). A connection on
which anything else happened, or something came that nobody asked, is closed and not used again.
"""

import asyncio
from typing import cast

import httptools

MAX_ANSWER_BYTES = 262_144
MAX_HEAD_BYTES = 65_536
"""Of status line and headers, and of what frames the chunks of a body."""

OK = 200
NOT_MODIFIED = 304
NO_CONTENT = 204
"""As good as an empty 200: so frameworks answer a message that needs no answer."""
_SWITCHING_PROTOCOLS = 101
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


class NoGoodAnswer(Exception):  # noqa: N818 -- an outcome of the call; says nothing of what was sent
    """The server said something else than 200 with a body that we take, or nothing."""


class HttpConnection(asyncio.Protocol):
    """Sends a request, gives the body of its answer, and stays open where the server allows it.

    Args:
        max_answer_bytes: of a body.
        told: statuses besides whose (empty) answer is no failure; `status` says which it was.

    Attributes:
        status: of the last good answer.
        headers: of that answer, names in lower case; the last of several.
    """

    def __init__(
        self, *, max_answer_bytes: int = MAX_ANSWER_BYTES, told: frozenset[int] = frozenset()
    ) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._max_answer_bytes = max_answer_bytes
        self._told = told
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[bytes] | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._parts: list[bytes] = []
        self._received_bytes = 0
        self._body_bytes = 0
        self._framed = False
        self._in_body = False

    @property
    def is_usable(self) -> bool:
        """Whether another call can be made on it now."""
        return (
            self._waiting is None
            and self._transport is not None
            and not self._transport.is_closing()
        )

    async def call(self, request: bytes) -> bytes:
        """Send a whole request, and return the body of the 200 that answers it.

        Raises:
            NoGoodAnswer: everything else; the connection is closed then.
        """
        if self._transport is None or not self.is_usable:
            raise NoGoodAnswer
        self._parser = httptools.HttpResponseParser(self)
        self._parts, self._received_bytes, self._body_bytes = [], 0, 0
        self._framed = self._in_body = False
        self.status, self.headers = 0, {}
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._waiting
        except BaseException:  # cancelled as well: an answer may be under way to nobody
            self.close()
            raise
        finally:
            self._waiting = self._parser = None

    def close(self) -> None:
        """Close at once; what is unsent is dropped."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be told by the event loop: connected."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Be told by the event loop: these bytes came."""
        self._received_bytes += len(data)
        if (
            self._parser is None
            or self._waiting is None
            or self._waiting.done()
            or self._received_bytes > self._max_answer_bytes + MAX_HEAD_BYTES
        ):
            self._give_up()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._give_up()

    def eof_received(self) -> None:
        """Be told by the event loop: the server says no more. That ends a body without length."""
        if self._in_body and not self._framed:
            self._finish()

    def connection_lost(self, _: Exception | None) -> None:
        """Be told by the event loop: closed."""
        self._give_up()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Be told by the parser: a header."""
        self._framed = self._framed or name.lower() in _FRAMING
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Be told by the parser: the body comes next."""
        status = cast("httptools.HttpResponseParser", self._parser).get_status_code()
        if status in (OK, NO_CONTENT) or status in self._told:
            self._in_body, self.status = True, status
        elif status == _SWITCHING_PROTOCOLS or status > OK:
            self._give_up()

    def on_body(self, part: bytes) -> None:
        """Be told by the parser: a part of the body."""
        self._body_bytes += len(part)
        if self._body_bytes > self._max_answer_bytes:
            self._give_up()
        else:
            self._parts.append(part)

    def on_message_begin(self) -> None:
        """Be told by the parser: an answer; a second one was not asked for."""
        if self._waiting is not None and self._waiting.done():
            self.close()

    def on_message_complete(self) -> None:
        """Be told by the parser: the body is whole, or an interim answer (RFC 9110 15.2) ended."""
        if self._in_body:
            keeps = cast("httptools.HttpResponseParser", self._parser).should_keep_alive()
            self._finish()
            if not keeps:
                self.close()
        else:
            self._framed = False

    def _finish(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(b"".join(self._parts))

    def _give_up(self) -> None:
        self.close()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(NoGoodAnswer())
