"""By which keys a broker works with a store, so that brokers with other keys notice each other.

Two brokers of one issuer stand behind one proxy and share one store. Were their keys not the same,
nothing would look wrong at either: they would never find each other's records, every second login
would end in a page, and with another root key pupils would be strangers at every supplier. So
beside the epoch lies, for each issuer, a mark of the keys in use; whoever adopts the epoch compares
it in the same step (`redis_scripts.ADOPT`), at its start and once a second, never in a login.

    {schuilnaam}:keys:<issuer>           <mark of keys that never rotate> <mark of the sealing key>
    {schuilnaam}:keys:<issuer>:<letter>  <mark of the pairwise key of that epoch>

The first must be equal. The second must be of a storage key that we know: while storage keys
rotate, one broker may seal with the new one already, which the others can open. Of pairwise keys
those must be equal that both have: one may be added at one broker first. Other issuers have
other marks, and share a store in peace. A mark lasts `MARK_SECONDS` after the last broker that has
those keys looked at the store: then keys that were changed on purpose can be used. The marks are
keyed hashes and tell nothing of the keys.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from broker.adapters.keys.keys_on_disk import LASTING_HEX_FILES, PAIRWISE_FOLDER, derive_key_check
from broker.adapters.login_store.redis_connections import RedisProblem
from broker.pseudonyms.derivation import lp

MARK_SECONDS = 60
"""Long beside the looks, one a second; short beside the time that an operator takes."""

STORAGE = "storage"
"""Under which name storage keys are marked, whatever their files are called."""


@dataclass(frozen=True, slots=True)
class KeyMark:
    """What a broker tells and expects of the keys of a store.

    Attributes:
        issuer: 32 hexadecimal digits that stand for the issuer.
        lasting: the same of the keys that never rotate.
        sealing: the same of the storage key with which we seal.
        opening: those of all storage keys that we can open with, `sealing` among them.
        pairwise: letter and mark of each pairwise key.
    """

    issuer: bytes
    lasting: bytes = field(repr=False)
    sealing: bytes = field(repr=False)
    opening: tuple[bytes, ...] = field(repr=False)
    pairwise: tuple[tuple[bytes, bytes], ...] = field(repr=False)


def derive_key_mark(
    *, issuer: str, checks: Mapping[str, bytes], storage: Sequence[bytes]
) -> KeyMark:
    """Return the mark of a broker's keys.

    Args:
        checks: check values of the keys that last, by file (`BrokerKeys.checks`).
        storage: the storage keys, 32 bytes each, the one that seals first.
    """
    opening = tuple(derive_key_check(key, name=STORAGE).hex().encode() for key in storage)
    return KeyMark(
        issuer=_digest(issuer.encode()),
        lasting=_digest(*(checks[name] for name in LASTING_HEX_FILES)),
        sealing=opening[0],
        opening=opening,
        pairwise=tuple(
            (Path(name).stem.encode(), _digest(value))
            for name, value in sorted(checks.items())
            if name.startswith(f"{PAIRWISE_FOLDER}/")
        ),
    )


def other_keys(which: bytes) -> RedisProblem:
    """Return in words for an operator that a broker of our issuer has other keys than we."""
    names = {
        b"lasting": " or ".join(LASTING_HEX_FILES),
        b"pairwise": f"one in {PAIRWISE_FOLDER}/",
    }.get(which, "the storage key")
    return RedisProblem(
        f"is used by another broker of this issuer, whose keys are not ours ({names}).",
        "Give all brokers of this issuer the same keys folder; were the keys changed on purpose, "
        f"stop those with the old ones and wait {MARK_SECONDS} seconds, or flush it.",
        misconfigured=True,
    )


def _digest(*parts: bytes) -> bytes:
    framed = b"schuilnaam/store-mark/v1" + lp(*parts)
    return hashlib.sha256(framed).hexdigest()[:32].encode()
