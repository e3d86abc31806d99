"""A Redis that fails in any way: never a second use, and words for whoever must mend it.

Beside each refusal stands what goes on working, or works again.
"""

import asyncio
import contextlib
import itertools
import secrets
import signal
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from broker.adapters.login_store.redis_connection import RedisAddress, RedisConnection
from broker.adapters.login_store.redis_connections import (
    RedisProblem,
    check_nothing_is_evicted,
    check_version,
    describe,
)
from broker.adapters.login_store.redis_store import EPOCH_KEY, PREFIX, RedisLoginStore
from broker.flow.held_state.handles import StorageKey
from broker.flow.held_state.login_store import (
    MAX_SEALED_BYTES,
    Absent,
    Claim,
    ClaimedBefore,
    LoginStoreRefusal,
    StoreUnsure,
    TakenBefore,
)
from broker.flow.held_state.sealed_state import SealedState
from tests.adapters.storage_backend import a_claim, a_locator, a_put
from tests.flow.sealed_builders import A_KIND, A_RECORD
from tests.journeys.certificates import make_certificate
from tests.redis_server import PROGRAMS, RedisServer, a_free_port, running_redis

IMPATIENT_SECONDS = 0.05
"""For a server that will not answer."""


@pytest.fixture(params=PROGRAMS)
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    with running_redis(tmp_path, program=request.param) as running:
        yield running


@contextlib.asynccontextmanager
async def opened(address: RedisAddress, **changes: Any) -> AsyncIterator[RedisLoginStore]:
    store = RedisLoginStore(
        replace(address, **changes), mark=None, random=secrets.token_bytes, report=lambda _: None
    )
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
async def store(server: RedisServer) -> AsyncIterator[RedisLoginStore]:
    async with opened(server.address) as store:
        yield store


async def take(store: RedisLoginStore, number: int = 1) -> bytes:
    return await store.take(a_locator(number), tombstone_ttl_seconds=600)


async def problem_of(store: RedisLoginStore) -> RedisProblem:
    with pytest.raises(RedisProblem) as found:
        await store.check()
    assert not store.healthy
    assert found.value.remedy.endswith(".")
    return found.value


def fresh_claim(number: int = 100) -> Claim:
    return replace(a_claim(number), made_within_milliseconds=0)


async def record_key(server: RedisServer, number: int = 1) -> bytes:
    _, name, _ = (await server.ask("GET", EPOCH_KEY)).split()
    return PREFIX + bytes(name) + b":" + a_locator(number)


# away, slow, full


async def test_an_absent_server_is_unsure_and_told() -> None:
    async with opened(RedisAddress("127.0.0.1", a_free_port())) as store:
        assert not store.healthy
        for call in (
            store.put([a_put()]),
            take(store),
            store.get(a_locator()),
            store.delete([a_locator()], tombstone_ttl_seconds=60),
        ):
            with pytest.raises(StoreUnsure):
                await call
        found = await problem_of(store)
        assert found.problem == "cannot be reached."
        assert not found.misconfigured  # it may come back


async def test_a_killed_server_honours_nothing_when_it_is_back(
    server: RedisServer, store: RedisLoginStore
) -> None:
    await store.put([a_put(1)])
    server.kill()
    with pytest.raises(StoreUnsure):
        await take(store)
    server.start()
    with pytest.raises(Absent):
        await take(store)
    await store.put([a_put(2)])
    assert await take(store, 2) == b"sealed"


async def test_an_old_file_brings_no_record_back(
    server: RedisServer, store: RedisLoginStore
) -> None:
    await store.put([a_put(1), a_put(2)])
    await server.ask("SAVE")
    assert await take(store) == b"sealed"
    server.kill()
    server.start()
    assert await server.ask("DBSIZE") >= 3  # the records are there again
    async with opened(server.address) as another:
        for each in (store, another):
            for number in (1, 2):
                with pytest.raises((Absent, StoreUnsure)):
                    await take(each, number)
                with pytest.raises(Absent):
                    await each.get(a_locator(number))


