"""Tokens that are bound to a key: stolen, they are good for nothing (RFC 9449, RFC 8705)."""

import asyncio
from typing import Any

import pytest

from broker.flow.sender_proofs import SenderNotProven
from broker.oidc_op.caller_proof import NO_PROOF, CallerProof
from broker.oidc_op.dpop import DpopProofRefused
from broker.oidc_op.token import GrantRefused, TokenResponse
from broker.oidc_op.userinfo import AccessTokenRefused
from tests import builders_oidc as oidc
from tests.flow import pushing
from tests.flow.login_answers import Browser, read_redirect, welcomed
from tests.flow.login_parties import REKENRIJK, SAML_SCHOOL
from tests.flow.login_world import LoginWorld
from tests.flow.test_signed_access_tokens import read
from tests.flow.token_desk import (
    OFFLINE,
    a_code,
    introspect,
    public_form,
    refresh,
    register,
)
from tests.proof_builders import DPOP_KEY, OTHER_DPOP_KEY, a_certificate, a_dpop_proof

USERINFO = f"{oidc.ISSUER}/oidc/userinfo"
JKT = DPOP_KEY.key.thumbprint()


def proof_of(world: LoginWorld, **changes: Any) -> CallerProof:
    """A proof for the token endpoint, used nowhere before."""
    fields = {"jti": f"proof-{world.random(8).hex()}", "now": world.now, **changes}
    return CallerProof(dpop=(a_dpop_proof(**fields),))


def use_of(world: LoginWorld, token: str, **changes: Any) -> CallerProof:
    """A token with a proof for GET at userinfo."""
    fields = {"htm": "GET", "htu": USERINFO, "access_token": token, **changes}
    return CallerProof(f"DPoP {token}", dpop=proof_of(world, **fields).dpop)


async def redeem(world: LoginWorld, proof: CallerProof, **request: Any) -> TokenResponse:
    code = await a_code(world, **request)
    return await world.token.redeem(world.token_form(code), proof)


@pytest.fixture
def app(world: LoginWorld) -> LoginWorld:
    """A world in which rekenrijk is an app, which has nothing to prove who it is."""
    register(world, profile="native", authentication="none", jwks="", refresh_hours=24)
    return world


async def redeem_as_app(world: LoginWorld, proof: CallerProof = NO_PROOF) -> TokenResponse:
    code = await a_code(world, scope=OFFLINE)
    form = public_form(world, **dict(oidc.a_token_request(code=code)))
    return await world.token.redeem(form, proof)


async def refresh_as_app(
    world: LoginWorld, token: Any, proof: CallerProof = NO_PROOF
) -> TokenResponse:
    form = public_form(world, grant_type="refresh_token", refresh_token=token)
    return await world.token.redeem(form, proof)


class TestProofOfPossession:
    @pytest.mark.parametrize("form", ["opaque", "jwt"])
    async def test_a_bound_token_needs_its_key(self, world: LoginWorld, form: str) -> None:
        register(world, access_tokens=form)
        given = await redeem(world, proof_of(world))
        assert given.token_type == "DPoP"
        token = given.access_token
        assert (await world.token.userinfo([], use_of(world, token)))["sub"]  # type: ignore[index]
        for stolen in (
            CallerProof(f"Bearer {token}"),
            CallerProof(f"DPoP {token}"),
            use_of(world, token, key=OTHER_DPOP_KEY),
            use_of(world, token, access_token="another"),
        ):
            with pytest.raises((AccessTokenRefused, DpopProofRefused)):
                await world.token.userinfo([], stolen)
        told = await introspect(world, token)
        assert told["token_type"] == "DPoP"
        assert told["cnf"] == {"jkt": JKT}
        if form == "jwt":
            assert read(world, token)[1]["cnf"] == {"jkt": JKT}

    async def test_a_proof_counts_once_where_it_is_used(self, world: LoginWorld) -> None:
        given = await redeem(world, proof_of(world))
        shown = use_of(world, given.access_token)
        assert await world.token.userinfo([], shown)
        with pytest.raises(DpopProofRefused, match="check_proof_id_once"):
            await world.token.userinfo([], shown)

    async def test_a_proof_counts_once_where_it_is_given(self, world: LoginWorld) -> None:
        proof = proof_of(world)
        assert await redeem(world, proof)
        code = await a_code(world)
        with pytest.raises(DpopProofRefused, match="check_proof_id_once"):
            await world.token.redeem(world.token_form(code), proof)

    async def test_an_unbound_one_is_no_dpop_token(self, world: LoginWorld) -> None:
        given = await redeem(world, NO_PROOF)
        assert given.token_type == "Bearer"
        with pytest.raises(AccessTokenRefused, match="check_token_shown_as_given"):
            await world.token.userinfo([], use_of(world, given.access_token))
        assert await world.token.userinfo([], CallerProof(f"Bearer {given.access_token}"))

    async def test_who_must_bind_gets_none_without(self, world: LoginWorld) -> None:
        register(world, dpop_bound=True)
        code = await a_code(world)
        with pytest.raises(SenderNotProven):
            await world.token.redeem(world.token_form(code), NO_PROOF)
        assert await world.token.redeem(world.token_form(code), proof_of(world))

    async def test_a_raced_code_gives_no_bound_token_that_lives(self, world: LoginWorld) -> None:
        code = await a_code(world)
        raced = await asyncio.gather(
            *(world.token.redeem(world.token_form(code), proof_of(world)) for _ in range(4)),
            return_exceptions=True,
        )
        given = [each for each in raced if isinstance(each, TokenResponse)]
        assert len(given) <= 1
        assert all(isinstance(each, GrantRefused) for each in raced if each not in given)
        for each in given:
            with pytest.raises(AccessTokenRefused):
                await world.token.userinfo([], use_of(world, each.access_token))

    async def test_a_second_use_in_between_gives_nothing(self, world: LoginWorld) -> None:
        """The code was taken, and shown once more before the token was bound."""
        code = await a_code(world)
        store, real = world.store, world.store.put

        async def put(*puts: Any, **claims: Any) -> None:
            store.put = real  # type: ignore[method-assign]
            with pytest.raises(GrantRefused, match="check_code_used_once"):
                await world.redeem(code)
            await real(*puts, **claims)

        store.put = put  # type: ignore[method-assign]
        with pytest.raises(GrantRefused, match="check_code_used_once"):
            await world.token.redeem(world.token_form(code), proof_of(world))


