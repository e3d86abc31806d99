"""Sign and verify JSON Web Tokens in compact form (RFC 7515 7.1, RFC 7519, RFC 8725).

`verify_token` proves who signed and returns `SignedClaims`; what the claims must say is each
protocol's own business. Before the library sees a token, its header is read strictly: algorithm
from the caller's allow-list, key from the caller's key set, never from the token.
"""

import base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from broker.jose.keys import SIGNATURE_ALGORITHMS, KeySet, SigningKey, VerificationKey

MAX_TOKEN_CHARS = 16384
MAX_HEADER_CHARS = 512  # joserfc's own cap
MAX_KEYS_TRIED = 4  # when a token names no key; each try costs a verification

_ALLOWED_HEADERS = frozenset({"alg", "kid", "typ", "cty", "x5t", "x5t#S256"})
"""With `jwk`, `jku`, `x5u`, `x5c` the sender would choose the key; `crit`, `b64` change meaning."""


class TokenRefused(Exception):  # noqa: N818 -- worded by the caller, who knows whose token it is
    """A token does not prove who signed it. Args: the name of the check; no content."""

    def __init__(self, check: str) -> None:
        super().__init__(check)
        self.check = check


class TokenKeyUnknown(TokenRefused):
    """The token names a key that is not in the set: it may have been published since."""


@dataclass(frozen=True, slots=True)
class SignedClaims:
    """Claims whose signature was verified. Made by `verify_token` only.

    Attributes:
        typ: the header's `typ`, lower case, without `application/`; "" when absent.
        algorithm: JWA name of the signature.
    """

    typ: str
    algorithm: str
    claims: Mapping[str, object] = field(repr=False)


class _AllowList(JWSRegistry):
    """joserfc's registry, which by itself falls back to its own list when given an empty one."""

    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]  # `verify_token` and `sign_token` decided already


_REGISTRY = _AllowList()


def sign_token(claims: Mapping[str, object], *, key: SigningKey, typ: str = "JWT") -> str:
    """Return the claims as a token signed by `key`, with its `kid` in the header."""
    header = {"alg": key.algorithm, "kid": key.kid, "typ": typ}
    signed = _encode(msgspec.json.encode(header)) + b"." + _encode(msgspec.json.encode(claims))
    return (signed + b"." + _encode(key.sign(signed))).decode("ascii")


def _encode(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def verify_token(token: str, *, keys: KeySet, algorithms: Collection[str]) -> SignedClaims:
    """Verify a compact token with a key of the set and an algorithm of the list.

    Args:
        token: as received.
        keys: the registered keys of the one party that may have signed.
        algorithms: JWA names allowed for it; what is not in `SIGNATURE_ALGORITHMS` never counts.

    Raises:
        TokenKeyUnknown: no key of that name.
        TokenRefused: anything else that is wrong; `check` names it.
    """
    header = _read_header(token)
    algorithm = header["alg"]
    if algorithm not in SIGNATURE_ALGORITHMS or algorithm not in algorithms:
        raise TokenRefused("check_token_algorithm_allowed")
    if header.keys() - _ALLOWED_HEADERS:
        raise TokenRefused("check_token_header_known")
    payload = _verify(token, _candidates(header, algorithm, keys))
    try:
        claims = msgspec.json.decode(payload)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        raise TokenRefused("check_token_claims_readable") from None
    if not isinstance(claims, dict):
        raise TokenRefused("check_token_claims_readable")
    typ = header.get("typ", "").lower().removeprefix("application/")
    return SignedClaims(typ, algorithm, claims)


def read_unverified_algorithm(token: str) -> str:
    """Return what a token's header says of its algorithm, to word a refusal; "" when unreadable."""
    try:
        return _read_header(token)["alg"]
    except TokenRefused:
        return ""


def _read_header(token: str) -> dict[str, str]:
    """Return the header, all of whose members that we allow are texts."""
    segment, dot, _ = token.partition(".")
    if len(token) > MAX_TOKEN_CHARS or not dot or len(segment) > MAX_HEADER_CHARS:
        raise TokenRefused("check_token_size")
    try:
        raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        header = msgspec.json.decode(raw, type=dict[str, object])
    except (ValueError, RecursionError):  # binascii's and msgspec's errors are ValueErrors
        raise TokenRefused("check_token_header_readable") from None
    texts = {name: each for name, each in header.items() if isinstance(each, str)}
    if "alg" not in texts:
        raise TokenRefused("check_token_header_readable")
    if texts.keys() != header.keys():
        raise TokenRefused("check_token_header_known")
    return texts


def _candidates(header: Mapping[str, str], algorithm: str, keys: KeySet) -> list[VerificationKey]:
    """RFC 7515 4.1.4: the key that is named; when none is, those that fit the algorithm."""
    fitting = [each for each in keys.keys if algorithm in each.algorithms]
    if "kid" in header:
        fitting = [each for each in fitting if each.kid == header["kid"]]
    if not fitting:
        raise TokenKeyUnknown("check_token_key_known")
    return fitting[:MAX_KEYS_TRIED]


def _verify(token: str, candidates: list[VerificationKey]) -> bytes:
    for each in candidates:
        try:
            return jws.deserialize_compact(token, each.key, registry=_REGISTRY).payload
        except (JoseError, ValueError):
            continue
    raise TokenRefused("check_token_signature")
