"""Brokers with other keys on one Redis: noticed when it is looked at, told, and a way on."""

import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from broker.adapters.login_store.redis_connections import RedisProblem
from broker.adapters.login_store.redis_mark import MARK_SECONDS, KeyMark, derive_key_mark
from broker.adapters.login_store.redis_store import MARK_KEYS, RedisLoginStore
from broker.flow.held_state.login_store import StoreUnsure
from tests.adapters.storage_backend import a_locator, a_put
from tests.redis_server import PROGRAMS, RedisServer, running_redis

CHECKS = {
    "root/root.hex": b"root-check-value",
    "register/register.hex": b"register-check-v",
    "receipts/receipts.hex": b"receipts-check-v",
    "pairwise/a.hex": b"pairwise-check-v",
}
OLD, NEW = bytes(32), bytes([1]) * 32


def a_mark(
    *, issuer: str = "https://broker.example", storage: tuple[bytes, ...] = (OLD,), **checks: bytes
) -> KeyMark:
    """Return a broker's mark; `checks` are named by their folder."""
    changed = {f"{folder}/{folder}.hex": value for folder, value in checks.items()}
    return derive_key_mark(issuer=issuer, checks={**CHECKS, **changed}, storage=storage)


OURS = a_mark()
OTHERS = [a_mark(**{folder: b"another-check-va"}) for folder in ("root", "register", "receipts")]


