"""Who signed: the allow-list of algorithms, the refused headers, the choice of the key."""

import base64
import json
from collections.abc import Mapping

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from joserfc import jwt
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from broker.jose.keys import (
    MAX_KEY_SET_CHARS,
    MAX_KEYS,
    SIGNATURE_ALGORITHMS,
    KeySet,
    KeySetUnusable,
    SigningKey,
    SigningKeyUnusable,
    key_set_of,
    parse_key_set,
    read_signing_key,
    signing_key_of,
)
from broker.jose.tokens import (
    MAX_HEADER_CHARS,
    MAX_TOKEN_CHARS,
    TokenKeyUnknown,
    TokenRefused,
    sign_token,
    verify_token,
)

EC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)
ED = ed25519.Ed25519PrivateKey.generate()


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes = b"") -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


EC_SIGNING = read_signing_key(pem(EC))
RSA_SIGNING = read_signing_key(pem(RSA))
KEYS = key_set_of([EC_SIGNING, RSA_SIGNING])
EC_JWK = dict(EC_SIGNING.public_jwk)
RSA_JWK = dict(RSA_SIGNING.public_jwk)
ED_JWK = OKPKey.import_key(ED.public_key()).as_dict(private=False)
ALL = tuple(SIGNATURE_ALGORITHMS)


def key_set(*keys: Mapping[str, object]) -> KeySet:
    return parse_key_set(json.dumps({"keys": keys}))


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token_by_hand(
    header: object, payload: bytes = b'{"sub":"s"}', *, signer: ec.EllipticCurvePrivateKey = EC
) -> str:
    """A token with any header, validly signed by ES256 (so that only the header can be refused)."""
    signed = f"{b64(json.dumps(header).encode())}.{b64(payload)}"
    der = signer.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
    r, s = ec_parts(der)
    return f"{signed}.{b64(r + s)}"


def ec_parts(der: bytes) -> tuple[bytes, bytes]:
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    r, s = decode_dss_signature(der)
    return r.to_bytes(32), s.to_bytes(32)


def header(**changes: object) -> dict[str, object]:
    return {"alg": "ES256", "kid": EC_SIGNING.kid, **changes}


@pytest.mark.parametrize("key", [EC_SIGNING, RSA_SIGNING])
def test_what_we_sign_verifies(key) -> None:
    token = sign_token({"sub": "s", "n": 1}, key=key, typ="application/Logout+JWT")
    signed = verify_token(token, keys=KEYS, algorithms=[key.algorithm])
    assert (signed.claims, signed.algorithm, signed.typ) == (
        {"sub": "s", "n": 1},
        key.algorithm,
        "logout+jwt",
    )
    assert "sub" not in repr(signed)
    assert key.kid in repr(key)


def test_a_header_of_our_own_making_verifies() -> None:
    signed = verify_token(token_by_hand(header()), keys=KEYS, algorithms=["ES256"])
    assert signed.claims == {"sub": "s"}
    assert signed.typ == ""


@pytest.mark.parametrize("name", ["EdDSA", "Ed25519"])
def test_both_names_of_edwards_signatures_verify(name: str) -> None:
    signed = f"{b64(json.dumps({'alg': name}).encode())}.{b64(b'{}')}"
    token = f"{signed}.{b64(ED.sign(signed.encode()))}"
    assert verify_token(token, keys=key_set(ED_JWK), algorithms=[name]).claims == {}


def test_pss_verifies_with_an_rsa_key_without_alg() -> None:
    signed = f"{b64(json.dumps({'alg': 'PS256'}).encode())}.{b64(b'{}')}"
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    token = f"{signed}.{b64(RSA.sign(signed.encode(), pss, hashes.SHA256()))}"
    free = {each: RSA_JWK[each] for each in ("kty", "n", "e")}
    assert verify_token(token, keys=key_set(free), algorithms=ALL).algorithm == "PS256"
    with pytest.raises(TokenKeyUnknown):  # RSA_JWK is for RS256 by its own `alg`
        verify_token(token, keys=key_set(RSA_JWK), algorithms=ALL)


@pytest.mark.parametrize("alg", ["none", "None", "HS256", "RS256", "ES512", ""])
def test_check_token_algorithm_allowed(alg: str) -> None:
    with pytest.raises(TokenRefused, match="check_token_algorithm_allowed"):
        verify_token(token_by_hand(header(alg=alg)), keys=KEYS, algorithms=["ES256", "none"])


