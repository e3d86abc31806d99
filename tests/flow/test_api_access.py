"""Programs that call us: who gets a token, for what, and until when it is believed."""

from typing import Any

import pytest

from broker.domain.federation import ApiClient, ApiScope, State
from broker.domain.refusals import Refusal
from broker.flow.held_state.records import USERINFO
from broker.flow.programs.api_access import (
    ApiCallerRefused,
    ApiTokenRefused,
    SchoolCaller,
    SupplierCaller,
)
from broker.flow.refusals import StoreUnavailable
from broker.oidc_op.caller_proof import NO_PROOF, CallerProof
from broker.oidc_op.client_credentials import ScopeRefused
from broker.oidc_op.client_refusals import ClientAuthenticationAmbiguous, ClientNotAuthenticated
from tests import builders_oidc as oidc
from tests.flow.login_answers import Browser, read_redirect
from tests.flow.login_parties import BIOSFEER_OIDC, REKENRIJK, SAML_SCHOOL, with_party
from tests.flow.login_world import LoginWorld

PROGRAM = "vuurvogel-las"
PROGRAM_KEY = oidc.make_key()
PATH = "/api/access"
BOTH = (ApiScope.ENROLMENT, ApiScope.TAKEOVER)


@pytest.fixture
def api(world: LoginWorld) -> LoginWorld:
    """A world in which a school has a program of its own."""
    world.change(SAML_SCHOOL, api_clients=(a_program(),))
    return world


def a_program(**changes: Any) -> ApiClient:
    fields: dict[str, Any] = {
        "id": PROGRAM,
        "jwks": oidc.jwks_of(PROGRAM_KEY),
        "purposes": BOTH,
    }
    return ApiClient(**fields | changes)


def a_form(world: LoginWorld, client: str = PROGRAM, **changes: Any) -> list[tuple[str, str]]:
    """A token request; `scope` and `key` apart, changes are of the assertion."""
    key = changes.pop("key", PROGRAM_KEY if client == PROGRAM else oidc.CLIENT_KEY)
    scope = changes.pop("scope", "enrolment" if client == PROGRAM else "takeover")
    seconds = int(world.now.timestamp())
    claims = {"iss": client, "sub": client, "iat": seconds, "exp": seconds + 60}
    claims |= {"jti": f"jti-{world.random(8).hex()}"} | changes
    form = oidc.assertion_form(oidc.an_assertion(key=key, **claims))
    return [("grant_type", "client_credentials"), ("scope", scope), *form]


async def a_token(world: LoginWorld, client: str = PROGRAM, **changes: Any) -> str:
    form = a_form(world, client, **changes)
    return (await world.api.grant(form, NO_PROOF)).access_token


async def admit(
    world: LoginWorld, token: str, scope: ApiScope | None = ApiScope.ENROLMENT
) -> SchoolCaller | SupplierCaller:
    proof = CallerProof(f"Bearer {token}")
    return await world.api.admit(proof, scope=scope, method="POST", path=PATH)


