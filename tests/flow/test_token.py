"""The back channel: a code is redeemed once, by its own client; userinfo shows its own login."""

import asyncio
from dataclasses import replace

import pytest

from broker.domain.refusals import Refusal
from broker.flow.held_state.handles import parse_handle
from broker.flow.held_state.login_store import Absent
from broker.flow.held_state.records import ACCESS_TOKEN, PREPARED
from broker.flow.refusals import StoreUnavailable
from broker.flow.tokens.id_tokens import IdTokens
from broker.oidc_op.caller_proof import NO_PROOF, CallerProof
from broker.oidc_op.client_refusals import ClientNotAuthenticated
from broker.oidc_op.jwks import SigningKeyMissing, TokenKeys
from broker.oidc_op.token import GrantRefused, TokenResponse
from broker.oidc_op.userinfo import AccessTokenMissing, AccessTokenRefused
from tests import builders_oidc as oidc
from tests.flow.login_answers import Browser, read_redirect, welcomed
from tests.flow.login_parties import BIOSFEER_OIDC, REKENRIJK, SAML_SCHOOL, with_party
from tests.flow.login_world import LoginWorld


async def a_code(world: LoginWorld, party: str = REKENRIJK) -> str:
    return read_redirect(await world.arrive(Browser(), party=party)).code


async def ask_userinfo(world: LoginWorld, token: str) -> dict[str, object]:
    return dict(await world.token.userinfo([], CallerProof(f"Bearer {token}")))


class TestCode:
    async def test_once(self, world: LoginWorld) -> None:
        code = await a_code(world)
        assert (await world.redeem(code)).expires_in == 300
        with pytest.raises(GrantRefused, match="check_code_used_once"):
            await world.redeem(code)

    async def test_a_second_use_ends_what_the_first_gave(self, world: LoginWorld) -> None:
        code = await a_code(world)
        tokens = await world.redeem(code)
        assert await ask_userinfo(world, tokens.access_token)
        with pytest.raises(GrantRefused):
            await world.redeem(code)
        with pytest.raises(AccessTokenRefused, match="check_access_token_known"):
            await ask_userinfo(world, tokens.access_token)

    async def test_a_second_use_by_another_client_ends_it_too(self, world: LoginWorld) -> None:
        code = await a_code(world)
        tokens = await world.redeem(code)
        with pytest.raises(GrantRefused):
            await world.redeem(code, BIOSFEER_OIDC)
        with pytest.raises(AccessTokenRefused):
            await ask_userinfo(world, tokens.access_token)

    @pytest.mark.parametrize("racers", [2, 5])
    async def test_raced_it_gives_at_most_one_answer_and_ends_it(
        self, world: LoginWorld, racers: int
    ) -> None:
        code = await a_code(world)
        raced = await asyncio.gather(
            *(world.redeem(code) for _ in range(racers)), return_exceptions=True
        )
        given = [each for each in raced if isinstance(each, TokenResponse)]
        assert len(given) == 1
        assert all(isinstance(each, GrantRefused) for each in raced if each not in given)
        with pytest.raises(AccessTokenRefused):
            await ask_userinfo(world, given[0].access_token)

    async def test_lives_a_minute(self, world: LoginWorld) -> None:
        codes = [await a_code(world) for _ in range(2)]
        world.wait(seconds=59)
        assert await world.redeem(codes[0])
        world.wait(seconds=1)
        with pytest.raises(GrantRefused, match="check_code_known"):
            await world.redeem(codes[1])

    @pytest.mark.parametrize("code", ["", "x", "A" * 43, "A" * 42 + "B", "Ж" * 43])
    async def test_a_guess_is_no_code(self, world: LoginWorld, code: str) -> None:
        with pytest.raises(Refusal, match=r"check_code_(form|known|present)"):
            await world.redeem(code)

    async def test_of_another_client_is_used_up_and_gives_nothing(self, world: LoginWorld) -> None:
        code = await a_code(world)
        with pytest.raises(GrantRefused, match="check_grant_belongs_to_client"):
            await world.redeem(code, BIOSFEER_OIDC)
        with pytest.raises(GrantRefused, match="check_code_used_once"):
            await world.redeem(code)

    @pytest.mark.parametrize(
        ("field", "value", "check"),
        [
            ("redirect_uri", "https://rekenrijk.example/cb?tenant=1", "check_redirect_uri_equal"),
            ("code_verifier", "w" * 43, "check_code_verifier_matches"),
            ("code_verifier", None, "check_code_verifier_expected"),
        ],
    )
    async def test_with_another_request_it_gives_nothing(
        self, world: LoginWorld, field: str, value: str | None, check: str
    ) -> None:
        code = await a_code(world)
        with pytest.raises(GrantRefused, match=check):
            await world.redeem(code, **{field: value})
        with pytest.raises(GrantRefused, match="check_code_used_once"):
            await world.redeem(code)  # it was burnt

    async def test_handles_of_other_kinds_are_no_codes(self, world: LoginWorld) -> None:
        world.change(SAML_SCHOOL, shared_devices=True)
        browser = Browser()
        page = welcomed(await world.arrive(browser))
        with pytest.raises(GrantRefused, match="check_code_known"):
            await world.redeem(browser.cookies[page.login].handle.text)
        assert await world.press(browser, "go_on", page.login)


