"""What the supplier is told: what was released, under its names, with times that tell little."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.attributes import VOCABULARY, AttributeName
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.release import (
    ClaimsBeyondDecision,
    Released,
    ReleaseDecision,
    Withheld,
    WithheldBecause,
    lint_claims,
)
from broker.domain.relying_parties import ClaimProfile
from broker.jose.keys import key_set_of
from broker.jose.tokens import verify_token
from broker.oidc_op.claims import (
    PROTOCOL_CLAIMS,
    build_claims,
    build_id_token,
    claim_names,
    list_values,
    time_for_supplier,
)
from broker.oidc_op.client_auth import AuthenticatedClient
from broker.oidc_op.clients import find_client
from broker.oidc_op.token import RedeemedGrant
from tests.builders_oidc import (
    BROKER_KEY,
    BROKER_RSA_KEY,
    CLIENT_ID,
    ISSUER,
    NOW,
    PSEUDONYM,
    a_grant,
    a_registry,
    ago,
)

CLIENT = AuthenticatedClient(find_client(CLIENT_ID, registry=a_registry()), None)


def a_decision(released: dict[str, tuple[str, ...]]) -> ReleaseDecision:
    return ReleaseDecision(
        school=SchoolId("vuurvogel"),
        supplier=SupplierId("rekenrijk"),
        agreement_version=1,
        released=tuple(Released(AttributeName(name), each) for name, each in released.items()),
        withheld=(Withheld(AttributeName("sn"), WithheldBecause.NOT_APPROVED),),
        missing=(),
    )


DECISION = a_decision(
    {
        "givenName": ("Sanne",),
        "eduPersonAffiliation": ("student",),
        "initials": ("S.", "A."),
        "nlEduPersonHomeOrganizationId": ("11AA",),
    }
)


def test_profile_standard() -> None:
    assert build_claims(DECISION, profile=ClaimProfile.STANDARD) == {
        "given_name": "Sanne",
        "eduperson_affiliation": ["student"],
        "initials": ["S.", "A."],
        "nleduperson_home_organization_id": "11AA",
    }


def test_profile_entree() -> None:
    assert build_claims(DECISION, profile=ClaimProfile.ENTREE) == {
        "givenName": "Sanne",
        "eduPersonAffiliation": ["student"],
        "initials": ["S.", "A."],
        "nlEduPersonHomeOrganizationId": "11AA",
    }


@pytest.mark.parametrize("profile", list(ClaimProfile))
def test_no_released_claim_can_stand_for_a_protocol_claim(profile: ClaimProfile) -> None:
    names = claim_names(profile)
    assert not PROTOCOL_CLAIMS & names.keys()
    assert set(names.values()) == set(VOCABULARY)
    assert len(names) == len(VOCABULARY)


@given(
    st.dictionaries(
        st.sampled_from(sorted(VOCABULARY)),
        st.lists(st.text(min_size=1), min_size=1, max_size=3).map(tuple),
    ),
    st.sampled_from(list(ClaimProfile)),
)
def test_claims_are_the_decision_and_pass_the_lint(
    released: dict[str, tuple[str, ...]], profile: ClaimProfile
) -> None:
    decision = a_decision(released)
    claims = build_claims(decision, profile=profile)
    names = claim_names(profile)
    listed = dict(list_values(claims))
    lint_claims(listed.items(), decision=decision, names=names)
    assert {names[name]: values for name, values in listed.items()} == released


def test_the_lint_refuses_what_was_added_after_the_decision() -> None:
    claims = build_claims(DECISION, profile=ClaimProfile.STANDARD)
    for added in ({"family_name": "de Vries"}, {"given_name": "Daan"}, {"pgn": "063138219"}):
        with pytest.raises(ClaimsBeyondDecision):
            lint_claims(
                list_values({**claims, **added}),
                decision=DECISION,
                names=claim_names(ClaimProfile.STANDARD),
            )


# The ID token -----------------------------------------------------------------------------------


def id_token(key=BROKER_KEY, now=NOW, life_seconds=600, **changes: object) -> dict[str, object]:
    redeemed = RedeemedGrant(a_grant(**changes), CLIENT)
    token = build_id_token(
        redeemed, issuer=ISSUER, key=key, now=now, jti="jti-1", life_seconds=life_seconds
    )
    keys = key_set_of([BROKER_KEY, BROKER_RSA_KEY])
    return dict(verify_token(token, keys=keys, algorithms=[key.algorithm]).claims)


@pytest.mark.parametrize("key", [BROKER_KEY, BROKER_RSA_KEY])
def test_a_plain_id_token(key) -> None:
    floored = int(NOW.timestamp()) // 300 * 300
    assert id_token(key) == {
        "iss": ISSUER,
        "sub": PSEUDONYM,
        "aud": CLIENT_ID,
        "iat": floored,
        "nbf": floored,
        "exp": floored + 600,
        "jti": "jti-1",
        "nonce": "n-0S6",
        "given_name": "Sanne",
    }


def test_an_id_token_says_what_was_asked() -> None:
    claims = id_token(nonce=None, sid="sid-1", acr="loa:2", authenticated_at=ago(400))
    assert "nonce" not in claims
    assert (claims["sid"], claims["acr"]) == ("sid-1", "loa:2")
    assert claims["auth_time"] == int(ago(400).timestamp()) // 300 * 300


def test_a_forced_login_has_exact_times() -> None:
    claims = id_token(exact_times=True, authenticated_at=ago(7))
    assert claims["iat"] == int(NOW.timestamp())
    assert claims["auth_time"] == int(NOW.timestamp()) - 7


def test_a_school_with_a_fast_clock_does_not_make_a_token_of_tomorrow() -> None:
    claims = id_token(exact_times=True, authenticated_at=ago(-50))
    assert claims["auth_time"] == claims["iat"]


def test_a_released_claim_never_stands_for_a_protocol_claim() -> None:
    assert id_token(claims={"sub": "x", "iss": "x", "aud": "x"})["sub"] == PSEUDONYM


@given(st.integers(0, 10**6), st.booleans())
def test_a_token_validates_whenever_it_was_made(seconds: int, exact: bool) -> None:
    now = NOW + timedelta(seconds=seconds)
    claims = id_token(now=now, exact_times=exact, authenticated_at=now)
    iat, exp, auth_time = (int(str(claims[each])) for each in ("iat", "exp", "auth_time"))
    assert auth_time <= iat <= now.timestamp() < exp - 299
    assert now.timestamp() - iat < 300
    assert exact or iat % 300 == exp % 300 == auth_time % 300 == 0


@given(st.integers(0, 10**6), st.booleans())
def test_a_token_of_five_minutes_is_never_over_at_birth(seconds: int, exact: bool) -> None:
    now = NOW + timedelta(seconds=seconds)
    claims = id_token(now=now, exact_times=exact, authenticated_at=now, life_seconds=300)
    iat, nbf, exp, auth_time = (
        int(str(claims[each])) for each in ("iat", "nbf", "exp", "auth_time")
    )
    assert auth_time <= iat == nbf <= now.timestamp() < exp - 239
    assert exp - iat == 300
    assert exact or (iat % 60 == exp % 60 == 0 and auth_time % 300 == 0)


def test_two_suppliers_compare_no_times_of_one_login() -> None:
    moments = [ago(each) for each in range(200)]  # all within one step
    assert len({time_for_supplier(each, exact=False) for each in moments}) == 1
    assert len({time_for_supplier(each, exact=True) for each in moments}) == 200


def test_a_redeemed_grant_is_a_value() -> None:
    redeemed = RedeemedGrant(a_grant(), CLIENT)
    assert replace(redeemed) == redeemed
