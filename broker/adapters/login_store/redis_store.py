"""The login store on Redis or Valkey: for any number of workers, and one that can be lost.

Keeps the contract of `broker.flow.held_state.login_store`; `redis_scripts` says how each method is
one atomic step on the server, how a record and a tombstone look there, and why a store that was
flushed, restarted or failed over honours no handle issued before.

What is not clear is `StoreUnsure`: a time-out, a connection that ends between question and answer,
every error that the server answers with, bytes that we did not write. Only `get` is asked a second
time after a lost connection, because it changes nothing. A `stale` answer says that nothing was
done, so take, get and delete are asked again in the epoch in force; a put is not, because what it
keeps may follow from what the lost epoch held.

Redis Cluster and Sentinel are not handled yet: `redis_connection.connect` would ask which server is
the primary; all keys share one hash tag, so one slot, and a fail-over is a new epoch already.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar

from broker.adapters.login_store.redis_connection import RedisAddress, RedisConnection, RedisError
from broker.adapters.login_store.redis_connections import (
    RedisConnections,
    RedisProblem,
    check_server,
    describe,
    run_script,
)
from broker.adapters.login_store.redis_mark import MARK_SECONDS, KeyMark, other_keys
from broker.adapters.login_store.redis_scripts import (
    ABSENT,
    ADOPT,
    CLAIMED,
    DELETE,
    DONE,
    GET,
    GET_ALL,
    OLD,
    OTHERS,
    PUT,
    STALE,
    TAKE,
    TAKEN,
    Script,
)
from broker.flow.held_state.login_store import (
    MAX_CLAIM_AGE_MILLISECONDS,
    MAX_SEALED_BYTES,
    Absent,
    Claim,
    ClaimedBefore,
    Locator,
    Put,
    StoreUnsure,
    TakenBefore,
    check_distinct,
    check_locator,
    check_ttl,
)

PREFIX = b"{schuilnaam}:"
EPOCH_KEY = PREFIX + b"epoch"
WRITE_KEY = PREFIX + b"write"
MARK_KEYS = PREFIX + b"keys:"
EPOCH_ID_BYTES = 16

Report = Callable[[RedisProblem | None], None]
"""Told when the store becomes unusable, with why, and when it is usable again."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One unbroken history of the server's data, as its key states it."""

    stated: bytes = field(repr=False)
    info_line: bytes = field(init=False, repr=False)
    prefix: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        replication_id, name, _ = self.stated.split(b" ")
        object.__setattr__(self, "info_line", b"master_replid:" + replication_id)
        object.__setattr__(self, "prefix", PREFIX + name + b":")


