"""HTTP/1.1 as uvicorn speaks it on httptools, with limits while a request is still coming in.

uvicorn hands a request over once its head is complete and gathers whatever comes until then, for
as long as it comes; a body is discarded for ever once an answer is sent. Here a head is bounded in
bytes, in headers and in time (from the opening of the connection, and from the first byte of each
request), a body in bytes and time, requests sent ahead in number, and a peer that does not take
its answer in time. What is too large gets the application's own page for it; what is no HTTP gets
a bare 400.

An answer that is sent while the peer still sends is followed by a short time in which what comes
is read and thrown away: a connection that is closed with bytes unread loses the answer too.
"""

import asyncio
from typing import Any

import httptools
import structlog
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from broker.adapters.serving.http_limits import HttpLimits, OpenConnections
from broker.adapters.serving.http_lingering import LingeringTransport
from broker.adapters.serving.http_patience import Patience

HEAD_TOO_LARGE = "schuilnaam.head-too-large"
"""Extension of a scope whose request was not read: only the page that says so fits it."""

MAX_SENT_AHEAD = 4
"""Requests behind the one that is answered. nginx and browsers send none."""
LINGER_SECONDS = 2.0
LINGER_BYTES = 1_048_576
TAKE_ANSWER_WITHIN_SECONDS = 30.0

