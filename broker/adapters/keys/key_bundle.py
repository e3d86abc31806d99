"""The bundle: all keys that must not be lost in one sealed file.

    "schuilnaam-key-bundle" LF  header (JSON) LF  AES-256-GCM of `KeyBundle` (JSON)

The key is HKDF of the secret whose shares people keep; the first two lines are bound to the
ciphertext as additional data. The bundle alone tells when it was made and nothing of the keys, so
it may lie in several places. Its fingerprint stands on each share.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from broker.adapters.keys.key_files import KeyProblem
from broker.adapters.keys.share_files import Ceremony
from broker.flow.held_state.framing import NONCE_BYTES, derive_key

FORMAT = 1
BUNDLE_BYTES_MAX = 16 * 1024 * 1024

_MAGIC = b"schuilnaam-key-bundle\n"
_KEY_LABEL = b"schuilnaam/key-bundle/v1"
_TAG_BYTES = 16
_FINGERPRINT_BYTES = 16


class _AnyHeader(msgspec.Struct, frozen=True):
    """What a header of every format says."""

    format: int


class BundleHeader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bundle says without being opened.

    Attributes:
        size_bytes: of the ciphertext, so that a cut-off file is told from a changed one.
        initial: 12 random bytes: the nonce of AES-GCM.
    """

    format: int
    ceremony: Ceremony
    initial: bytes
    size_bytes: int


class KeyBundle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sealed.

    Attributes:
        program: version of the program that made it.
        files: name in the keys folder -> content.
        golden: `broker.pseudonyms.golden.derive_golden`.
        checks: file of each key that lasts -> `derive_key_check`.
    """

    program: str
    files: dict[str, bytes]
    golden: dict[str, str]
    checks: dict[str, bytes]

    def __repr__(self) -> str:
        return f"KeyBundle({sorted(self.files)})"


@dataclass(frozen=True, slots=True)
class SealedBundle:
    """A bundle that was read, and not opened yet."""

    file: Path
    header: BundleHeader
    bound: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)
    fingerprint: str


def seal_bundle(bundle: KeyBundle, *, secret: bytes, ceremony: Ceremony, nonce: bytes) -> bytes:
    """Return the file.

    Args:
        secret: 32 random bytes that seal this bundle and nothing else.
        nonce: 12 random bytes.
    """
    plain = msgspec.json.encode(bundle)
    header = BundleHeader(
        format=FORMAT, ceremony=ceremony, initial=nonce, size_bytes=len(plain) + _TAG_BYTES
    )
    bound = _MAGIC + msgspec.json.encode(header) + b"\n"
    return bound + AESGCM(derive_key(secret, _KEY_LABEL)).encrypt(nonce, plain, bound)


def fingerprint_of(content: bytes) -> str:
    """Return by which people compare bundles: 8 groups of 4 hexadecimal digits of SHA-256."""
    digits = hashlib.sha256(content).digest()[:_FINGERPRINT_BYTES].hex()
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def read_bundle(file: Path) -> SealedBundle:
    """Return the bundle in a file, not opened yet.

    Raises:
        KeyProblem: it is no bundle, a newer program's, or cut off.
        OSError: it cannot be read.
    """
    with file.open("rb") as opened:
        content = opened.read(BUNDLE_BYTES_MAX + 1)
    if not content.startswith(_MAGIC) or len(content) > BUNDLE_BYTES_MAX:
        raise KeyProblem(file, "is no bundle of keys", "name the file that `keys backup` made")
    line, found, ciphertext = content[len(_MAGIC) :].partition(b"\n")
    if not found:
        raise KeyProblem(file, "is cut off", "take another copy of it")
    header = _parse_header(file, line)
    if len(ciphertext) != header.size_bytes:
        told = "is cut off" if len(ciphertext) < header.size_bytes else "has something after it"
        raise KeyProblem(
            file,
            f"{told}: {len(ciphertext)} bytes instead of {header.size_bytes}",
            "take another copy of it",
        )
    bound = content[: len(content) - len(ciphertext)]
    return SealedBundle(file, header, bound, ciphertext, fingerprint_of(content))


def open_bundle(sealed: SealedBundle, *, secret: bytes) -> KeyBundle:
    """Return what is in a bundle.

    Raises:
        KeyProblem: another secret sealed it, or it was changed.
    """
    key = AESGCM(derive_key(secret, _KEY_LABEL))
    nonce = sealed.header.initial
    plain: bytes | None = None
    if len(nonce) == NONCE_BYTES:
        with suppress(InvalidTag):  # refused below, the same for every cause
            plain = key.decrypt(nonce, sealed.ciphertext, sealed.bound)
    if plain is None:
        raise KeyProblem(
            sealed.file,
            "does not open with these shares: it was changed, or is of another ceremony",
            "take another copy of it, or the shares that were made with it",
        )
    return msgspec.json.decode(plain, type=KeyBundle)


def check_shares_of_bundle(
    sealed: SealedBundle, ceremonies: Mapping[Path, str], fingerprints: Mapping[Path, str]
) -> None:
    """Hold that shares were made with this bundle, as far as they say so.

    Args:
        ceremonies: where a share is -> id of its ceremony.
        fingerprints: the same for what its heading says of the bundle; typed ones say nothing.

    Raises:
        KeyProblem: one is of another.
    """
    own = sealed.header.ceremony
    for place, ceremony in ceremonies.items():
        if ceremony != own.id:
            raise KeyProblem(
                place,
                f"is of ceremony {ceremony}, and the bundle of {own.id} of {own.date}",
                "take the bundle and the shares of one ceremony",
            )
    for place, fingerprint in fingerprints.items():
        if fingerprint != sealed.fingerprint:
            raise KeyProblem(
                sealed.file,
                f"is not the bundle that {place} names, or was changed: "
                f"its fingerprint is {sealed.fingerprint}",
                "take another copy of it, or the shares that were made with it",
            )


def _parse_header(file: Path, line: bytes) -> BundleHeader:
    try:
        if msgspec.json.decode(line, type=_AnyHeader).format > FORMAT:
            raise KeyProblem(
                file, "was made by a newer program", "install that version or a later one"
            )
        return msgspec.json.decode(line, type=BundleHeader)
    except (msgspec.DecodeError, UnicodeDecodeError) as reason:
        raise KeyProblem(file, "was changed: its header cannot be read", "take another copy") from (
            reason
        )
