"""How what rests on disk is framed, keyed and sealed: the same few bytes for receipts and register.

Every keyed value names its purpose in a label and frames its parts by length, so that no two lists
of parts and no two purposes ever meet (`lp`). Sealing is AES-256-GCM with a format
byte in front; lengths are rounded up, because the length of a record tells how many schools a
pupil was at, or which attributes went out.
"""

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from broker.pseudonyms.derivation import lp

KEY_BYTES = 32
NONCE_BYTES = 12  # NIST SP 800-38D 5.2.1.1
PADDING_BYTES = 256
FORMAT_1 = b"\x01"

_SHA256 = SHA256()


class UnreadableRecord(Exception):  # noqa: N818 -- said of a record, like a refusal
    """What is stored does not open under this key: changed, of another person, or another format.

    Carries nothing of the record.
    """


class MacKey:
    """A key of HMAC-SHA-256, ready for use.

    What a login does with one of our own keys takes a fifth of `hmac.digest`, which takes in the
    key and looks the hash up by its name each time.

    >>> MacKey(b"key").mac(b"The quick brown fox jumps over the lazy dog").hex()[:16]
    'f7bc83f430538424'
    """

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        self._keyed = HMAC(key, _SHA256)

    def mac(self, message: bytes) -> bytes:
        """Return HMAC-SHA-256(key, message): 32 bytes."""
        keyed = self._keyed.copy()
        keyed.update(message)
        return keyed.finalize()


def mac(key: bytes | MacKey, label: bytes, *parts: bytes | str) -> bytes:
    """Return HMAC-SHA-256(key, label || lp(parts)): 32 bytes."""
    ready = key if isinstance(key, MacKey) else MacKey(key)
    return ready.mac(label + lp(*parts))


def derive_key(
    key: bytes, label: bytes, *parts: bytes | str, salt: bytes = b"", length: int = KEY_BYTES
) -> bytes:
    """Return HKDF-SHA-256 (RFC 5869) of `key`, info = label || lp(parts).

    Raises:
        ValueError: `key` is not 32 bytes.
    """
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key is {KEY_BYTES} bytes")
    return HKDF(_SHA256, length=length, salt=salt, info=label + lp(*parts)).derive(key)


def extract_key(key: bytes) -> MacKey:
    """Return HKDF-SHA-256's extract step of `key` without salt, for `expand_key`.

    >>> expand_key(extract_key(bytes(32)), b"x" + lp("y")) == derive_key(bytes(32), b"x", "y")
    True
    """
    return MacKey(HKDF.extract(_SHA256, salt=None, key_material=key))


def expand_key(extracted: MacKey, info: bytes) -> bytes:
    """Return HKDF-SHA-256's expand step: `derive_key` without its extract step.

    32 bytes are one block of SHA-256, so the expansion is one HMAC (RFC 5869 2.3).
    """
    return extracted.mac(info + b"\x01")


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
