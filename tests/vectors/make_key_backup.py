"""Makes `key-backup.json`: a bundle and its shares, as they must be opened by every later version.

Run it only to add a format, never to change one: `python -m tests.vectors.make_key_backup`. People
keep such shares on paper for as long as there are pupils. The keys in it are test keys.
"""

import json
from base64 import b64encode
from pathlib import Path

from broker.adapters.keys.key_bundle import KeyBundle, fingerprint_of, seal_bundle
from broker.adapters.keys.key_shares import split_secret
from broker.adapters.keys.keys_on_disk import derive_key_check
from broker.adapters.keys.share_files import Ceremony, ShareOnPaper, write_share
from broker.pseudonyms.derivation import load_root_key
from broker.pseudonyms.epochs import load_pairwise_keys
from broker.pseudonyms.golden import derive_golden

VECTOR = Path(__file__).parent / "key-backup.json"
FILES = {
    "root/root.hex": b"01" * 32 + b"\n",
    "pairwise/a.hex": b"02" * 32 + b"\n",
    "pairwise/b.hex": b"03" * 32 + b"\n",
    "register/register.hex": b"04" * 32 + b"\n",
    "receipts/receipts.hex": b"05" * 32 + b"\n",
    "storage/storage.hex": b"06" * 32 + b"\n",
}


def main() -> None:
    """Write the vector."""
    keys = {name: bytes.fromhex(content.decode()) for name, content in FILES.items()}
    bundle = KeyBundle(
        program="0.1.0",
        files=FILES,
        golden=derive_golden(
            root=load_root_key(keys["root/root.hex"]),
            pairwise=load_pairwise_keys({each: keys[f"pairwise/{each}.hex"] for each in "ab"}),
        ),
        checks={
            name: derive_key_check(key, name=name)
            for name, key in keys.items()
            if not name.startswith("storage")
        },
    )
    secret = bytes(range(32))
    split = split_secret(secret, shares=3, threshold=2)
    ceremony = Ceremony(split[0].ceremony, "2026-11-27", shares=3, threshold=2)
    sealed = seal_bundle(bundle, secret=secret, ceremony=ceremony, nonce=bytes(range(12)))
    papers = [ShareOnPaper(each, ceremony, fingerprint_of(sealed)) for each in split]
    vector = {
        "bundle": b64encode(sealed).decode(),
        "shares": [write_share(each) for each in papers],
    }
    VECTOR.write_text(json.dumps(vector, indent=1) + "\n")


if __name__ == "__main__":
    main()
