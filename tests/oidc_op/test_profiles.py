"""The table of profiles: what no row may say, and what each standard asks of its row."""

from typing import get_args

from broker.domain.relying_parties import ProfileName
from broker.jose.keys import SIGNATURE_ALGORITHMS
from broker.oidc_op.profiles import PROFILES, AccessTokenForm, RequestObjects

SYMMETRIC = {"client_secret_basic", "client_secret_post", "none"}


def test_documents_may_name_each_profile_and_no_other() -> None:
    assert set(PROFILES) == set(get_args(ProfileName))


def test_no_profile_knows_a_weak_algorithm() -> None:
    for each in PROFILES.values():
        named = (
            *each.id_token_algorithms,
            *each.authentication_algorithms,
            *each.request_object_algorithms,
        )
        assert set(named) <= set(SIGNATURE_ALGORITHMS)


def test_only_compat_relaxes_and_only_what_basic_certification_asks() -> None:
    for name, each in PROFILES.items():
        assert each.pkce_required is (name != "compat")
        assert each.token_endpoint_as_audience is (name == "compat")
    strict, compat = PROFILES["strict"], PROFILES["compat"]
    more = set(compat.authentication_methods) - set(strict.authentication_methods)
    assert more == {"client_secret_basic", "client_secret_post"}


def test_apps_alone_are_public_and_on_the_device() -> None:
    for name, each in PROFILES.items():
        assert each.public_clients is each.native_redirects is (name == "native")
        assert not (each.public_clients and each.client_credentials)


def test_a_public_client_s_refresh_tokens_rotate() -> None:
    rules = PROFILES["native"].refresh
    assert rules is not None
    assert rules.rotates


def test_nlgov_keeps_the_limits_of_its_standards() -> None:
    nlgov = PROFILES["nlgov"]
    assert nlgov.id_token_ttl_seconds <= 300
    assert nlgov.access_token_forms == (AccessTokenForm.JWT,)
    assert nlgov.access_token_ttl_seconds <= 3600
    assert nlgov.refresh is not None
    assert nlgov.refresh.ttl_seconds <= 24 * 3600
    assert nlgov.refresh.idle_seconds <= 6 * 3600
    assert "RS256" in nlgov.id_token_algorithms
    assert not nlgov.client_credentials  # one grant for each client id
    assert not SYMMETRIC & set(nlgov.authentication_methods)


def test_fapi2_keeps_the_rules_of_its_standard() -> None:
    fapi2 = PROFILES["fapi2"]
    assert fapi2.pushed_required
    assert fapi2.sender_constraint_required
    assert not SYMMETRIC & set(fapi2.authentication_methods)
    assert not any(each.startswith("RS") for each in fapi2.id_token_algorithms)
    assert fapi2.request_objects is not RequestObjects.REFUSED
    assert fapi2.refresh is None or not fapi2.refresh.rotates
