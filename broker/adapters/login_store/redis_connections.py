"""Connections to a Redis server: set up, checked, lent out, and dropped when in doubt.

Retries, all of them: setting up a connection is tried twice, because nothing was asked yet. What
was sent is never sent again from here, whatever happens to the connection; the store repeats a
read (`redis_store`). A connection that fails takes the idle ones with it: after a restart or
fail-over one operation fails, not one for each connection.

A server that we cannot trust with one-shot values is refused at every set-up: one that evicts
(it would forget tombstones), or that is older than the scripts need.
"""

import asyncio
import re
import ssl
from collections import deque
from types import TracebackType
from typing import Any

from broker.adapters.login_store.redis_connection import (
    RedisAddress,
    RedisConnection,
    RedisError,
    connect,
)
from broker.adapters.login_store.redis_scripts import Script

MIN_VERSION = (6, 2)


class RedisProblem(Exception):  # noqa: N818 -- said to an operator, with its remedy
    """The server cannot be used now.

    Attributes:
        misconfigured: somebody must change something; waiting does not help.
    """

    def __init__(self, problem: str, remedy: str, *, misconfigured: bool = False) -> None:
        super().__init__(problem)
        self.problem, self.remedy, self.misconfigured = problem, remedy, misconfigured


class RedisConnections:
    """Lends connections out, one caller at a time each."""

    def __init__(self, address: RedisAddress) -> None:
        self._address = address
        self._idle: deque[RedisConnection] = deque()
        self._free = asyncio.Semaphore(address.max_connections)

    def connection(self) -> "LentConnection":
        """Lend a connection that is fit for use, while the context lasts.

        Raises:
            RedisProblem, RedisError, OSError, TimeoutError
        """
        return LentConnection(self)

    async def lend(self) -> RedisConnection:
        """Return a connection that nobody else uses; raises as `connection`."""
        await self._free.acquire()
        try:
            while self._idle:
                connection = self._idle.pop()
                if connection.in_order:
                    return connection
                connection.end()
            return await self._set_up()
        except BaseException:
            self._free.release()
            raise

    def take_back(self, connection: RedisConnection, *, in_doubt: bool) -> None:
        """Keep a connection for the next, or end it and with it all that nobody uses."""
        self._free.release()
        if in_doubt:
            connection.end()
            self.close()
        else:
            self._idle.append(connection)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().end()

    async def _set_up(self) -> RedisConnection:
        try:
            return await self._set_up_once()
        except TimeoutError:
            raise  # the time is up
        except OSError:
            return await self._set_up_once()

    async def _set_up_once(self) -> RedisConnection:
        async with asyncio.timeout(self._address.connect_seconds):
            connection = await connect(self._address)
            try:
                await check_server(connection)
            except BaseException:
                connection.end()
                raise
        return connection


class LentConnection:
    """A connection that comes back, or is dropped unless all it was sent was answered."""

    __slots__ = ("_connection", "_of")

    _connection: RedisConnection

    def __init__(self, of: RedisConnections) -> None:
        self._of = of

    async def __aenter__(self) -> RedisConnection:
        self._connection = await self._of.lend()
        return self._connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Cancelled, timed out or broken: an answer may still be under way to nobody. An error
        # that the server answers with is an answer like another.
        in_doubt = error is not None and not isinstance(error, RedisError)
        self._of.take_back(self._connection, in_doubt=in_doubt)


async def run_script(
    connection: RedisConnection, script: Script, keys: list[bytes], arguments: list[bytes | int]
) -> list[Any]:
    """Run a script by its hash, or by its text where the server does not know it (yet or again).

    NOSCRIPT says that nothing was run, so running it then is no second try.

    Raises:
        RedisProblem, RedisError, OSError
    """
    rest = (len(keys), *keys, *arguments)
    try:
        answer = await connection.ask("EVALSHA", script.sha1, *rest)
    except RedisError as error:
        if error.word != "NOSCRIPT":
            raise
        answer = await connection.ask("EVAL", script.text, *rest)
    if not (isinstance(answer, list) and answer):  # each script of ours answers with a list
        raise RedisProblem("answers what no script of ours says.", "See what listens there.")
    return answer


async def check_server(connection: RedisConnection) -> None:
    """Refuse a server that would forget what was used, or that is too old for the scripts.

    Raises:
        RedisProblem, RedisError, OSError
    """
    check_version(await _info(connection, "server"))
    check_nothing_is_evicted(await _info(connection, "memory"))


def check_version(info: dict[str, str]) -> None:
    """Refuse a server before Redis 6.2; Valkey states the Redis version that it stands for."""
    stated = info.get("redis_version", "0")
    if tuple(map(int, re.findall(r"\d+", stated)[:2])) < MIN_VERSION:
        raise RedisProblem(
            f"is version {stated}.", "Use Redis 6.2 or later, or Valkey.", misconfigured=True
        )


def check_nothing_is_evicted(info: dict[str, str]) -> None:
    """Refuse any eviction policy: to evict a tombstone is to allow a second use."""
    policy = info.get("maxmemory_policy", "not stated")
    if policy != "noeviction":
        raise RedisProblem(
            f"may forget what was used: its maxmemory-policy is {policy}.",
            "Set maxmemory-policy to noeviction.",
            misconfigured=True,
        )


async def _info(connection: RedisConnection, section: str) -> dict[str, str]:
    text = (await connection.ask("INFO", section)).decode()
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: value for name, _, value in pairs}


def describe(error: Exception) -> RedisProblem:
    """Return what is wrong in words for an operator; never the server's own text, nor ours."""
    match error:
        case RedisProblem():
            return error
        case RedisError():
            return _describe_answer(error.word)
        case TimeoutError():
            return RedisProblem("does not answer in time.", "See whether it is overloaded.")
    if _is_by_tls(error):
        return RedisProblem(
            "cannot be trusted: TLS fails.",
            "See its certificate, store.ca_file, and whether the port speaks TLS.",
            misconfigured=True,
        )
    return RedisProblem("cannot be reached.", "Start it, or correct store.url.")


def _describe_answer(word: str) -> RedisProblem:
    match word:
        case "NOPERM":
            return RedisProblem(
                "does not let us run EVALSHA, EVAL, INFO, TIME, GET, SET, EXISTS and PTTL.",
                "Allow them to our user, on keys that begin with {schuilnaam}:.",
                misconfigured=True,
            )
        case "NOAUTH" | "WRONGPASS":
            return RedisProblem(
                "refuses our user or password.",
                "Correct store.password_file or BROKER_STORE__PASSWORD.",
                misconfigured=True,
            )
        case "LOADING":
            return RedisProblem("is still loading its data.", "Wait.")
        case "READONLY":
            return RedisProblem("is a replica, which takes no writes.", "Name its primary.")
        case "OOM":
            return RedisProblem("is full.", "Give it more memory (maxmemory).")
    return RedisProblem(f"answers with an error, {word}.", "See its own log.")


def _is_by_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
