"""The numbered procedure: each step refuses by itself, and the same answer without fault passes."""

import base64
import hashlib
import inspect
import json
import re
from datetime import UTC, datetime

import pytest

from broker.domain.refusals import Refusal
from broker.jose.keys import KeySet, parse_key_set
from broker.oidc_rp import id_token
from broker.oidc_rp.id_token import (
    MAX_ID_TOKEN_AGE_SECONDS,
    MAX_ID_TOKEN_LIFE_SECONDS,
    MAX_SUBJECT_CHARS,
    MAX_TOKEN_RESPONSE_BYTES,
    SKEW_SECONDS,
    VerifiedIdToken,
    check_token_response,
)
from broker.oidc_rp.refusals import (
    IdTokenRefused,
    IdTokenSignatureRefused,
    LoginTooOld,
    TokenResponseRefused,
    UnknownKey,
)
from tests.builders_oidc import (
    NONCE,
    NOW,
    SCHOOL_CLIENT_ID,
    SCHOOL_ISSUER,
    SCHOOL_KEY,
    a_token_response,
    ago,
    jwks_of,
    make_key,
    school_endpoints,
)

KEYS = parse_key_set(jwks_of(SCHOOL_KEY))
NOW_SECONDS = int(NOW.timestamp())


def receive(
    body: bytes,
    *,
    keys: KeySet = KEYS,
    nonce: str = NONCE,
    max_age_seconds: int | None = None,
    login_forced_at: datetime | None = None,
    **endpoints: object,
) -> VerifiedIdToken:
    return check_token_response(
        body,
        endpoints=school_endpoints(**endpoints),
        keys=keys,
        expected_nonce=nonce,
        now=NOW,
        max_age_seconds=max_age_seconds,
        login_forced_at=login_forced_at,
    )


def refused(expected: type[Refusal], check: str, body: bytes, **changes) -> None:
    with pytest.raises(expected) as caught:
        receive(body, **changes)
    assert (type(caught.value), caught.value.check) == (expected, check)


def claims_refused(check: str, **changes: object) -> None:
    refused(IdTokenRefused, check, a_token_response(**changes))


def test_the_numbers_of_the_procedure_recur_in_its_body() -> None:
    promised = re.findall(r"^(\d)\.", id_token.__doc__ or "", re.MULTILINE)
    done = re.findall(r"# (\d)\.", inspect.getsource(check_token_response))
    assert promised == done == [str(each) for each in range(1, 10)]


def test_a_plain_answer() -> None:
    verified = receive(a_token_response(acr="loa:2", given_name="Noor"))
    assert (verified.issuer, verified.subject, verified.acr) == (SCHOOL_ISSUER, "noor-1", "loa:2")
    assert verified.authenticated_at == ago(2)
    assert verified.authenticated_at.tzinfo is UTC
    assert verified.claims["given_name"] == "Noor"
    assert verified.access_token == "at-1"
    for secret in ("noor", "Noor", "at-1"):
        assert secret not in repr(verified)


def test_the_stated_time_of_login_counts() -> None:
    verified = receive(a_token_response(auth_time=NOW_SECONDS - 500.5, acr=["odd"]))
    assert verified.authenticated_at == ago(500.5)
    assert verified.acr == ""


# 1 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 5000, b'{"a":NaN}'])
def test_check_token_response_readable(body: bytes) -> None:
    refused(TokenResponseRefused, "check_token_response_readable", body)


def test_check_token_response_size() -> None:
    body = a_token_response() + b" " * MAX_TOKEN_RESPONSE_BYTES
    refused(TokenResponseRefused, "check_token_response_size", body)


@pytest.mark.parametrize("token_type", [None, "", "DPoP", "N_A", 1])
def test_check_token_type(token_type: object) -> None:
    body = json.dumps(json.loads(a_token_response()) | {"token_type": token_type}).encode()
    refused(TokenResponseRefused, "check_token_type", body)
    body = json.dumps(json.loads(a_token_response()) | {"token_type": "bearer"}).encode()
    assert receive(body)


@pytest.mark.parametrize("access_token", [None, "", "é", 1])
def test_check_access_token_present(access_token: object) -> None:
    body = json.dumps(json.loads(a_token_response()) | {"access_token": access_token}).encode()
    refused(TokenResponseRefused, "check_access_token_present", body)


def test_check_id_token_present() -> None:
    body = a_token_response(without="id_token")
    refused(TokenResponseRefused, "check_id_token_present", body)
    refused(TokenResponseRefused, "check_id_token_present", a_token_response(id_token=["x"]))


# 2 ----------------------------------------------------------------------------------------------


def test_an_unknown_key_is_a_refusal_of_its_own() -> None:
    body = a_token_response(key=make_key())
    refused(UnknownKey, "check_token_key_known", body)
    refused(UnknownKey, "check_token_key_known", a_token_response(), keys=KeySet())


def test_a_wrong_signature_or_algorithm_is_refused() -> None:
    body = a_token_response(id_token="a.b.c")
    refused(IdTokenSignatureRefused, "check_token_header_readable", body)
    check = "check_token_algorithm_allowed"
    refused(IdTokenSignatureRefused, check, a_token_response(), algorithms=("RS256",))
    refused(IdTokenSignatureRefused, check, a_token_response(), algorithms=())


# 3 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("iss", [None, SCHOOL_ISSUER + "/", "https://evil.test", [SCHOOL_ISSUER]])
def test_check_issuer(iss: object) -> None:
    claims_refused("check_issuer", iss=iss)


