"""What anybody may read: metadata and keys; and userinfo, which only a token's holder may."""

import json

import pytest

from broker.domain.attributes import VOCABULARY
from broker.jose.keys import parse_key_set
from broker.oidc_op.discovery import CertificateSupport, Endpoints, build_discovery
from broker.oidc_op.jwks import SigningKeyMissing, TokenKeys, build_jwks, choose_signing_key
from broker.oidc_op.parameters import DuplicatedParameter
from broker.oidc_op.userinfo import (
    MAX_ACCESS_TOKEN_CHARS,
    AccessTokenAmbiguous,
    AccessTokenMissing,
    AccessTokenRefused,
    build_challenge,
    build_userinfo,
    parse_bearer_token,
)
from tests.builders_oidc import (
    BROKER_KEY,
    BROKER_RSA_KEY,
    CLIENT_ID,
    ISSUER,
    PSEUDONYM,
    a_registry,
    a_userinfo_grant,
    make_key,
)

NEXT, LAST = make_key(), make_key()
KEYS = TokenKeys(active=(BROKER_KEY, BROKER_RSA_KEY), announced=(NEXT,), retired=(LAST,))


def test_a_key_is_published_before_it_signs_and_after() -> None:
    published = build_jwks(KEYS)
    kids = [each["kid"] for each in published["keys"]]
    assert kids == [BROKER_KEY.kid, BROKER_RSA_KEY.kid, NEXT.kid, LAST.kid]
    assert len(parse_key_set(json.dumps(published)).keys) == 4
    assert not any("d" in each for each in published["keys"])


def test_only_an_active_key_signs() -> None:
    assert choose_signing_key(KEYS, algorithm="ES256") is BROKER_KEY
    assert choose_signing_key(KEYS, algorithm="RS256") is BROKER_RSA_KEY
    with pytest.raises(SigningKeyMissing, match="check_signing_key_active RS256"):
        choose_signing_key(
            TokenKeys(active=(BROKER_KEY,), announced=(BROKER_RSA_KEY,)), algorithm="RS256"
        )


def test_certificates_are_told_where_they_can_be_shown() -> None:
    without = build_discovery(Endpoints(ISSUER), keys=KEYS)
    assert without["tls_client_certificate_bound_access_tokens"] is False
    assert "mtls_endpoint_aliases" not in without
    support = CertificateSupport("https://clients.example")
    found = build_discovery(Endpoints(ISSUER), keys=KEYS, certificates=support)
    methods = found["token_endpoint_auth_methods_supported"]
    assert {"tls_client_auth", "self_signed_tls_client_auth"} < set(methods)  # type: ignore[call-overload]
    assert found["tls_client_certificate_bound_access_tokens"] is True
    aliases = found["mtls_endpoint_aliases"]
    assert aliases["token_endpoint"] == "https://clients.example/oidc/token"  # type: ignore[index]
    assert "authorization_endpoint" not in aliases  # type: ignore[operator]
    same_name = build_discovery(Endpoints(ISSUER), keys=KEYS, certificates=CertificateSupport())
    assert "mtls_endpoint_aliases" not in same_name


def test_metadata_says_what_is_enabled() -> None:
    found = build_discovery(Endpoints(ISSUER), keys=KEYS)
    assert found["issuer"] == ISSUER
    for name in ("authorization", "token", "userinfo"):
        ending = "authorize" if name == "authorization" else name
        assert found[f"{name}_endpoint"] == f"{ISSUER}/oidc/{ending}"
    assert found["jwks_uri"] == f"{ISSUER}/oidc/jwks"
    assert found["id_token_signing_alg_values_supported"] == ["ES256", "RS256"]
    assert found["token_endpoint_auth_methods_supported"] == [
        "private_key_jwt",
        "client_secret_basic",
        "client_secret_post",
        "none",
    ]
    assert found["response_types_supported"] == ["code"]
    assert found["subject_types_supported"] == ["pairwise"]
    assert found["authorization_response_iss_parameter_supported"] is True
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("absent", ["registration_endpoint", "device_authorization_endpoint"])
def test_metadata_promises_nothing_that_is_not_there(absent: str) -> None:
    found = build_discovery(Endpoints(ISSUER), keys=TokenKeys(active=(BROKER_KEY,)))
    assert absent not in found
    assert found["require_request_uri_registration"] is True
    assert found["id_token_signing_alg_values_supported"] == ["ES256"]
    signing = str(found["token_endpoint_auth_signing_alg_values_supported"])
    signing += str(found["request_object_signing_alg_values_supported"])
    assert "none" not in signing
    assert "HS" not in signing


def test_metadata_names_every_claim() -> None:
    found = build_discovery(Endpoints(ISSUER), keys=KEYS)["claims_supported"]
    assert isinstance(found, list)
    assert {each.claim for each in VOCABULARY.values()} | set(VOCABULARY) <= set(found)


# Userinfo ---------------------------------------------------------------------------------------


def test_a_token_is_read_from_header_or_form() -> None:
    assert parse_bearer_token([], authorization="Bearer abc") == "abc"
    assert parse_bearer_token([], authorization="bearer  abc") == "abc"
    assert parse_bearer_token([("access_token", "abc")], authorization=None) == "abc"
    assert parse_bearer_token([("access_token", "abc")], authorization="Basic x") == "abc"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "Token abc"])
def test_check_access_token_present(header: str | None) -> None:
    with pytest.raises(AccessTokenMissing, match="check_access_token_present") as caught:
        parse_bearer_token([], authorization=header)
    assert build_challenge(caught.value) == "Bearer"


def test_check_one_access_token() -> None:
    with pytest.raises(AccessTokenAmbiguous, match="check_one_access_token") as caught:
        parse_bearer_token([("access_token", "a")], authorization="Bearer a")
    assert build_challenge(caught.value) == 'Bearer error="invalid_request"'
    with pytest.raises(DuplicatedParameter):
        parse_bearer_token([("access_token", "a")] * 2, authorization=None)


@pytest.mark.parametrize("token", ["é", "x" * (MAX_ACCESS_TOKEN_CHARS + 1)])
def test_check_access_token_form(token: str) -> None:
    with pytest.raises(AccessTokenRefused, match="check_access_token_form") as caught:
        parse_bearer_token([], authorization=f"Bearer {token}")
    assert build_challenge(caught.value) == 'Bearer error="invalid_token"'


def test_userinfo_says_what_the_id_token_says() -> None:
    client, answer = build_userinfo(a_userinfo_grant(), registry=a_registry())
    assert client.oidc.client_id == CLIENT_ID
    assert answer == {"sub": PSEUDONYM, "given_name": "Sanne"}


def test_a_token_of_a_disabled_client_tells_nothing() -> None:
    grant = a_userinfo_grant()
    for registry in (a_registry(enabled=False), a_registry(supplier_enabled=False)):
        with pytest.raises(AccessTokenRefused, match="check_client_enabled"):
            build_userinfo(grant, registry=registry)