@pytest.fixture(scope="module", params=PROGRAMS)
def _server(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis"), program=request.param) as running:
        yield running


@pytest.fixture
async def server(_server: RedisServer) -> RedisServer:
    await _server.ask("FLUSHALL")
    return _server


@contextlib.asynccontextmanager
async def opened(
    server: RedisServer, mark: KeyMark | None, *, marks: bool = True
) -> AsyncIterator[RedisLoginStore]:
    store = RedisLoginStore(
        server.address,
        mark=mark,
        marks=marks,
        random=secrets.token_bytes,
        report=lambda _: None,
    )
    try:
        yield store
    finally:
        await store.close()


async def refusal_of(store: RedisLoginStore) -> RedisProblem:
    with pytest.raises(RedisProblem) as found:
        await store.check()
    assert found.value.misconfigured
    assert not store.healthy
    with pytest.raises(StoreUnsure):
        await store.put([a_put(9)])
    with pytest.raises(StoreUnsure):
        await store.take(a_locator(9), tombstone_ttl_seconds=60)
    return found.value


@pytest.mark.parametrize("mark", OTHERS, ids=["root", "register", "receipts"])
async def test_a_broker_with_other_keys_is_refused(server: RedisServer, mark: KeyMark) -> None:
    async with opened(server, OURS) as one, opened(server, mark) as another:
        await one.check()
        found = await refusal_of(another)
        assert "root/root.hex" in found.problem
        assert f"wait {MARK_SECONDS} seconds" in found.remedy
        await one.check()
        await one.put([a_put(1)])
        assert await one.take(a_locator(1), tombstone_ttl_seconds=60)


async def test_brokers_with_the_same_keys_share_a_store(server: RedisServer) -> None:
    more = replace(OURS)
    async with opened(server, OURS) as one, opened(server, more) as two:
        await one.check()
        await two.check()
        await one.put([a_put(1)])
        assert await two.take(a_locator(1), tombstone_ttl_seconds=60) == b"sealed"


def with_epochs(**checks: bytes) -> KeyMark:
    """Return our mark with these pairwise keys."""
    others = {name: each for name, each in CHECKS.items() if "pairwise" not in name}
    pairwise = {f"pairwise/{letter}.hex": each for letter, each in checks.items()}
    return derive_key_mark(
        issuer="https://broker.example", checks={**others, **pairwise}, storage=(OLD, NEW)
    )


async def test_another_pairwise_key_is_refused(server: RedisServer) -> None:
    """Else a pupil's pseudonym would depend on the broker that answers."""
    one_of_two = with_epochs(a=b"pairwise-check-v", b=b"pairwise-check-2")
    other = with_epochs(a=b"pairwise-check-v", b=b"pairwise-check-3")
    async with opened(server, one_of_two) as one, opened(server, other) as another:
        await one.check()
        assert "pairwise/" in (await refusal_of(another)).problem
        await one.check()
        await one.put([a_put(1)])


async def test_a_pairwise_key_is_added_broker_by_broker(server: RedisServer) -> None:
    before, after = with_epochs(a=b"pairwise-check-v"), with_epochs(a=b"pairwise-check-v", b=b"new")
    async with opened(server, OURS) as one, opened(server, before) as two:
        for first, second in ((after, before), (after, after), (before, after)):
            one.mark, two.mark = first, second
            for each in (one, two, one):
                await each.check()
        await one.put([a_put(1)])
        assert await two.take(a_locator(1), tombstone_ttl_seconds=60)


async def test_other_issuers_share_a_store_in_peace(server: RedisServer) -> None:
    elsewhere = a_mark(issuer="https://other.example", root=b"another-check-va", storage=(NEW,))
    async with opened(server, OURS) as one, opened(server, elsewhere) as another:
        for store, number in ((one, 1), (another, 2)):
            await store.check()
            await store.put([a_put(number)])
            assert await store.take(a_locator(number), tombstone_ttl_seconds=60) == b"sealed"


async def test_it_is_noticed_while_both_run(server: RedisServer) -> None:
    """As when the server was away at both starts, or lost everything since."""
    async with opened(server, OURS) as one, opened(server, OTHERS[0]) as another:
        await another.check()
        await another.put([a_put(1)])
        await server.ask("FLUSHALL")
        await one.check()
        await refusal_of(another)
        await one.check()


async def test_a_mark_is_left_behind_for_a_minute(server: RedisServer) -> None:
    async with opened(server, OURS) as one, opened(server, OTHERS[0]) as another:
        await one.check()
        keys = [each for each in await server.ask("KEYS", "*") if each.startswith(MARK_KEYS)]
        assert sorted(keys) == [MARK_KEYS + OURS.issuer, MARK_KEYS + OURS.issuer + b":a"]
        for _ in range(2):
            for key in keys:
                assert 0 < await server.ask("PTTL", key) <= MARK_SECONDS * 1000
            await refusal_of(another)
        await server.ask("DEL", *keys)  # as when its time is over
        await another.check()
        assert another.healthy
        await another.put([a_put(1)])
        await refusal_of(one)


async def test_who_only_looks_leaves_no_mark(server: RedisServer) -> None:
    async with (
        opened(server, OTHERS[0], marks=False) as looking,
        opened(server, OURS) as serving,
    ):
        await looking.check()
        await serving.check()
        await refusal_of(looking)


async def test_without_readable_keys_the_rest_is_looked_at(server: RedisServer) -> None:
    async with opened(server, OURS) as serving, opened(server, None) as looking:
        await serving.check()
        await looking.check()


async def test_another_storage_key_is_refused(server: RedisServer) -> None:
    async with opened(server, OURS) as one, opened(server, a_mark(storage=(NEW,))) as another:
        await one.check()
        assert "the storage key" in (await refusal_of(another)).problem
        await one.check()


async def test_storage_keys_rotate_broker_by_broker(server: RedisServer) -> None:
    """Known before use, used, and forgotten only when nobody uses it: no broker is refused."""
    async with opened(server, OURS) as one, opened(server, OURS) as two:
        for storage in ((OLD, NEW), (NEW, OLD), (NEW,)):
            for store in (one, two):
                store.mark = a_mark(storage=storage)
                for each in (one, two):
                    await each.check()


@pytest.mark.parametrize("garbage", [b"", b"x", b"\xff" * 200, b"zz zz", b"a b c"])
async def test_garbage_for_a_mark_is_replaced(server: RedisServer, garbage: bytes) -> None:
    async with opened(server, OURS) as one, opened(server, OTHERS[0]) as another:
        for more in (b"", b":a"):
            await server.ask("SET", MARK_KEYS + OURS.issuer + more, garbage)
        await one.check()
        await refusal_of(another)


def test_a_mark_tells_nothing_of_the_keys() -> None:
    assert OLD.hex() not in repr(OURS)
    assert not any(each in repr(OURS) for each in ("lasting", "sealing", "opening", "pairwise"))
    assert OURS.pairwise[0][1] not in {each.hex().encode() for each in CHECKS.values()}
    assert not {OURS.lasting, OURS.sealing} & {each.hex().encode() for each in CHECKS.values()}
