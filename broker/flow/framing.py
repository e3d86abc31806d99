"""How what rests on disk is framed, keyed and sealed: the same few bytes for receipts and register.

Every keyed value names its purpose in a label and frames its parts by length, so that no two lists
of parts and no two purposes ever meet (`lp`). Sealing is AES-256-GCM with a format
byte in front; lengths are rounded up, because the length of a record tells how many schools a
pupil was at, or which attributes went out.
"""

import hmac

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from broker.pseudonyms.derivation import lp

KEY_BYTES = 32
NONCE_BYTES = 12  # NIST SP 800-38D 5.2.1.1
PADDING_BYTES = 256
FORMAT_1 = b"\x01"


class UnreadableRecord(Exception):  # noqa: N818 -- said of a record, like a refusal
    """What is stored does not open under this key: changed, of another person, or another format.

    Carries nothing of the record.
    """


def mac(key: bytes, label: bytes, *parts: bytes | str) -> bytes:
    """Return HMAC-SHA-256(key, label || lp(parts)): 32 bytes."""
    return hmac.digest(key, label + lp(*parts), "sha256")


def derive_key(
    key: bytes, label: bytes, *parts: bytes | str, salt: bytes = b"", length: int = KEY_BYTES
) -> bytes:
    """Return HKDF-SHA-256 (RFC 5869) of `key`, info = label || lp(parts).

    Raises:
        ValueError: `key` is not 32 bytes.
    """
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key is {KEY_BYTES} bytes")
    return HKDF(SHA256(), length=length, salt=salt, info=label + lp(*parts)).derive(key)


def seal(key: bytes, content: msgspec.Struct, *, nonce: bytes, bound_to: bytes) -> bytes:
    """Return format byte || nonce || AES-256-GCM of the content as JSON, padded with blanks.

    Args:
        nonce: 12 random bytes, never used twice with one key.
        bound_to: additional data; a record moved elsewhere does not open.
    """
    plain = msgspec.json.encode(content)
    padded = plain + b" " * (-len(plain) % PADDING_BYTES)
    return FORMAT_1 + nonce + AESGCM(key).encrypt(nonce, padded, FORMAT_1 + bound_to)


def unseal(key: bytes, sealed: bytes, *, bound_to: bytes) -> bytes:
    """Return the JSON that `seal` was given, blanks included.

    Raises:
        UnreadableRecord: wrong key, changed bytes, another place or format.
    """
    nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    if sealed[:1] == FORMAT_1 and len(nonce) == NONCE_BYTES:
        try:
            return AESGCM(key).decrypt(nonce, ciphertext, FORMAT_1 + bound_to)
        except InvalidTag:
            pass  # refused below, the same for every cause
    raise UnreadableRecord
