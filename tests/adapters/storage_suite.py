"""The contract of `LoginStore`, run on every backend.

A backend joins with one subclass that names how it is opened:

    class TestMemoryLoginStore(LoginStoreSuite):
        open_backend = staticmethod(open_memory_backend)

The state machine of `storage_model` joins likewise.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from broker.flow.held_state.login_store import (
    MAX_SEALED_BYTES,
    MAX_TTL_SECONDS,
    Absent,
    Claim,
    ClaimedBefore,
    Locator,
    LoginStore,
    Put,
    TakenBefore,
)
from tests.adapters.storage_backend import Backend, a_claim, a_locator, a_put


class LoginStoreSuite:
    """Subclass it as `Test...` with `open_backend` set."""

    @staticmethod
    def open_backend() -> AbstractAsyncContextManager[Backend]:
        raise NotImplementedError

    @pytest.fixture
    async def backend(self) -> AsyncIterator[Backend]:
        async with self.open_backend() as backend:
            yield backend

    @pytest.fixture
    def store(self, backend: Backend) -> LoginStore:
        return backend.store

    # put and get

    async def test_a_record_comes_back_as_it_was_put(self, store: LoginStore) -> None:
        every_byte = bytes(range(256))
        await store.put([a_put(1, every_byte), a_put(2, b"\0")])
        assert await store.get(a_locator(1)) == every_byte
        assert await store.get(a_locator(1)) == every_byte
        assert await store.get(a_locator(2)) == b"\0"

    async def test_the_largest_record_comes_back(self, store: LoginStore) -> None:
        largest = bytes(MAX_SEALED_BYTES)
        await store.put([a_put(1, largest, MAX_TTL_SECONDS)])
        assert await store.take(a_locator(1), tombstone_ttl_seconds=MAX_TTL_SECONDS) == largest

    async def test_what_was_never_put_is_absent(self, store: LoginStore) -> None:
        with pytest.raises(Absent):
            await store.get(a_locator())
        with pytest.raises(Absent):
            await store.take(a_locator(), tombstone_ttl_seconds=60)

    async def test_a_record_is_absent_from_its_end_on(self, backend: Backend) -> None:
        await backend.store.put([a_put(1, ttl_seconds=60), a_put(2, ttl_seconds=61)])
        await backend.advance(59)
        assert await backend.store.get(a_locator(1)) == b"sealed"
        await backend.advance(1)
        with pytest.raises(Absent):
            await backend.store.get(a_locator(1))
        with pytest.raises(Absent):
            await backend.store.take(a_locator(1), tombstone_ttl_seconds=60)
        assert await backend.store.take(a_locator(2), tombstone_ttl_seconds=60) == b"sealed"

    async def test_a_later_put_replaces_record_and_ttl(self, backend: Backend) -> None:
        await backend.store.put([a_put(1, b"old", 600)])
        await backend.store.put([a_put(1, b"new", 60)])
        assert await backend.store.get(a_locator()) == b"new"
        await backend.advance(60)
        with pytest.raises(Absent):
            await backend.store.get(a_locator())

    async def test_a_longer_put_outlives_the_replaced_one(self, backend: Backend) -> None:
        await backend.store.put([a_put(1, b"old", 60)])
        await backend.store.put([a_put(1, b"new", 600)])
        await backend.advance(599)
        assert await backend.store.get(a_locator()) == b"new"

    async def test_an_expired_locator_can_be_put_again(self, backend: Backend) -> None:
        await backend.store.put([a_put(1, b"old", 60)])
        await backend.advance(60)
        await backend.store.put([a_put(1, b"new", 60)])
        await backend.advance(59)
        assert await backend.store.get(a_locator()) == b"new"

    async def test_several_records_come_back_at_once_each_or_nothing(
        self, backend: Backend
    ) -> None:
        await backend.store.put([a_put(1, b"one"), a_put(2, b"two", 60), a_put(3, b"three")])
        await backend.store.take(a_locator(3), tombstone_ttl_seconds=600)
        numbers = (4, 3, 2, 1)
        found = await backend.store.get_all([*map(a_locator, numbers)])
        assert found == [None, None, b"two", b"one"]
        await backend.advance(60)
        assert await backend.store.get_all([a_locator(2)]) == [None]
        with pytest.raises(ValueError, match="twice"):
            await backend.store.get_all([a_locator(1), a_locator(1)])
        with pytest.raises(ValueError, match="nothing"):
            await backend.store.get_all([])

    # take

    async def test_a_taken_record_stays_refused_until_the_tombstones_end(
        self, backend: Backend
    ) -> None:
        await backend.store.put([a_put(ttl_seconds=60)])
        assert await backend.store.take(a_locator(), tombstone_ttl_seconds=300) == b"sealed"
        for seconds in (0, 60, 239):
            await backend.advance(seconds)
            with pytest.raises(TakenBefore):
                await backend.store.take(a_locator(), tombstone_ttl_seconds=300)
            with pytest.raises(Absent):
                await backend.store.get(a_locator())
        await backend.advance(1)
        with pytest.raises(Absent):
            await backend.store.take(a_locator(), tombstone_ttl_seconds=300)

    async def test_nothing_is_put_over_a_tombstone(self, store: LoginStore) -> None:
        await store.put([a_put(1)])
        await store.take(a_locator(1), tombstone_ttl_seconds=60)
        with pytest.raises(TakenBefore):
            await store.put([a_put(2), a_put(1)], claims=[a_claim()])
        with pytest.raises(Absent):
            await store.get(a_locator(2))
        await store.put([a_put(2)], claims=[a_claim()])  # the refused put claimed nothing

    async def test_a_missed_take_leaves_nothing(self, store: LoginStore) -> None:
        with pytest.raises(Absent):
            await store.take(a_locator(), tombstone_ttl_seconds=60)
        await store.put([a_put()])
        assert await store.take(a_locator(), tombstone_ttl_seconds=60) == b"sealed"

    # claims

    async def test_a_value_is_claimed_once_until_its_end(self, backend: Backend) -> None:
        await backend.store.put([], claims=[a_claim(ttl_seconds=60)])
        await backend.advance(59)
        with pytest.raises(ClaimedBefore):
            await backend.store.put([], claims=[a_claim(ttl_seconds=60)])
        await backend.advance(1)
        await backend.store.put([], claims=[a_claim(ttl_seconds=60)])

    async def test_a_claimed_value_stores_nothing_and_claims_nothing(
        self, store: LoginStore
    ) -> None:
        await store.put([a_put(1)], claims=[a_claim(102)])
        with pytest.raises(ClaimedBefore) as refused:
            await store.put([a_put(2)], claims=[a_claim(101), a_claim(102), a_claim(103)])
        assert refused.value.index == 1
        with pytest.raises(Absent):
            await store.get(a_locator(2))
        await store.put([a_put(2)], claims=[a_claim(101), a_claim(103)])
        assert await store.get(a_locator(2)) == b"sealed"

    async def test_a_put_names_the_claim_before_the_tombstone(self, store: LoginStore) -> None:
        await store.delete([a_locator(1)], tombstone_ttl_seconds=60)
        await store.put([], claims=[a_claim()])
        with pytest.raises(ClaimedBefore):
            await store.put([a_put(1)], claims=[a_claim()])

    async def test_a_take_claims_as_well(self, store: LoginStore) -> None:
        await store.put([a_put(1)])
        claims = [a_claim(101), a_claim(102)]
        assert await store.take(a_locator(1), tombstone_ttl_seconds=60, claims=claims) == b"sealed"
        for claim in claims:
            with pytest.raises(ClaimedBefore):
                await store.put([], claims=[claim])

    async def test_a_failed_claim_takes_the_record_and_makes_the_other_claims(
        self, store: LoginStore
    ) -> None:
        await store.put([a_put(1)], claims=[a_claim(102)])
        with pytest.raises(ClaimedBefore) as refused:
            await store.take(
                a_locator(1),
                tombstone_ttl_seconds=60,
                claims=[a_claim(101), a_claim(102), a_claim(103)],
            )
        assert refused.value.index == 1
        with pytest.raises(TakenBefore):
            await store.take(a_locator(1), tombstone_ttl_seconds=60)
        for number in (101, 103):
            with pytest.raises(ClaimedBefore):
                await store.put([], claims=[a_claim(number)])

    async def test_claims_are_made_although_the_record_is_absent_or_taken(
        self, store: LoginStore
    ) -> None:
        await store.put([a_put(1)])
        await store.take(a_locator(1), tombstone_ttl_seconds=60)
        with pytest.raises(TakenBefore):
            await store.take(a_locator(1), tombstone_ttl_seconds=60, claims=[a_claim(101)])
        with pytest.raises(Absent):
            await store.take(a_locator(2), tombstone_ttl_seconds=60, claims=[a_claim(102)])
        for number in (101, 102):
            with pytest.raises(ClaimedBefore):
                await store.put([], claims=[a_claim(number)])

    async def test_a_second_use_is_named_before_the_claim_and_the_claim_before_absence(
        self, store: LoginStore
    ) -> None:
        await store.put([a_put(1)], claims=[a_claim()])
        await store.take(a_locator(1), tombstone_ttl_seconds=60)
        with pytest.raises(TakenBefore):
            await store.take(a_locator(1), tombstone_ttl_seconds=60, claims=[a_claim()])
        with pytest.raises(ClaimedBefore):
            await store.take(a_locator(2), tombstone_ttl_seconds=60, claims=[a_claim()])

    async def test_a_failed_claim_keeps_the_first_ones_end(self, backend: Backend) -> None:
        await backend.store.put([], claims=[a_claim(ttl_seconds=600)])
        with pytest.raises(ClaimedBefore):
            await backend.store.take(
                a_locator(1), tombstone_ttl_seconds=60, claims=[a_claim(ttl_seconds=1)]
            )
        await backend.advance(599)
        with pytest.raises(ClaimedBefore):
            await backend.store.put([], claims=[a_claim()])

    async def test_a_claim_is_no_record(self, store: LoginStore) -> None:
        await store.put([a_put(1)], claims=[a_claim()])
        with pytest.raises(Absent):
            await store.get(a_locator(100))
        with pytest.raises(TakenBefore):
            await store.take(a_locator(100), tombstone_ttl_seconds=60)
        with pytest.raises(ClaimedBefore):
            await store.put([], claims=[a_claim(1)])
        assert await store.get(a_locator(1)) == b"sealed"

    # delete

    async def test_what_was_deleted_stays_refused(self, backend: Backend) -> None:
        await backend.store.put([a_put(1, ttl_seconds=60), a_put(3)])
        await backend.store.delete([a_locator(1), a_locator(2)], tombstone_ttl_seconds=300)
        await backend.advance(299)
        for number in (1, 2):
            with pytest.raises(Absent):
                await backend.store.get(a_locator(number))
            with pytest.raises(TakenBefore):
                await backend.store.put([a_put(number)])
            with pytest.raises(TakenBefore):
                await backend.store.take(a_locator(number), tombstone_ttl_seconds=60)
        await backend.advance(1)
        await backend.store.put([a_put(1), a_put(2)])

    async def test_what_was_not_deleted_stays(self, store: LoginStore) -> None:
        await store.put([a_put(1), a_put(2)])
        await store.delete([a_locator(1)], tombstone_ttl_seconds=60)
        assert await store.take(a_locator(2), tombstone_ttl_seconds=60) == b"sealed"

    async def test_a_delete_lengthens_a_tombstone_and_never_shortens_it(
        self, backend: Backend
    ) -> None:
        await backend.store.delete([a_locator(1)], tombstone_ttl_seconds=300)
        await backend.store.delete([a_locator(1)], tombstone_ttl_seconds=1)
        await backend.advance(299)
        with pytest.raises(TakenBefore):
            await backend.store.put([a_put(1)])
        await backend.store.delete([a_locator(1)], tombstone_ttl_seconds=300)
        await backend.advance(299)
        with pytest.raises(TakenBefore):
            await backend.store.put([a_put(1)])

    # races

    async def test_one_of_fifty_takers_gets_the_record(self, backend: Backend) -> None:
        await backend.store.put([a_put()])
        answers = await asyncio.gather(
            *(
                store.take(a_locator(), tombstone_ttl_seconds=60)
                for store in itertools.islice(itertools.cycle((backend.store, backend.other)), 50)
            ),
            return_exceptions=True,
        )
        assert answers.count(b"sealed") == 1
        assert sum(isinstance(answer, TakenBefore) for answer in answers) == 49

    async def test_one_of_fifty_claimers_gets_the_value(self, backend: Backend) -> None:
        answers = await asyncio.gather(
            *(
                store.put([a_put(number)], claims=[a_claim(1000)])
                for number, store in zip(
                    range(1, 51), itertools.cycle((backend.store, backend.other)), strict=False
                )
            ),
            return_exceptions=True,
        )
        (winner,) = (number for number, answer in enumerate(answers, 1) if answer is None)
        assert sum(isinstance(answer, ClaimedBefore) for answer in answers) == 49
        for number in range(1, 51):
            if number == winner:
                assert await backend.other.get(a_locator(number)) == b"sealed"
            else:
                with pytest.raises(Absent):
                    await backend.other.get(a_locator(number))

    async def test_one_value_takes_no_two_records(self, backend: Backend) -> None:
        await backend.store.put([a_put(number) for number in range(1, 51)])
        answers = await asyncio.gather(
            *(
                store.take(a_locator(number), tombstone_ttl_seconds=60, claims=[a_claim(1000)])
                for number, store in zip(
                    range(1, 51), itertools.cycle((backend.store, backend.other)), strict=False
                )
            ),
            return_exceptions=True,
        )
        assert answers.count(b"sealed") == 1
        assert sum(isinstance(answer, ClaimedBefore) for answer in answers) == 49

    async def test_a_late_put_never_revives_what_was_deleted(self, backend: Backend) -> None:
        await backend.store.put([a_put(1)])
        await asyncio.gather(
            backend.store.delete([a_locator(1)], tombstone_ttl_seconds=60),
            *(backend.other.put([a_put(1)]) for _ in range(10)),
            return_exceptions=True,
        )
        with pytest.raises(Absent):
            await backend.store.get(a_locator(1))

    # the caller's own mistakes

    @pytest.mark.parametrize(
        ("puts", "claims"),
        [
            ([], []),
            ([a_put(1), a_put(1)], []),
            ([], [a_claim(1), a_claim(1)]),
            ([a_put(1)], [a_claim(1)]),
        ],
        ids=["nothing", "records", "claims", "record-and-claim"],
    )
    async def test_a_put_names_each_locator_once(
        self, store: LoginStore, puts: list[Put], claims: list[Claim]
    ) -> None:
        with pytest.raises(ValueError):
            await store.put(puts, claims=claims)
        with pytest.raises(Absent):
            await store.get(a_locator(1))

    async def test_a_take_or_delete_names_each_locator_once(self, store: LoginStore) -> None:
        await store.put([a_put(1)])
        with pytest.raises(ValueError):
            await store.take(a_locator(1), tombstone_ttl_seconds=60, claims=[a_claim(1)])
        with pytest.raises(ValueError):
            await store.delete([a_locator(1), a_locator(1)], tombstone_ttl_seconds=60)
        with pytest.raises(ValueError):
            await store.delete([], tombstone_ttl_seconds=60)
        assert await store.get(a_locator(1)) == b"sealed"

    @pytest.mark.parametrize("ttl_seconds", [-1, 0, MAX_TTL_SECONDS + 1])
    async def test_a_tombstone_ends(self, store: LoginStore, ttl_seconds: int) -> None:
        await store.put([a_put(1)])
        with pytest.raises(ValueError):
            await store.take(a_locator(1), tombstone_ttl_seconds=ttl_seconds)
        with pytest.raises(ValueError):
            await store.delete([a_locator(1)], tombstone_ttl_seconds=ttl_seconds)
        assert await store.get(a_locator(1)) == b"sealed"

    async def test_a_locator_has_32_bytes(self, store: LoginStore) -> None:
        for locator in (Locator(bytes(31)), Locator(bytes(33))):
            with pytest.raises(ValueError):
                await store.get(locator)
            with pytest.raises(ValueError):
                await store.take(locator, tombstone_ttl_seconds=60)
            with pytest.raises(ValueError):
                await store.delete([locator], tombstone_ttl_seconds=60)
