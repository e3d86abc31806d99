"""What holds for requests that may lead to one login, on every login store and across workers.

A subclass says what store its workers have: `tests/flow/test_pushed_requests.py` one in memory,
`tests/adapters/test_pushed_on_redis.py` a real server.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from broker.flow.answers import Refused
from broker.flow.held_state.login_store import LoginStore
from broker.oidc_op.client_refusals import ClientNotAuthenticated
from broker.oidc_op.pushed import PUSHED_PREFIX, PushResponse, RequestUriInvalid, RequestUsed
from broker.oidc_op.request_objects import RequestObjectInvalid
from tests.flow import pushing
from tests.flow.login_answers import Received, read_redirect, refused
from tests.flow.login_world import SUPPLIER_STATE, LoginWorld, Worker


class OneLoginForEachRequest:
    """Tests on two workers over one store."""

    async def open_stores(self, world: LoginWorld) -> Sequence[LoginStore]:
        """Return the same store, opened by each of two workers."""
        raise NotImplementedError

    async def close_stores(self, stores: Sequence[Any]) -> None:
        """Close what was opened."""

    @pytest.fixture
    async def workers(self, world: LoginWorld) -> AsyncIterator[Sequence[Worker]]:
        stores = await self.open_stores(world)
        workers = [world.make_worker(each) for each in stores]
        world.use(workers[0])
        yield workers
        await self.close_stores(stores)

    async def test_a_pushed_request_leads_to_a_login(
        self, world: LoginWorld, workers: Sequence[Worker]
    ) -> None:
        pushed = await pushing.push(world)
        world.use(workers[1])
        arrived = await pushing.arrive_with(world, pushing.by_reference(pushed.request_uri))
        found = await world.receive(await pushing.finish(world, arrived))
        assert found.subject
        assert found.state == SUPPLIER_STATE

    async def test_until_then_its_address_may_be_opened_again(
        self, world: LoginWorld, workers: Sequence[Worker]
    ) -> None:
        """A reload, the back button, a virus checker that opens it first (RFC 9126 4)."""
        pushed = await pushing.push(world)
        for worker in (*workers, *workers):
            assert await pushing.read(worker, pushing.by_reference(pushed.request_uri))
        arrived = await pushing.arrive_with(world, pushing.by_reference(pushed.request_uri))
        assert read_redirect(await pushing.finish(world, arrived)).code

    async def test_after_that_it_is_used(
        self, world: LoginWorld, workers: Sequence[Worker]
    ) -> None:
        pushed = await pushing.push(world)
        arrived = await pushing.arrive_with(world, pushing.by_reference(pushed.request_uri))
        assert read_redirect(await pushing.finish(world, arrived)).code
        for worker in workers:
            with pytest.raises(RequestUsed, match="check_pushed_unused"):
                await pushing.read(worker, pushing.by_reference(pushed.request_uri))

    @pytest.mark.parametrize("signed", [False, True])
    async def test_raced_one_login_alone_gets_a_code(
        self, world: LoginWorld, workers: Sequence[Worker], signed: bool
    ) -> None:
        if signed:
            parameters = pushing.by_value(pushing.an_object(world))
        else:
            parameters = pushing.by_reference((await pushing.push(world)).request_uri)
        arrived = [await pushing.arrive_with(world, parameters) for _ in range(4)]

        async def finish(number: int) -> Any:
            browser, at_school = arrived[number]
            step = browser.step(at_school.state)
            flow = workers[number % 2].flow
            form = world.saml_answer(at_school)
            return browser.follow(await flow.finish_saml(step, form=form))

        answers = await asyncio.gather(*map(finish, range(4)))
        codes = [each for each in answers if not isinstance(each, Refused)]
        assert len(codes) == 1
        assert read_redirect(codes[0]).code
        for each in answers:
            if each not in codes:
                assert isinstance(refused(each).refusal, RequestUsed)
                assert each.way_back == "https://rekenrijk.example/"

    async def test_raced_one_push_alone_uses_its_assertion(
        self, world: LoginWorld, workers: Sequence[Worker]
    ) -> None:
        racing = (pushing.push(world, worker=workers[i % 2], jti="raced") for i in range(4))
        raced = await asyncio.gather(*racing, return_exceptions=True)
        assert len([each for each in raced if isinstance(each, PushResponse)]) == 1
        assert len([each for each in raced if isinstance(each, ClientNotAuthenticated)]) == 3

    async def test_raced_one_push_alone_uses_its_object(
        self, world: LoginWorld, workers: Sequence[Worker]
    ) -> None:
        request = pushing.by_value(pushing.an_object(world))
        racing = (pushing.push(world, request, worker=workers[i % 2]) for i in range(4))
        raced = await asyncio.gather(*racing, return_exceptions=True)
        assert len([each for each in raced if isinstance(each, PushResponse)]) == 1
        lost = [each for each in raced if isinstance(each, RequestObjectInvalid)]
        assert {each.check for each in lost} == {"check_object_id_once"}
        assert len(lost) == 3

    async def test_an_object_that_was_pushed_cannot_be_shown_by_value(
        self, world: LoginWorld, workers: Sequence[Worker]
    ) -> None:
        request = pushing.by_value(pushing.an_object(world))
        assert await pushing.push(world, request)
        with pytest.raises(RequestUsed, match="check_object_unused"):
            await pushing.read(workers[1], request)

    async def test_an_object_that_led_to_a_login_leads_to_no_other(
        self, world: LoginWorld, workers: Sequence[Worker]
    ) -> None:
        request = pushing.by_value(pushing.an_object(world))
        arrived = await pushing.arrive_with(world, request)
        assert isinstance(read_redirect(await pushing.finish(world, arrived)), Received)
        with pytest.raises(RequestUsed, match="check_object_unused"):
            await pushing.read(workers[1], request)
        with pytest.raises(RequestObjectInvalid, match="check_object_id_once"):
            await pushing.push(world, request)

    async def test_an_object_without_an_id_may_come_again(
        self, world: LoginWorld, workers: Sequence[Worker]
    ) -> None:
        request = pushing.by_value(pushing.an_object(world, jti=None))
        for _ in workers:
            arrived = await pushing.arrive_with(world, request)
            assert read_redirect(await pushing.finish(world, arrived)).code

    @pytest.mark.parametrize("handle", ["", "x", "A" * 43, "A" * 43 + "z", "Ж" * 43])
    async def test_a_guess_is_no_request(
        self, world: LoginWorld, workers: Sequence[Worker], handle: str
    ) -> None:
        with pytest.raises(RequestUriInvalid, match="check_pushed_known"):
            await pushing.read(workers[0], pushing.by_reference(PUSHED_PREFIX + handle))