class TestCertificate:
    async def test_a_bound_token_needs_its_certificate(self, world: LoginWorld) -> None:
        register(world, certificate_bound=True)
        certificate = a_certificate(now=world.now)
        given = await redeem(world, CallerProof(certificate=certificate))
        header = f"Bearer {given.access_token}"
        assert await world.token.userinfo([], CallerProof(header, certificate=certificate))
        for stolen in (None, a_certificate(now=world.now)):
            with pytest.raises(AccessTokenRefused, match="check_certificate_bound"):
                await world.token.userinfo([], CallerProof(header, certificate=stolen))
        told = await introspect(world, given.access_token)
        assert set(told["cnf"]) == {"x5t#S256"}  # type: ignore[call-overload]


class TestApp:
    async def test_refreshes_by_rotation_alone(self, app: LoginWorld) -> None:
        first = await redeem_as_app(app)
        second = await refresh_as_app(app, first.refresh_token)
        with pytest.raises(GrantRefused, match="check_refresh_token_used_once"):
            await refresh_as_app(app, first.refresh_token)
        with pytest.raises(GrantRefused, match="check_refresh_token_known"):
            await refresh_as_app(app, second.refresh_token)

    async def test_that_proved_a_key_refreshes_with_that_key(self, app: LoginWorld) -> None:
        first = await redeem_as_app(app, proof_of(app))
        for proof in (NO_PROOF, proof_of(app, key=OTHER_DPOP_KEY)):
            with pytest.raises(GrantRefused, match="check_refresh_token_bound"):
                await refresh_as_app(app, first.refresh_token, proof)
        second = await refresh_as_app(app, first.refresh_token, proof_of(app))
        assert second.token_type == "DPoP"
        assert await refresh_as_app(app, second.refresh_token, proof_of(app))

    async def test_gets_none_where_devices_are_shared(self, app: LoginWorld) -> None:
        """It would go on as who sat there before."""
        assert (await redeem_as_app(app)).refresh_token
        app.change(SAML_SCHOOL, shared_devices=True)
        browser = Browser()
        at_school = await app.go_to_school(browser, REKENRIJK, "vuurvogel", scope=OFFLINE)
        page = welcomed(await app.come_back(browser, at_school))
        code = read_redirect(await app.press(browser, "go_on", page.login)).code
        form = public_form(app, **dict(oidc.a_token_request(code=code)))
        given = await app.token.redeem(form, NO_PROOF)
        assert not given.refresh_token
        assert given.scope == "openid"

    async def test_a_client_with_a_key_of_its_own_may_change_the_other(
        self, world: LoginWorld
    ) -> None:
        register(world, refresh_hours=24)
        first = await redeem(world, proof_of(world), scope=OFFLINE)
        second = await refresh(
            world, first.refresh_token, proof=proof_of(world, key=OTHER_DPOP_KEY)
        )
        assert second.token_type == "DPoP"


class TestCode:
    """A code that one key alone redeems (RFC 9449 10)."""

    async def test_without_that_key_it_gives_nothing(self, world: LoginWorld) -> None:
        for shown in (NO_PROOF, proof_of(world, key=OTHER_DPOP_KEY)):
            with pytest.raises(GrantRefused, match="check_code_bound"):
                await redeem(world, shown, dpop_jkt=JKT)
        assert (await redeem(world, proof_of(world), dpop_jkt=JKT)).token_type == "DPoP"
        assert (await redeem(world, proof_of(world, key=OTHER_DPOP_KEY))).token_type == "DPoP"

    async def test_a_pushed_key_is_as_good(self, world: LoginWorld) -> None:
        for proof in (NO_PROOF, proof_of(world)):
            pushed = await pushing.push(world, proof=pushing.dpop(world))
            arrived = await pushing.arrive_with(world, pushing.by_reference(pushed.request_uri))
            form = world.token_form(read_redirect(await pushing.finish(world, arrived)).code)
            if proof is NO_PROOF:
                with pytest.raises(GrantRefused, match="check_code_bound"):
                    await world.token.redeem(form, proof)
            else:
                assert (await world.token.redeem(form, proof)).token_type == "DPoP"
