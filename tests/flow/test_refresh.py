"""Refresh tokens: given where a document allows it, used once, never for more than the login."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from broker.domain.attributes import AttributeName
from broker.domain.refusals import Refusal
from broker.domain.relying_parties import ClaimProfile
from broker.flow.held_state.handles import parse_handle
from broker.flow.held_state.records import REFRESH
from broker.flow.persons.register import mark_of
from broker.flow.sender_proofs import SenderNotProven
from broker.jose.keys import key_set_of
from broker.jose.tokens import verify_token
from broker.oidc_op.caller_proof import NO_PROOF, CallerProof, ClientCertificate
from broker.oidc_op.client_refusals import ClientNotAuthenticated
from broker.oidc_op.refresh import REFRESH_CHECKS, ScopeWidened, TargetRefused
from broker.oidc_op.token import (
    GrantRefused,
    GrantTypeRefused,
    TokenParameterMissing,
    TokenResponse,
)
from broker.oidc_op.userinfo import AccessTokenRefused
from tests import builders_oidc as oidc
from tests.builders import an_agreement
from tests.flow.login_parties import (
    BIOSFEER_OIDC,
    FIRST_NAME,
    REKENRIJK,
    ROLE,
    SAML_IDP,
    SAML_SCHOOL,
    with_party,
)
from tests.flow.login_world import LoginWorld
from tests.flow.token_desk import (
    API,
    OFFLINE,
    a_code,
    form_of,
    refresh,
    register,
    tokens,
    userinfo,
)

AGREEMENT = "vuurvogel/rekenrijk"
ASKS_FIRST_NAME = '{"id_token": {"given_name": null}}'


@pytest.fixture
def refreshing(world: LoginWorld) -> LoginWorld:
    """A world in which rekenrijk may refresh for a day."""
    register(world, refresh_hours=24, refresh_idle_hours=6)
    return world


def claims_of(token: str) -> dict[str, Any]:
    keys = key_set_of([oidc.BROKER_KEY, oidc.BROKER_RSA_KEY])
    return dict(verify_token(token, keys=keys, algorithms=["ES256", "RS256"]).claims)


class TestGiven:
    async def test_none_by_default(self, world: LoginWorld) -> None:
        given = await tokens(world, scope=OFFLINE)
        assert not given.refresh_token
        assert given.scope == "openid"

    async def test_by_document_and_scope(self, refreshing: LoginWorld) -> None:
        assert not (await tokens(refreshing)).refresh_token
        given = await tokens(refreshing, scope=OFFLINE)
        assert given.refresh_token
        assert given.scope == OFFLINE

    async def test_within_the_profile_alone(self, refreshing: LoginWorld) -> None:
        register(refreshing, profile="nlgov", id_token_algorithm="RS256", refresh_hours=400)
        given = await tokens(refreshing, scope=OFFLINE, state="s" * 22, nonce="n" * 22)
        refreshing.wait(hours=6)
        with pytest.raises(GrantRefused, match="check_refresh_token_known"):
            await refresh(refreshing, given.refresh_token)

    async def test_a_code_costs_one_trip_with_it_too(self, refreshing: LoginWorld) -> None:
        code = await a_code(refreshing, scope=OFFLINE)
        refreshing.faults.start()
        assert (await refreshing.redeem(code)).refresh_token
        assert [each for each in refreshing.faults.calls if each.startswith("store")] == [
            "store.take"
        ]


class TestUsed:
    async def test_gives_new_tokens_of_the_same_person(self, refreshing: LoginWorld) -> None:
        first = await tokens(refreshing, scope=OFFLINE, max_age="86400")
        refreshing.wait(minutes=20)
        second = await refresh(refreshing, first.refresh_token)
        before, after = claims_of(first.id_token), claims_of(second.id_token)
        for name in ("iss", "sub", "aud", "auth_time", "given_name"):
            assert after[name] == before[name]
        assert after["iat"] >= before["iat"] + 1200
        assert after["jti"] != before["jti"]
        assert "nonce" in before
        assert "nonce" not in after
        assert second.refresh_token != first.refresh_token
        assert (await userinfo(refreshing, second.access_token))["sub"] == after["sub"]
        assert (await refresh(refreshing, second.refresh_token)).refresh_token
        assert refreshing.audit.last.action == "refreshed"

    async def test_leaves_a_receipt_beside_those_of_the_logins(
        self, refreshing: LoginWorld
    ) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        await refresh(refreshing, first.refresh_token)
        at_login, at_refresh = refreshing.receipts.kept
        assert at_refresh.locator == at_login.locator
        assert at_refresh.school == at_login.school

    async def test_an_old_one_ends_the_family(self, refreshing: LoginWorld) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        second = await refresh(refreshing, first.refresh_token)
        third = await refresh(refreshing, second.refresh_token)
        with pytest.raises(GrantRefused, match="check_refresh_token_used_once"):
            await refresh(refreshing, first.refresh_token)
        assert "refresh-reused" in refreshing.audit.actions()
        with pytest.raises(GrantRefused, match="check_refresh_token_known"):
            await refresh(refreshing, third.refresh_token)
        for each in (first, second, third):
            with pytest.raises(AccessTokenRefused, match="check_access_token_known"):
                await userinfo(refreshing, each.access_token)

    @pytest.mark.parametrize("racers", [2, 5])
    async def test_raced_one_is_answered_and_the_family_ends(
        self, refreshing: LoginWorld, racers: int
    ) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        raced = await asyncio.gather(
            *(refresh(refreshing, first.refresh_token) for _ in range(racers)),
            return_exceptions=True,
        )
        given = [each for each in raced if isinstance(each, TokenResponse)]
        assert len(given) <= 1
        assert all(isinstance(each, GrantRefused) for each in raced if each not in given)
        for each in given:
            with pytest.raises(AccessTokenRefused):
                await userinfo(refreshing, each.access_token)
            with pytest.raises(GrantRefused):
                await refresh(refreshing, each.refresh_token)

    async def test_a_loser_of_the_race_by_a_hair_ends_it_too(self, refreshing: LoginWorld) -> None:
        """Both read the family before either uses the number up."""
        first = await tokens(refreshing, scope=OFFLINE)
        store, won = refreshing.store, {}
        real = store.put

        async def put(*puts: Any, **claims: Any) -> None:
            if not won:
                won["first"] = None
                won["first"] = await refresh(refreshing, first.refresh_token)
            await real(*puts, **claims)

        store.put = put  # type: ignore[method-assign]
        with pytest.raises(GrantRefused, match="check_refresh_token_used_once"):
            await refresh(refreshing, first.refresh_token)
        store.put = real  # type: ignore[method-assign]
        winner = won["first"]
        assert isinstance(winner, TokenResponse)
        with pytest.raises(GrantRefused, match="check_refresh_token_known"):
            await refresh(refreshing, winner.refresh_token)

    async def test_a_family_that_ends_in_between_gives_nothing(
        self, refreshing: LoginWorld
    ) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        store, real = refreshing.store, refreshing.store.put

        async def put(*puts: Any, **claims: Any) -> None:
            family = parse_handle(str(first.refresh_token).partition(".")[0])
            await refreshing.state.delete(REFRESH, family)
            await real(*puts, **claims)

        store.put = put  # type: ignore[method-assign]
        with pytest.raises(GrantRefused, match="check_refresh_token_known"):
            await refresh(refreshing, first.refresh_token)

    async def test_a_second_use_of_the_code_ends_it(self, refreshing: LoginWorld) -> None:
        code = await a_code(refreshing, scope=OFFLINE)
        first = await refreshing.redeem(code)
        second = await refresh(refreshing, first.refresh_token)
        with pytest.raises(GrantRefused, match="check_code_used_once"):
            await refreshing.redeem(code)
        with pytest.raises(GrantRefused):
            await refresh(refreshing, second.refresh_token)
        with pytest.raises(AccessTokenRefused):
            await userinfo(refreshing, second.access_token)

    @pytest.mark.parametrize(
        "token", ["x", ".", "a.b", "A" * 43, f"{'A' * 43}.{'A' * 43}", "Ж.b", "a.b.c", "a" * 200]
    )
    async def test_a_guess_gives_nothing(self, refreshing: LoginWorld, token: str) -> None:
        with pytest.raises(GrantRefused, match=r"check_refresh_token_(form|known)"):
            await refresh(refreshing, token)
        with pytest.raises(TokenParameterMissing, match="check_refresh_token_present"):
            await refresh(refreshing, None)

    async def test_where_the_profile_does_not_rotate_it_stays(self, refreshing: LoginWorld) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        register(refreshing, profile="fapi2", access_tokens="opaque")
        proof = CallerProof(certificate=ClientCertificate(b"certificate"))
        second = await refresh(refreshing, first.refresh_token, proof=proof)
        assert second.refresh_token == first.refresh_token
        assert (await refresh(refreshing, first.refresh_token, proof=proof)).access_token
        shown = CallerProof(f"Bearer {second.access_token}", certificate=proof.certificate)
        assert await refreshing.token.userinfo([], shown)
        with pytest.raises(AccessTokenRefused, match="check_certificate_bound"):
            await userinfo(refreshing, second.access_token)
        with pytest.raises(SenderNotProven):
            await refresh(refreshing, first.refresh_token)
        wrong = f"{str(first.refresh_token).partition('.')[0]}.{'A' * 43}"
        with pytest.raises(GrantRefused, match="check_refresh_token_used_once"):
            await refresh(refreshing, wrong, proof=proof)
        with pytest.raises(GrantRefused, match="check_refresh_token_known"):
            await refresh(refreshing, first.refresh_token, proof=proof)


class TestClient:
    async def test_of_another_client_it_gives_nothing_and_stays(
        self, refreshing: LoginWorld
    ) -> None:
        register(refreshing, BIOSFEER_OIDC, "biosfeer", refresh_hours=24)
        first = await tokens(refreshing, scope=OFFLINE)
        with pytest.raises(GrantRefused, match="check_refresh_belongs_to_client"):
            await refresh(refreshing, first.refresh_token, BIOSFEER_OIDC)
        assert await refresh(refreshing, first.refresh_token)

    async def test_an_assertion_counts_once(self, refreshing: LoginWorld) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        second = await refresh(refreshing, first.refresh_token, jti="j-1")
        with pytest.raises(ClientNotAuthenticated, match="check_assertion_id_once"):
            await refresh(refreshing, second.refresh_token, jti="j-1")
        assert await refresh(refreshing, second.refresh_token, jti="j-2")

    async def test_a_document_that_stops_it_ends_it(self, refreshing: LoginWorld) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        register(refreshing, refresh_hours=0)
        with pytest.raises(GrantRefused, match="check_refresh_still_allowed"):
            await refresh(refreshing, first.refresh_token)
        register(refreshing, refresh_hours=24)
        assert await refresh(refreshing, first.refresh_token)

    async def test_never_a_wider_scope(self, refreshing: LoginWorld) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        with pytest.raises(ScopeWidened, match="check_scope_within_grant"):
            await refresh(refreshing, first.refresh_token, scope="openid profile")
        second = await refresh(refreshing, first.refresh_token, scope="openid")
        assert second.scope == "openid"
        assert (await refresh(refreshing, second.refresh_token)).scope == OFFLINE

    async def test_never_another_api(self, refreshing: LoginWorld) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        with pytest.raises(TargetRefused, match="check_resource_within_grant"):
            await refresh(refreshing, first.refresh_token, resource=API)
        assert await refresh(refreshing, first.refresh_token)

    def test_every_check_says_why(self) -> None:
        assert len(REFRESH_CHECKS) == 4
        assert all(each.__doc__ for each in REFRESH_CHECKS)

    @pytest.mark.parametrize(
        "grant_type",
        [
            "password",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:token-exchange",
            "urn:openid:params:grant-type:ciba",
        ],
    )
    async def test_other_grants_are_not_offered(
        self, refreshing: LoginWorld, grant_type: str
    ) -> None:
        with pytest.raises(GrantTypeRefused):
            await refreshing.token.redeem(form_of(refreshing, grant_type=grant_type), NO_PROOF)
        assert GrantTypeRefused.oauth_error == "unsupported_grant_type"


class TestTime:
    async def test_idle(self, refreshing: LoginWorld) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        refreshing.wait(hours=5)
        second = await refresh(refreshing, first.refresh_token)
        refreshing.wait(hours=5)
        third = await refresh(refreshing, second.refresh_token)
        refreshing.wait(hours=6)
        with pytest.raises(GrantRefused, match="check_refresh_token_known"):
            await refresh(refreshing, third.refresh_token)

    async def test_absolute(self, refreshing: LoginWorld) -> None:
        given = await tokens(refreshing, scope=OFFLINE)
        for _ in range(4):
            refreshing.wait(hours=5)
            given = await refresh(refreshing, given.refresh_token)
        refreshing.wait(hours=4)
        with pytest.raises(GrantRefused, match=r"check_refresh_(token_known|not_over)"):
            await refresh(refreshing, given.refresh_token)

    async def test_over_to_the_second(self, refreshing: LoginWorld) -> None:
        """Also where the store would still have it."""
        given = await tokens(refreshing, scope=OFFLINE)
        refreshing.wait(hours=5)
        family = parse_handle(str(given.refresh_token).partition(".")[0])
        held = await refreshing.state.get(REFRESH, family)
        refreshing.now = held.ends_at
        await refreshing.state.put(refreshing.state.seal_under(family, REFRESH, held))
        with pytest.raises(GrantRefused, match="check_refresh_not_over"):
            await refresh(refreshing, given.refresh_token)


class TestDecidedAnew:
    async def test_what_the_school_withdrew_is_gone(self, refreshing: LoginWorld) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        assert "given_name" in claims_of(first.id_token)
        refreshing.change(AGREEMENT, version=2, approved=(ROLE,))
        second = await refresh(refreshing, first.refresh_token)
        assert "given_name" not in claims_of(second.id_token)
        assert "given_name" not in await userinfo(refreshing, second.access_token)
        refreshing.change(AGREEMENT, version=3, approved=(FIRST_NAME, ROLE))
        third = await refresh(refreshing, second.refresh_token)
        assert "given_name" not in claims_of(third.id_token)  # what was let go is not held

    @pytest.mark.parametrize(
        ("key", "changes", "check"),
        [
            (AGREEMENT, None, "check_agreement_exists"),
            (SAML_SCHOOL, {"enabled": False}, "check_school_enabled"),
            (SAML_IDP, {"enabled": False}, "check_idp_enabled"),
            (SAML_IDP, {"schools": ("regenboog",)}, "check_school_of_idp"),
            ("rekenrijk", {"epoch": "b", "previous_epoch": "a"}, "check_epoch_unchanged"),
        ],
    )
    async def test_who_stands_behind_it_must_be_open(
        self, refreshing: LoginWorld, key: str, changes: dict[str, Any] | None, check: str
    ) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        before = refreshing.records[key]
        if changes is None:
            refreshing.put(key, None)
        else:
            refreshing.change(key, **changes)
        with pytest.raises(GrantRefused, match=check) as caught:
            await refresh(refreshing, first.refresh_token)
        assert caught.value.oauth_error == "invalid_grant"
        refreshing.put(key, before)
        assert await refresh(refreshing, first.refresh_token)

    async def test_an_agreement_that_ended(self, refreshing: LoginWorld) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        before = refreshing.records[AGREEMENT]
        refreshing.put(
            AGREEMENT,
            an_agreement(
                school=SAML_SCHOOL,
                supplier="rekenrijk",
                last_day=refreshing.now.date().replace(year=2020),
                first_day=refreshing.now.date().replace(year=2019),
            ),
        )
        with pytest.raises(GrantRefused, match="check_agreement_in_force"):
            await refresh(refreshing, first.refresh_token)
        refreshing.put(AGREEMENT, before)
        assert await refresh(refreshing, first.refresh_token)

    async def test_a_relying_party_of_another_supplier_gets_nothing(
        self, refreshing: LoginWorld
    ) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        rekenrijk, biosfeer = refreshing.records["rekenrijk"], refreshing.records["biosfeer"]
        moved = rekenrijk.relying_parties
        refreshing.change("rekenrijk", relying_parties=())
        refreshing.change(
            "biosfeer",
            relying_parties=(
                *biosfeer.relying_parties,
                *(type(each)(**{**_fields(each), "supplier": "biosfeer"}) for each in moved),
            ),
        )
        with pytest.raises(GrantRefused, match="check_supplier_unchanged"):
            await refresh(refreshing, first.refresh_token)
        refreshing.put("biosfeer", biosfeer)
        refreshing.put("rekenrijk", rekenrijk)
        assert await refresh(refreshing, first.refresh_token)

    @pytest.mark.parametrize("closes", [False, True])
    async def test_an_erased_person_is_refreshed_no_more(
        self, refreshing: LoginWorld, closes: bool
    ) -> None:
        """Also where a byte is left in place of the row: of a number, `person_fresh` says why."""
        first = await tokens(refreshing, scope=OFFLINE)
        second = await refresh(refreshing, first.refresh_token)
        rows = dict(refreshing.register.rows)
        await refreshing.register.erase(
            {tag: mark_of(each.sealed) for tag, each in rows.items()},
            closes=tuple(rows) if closes else (),
        )
        with pytest.raises(GrantRefused, match="check_person_still_known"):
            await refresh(refreshing, second.refresh_token)
        with pytest.raises(AccessTokenRefused):
            await userinfo(refreshing, second.access_token)

    async def test_what_is_left_of_an_erased_person_refreshes_nothing(
        self, refreshing: LoginWorld
    ) -> None:
        """Where the own account was closed, a byte stays in the row's place."""
        first = await tokens(refreshing, scope=OFFLINE)
        rows = refreshing.register.rows
        marks = {tag: mark_of(each.sealed) for tag, each in rows.items()}
        await refreshing.register.erase(marks, closes=set(marks))
        with pytest.raises(GrantRefused, match="check_person_still_known"):
            await refresh(refreshing, first.refresh_token)

    async def test_a_person_who_is_erased_and_comes_back_refreshes_by_the_new_login_alone(
        self, refreshing: LoginWorld
    ) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        rows = refreshing.register.rows
        await refreshing.register.erase({tag: mark_of(each.sealed) for tag, each in rows.items()})
        again = await tokens(refreshing, scope=OFFLINE)
        assert claims_of(again.id_token)["sub"] == claims_of(first.id_token)["sub"]
        kept = len(refreshing.receipts.kept)
        with pytest.raises(GrantRefused, match="check_person_still_known"):
            await refresh(refreshing, first.refresh_token)
        assert len(refreshing.receipts.kept) == kept
        with pytest.raises(AccessTokenRefused):
            await userinfo(refreshing, first.access_token)
        assert await refresh(refreshing, again.refresh_token)
        assert refreshing.receipts.kept[-1].locator == refreshing.receipts.kept[-2].locator

    async def test_a_row_that_was_written_again_is_the_same_person_s(
        self, refreshing: LoginWorld
    ) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        before = dict(refreshing.register.rows)
        await tokens(refreshing, BIOSFEER_OIDC)
        assert before != refreshing.register.rows
        assert await refresh(refreshing, first.refresh_token)

    async def test_a_row_of_before_marks_were_kept_is_believed(
        self, refreshing: LoginWorld
    ) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        rows = refreshing.register.rows
        rows.update({tag: replace(each, life=b"") for tag, each in rows.items()})
        second = await refresh(refreshing, first.refresh_token)
        rows.update({tag: replace(each, life=bytes(16)) for tag, each in rows.items()})
        with pytest.raises(GrantRefused, match="check_person_still_known"):
            await refresh(refreshing, second.refresh_token)

    async def test_what_a_login_did_not_ask_is_not_released_and_not_missed(
        self, refreshing: LoginWorld
    ) -> None:
        declared = refreshing.records["rekenrijk"].attributes
        required = tuple(
            type(each)(name=each.name, purpose=each.purpose, required=each.name == ROLE)
            for each in declared
        )
        refreshing.change("rekenrijk", attributes=required)
        given = await tokens(refreshing, scope=OFFLINE, claims=ASKS_FIRST_NAME)
        (at_login,) = [each for each in refreshing.audit.events if each.action == "released"]
        for _ in range(2):
            given = await refresh(refreshing, given.refresh_token)
            told = claims_of(given.id_token)
            assert "given_name" in told
            assert "eduperson_affiliation" not in told
            noted = refreshing.audit.last
            assert noted.names == at_login.names == (FIRST_NAME,)
            assert (ROLE, "not-asked") in noted.withheld

    async def test_what_is_not_told_by_another_claim_profile_is_not_released(
        self, refreshing: LoginWorld
    ) -> None:
        given = await tokens(refreshing, scope=OFFLINE, claims=ASKS_FIRST_NAME)
        before = refreshing.records["rekenrijk"]
        refreshing.put("rekenrijk", with_party(before, REKENRIJK, claims=ClaimProfile.ENTREE))
        second = await refresh(refreshing, given.refresh_token)
        assert refreshing.audit.last.names == ()
        assert not {"given_name", "givenName"} & claims_of(second.id_token).keys()

    async def test_what_is_required_and_held_no_more(self, refreshing: LoginWorld) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        declared = refreshing.records["rekenrijk"].attributes
        required = tuple(
            type(each)(name=each.name, purpose=each.purpose, required=each.name == FIRST_NAME)
            for each in declared
        )
        refreshing.change("rekenrijk", attributes=required)
        refreshing.change(AGREEMENT, version=2, approved=(AttributeName("eduPersonAffiliation"),))
        with pytest.raises(GrantRefused, match="check_required_released"):
            await refresh(refreshing, first.refresh_token)
        refreshing.change("rekenrijk", attributes=declared)
        assert await refresh(refreshing, first.refresh_token)


