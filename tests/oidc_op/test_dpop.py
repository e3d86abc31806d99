"""Proofs of possession (RFC 9449): each rule of 4.3 refuses, beside a proof that passes."""

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OctKey

from broker.jose.embedded_keys import MAX_KEY_MEMBERS, MAX_PROOF_CHARS
from broker.jose.keys import SigningKey, signing_key_of
from broker.oidc_op.dpop import (
    DPOP_ALGORITHMS,
    MAX_AGE_SECONDS,
    MAX_AHEAD_SECONDS,
    MAX_PROOF_ID_CHARS,
    PROOF_CHECKS,
    DpopNonceRequired,
    DpopProofRefused,
    ExpectedProof,
    ProvenKey,
    check_dpop_proof,
    normalise_address,
)
from tests.builders_oidc import NOW, TOKEN_ENDPOINT
from tests.proof_builders import (
    DPOP_KEY,
    OTHER_DPOP_KEY,
    a_dpop_proof,
    encode,
    public_jwk,
)

NOW_SECONDS = int(NOW.timestamp())
RSA_KEY = signing_key_of(rsa.generate_private_key(65537, 2048))
PSS_KEY = signing_key_of(rsa.generate_private_key(65537, 2048), rsa_algorithm="PS256")
ED_KEY = signing_key_of(ed25519.Ed25519PrivateKey.generate())


def expected(**changes) -> ExpectedProof:
    fields = {"method": "POST", "addresses": (TOKEN_ENDPOINT,), "now_seconds": NOW.timestamp()}
    return ExpectedProof(**fields | changes)


def check(*headers: str, **changes) -> ProvenKey:
    return check_dpop_proof(headers, expected(**changes))


def refused(name: str, *headers: str, **changes) -> None:
    with pytest.raises(DpopProofRefused) as caught:
        check(*headers, **changes)
    assert caught.value.check == name


def test_the_table_is_complete() -> None:
    assert len(PROOF_CHECKS) == 7
    for each in PROOF_CHECKS:
        assert f"test_{each.__name__}" in globals(), each.__name__
        assert each.__doc__


@pytest.mark.parametrize("key", [DPOP_KEY, RSA_KEY, PSS_KEY, ED_KEY])
def test_a_proof_proves_its_key(key: SigningKey) -> None:
    proven = check(a_dpop_proof(key=key))
    assert proven.thumbprint == key.kid  # RFC 7638 both
    assert proven.proof_id.value == f"{key.kid}proof-1"
    assert proven.proof_id.until == NOW + timedelta(seconds=MAX_AGE_SECONDS)
    assert "proof-1" not in repr(proven)
    assert key.algorithm in DPOP_ALGORITHMS


def test_the_rfcs_own_example() -> None:
    """RFC 9449 4.1, with the thumbprint of 6.1."""
    header = (
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNo"
        "UklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERW"
        "clUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
    )
    payload = (
        "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUu"
        "Y29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ"
    )
    signature = (
        "2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
    )
    example = f"{header}.{payload}.{signature}"
    found = check(example, addresses=("https://server.example.com/token",), now_seconds=1562262620)
    assert found.thumbprint == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


@pytest.mark.parametrize("count", [0, 2])
def test_check_one_proof(count: int) -> None:
    refused("check_one_proof", *[a_dpop_proof()] * count)


def test_what_is_no_token_is_refused() -> None:
    proof = a_dpop_proof()
    head, claims, signature = proof.split(".")
    listed = encode(json.dumps([1]).encode())
    for odd in (
        *("", "x", "a.b", f"{proof}.x", f"{proof}=", f" {proof}", f"{proof}\n", "é" + proof),
        *(f"{head}.{claims}.", f"{listed}.{claims}.{signature}", "!" + proof),
        proof + "A" * MAX_PROOF_CHARS,
        f"{encode(b'[' * 3000)}.{claims}.{signature}",
    ):
        refused("check_proof_readable", odd)
    refused("check_proof_readable", sign_segments(json.loads(decode(head)), listed))
    assert check(proof)


