"""Writes receipts.json and register.json: what rests on disk about persons, byte by byte.

Made from the formulas in `receipts.py` and `receipt_chain.py` of `broker/flow/receipts/` and in
`broker/flow/persons/register.py` with the standard library, one cipher and one signature, and not
with the code it checks. A change of this file's output makes receipts and rows unreadable: that is
a decision, not a fix. Run: python -m tests.vectors.make_at_rest
"""

import base64
import hashlib
import hmac
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

RECEIPT_KEY = bytes(range(32))
REGISTER_KEY = bytes(range(32, 64))
ROOT = bytes(range(64, 96))
OTHER_ROOT = bytes(range(96, 128))
SALT = bytes(range(16))
NONCE = bytes(range(200, 212))
WRITER = bytes(range(16, 32))
SCHOOL, SUPPLIER, WEEK, SCHOOL_YEAR = "vuurvogel", "rekenrijk", 202637, 2026
RECEIPT = {
    "school": SCHOOL,
    "supplier": SUPPLIER,
    "relying_party": "rekenrijk-web",
    "agreement_version": 3,
    "epoch": "a",
    "at": 1788768000,
    "released": ["givenName"],
    "withheld": [{"name": "sn", "reason": "not-approved"}],
}
RECORD = {
    "population": "pupil",
    "account": base64.b64encode(ROOT).decode(),
    "salt": base64.b64encode(SALT).decode(),
    "seen": {SCHOOL: {"account": base64.b64encode(OTHER_ROOT).decode(), "aliases": []}},
    "school_year": SCHOOL_YEAR,
    "bound_to": None,
    "join": {
        "school": SCHOOL,
        "account": base64.b64encode(OTHER_ROOT).decode(),
        "first_day": "2026-09-07",
        "last_day": "2026-09-08",
        "login_days": 2,
        "mature": False,
    },
    "former": [],
    "notices": {f"{SCHOOL}/{SUPPLIER}": 3},
}

NEWER_RECORD = {
    "population": "pupil",
    "account": RECORD["account"],
    "salt": RECORD["salt"],
    "seen": {
        SCHOOL: {
            "account": RECORD["account"],
            "since_year": SCHOOL_YEAR,
            "last_year": SCHOOL_YEAR,
            "held_since": "2026-09-07",
            "confirmed": True,
        }
    },
    "school_year": SCHOOL_YEAR,
    "suppliers": {
        SUPPLIER: {
            "epoch": "a",
            "school": SCHOOL,
            "previous": base64.b64encode(OTHER_ROOT).decode(),
            "until": "2027-09-07",
        }
    },
    "held_by": base64.b64encode(OTHER_ROOT).decode(),
    "protected": True,
}
"""With what came later; since then a default is left out."""

AFTER_ERASURE = {
    "population": "pupil",
    "account": base64.b64encode(OTHER_ROOT).decode(),
    "salt": RECORD["salt"],
    "seen": {SCHOOL: {"account": base64.b64encode(OTHER_ROOT).decode()}},
    "school_year": SCHOOL_YEAR,
    "own": base64.b64encode(OTHER_ROOT).decode(),
}