class TestGrant:
    async def test_to_a_school_s_program(self, api: LoginWorld) -> None:
        answer = await api.api.grant(a_form(api, scope="enrolment takeover"), NO_PROOF)
        assert (answer.expires_in, answer.scope) == (300, "enrolment takeover")
        caller = await admit(api, answer.access_token)
        assert isinstance(caller, SchoolCaller)
        assert (caller.school.id, caller.client.id, caller.scopes) == (SAML_SCHOOL, PROGRAM, BOTH)
        assert caller.state is State.TEST
        assert api.audit.last.names == BOTH
        assert api.audit.last.school == SAML_SCHOOL

    async def test_to_a_supplier_s_relying_party(self, api: LoginWorld) -> None:
        token = await a_token(api, oidc.CLIENT_ID)
        caller = await admit(api, token, ApiScope.TAKEOVER)
        assert isinstance(caller, SupplierCaller)
        assert (caller.supplier.id, caller.relying_party.id) == ("rekenrijk", REKENRIJK)
        assert caller.state is State.TEST
        assert api.audit.last.relying_party == REKENRIJK

    @pytest.mark.parametrize(
        ("changes", "check"),
        [
            ({"aud": oidc.TOKEN_ENDPOINT}, "check_assertion_audience"),
            ({"aud": [oidc.ISSUER]}, "check_assertion_audience"),
            ({"iss": "other"}, "check_assertion_issuer_is_client"),
            ({"jti": None}, "check_assertion_id"),
            ({"key": oidc.CLIENT_KEY}, None),
            ({"sub": "nobody"}, "check_client_known"),
            ({"sub": ["x"]}, "check_client_known"),
        ],
    )
    async def test_only_to_who_proves_who_it_is(
        self, api: LoginWorld, changes: dict[str, Any], check: str | None
    ) -> None:
        with pytest.raises(ClientNotAuthenticated, match=check):
            await a_token(api, **changes)
        assert await a_token(api)

    async def test_an_assertion_counts_once(self, api: LoginWorld) -> None:
        assert await a_token(api, jti="j-1")
        with pytest.raises(ClientNotAuthenticated, match="check_assertion_id_once"):
            await a_token(api, jti="j-1")
        assert await a_token(api, jti="j-2")

    async def test_an_assertion_that_redeemed_a_code_gives_no_token(self, api: LoginWorld) -> None:
        code = read_redirect(await api.arrive(Browser(), party=REKENRIJK)).code
        assert await api.redeem(code, jti="j-1")
        with pytest.raises(ClientNotAuthenticated, match="check_assertion_id_once"):
            await a_token(api, oidc.CLIENT_ID, jti="j-1")

    async def test_never_for_a_secret(self, api: LoginWorld) -> None:
        supplier = with_party(api.records["rekenrijk"], REKENRIJK, protocol=oidc.a_compat_client())
        api.put("rekenrijk", supplier)
        form = [("grant_type", "client_credentials"), ("scope", "takeover")]
        with pytest.raises(ClientNotAuthenticated, match="check_authentication_method_registered"):
            await api.api.grant(form, CallerProof(oidc.basic()))
        of_a_school = [*form, ("client_id", PROGRAM)]
        with pytest.raises(ClientNotAuthenticated, match="check_authentication_method_registered"):
            await api.api.grant(of_a_school, NO_PROOF)

    async def test_never_to_a_relying_party_of_a_relaxed_profile(self, api: LoginWorld) -> None:
        relaxed = oidc.an_oidc_client(profile="compat")
        before = api.records["rekenrijk"]
        api.put("rekenrijk", with_party(before, REKENRIJK, protocol=relaxed))
        with pytest.raises(ScopeRefused, match="check_scope_allowed"):
            await a_token(api, oidc.CLIENT_ID)
        api.put("rekenrijk", before)
        assert await a_token(api, oidc.CLIENT_ID)

    async def test_two_proofs_are_none(self, api: LoginWorld) -> None:
        with pytest.raises(ClientAuthenticationAmbiguous):
            await api.api.grant(a_form(api), CallerProof(oidc.basic()))

    @pytest.mark.parametrize(
        ("client", "scope"),
        [(PROGRAM, "conversion"), (oidc.CLIENT_ID, "enrolment"), (PROGRAM, "openid")],
    )
    async def test_only_for_what_one_may(self, api: LoginWorld, client: str, scope: str) -> None:
        with pytest.raises(ScopeRefused):
            await a_token(api, client, scope=scope)
        assert await a_token(api, client)

    async def test_only_while_switched_on(self, api: LoginWorld) -> None:
        api.change(SAML_SCHOOL, enabled=False)
        with pytest.raises(ClientNotAuthenticated, match="check_school_enabled"):
            await a_token(api)
        api.change(SAML_SCHOOL, enabled=True)
        assert await a_token(api)

    async def test_keys_that_cannot_be_had_verify_nothing(self, api: LoginWorld) -> None:
        api.faults.start(fails_at=1)
        with pytest.raises(ClientNotAuthenticated):
            await a_token(api)

    @pytest.mark.parametrize("lost", ["request", "answer"])
    async def test_an_unsure_store_gives_nothing(self, api: LoginWorld, lost: Any) -> None:
        api.faults.start(fails_at=2, lost=lost)  # keys, put
        with pytest.raises(StoreUnavailable):
            await a_token(api)


