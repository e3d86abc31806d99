"""Open tokens that were encrypted with a key that both sides hold (RFC 7516 7.1).

One form only: `dir` with `A256GCM` (RFC 7518 4.5, 5.3). Who can make one holds the key, so it is
authenticated too; a forged one costs us less than a verified signature. Nothing is compressed, and
no key is derived from what the sender says.
"""

import base64
from collections.abc import Sequence

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from broker.jose.tokens import MAX_HEADER_CHARS, TokenRefused

MAX_ENCRYPTED_CHARS = 4096
KEY_BYTES = 32
_IV_BYTES = 12  # RFC 7518 5.3
_TAG_BYTES = 16
_PARTS = 5
_HEADER_NAMES = frozenset({"alg", "enc", "typ", "kid", "cty"})


def read_shared_key(text: str) -> bytes | None:
    """Return a key of 32 bytes that is written as base64url without padding; None when it is none.

    >>> read_shared_key("A" * 43) == bytes(32), read_shared_key("too short")
    (True, None)
    """
    try:
        octets = _decode(text)
    except ValueError:
        return None
    return octets if len(octets) == KEY_BYTES else None


def open_encrypted_token(token: str, *, keys: Sequence[bytes], typ: str) -> bytes:
    """Return what a compact token holds.

    Args:
        token: as received.
        keys: each of 32 bytes; the registered keys of the one party that may have made it.
        typ: that its header must state, so that it was made for this purpose (RFC 8725 3.11).

    Raises:
        TokenRefused: what is wrong; `check` names it.
    """
    parts = token.split(".")
    if len(token) > MAX_ENCRYPTED_CHARS or len(parts) != _PARTS or len(parts[0]) > MAX_HEADER_CHARS:
        raise TokenRefused("check_token_size")
    header, encrypted_key, iv, sealed, tag = parts
    _check_header(header, typ=typ)
    if encrypted_key:  # RFC 7516 5.2, step 10
        raise TokenRefused("check_token_header_known")
    try:
        nonce, octets, proof = _decode(iv), _decode(sealed), _decode(tag)
    except ValueError:
        raise TokenRefused("check_token_decrypted") from None
    if len(nonce) != _IV_BYTES or len(proof) != _TAG_BYTES:
        raise TokenRefused("check_token_decrypted")
    for key in keys:
        try:
            return AESGCM(key).decrypt(nonce, octets + proof, header.encode("ascii"))
        except InvalidTag:
            continue
    raise TokenRefused("check_token_decrypted")


def _check_header(encoded: str, *, typ: str) -> None:
    try:
        header = msgspec.json.decode(_decode(encoded), type=dict[str, str])
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        raise TokenRefused("check_token_header_readable") from None
    if header.keys() - _HEADER_NAMES:
        raise TokenRefused("check_token_header_known")
    if (header.get("alg"), header.get("enc")) != ("dir", "A256GCM"):
        raise TokenRefused("check_token_algorithm_allowed")
    if header.get("typ", "").lower().removeprefix("application/") != typ:
        raise TokenRefused("check_token_type")


def _decode(text: str) -> bytes:
    """Return what base64url without padding stands for; ValueError: it is none (RFC 7515 2)."""
    if "=" in text:
        raise ValueError("padded")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
