"""The person register: which account a login opens, and nothing that opens without the login.

A login presents one root or two: the ECK iD's (E) and the school's own (L). Each presented root
has one row:

    tag    = HMAC-SHA-256(register tag key, "schuilnaam/register-tag/v1" || lp(root))
    sealed = 0x01 || nonce || AES-256-GCM(HKDF-SHA-256(register key,
             info = "schuilnaam/register-row/v1" || lp(root)), nonce,
             JSON of `PersonRecord` padded to steps of 256, 0x01 || lp(tag, school year))

beside a coarse school year and a mark of its salt (`derive_life`), and nothing else (frozen in
`tests/vectors/register.json`). With all
databases and all keys nobody opens a row without knowing that person's ECK iD or school number.
Beside the row of a number that was issued anew stands another one, of `way_root`, with the ECK iD
that the number's own account stays with.
Where the row of somebody who was erased stood, one byte may stand instead, `CLOSED`, with school
year 0: what it says, and why, is `broker.flow.persons.person_fresh`.

What a row means is `broker.flow.persons.person_records`, which account a login opens
`broker.flow.persons.person_rules`, and the journey over this port `broker.flow.persons.persons`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

import msgspec

from broker.domain.ids import SupplierId
from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.held_state.framing import (
    MacKey,
    UnreadableRecord,
    derive_key,
    expand_key,
    extract_key,
    mac,
    seal,
    unseal,
)
from broker.flow.persons.person_records import (
    PersonRecord,
    as_root,
)
from broker.flow.persons.school_counts import Count
from broker.pseudonyms.derivation import (
    PersonRoot,
    lp,
)

TAG_BYTES = 32
LIFE_BYTES = 16

CLOSED = b"\x00"
"""In place of a sealed row: who had it is erased, and its root's own account is not to be opened.

Sealed rows begin with the version of their format, from 1 on.
"""


class RegisterUnavailable(Refusal):
    """The register is full, closed or down, or its rows do not open under our key."""

    code = "E-PERSON-2"
    whose_task = WhoseTask.BROKER
    what = "We could not look up your account, so nothing was shared."
    remedy = "This is our fault and we have been told. Please try again in a few minutes."
    http_status = 503
    oauth_error = "temporarily_unavailable"
    saml_status = "Responder"
    may_retry = True


@dataclass(frozen=True, slots=True)
class RegisterKeys:
    """Two keys: one finds rows, one opens them together with a presented root."""

    tag: MacKey = field(repr=False)
    seal: MacKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class SupplierMove:
    """One person who moves in the counts of a supplier (`broker.flow.persons.supplier_counts`).

    Attributes:
        left, entered: letters of epochs; "" for a supplier that did not know, or does not stand
            in this row any more.
        mark: that is taken away.
    """

    supplier: SupplierId
    left: str
    entered: str
    mark: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RowWrite:
    """One row to store.

    Attributes:
        moves: what it changes in the counts of suppliers.
        school_year: of the person's last login, by the year in which it began.
        replaces: the sealed bytes that must be there; None when nothing must be there.
        life: as of `StoredRow`.
    """

    tag: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    school_year: int
    replaces: bytes | None = field(repr=False)
    moves: tuple[SupplierMove, ...] = field(default=(), repr=False)
    life: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class RowRewrite:
    """One row to put in the place of another: what two persons decided.

    Attributes:
        mark: the `mark_of` what must be there.
        row: what shall be there; None when nothing shall.
        moves: as of `RowWrite`.
    """

    tag: bytes = field(repr=False)
    mark: bytes = field(repr=False)
    row: "StoredRow | None" = field(repr=False)
    moves: tuple[SupplierMove, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One row as it rests.

    Attributes:
        life: `derive_life` of what it holds; b"" in rows of before it was kept.
    """

    sealed: bytes = field(repr=False)
    school_year: int
    life: bytes = field(default=b"", repr=False)

    @property
    def is_closed(self) -> bool:
        """Tell whether it holds nobody, and only says that the root's own account is closed."""
        return self.sealed == CLOSED


CLOSED_ROW = StoredRow(CLOSED, 0)