# 4 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("aud", [None, "other", [], ["other"], {"x": 1}, 1])
def test_check_audience(aud: object) -> None:
    claims_refused("check_audience", aud=aud)
    assert receive(a_token_response(aud=[SCHOOL_CLIENT_ID]))


def test_check_authorized_party() -> None:
    both = [SCHOOL_CLIENT_ID, "other"]
    claims_refused("check_authorized_party", aud=both)
    claims_refused("check_authorized_party", aud=both, azp="other")
    claims_refused("check_authorized_party", azp="other")
    assert receive(a_token_response(aud=both, azp=SCHOOL_CLIENT_ID))
    assert receive(a_token_response(azp=SCHOOL_CLIENT_ID))


# 5 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["exp", "iat"])
def test_check_times_present(name: str) -> None:
    claims_refused("check_times_present", **{name: None})


@pytest.mark.parametrize("wrong", ["1", True, -1, 2**41, [1], 10**300])
@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "auth_time"])
def test_check_times_readable(name: str, wrong: object) -> None:
    claims_refused("check_times_readable", **{name: wrong})


def test_check_expiry() -> None:
    claims_refused("check_expiry", exp=NOW_SECONDS - SKEW_SECONDS)
    claims_refused("check_expiry", exp=NOW_SECONDS + MAX_ID_TOKEN_LIFE_SECONDS + 1)
    assert receive(a_token_response(exp=NOW_SECONDS - SKEW_SECONDS + 1))
    assert receive(a_token_response(exp=NOW_SECONDS + MAX_ID_TOKEN_LIFE_SECONDS))


def test_check_issued_at() -> None:
    claims_refused("check_issued_at", iat=NOW_SECONDS - MAX_ID_TOKEN_AGE_SECONDS - 1)
    claims_refused("check_issued_at", iat=NOW_SECONDS + SKEW_SECONDS + 1)
    assert receive(a_token_response(iat=NOW_SECONDS - MAX_ID_TOKEN_AGE_SECONDS))
    assert receive(a_token_response(iat=NOW_SECONDS + SKEW_SECONDS))


def test_check_not_before() -> None:
    claims_refused("check_not_before", nbf=NOW_SECONDS + SKEW_SECONDS + 1)
    assert receive(a_token_response(nbf=NOW_SECONDS + SKEW_SECONDS))


# 6 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nonce", [None, "", "other", 1, "é"])
def test_check_nonce(nonce: object) -> None:
    claims_refused("check_nonce", nonce=nonce)


def test_an_empty_expected_nonce_matches_nothing() -> None:
    refused(IdTokenRefused, "check_nonce", a_token_response(nonce=""), nonce="")


# 7 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sub", [None, "", " ", "\t\n", 1, "x" * (MAX_SUBJECT_CHARS + 1)])
def test_check_subject(sub: object) -> None:
    claims_refused("check_subject", sub=sub)
    assert receive(a_token_response(sub=" x")).subject == " x"


# 8 ----------------------------------------------------------------------------------------------


def test_check_auth_time_present() -> None:
    for asked in ({"max_age_seconds": 60}, {"login_forced_at": NOW}):
        refused(LoginTooOld, "check_auth_time_present", a_token_response(), **asked)


def test_check_auth_time_past() -> None:
    claims_refused("check_auth_time_past", auth_time=NOW_SECONDS + SKEW_SECONDS + 1)
    assert receive(a_token_response(auth_time=NOW_SECONDS + SKEW_SECONDS))


def test_check_login_within_max_age() -> None:
    oldest = NOW_SECONDS - 100 - SKEW_SECONDS
    check = "check_login_within_max_age"
    refused(LoginTooOld, check, a_token_response(auth_time=oldest - 1), max_age_seconds=100)
    assert receive(a_token_response(auth_time=oldest), max_age_seconds=100)


def test_check_login_after_request() -> None:
    oldest = NOW_SECONDS - 100 - SKEW_SECONDS
    check, asked = "check_login_after_request", ago(100)
    refused(LoginTooOld, check, a_token_response(auth_time=oldest - 1), login_forced_at=asked)
    assert receive(a_token_response(auth_time=oldest), login_forced_at=asked)
    # A new login satisfies any age, however long the pupil took to come back.
    body = a_token_response(auth_time=oldest)
    assert receive(body, login_forced_at=asked, max_age_seconds=0)


# 9 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("algorithm", "name"), [("ES256", "sha256"), ("RS256", "sha256")])
def test_check_access_token_hash(algorithm: str, name: str) -> None:
    key = SCHOOL_KEY if algorithm == "ES256" else make_key("RSA")
    digest = hashlib.new(name, b"at-1").digest()
    right = base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
    asked = {"keys": parse_key_set(jwks_of(key)), "algorithms": (algorithm,)}
    assert receive(a_token_response(key=key, at_hash=right), **asked)
    for wrong in ("", "x", right + "=", 1, "é"):
        body = a_token_response(key=key, at_hash=wrong)
        refused(IdTokenRefused, "check_access_token_hash", body, **asked)


def test_every_algorithm_has_its_hash() -> None:
    from broker.jose.keys import SIGNATURE_ALGORITHMS

    named = {each: id_token._HASH_OF[each[-3:]] for each in SIGNATURE_ALGORITHMS}
    assert named["ES384"] == "sha384"
    assert named["PS512"] == named["EdDSA"] == named["Ed25519"] == "sha512"
