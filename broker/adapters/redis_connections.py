"""Connections to a Redis server: set up, checked, lent out, and dropped when in doubt.

Retries, all of them: setting up a connection is tried twice, because nothing was asked yet. What
was sent is never sent again from here, whatever happens to the connection; the store repeats a
read (`redis_store`). redis-py's own retries are off. A connection that fails takes the idle ones
with it: after a restart or fail-over one operation fails, not one for each connection.

A server that we cannot trust with one-shot values is refused at every set-up: one that evicts
(it would forget tombstones), or that is older than the scripts need.
"""

import asyncio
import re
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from hiredis import pack_command
from redis.asyncio.connection import Connection, SSLConnection
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from broker.adapters.redis_scripts import Script

MIN_VERSION = (6, 2)
REFUSED_IN_SCRIPT = ("can't run this command", "ACL failure in script")
"""How Redis and Valkey say of a command inside a script that our user may not give it."""


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
        self._idle: deque[Connection] = deque()
        self._free = asyncio.Semaphore(address.max_connections)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection that is fit for use; drop it unless all it was sent was answered.

        Raises:
            RedisProblem, RedisError, OSError, TimeoutError
        """
        async with self._free:
            connection = await self._find_idle() or await self._set_up()
            try:
                yield connection
            except ResponseError:  # an answer like another
                self._idle.append(connection)
                raise
            except BaseException:
                # Cancelled, timed out or broken: an answer may still be under way to nobody.
                await connection.disconnect(nowait=True)
                await self.close()
                raise
            self._idle.append(connection)

    async def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            await self._idle.pop().disconnect(nowait=True)

    async def _find_idle(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            try:
                if not await connection.can_read():  # else: ended, or something unasked came
                    return connection
            except RedisError:
                pass
            await connection.disconnect(nowait=True)
        return None

    async def _set_up(self) -> Connection:
        try:
            return await self._set_up_once()
        except (AuthenticationError, RedisTimeoutError, TimeoutError):
            raise  # the time is up, or it would say the same again
        except (RedisConnectionError, OSError):
            return await self._set_up_once()

    async def _set_up_once(self) -> Connection:
        connection = self._make()
        try:
            async with asyncio.timeout(self._address.connect_seconds):
                await connection.connect()  # type: ignore[no-untyped-call]
                await check_server(connection)
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection

    def _make(self) -> Connection:
        address = self._address
        settings: dict[str, Any] = {
            "host": address.host,
            "port": address.port,
            "db": address.database,
            "username": address.username,
            "password": address.password,
            "protocol": 2,
            "driver_info": None,
            "socket_timeout": None,  # the callers' time-outs hold for whole operations
            "socket_connect_timeout": address.connect_seconds,
        }
        if address.tls:
            return SSLConnection(
                ssl_ca_certs=address.ca_file,
                ssl_min_version=ssl.TLSVersion.TLSv1_2,
                **settings,
            )
        return Connection(**settings)


async def ask(connection: Connection, *command: str | bytes | int) -> Any:
    """Send one command and return its answer.

    Raises:
        RedisError, OSError
    """
    packed = pack_command(command)  # type: ignore[arg-type]  # says that a command is one word
    await connection.send_packed_command(packed, check_health=False)
    return await connection.read_response()


async def run_script(
    connection: Connection, script: Script, keys: list[bytes], arguments: list[bytes | int]
) -> Any:
    """Run a script by its hash, or by its text where the server does not know it (yet or again).

    NOSCRIPT says that nothing was run, so running it then is no second try.
    """
    rest = (len(keys), *keys, *arguments)
    try:
        return await ask(connection, "EVALSHA", script.sha1, *rest)
    except NoScriptError:
        return await ask(connection, "EVAL", script.text, *rest)


async def check_server(connection: Connection) -> None:
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


async def _info(connection: Connection, section: str) -> dict[str, str]:
    text = (await ask(connection, "INFO", section)).decode()
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: value for name, _, value in pairs}


def describe(error: Exception) -> RedisProblem:
    """Return what is wrong in words for an operator; never the server's own text, nor ours."""
    match error:
        case RedisProblem():
            return error
        case NoPermissionError():
            return _not_allowed_there()
        case AuthenticationError() | AuthorizationError():
            return _unknown_to_it()
        case TimeoutError() | RedisTimeoutError():
            return RedisProblem("does not answer in time.", "See whether it is overloaded.")
        case BusyLoadingError():
            return RedisProblem("is still loading its data.", "Wait.")
        case ReadOnlyError():
            return RedisProblem("is a replica, which takes no writes.", "Name its primary.")
        case OutOfMemoryError():
            return RedisProblem("is full.", "Give it more memory (maxmemory).")
        case ResponseError():
            if any(each in str(error) for each in REFUSED_IN_SCRIPT):
                return _not_allowed_there()
            word = re.match(r"[A-Z]{2,20}\b", str(error))
            if word is not None and word[0] in ("NOAUTH", "WRONGPASS"):
                return _unknown_to_it()
            name = word[0] if word else "ERR"
            return RedisProblem(f"answers with an error, {name}.", "See its own log.")
    if _is_by_tls(error):
        return RedisProblem(
            "cannot be trusted: TLS fails.",
            "See its certificate, store.ca_file, and whether the port speaks TLS.",
            misconfigured=True,
        )
    return RedisProblem("cannot be reached.", "Start it, or correct store.url.")


def _not_allowed_there() -> RedisProblem:
    return RedisProblem(
        "does not let us run EVALSHA, EVAL, INFO, TIME, GET, SET, EXISTS and PTTL.",
        "Allow them to our user, on keys that begin with {schuilnaam}:.",
        misconfigured=True,
    )


def _unknown_to_it() -> RedisProblem:
    return RedisProblem(
        "refuses our user or password.",
        "Correct store.password_file or BROKER_STORE__PASSWORD.",
        misconfigured=True,
    )


def _is_by_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