async def test_a_promoted_replica_brings_no_record_back(
    server: RedisServer, store: RedisLoginStore, tmp_path: Path
) -> None:
    folder = tmp_path / "replica"
    folder.mkdir()
    follow = ("--replicaof", f"127.0.0.1 {server.port}")
    with running_redis(folder, *follow, program=server.program) as replica:
        await until_answered(replica, "INFO", "replication", holds=b"master_link_status:up")
        await store.check()  # a first replica is the start of another history
        await store.put([a_put(1)])
        await until_answered(replica, "DBSIZE", holds=await server.ask("DBSIZE"))
        async with opened(replica.address) as beside:
            assert (await problem_of(beside)).problem == "is a replica, which takes no writes."
            replica.signal(signal.SIGSTOP)  # it lags
            assert await take(store) == b"sealed"
            server.kill()
            replica.signal(signal.SIGCONT)
            await replica.ask("REPLICAOF", "NO", "ONE")
            beside._epoch = store._epoch  # a worker that has known the epoch all along
            with pytest.raises(Absent):
                await take(beside)
            assert await replica.ask("EXISTS", *[await replica.ask("RANDOMKEY")]) == 1
            await beside.put([a_put(2)])
            assert await take(beside, 2) == b"sealed"


async def until_answered(server: RedisServer, *command: str, holds: bytes | int) -> None:
    async with asyncio.timeout(60):  # only a fault takes so long
        while True:
            answer = await server.ask(*command)
            if answer == holds or (isinstance(holds, bytes) and holds in answer):
                return


async def test_a_hung_server_is_unsure_and_no_record_is_taken_twice(server: RedisServer) -> None:
    async with opened(server.address) as patient:
        await patient.put([a_put(1)])
        async with opened(server.address, operation_seconds=IMPATIENT_SECONDS) as hasty:
            await hasty.check()
            server.signal(signal.SIGSTOP)
            with pytest.raises(StoreUnsure):
                await take(hasty)
            assert not hasty.healthy
            server.signal(signal.SIGCONT)
        answers = await asyncio.gather(*(take(patient) for _ in range(5)), return_exceptions=True)
        assert answers.count(b"sealed") <= 1  # whoever was unsure got nothing
        assert all(isinstance(each, bytes | TakenBefore) for each in answers)


