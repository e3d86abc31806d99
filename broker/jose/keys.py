"""Keys for signed tokens: what we accept from others, and what we sign with.

Keys are parsed once and kept as objects: parsing costs more than verifying.
"""

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey

SIGNATURE_ALGORITHMS: Mapping[str, tuple[str, str]] = {
    # JWA name -> (kty, crv): RFC 7518 3.1, RFC 8037 3.1, RFC 9864 2.2. No HMAC, no `none`, ever.
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "RS256": ("RSA", ""),
    "RS384": ("RSA", ""),
    "RS512": ("RSA", ""),
    "PS256": ("RSA", ""),
    "PS384": ("RSA", ""),
    "PS512": ("RSA", ""),
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}
"""Every algorithm that can be allowed at all, and the only kind of key that it works with."""

PSS_SALT_BYTES = 32  # RFC 7518 3.5: as long as the hash
P256_BYTES = 32  # of a number modulo the order of P-256
MIN_RSA_BITS = 2048  # RFC 7518 3.3
MAX_RSA_BITS = 8192  # a larger modulus makes a forged token dearer for us than for its sender
MAX_KEYS = 32  # of one party; a real set has two or three
MAX_KEY_SET_CHARS = 65536
KEY_SETS_KEPT = 2048  # every supplier's relying parties and every school's provider, with room

_PRIVATE_MEMBERS = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")


class KeySetUnusable(Exception):  # noqa: N818 -- worded by the caller, who knows whose keys it are
    """A JSON Web Key Set is not one, is too large, or holds a private key. Shows no content."""


class SigningKeyUnusable(Exception):  # noqa: N818 -- stops the start; the caller names the file
    """A private key is not of a kind that we sign with. Shows no content."""


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """One public key and the algorithms that it may verify."""

    kid: str | None
    algorithms: frozenset[str]
    key: Key = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeySet:
    """The public signature keys of one party. May be empty: then nothing verifies."""

    keys: tuple[VerificationKey, ...] = ()


@lru_cache(maxsize=KEY_SETS_KEPT)
def parse_key_set(jwks: str) -> KeySet:
    """Parse a JSON Web Key Set (RFC 7517 5); the result is kept, for the text is the key set.

    Keys that we cannot use (other type or curve, encryption, RSA below 2048 bits) are left out, as
    the RFC asks, so that one odd key does not shut a school out.

    Args:
        jwks: JSON text.

    Raises:
        KeySetUnusable: no JSON Web Key Set, over the caps, or with a private or symmetric key.

    >>> parse_key_set('{"keys": []}').keys
    ()
    """
    if len(jwks) > MAX_KEY_SET_CHARS:
        raise KeySetUnusable("too long")
    try:
        document = msgspec.json.decode(jwks)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        raise KeySetUnusable("no JSON") from None
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list) or not all(isinstance(each, dict) for each in members):
        raise KeySetUnusable("no list of keys")
    if len(members) > MAX_KEYS:
        raise KeySetUnusable("too many keys")
    if any(map(holds_private_part, members)):
        raise KeySetUnusable("holds a private key")
    found = (read_public_key(each) for each in members)
    return KeySet(tuple(each for each in found if each is not None))


def holds_private_part(jwk: Mapping[str, object]) -> bool:
    """Tell whether a key is private or symmetric: such a one is no public key with too much in it.

    >>> holds_private_part({"kty": "oct", "k": "AA"}), holds_private_part({"kty": "EC", "x": "AA"})
    (True, False)
    """
    return not jwk.keys().isdisjoint(_PRIVATE_MEMBERS)


def read_public_key(jwk: Mapping[str, object]) -> VerificationKey | None:
    """Return a JSON Web Key that can verify a signature; None when it is none that we can use."""
    kty, curve, only = jwk.get("kty"), jwk.get("crv", ""), jwk.get("alg")
    algorithms = frozenset(
        name
        for name, kind in SIGNATURE_ALGORITHMS.items()
        if kind == (kty, curve if kty != "RSA" else "") and only in (None, name)
    )
    if not algorithms or jwk.get("use", "sig") != "sig" or not _is_fit_for_use(jwk):
        return None
    # Only the members that make the key: nothing else of a foreign document reaches the library.
    plain = {each: jwk[each] for each in ("kty", "crv", "x", "y", "n", "e") if each in jwk}
    try:
        key = JWKRegistry.import_key(plain)  # type: ignore[arg-type]
        key.get_op_key("verify")  # curve points are checked when the key is made
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    kid = jwk.get("kid")
    return VerificationKey(kid if isinstance(kid, str) else None, algorithms, key)


