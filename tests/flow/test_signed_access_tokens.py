"""Access tokens that an API verifies by itself, and userinfo that is signed."""

from typing import Any

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import JWKRegistry, KeySet

from broker.domain.federation import SupplierApi
from broker.domain.refusals import Refusal
from broker.jose.tokens import sign_token
from broker.oidc_op.jwks import build_jwks
from broker.oidc_op.refresh import TargetRefused
from broker.oidc_op.request_checks import ResourceRefused
from broker.oidc_op.token import GrantRefused
from broker.oidc_op.userinfo import AccessTokenRefused
from tests import builders_oidc as oidc
from tests.flow.login_parties import BIOSFEER_OIDC
from tests.flow.login_world import LoginWorld
from tests.flow.token_desk import (
    API,
    OFFLINE,
    a_code,
    introspect,
    refresh,
    register,
    revoke,
    tokens,
    userinfo,
)

OTHER_API = "https://grades.rekenrijk.example/"


@pytest.fixture
def signing(world: LoginWorld) -> LoginWorld:
    """A world in which rekenrijk has two APIs and gets signed access tokens."""
    apis = (SupplierApi(id="api", resource=API), SupplierApi(id="grades", resource=OTHER_API))
    world.change("rekenrijk", apis=apis)
    register(world, access_tokens="jwt", refresh_hours=24)
    return world