async def test_a_crowd_at_a_hung_server_is_refused_in_time_over_few_connections(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(server.address, operation_seconds=IMPATIENT_SECONDS) as hasty:
        await hasty.check()
        at_once, most = 0, 0
        made, lost = RedisConnection.connection_made, RedisConnection.connection_lost

        def counted(connection: RedisConnection, transport: asyncio.BaseTransport) -> None:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            made(connection, transport)

        def ended(connection: RedisConnection, reason: Exception | None) -> None:
            nonlocal at_once
            at_once -= 1
            lost(connection, reason)

        monkeypatch.setattr(RedisConnection, "connection_made", counted)
        monkeypatch.setattr(RedisConnection, "connection_lost", ended)
        server.signal(signal.SIGSTOP)
        crowd = [asyncio.create_task(take(hasty, number)) for number in range(1, 501)]
        await asyncio.sleep(0)
        assert not any(each.done() for each in crowd)  # who waits holds up nobody else
        refused = await asyncio.gather(*crowd, return_exceptions=True)
        server.signal(signal.SIGCONT)
        assert {type(each) for each in refused} == {StoreUnsure}
        assert most <= server.address.max_connections


async def test_a_connection_lost_before_the_answer_is_unsure(
    server: RedisServer, store: RedisLoginStore
) -> None:
    await store.put([a_put(1)])
    server.signal(signal.SIGSTOP)
    asked = asyncio.create_task(take(store))
    await asyncio.sleep(0)
    server.kill()
    with pytest.raises(StoreUnsure):
        await asked


async def test_a_cancelled_question_leaves_no_answer_to_the_next(
    server: RedisServer, store: RedisLoginStore
) -> None:
    await store.put([a_put(1, b"one"), a_put(2, b"two")])
    server.signal(signal.SIGSTOP)
    asked = asyncio.create_task(store.get(a_locator(1)))
    while not store._connections._free._value < store._address.max_connections:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    server.signal(signal.SIGCONT)
    assert await store.get(a_locator(2)) == b"two"


async def test_a_read_is_repeated_when_its_connection_was_closed(
    server: RedisServer, store: RedisLoginStore
) -> None:
    await store.put([a_put(1)])
    await server.ask("CLIENT", "KILL", "TYPE", "normal")
    assert await store.get(a_locator(1)) == b"sealed"
    assert await take(store) == b"sealed"


async def test_a_full_server_refuses_and_forgets_nothing(
    server: RedisServer, store: RedisLoginStore
) -> None:
    await store.put([a_put(1), a_put(2)])
    await take(store, 2)
    await server.ask("CONFIG", "SET", "maxmemory", "1")
    for call in (
        store.put([a_put(3)], claims=[fresh_claim()]),
        store.take(a_locator(1), tombstone_ttl_seconds=60, claims=[a_claim()]),
        store.delete([a_locator(1)], tombstone_ttl_seconds=60),
    ):
        with pytest.raises(StoreUnsure):
            await call
    assert (await problem_of(store)).problem == "is full."
    assert await store.get(a_locator(1)) == b"sealed"
    await server.ask("CONFIG", "SET", "maxmemory", "0")
    await store.put([], claims=[fresh_claim()])  # what was refused used nothing up
    assert await take(store) == b"sealed"
    for number in (1, 2):
        with pytest.raises(TakenBefore):
            await take(store, number)


async def test_a_server_that_begins_to_evict_is_refused(
    server: RedisServer, store: RedisLoginStore
) -> None:
    await store.check()
    await server.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    found = await problem_of(store)
    assert "allkeys-lru" in found.problem
    assert found.misconfigured
    async with opened(server.address) as another:
        with pytest.raises(StoreUnsure):
            await another.put([a_put()])
    await server.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    await store.check()
    assert store.healthy


# who we are


@pytest.mark.parametrize("password", [None, "wrong"])
async def test_a_wrong_password_is_told(tmp_path: Path, password: str | None) -> None:
    with running_redis(tmp_path, "--requirepass", "right") as server:
        async with opened(server.address, password=password) as store:
            found = await problem_of(store)
            assert (found.problem, found.misconfigured) == ("refuses our user or password.", True)
            with pytest.raises(StoreUnsure):
                await store.put([a_put()])
        async with opened(server.address, password="right") as store:
            await store.put([a_put()])
            assert "right" not in repr(store._address)


async def test_a_user_needs_only_its_commands_and_keys(
    server: RedisServer,
) -> None:
    allowed = [
        f"+{each}" for each in ("eval", "evalsha", "info", "time", "get", "set", "exists", "pttl")
    ]
    await server.ask("ACL", "SETUSER", "few", "on", ">right", "~{schuilnaam}:*", *allowed)
    await server.ask("ACL", "SETUSER", "fewer", "on", ">right", "~{schuilnaam}:*", *allowed[:3])
    async with opened(server.address, username="few", password="right") as store:
        await store.put([a_put()], claims=[fresh_claim()])
        await store.delete([a_locator(2)], tombstone_ttl_seconds=60)
        await store.delete([a_locator(2)], tombstone_ttl_seconds=600)
        assert await store.get(a_locator()) == await take(store) == b"sealed"
    async with opened(server.address, username="fewer", password="right") as store:
        assert (await problem_of(store)).misconfigured


async def test_tls_needs_an_authority_that_we_trust(tmp_path: Path) -> None:
    made = make_certificate(tmp_path, hosts=["localhost"])
    port = a_free_port()
    with running_redis(
        tmp_path,
        *("--tls-port", str(port), "--tls-auth-clients", "no"),
        *(
            "--tls-cert-file",
            str(made.files.certificate_file),
            "--tls-key-file",
            str(made.files.key_file),
        ),
        *("--tls-ca-cert-file", str(made.ca_file)),
    ) as server:
        address = replace(server.address, host="localhost", port=port, tls=True)
        async with opened(address, ca_file=str(made.ca_file)) as store:
            await store.put([a_put()])
        for changes in ({}, {"host": "127.0.0.1", "ca_file": str(made.ca_file)}):
            async with opened(address, **changes) as store:
                found = await problem_of(store)
                assert found.problem == "cannot be trusted: TLS fails."
                assert found.misconfigured


# flushed, and filled with what we did not write


async def test_a_flushed_server_honours_nothing_issued_before(
    server: RedisServer, store: RedisLoginStore
) -> None:
    await store.put([a_put(1)], claims=[fresh_claim(100)])
    await server.ask("FLUSHALL")
    with pytest.raises(Absent):
        await take(store)
    with pytest.raises(StoreUnsure):  # it may have been claimed before
        await store.put([a_put(2)], claims=[a_claim(100)])
    with pytest.raises(StoreUnsure):
        await store.put([], claims=[replace(a_claim(100), made_within_milliseconds=3_600_000)])
    with pytest.raises(Absent):
        await store.get(a_locator(2))
    await store.put([a_put(2)], claims=[fresh_claim(101)])
    with pytest.raises(ClaimedBefore):
        await store.put([], claims=[fresh_claim(101)])
    assert await store.take(a_locator(2), tombstone_ttl_seconds=60, claims=[a_claim(102)])


async def test_a_put_over_a_flush_is_refused_once(
    server: RedisServer, store: RedisLoginStore
) -> None:
    await store.put([a_put(1)])
    await server.ask("FLUSHALL")
    with pytest.raises(StoreUnsure):  # it may follow from what is lost
        await store.put([a_put(2)])
    await store.put([a_put(2)])


async def test_workers_share_one_epoch(server: RedisServer) -> None:
    async with opened(server.address) as one, opened(server.address) as two:
        await asyncio.gather(one.check(), two.check())
        await one.put([a_put(1)])
        assert await take(two) == b"sealed"
        await server.ask("FLUSHALL")
        await asyncio.gather(one.check(), two.check())
        await two.put([a_put(2)])
        assert await take(one, 2) == b"sealed"


async def test_a_lost_script_is_sent_again(server: RedisServer, store: RedisLoginStore) -> None:
    await store.put([a_put(1)])
    await server.ask("SCRIPT", "FLUSH")
    assert await take(store) == b"sealed"
    with pytest.raises(TakenBefore):
        await take(store)


@pytest.mark.parametrize("garbage", [b"", b"x", b"\xff" * 200, b"0" * 40 + b" zz 1", b"a b c d"])
async def test_garbage_for_an_epoch_begins_a_new_one(
    server: RedisServer, store: RedisLoginStore, garbage: bytes
) -> None:
    await store.put([a_put(1)])
    await server.ask("SET", EPOCH_KEY, garbage)
    with pytest.raises(Absent):
        await take(store)
    await store.put([a_put(1, b"new")])
    assert await take(store) == b"new"


async def test_another_kind_of_epoch_is_unsure_and_told(
    server: RedisServer, store: RedisLoginStore
) -> None:
    await store.put([a_put(1)])
    await server.ask("DEL", EPOCH_KEY)
    await server.ask("RPUSH", EPOCH_KEY, "x")
    with pytest.raises(StoreUnsure):
        await take(store)
    assert (await problem_of(store)).problem == "answers with an error, WRONGTYPE."


@pytest.mark.parametrize("kind", ["list", "huge"])
async def test_garbage_for_a_record_is_unsure(
    server: RedisServer, store: RedisLoginStore, kind: str
) -> None:
    await store.put([a_put(2)])
    key = await record_key(server)
    if kind == "list":
        await server.ask("RPUSH", key, "x")
    else:
        await server.ask("SET", key, bytes(MAX_SEALED_BYTES + 1))
    for call in (store.get(a_locator()), take(store)):
        with pytest.raises(StoreUnsure):
            await call
    with pytest.raises(ClaimedBefore):
        await store.put([], claims=[replace(fresh_claim(), locator=a_locator())])
    assert await take(store, 2) == b"sealed"


async def test_a_record_of_another_version_or_of_nobody_is_absent(
    server: RedisServer, store: RedisLoginStore
) -> None:
    state = SealedState(
        store,
        storage_keys=(StorageKey(bytes(32)),),
        issuer="https://a",
        random=secrets.token_bytes,
    )
    for changed in (None, b"\x02" * 80, b"\x00", b"{}"):
        handle, put = state.seal(A_KIND, A_RECORD)
        await state.put(put)
        if changed is None:
            later = replace(A_KIND, version=A_KIND.version + 1)
            with pytest.raises(Absent):
                await state.get(later, handle)
            assert await state.take(A_KIND, handle) == A_RECORD
            continue
        _, name, _ = (await server.ask("GET", EPOCH_KEY)).split()
        await server.ask("SET", PREFIX + bytes(name) + b":" + put.locator, changed)
        with pytest.raises(Absent):
            await state.take(A_KIND, handle)
        with pytest.raises(TakenBefore):
            await state.take(A_KIND, handle)


async def test_all_is_kept_with_an_end(server: RedisServer, store: RedisLoginStore) -> None:
    await store.put([a_put(1), a_put(2)], claims=[fresh_claim()])
    await take(store)
    await store.delete([a_locator(3)], tombstone_ttl_seconds=60)
    for number in (1, 2, 3, 100):
        assert 0 < await server.ask("PTTL", await record_key(server, number)) <= 600_000


async def test_one_operation_is_one_round_trip(server: RedisServer, store: RedisLoginStore) -> None:
    async def calls() -> int:
        stats = (await server.ask("INFO", "commandstats")).decode()
        return sum(
            int(line.partition("calls=")[2].partition(",")[0])
            for line in stats.splitlines()
            if line.startswith(("cmdstat_eval", "cmdstat_evalsha"))
        )

    async def all_four() -> None:
        await store.put([a_put(1), a_put(2)], claims=[fresh_claim(secrets.randbelow(10**9) + 100)])
        await store.get(a_locator(1))
        await store.take(a_locator(1), tombstone_ttl_seconds=1)
        await store.delete([a_locator(2)], tombstone_ttl_seconds=1)
        await server.ask("DEL", await record_key(server, 1), await record_key(server, 2))

    await all_four()  # scripts, epoch and connection are known from here on
    before = await calls()
    await all_four()
    assert await calls() == before + 4


async def test_brokers_with_different_keys_never_meet(
    server: RedisServer, store: RedisLoginStore
) -> None:
    one, two = (
        SealedState(
            store,
            storage_keys=(StorageKey(bytes([key]) * 32),),
            issuer="https://a",
            random=secrets.token_bytes,
        )
        for key in (1, 2)
    )
    handle, put = one.seal(A_KIND, A_RECORD)
    claims = [
        claim
        for each in (one, two)
        for claim in each.claims_for(
            "x", issuer="y", value="z", ttl_seconds=60, made_within=timedelta(0)
        )
    ]
    await store.check()
    await one.put(put, claims=claims[:1])
    for call in (two.get(A_KIND, handle), two.take(A_KIND, handle)):
        with pytest.raises(Absent):
            await call
    await two.put(two.seal(A_KIND, A_RECORD)[1], claims=claims[1:])
    assert await one.take(A_KIND, handle) == A_RECORD
    with pytest.raises(TakenBefore):
        await one.take(A_KIND, handle)


# words


@pytest.mark.parametrize("version", ["6.0.20", "5.0", "", "x"])
def test_check_version(version: str) -> None:
    with pytest.raises(RedisProblem) as refused:
        check_version({"redis_version": version})
    assert refused.value.misconfigured


@pytest.mark.parametrize("version", ["6.2.0", "7.0.15", "7.2.4", "10.0"])
def test_check_version_accepts_later_ones(version: str) -> None:
    check_version({"redis_version": version})


@pytest.mark.parametrize("info", [{}, {"maxmemory_policy": "volatile-ttl"}])
def test_check_nothing_is_evicted(info: dict[str, str]) -> None:
    with pytest.raises(RedisProblem):
        check_nothing_is_evicted(info)
    check_nothing_is_evicted({"maxmemory_policy": "noeviction"})


@pytest.mark.parametrize("error", [OSError("secret-1"), ssl.SSLError("secret-1"), TimeoutError()])
def test_an_error_is_told_without_its_text(error: Exception) -> None:
    assert "secret-1" not in describe(error).problem + describe(error).remedy


async def test_changes_are_reported_once(server: RedisServer) -> None:
    told: list[str] = []
    changed = asyncio.Event()

    def report(found: RedisProblem | None) -> None:
        told.append("" if found is None else found.problem)
        changed.set()

    store = RedisLoginStore(server.address, mark=None, random=secrets.token_bytes, report=report)
    watching = asyncio.create_task(store.watch(every_seconds=0))

    async def after(change: Callable[[], object]) -> None:
        changed.clear()
        change()
        await asyncio.wait_for(changed.wait(), 60)

    try:
        await after(lambda: None)
        assert store.healthy
        await after(server.kill)
        assert not store.healthy
        await after(server.start)
        assert store.healthy
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await store.close()
    assert told[0] == told[-1] == ""
    assert "cannot be reached." in told
    assert all(one != next_one for one, next_one in itertools.pairwise(told))


def test_every_refusal_is_an_answer_of_the_port() -> None:
    assert issubclass(StoreUnsure, LoginStoreRefusal)
