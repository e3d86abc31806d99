"""The golden vectors that these tests share, read once."""

import json
from pathlib import Path
from typing import Any

from broker.pseudonyms.derivation import (
    EckIdBytes,
    PersonRoot,
    RootKey,
    load_root_key,
    root_from_eckid,
    root_from_local,
    root_from_local_staff,
)
from broker.pseudonyms.epochs import PairwiseKeys, load_pairwise_keys

_FOLDER = Path(__file__).parent.parent / "vectors"

GOLDEN: dict[str, Any] = json.loads((_FOLDER / "pseudonyms.json").read_text())
RFC9497: list[dict[str, Any]] = json.loads(
    (_FOLDER / "rfc9497-ristretto255-sha512.json").read_text()
)

ROOT_KEY: RootKey = load_root_key(bytes.fromhex(GOLDEN["keys"]["root"]))
PAIRWISE_KEYS: PairwiseKeys = load_pairwise_keys(
    {letter: bytes.fromhex(GOLDEN["keys"][f"pairwise {letter}"]) for letter in "ab"}
)


def root_of(row: dict[str, str]) -> PersonRoot:
    """Return the root of a vector's person."""
    if row["kind"] == "eckid":
        return root_from_eckid(EckIdBytes(bytes.fromhex(row["eckid_hex"])), key=ROOT_KEY)
    derive = {"local": root_from_local, "local-staff": root_from_local_staff}[row["kind"]]
    return derive(row["school"], row["identifier"], key=ROOT_KEY)
