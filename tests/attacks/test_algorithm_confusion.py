"""Tokens that try to choose how they are verified (RFC 8725 2.1 and 3.1)."""

import base64
import hashlib
import hmac
import json
import re

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from broker.domain.refusals import Refusal
from broker.jose.keys import SIGNATURE_ALGORITHMS, parse_key_set
from broker.oidc_op.client_assertions import ASSERTION_ALGORITHMS
from broker.oidc_rp.id_token import check_token_response
from tests.builders_oidc import (
    CLIENT_KEY,
    NONCE,
    NOW,
    SCHOOL_KEY,
    a_token_response,
    an_assertion,
    assertion_form,
    id_token_claims,
    jwks_of,
    make_key,
    school_endpoints,
)
from tests.oidc_op.test_client_auth import authenticate

RSA = make_key("RSA")
CLAIMS = json.dumps(id_token_claims()).encode()
ATTACKER = ec.generate_private_key(ec.SECP256R1())


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forge(header: dict[str, object], signature=lambda signed: b"") -> str:
    signed = f"{b64(json.dumps(header).encode())}.{b64(CLAIMS)}"
    return f"{signed}.{b64(signature(signed.encode()))}"


def es256(signed: bytes) -> bytes:
    r, s = decode_dss_signature(ATTACKER.sign(signed, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def hs256(secret: bytes):
    return lambda signed: hmac.new(secret, signed, hashlib.sha256).digest()


def attacker_jwk() -> dict[str, str]:
    numbers = ATTACKER.public_key().public_numbers()
    x, y = b64(numbers.x.to_bytes(32)), b64(numbers.y.to_bytes(32))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


KID = {"kid": SCHOOL_KEY.kid}
FORGED = {
    "none": forge({"alg": "none"}),
    "none, cased": forge({"alg": "nOnE"} | KID),
    "no alg": forge({"typ": "JWT"}),
    "HMAC with the public RSA key": forge(
        {"alg": "HS256", "kid": RSA.kid}, hs256(RSA.key.as_pem(private=False))
    ),
    "HMAC with the key set": forge({"alg": "HS256"}, hs256(jwks_of(SCHOOL_KEY).encode())),
    "HMAC with nothing": forge({"alg": "HS256"}, hs256(b"")),
    "own key in the header": forge({"alg": "ES256", "jwk": attacker_jwk()}, es256),
    "own key by URL": forge({"alg": "ES256", "jku": "https://evil.test/jwks"} | KID, es256),
    "own certificate": forge({"alg": "ES256", "x5c": ["MIIB"]} | KID, es256),
    "own certificate by URL": forge({"alg": "ES256", "x5u": "https://evil.test/c"} | KID, es256),
    "the school's key name": forge({"alg": "ES256"} | KID, es256),
    "the RSA key by the wrong algorithm": forge({"alg": "ES256", "kid": RSA.kid}, es256),
    "a path as key name": forge({"alg": "ES256", "kid": "../../dev/null"}, es256),
    "zero signature": forge({"alg": "ES256"} | KID, lambda _: b"\0" * 64),
    "empty signature": forge({"alg": "ES256"} | KID),
    "signature in DER": forge(
        {"alg": "ES256"} | KID, lambda signed: ATTACKER.sign(signed, ec.ECDSA(hashes.SHA256()))
    ),
    "payload not encoded": forge({"alg": "ES256", "b64": False, "crit": ["b64"]} | KID, es256),
    "JSON serialization": json.dumps(
        {"protected": b64(b'{"alg":"ES256"}'), "payload": b64(CLAIMS)}
    ),
    "encrypted form": "a.b.c.d.e",
}


@pytest.mark.parametrize("name", FORGED)
def test_a_school_token_that_chooses_its_own_verification_is_refused(name: str) -> None:
    with pytest.raises(Refusal) as caught:
        check_token_response(
            a_token_response(id_token=FORGED[name]),
            endpoints=school_endpoints(algorithms=("ES256", "RS256", "none", "HS256")),
            keys=parse_key_set(jwks_of(SCHOOL_KEY, RSA)),
            expected_nonce=NONCE,
            now=NOW,
        )
    assert re.match("check_token_", caught.value.check)


@pytest.mark.parametrize("name", FORGED)
def test_a_client_assertion_that_does_is_refused(name: str) -> None:
    keys = parse_key_set(jwks_of(CLIENT_KEY, SCHOOL_KEY, RSA))
    form = assertion_form(FORGED[name], client_id="rekenrijk-web")
    with pytest.raises(Refusal) as caught:
        authenticate(form, keys=keys)
    assert re.match("check_token_", caught.value.check)


def test_honest_tokens_pass() -> None:
    assert authenticate(assertion_form(an_assertion()))
    for key in (SCHOOL_KEY, RSA):
        assert check_token_response(
            a_token_response(key=key),
            endpoints=school_endpoints(algorithms=("ES256", "RS256")),
            keys=parse_key_set(jwks_of(SCHOOL_KEY, RSA)),
            expected_nonce=NONCE,
            now=NOW,
        )


def test_no_list_of_ours_holds_a_symmetric_algorithm() -> None:
    assert set(ASSERTION_ALGORITHMS) <= SIGNATURE_ALGORITHMS.keys()
    assert not {each for each in SIGNATURE_ALGORITHMS if each.startswith("HS") or each == "none"}