_BARE = (
    b"HTTP/1.1 %s\r\ncontent-type: text/plain\r\ncache-control: no-store\r\n"
    b"x-content-type-options: nosniff\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)
_log = structlog.get_logger("broker.server")


class BrokerProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        *,
        limits: HttpLimits,
        opened: OpenConnections,
    ) -> None:
        super().__init__(config, server_state, app_state)
        self.timeout_keep_alive = limits.keep_alive_seconds  # type: ignore[assignment]  # a float does as well
        self._limits = limits
        self._open = opened
        self._max_head_bytes = limits.head_bytes
        self._body_limits = limits.of_body(b"")
        self._in_head, self._in_body = True, False
        self._begun = False
        self._given_up = self._lingering = self._too_large = False
        self._stated_bytes = 0
        self._head_bytes = self._header_bytes = self._discarded_bytes = 0
        self._body_bytes = self._sent_bytes = 0
        self._messages = 0
        self._expected, self._untaken = Patience(self.loop), Patience(self.loop)

    # What the transport says

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let it in, or say that there is no room."""
        super().connection_made(transport)
        if self._open.open(self):
            self._expected.wait(self._limits.head_seconds, self._head_is_late)
        else:
            self._end_bare(b"503 Service Unavailable", why="no-room")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._expected.end()
        self._untaken.end()
        self._unset_keepalive_if_required()
        self._open.close(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, no further than the limits."""
        if self._given_up:
            self._discard(len(data))
            return
        self._unset_keepalive_if_required()
        try:
            self._feed(data)
        except httptools.HttpParserUpgrade:
            # Answered as if it had not asked; what it would speak next is not HTTP/1.1.
            self.cycle.keep_alive = False
            self._given_up = True
        except httptools.HttpParserError:
            self._refuse_malformed()
        if not self._given_up:
            self._watch()

    def pause_writing(self) -> None:
        """Give the peer a while to take what waits for it; answers behind that wait as well."""
        super().pause_writing()
        self._untaken.wait(TAKE_ANSWER_WITHIN_SECONDS, self._is_not_taken)

    def resume_writing(self) -> None:
        """Go on: most of it was taken."""
        self._untaken.end()
        super().resume_writing()

    def _feed(self, data: bytes) -> None:
        while data and not self._given_up:
            if not self._in_head:
                self._sent_bytes += len(data)
                if self._sent_bytes > self._body_limits.bytes + LINGER_BYTES:
                    self._give_up("large-body")
                    self.transport.abort()
                    return
                self.parser.feed_data(data)
                return
            room = self._max_head_bytes - self._head_bytes + 1
            piece, data = (data, b"") if len(data) <= room else (data[:room], data[room:])
            before = self._messages
            self.parser.feed_data(piece)
            if self._in_head and self._messages == before:
                self._head_bytes += len(piece)
                if self._head_bytes > self._max_head_bytes:
                    self._refuse_head()

    def _watch(self) -> None:
        """Have the clock run for what is expected now."""
        if self._in_body:
            self._expected.wait(self._body_limits.seconds, self._body_is_late)
        elif self._begun or self._head_bytes:
            self._open.wait_for_head(self)
            self._expected.wait(self._limits.head_seconds, self._head_is_late)
        else:
            self._expected.end()

    # What the parser says

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        self._begun, self._header_bytes, self._stated_bytes = True, 0, 0

    def on_url(self, url: bytes) -> None:
        """Take in a part of the address."""
        self.url += url
        if len(self.url) > self._limits.address_bytes:
            self._too_large = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take in one header; once it is too much, no more."""
        if self._too_large:
            return
        name = name.lower()
        self._header_bytes += len(name) + len(value)
        if (
            self._header_bytes > self._limits.header_bytes
            or len(self.headers) >= self._limits.headers
        ):
            self._too_large = True
            return
        if name == b"content-length" and value.isdigit():
            self._stated_bytes = int(value)
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Hand the request over."""
        if self._given_up:
            return
        if self._too_large:
            self._refuse_head()
            return
        self._in_head, self._in_body = False, True
        self._begun, self._head_bytes = False, 0
        self._body_bytes = self._sent_bytes = 0
        self._body_limits = self._limits.of_body(self.url)
        super().on_headers_complete()
        if self._open.draining:
            self.cycle.keep_alive = False
        if self._stated_bytes > self._body_limits.bytes:
            self._end_after_answer()
        if len(self.pipeline) > MAX_SENT_AHEAD:
            self._give_up("sent-ahead")
            self.transport.abort()

    def on_body(self, body: bytes) -> None:
        """Hand a part of the body over; the application says when it is too much."""
        if self._given_up:
            return
        self._body_bytes += len(body)
        if self._body_bytes > self._body_limits.bytes:
            self._end_after_answer()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Expect the next head."""
        if self._given_up:
            return
        self._in_head, self._in_body = True, False
        self._open.begin(self)
        self._messages += 1
        super().on_message_complete()

    # What becomes of the answer

    def on_response_complete(self) -> None:
        """Keep the connection open, or see to it that it ends."""
        if self._lingering:
            self.server_state.total_requests += 1
            return
        super().on_response_complete()
        if self.transport.is_closing():
            if self.transport.get_write_buffer_size():
                self._expected.wait(TAKE_ANSWER_WITHIN_SECONDS, self.transport.abort)
        elif self.timeout_keep_alive_task is not None or (self._in_body and not self.pipeline):
            self._open.rest(self)  # no whole request was sent ahead

    def drain(self) -> None:
        """Say `Connection: close` in the answers from now on; an idle connection stays."""
        for cycle in (self.cycle, *(each for each, _ in self.pipeline)):
            if cycle is not None and not cycle.response_started:
                cycle.keep_alive = False

    def timeout_keep_alive_handler(self) -> None:
        """Close what idles."""
        self.make_room()

    def make_room(self) -> None:
        """Close now, also when the peer does not take what it was sent."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def linger(self) -> None:
        """End our side; what still comes is thrown away for a while, so that the answer arrives."""
        if self._lingering:
            return
        self._given_up = self._lingering = True
        self._unset_keepalive_if_required()
        self._open.begin(self)
        self.flow.resume_reading()
        self._expected.wait(LINGER_SECONDS, self.make_room)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:  # TLS
            self.transport.close()

    # What is not served

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _give_up(self, why: str) -> None:
        """Read nothing more, and write down why; never what came."""
        self._given_up = True
        self._expected.end()
        _log.info("connection-ended", why=why)

    def _discard(self, count: int) -> None:
        self._discarded_bytes += count
        if self._discarded_bytes > LINGER_BYTES:
            self.transport.abort()

    def _end_bare(self, status: bytes, *, why: str) -> None:
        self._give_up(why)
        self.transport.write(_BARE % status)
        self.linger()

    def _end_after_answer(self) -> None:
        """Have what the application answers be the last of this connection."""
        if self._is_answering:
            self.cycle.keep_alive = False
            self.cycle.transport = LingeringTransport(self)  # type: ignore[assignment]
        else:
            self._give_up("large-body")
            self.linger()

    def _refuse_malformed(self) -> None:
        if not self._is_answering:
            self._end_bare(b"400 Bad Request", why="malformed")
        elif self._in_body and not self.cycle.response_started:
            self.cycle.disconnected = True  # the application waits for a body that never comes
            self.cycle.message_event.set()
            self._end_bare(b"400 Bad Request", why="malformed")
        else:
            self.cycle.keep_alive = False
            self._give_up("malformed")

    def _refuse_head(self) -> None:
        """Have the application say that it is too large; it sees nothing of it."""
        if self._is_answering:
            self.cycle.keep_alive = False
            self._give_up("large-head")
            return
        self._give_up("large-head")
        self._open.begin(self)
        if not self._begun:  # line breaks alone
            self.on_message_begin()
        self.scope["method"] = "GET"
        self.scope["path"], self.scope["raw_path"] = "/", b"/"
        self.scope["query_string"], self.scope["headers"] = b"", []
        self.scope["extensions"] = {HEAD_TOO_LARGE: {}}
        self.cycle = RequestResponseCycle(
            scope=self.scope,
            transport=LingeringTransport(self),  # type: ignore[arg-type]
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=False,
            on_response=self.on_response_complete,
        )
        self._start_asgi_task(self.cycle, self.app)

    def _head_is_late(self) -> None:
        if self._is_answering:
            self.cycle.keep_alive = False
            self._give_up("slow-head")
        elif self._begun or self._head_bytes:
            self._end_bare(b"408 Request Timeout", why="slow-head")
        else:  # a browser opens connections that it may not need
            self._expected.end()
            self.make_room()

    def _is_not_taken(self) -> None:
        self._give_up("slow-taker")
        self.transport.abort()

    def _body_is_late(self) -> None:
        """End after the answer; the application waits no longer than we do."""
        if self._is_answering:
            self._end_after_answer()
        else:
            self._give_up("slow-body")
            self.linger()
