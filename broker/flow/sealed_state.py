"""Typed, versioned, sealed records over the login store.

A record is found by HMAC-SHA-256(storage key, type, issuer, handle) and sealed with AES-256-GCM
under HKDF-SHA-256 (RFC 5869) of storage key and handle. The handle lives with the browser or the
relying party and not with us, so a copy of the store opens nothing without the handles, and
handles open nothing without the storage key. Without either, the store shows counts, TTLs and
lengths in steps of `PADDING_BYTES`.

Record format 1, in bytes (`length` and every `lp` length are 4 bytes, big-endian):

    locator  = HMAC-SHA-256(storage key, "schuilnaam/record/v1" || lp(type, issuer, handle))
    claim    = HMAC-SHA-256(storage key, "schuilnaam/one-shot/v1" || lp(type, issuer, value))
    key      = HKDF(storage key, info = "schuilnaam/seal/v1" || lp(type, handle))
    child    = HKDF(storage key, info = "schuilnaam/child-handle/v1" || lp(label, handle))
    plain    = length || msgpack || zeros up to a multiple of `PADDING_BYTES`
    sealed   = nonce (12 bytes) || AES-256-GCM(key, nonce, plain, lp(type, version, locator))

The version is no part of the locator: a tombstone that one release left is found by the next.
Whatever does not open as the asked type and version is `Absent`, never another error.
"""

import base64
import hmac
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from broker.flow.login_store import (
    Absent,
    Claim,
    Locator,
    LoginStore,
    Put,
    Unstorable,
    check_ttl,
)

HANDLE_BYTES = 32  # 256 bits; RFC 6749 10.10 asks for at least 128
HANDLE_TEXT_LENGTH = 43  # base64url (RFC 4648 5) of 32 bytes, no padding
STORAGE_KEY_BYTES = 32
NONCE_BYTES = 12  # NIST SP 800-38D 5.2.1.1
TAG_BYTES = 16
LENGTH_BYTES = 4
PADDING_BYTES = 256  # lengths in coarse steps: the presence of a name must not show in the store


class SealedRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every stored record. Its repr names the type and shows no value."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return []


RecordT = TypeVar("RecordT", bound=SealedRecord)


@dataclass(frozen=True, slots=True)
class StateKind(Generic[RecordT]):
    """What kind of record: one constant for each, next to its struct.

    Attributes:
        name: type name, part of locator, key and additional data; never reused.
        version: of the struct's fields, 1 to 65535; raised at any change of them. A record of
            another version is absent.
        struct: the record's type.
        ttl_seconds: how long a record lives when it is not taken.
        tombstone_ttl_seconds: how long a taken or deleted one stays refused; at least
            `ttl_seconds`, and for what is revoked by a second use as long as what it gave lives.

    Raises:
        ValueError: a TTL, the version or their order is wrong.
    """

    name: str
    version: int
    struct: type[RecordT]
    ttl_seconds: int
    tombstone_ttl_seconds: int

    def __post_init__(self) -> None:
        check_ttl(self.ttl_seconds)
        check_ttl(self.tombstone_ttl_seconds)
        if self.tombstone_ttl_seconds < self.ttl_seconds:
            raise ValueError(f"{self.name}: the tombstone must outlast the record")
        if not (self.name and 1 <= self.version <= 0xFFFF):
            raise ValueError(f"{self.name}: needs a name and a version from 1 to 65535")