class PersonRegister(Protocol):
    """Where rows rest. Knows tags and sealed bytes only."""

    async def find(self, tags: Sequence[bytes]) -> Mapping[bytes, StoredRow]:
        """Return the rows that are there, by tag, in one round trip.

        Raises:
            RegisterUnavailable: the register cannot be read.
        """
        ...

    async def apply(self, writes: Sequence[RowWrite], counts: Sequence[Count] = ()) -> bool:
        """Store all and count, durably, or nothing; False when a row is not as its write expects.

        Raises:
            CountFull: a count would go beyond its bound; nothing was stored.
            RegisterUnavailable: nobody knows whether they are stored.
        """
        ...

    async def rewrite(self, rewrites: Sequence[RowRewrite]) -> None:
        """Put rows in place of others, durably, all or none.

        Raises:
            PersonChanged: something else is there; nothing was stored.
            RegisterUnavailable: nobody knows whether they are stored.
        """
        ...

    async def erase(
        self,
        marks: Mapping[bytes, bytes],
        moves: Sequence[SupplierMove] = (),
        *,
        closes: Collection[bytes] = (),
    ) -> int:
        """Delete rows for good, all or none, and return how many there were.

        Rows that are `CLOSED` stay and are not counted.

        With them goes what rests of the person beside them under one of these tags: on a list of a
        take-over, in a school's list, in a transfer that was offered, shields, requests.

        Args:
            marks: by tag, the `mark_of` what must be there.
            moves: out of the counts of suppliers.
            closes: of these tags, those where `CLOSED` stands from now on in place of a row.

        Raises:
            PersonChanged: something else is there; nothing was deleted.
            RegisterUnavailable: nobody knows whether they are gone.
        """
        ...


def derive_register_keys(register_key: bytes) -> RegisterKeys:
    """Return the register's two keys from the one of 32 bytes that rests on disk."""
    return RegisterKeys(
        tag=MacKey(derive_key(register_key, b"schuilnaam/register-tag-key/v1")),
        seal=extract_key(derive_key(register_key, b"schuilnaam/register-seal-key/v1")),
    )


def mark_of(sealed: bytes | None) -> bytes:
    """Return by which a sealed row is known again without it: SHA-256, or b"" for no row."""
    return b"" if sealed is None else sha256(sealed).digest()


def derive_tag(keys: RegisterKeys, root: PersonRoot) -> bytes:
    """Return under which tag the row of a root is found: 32 bytes."""
    return mac(keys.tag, b"schuilnaam/register-tag/v1", root)


def way_root(keys: RegisterKeys, root: PersonRoot) -> PersonRoot:
    """Return under what stands to whom the account of a number's root leads, beside the number's
    own row: whoever has the number next may be erased, and that row goes.

    It stands for a root and is none: rows do no arithmetic, and no login presents it.
    """
    return as_root(mac(keys.tag, b"schuilnaam/register-way/v1", root))


def derive_life(keys: RegisterKeys, root: PersonRoot, *, salt: bytes) -> bytes:
    """Return the mark that stands beside a row as long as it keeps its salt: 16 bytes.

    Who was erased and comes back has another salt, so what was held of before can be told from
    what is there now without opening either. Rows of one person share the salt and not the mark.
    """
    return mac(keys.tag, b"schuilnaam/register-life/v1", root, salt)[:LIFE_BYTES]


def seal_record(
    record: PersonRecord, *, root: PersonRoot, keys: RegisterKeys, nonce: bytes
) -> StoredRow:
    """Return the row of a presented root as it will rest."""
    return StoredRow(
        sealed=seal(
            _row_key(keys, root),
            record,
            nonce=nonce,
            bound_to=_place(keys, root, record.school_year),
        ),
        school_year=record.school_year,
        life=derive_life(keys, root, salt=record.salt),
    )


def open_record(row: StoredRow, *, root: PersonRoot, keys: RegisterKeys) -> PersonRecord:
    """Return what the row of a presented root holds.

    Raises:
        UnreadableRecord: another key, another root's row, or changed.
    """
    plain = unseal(_row_key(keys, root), row.sealed, bound_to=_place(keys, root, row.school_year))
    try:
        return msgspec.json.decode(plain, type=PersonRecord)
    except msgspec.DecodeError:
        pass  # refused below: a decoder's message may quote the record
    raise UnreadableRecord


def _row_key(keys: RegisterKeys, root: PersonRoot) -> bytes:
    return expand_key(keys.seal, b"schuilnaam/register-row/v1" + lp(root))


def _place(keys: RegisterKeys, root: PersonRoot, school_year: int) -> bytes:
    return lp(derive_tag(keys, root), school_year.to_bytes(2, "big"))