def test_an_empty_allow_list_allows_nothing() -> None:
    with pytest.raises(TokenRefused, match="check_token_algorithm_allowed"):
        verify_token(token_by_hand(header()), keys=KEYS, algorithms=())


@pytest.mark.parametrize(
    "extra",
    [
        {"jwk": EC_JWK},
        {"jku": "https://evil.test/jwks"},
        {"x5u": "https://evil.test/cert"},
        {"x5c": ["MII"]},
        {"crit": ["exp"]},
        {"b64": False},
        {"kid": 1},
        {"kid": None},
        {"typ": ["JWT"]},
        {"nonce": "x"},
    ],
)
def test_check_token_header_known(extra: dict[str, object]) -> None:
    with pytest.raises(TokenRefused, match="check_token_header_known"):
        verify_token(token_by_hand(header(**extra)), keys=KEYS, algorithms=["ES256"])


@pytest.mark.parametrize(
    "bad",
    [
        "!.e30.x",
        f"{b64(b'[1]')}.e30.x",
        f"{b64(b'{')}.e30.x",
        f"{b64(b'{}')}.e30.x",
        f"{b64(b'[' * 300)}.e30.x",
        "é.e30.x",
        "e.e30.x",
    ],
)
def test_check_token_header_readable(bad: str) -> None:
    with pytest.raises(TokenRefused, match="check_token_header_readable"):
        verify_token(bad, keys=KEYS, algorithms=ALL)


@pytest.mark.parametrize("bad", ["", "e30", "a" * MAX_HEADER_CHARS + "a.b.c", "a." + "b" * 20000])
def test_check_token_size(bad: str) -> None:
    assert len("a." + "b" * 20000) > MAX_TOKEN_CHARS
    with pytest.raises(TokenRefused, match="check_token_size"):
        verify_token(bad, keys=KEYS, algorithms=ALL)


@pytest.mark.parametrize("payload", [b"[]", b"1", b"{", b"\xff", b"", b'{"exp":NaN}', b"[" * 5000])
def test_check_token_claims_readable(payload: bytes) -> None:
    with pytest.raises(TokenRefused, match="check_token_claims_readable"):
        verify_token(token_by_hand(header(), payload), keys=KEYS, algorithms=["ES256"])


def test_check_token_key_known() -> None:
    for keys in (KeySet(), key_set(RSA_JWK), key_set({**EC_JWK, "kid": "other"})):
        with pytest.raises(TokenKeyUnknown, match="check_token_key_known"):
            verify_token(token_by_hand(header()), keys=keys, algorithms=["ES256"])


def test_without_a_key_name_every_fitting_key_is_tried() -> None:
    others = [
        dict(ECKey.generate_key("P-256").as_dict(private=False), kid=str(each)) for each in (1, 2)
    ]
    token = token_by_hand({"alg": "ES256"})
    keys = key_set(*others, RSA_JWK, EC_JWK)
    assert verify_token(token, keys=keys, algorithms=["ES256"]).claims == {"sub": "s"}


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t[:-4] + "AAAA",
        lambda t: t.rpartition(".")[0] + ".",
        lambda t: t.rpartition(".")[0],
        lambda t: t + ".x",
        lambda t: t.rpartition(".")[0] + ".====",
        lambda t: t.rpartition(".")[0] + ".é",
    ],
)
def test_check_token_signature(change) -> None:
    with pytest.raises(TokenRefused, match="check_token_signature"):
        verify_token(change(token_by_hand(header())), keys=KEYS, algorithms=["ES256"])


def test_another_key_under_the_same_name_is_refused() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(TokenRefused, match="check_token_signature"):
        verify_token(token_by_hand(header(), signer=other), keys=KEYS, algorithms=["ES256"])


# Key sets ---------------------------------------------------------------------------------------


def weak_rsa() -> dict[str, object]:
    n = rsa.generate_private_key(65537, 1024).public_key().public_numbers().n
    return {"kty": "RSA", "n": b64(n.to_bytes(128)), "e": "AQAB"}


def x25519_jwk() -> dict[str, object]:
    return dict(OKPKey.import_key(x25519.X25519PrivateKey.generate().public_key()).as_dict())


