"""Typed, versioned, sealed records over the login store.

A record is found by HMAC-SHA-256(storage key, type, issuer, handle) and sealed with AES-256-GCM
under HKDF-SHA-256 (RFC 5869) of storage key and handle. The handle lives with the browser or the
relying party and not with us, so a copy of the store opens nothing without the handles, and
handles open nothing without the storage key. Without either, the store shows counts, TTLs and
lengths in coarse steps.

Record format 1 (`mac`, `derive_key`, `lp` and the sealing itself are `broker.flow.framing`'s):

    locator = mac(storage key, "schuilnaam/record/v1", type, issuer, handle)
    claim   = mac(storage key, "schuilnaam/one-shot/v1", type, issuer, SHA-256(value))
    key     = derive_key(storage key, "schuilnaam/seal/v1", type, handle)
    child   = derive_key(storage key, "schuilnaam/child-handle/v1", label, handle)
    sealed  = 0x01 || nonce (12 bytes) || AES-256-GCM(key, nonce, JSON and blanks,
              0x01 || lp(type, version in 2 bytes, locator))

The version is no part of the locator: a tombstone that one release left is found by the next.
What is the same for every record (framed names, the extract step of HKDF) is computed once.
Whatever does not open as the asked type and version is `Absent`, never another error.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, TypeVar

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from broker.flow.framing import (
    KEY_BYTES,
    NONCE_BYTES,
    UnreadableRecord,
    mac,
    seal,
    unseal,
)
from broker.flow.login_store import (
    Absent,
    Claim,
    Locator,
    LoginStore,
    Put,
    Unstorable,
    check_ttl,
)
from broker.pseudonyms.derivation import lp

MILLISECOND = timedelta(milliseconds=1)
HANDLE_BYTES = 32  # 256 bits; RFC 6749 10.10 asks for at least 128
HANDLE_TEXT_LENGTH = 43  # base64url (RFC 4648 5) of 32 bytes, no padding


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
        TypeError: `struct` is of types that could be sealed but not opened again.
    """

    name: str
    version: int
    struct: type[RecordT]
    ttl_seconds: int
    tombstone_ttl_seconds: int
    framed_name: bytes = field(init=False, repr=False, compare=False)
    framed_version: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_ttl(self.ttl_seconds)
        check_ttl(self.tombstone_ttl_seconds)
        if self.tombstone_ttl_seconds < self.ttl_seconds:
            raise ValueError(f"{self.name}: the tombstone must outlast the record")
        if not (self.name and 1 <= self.version <= 0xFFFF):
            raise ValueError(f"{self.name}: needs a name and a version from 1 to 65535")
        msgspec.json.Decoder(self.struct)  # a struct that cannot be read stops the start
        object.__setattr__(self, "framed_name", lp(self.name))
        object.__setattr__(self, "framed_version", lp(self.version.to_bytes(2, "big")))


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

    __slots__ = ("_extracted", "_framed_issuer", "_random", "_storage_key", "_store")

    def __init__(
        self,
        store: LoginStore,
        *,
        storage_key: bytes,
        issuer: str,
        random: Callable[[int], bytes],
    ) -> None:
        if len(storage_key) != KEY_BYTES:
            raise ValueError(f"the storage key is {KEY_BYTES} bytes")
        self._store = store
        self._storage_key = storage_key
        self._extracted = HKDF.extract(SHA256(), salt=None, key_material=storage_key)
        self._framed_issuer = lp(issuer)
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
        try:
            sealed = seal(
                self._sealing_key(kind, handle),
                record,
                nonce=self._random(NONCE_BYTES),
                bound_to=_additional_data(kind, locator),
            )
        except UnicodeEncodeError:
            pass  # half a surrogate pair, from JSON; the error would carry the text along
        else:
            return Put(locator, sealed, ttl)
        raise Unstorable

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

    def claim_for(
        self,
        kind_of_value: str,
        *,
        issuer: str,
        value: str,
        ttl_seconds: int,
        made_within: timedelta | None = None,
    ) -> Claim:
        """Return the claim that uses up a one-shot value, to ride along with a put or take.

        Args:
            kind_of_value: "assertion-id", "client-jti"; never the same for two kinds.
            issuer: who made the value (identity provider, client): two may choose the same one.
            value: as received. Any length: callers cap what they parse.
            ttl_seconds: past the end of the message's (capped) validity, skew included.
            made_within: how long ago the value was made at most, by our own clock.
        """
        # A JSON text may hold half a surrogate pair; it must be refused as used, not crash.
        digest = hashlib.sha256(value.encode(errors="surrogatepass")).digest()
        locator = mac(self._storage_key, b"schuilnaam/one-shot/v1", kind_of_value, issuer, digest)
        milliseconds = None if made_within is None else -(made_within // -MILLISECOND)
        return Claim(Locator(locator), ttl_seconds, milliseconds)

    def derive_handle(self, handle: Handle, label: str) -> Handle:
        """Return a child handle: whoever knows the parent does not know it, but we do.

        The access token of a code is its child: one put stores what both open, and a second use
        of the code finds what to end without a record that says so.
        """
        return Handle(self._derive(b"schuilnaam/child-handle/v1" + lp(label, handle.secret)))

    def _open(
        self, kind: StateKind[RecordT], handle: Handle, locator: Locator, sealed: bytes
    ) -> RecordT:
        """Return the record or raise `Absent`, whatever the bytes are."""
        try:
            plain = unseal(
                self._sealing_key(kind, handle), sealed, bound_to=_additional_data(kind, locator)
            )
            return msgspec.json.decode(plain, type=kind.struct)
        except (UnreadableRecord, msgspec.DecodeError, UnicodeDecodeError):
            pass  # refused below, outside the handler: a decoder's message may quote a value
        raise Absent

    def _sealing_key(self, kind: StateKind[RecordT], handle: Handle) -> bytes:
        return self._derive(b"schuilnaam/seal/v1" + kind.framed_name + lp(handle.secret))

    def _derive(self, info: bytes) -> bytes:
        """Return the expand step of HKDF: `framing.derive_key` without its extract step.

        32 bytes are one block of SHA-256, so the expansion is one HMAC (RFC 5869 2.3).
        """
        return hmac.digest(self._extracted, info + b"\x01", "sha256")

    def _locate(self, kind: StateKind[RecordT], handle: Handle) -> Locator:
        name_issuer_handle = kind.framed_name + self._framed_issuer + lp(handle.secret)
        return Locator(
            hmac.digest(self._storage_key, b"schuilnaam/record/v1" + name_issuer_handle, "sha256")
        )


def _additional_data(kind: StateKind[RecordT], locator: Locator) -> bytes:
    return kind.framed_name + kind.framed_version + lp(locator)