def decode(segment: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def sign_segments(header: dict[str, object], payload: str) -> str:
    signed = f"{encode(json.dumps(header).encode())}.{payload}"
    return f"{signed}.{encode(DPOP_KEY.sign(signed.encode()))}"


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES384", "es256", "", None, 7, ["ES256"]])
def test_only_listed_asymmetric_algorithms(algorithm: object) -> None:
    refused("check_proof_algorithm", a_dpop_proof(header={"alg": algorithm}))


@pytest.mark.parametrize("name", ["crit", "b64", "jku", "x5u", "x5c"])
def test_no_header_that_names_another_key_or_meaning(name: str) -> None:
    refused("check_proof_header_known", a_dpop_proof(header={name: ["exp"]}))
    assert check(a_dpop_proof(header={"kid": "1", "unheard-of": 1}))


def test_the_embedded_key_is_public_and_fits() -> None:
    private = DPOP_KEY.key.as_dict(private=True)
    small = signing_key_of_any(rsa.generate_private_key(65537, 1024))
    huge = {"kty": "RSA", "n": encode(b"\xff" * 513), "e": "AQAB"}
    slow = {**public_jwk(RSA_KEY), "e": encode(b"\x7f" * 200 + b"\x01")}
    for jwk in (
        *(None, "x", [], {}, private, {**public_jwk(DPOP_KEY), "k": "AA"}),
        *(OctKey.generate_key(256).as_dict(private=True), {"kty": "oct"}),
        *({"kty": "EC", "crv": "P-256"}, {**public_jwk(DPOP_KEY), "x": "AA"}),
        *({**public_jwk(DPOP_KEY), "crv": "P-384"}, {**public_jwk(DPOP_KEY), "use": "enc"}),
        {**public_jwk(DPOP_KEY), **{f"m{number}": 1 for number in range(MAX_KEY_MEMBERS)}},
        public_jwk(RSA_KEY),  # of another kind than the algorithm
    ):
        refused("check_proof_key_public", a_dpop_proof(header={"jwk": jwk}))
    for jwk in (small, huge, slow, {**public_jwk(RSA_KEY), "n": 7}):
        refused("check_proof_key_public", a_dpop_proof(key=RSA_KEY, header={"jwk": jwk}))


def signing_key_of_any(private: rsa.RSAPrivateKey) -> dict[str, object]:
    numbers = private.public_key().public_numbers()
    return {"kty": "RSA", "n": encode(numbers.n.to_bytes(128)), "e": "AQAB"}


def test_the_signature_is_of_the_embedded_key() -> None:
    refused("check_proof_signature", a_dpop_proof(header={"jwk": public_jwk(OTHER_DPOP_KEY)}))
    head, claims, _ = a_dpop_proof().split(".")
    for odd in ("AA", "AAAAA", encode(b"\x00" * 64), encode(b"\x00" * 63)):
        refused("check_proof_signature", f"{head}.{claims}.{odd}")


@pytest.mark.parametrize("typ", [None, "JWT", "at+jwt", "dpop", 7])
def test_check_proof_typ(typ: object) -> None:
    refused("check_proof_typ", a_dpop_proof(header={"typ": typ}))
    assert check(a_dpop_proof(header={"typ": "application/DPoP+JWT"}))


@pytest.mark.parametrize("jti", [None, "", 7, "j" * (MAX_PROOF_ID_CHARS + 1)])
def test_check_proof_id(jti: object) -> None:
    refused("check_proof_id", a_dpop_proof(jti=jti))
    assert check(a_dpop_proof(jti="j" * MAX_PROOF_ID_CHARS))


@pytest.mark.parametrize("htm", [None, "GET", "post", 7])
def test_check_proof_method(htm: object) -> None:
    refused("check_proof_method", a_dpop_proof(htm=htm))
    assert check(a_dpop_proof(htm="GET"), method="GET")


@pytest.mark.parametrize(
    "htu",
    [
        *(None, 7, "", "/oidc/token", "https://", "ftp://broker.example/oidc/token"),
        *("https://broker.example/oidc/token/", "https://broker.example/oidc/Token"),
        *("http://broker.example/oidc/token", "https://broker.example:8443/oidc/token"),
        *("https://broker.example/x/../oidc/token", "https://broker.example/oidc%2Ftoken"),
        *("https://user@broker.example/oidc/token", "https://broker.example:x/oidc/token"),
        *("https://broker.example.evil.example/oidc/token", "https://[broker/oidc/token"),
    ],
)
def test_check_proof_address(htu: object) -> None:
    refused("check_proof_address", a_dpop_proof(htu=htu))


@pytest.mark.parametrize(
    "htu",
    [
        *(TOKEN_ENDPOINT, TOKEN_ENDPOINT + "?a=b", TOKEN_ENDPOINT + "#c"),
        *("HTTPS://BROKER.example/oidc/token", "https://broker.example:443/oidc/%74oken"),
        "https://clients.example/oidc/token",
    ],
)
def test_one_address_in_its_forms(htu: str) -> None:
    own = (TOKEN_ENDPOINT, "https://clients.example/oidc/token")
    assert check(a_dpop_proof(htu=htu), addresses=own)


@given(st.text())
def test_an_address_is_normalised_once(text: str) -> None:
    once = normalise_address("https://broker.example/" + text)
    assert normalise_address(once) == once


@pytest.mark.parametrize("iat", [None, "1", True, -1, 2**40, NOW_SECONDS + 60, NOW_SECONDS - 91])
def test_check_proof_age(iat: object) -> None:
    refused("check_proof_age", a_dpop_proof(iat=iat))


@pytest.mark.parametrize("ahead_seconds", [10, MAX_AHEAD_SECONDS, -60])
def test_clocks_may_differ_a_little(ahead_seconds: int) -> None:
    """FAPI 2.0 5.3.2.1: ten seconds ahead must pass, sixty must not."""
    assert check(a_dpop_proof(iat=NOW_SECONDS + ahead_seconds))


def test_a_proof_is_remembered_until_its_age_refuses_it() -> None:
    proof = a_dpop_proof(iat=NOW_SECONDS + MAX_AHEAD_SECONDS)
    until = check(proof).proof_id.until
    refused("check_proof_age", proof, now_seconds=until.timestamp())
    assert check(proof, now_seconds=until.timestamp() - 1)


def test_check_proof_access_token() -> None:
    shown = {"method": "POST", "access_token": "token-1"}
    assert check(a_dpop_proof(access_token="token-1"), **shown)
    refused("check_proof_access_token", a_dpop_proof(), **shown)
    refused("check_proof_access_token", a_dpop_proof(access_token="token-2"), **shown)
    for odd in (7, "", "é", ["x"]):
        refused("check_proof_access_token", a_dpop_proof(ath=odd), **shown)
    assert check(a_dpop_proof(access_token="token-1"))  # for a token beside nothing: harmless


def test_check_proof_nonce() -> None:
    assert check(a_dpop_proof(nonce="n"), nonces={"n", "m"})
    assert check(a_dpop_proof(nonce="old"))  # not asked for
    for odd in (None, "x", 7):
        with pytest.raises(DpopNonceRequired, match="check_proof_nonce"):
            check(a_dpop_proof(nonce=odd), nonces={"n", "m"})
    refused("check_proof_address", a_dpop_proof(htu="https://x.example/"), nonces={"n"})


def test_a_list_for_a_nonce_is_none() -> None:
    with pytest.raises(DpopNonceRequired):
        check(a_dpop_proof(nonce=["n"]), nonces=frozenset({"n"}))


def test_the_key_may_say_its_algorithm() -> None:
    jwk = {**public_jwk(DPOP_KEY), "alg": "ES256", "kid": "1", "use": "sig"}
    assert check(a_dpop_proof(header={"jwk": jwk}))


def test_keys_of_other_curves_are_none_of_ours() -> None:
    other = ec.generate_private_key(ec.SECP256K1()).public_key().public_numbers()
    x, y = (encode(each.to_bytes(32)) for each in (other.x, other.y))
    jwk = {"kty": "EC", "crv": "secp256k1", "x": x, "y": y}
    refused("check_proof_key_public", a_dpop_proof(header={"jwk": jwk}))