@pytest.mark.parametrize(
    "odd",
    [
        weak_rsa(),
        x25519_jwk(),
        {**EC_JWK, "use": "enc"},
        {**EC_JWK, "key_ops": ["encrypt"]},
        {**EC_JWK, "key_ops": "verify"},
        {**EC_JWK, "crv": "secp256k1"},
        {**EC_JWK, "crv": ["P-256"]},
        {**EC_JWK, "kty": ["EC"]},
        {**EC_JWK, "x": b64(b"\1" * 32)},
        {**EC_JWK, "x": 1},
        {"kty": "EC", "crv": "P-256"},
        {"kty": "RSA", "n": 1, "e": "AQAB"},
        {"kty": "RSA", "n": "é", "e": "AQAB"},
        {"kty": "RSA", "n": "a", "e": "AQAB"},
        {**RSA_JWK, "e": "AA"},
        {**RSA_JWK, "alg": "HS256"},
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "x"},
        {},
    ],
)
def test_a_key_that_we_cannot_use_is_left_out(odd: dict[str, object]) -> None:
    assert [each.kid for each in key_set(odd, EC_JWK).keys] == [EC_SIGNING.kid]


def test_keys_without_name_or_with_an_odd_one_are_kept() -> None:
    nameless = {name: each for name, each in EC_JWK.items() if name != "kid"}
    assert [each.kid for each in key_set(nameless, {**EC_JWK, "kid": 1}).keys] == [None, None]
    assert key_set({**EC_JWK, "key_ops": ["verify"]}).keys


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "[]",
        "{}",
        '{"keys": {}}',
        '{"keys": [1]}',
        "[" * 5000,
        " " * (MAX_KEY_SET_CHARS + 1),
        json.dumps({"keys": [EC_JWK] * (MAX_KEYS + 1)}),
        json.dumps({"keys": [ECKey.generate_key("P-256").as_dict(private=True)]}),
        json.dumps({"keys": [{"kty": "oct", "k": "AAAA"}]}),
    ],
)
def test_what_is_no_set_of_public_keys_is_refused(bad: str) -> None:
    with pytest.raises(KeySetUnusable):
        parse_key_set(bad)


def test_a_key_set_is_parsed_once() -> None:
    text = json.dumps({"keys": [EC_JWK]})
    assert parse_key_set(text) is parse_key_set(str(text.encode(), "utf-8"))


# Our own keys -----------------------------------------------------------------------------------


def test_a_signing_key_is_published_without_its_private_half() -> None:
    for key, kty in ((EC_SIGNING, "EC"), (RSA_SIGNING, "RSA")):
        assert key.public_jwk["kty"] == kty
        assert key.public_jwk["kid"] == key.kid
        assert key.public_jwk["use"] == "sig"
        assert not key.public_jwk.keys() & {"d", "p", "q", "dp", "dq", "qi"}
        assert key_set(key.public_jwk).keys[0].algorithms == {key.algorithm}
    assert RSA_SIGNING.kid == RSAKey.import_key(RSA.public_key()).thumbprint()
    assert read_signing_key(pem(EC)).kid == EC_SIGNING.kid
    assert msgspec.json.encode(EC_SIGNING.public_jwk)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # RFC 9864; suppliers ask for it so
@pytest.mark.parametrize(
    "key", [signing_key_of(ED), signing_key_of(RSA, rsa_algorithm="PS256")], ids=["EdDSA", "PS256"]
)
def test_more_algorithms_are_verified_by_the_library_and_by_us(key: SigningKey) -> None:
    token = sign_token({"sub": "s"}, key=key)
    public = JWKRegistry.import_key(dict(key.public_jwk))  # type: ignore[arg-type]
    assert jwt.decode(token, public, algorithms=[key.algorithm]).claims == {"sub": "s"}
    keys = key_set(key.public_jwk)
    assert verify_token(token, keys=keys, algorithms=(key.algorithm,)).claims == {"sub": "s"}
    with pytest.raises(TokenRefused, match="check_token_algorithm_allowed"):
        verify_token(token, keys=keys, algorithms=("RS256", "ES256"))


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----",
        pem(EC, password=b"x"),
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(rsa.generate_private_key(65537, 1024)),
        ed448.Ed448PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ),
    ],
)
def test_a_key_that_we_do_not_sign_with_is_refused(bad: bytes) -> None:
    with pytest.raises(SigningKeyUnusable):
        read_signing_key(bad)
