"""Tokens that bring the key they are signed with: proofs of possession (RFC 9449 4.2).

Such a token says nothing of who its sender is, only that the sender has that key. The key is read
as strictly as a registered one: public, asymmetric, within our bounds. Everything but the key and
the signature is the caller's business.
"""

import base64
import re
from collections.abc import Collection
from dataclasses import dataclass, field

import msgspec
from joserfc.jws import JWSRegistry

from broker.jose.keys import VerificationKey, holds_private_part, read_public_key
from broker.jose.tokens import SignedClaims, TokenRefused

MAX_PROOF_CHARS = 6144  # an RSA key of 4096 bits, its signature and claims need some 3000
MAX_KEY_MEMBERS = 16
MAX_MODULUS_CHARS = 683  # 4096 bits: whoever sends a larger key lets us do the work
MAX_EXPONENT_CHARS = 11  # 64 bits, likewise

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\Z")  # RFC 7515 7.1
_REFUSED_HEADERS = frozenset({"crit", "b64", "jku", "x5u", "x5c", "enc", "zip"})
"""They change the meaning of the token, or name another key than the embedded one."""


@dataclass(frozen=True, slots=True)
class KeyProof:
    """A token that was verified with the key that it brought. Made by `verify_key_proof` only.

    Attributes:
        thumbprint: of that key: RFC 7638, SHA-256, base64url.
    """

    signed: SignedClaims
    thumbprint: str = field(repr=False)


def verify_key_proof(token: str, *, algorithms: Collection[str]) -> KeyProof:
    """Verify a compact token with the public key in its own header.

    Args:
        token: as received.
        algorithms: JWA names allowed; all of them asymmetric.

    Raises:
        TokenRefused: `check` says what is wrong.
    """
    parts = _COMPACT.match(token) if len(token) <= MAX_PROOF_CHARS else None
    if parts is None:
        raise TokenRefused("check_proof_readable")
    header = _read_object(parts[1])
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise TokenRefused("check_proof_algorithm")
    if header.keys() & _REFUSED_HEADERS:
        raise TokenRefused("check_proof_header_known")
    found = _read_key(header.get("jwk"), algorithm)
    signed_octets = token.rpartition(".")[0].encode("ascii")
    verifier = JWSRegistry.algorithms[algorithm]
    try:
        verified = verifier.verify(signed_octets, _decode(parts[3]), found.key)
    except ValueError:  # a signature of no possible length
        verified = False
    if not verified:
        raise TokenRefused("check_proof_signature")
    typ = header.get("typ")
    named = typ.lower().removeprefix("application/") if isinstance(typ, str) else ""
    claims = SignedClaims(named, algorithm, _read_object(parts[2]))
    return KeyProof(claims, found.key.thumbprint())


def _decode(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def _read_object(segment: str) -> dict[str, object]:
    try:
        return msgspec.json.decode(_decode(segment), type=dict[str, object])
    except (ValueError, RecursionError):  # binascii's and msgspec's errors are ValueErrors
        pass  # outside the handler: a decoder's error may quote what was sent
    raise TokenRefused("check_proof_readable")


def _read_key(jwk: object, algorithm: str) -> VerificationKey:
    """RFC 9449 4.2: public. A private key that was sent is no secret any more, and never used."""
    if not isinstance(jwk, dict) or len(jwk) > MAX_KEY_MEMBERS or holds_private_part(jwk):
        raise TokenRefused("check_proof_key_public")
    is_large = any(
        isinstance(jwk.get(name), str) and len(jwk[name]) > most
        for name, most in (("n", MAX_MODULUS_CHARS), ("e", MAX_EXPONENT_CHARS))
    )
    found = None if is_large else read_public_key(jwk)
    if found is None or algorithm not in found.algorithms:
        raise TokenRefused("check_proof_key_public")
    return found
