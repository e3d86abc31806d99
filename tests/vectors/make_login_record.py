"""Writes login-record.json: what login records, claims and child handles are, byte by byte.

Made from the formulas in `broker/flow/held_state/sealed_state.py` with the standard library and one
cipher, and not with the code it checks. A change of this file's output ends every login that is in
flight during an upgrade: that is a decision, not a fix. Run: python -m
tests.vectors.make_login_record
"""

import base64
import hashlib
import hmac
import json
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

STORAGE_KEY = bytes(range(32))
HANDLE = bytes(range(100, 132))
NONCE = bytes(range(200, 212))
ISSUER = "https://broker.example"
TYPE, VERSION = "test-record", 1
CONTENT = {"name": "Zoë", "count": 3}
PADDED_LENGTH = 256


def lp(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def hkdf(key: bytes, info: bytes) -> bytes:
    """RFC 5869 with SHA-256 and empty salt, one block."""
    extracted = hmac.digest(bytes(32), key, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def login_record() -> dict[str, object]:
    type_name, issuer = TYPE.encode(), ISSUER.encode()
    locator = hmac.digest(
        STORAGE_KEY, b"schuilnaam/record/v1" + lp(type_name, issuer, HANDLE), "sha256"
    )
    key = hkdf(STORAGE_KEY, b"schuilnaam/seal/v1" + lp(type_name, HANDLE))
    plain = json.dumps(CONTENT, ensure_ascii=False, separators=(",", ":")).encode()
    additional = b"\x01" + lp(type_name, VERSION.to_bytes(2, "big"), locator)
    sealed = b"\x01" + NONCE + AESGCM(key).encrypt(NONCE, plain.ljust(PADDED_LENGTH), additional)
    value = hashlib.sha256(b"_assertion-1").digest()
    claim = hmac.digest(
        STORAGE_KEY,
        b"schuilnaam/one-shot/v1" + lp(b"assertion-id", b"https://school.example", value),
        "sha256",
    )
    child = hkdf(STORAGE_KEY, b"schuilnaam/child-handle/v1" + lp(b"access-token", HANDLE))
    return {
        "storage_key": STORAGE_KEY.hex(),
        "issuer": ISSUER,
        "handle": HANDLE.hex(),
        "nonce": NONCE.hex(),
        "type": TYPE,
        "version": VERSION,
        "content": CONTENT,
        "locator": locator.hex(),
        "sealed": sealed.hex(),
        "claim": {
            "type": "assertion-id",
            "issuer": "https://school.example",
            "value": "_assertion-1",
            "locator": claim.hex(),
        },
        # What the browser or relying party holds: the storage key's letter behind the handle, from
        # the second key of an installation on. Records do not hold it: their bytes are the same.
        "texts": {letter: base64url(HANDLE) + letter for letter in ("", "b")},
        "child": {"label": "access-token", "handle": child.hex()},
    }


if __name__ == "__main__":
    text = json.dumps(login_record(), indent=2, ensure_ascii=False) + "\n"
    Path(__file__).with_name("login-record.json").write_text(text, encoding="utf-8")
