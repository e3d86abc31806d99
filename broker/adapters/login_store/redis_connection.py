"""One connection to a Redis server: a question, then its answer (RESP 2).

hiredis packs the questions and reads the answers; between them and the socket is nothing but this
`asyncio.Protocol`. redis-py would put its streams, locks and time-outs around each question, at
several times what the question costs, and repeat what must not be sent twice unless told not to.

A connection is either in order or ended, and never comes back. What comes unasked, more than one
answer to a question, an answer to somebody who went away and bytes that are no RESP all end it.
"""

import asyncio
import re
import socket
import ssl
from dataclasses import dataclass, field
from typing import Any, cast

import hiredis

KEEPALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),  # seconds
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),  # seconds
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
)
"""A firewall between us does not forget a quiet connection, and one to a dead server ends."""

NOT_WHOLE = object()
"""Of an answer that is still under way."""

SAID_IN_TEXT = {
    "can't run this command": "NOPERM",  # inside a script, by Redis
    "ACL failure in script": "NOPERM",  # the same, by Valkey
    "ERR AUTH": "WRONGPASS",  # it knows no password at all
}
"""Errors that begin with a word for anything, and the word for what they say."""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where the server is and how we prove who we are.

    Attributes:
        ca_file: PEM of the authorities that may vouch for it; the system's when absent.
        connect_seconds: for reaching it and setting a connection up.
        operation_seconds: for one operation, waiting for a connection included.
    """

    host: str
    port: int
    database: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_file: str | None = None
    connect_seconds: float = 1.0
    operation_seconds: float = 1.0
    max_connections: int = 32


class RedisError(Exception):
    """The server answered that it did not do what it was asked.

    Its text may quote what we sent, so that it is not kept.

    Attributes:
        word: what kind of error, as NOSCRIPT; ERR where the text begins with no such word.
    """

    def __init__(self, text: str) -> None:
        first = re.match(r"[A-Z]{2,20}\b", text)
        meant = (word for said, word in SAID_IN_TEXT.items() if said in text)
        self.word = next(meant, first[0] if first else "ERR")
        super().__init__(self.word)


class RedisConnection(asyncio.Protocol):
    """A connection of `connect`; for one caller at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(replyError=RedisError, notEnoughData=NOT_WHOLE)
        self._asked: asyncio.Future[Any] | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def in_order(self) -> bool:
        """Whether a question can be asked: all before it were answered, and nothing else came."""
        return self._transport is not None and self._asked is None

    def ask(self, *command: str | bytes | int) -> asyncio.Future[Any]:
        """Send one command; the answer comes in the future: bytes, int, None, or a list of them.

        The future raises:
            RedisError: the server answers with an error.
            OSError: the connection ended; nobody knows what was done.
        """
        asked: asyncio.Future[Any] = self._loop.create_future()
        if self._transport is None or self._asked is not None:
            asked.set_exception(ConnectionAbortedError("not in order"))
            return asked
        self._asked = asked
        packed = hiredis.pack_command(command)  # type: ignore[arg-type]  # says: one word
        self._transport.write(packed)
        return asked

    def end(self) -> None:
        """Close it at once, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()
        self._end(ConnectionAbortedError("ended by us"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        """Take what came: a part of the answer, or all of it."""
        try:
            self._reader.feed(data)
            answer = self._reader.gets()
        except (hiredis.HiredisError, TypeError):  # no RESP; a map whose key is a list
            self.end()
            return
        if answer is NOT_WHOLE and self._asked is not None:
            return
        asked, self._asked = self._asked, None
        if asked is None or asked.done() or self._reader.has_data():
            self._asked = asked
            self.end()
        elif isinstance(answer, RedisError):
            asked.set_exception(answer)
        else:
            asked.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._end(exc if isinstance(exc, OSError) else ConnectionResetError("ended"))

    def _end(self, reason: OSError) -> None:
        asked, self._asked, self._transport = self._asked, None, None
        if asked is not None and not asked.done():
            asked.set_exception(reason)


async def connect(address: RedisAddress) -> RedisConnection:
    """Return a connection on which we are known and the database is chosen.

    Raises:
        RedisError: the server does not know us, or has no such database.
        OSError: it cannot be reached, or TLS fails.
    """
    transport, connection = await asyncio.get_running_loop().create_connection(
        RedisConnection,
        address.host,
        address.port,
        ssl=_trust(address.ca_file) if address.tls else None,
    )
    try:
        for option in KEEPALIVE:
            transport.get_extra_info("socket").setsockopt(*option)
        if address.username is not None:
            await connection.ask("AUTH", address.username, address.password or "")
        elif address.password is not None:
            await connection.ask("AUTH", address.password)
        if address.database:
            await connection.ask("SELECT", address.database)
    except BaseException:
        connection.end()
        raise
    return connection


def _trust(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
