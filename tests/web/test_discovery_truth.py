"""Discovery says what is so: every member is walked against the code or over HTTP."""

import json
from typing import Any

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata

from broker.domain.assurance import ACR_VALUES
from broker.domain.federation import ApiScope
from broker.jose.keys import parse_key_set
from broker.jose.tokens import verify_token
from broker.oidc_op.client_assertions import ASSERTION_ALGORITHMS
from broker.oidc_op.discovery import (
    CertificateSupport,
    Endpoints,
    build_discovery,
)
from broker.oidc_op.dpop import DPOP_ALGORITHMS
from broker.oidc_op.jwks import TokenKeys
from broker.oidc_op.profiles import PROFILES
from broker.web.texts import Language
from tests.builders_oidc import BROKER_KEY, BROKER_RSA_KEY, ISSUER
from tests.web.broker_site import Browser, Site

BOTH = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
BY_POST = {
    "token_endpoint": 401,
    "pushed_authorization_request_endpoint": 401,
    "introspection_endpoint": 401,
    "revocation_endpoint": 401,
}
"""Endpoints for machines, and what each answers to nobody."""

BY_GET = {
    "authorization_endpoint": 400,
    "end_session_endpoint": 303,
    "jwks_uri": 200,
    "userinfo_endpoint": 401,
}


@pytest.fixture
def told(browser: Browser) -> dict[str, Any]:
    found: dict[str, Any] = browser.get(BOTH[0]).response.json()
    return found


def methods(*, public: bool) -> set[str]:
    """Return what some profile allows here, where nobody is asked for a certificate."""
    allowed = {each for profile in PROFILES.values() for each in profile.authentication_methods}
    return (
        allowed
        - {"tls_client_auth", "self_signed_tls_client_auth"}
        - (set() if public else {"none"})
    )


def test_both_addresses_say_the_same(browser: Browser) -> None:
    first, second = (browser.get(each) for each in BOTH)
    assert first.response.content == second.response.content
    assert first.response.headers["content-type"] == "application/json"
    assert first.response.headers["access-control-allow-origin"] == "*"


def test_every_endpoint_is_there_and_asks_for_what_it_needs(
    site: Site, browser: Browser, told: dict[str, Any]
) -> None:
    places = {name: url for name, url in told.items() if name.endswith(("_endpoint", "_uri"))}
    assert set(places) == {*BY_POST, *BY_GET}
    for name, url in places.items():
        assert url.startswith(site.issuer + "/oidc/"), name
    answers = {name: browser.post(told[name], {"who": "nobody"}).status for name in BY_POST}
    assert answers == BY_POST
    assert {name: browser.get(told[name]).status for name in BY_GET} == BY_GET


def test_every_other_member_is_what_the_code_does(site: Site, told: dict[str, Any]) -> None:
    algorithms = [each["alg"] for each in json.loads(site.web.documents.jwks)["keys"]]
    assert {name: told[name] for name in told if name not in {*BY_POST, *BY_GET}} == {
        "issuer": site.issuer,
        "signed_metadata": told["signed_metadata"],
        "claims_supported": told["claims_supported"],  # tests/oidc_op/test_published.py
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": False,
        "frontchannel_logout_session_supported": False,
        **{
            f"{where}_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS)
            for where in ("token", "introspection", "revocation")
        },
        "token_endpoint_auth_methods_supported": told["token_endpoint_auth_methods_supported"],
        "revocation_endpoint_auth_methods_supported": told["token_endpoint_auth_methods_supported"],
        "introspection_endpoint_auth_methods_supported": [
            each for each in told["token_endpoint_auth_methods_supported"] if each != "none"
        ],
        "scopes_supported": ["openid", "profile", "email", "offline_access", *ApiScope],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": list(dict.fromkeys(algorithms)),
        "userinfo_signing_alg_values_supported": list(dict.fromkeys(algorithms)),
        "dpop_signing_alg_values_supported": list(DPOP_ALGORITHMS),
        "tls_client_certificate_bound_access_tokens": False,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": True,
        "acr_values_supported": list(ACR_VALUES),
        "display_values_supported": ["page"],
        "request_parameter_supported": True,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": True,
        "require_signed_request_object": False,
        "require_pushed_authorization_requests": False,
        "request_object_signing_alg_values_supported": ["ES256", "RS256", "PS256", "EdDSA"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "ui_locales_supported": [each.value for each in Language],
    }
    assert set(told["token_endpoint_auth_methods_supported"]) == methods(public=True)
    assert set(told["introspection_endpoint_auth_methods_supported"]) == methods(public=False)


def test_authlib_finds_it_valid(told: dict[str, Any]) -> None:
    OpenIDProviderMetadata(told | {"issuer": ISSUER, **_on_https(told)}).validate()
    AuthorizationServerMetadata(told | {"issuer": ISSUER, **_on_https(told)}).validate()


def test_the_signed_metadata_say_the_same(site: Site, told: dict[str, Any]) -> None:
    keys = parse_key_set(site.web.documents.jwks.decode())
    signed = verify_token(told.pop("signed_metadata"), keys=keys, algorithms=["ES256", "RS256"])
    assert signed.claims == {**told, "iss": site.issuer}


def test_they_are_signed_as_every_government_client_can_verify() -> None:
    for active, algorithm in (
        ((BROKER_KEY, BROKER_RSA_KEY), "RS256"),
        ((BROKER_KEY,), "ES256"),
    ):
        found = build_discovery(Endpoints(ISSUER), keys=TokenKeys(active=active))
        keys = parse_key_set(json.dumps({"keys": [each.public_jwk for each in active]}))
        token = str(found["signed_metadata"])
        assert verify_token(token, keys=keys, algorithms=[algorithm]).algorithm == algorithm
    assert "signed_metadata" not in build_discovery(Endpoints(ISSUER), keys=TokenKeys(active=()))


def test_what_an_operator_sets_is_told() -> None:
    found = build_discovery(
        Endpoints(ISSUER),
        keys=TokenKeys(active=(BROKER_KEY,)),
        certificates=CertificateSupport("https://clients.example"),
        front_channel_logout=True,
        service_documentation="https://broker.example/connect",
    )
    assert found["service_documentation"] == "https://broker.example/connect"
    assert found["frontchannel_logout_supported"] is True
    aliases = found["mtls_endpoint_aliases"]
    assert isinstance(aliases, dict)
    assert set(aliases) == {*BY_POST, "userinfo_endpoint"}


def _on_https(told: dict[str, Any]) -> dict[str, str]:
    """Return the endpoints as they would be in production: Authlib takes no http."""
    return {
        name: ISSUER + url[url.index("/oidc/") :]
        for name, url in told.items()
        if name.endswith(("_endpoint", "_uri"))
    }