def lp(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def mac(key: bytes, label: str, *parts: bytes) -> bytes:
    return hmac.digest(key, label.encode() + lp(*parts), "sha256")


def hkdf(key: bytes, label: str, *parts: bytes, salt: bytes = bytes(32), length: int = 32) -> bytes:
    """RFC 5869 with SHA-256, at most two blocks."""
    extracted = hmac.digest(salt, key, "sha256")
    info = label.encode() + lp(*parts)
    first = hmac.digest(extracted, info + b"\x01", "sha256")
    second = hmac.digest(extracted, first + info + b"\x02", "sha256")
    return (first + second)[:length]


def seal(key: bytes, content: object, bound_to: bytes) -> bytes:
    plain = json.dumps(content, separators=(",", ":")).encode()
    padded = plain.ljust(-(-len(plain) // 256) * 256)
    return b"\x01" + NONCE + AESGCM(key).encrypt(NONCE, padded, b"\x01" + bound_to)


def receipts() -> dict[str, object]:
    both = hkdf(RECEIPT_KEY, "schuilnaam/receipt/v1", ROOT, SCHOOL.encode(), salt=SALT, length=64)
    week = WEEK.to_bytes(4, "big")
    locator = mac(both[32:], "schuilnaam/receipt-locator/v1", week, SUPPLIER.encode())
    ciphertext = seal(both[:32], RECEIPT, lp(locator, SCHOOL.encode(), week))
    one = (1).to_bytes(8, "big")
    line = lp(WRITER, one, locator, ciphertext, SCHOOL.encode(), week)
    leaf = hashlib.sha256(b"\x00schuilnaam/receipt-line/v1" + line).digest()
    link_key = hkdf(RECEIPT_KEY, "schuilnaam/receipt-chain-key/v1")
    first_link = mac(link_key, "schuilnaam/receipt-chain/v1", WRITER)
    link = mac(link_key, "schuilnaam/receipt-link/v1", first_link, leaf)
    tip_key = hkdf(RECEIPT_KEY, "schuilnaam/receipt-tip-key/v1")
    tip = mac(tip_key, "schuilnaam/receipt-tip/v1", WRITER, one, link, bytes(8))
    head_key = Ed25519PrivateKey.from_private_bytes(
        hkdf(RECEIPT_KEY, "schuilnaam/receipt-head-key/v1")
    )
    body = json.dumps(
        {
            "number": 1,
            "at": 1788768000,
            "previous": base64.b64encode(bytes(32)).decode(),
            "root": base64.b64encode(leaf).decode(),
            "size": 1,
            "ranges": [{"writer": base64.b64encode(WRITER).decode(), "after": 0, "through": 1}],
        },
        separators=(",", ":"),
    ).encode()
    return {
        "receipt_key": RECEIPT_KEY.hex(),
        "root": ROOT.hex(),
        "salt": SALT.hex(),
        "nonce": NONCE.hex(),
        "writer": WRITER.hex(),
        "content": RECEIPT,
        "week": WEEK,
        "locator": locator.hex(),
        "ciphertext": ciphertext.hex(),
        "leaf": leaf.hex(),
        "link": link.hex(),
        "tip": tip.hex(),
        "head_body": body.decode(),
        "head_signature": head_key.sign(b"schuilnaam/receipt-head/v1" + body).hex(),
        "head_public_key": head_key.public_key().public_bytes_raw().hex(),
    }


def register() -> dict[str, object]:
    tag = mac(
        hkdf(REGISTER_KEY, "schuilnaam/register-tag-key/v1"), "schuilnaam/register-tag/v1", ROOT
    )
    row_key = hkdf(
        hkdf(REGISTER_KEY, "schuilnaam/register-seal-key/v1"), "schuilnaam/register-row/v1", ROOT
    )
    life = mac(
        hkdf(REGISTER_KEY, "schuilnaam/register-tag-key/v1"),
        "schuilnaam/register-life/v1",
        ROOT,
        SALT,
    )[:16]
    return {
        "register_key": REGISTER_KEY.hex(),
        "root": ROOT.hex(),
        "nonce": NONCE.hex(),
        "record": RECORD,
        "tag": tag.hex(),
        "sealed": seal(row_key, RECORD, lp(tag, SCHOOL_YEAR.to_bytes(2, "big"))).hex(),
        "school_year": SCHOOL_YEAR,
        "life": life.hex(),
        "newer_record": NEWER_RECORD,
        "newer_sealed": seal(row_key, NEWER_RECORD, lp(tag, SCHOOL_YEAR.to_bytes(2, "big"))).hex(),
        "closed": "00",
        "closed_school_year": 0,
        "after_erasure": AFTER_ERASURE,
        "after_erasure_sealed": seal(
            row_key, AFTER_ERASURE, lp(tag, SCHOOL_YEAR.to_bytes(2, "big"))
        ).hex(),
    }


def main() -> None:
    here = Path(__file__).parent
    for name, made in (("receipts", receipts()), ("register", register())):
        text = json.dumps(made, indent=2, ensure_ascii=False) + "\n"
        (here / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