class RedisLoginStore:
    """`LoginStore` on a Redis server.

    Args:
        address: where it is.
        mark: of our keys; a store that brokers of our issuer use with other keys is refused.
        marks: whether we put that mark there, as a broker that serves does.
        random: returns that many unpredictable bytes.
        report: told of every change between usable and not.
    """

    MILLISECONDS_A_SECOND: ClassVar[int] = 1000
    """A test stretches its seconds, so that none passes while it runs."""

    def __init__(
        self,
        address: RedisAddress,
        *,
        mark: KeyMark | None,
        marks: bool = True,
        random: Callable[[int], bytes],
        report: Report,
    ) -> None:
        self._address = address
        self._connections = RedisConnections(address)
        self.mark = mark
        self._marks = marks
        self._random = random
        self._report = report
        self._epoch: Epoch | None = None
        self._healthy = False
        self._reported: str | None = None

    @property
    def healthy(self) -> bool:
        """Whether the last look at the server, and every operation since, went well."""
        return self._healthy

    async def put(self, puts: Sequence[Put], *, claims: Sequence[Claim] = ()) -> None:
        """See `LoginStore.put`."""
        locators = [*(each.locator for each in claims), *(each.locator for each in puts)]
        check_distinct(locators)
        arguments: list[bytes | int] = [len(claims)]
        for claim in claims:
            made_within = claim.made_within_milliseconds
            arguments += (
                self._milliseconds(claim.ttl_seconds),
                MAX_CLAIM_AGE_MILLISECONDS if made_within is None else made_within,
            )
        for put in puts:
            arguments += (put.sealed, self._milliseconds(put.ttl_seconds))
        _refuse(await self._run(PUT, locators, arguments, asked_again=False))

    async def take(
        self, locator: Locator, *, tombstone_ttl_seconds: int, claims: Sequence[Claim] = ()
    ) -> bytes:
        """See `LoginStore.take`."""
        check_locator(locator)
        check_ttl(tombstone_ttl_seconds)
        locators = [locator, *(claim.locator for claim in claims)]
        check_distinct(locators)
        answer = await self._run(
            TAKE,
            locators,
            [
                MAX_SEALED_BYTES,
                self._milliseconds(tombstone_ttl_seconds),
                *(self._milliseconds(claim.ttl_seconds) for claim in claims),
            ],
        )
        _refuse(answer)
        return _sealed(answer)

    async def get(self, locator: Locator) -> bytes:
        """See `LoginStore.get`."""
        check_locator(locator)
        answer = await self._run(GET, [locator], [MAX_SEALED_BYTES], is_read=True)
        _refuse(answer)
        return _sealed(answer)

    async def get_all(self, locators: Sequence[Locator]) -> list[bytes | None]:
        """See `LoginStore.get_all`."""
        for locator in locators:
            check_locator(locator)
        check_distinct(locators)
        answer = await self._run(GET_ALL, locators, [MAX_SEALED_BYTES], is_read=True)
        _refuse(answer)
        found = [each or None for each in answer[1:] if isinstance(each, bytes)]
        if len(found) != len(locators):
            raise StoreUnsure("the login store answers what we did not ask")
        return found

    async def delete(self, locators: Sequence[Locator], *, tombstone_ttl_seconds: int) -> None:
        """See `LoginStore.delete`."""
        for locator in locators:
            check_locator(locator)
        check_ttl(tombstone_ttl_seconds)
        check_distinct(locators)
        _refuse(await self._run(DELETE, locators, [self._milliseconds(tombstone_ttl_seconds)]))

    async def check(self) -> None:
        """See whether the server can be used: reached, fit, writable, its epoch known.

        Raises:
            RedisProblem: it cannot, and why.
        """
        try:
            async with (
                asyncio.timeout(self._address.connect_seconds + self._address.operation_seconds),
                self._connections.connection() as connection,
            ):
                await check_server(connection)  # again: settings change while a server runs
                await self._adopt(connection)
        except (RedisProblem, RedisError, OSError) as error:  # TimeoutError is an OSError
            self._healthy = False
            raise describe(error) from None
        self._healthy = True

    async def watch(self, *, every_seconds: float) -> None:
        """Check for ever, and report each change."""
        while True:
            found: RedisProblem | None = None
            try:
                await self.check()
            except RedisProblem as problem:
                found = problem
            said = "" if found is None else found.problem
            if said != self._reported:
                self._reported = said
                self._report(found)
            await asyncio.sleep(every_seconds)

    async def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    async def _run(
        self,
        script: Script,
        locators: Sequence[Locator],
        arguments: Sequence[bytes | int],
        *,
        is_read: bool = False,
        asked_again: bool = True,
    ) -> list[bytes | int]:
        """Return what a script answers in the epoch in force.

        Raises:
            StoreUnsure: nobody knows what was done.
        """
        try:
            async with asyncio.timeout(self._address.operation_seconds):
                if is_read:
                    with suppress(ConnectionError):
                        return await self._run_once(script, locators, arguments, asked_again=True)
                return await self._run_once(script, locators, arguments, asked_again=asked_again)
        except (RedisProblem, RedisError, OSError, ValueError) as error:
            self._healthy = False
            problem = describe(error)
        # Outside the handler: an error of the server's may quote what we sent.
        raise StoreUnsure(f"the login store {problem.problem}")

    async def _run_once(
        self,
        script: Script,
        locators: Sequence[Locator],
        arguments: Sequence[bytes | int],
        *,
        asked_again: bool,
    ) -> list[bytes | int]:
        async with self._connections.connection() as connection:
            epoch = self._epoch or await self._adopt(connection)
            for _ in range(2):
                answer = await run_script(
                    connection,
                    script,
                    [EPOCH_KEY, *(epoch.prefix + locator for locator in locators)],
                    [epoch.stated, epoch.info_line, *arguments],
                )
                if answer[0] != STALE:
                    return answer
                epoch = await self._adopt(connection)
                if not asked_again:
                    break
        raise RedisProblem("began a new epoch.", "Begin the login anew.")

    async def _adopt(self, connection: RedisConnection) -> Epoch:
        """Learn the epoch in force, or begin one; of several workers one begins it.

        Raises:
            RedisProblem: brokers of our issuer use the store with other keys; then we use no epoch.
        """
        new = self._random(EPOCH_ID_BYTES).hex().encode()
        keys = [EPOCH_KEY, WRITE_KEY]
        arguments: list[bytes | int] = [new]
        if mark := self.mark:
            lasts = MARK_SECONDS * 1000 if self._marks else 0
            keys += [MARK_KEYS + mark.issuer]
            keys += [MARK_KEYS + mark.issuer + b":" + letter for letter, _ in mark.pairwise]
            arguments += [b"%d" % lasts, mark.lasting, mark.sealing]
            arguments += [*(each for _, each in mark.pairwise), *mark.opening]
        answer = await run_script(connection, ADOPT, keys, arguments)
        self._epoch = None if answer[0] == OTHERS else Epoch(answer[1])
        if self._epoch is None:
            raise other_keys(answer[1])
        return self._epoch

    def _milliseconds(self, seconds: int) -> int:
        return seconds * self.MILLISECONDS_A_SECOND


def _refuse(answer: list[bytes | int]) -> None:
    """Raise what a script answered, unless it is done."""
    match answer:
        case [status, *_] if status == DONE:
            return
        case [status] if status == ABSENT:
            raise Absent
        case [status] if status == TAKEN:
            raise TakenBefore
        case [status, int(index)] if status == CLAIMED:
            raise ClaimedBefore(index)
        case [status] if status == OLD:
            raise StoreUnsure("the login store may have forgotten an earlier use")
    raise StoreUnsure("the login store holds what we did not write")


def _sealed(answer: list[bytes | int]) -> bytes:
    match answer:
        case [_, bytes(sealed)]:
            return sealed
    raise StoreUnsure("the login store answers what we did not ask")