class TestClient:
    async def test_a_jti_counts_once_and_takes_the_code_with_it(self, world: LoginWorld) -> None:
        codes = [await a_code(world) for _ in range(3)]
        assert await world.redeem(codes[0], jti="j-1")
        with pytest.raises(ClientNotAuthenticated, match="check_assertion_id_once"):
            await world.redeem(codes[1], jti="j-1")
        with pytest.raises(GrantRefused, match="check_code_used_once"):
            await world.redeem(codes[1], jti="j-2")
        assert await world.redeem(codes[2], jti="j-3")

    async def test_two_clients_may_choose_one_jti(self, world: LoginWorld) -> None:
        assert await world.redeem(await a_code(world), jti="j-1")
        code = await a_code(world, BIOSFEER_OIDC)
        assert await world.redeem(code, BIOSFEER_OIDC, jti="j-1")

    async def test_a_jti_is_refused_as_long_as_its_assertion_is_good(
        self, world: LoginWorld
    ) -> None:
        code, form = await a_code(world), None
        form = world.token_form(code)
        assert await world.token.redeem(form, NO_PROOF)
        for _ in range(12):
            world.wait(seconds=10)
            with pytest.raises(Refusal, match=r"check_(code_used_once|assertion_expiry)"):
                await world.token.redeem(form, NO_PROOF)

    async def test_by_secret_where_the_profile_allows_it(self, world: LoginWorld) -> None:
        supplier = world.records["rekenrijk"]
        world.put(
            "rekenrijk",
            with_party(supplier, REKENRIJK, protocol=oidc.a_compat_client()),
        )
        codes = [await a_code(world) for _ in range(2)]
        form = oidc.a_token_request(code=codes[0])
        assert await world.token.redeem(form, CallerProof(oidc.basic()))
        form = oidc.a_token_request(code=codes[1])
        with pytest.raises(ClientNotAuthenticated, match="check_client_secret"):
            await world.token.redeem(form, CallerProof(oidc.basic(secret="x")))
        assert await world.token.redeem(form, CallerProof(oidc.basic()))

    async def test_nobody_learns_of_a_code_without_proof(self, world: LoginWorld) -> None:
        code = await a_code(world)
        with pytest.raises(ClientNotAuthenticated):
            await world.token.redeem(
                oidc.a_token_request(code=code, client_id=oidc.CLIENT_ID), NO_PROOF
            )
        assert await world.redeem(code)  # an unknown caller used nothing up


class TestUserinfo:
    async def test_shows_its_own_login(self, world: LoginWorld) -> None:
        tokens = await world.redeem(await a_code(world))
        told = await ask_userinfo(world, tokens.access_token)
        assert told.keys() == {"sub", "given_name", "eduperson_affiliation"}
        assert await ask_userinfo(world, tokens.access_token) == told

    async def test_token_in_the_form(self, world: LoginWorld) -> None:
        tokens = await world.redeem(await a_code(world))
        form = [("access_token", tokens.access_token)]
        assert (await world.token.userinfo(form, NO_PROOF))["sub"]
        with pytest.raises(AccessTokenMissing):
            await world.token.userinfo([], NO_PROOF)

    async def test_five_minutes(self, world: LoginWorld) -> None:
        code = await a_code(world)
        world.wait(seconds=59)
        tokens = await world.redeem(code)
        world.wait(seconds=tokens.expires_in)
        assert await ask_userinfo(world, tokens.access_token)
        world.wait(seconds=1)
        with pytest.raises(AccessTokenRefused):
            await ask_userinfo(world, tokens.access_token)

    async def test_handles_of_other_kinds_show_nothing(self, world: LoginWorld) -> None:
        world.change(SAML_SCHOOL, shared_devices=True)
        browser = Browser()
        page = welcomed(await world.arrive(browser))
        cookie = browser.cookies[page.login].handle
        child = world.state.derive_handle(cookie, ACCESS_TOKEN)
        assert await world.state.get(PREPARED, cookie)
        code = read_redirect(await world.press(browser, "go_on", page.login)).code
        for token in (code, cookie.text, child.text, "x", "A" * 43):
            with pytest.raises(AccessTokenRefused, match="check_access_token_known"):
                await ask_userinfo(world, token)
        tokens = await world.redeem(code)
        assert await ask_userinfo(world, tokens.access_token)

    async def test_a_code_does_not_open_what_its_access_token_does(self, world: LoginWorld) -> None:
        code = await a_code(world)
        with pytest.raises(Absent):
            await world.state.get(PREPARED, parse_handle(code))


class TestFaults:
    @pytest.mark.parametrize("lost", ["request", "answer"])
    async def test_an_unsure_store_gives_nothing(self, world: LoginWorld, lost: str) -> None:
        code = await a_code(world)
        world.faults.start(fails_at=2, lost=lost)  # type: ignore[arg-type]
        with pytest.raises(StoreUnavailable):
            await world.redeem(code)
        world.faults.start()
        if lost == "request":
            assert await world.redeem(code)
        else:
            with pytest.raises(GrantRefused):
                await world.redeem(code)

    async def test_an_unsure_store_shows_nothing(self, world: LoginWorld) -> None:
        tokens = await world.redeem(await a_code(world))
        world.faults.start(fails_at=1)
        with pytest.raises(StoreUnavailable):
            await ask_userinfo(world, tokens.access_token)
        assert await ask_userinfo(world, tokens.access_token)

    async def test_a_revocation_that_fails_is_said(self, world: LoginWorld) -> None:
        code = await a_code(world)
        await world.redeem(code)
        world.faults.start(fails_at=3)  # keys, take, delete
        with pytest.raises(StoreUnavailable):
            await world.redeem(code)
        with pytest.raises(GrantRefused):
            await world.redeem(code)

    async def test_a_key_that_is_missing_is_our_fault(self, world: LoginWorld) -> None:
        code = await a_code(world)
        none = replace(world.keys, token=TokenKeys(active=()))
        world.token._id_tokens = IdTokens(issuer=oidc.ISSUER, keys=none, random=world.random)
        with pytest.raises(SigningKeyMissing):
            await world.redeem(code)