@dataclass(frozen=True, slots=True)
class Handle:
    """What the browser or relying party holds: 256 random bits. Never shown by repr or str."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != HANDLE_BYTES:
            raise ValueError(f"a handle is {HANDLE_BYTES} bytes")

    @property
    def text(self) -> str:
        """43 characters of base64url: the cookie, code or token itself."""
        return base64.urlsafe_b64encode(self.secret).rstrip(b"=").decode("ascii")


def parse_handle(unverified_text: str) -> Handle:
    """Return the handle that a browser or relying party sent.

    Raises:
        Absent: the text is not one that we could have made; exactly one text stands for a handle.

    >>> parse_handle("A" * 43)
    Handle()
    """
    if len(unverified_text) == HANDLE_TEXT_LENGTH and unverified_text.isascii():
        try:
            handle = Handle(base64.b64decode(unverified_text + "=", altchars=b"-_", validate=True))
        except ValueError:
            pass  # refused below, outside the handler, so that no error carries the text along
        else:
            if hmac.compare_digest(handle.text, unverified_text):
                return handle
    raise Absent


class SealedState:
    """Seals and opens records; the flow's only way to the login store.

    Args:
        store: the backend.
        storage_key: 32 bytes, of this purpose alone.
        issuer: our own issuer identifier, so that two brokers on one store never meet.
        random: returns that many unpredictable bytes (`secrets.token_bytes`).

    Every method may raise `StoreUnsure`.

    Raises:
        ValueError: `storage_key` has another length.
    """

    __slots__ = ("_issuer", "_prk", "_random", "_storage_key", "_store")

    def __init__(
        self,
        store: LoginStore,
        *,
        storage_key: bytes,
        issuer: str,
        random: Callable[[int], bytes],
    ) -> None:
        if len(storage_key) != STORAGE_KEY_BYTES:
            raise ValueError(f"the storage key is {STORAGE_KEY_BYTES} bytes")
        self._store = store
        self._storage_key = storage_key
        self._prk = HKDF.extract(SHA256(), salt=None, key_material=storage_key)
        self._issuer = issuer.encode()
        self._random = random

    def seal(
        self, kind: StateKind[RecordT], record: RecordT, *, ttl_seconds: int | None = None
    ) -> tuple[Handle, Put]:
        """Return a new handle and what `put` stores under it.

        `ttl_seconds` shortens the kind's TTL for this record.

        Raises:
            Unstorable: the record is over the store's limit, or a text in it is no Unicode.
            ValueError: `ttl_seconds` is not 1 to the kind's.
        """
        handle = Handle(self._random(HANDLE_BYTES))
        return handle, self.seal_under(handle, kind, record, ttl_seconds=ttl_seconds)

    def seal_under(
        self,
        handle: Handle,
        kind: StateKind[RecordT],
        record: RecordT,
        *,
        ttl_seconds: int | None = None,
    ) -> Put:
        """Return what `put` stores under a handle that exists: a child's, or to replace a record.

        A record that is replaced keeps its end only if `ttl_seconds` says so. Raises as `seal`.
        """
        ttl = kind.ttl_seconds if ttl_seconds is None else ttl_seconds
        if ttl > kind.ttl_seconds:
            raise ValueError(f"{kind.name}: a record lives at most {kind.ttl_seconds} seconds")
        locator = self._locate(kind, handle)
        nonce = self._random(NONCE_BYTES)
        sealed = nonce + self._cipher(kind, handle).encrypt(
            nonce, _pad(_encode(record)), _additional_data(kind, locator)
        )
        return Put(locator, sealed, ttl)

    async def put(self, *puts: Put, claims: Sequence[Claim] = ()) -> None:
        """Store all and claim all, or nothing, in one round trip.

        Raises:
            ClaimedBefore, TakenBefore: as `LoginStore.put`.
        """
        await self._store.put(puts, claims=claims)

    async def take(
        self, kind: StateKind[RecordT], handle: Handle, *, claims: Sequence[Claim] = ()
    ) -> RecordT:
        """Return the record once; it and the claims are used up also when this is refused.

        Raises:
            TakenBefore, ClaimedBefore, Absent: as `LoginStore.take`, in this order.
        """
        locator = self._locate(kind, handle)
        sealed = await self._store.take(
            locator, tombstone_ttl_seconds=kind.tombstone_ttl_seconds, claims=claims
        )
        return self._open(kind, handle, locator, sealed)

    async def get(self, kind: StateKind[RecordT], handle: Handle) -> RecordT:
        """Return the record and leave it.

        Raises:
            Absent: nothing, a tombstone, or nothing that opens as this kind.
        """
        locator = self._locate(kind, handle)
        return self._open(kind, handle, locator, await self._store.get(locator))

    async def delete(self, kind: StateKind[RecordT], *handles: Handle) -> None:
        """End the records of one kind for good, whether or not they are there."""
        await self._store.delete(
            [self._locate(kind, handle) for handle in handles],
            tombstone_ttl_seconds=kind.tombstone_ttl_seconds,
        )

    def claim_for(self, kind_of_value: str, *, issuer: str, value: str, ttl_seconds: int) -> Claim:
        """Return the claim that uses up a one-shot value, to ride along with a put or take.

        Args:
            kind_of_value: "assertion-id", "client-jti"; never the same for two kinds.
            issuer: who made the value (identity provider, client): two may choose the same one.
            value: as received. Any length: callers cap what they parse.
            ttl_seconds: past the end of the message's (capped) validity, skew included.
        """
        # A JSON text may hold half a surrogate pair; it must be refused as used, not crash.
        parts = (text.encode(errors="surrogatepass") for text in (kind_of_value, issuer, value))
        return Claim(self._tag(b"schuilnaam/one-shot/v1", *parts), ttl_seconds)

    def derive_handle(self, handle: Handle, label: str) -> Handle:
        """Return a child handle: whoever knows the parent does not know it, but we do.

        The access token of a code is its child: one put stores what both open, and a second use
        of the code finds what to end without a record that says so.
        """
        return Handle(self._derive(b"schuilnaam/child-handle/v1", label.encode(), handle.secret))

    def _open(
        self, kind: StateKind[RecordT], handle: Handle, locator: Locator, sealed: bytes
    ) -> RecordT:
        """Return the record or raise `Absent`, whatever the bytes are."""
        nonce, ciphertext = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        if len(ciphertext) >= LENGTH_BYTES + TAG_BYTES:
            try:
                padded = self._cipher(kind, handle).decrypt(
                    nonce, ciphertext, _additional_data(kind, locator)
                )
                return msgspec.msgpack.decode(_unpad(padded), type=kind.struct)
            except (InvalidTag, msgspec.DecodeError, UnicodeDecodeError):
                pass  # refused below, outside the handler: a decoder's message may quote a value
        raise Absent

    def _cipher(self, kind: StateKind[RecordT], handle: Handle) -> AESGCM:
        return AESGCM(self._derive(b"schuilnaam/seal/v1", kind.name.encode(), handle.secret))

    def _locate(self, kind: StateKind[RecordT], handle: Handle) -> Locator:
        name = kind.name.encode()
        return self._tag(b"schuilnaam/record/v1", name, self._issuer, handle.secret)

    def _tag(self, label: bytes, *parts: bytes) -> Locator:
        return Locator(hmac.digest(self._storage_key, label + _lp(*parts), "sha256"))

    def _derive(self, label: bytes, *parts: bytes) -> bytes:
        return HKDFExpand(SHA256(), length=32, info=label + _lp(*parts)).derive(self._prk)


def _additional_data(kind: StateKind[RecordT], locator: Locator) -> bytes:
    return _lp(kind.name.encode(), struct.pack(">H", kind.version), locator)


def _lp(*parts: bytes) -> bytes:
    """Return the parts, each preceded by its length: no two lists give the same bytes."""
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def _encode(record: SealedRecord) -> bytes:
    """Return the record as msgpack, or raise `Unstorable`."""
    try:
        return msgspec.msgpack.encode(record)
    except UnicodeEncodeError:
        pass  # half a surrogate pair, from JSON; the error would carry the text along
    raise Unstorable


def _pad(plain: bytes) -> bytes:
    framed = _lp(plain)
    return framed + bytes(-len(framed) % PADDING_BYTES)


def _unpad(padded: bytes) -> bytes:
    """Return what `_pad` was given; the tag has vouched for it."""
    (length,) = struct.unpack_from(">I", padded)
    return padded[LENGTH_BYTES : LENGTH_BYTES + length]
