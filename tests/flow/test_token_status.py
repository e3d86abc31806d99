"""Introspection and revocation: of one's own tokens, and nothing told of anybody else's."""

import pytest

from broker.domain.federation import ApiClient, SupplierApi
from broker.flow.refusals import StoreUnavailable
from broker.jose.keys import SigningKey
from broker.oidc_op.caller_proof import NO_PROOF
from broker.oidc_op.client_refusals import ClientNotAuthenticated
from broker.oidc_op.token import GrantRefused, TokenParameterMissing
from broker.oidc_op.userinfo import AccessTokenRefused
from tests import builders_oidc as oidc
from tests.flow.login_parties import BIOSFEER_OIDC, REKENRIJK, SAML_SCHOOL
from tests.flow.login_world import LoginWorld
from tests.flow.token_desk import (
    API,
    OFFLINE,
    a_code,
    form_of,
    introspect,
    public_form,
    refresh,
    register,
    revoke,
    tokens,
    userinfo,
)

INACTIVE = {"active": False}
OTHER_API = "https://grades.rekenrijk.example/"
API_KEY = oidc.make_key()


def an_api(resource: str) -> SupplierApi:
    program = ApiClient(id=resource, jwks=oidc.jwks_of(API_KEY), purposes=())
    return SupplierApi(id="exercises", resource=resource, program=program)


class TestIntrospection:
    async def test_of_ones_own_supplier(self, world: LoginWorld) -> None:
        given = await tokens(world)
        told = await introspect(world, given.access_token)
        sub = (await userinfo(world, given.access_token))["sub"]
        ends_at, issued_at = told.pop("exp"), told.pop("iat")
        assert isinstance(ends_at, int)
        assert isinstance(issued_at, int)
        assert issued_at <= world.now.timestamp() < ends_at <= world.now.timestamp() + 360
        assert told == {
            "active": True,
            "token_type": "Bearer",
            "iss": "https://broker.example",
            "sub": sub,
            "aud": "https://broker.example/oidc/userinfo",
            "client_id": "rekenrijk-web",
            "scope": "openid profile",
        }

    async def test_says_of_the_login_what_was_asked(self, world: LoginWorld) -> None:
        told = await introspect(world, (await tokens(world, max_age="86400")).access_token)
        assert "auth_time" in told

    async def test_of_another_supplier_tells_nothing(self, world: LoginWorld) -> None:
        given = await tokens(world)
        assert await introspect(world, given.access_token, BIOSFEER_OIDC) == INACTIVE
        assert (await introspect(world, given.access_token))["active"] is True

    @pytest.mark.parametrize("token", ["x", "A" * 43, "a.b", "a.b.c", f"{'A' * 43}.{'A' * 43}"])
    async def test_what_is_no_token_tells_nothing(self, world: LoginWorld, token: str) -> None:
        assert await introspect(world, token) == INACTIVE
        code = await a_code(world)
        assert await introspect(world, code) == INACTIVE
        assert await world.redeem(code)

    async def test_a_token_is_needed(self, world: LoginWorld) -> None:
        with pytest.raises(TokenParameterMissing, match="check_token_present"):
            await introspect(world, None)

    async def test_nobody_asks_without_proof(self, world: LoginWorld) -> None:
        given = await tokens(world)
        form = [("token", given.access_token), ("client_id", "rekenrijk-web")]
        with pytest.raises(ClientNotAuthenticated):
            await world.status.introspect(form, NO_PROOF)

    async def test_an_app_that_proves_nothing_is_told_nothing(self, world: LoginWorld) -> None:
        """Its name is no secret; who shows it beside a token that was found is anybody."""
        given = await tokens(world)
        assert (await introspect(world, given.access_token))["active"] is True
        register(world, profile="native", authentication="none", jwks="")
        form = public_form(world, token=given.access_token)
        with pytest.raises(ClientNotAuthenticated, match="check_asker_proves_itself"):
            await world.status.introspect(form, NO_PROOF)
        await world.status.revoke(form, NO_PROOF)  # which may be asked so (RFC 7009 2.1)
        with pytest.raises(AccessTokenRefused):
            await userinfo(world, given.access_token)

    async def test_an_assertion_counts_once(self, world: LoginWorld) -> None:
        given = await tokens(world)
        form = form_of(world, token=given.access_token)
        assert (await world.status.introspect(form, NO_PROOF))["active"] is True
        with pytest.raises(ClientNotAuthenticated, match="check_assertion_id_once"):
            await world.status.introspect(form, NO_PROOF)

    async def test_a_secret_counts_again(self, world: LoginWorld) -> None:
        given = await tokens(world)
        register(
            world,
            profile="compat",
            authentication="client_secret_basic",
            secret_hash=oidc.a_compat_client().secret_hash,
        )
        proof = type(NO_PROOF)(oidc.basic())
        for _ in range(2):
            told = await world.status.introspect([("token", given.access_token)], proof)
            assert told["active"] is True

    async def test_over_or_closed_tells_nothing(self, world: LoginWorld) -> None:
        given = await tokens(world)
        world.change(SAML_SCHOOL, enabled=False)
        assert await introspect(world, given.access_token) == INACTIVE
        world.change(SAML_SCHOOL, enabled=True)
        assert (await introspect(world, given.access_token))["active"] is True
        world.wait(seconds=301)
        world.wait(seconds=60)
        assert await introspect(world, given.access_token) == INACTIVE

    async def test_never_over_while_it_is_not(self, world: LoginWorld) -> None:
        given = await tokens(world)
        for _ in range(35):
            told = await introspect(world, given.access_token)
            assert told["active"] is True
            assert told["exp"] > world.now.timestamp()  # type: ignore[operator]
            world.wait(seconds=10)

    async def test_of_a_refresh_token_its_own_client_alone(self, world: LoginWorld) -> None:
        register(world, refresh_hours=24)
        given = await tokens(world, scope=OFFLINE)
        told = await introspect(world, given.refresh_token)
        assert told["active"] is True
        assert told["client_id"] == "rekenrijk-web"
        assert told["scope"] == OFFLINE
        assert "given_name" not in told
        assert await introspect(world, given.refresh_token, BIOSFEER_OIDC) == INACTIVE
        await refresh(world, given.refresh_token)
        assert await introspect(world, given.refresh_token) == INACTIVE  # it was used