def read(world: LoginWorld, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an API reads by the published keys alone, with a library of its own."""
    published = [dict(each) for each in build_jwks(world.keys.token)["keys"]]
    keys = KeySet([JWKRegistry.import_key(each) for each in published])
    read = jwt.decode(token, keys, algorithms=["ES256", "RS256"])
    return dict(read.header), dict(read.claims)


class TestForAnApi:
    async def test_says_what_rfc_9068_asks(self, signing: LoginWorld) -> None:
        given = await tokens(signing, resource=API, max_age="86400")
        header, claims = read(signing, given.access_token)
        assert header["typ"] == "at+jwt"
        _, id_token = read(signing, given.id_token)
        assert claims["sub"] == id_token["sub"]
        assert claims["aud"] == API
        assert claims["iss"] == oidc.ISSUER
        assert claims["client_id"] == oidc.CLIENT_ID
        assert claims["scope"] == "openid profile"
        assert claims["auth_time"] == id_token["auth_time"]
        assert claims["exp"] - claims["iat"] == 300
        assert claims["exp"] == int(signing.now.timestamp()) + given.expires_in
        assert len(claims["jti"]) == 43
        assert "given_name" not in claims

    async def test_is_not_for_userinfo(self, signing: LoginWorld) -> None:
        given = await tokens(signing, resource=API)
        with pytest.raises(AccessTokenRefused, match="check_access_token_for_userinfo"):
            await userinfo(signing, given.access_token)
        assert await userinfo(signing, (await tokens(signing)).access_token)

    async def test_never_of_another_supplier(self, signing: LoginWorld) -> None:
        """An API of another supplier would learn this one's pseudonym."""
        with pytest.raises(ResourceRefused, match="check_resource_registered"):
            signing.ask(BIOSFEER_OIDC, resource=API)
        assert signing.ask(resource=API).resources == (API,)

    async def test_an_opaque_one_is_for_its_api_too(self, signing: LoginWorld) -> None:
        register(signing, access_tokens="opaque")
        given = await tokens(signing, resource=API)
        told = await introspect(signing, given.access_token)
        assert told["aud"] == API
        with pytest.raises(AccessTokenRefused, match="check_access_token_for_userinfo"):
            await userinfo(signing, given.access_token)

    async def test_two_apis_or_fewer_than_the_login_named(self, signing: LoginWorld) -> None:
        checked = signing.ask(resource=API)
        both = msgspec.structs.replace(checked, resources=(API, OTHER_API))
        assert set(both.resources) == {API, OTHER_API}
        code = await a_code(signing, resource=API)
        with pytest.raises(TargetRefused, match="check_resource_within_grant"):
            await signing.redeem(code, resource=OTHER_API)
        given = await signing.redeem(await a_code(signing, resource=API), resource=API)
        assert read(signing, given.access_token)[1]["aud"] == API

    async def test_as_a_nlgov_client_has_it(self, signing: LoginWorld) -> None:
        register(signing, profile="nlgov", access_tokens=None, id_token_algorithm="RS256")
        given = await tokens(signing, state="s" * 22, nonce="n" * 22)
        header, claims = read(signing, given.access_token)
        assert (header["typ"], header["alg"]) == ("at+jwt", "RS256")
        _, id_token = read(signing, given.id_token)
        assert id_token["exp"] - id_token["iat"] == 300
        assert id_token["nbf"] <= signing.now.timestamp() < id_token["exp"]
        assert claims["aud"] == f"{oidc.ISSUER}/oidc/userinfo"


class TestAtOurOwn:
    async def test_opens_userinfo_by_its_signature_and_record(self, signing: LoginWorld) -> None:
        given = await tokens(signing)
        assert (await userinfo(signing, given.access_token))["sub"]
        assert (await introspect(signing, given.access_token))["active"] is True
        told = await introspect(signing, given.access_token)
        assert told["exp"] == read(signing, given.access_token)[1]["exp"]

    async def test_its_jti_opens_nothing(self, signing: LoginWorld) -> None:
        """Whoever reads a token in a log of an API has it anyway; of its `jti` alone nothing."""
        given = await tokens(signing)
        jti = read(signing, given.access_token)[1]["jti"]
        with pytest.raises(AccessTokenRefused, match="check_access_token_known"):
            await userinfo(signing, jti)

    async def test_an_opaque_record_has_no_signed_form(self, signing: LoginWorld) -> None:
        register(signing, access_tokens="opaque")
        given = await tokens(signing)
        _, claims = read(signing, given.id_token)
        forged = sign_token(
            {**claims, "jti": given.access_token}, key=oidc.BROKER_KEY, typ="at+jwt"
        )
        with pytest.raises(AccessTokenRefused, match="check_access_token_known"):
            await userinfo(signing, forged)

    @pytest.mark.parametrize(
        ("changes", "typ", "check"),
        [
            ({}, "JWT", "check_access_token_typ"),
            ({}, "logout+jwt", "check_access_token_typ"),
            ({"iss": "https://other.example"}, "at+jwt", "check_access_token_issuer"),
            ({"exp": 1}, "at+jwt", "check_access_token_expiry"),
            ({"exp": "soon"}, "at+jwt", "check_access_token_expiry"),
            ({"jti": 7}, "at+jwt", "check_access_token_known"),
            ({"jti": "A" * 43}, "at+jwt", "check_access_token_known"),
        ],
    )
    async def test_what_we_signed_otherwise_is_no_access_token(
        self, signing: LoginWorld, changes: dict[str, object], typ: str, check: str
    ) -> None:
        given = await tokens(signing)
        _, claims = read(signing, given.access_token)
        other = sign_token({**claims, **changes}, key=oidc.BROKER_KEY, typ=typ)
        with pytest.raises(AccessTokenRefused, match=check):
            await userinfo(signing, other)
        assert await userinfo(signing, given.access_token)

    async def test_an_id_token_is_no_access_token(self, signing: LoginWorld) -> None:
        given = await tokens(signing)
        with pytest.raises(AccessTokenRefused, match="check_access_token_typ"):
            await userinfo(signing, given.id_token)

    async def test_signed_by_anybody_else_it_is_none(self, signing: LoginWorld) -> None:
        given = await tokens(signing)
        _, claims = read(signing, given.access_token)
        forged = sign_token(claims, key=oidc.CLIENT_KEY, typ="at+jwt")
        with pytest.raises(AccessTokenRefused, match="check_token_key_known"):
            await userinfo(signing, forged)

    async def test_over_it_opens_nothing(self, signing: LoginWorld) -> None:
        given = await tokens(signing)
        signing.wait(seconds=given.expires_in - 1)
        assert await userinfo(signing, given.access_token)
        signing.wait(seconds=1)
        with pytest.raises(AccessTokenRefused, match="check_access_token_expiry"):
            await userinfo(signing, given.access_token)

    async def test_revoked_we_know_it_at_once(self, signing: LoginWorld) -> None:
        given = await tokens(signing)
        await revoke(signing, given.access_token)
        assert await introspect(signing, given.access_token) == {"active": False}
        assert read(signing, given.access_token)  # an API that asks nobody learns it by `exp`

    async def test_a_second_use_of_the_code_ends_it(self, signing: LoginWorld) -> None:
        code = await a_code(signing)
        given = await signing.redeem(code)
        with pytest.raises(GrantRefused):
            await signing.redeem(code)
        assert await introspect(signing, given.access_token) == {"active": False}

    async def test_a_refresh_gives_one_of_the_same_form(self, signing: LoginWorld) -> None:
        first = await tokens(signing, scope=OFFLINE, resource=API)
        second = await refresh(signing, first.refresh_token, resource=API)
        _, claims = read(signing, second.access_token)
        assert claims["aud"] == API
        assert claims["jti"] != read(signing, first.access_token)[1]["jti"]
        assert (await introspect(signing, second.access_token))["active"] is True


class TestSignedUserinfo:
    @pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
    async def test_has_issuer_and_audience(self, world: LoginWorld, algorithm: str) -> None:
        register(world, userinfo_algorithm=algorithm)
        given = await tokens(world)
        header, claims = read(world, await userinfo(world, given.access_token))
        assert header["alg"] == algorithm
        assert (claims["iss"], claims["aud"]) == (oidc.ISSUER, oidc.CLIENT_ID)
        assert claims["given_name"] == "Sanne"
        assert claims["sub"] == read(world, given.id_token)[1]["sub"]

    async def test_is_no_token_of_another_kind(self, world: LoginWorld) -> None:
        register(world, userinfo_algorithm="ES256")
        told = await userinfo(world, (await tokens(world)).access_token)
        with pytest.raises(AccessTokenRefused, match="check_access_token_typ"):
            await userinfo(world, told)

    async def test_a_key_that_is_missing_is_our_fault(self, world: LoginWorld) -> None:
        register(world, userinfo_algorithm="PS256")
        given = await tokens(world)
        with pytest.raises(Refusal, match="check_signing_key_active"):
            await userinfo(world, given.access_token)
