"""A model of the login store's contract, and a state machine that compares a backend with it.

TestMemoryModel = login_store_model(open_memory_backend)
"""

import asyncio
from collections.abc import Coroutine
from unittest import TestCase

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from broker.flow.held_state.login_store import (
    Absent,
    Claim,
    ClaimedBefore,
    Locator,
    LoginStoreRefusal,
    TakenBefore,
)
from tests.adapters.storage_backend import OpenBackend, a_claim, a_locator, a_put

LOCATOR_NUMBERS = st.integers(1, 4)
TTLS = st.integers(1, 20)
CLAIMS = st.lists(
    st.builds(a_claim, st.integers(1, 6), TTLS), max_size=2, unique_by=lambda claim: claim.locator
)


def login_store_model(open_backend: OpenBackend) -> type[TestCase]:
    """Return a test case that drives a backend and a model of the contract side by side."""

    class LoginStoreModel(RuleBasedStateMachine):
        """The model: for each locator its bytes (None is a tombstone) and its end."""

        def __init__(self) -> None:
            super().__init__()
            self.runner = asyncio.Runner()
            self.opened = open_backend()
            self.backend = self.runner.run(self.opened.__aenter__())
            self.now = 0
            self.serial = 0
            self.model: dict[Locator, tuple[bytes | None, int]] = {}
            self.handed_out: set[bytes] = set()

        def teardown(self) -> None:
            self.runner.run(self.opened.__aexit__(None, None, None))
            self.runner.close()

        def _now_at(self, locator: Locator) -> bytes | type[Absent] | None:
            sealed, ends_at = self.model.get(locator, (None, -1))
            return sealed if self.now < ends_at else Absent

        def _answer(self, call: Coroutine[object, object, bytes | None]) -> object:
            """Return what the store returned, or the type of its refusal."""
            try:
                return self.runner.run(call)
            except ClaimedBefore as refused:
                return refused.index
            except LoginStoreRefusal as refused:
                return type(refused)

        def _claimed(self, claims: list[Claim]) -> list[int]:
            return [
                index
                for index, claim in enumerate(claims)
                if self._now_at(claim.locator) is not Absent
            ]

        def _claim(self, claims: list[Claim]) -> None:
            for claim in claims:
                if self._now_at(claim.locator) is Absent:
                    self.model[claim.locator] = (None, self.now + claim.ttl_seconds)

        @rule(
            numbers=st.lists(LOCATOR_NUMBERS, max_size=3, unique=True),
            ttl=TTLS,
            claims=CLAIMS,
        )
        def put(self, numbers: list[int], ttl: int, claims: list[Claim]) -> None:
            claims = [claim for claim in claims if claim.locator not in map(a_locator, numbers)]
            if not numbers and not claims:
                return
            puts = []
            for number in numbers:
                self.serial += 1
                puts.append(a_put(number, b"%d" % self.serial, ttl))
            expected: object = None
            if claimed := self._claimed(claims):
                expected = claimed[0]
            elif any(self._now_at(put.locator) is None for put in puts):
                expected = TakenBefore
            else:
                self._claim(claims)
                for put in puts:
                    self.model[put.locator] = (put.sealed, self.now + put.ttl_seconds)
            assert self._answer(self.backend.store.put(puts, claims=claims)) == expected

        @rule(number=LOCATOR_NUMBERS, ttl=TTLS, claims=CLAIMS)
        def take(self, number: int, ttl: int, claims: list[Claim]) -> None:
            locator = a_locator(number)
            claims = [claim for claim in claims if claim.locator != locator]
            there, claimed = self._now_at(locator), self._claimed(claims)
            self._claim(claims)
            if isinstance(there, bytes):
                self.model[locator] = (None, self.now + ttl)
            expected: object = there
            if there is None:
                expected = TakenBefore
            elif claimed:
                expected = claimed[0]
            answer = self._answer(
                self.backend.other.take(locator, tombstone_ttl_seconds=ttl, claims=claims)
            )
            assert answer == expected
            if isinstance(answer, bytes):
                assert answer not in self.handed_out, "a double use"
                self.handed_out.add(answer)

        @rule(numbers=st.lists(LOCATOR_NUMBERS, min_size=1, unique=True), ttl=TTLS)
        def delete(self, numbers: list[int], ttl: int) -> None:
            for locator in map(a_locator, numbers):
                ends_at = self.now + ttl
                if self._now_at(locator) is None:
                    ends_at = max(ends_at, self.model[locator][1])
                self.model[locator] = (None, ends_at)
            call = self.backend.store.delete(
                [a_locator(number) for number in numbers], tombstone_ttl_seconds=ttl
            )
            assert self._answer(call) is None

        @rule(seconds=st.integers(1, 25))
        def expire(self, seconds: int) -> None:
            self.now += seconds
            self.runner.run(self.backend.advance(seconds))

        @invariant()
        def what_can_be_read_is_what_was_put(self) -> None:
            for locator in map(a_locator, range(1, 7)):
                there = self._now_at(locator)
                expected = there if isinstance(there, bytes) else Absent
                assert self._answer(self.backend.other.get(locator)) == expected

    case = LoginStoreModel.TestCase
    case.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
    return case