class TestFaults:
    async def test_no_receipt_no_refresh_and_the_token_still_counts(
        self, refreshing: LoginWorld
    ) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        kept = len(refreshing.receipts.kept)
        refused = 0
        for number in range(1, 6):
            refreshing.faults.start(fails_at=number)
            try:
                await refresh(refreshing, first.refresh_token)
            except Refusal:
                refused += 1
            else:
                break
            finally:
                refreshing.faults.start()
        assert refused == 5
        assert len(refreshing.receipts.kept) == kept + 1  # prepared for release, and not released
        assert await refresh(refreshing, first.refresh_token)

    async def test_counts_where_the_store_began_to_remember_a_moment_ago(
        self, refreshing: LoginWorld
    ) -> None:
        """What it found there was issued since."""
        first = await tokens(refreshing, scope=OFFLINE)
        store, real = refreshing.store, refreshing.store.put
        made: list[Any] = []

        async def put(*puts: Any, claims: Any) -> None:
            made.extend(each.made_within_milliseconds for each in claims)
            await real(*puts, claims=claims)

        store.put = put  # type: ignore[method-assign]
        assert await refresh(refreshing, first.refresh_token)
        assert made == [0, 60_000]  # the number; the assertion, by a clock that may be ahead

    async def test_two_workers_know_of_each_other(self, refreshing: LoginWorld) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        refreshing.use(refreshing.make_worker(refreshing.store))
        second = await refresh(refreshing, first.refresh_token)
        refreshing.use(refreshing.make_worker(refreshing.store))
        with pytest.raises(GrantRefused, match="check_refresh_token_used_once"):
            await refresh(refreshing, first.refresh_token)
        with pytest.raises(GrantRefused, match="check_refresh_token_known"):
            await refresh(refreshing, second.refresh_token)


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}
