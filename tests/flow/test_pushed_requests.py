"""Requests that are pushed: who may, what is checked at once and what again, and how many."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from broker.domain.refusals import Refusal
from broker.flow.authorization_requests import RefusedRequest
from broker.flow.held_state.login_store import LoginStore
from broker.flow.refusals import StoreUnavailable
from broker.oidc_op.caller_proof import NO_PROOF
from broker.oidc_op.client_refusals import ClientNotAuthenticated
from broker.oidc_op.clients import ClientUnknown
from broker.oidc_op.dpop import DpopProofRefused
from broker.oidc_op.parameters import RequestTooLarge
from broker.oidc_op.pushed import (
    PUSHED_PREFIX,
    PUSHED_TTL_SECONDS,
    PushedInPush,
    RequestUriInvalid,
    TooManyPushed,
)
from broker.oidc_op.request import CheckedAuthorizationRequest
from broker.oidc_op.request_checks import (
    ParameterRefused,
    PkceRefused,
    RedirectUriNotRegistered,
    ResourceRefused,
    ScopeRefused,
)
from broker.oidc_op.request_objects import RequestObjectInvalid
from tests import builders_oidc as oidc
from tests.builders_oidc import make_key
from tests.flow import pushing
from tests.flow.login_parties import BIOSFEER_REDIRECT, REKENRIJK, with_party
from tests.flow.login_world import PUSHES_A_MINUTE, LoginWorld
from tests.flow.pushed_suite import OneLoginForEachRequest
from tests.proof_builders import DPOP_KEY, OTHER_DPOP_KEY


class TestInMemory(OneLoginForEachRequest):
    async def open_stores(self, world: LoginWorld) -> Sequence[LoginStore]:
        return [world.store, world.store]


async def use(world: LoginWorld, request_uri: str, **changes: Any) -> Any:
    return await pushing.read(world, pushing.by_reference(request_uri, **changes))


class TestPush:
    async def test_the_answer_is_an_address_for_a_while(self, world: LoginWorld) -> None:
        pushed = await pushing.push(world)
        assert pushed.request_uri.startswith(PUSHED_PREFIX)
        assert len(pushed.request_uri.removeprefix(PUSHED_PREFIX)) == 43  # 256 bits
        assert 5 <= pushed.expires_in == PUSHED_TTL_SECONDS < 600
        assert pushed.request_uri not in repr(pushed)

    async def test_it_costs_one_trip_and_its_use_another(self, world: LoginWorld) -> None:
        world.faults.start()
        pushed = await pushing.push(world)
        assert world.faults.calls == ["client.keys", "store.put"]
        world.faults.start()
        await use(world, pushed.request_uri)
        assert world.faults.calls == ["store.get"]

    async def test_a_plain_request_costs_none(self, world: LoginWorld) -> None:
        world.faults.start()
        assert await pushing.read(world, pushing.a_request())
        assert world.faults.calls == []

    async def test_who_calls_is_who_asks(self, world: LoginWorld) -> None:
        """The assertion may be all that names the client (RFC 7521 4.2)."""
        pushed = await pushing.push(world, pushing.a_request(client_id=None))
        asked = await use(world, pushed.request_uri)
        assert asked.client_id == oidc.CLIENT_ID
        with pytest.raises(ClientNotAuthenticated):
            await pushing.push(world, by="biosfeer")

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"client_id": "nobody"}, ClientNotAuthenticated),
            ({"redirect_uri": "https://evil.example/"}, RedirectUriNotRegistered),
            ({"scope": "profile"}, ScopeRefused),
            ({"code_challenge": None, "code_challenge_method": None}, PkceRefused),
            ({"prompt": "none login"}, ParameterRefused),
            ({"resource": "https://evil.example/"}, ResourceRefused),
            ({"request": "e30.e30.AA"}, RequestObjectInvalid),
            ({"request_uri": PUSHED_PREFIX + "A" * 43}, PushedInPush),
            ({"request_uri": "https://rekenrijk.example/object"}, PushedInPush),
        ],
    )
    async def test_what_is_wrong_comes_back_at_once(
        self, world: LoginWorld, changes: dict[str, Any], refusal: type[Refusal]
    ) -> None:
        with pytest.raises(refusal):
            await pushing.push(world, pushing.a_request(**changes))

    async def test_a_client_that_proves_nothing_leaves_nothing(self, world: LoginWorld) -> None:
        for form in (pushing.a_request(), pushing.push_form(world, pushing.a_request(), aud="x")):
            with pytest.raises(ClientNotAuthenticated):
                await world.pushed.push(form, pushing.NO_PROOF)
        with pytest.raises(ClientNotAuthenticated):
            await pushing.push(world, key=make_key())
        assert world.store.at_rest == []

    async def test_an_assertion_counts_once(self, world: LoginWorld) -> None:
        assert await pushing.push(world, jti="j-1")
        with pytest.raises(ClientNotAuthenticated, match="check_assertion_id_once"):
            await pushing.push(world, jti="j-1")
        assert await pushing.push(world, jti="j-2")

    async def test_so_many_a_minute_for_each_client(self, world: LoginWorld) -> None:
        for _ in range(PUSHES_A_MINUTE):
            await pushing.push(world)
        with pytest.raises(TooManyPushed):
            await pushing.push(world)
        other = pushing.a_request(client_id="biosfeer", redirect_uri=BIOSFEER_REDIRECT)
        assert await pushing.push(world, other, by="biosfeer")
        world.wait(seconds=60)
        assert await pushing.push(world)

    async def test_whoever_spends_what_an_app_may_push_hurts_nobody_s_login(
        self, world: LoginWorld
    ) -> None:
        """An app proves nothing, so strangers push in its name."""
        pushing.change_client(world, profile="native", authentication="none", jwks="")
        for _ in range(PUSHES_A_MINUTE):
            await world.pushed.push(pushing.a_request(), NO_PROOF)
        with pytest.raises(TooManyPushed):
            await world.pushed.push(pushing.a_request(), NO_PROOF)
        other = pushing.a_request(client_id="biosfeer", redirect_uri=BIOSFEER_REDIRECT)
        assert await pushing.push(world, other, by="biosfeer")
        assert isinstance(
            await pushing.read(world, pushing.a_request()), CheckedAuthorizationRequest
        )

    async def test_who_proves_nothing_spends_nothing(self, world: LoginWorld) -> None:
        for _ in range(PUSHES_A_MINUTE + 1):
            with pytest.raises(ClientNotAuthenticated):
                await pushing.push(world, aud="x")
        assert await pushing.push(world)

    async def test_what_no_store_keeps_is_too_large(self, world: LoginWorld) -> None:
        wide = "\x01" * 8000  # six characters each, as JSON
        with pytest.raises(RequestTooLarge, match="check_pushed_size"):
            await pushing.push(world, pushing.a_request(login_hint=wide))
        assert await pushing.push(world, pushing.a_request(login_hint="x" * 7000))

    async def test_an_unsure_store_gives_no_address(self, world: LoginWorld) -> None:
        world.faults.start(fails_at=2)
        with pytest.raises(StoreUnavailable):
            await pushing.push(world)


class TestUse:
    async def test_outside_only_the_client_counts(self, world: LoginWorld) -> None:
        """RFC 9126 4: nothing that the browser adds changes what was pushed."""
        pushed = await pushing.push(world)
        asked = await use(
            world,
            pushed.request_uri,
            redirect_uri="https://evil.example/",
            state="evil",
            code_challenge="B" * 43,
            prompt="none",
            nonce="evil",
            scope="x",
        )
        assert (asked.state, asked.nonce, asked.passive) == (pushing.SUPPLIER_STATE, "n-0S6", False)
        assert asked.redirect_uri == oidc.REDIRECT_URI
        assert asked.code_challenge == oidc.CHALLENGE

    async def test_of_another_client_it_is_nothing(self, world: LoginWorld) -> None:
        pushed = await pushing.push(world)
        with pytest.raises(RequestUriInvalid, match="check_pushed_by_client"):
            await use(world, pushed.request_uri, client_id="biosfeer")
        for nobody in (None, "nobody"):
            with pytest.raises(ClientUnknown):
                await use(world, pushed.request_uri, client_id=nobody)
        assert await use(world, pushed.request_uri)

    async def test_it_lives_so_long(self, world: LoginWorld) -> None:
        pushed = await pushing.push(world)
        world.wait(seconds=PUSHED_TTL_SECONDS - 1)
        assert await use(world, pushed.request_uri)
        world.wait(seconds=1)
        with pytest.raises(RequestUriInvalid, match="check_pushed_known"):
            await use(world, pushed.request_uri)

    async def test_a_client_that_was_switched_off_meanwhile(self, world: LoginWorld) -> None:
        pushed = await pushing.push(world)
        before = world.records[REKENRIJK]
        for closed in (
            with_party(before, REKENRIJK, enabled=False),
            replace(before, enabled=False),
        ):
            world.put(REKENRIJK, closed)
            with pytest.raises(ClientUnknown):
                await use(world, pushed.request_uri)
        world.put(REKENRIJK, before)
        assert await use(world, pushed.request_uri)

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"redirect_uris": ("https://rekenrijk.example/other",)}, RedirectUriNotRegistered),
            ({"client_id": "renamed"}, ClientUnknown),
        ],
    )
    async def test_a_client_that_was_changed_meanwhile(
        self, world: LoginWorld, changes: dict[str, Any], refusal: type[Refusal]
    ) -> None:
        pushed = await pushing.push(world)
        pushing.change_client(world, **changes)
        with pytest.raises(refusal):
            await use(world, pushed.request_uri)

    async def test_one_that_must_sign_by_now(self, world: LoginWorld) -> None:
        plain = await pushing.push(world)
        signed = await pushing.push(world, pushing.by_value(pushing.an_object(world)))
        pushing.change_client(world, require_signed_request=True)
        asked = await use(world, plain.request_uri)
        assert isinstance(asked, RefusedRequest)
        assert asked.refusal.check == "check_signed_object"
        assert isinstance(await use(world, signed.request_uri), CheckedAuthorizationRequest)

    async def test_an_unsure_store_is_no_answer(self, world: LoginWorld) -> None:
        pushed = await pushing.push(world)
        world.faults.start(fails_at=1)
        with pytest.raises(StoreUnavailable):
            await use(world, pushed.request_uri)


class TestDowngrade:
    """A client that must push or sign is not brought to less by leaving it out."""

    async def test_one_that_must_push(self, world: LoginWorld) -> None:
        pushing.change_client(world, require_pushed=True)
        by_value = pushing.by_value(pushing.an_object(world))
        for less in (pushing.a_request(), by_value):
            asked = await pushing.read(world, less)
            assert isinstance(asked, RefusedRequest)
            assert asked.refusal.check == "check_pushed"
        pushed = await pushing.push(world)
        assert isinstance(await use(world, pushed.request_uri), CheckedAuthorizationRequest)

    async def test_one_that_must_sign(self, world: LoginWorld) -> None:
        pushing.change_client(world, require_signed_request=True)
        asked = await pushing.read(world, pushing.a_request())
        assert isinstance(asked, RefusedRequest)
        assert asked.refusal.check == "check_signed_object"
        with pytest.raises(ParameterRefused, match="check_signed_object"):
            await pushing.push(world)
        signed = pushing.by_value(pushing.an_object(world))
        assert isinstance(await pushing.read(world, signed), CheckedAuthorizationRequest)

    async def test_pkce_is_checked_inside(self, world: LoginWorld) -> None:
        """A challenge outside the object does not stand in for one inside."""
        bare = pushing.an_object(world, code_challenge=None, code_challenge_method=None)
        outside = {"code_challenge": oidc.CHALLENGE, "code_challenge_method": "S256"}
        asked = await pushing.read(world, pushing.by_value(bare, **outside))
        assert isinstance(asked, RefusedRequest)
        assert isinstance(asked.refusal, PkceRefused)
        with pytest.raises(PkceRefused):
            await pushing.push(world, pushing.by_value(bare, **outside))

    async def test_a_profile_asks_for_it_as_well(self, world: LoginWorld) -> None:
        pushing.change_client(world, profile="fapi2")
        asked = await pushing.read(world, pushing.a_request())
        assert isinstance(asked, RefusedRequest)
        pushed = await pushing.push(world)
        assert isinstance(await use(world, pushed.request_uri), CheckedAuthorizationRequest)


class TestKey:
    """A code that one key alone redeems (RFC 9449 10 and 10.1)."""

    async def test_the_proof_beside_a_push_names_the_key(self, world: LoginWorld) -> None:
        for request in (
            None,
            pushing.a_request(dpop_jkt=DPOP_KEY.kid),
            pushing.by_value(pushing.an_object(world)),
        ):
            pushed = await pushing.push(world, request, proof=pushing.dpop(world))
            assert (await use(world, pushed.request_uri)).dpop_jkt == DPOP_KEY.kid
        assert (await use(world, (await pushing.push(world)).request_uri)).dpop_jkt == ""

    async def test_it_may_be_named_without_a_proof(self, world: LoginWorld) -> None:
        asked = await pushing.read(world, pushing.a_request(dpop_jkt=DPOP_KEY.kid))
        assert isinstance(asked, CheckedAuthorizationRequest)
        assert asked.dpop_jkt == DPOP_KEY.kid

    async def test_two_keys_are_refused(self, world: LoginWorld) -> None:
        other = pushing.a_request(dpop_jkt=OTHER_DPOP_KEY.kid)
        with pytest.raises(DpopProofRefused, match="check_pushed_key_equal"):
            await pushing.push(world, other, proof=pushing.dpop(world))
        assert await pushing.push(world, other, proof=pushing.dpop(world, key=OTHER_DPOP_KEY))

    async def test_a_proof_is_of_this_endpoint_and_counts_once(self, world: LoginWorld) -> None:
        with pytest.raises(DpopProofRefused):
            await pushing.push(world, proof=pushing.dpop(world, htu=oidc.TOKEN_ENDPOINT))
        proof = pushing.dpop(world)
        assert await pushing.push(world, proof=proof)
        with pytest.raises(DpopProofRefused):
            await pushing.push(world, proof=proof)