def thumbprint_of_key(public_key: object) -> str | None:
    """Return the thumbprint (RFC 7638) of a public key, None for a kind that signs no token."""
    if isinstance(public_key, EllipticCurvePublicKey):
        return ECKey.import_key(public_key).thumbprint()
    if isinstance(public_key, RSAPublicKey):
        return RSAKey.import_key(public_key).thumbprint()
    if isinstance(public_key, Ed25519PublicKey):
        return OKPKey.import_key(public_key).thumbprint()
    return None


def _is_fit_for_use(jwk: Mapping[str, object]) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return False
    return jwk["kty"] != "RSA" or MIN_RSA_BITS <= _modulus_bits(jwk.get("n")) <= MAX_RSA_BITS


def _modulus_bits(modulus: object) -> int:
    if not isinstance(modulus, str):
        return 0
    try:
        raw = base64.urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4))
    except ValueError:
        return 0
    return int.from_bytes(raw).bit_length()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with the one algorithm that it signs with.

    Attributes:
        kid: the key's thumbprint (RFC 7638), so that equal keys have equal names everywhere.
        algorithm: JWA name.
        public_jwk: as published: `kty`, `kid`, `alg`, `use` and the public members.
        sign: returns the signature over some bytes, as the algorithm writes it (RFC 7518 3).
    """

    kid: str
    algorithm: str
    public_jwk: Mapping[str, object] = field(repr=False)
    key: ECKey | OKPKey | RSAKey = field(repr=False)
    sign: Callable[[bytes], bytes] = field(repr=False)


def read_signing_key(pem: bytes) -> SigningKey:
    """Return the signing key in a PEM file; as `signing_key_of`.

    Raises:
        SigningKeyUnusable: unreadable or encrypted, or as `signing_key_of`.
    """
    try:
        private_key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as fault:
        raise SigningKeyUnusable("no readable private key in PEM") from fault
    return signing_key_of(private_key)


def signing_key_of(private_key: object, *, rsa_algorithm: str = "RS256") -> SigningKey:
    """Return the signing key in a private key: P-256 signs ES256, Ed25519 signs EdDSA.

    Args:
        rsa_algorithm: RS256 or PS256: an RSA key could sign either, and a key signs one alone.

    Raises:
        SigningKeyUnusable: another kind or curve, or RSA outside 2048-8192 bits.
    """
    key: ECKey | OKPKey | RSAKey
    sign: Callable[[bytes], bytes]
    if isinstance(private_key, EllipticCurvePrivateKey) and private_key.curve.name == "secp256r1":
        key, algorithm = ECKey.import_key(private_key), "ES256"
        sign = partial(_sign_es256, private_key)
    elif isinstance(private_key, Ed25519PrivateKey):
        key, algorithm = OKPKey.import_key(private_key), "EdDSA"
        sign = private_key.sign
    elif (
        isinstance(private_key, RSAPrivateKey)
        and MIN_RSA_BITS <= private_key.key_size <= MAX_RSA_BITS
    ):
        key, algorithm = RSAKey.import_key(private_key), rsa_algorithm
        sign = partial(_RSA_SIGNATURES[rsa_algorithm], private_key)
    else:
        raise SigningKeyUnusable("neither P-256 nor Ed25519 nor RSA of 2048 to 8192 bits")
    kid = key.thumbprint()
    public = {**key.as_dict(private=False), "kid": kid, "alg": algorithm, "use": "sig"}
    return SigningKey(kid, algorithm, public, key, sign)


def _sign_es256(key: EllipticCurvePrivateKey, octets: bytes) -> bytes:
    """RFC 7518 3.4: the two numbers, 32 bytes each."""
    r, s = decode_dss_signature(key.sign(octets, ECDSA(SHA256())))
    return r.to_bytes(P256_BYTES) + s.to_bytes(P256_BYTES)


def _sign_rs256(key: RSAPrivateKey, octets: bytes) -> bytes:
    """RFC 7518 3.3: RSASSA-PKCS1-v1_5."""
    return key.sign(octets, PKCS1v15(), SHA256())


def _sign_ps256(key: RSAPrivateKey, octets: bytes) -> bytes:
    """RFC 7518 3.5: RSASSA-PSS."""
    return key.sign(octets, PSS(MGF1(SHA256()), PSS_SALT_BYTES), SHA256())


_RSA_SIGNATURES: Mapping[str, Callable[[RSAPrivateKey, bytes], bytes]] = {
    "RS256": _sign_rs256,
    "PS256": _sign_ps256,
}


def key_set_of(keys: Iterable[SigningKey]) -> KeySet:
    """Return the public half of our own keys, to verify what we signed ourselves.

    >>> key_set_of(())
    KeySet(keys=())
    """
    return KeySet(
        tuple(VerificationKey(each.kid, frozenset({each.algorithm}), each.key) for each in keys)
    )