class TestApi:
    """A supplier's API asks with keys of its own, and about its own tokens alone."""

    @pytest.fixture
    def asking(self, world: LoginWorld) -> LoginWorld:
        world.change("rekenrijk", apis=(an_api(API), SupplierApi(id="b", resource=OTHER_API)))
        return world

    async def ask(
        self, world: LoginWorld, token: str, resource: str = API, key: SigningKey = API_KEY
    ) -> dict[str, object]:
        seconds = int(world.now.timestamp())
        assertion = oidc.an_assertion(
            key=key,
            iss=resource,
            sub=resource,
            iat=seconds,
            exp=seconds + 60,
            jti=f"jti-{world.random(8).hex()}",
        )
        form = [("token", token), *oidc.assertion_form(assertion)]
        return dict(await world.status.introspect(form, NO_PROOF))

    async def test_is_told_of_a_token_that_is_for_it(self, asking: LoginWorld) -> None:
        given = await tokens(asking, resource=API)
        told = await self.ask(asking, given.access_token)
        assert told["active"] is True
        assert told["aud"] == API
        assert "given_name" not in told

    async def test_is_told_nothing_of_any_other(self, asking: LoginWorld) -> None:
        register(asking, refresh_hours=24)
        for other in (
            await tokens(asking),
            await tokens(asking, resource=OTHER_API),
            await tokens(asking, BIOSFEER_OIDC),
        ):
            assert await self.ask(asking, other.access_token) == INACTIVE
        given = await tokens(asking, scope=OFFLINE, resource=API)
        assert await self.ask(asking, str(given.refresh_token)) == INACTIVE
        assert (await self.ask(asking, given.access_token))["active"] is True

    async def test_proves_who_it_is(self, asking: LoginWorld) -> None:
        given = await tokens(asking, resource=API)
        for wrong in ({"key": oidc.CLIENT_KEY}, {"resource": OTHER_API}, {"resource": "https://x"}):
            with pytest.raises(ClientNotAuthenticated):
                await self.ask(asking, given.access_token, **wrong)  # type: ignore[arg-type]
        asking.change("rekenrijk", enabled=False)
        with pytest.raises(ClientNotAuthenticated, match="check_supplier_enabled"):
            await self.ask(asking, given.access_token)

    async def test_gets_no_token_and_ends_none(self, asking: LoginWorld) -> None:
        given = await tokens(asking, resource=API)
        seconds = int(asking.now.timestamp())
        assertion = oidc.an_assertion(
            key=API_KEY, iss=API, sub=API, iat=seconds, exp=seconds + 60, jti="jti-of-the-api"
        )
        form = [("token", given.access_token), *oidc.assertion_form(assertion)]
        with pytest.raises(ClientNotAuthenticated):
            await asking.status.revoke(form, NO_PROOF)
        assert (await self.ask(asking, given.access_token))["active"] is True