class TestUse:
    async def test_five_minutes(self, api: LoginWorld) -> None:
        token = await a_token(api)
        api.wait(seconds=299)
        assert await admit(api, token)
        api.wait(seconds=1)
        with pytest.raises(ApiTokenRefused, match="check_access_token_known"):
            await admit(api, token)

    @pytest.mark.parametrize(
        "authorization",
        [None, "", "Bearer", "Bearer x", "Bearer " + "A" * 43, "Basic YTpi", "Bearer " + "x" * 600],
    )
    async def test_a_guess_is_no_token(self, api: LoginWorld, authorization: str | None) -> None:
        with pytest.raises(ApiTokenRefused):
            await api.api.admit(CallerProof(authorization), scope=None, method="GET", path=PATH)

    async def test_for_its_scope_alone(self, api: LoginWorld) -> None:
        token = await a_token(api, scope="takeover")
        with pytest.raises(ApiCallerRefused, match="check_scope_granted"):
            await admit(api, token, ApiScope.ENROLMENT)
        assert await admit(api, token, ApiScope.TAKEOVER)
        assert await admit(api, token, None)

    async def test_an_access_token_of_a_login_opens_no_api(self, api: LoginWorld) -> None:
        tokens = await api.redeem(read_redirect(await api.arrive(Browser())).code)
        with pytest.raises(ApiTokenRefused, match="check_access_token_known"):
            await admit(api, tokens.access_token, None)

    async def test_a_token_of_the_api_shows_no_login(self, api: LoginWorld) -> None:
        token = await a_token(api)
        with pytest.raises(Refusal, match="check_access_token_known"):
            await api.token.userinfo([], CallerProof(f"Bearer {token}"))
        assert USERINFO.name != "api-token"

    @pytest.mark.parametrize(
        ("change", "check"),
        [
            ({"enabled": False}, "check_school_enabled"),
            ({"api_clients": ()}, "check_caller_known"),
            ({"api_clients": (a_program(purposes=BOTH[1:]),)}, "check_purposes_unchanged"),
        ],
    )
    async def test_a_school_s_token_ends_with_what_it_hangs_on(
        self, api: LoginWorld, change: dict[str, Any], check: str
    ) -> None:
        token, before = await a_token(api), api.records[SAML_SCHOOL]
        api.change(SAML_SCHOOL, **change)
        with pytest.raises(ApiTokenRefused, match=check):
            await admit(api, token)
        api.put(SAML_SCHOOL, before)
        assert await admit(api, token)

    async def test_a_program_that_goes_to_another_school_takes_no_token_along(
        self, api: LoginWorld
    ) -> None:
        token = await a_token(api)
        api.change(SAML_SCHOOL, api_clients=())
        api.change("kompas", api_clients=(a_program(),))
        with pytest.raises(ApiTokenRefused, match="check_caller_known"):
            await admit(api, token)
        assert await admit(api, await a_token(api))

    @pytest.mark.parametrize(
        ("change", "check"),
        [
            ("supplier", "check_client_enabled"),
            ("party", "check_client_enabled"),
            ("profile", "check_purposes_unchanged"),
            ("id", "check_caller_unchanged"),
            ("gone", "check_client_known"),
        ],
    )
    async def test_a_supplier_s_token_ends_with_what_it_hangs_on(
        self, api: LoginWorld, change: str, check: str
    ) -> None:
        token, before = await a_token(api, oidc.CLIENT_ID), api.records["rekenrijk"]
        relaxed = oidc.an_oidc_client(profile="compat")
        other = oidc.an_oidc_client(client_id="other")
        changed = {
            "supplier": lambda: api.change("rekenrijk", enabled=False),
            "party": lambda: api.put("rekenrijk", with_party(before, REKENRIJK, enabled=False)),
            "profile": lambda: api.put(
                "rekenrijk", with_party(before, REKENRIJK, protocol=relaxed)
            ),
            "id": lambda: api.put("rekenrijk", with_party(before, REKENRIJK, id=BIOSFEER_OIDC)),
            "gone": lambda: api.put("rekenrijk", with_party(before, REKENRIJK, protocol=other)),
        }
        changed[change]()
        with pytest.raises(ApiTokenRefused, match=check):
            await admit(api, token, ApiScope.TAKEOVER)
        api.put("rekenrijk", before)
        assert await admit(api, token, ApiScope.TAKEOVER)

    @pytest.mark.parametrize(
        ("client", "party", "scope"),
        [
            (PROGRAM, SAML_SCHOOL, ApiScope.ENROLMENT),
            (oidc.CLIENT_ID, "rekenrijk", ApiScope.TAKEOVER),
        ],
    )
    async def test_who_is_switched_off_while_a_body_arrives_is_not_admitted_any_more(
        self, api: LoginWorld, client: str, party: str, scope: ApiScope
    ) -> None:
        caller = await admit(api, await a_token(api, client), scope)
        assert api.api.still_admitted(caller) == caller
        api.change(party, enabled=False)
        with pytest.raises(ApiTokenRefused):
            api.api.still_admitted(caller)

    async def test_an_unsure_store_admits_nobody(self, api: LoginWorld) -> None:
        token = await a_token(api)
        api.faults.start(fails_at=1)
        with pytest.raises(StoreUnavailable):
            await admit(api, token)
        assert await admit(api, token)
