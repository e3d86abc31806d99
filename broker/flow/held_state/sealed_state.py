"""Typed, versioned, sealed records over the login store.

A record is found by HMAC-SHA-256(storage key, type, issuer, handle) and sealed with AES-256-GCM
under HKDF-SHA-256 (RFC 5869) of storage key and handle. The handle lives with the browser or the
relying party and not with us, so a copy of the store opens nothing without the handles, and
handles open nothing without the storage key. Without either, the store shows counts, TTLs and
lengths in coarse steps.

Record format 1 (`mac`, `derive_key`, `lp` and the sealing itself are
`broker.flow.held_state.framing`'s):

    locator = mac(storage key, "schuilnaam/record/v1", type, issuer, handle)
    claim   = mac(storage key, "schuilnaam/one-shot/v1", type, issuer, SHA-256(value))
    key     = derive_key(storage key, "schuilnaam/seal/v1", type, handle)
    child   = derive_key(storage key, "schuilnaam/child-handle/v1", label, handle)
    text    = base64url(handle) || the storage key's letter, if it has one
    sealed  = 0x01 || nonce (12 bytes) || AES-256-GCM(key, nonce, JSON and blanks,
              0x01 || lp(type, version in 2 bytes, locator))

The version is no part of the locator: a tombstone that one release left is found by the next.
What is the same for every record (framed names, the extract step of HKDF) is computed once.
Whatever does not open as the asked type and version is `Absent`, never another error.

**Several storage keys.** While the storage key is changed (`flow.key_plans.key_schedule`), new
records are made under the one in use, and every handle names its own, so that finding a record
never takes a second trip; a child is made under its parent's key. A handle of an unknown key is
absent.

**One-shot values** have no handle, and are looked for by their own text alone. So each is claimed
under every key that a worker knows and that is not retired, in the same operation: a value is
accepted only where none of these claims was made before. Let a new key be published at P, in use
from U = P + lead, and the old one retired at R = U + overlap. Two workers accept one value only if
they claim it under no common key. Every worker knows the new key by U at the latest (that is what
the lead is for), and claims under both keys, or before that under the old one, until R:

    both claim before R       the old key is common: nobody has dropped it yet
    both claim after U        the new key is common: everybody knows it by now
    one before U, one after R nothing is common, but R - U is longer than any message lives in which
                              the value could be shown again (`key_purposes.LONGEST_CLAIM`)

A fourth case there is not. Brokers whose clocks differ move U and R by less than what the overlap
has to spare. A worker that learns of the new key only after R, because its keys folder is broken
for that long, could accept a value that the others accepted: but only beside a handle of a key that
these others do not honour any more, so that neither a code nor a pending login works twice.
An emergency removal leaves the overlap out on purpose, and ends all handles of the removed key.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, TypeVar

import msgspec

from broker.flow.held_state.framing import (
    NONCE_BYTES,
    UnreadableRecord,
    expand_key,
    mac,
    seal,
    unseal,
)
from broker.flow.held_state.handles import HANDLE_BYTES, Handle, StorageKey
from broker.flow.held_state.login_store import (
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


class SealedState:
    """Seals and opens records; the flow's only way to the login store.

    Args:
        store: the backend.
        storage_keys: those that are not retired, the one in use first.
        issuer: our own issuer identifier, so that two brokers on one store never meet.
        random: returns that many unpredictable bytes (`secrets.token_bytes`).

    Every method may raise `StoreUnsure`; one that is given a handle `Absent`, when its key is not
    known.

    Raises:
        ValueError: no key, or two with one letter.
    """

    __slots__ = ("_framed_issuer", "_in_use", "_keys", "_random", "_store")

    def __init__(
        self,
        store: LoginStore,
        *,
        storage_keys: Sequence[StorageKey],
        issuer: str,
        random: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._keys = {each.letter: each for each in storage_keys}
        if not storage_keys or len(self._keys) != len(storage_keys):
            raise ValueError("at least one storage key, each with a letter of its own")
        self._in_use = storage_keys[0]
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
        handle = Handle(self._random(HANDLE_BYTES), self._in_use.letter)
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

    async def gather(
        self, kind: StateKind[RecordT], handles: Sequence[Handle]
    ) -> list[RecordT | None]:
        """Return the record of each handle and leave it, in one trip; None where none opens."""
        locators = [self._locate(kind, handle) for handle in handles]
        found: list[RecordT | None] = [None] * len(handles)
        for index, each in enumerate(await self._store.get_all(locators)):
            if each is not None:
                with suppress(Absent):
                    found[index] = self._open(kind, handles[index], locators[index], each)
        return found

    def locate(self, kind: StateKind[RecordT], handle: Handle) -> Locator:
        """Return where a record is found; it opens nothing."""
        return self._locate(kind, handle)

    async def end(self, *locators: Locator, tombstone_ttl_seconds: int) -> None:
        """End whatever is at these places for good, in one trip, whether or not it is there."""
        await self._store.delete(locators, tombstone_ttl_seconds=tombstone_ttl_seconds)

    async def delete(self, kind: StateKind[RecordT], *handles: Handle) -> None:
        """End the records of one kind for good, whether or not they are there."""
        await self._store.delete(
            [self._locate(kind, handle) for handle in handles],
            tombstone_ttl_seconds=kind.tombstone_ttl_seconds,
        )

    def claims_for(
        self,
        kind_of_value: str,
        *,
        issuer: str,
        value: str,
        ttl_seconds: int,
        made_within: timedelta | None = None,
    ) -> tuple[Claim, ...]:
        """Return the claims that use up a one-shot value, to ride along with a put or take.

        One for each storage key: all are made, or the value was used before.

        Args:
            kind_of_value: "assertion-id", "client-jti"; never the same for two kinds.
            issuer: who made the value (identity provider, client): two may choose the same one.
            value: as received. Any length: callers cap what they parse.
            ttl_seconds: past the end of the message's (capped) validity, skew included.
            made_within: how long ago the value was made at most, by our own clock.
        """
        # A JSON text may hold half a surrogate pair; it must be refused as used, not crash.
        digest = hashlib.sha256(value.encode(errors="surrogatepass")).digest()
        milliseconds = None if made_within is None else -(made_within // -MILLISECOND)
        label = b"schuilnaam/one-shot/v1"
        return tuple(
            Claim(
                Locator(mac(key.finding, label, kind_of_value, issuer, digest)),
                ttl_seconds,
                milliseconds,
            )
            for key in self._keys.values()
        )

    def derive_handle(self, handle: Handle, label: str) -> Handle:
        """Return a child handle: whoever knows the parent does not know it, but we do.

        The access token of a code is its child: one put stores what both open, and a second use
        of the code finds what to end without a record that says so.
        """
        info = b"schuilnaam/child-handle/v1" + lp(label, handle.secret)
        return Handle(expand_key(self._key_of(handle).deriving, info), handle.letter)

    def name_handle(self, *parts: str) -> Handle:
        """Return the handle under which stands what is known of a value that others chose.

        It needs our key: who knows the value cannot tell where it stands. After a change of keys it
        is another one, so what must never be forgotten is claimed besides (`claims_for`).
        """
        info = b"schuilnaam/named-handle/v1" + lp(*parts)
        return Handle(expand_key(self._in_use.deriving, info), self._in_use.letter)

    def _key_of(self, handle: Handle) -> StorageKey:
        try:
            return self._keys[handle.letter]
        except KeyError:
            raise Absent from None

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
        info = b"schuilnaam/seal/v1" + kind.framed_name + lp(handle.secret)
        return expand_key(self._key_of(handle).deriving, info)

    def _locate(self, kind: StateKind[RecordT], handle: Handle) -> Locator:
        name_issuer_handle = kind.framed_name + self._framed_issuer + lp(handle.secret)
        finding = self._key_of(handle).finding
        return Locator(finding.mac(b"schuilnaam/record/v1" + name_issuer_handle))


def _additional_data(kind: StateKind[RecordT], locator: Locator) -> bytes:
    return kind.framed_name + kind.framed_version + lp(locator)