class TestRevocation:
    async def test_of_an_access_token(self, world: LoginWorld) -> None:
        given = await tokens(world)
        await revoke(world, given.access_token)
        with pytest.raises(AccessTokenRefused, match="check_access_token_known"):
            await userinfo(world, given.access_token)
        assert await introspect(world, given.access_token) == INACTIVE
        assert "access-token-revoked" in world.audit.actions()
        await revoke(world, given.access_token)  # RFC 7009 2.2: once more is no error

    @pytest.mark.parametrize("party", [REKENRIJK, BIOSFEER_OIDC])
    @pytest.mark.parametrize("token", ["x", "A" * 43, "a.b", "a.b.c"])
    async def test_of_what_is_no_token_is_no_error(
        self, world: LoginWorld, token: str, party: str
    ) -> None:
        await revoke(world, token, party)

    async def test_of_another_client_does_nothing(self, world: LoginWorld) -> None:
        register(world, refresh_hours=24)
        given = await tokens(world, scope=OFFLINE)
        await revoke(world, given.access_token, BIOSFEER_OIDC)
        await revoke(world, given.refresh_token, BIOSFEER_OIDC)
        assert await userinfo(world, given.access_token)
        assert await refresh(world, given.refresh_token)

    async def test_of_a_refresh_token_ends_all_that_it_gave(self, world: LoginWorld) -> None:
        register(world, refresh_hours=24)
        first = await tokens(world, scope=OFFLINE)
        second = await refresh(world, first.refresh_token)
        await revoke(world, second.refresh_token)
        for each in (first, second):
            with pytest.raises(AccessTokenRefused):
                await userinfo(world, each.access_token)
        with pytest.raises(GrantRefused, match="check_refresh_token_known"):
            await refresh(world, second.refresh_token)

    async def test_of_an_access_token_leaves_the_refresh_token(self, world: LoginWorld) -> None:
        register(world, refresh_hours=24)
        given = await tokens(world, scope=OFFLINE)
        await revoke(world, given.access_token)
        assert await refresh(world, given.refresh_token)

    async def test_an_unsure_store_says_so(self, world: LoginWorld) -> None:
        given = await tokens(world)
        world.faults.start(fails_at=4)  # keys, put of the assertion, get, delete
        with pytest.raises(StoreUnavailable):
            await revoke(world, given.access_token)
        world.faults.start()
        assert await userinfo(world, given.access_token)
        await revoke(world, given.access_token)
        with pytest.raises(AccessTokenRefused):
            await userinfo(world, given.access_token)
