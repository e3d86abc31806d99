"""One login is answered by another provider (RFC 9700 4.4): one answer belongs to the asked one."""

import pytest

from broker.domain.refusals import Refusal
from broker.jose.keys import parse_key_set
from broker.oidc_rp.callback import check_callback
from broker.oidc_rp.id_token import check_token_response
from broker.oidc_rp.refusals import IdTokenRefused, IdTokenSignatureRefused
from tests.builders_oidc import (
    NONCE,
    NOW,
    SCHOOL_CLIENT_ID,
    SCHOOL_ISSUER,
    SCHOOL_KEY,
    a_token_response,
    jwks_of,
    make_key,
    school_endpoints,
)

EVIL_ISSUER = "https://login.evil.example"
EVIL_KEY = make_key()
ASKED = school_endpoints()
KEYS = parse_key_set(jwks_of(SCHOOL_KEY))


def receive(body: bytes, **changes):
    return check_token_response(
        body,
        **{"endpoints": ASKED, "keys": KEYS, "expected_nonce": NONCE, "now": NOW} | changes,
    )


def test_the_callback_of_another_provider_is_refused() -> None:
    answer = [("code", "c"), ("state", "s"), ("iss", EVIL_ISSUER)]
    with pytest.raises(Refusal, match="check_issuer_expected"):
        check_callback(answer, endpoints=ASKED, expected_state="s")
    honest = [("code", "c"), ("state", "s"), ("iss", SCHOOL_ISSUER)]
    assert check_callback(honest, endpoints=ASKED, expected_state="s") == "c"


def test_a_provider_that_always_says_who_it_is_cannot_be_silent() -> None:
    with pytest.raises(Refusal, match="check_issuer_expected"):
        check_callback(
            [("code", "c"), ("state", "s")], endpoints=ASKED, expected_state="s", iss_required=True
        )


def test_another_provider_signs_with_its_own_key() -> None:
    with pytest.raises(IdTokenSignatureRefused):
        receive(a_token_response(key=EVIL_KEY))


def test_another_provider_signs_in_its_own_name() -> None:
    with pytest.raises(IdTokenRefused, match="check_issuer"):
        receive(
            a_token_response(key=EVIL_KEY, iss=EVIL_ISSUER), keys=parse_key_set(jwks_of(EVIL_KEY))
        )


def test_a_token_for_another_party_at_the_same_provider_is_refused() -> None:
    with pytest.raises(IdTokenRefused, match="check_audience"):
        receive(a_token_response(aud="other-app"))
    with pytest.raises(IdTokenRefused, match="check_authorized_party"):
        receive(a_token_response(aud=["other-app", SCHOOL_CLIENT_ID], azp="other-app"))


def test_the_token_of_another_login_is_refused() -> None:
    with pytest.raises(IdTokenRefused, match="check_nonce"):
        receive(a_token_response(nonce="of another login"))


def test_the_honest_answer_passes() -> None:
    assert receive(a_token_response()).subject == "noor-1"
