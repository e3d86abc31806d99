"""Signed requests: each check refuses, and the same object without the fault is the request."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from broker.domain.refusals import Refusal
from broker.domain.relying_parties import OidcClient
from broker.jose.keys import SigningKey, parse_key_set
from broker.jose.tokens import MAX_TOKEN_CHARS, sign_token
from broker.oidc_op.clients import find_client
from broker.oidc_op.parameters import RequestTooLarge
from broker.oidc_op.received import AuthorizationRequest, list_parameters
from broker.oidc_op.request_checks import RequestObjectRefused
from broker.oidc_op.request_objects import (
    MAX_OBJECT_ID_CHARS,
    MAX_OBJECT_LIFE_SECONDS,
    OBJECT_CHECKS,
    SKEW_SECONDS,
    RequestObjectInvalid,
    SignedRequest,
    read_request_object,
)
from tests.builders_oidc import (
    BROKER_RSA_KEY,
    CLIENT_ID,
    CLIENT_KEY,
    ISSUER,
    NOW,
    a_registry,
    a_request_object,
    an_authorization_request,
    an_oidc_client,
    jwks_of,
    make_key,
)

SECONDS = int(NOW.timestamp())
OTHER_KEY = make_key()
RSA_KEY = BROKER_RSA_KEY


def read(
    token: str | None = None,
    *,
    client: OidcClient | None = None,
    keys: tuple[SigningKey, ...] = (CLIENT_KEY,),
    response_type: str | None = None,
    **changes: Any,
) -> SignedRequest:
    registry = a_registry(client or an_oidc_client())
    return read_request_object(
        a_request_object(**changes) if token is None else token,
        client=find_client(CLIENT_ID, registry=registry),
        keys=parse_key_set(jwks_of(*keys)),
        issuer=ISSUER,
        response_type=response_type,
        now=NOW,
    )


def refuses(
    check: str, expected: type[Refusal] = RequestObjectInvalid, token: str | None = None, **how: Any
) -> None:
    with pytest.raises(expected) as caught:
        read(token, **how)
    assert (type(caught.value), caught.value.check) == (expected, check)
    assert caught.value.may_redirect


def test_the_table_is_complete() -> None:
    assert len(OBJECT_CHECKS) == 10
    for each in OBJECT_CHECKS:
        assert f"test_{each.__name__}" in globals(), each.__name__
        assert each.__doc__


def test_what_is_inside_is_the_request() -> None:
    found = read()
    assert sorted(list_parameters(found.request)) == sorted(an_authorization_request())
    assert (found.request.signed, found.request.pushed) == (True, False)
    assert found.object_id == "object-1"
    assert found.made_after == NOW.replace(microsecond=0) - timedelta(seconds=SKEW_SECONDS)
    assert "object-1" not in repr(found)


def test_it_may_say_no_more_than_it_must() -> None:
    found = read(iat=None, nbf=None, jti=None)
    assert found.object_id == ""
    early = timedelta(seconds=300 - MAX_OBJECT_LIFE_SECONDS - SKEW_SECONDS)
    assert found.made_after == NOW.replace(microsecond=0) + early


def test_json_becomes_what_a_query_would_hold() -> None:
    found = read(
        max_age=600,
        claims={"id_token": {"auth_time": None}},
        resource=["https://a.example/", "https://b.example/"],
        unknown=["x"],
        state=None,
    ).request
    assert found.max_age == "600"
    assert json.loads(found.claims or "") == {"id_token": {"auth_time": None}}
    assert found.resource == ("https://a.example/", "https://b.example/")
    assert read(resource="https://a.example/").request.resource == ("https://a.example/",)
    assert read(claims='{"id_token":null}').request.claims == '{"id_token":null}'
    assert found.state is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scope", ["openid"]), ("state", 1), ("nonce", []), ("max_age", True),
        ("max_age", 1.5), ("redirect_uri", {"a": "b"}), ("claims", ["x"]), ("resource", [1]),
        ("resource", {"a": 1}), ("registration", 1),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused(name: str, value: object) -> None:
    refuses("check_object_texts", **{name: value})


@pytest.mark.parametrize("key", [make_key(), RSA_KEY])
def test_keys_of_both_kinds_verify(key: SigningKey) -> None:
    assert read(key=key, keys=(key,)).request.client_id == CLIENT_ID


# Signature --------------------------------------------------------------------------------------


def by_hand(header: dict[str, object], signature: str = "") -> str:
    payload = a_request_object().split(".")[1]
    first = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return f"{first}.{payload}.{signature}"


def test_an_unsigned_object_is_not_supported() -> None:
    refuses("check_object_signed", RequestObjectRefused, by_hand({"alg": "none"}))
    assert RequestObjectRefused.oauth_error == "request_not_supported"
    refuses("check_token_algorithm_allowed", token=by_hand({"alg": "None"}))
    refuses("check_token_algorithm_allowed", token=by_hand({"alg": "nOnE"}))


def test_an_encrypted_object_is_not_supported() -> None:
    refuses("check_object_not_encrypted", RequestObjectRefused, "e30.AA.AA.AA.AA")


def test_a_key_of_somebody_else_proves_nothing() -> None:
    refuses("check_token_key_known", key=OTHER_KEY)
    refuses("check_token_key_known", keys=())
    stolen = a_request_object().rpartition(".")[0] + "." + a_request_object(key=OTHER_KEY)[-86:]
    refuses("check_token_signature", token=stolen)


def test_a_public_key_is_no_secret() -> None:
    """HMAC with the public key, in every form in which it is published."""
    for algorithm in ("HS256", "HS384", "HS512"):
        refuses("check_token_algorithm_allowed", token=by_hand({"alg": algorithm}, "AAAA"))


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip"])
def test_a_key_that_an_object_brings_along_is_not_looked_at(name: str) -> None:
    values: dict[str, object] = {"jwk": dict(OTHER_KEY.public_jwk), "crit": ["b64"], "b64": False}
    value = values.get(name, "https://evil.example/keys")
    refuses("check_token_header_known", token=by_hand({"alg": "ES256", name: value}, "AAAA"))


@pytest.mark.parametrize(
    ("token", "check"),
    [
        ("x" * (MAX_TOKEN_CHARS + 1), "check_object_size"),
        ("", "check_token_size"),
        (".", "check_token_header_readable"),
        ("..", "check_token_header_readable"),
        ("e30..", "check_token_header_readable"),
        ("W10.e30.AA", "check_token_header_readable"),
        ("x" * 600 + ".e30.AA", "check_token_size"),
        ("é.e30.AA", "check_token_header_readable"),
    ],
)
def test_what_is_no_token_is_refused(token: str, check: str) -> None:
    refuses(check, token=token)


def test_a_pinned_algorithm_is_the_only_one() -> None:
    pinned = an_oidc_client(request_object_algorithm="RS256")
    refuses("check_token_algorithm_allowed", client=pinned)
    assert read(client=pinned, key=RSA_KEY, keys=(RSA_KEY,)).request.signed


def test_the_profile_says_which_algorithms() -> None:
    fapi = an_oidc_client(profile="fapi2")
    refuses("check_token_algorithm_allowed", client=fapi, key=RSA_KEY, keys=(RSA_KEY,))
    assert read(client=fapi).request.signed


def test_claims_that_are_no_object_are_refused() -> None:
    token = sign_token([1], key=CLIENT_KEY, typ="oauth-authz-req+jwt")  # type: ignore[arg-type]
    refuses("check_token_claims_readable", token=token)


# Claims -----------------------------------------------------------------------------------------


def test_check_object_type() -> None:
    for wrong in ("dpop+jwt", "client-authentication+jwt", "logout+jwt", "at+jwt", "x"):
        refuses("check_object_type", typ=wrong)
    for right in ("JWT", "application/oauth-authz-req+jwt", "OAUTH-AUTHZ-REQ+JWT"):
        assert read(typ=right)


def test_check_object_issuer() -> None:
    for wrong in (None, "other", ISSUER, [CLIENT_ID], 1):
        refuses("check_object_issuer", iss=wrong)


def test_check_object_audience() -> None:
    for wrong in (None, "other", ISSUER + "/", [], ["other"], [ISSUER, 1], {"a": ISSUER}, 1):
        refuses("check_object_audience", aud=wrong)
    assert read(aud=[ISSUER])
    assert read(aud=["https://other.example", ISSUER])


def test_check_object_client_id() -> None:
    for wrong in (None, "other", [CLIENT_ID], 1):
        refuses("check_object_client_id", client_id=wrong)


def test_check_object_response_type() -> None:
    refuses("check_object_response_type", response_type="token")
    with pytest.raises(RequestObjectInvalid, match="check_object_response_type"):
        read(a_request_object(response_type=None), response_type="code")
    assert read(response_type="code").request.response_type == "code"


def test_check_object_is_no_assertion() -> None:
    for wrong in (CLIENT_ID, "x", ""):
        refuses("check_object_is_no_assertion", sub=wrong)


def test_check_object_holds_no_other() -> None:
    refuses("check_object_holds_no_other", request=a_request_object())
    refuses("check_object_holds_no_other", request_uri="https://rekenrijk.example/object")


def test_check_object_expiry() -> None:
    far = MAX_OBJECT_LIFE_SECONDS + SKEW_SECONDS
    for wrong in (None, 0, SECONDS - SKEW_SECONDS, SECONDS + far + 1):
        refuses("check_object_expiry", exp=wrong)
    for right in (SECONDS - SKEW_SECONDS + 1, SECONDS + far, SECONDS + 300.5):
        assert read(exp=right)
    for unreadable in ("1", True, -1, 2**40, [1], 1e300):
        refuses("check_object_times_readable", exp=unreadable)


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_check_object_begin(name: str) -> None:
    old = MAX_OBJECT_LIFE_SECONDS + SKEW_SECONDS
    for wrong in (SECONDS + SKEW_SECONDS + 1, SECONDS - old):
        refuses("check_object_begin", **{name: wrong})
    for right in (SECONDS + SKEW_SECONDS, SECONDS - old + 1, None):
        assert read(**{name: right})
    refuses("check_object_times_readable", **{name: "now"})


def test_check_object_id() -> None:
    for wrong in ("", "x" * (MAX_OBJECT_ID_CHARS + 1), 1, ["x"], {}):
        refuses("check_object_id", jti=wrong)
    assert read(jti="x" * MAX_OBJECT_ID_CHARS).object_id


def test_what_is_too_large_inside_is_no_request() -> None:
    with pytest.raises(RequestTooLarge):
        read(claims="x" * 9000)


def test_a_request_lists_as_it_is_read() -> None:
    assert list_parameters(AuthorizationRequest(pushed=True, signed=True)) == []
