"""Transfers at rest: found by a code that the old school hands out, and opened by it alone.

    tag        = HMAC-SHA-256(register tag key, "schuilnaam/transfer/v1" || lp(code))
    person tag = HMAC-SHA-256(register tag key, "schuilnaam/transfer-person/v1"
                 || lp(root of the old account, supplier))
    sealed     = `framing.seal` of `OfferedAccount` under HKDF-SHA-256(register key,
                 info = "schuilnaam/transfer-offer/v1" || lp(code)), bound to the tag
    accepting  = the same of `AcceptingPerson`, under "schuilnaam/transfer-accept/v1"

The code is 160 random bits and stands nowhere here. So with all databases and all keys nobody sees
of whom a transfer is, or which two accounts it joins, without the code. That a supplier has so many
transfers, and until when, can be seen.
"""

from base64 import b32encode
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NewType, Protocol, TypeVar

import msgspec

from broker.domain.ids import SchoolId, SupplierId
from broker.domain.transfer_refusals import TransfersUnavailable, TransferUnknown
from broker.flow.held_state.framing import UnreadableRecord, expand_key, mac, seal, unseal
from broker.flow.persons.person_records import Stored, as_root
from broker.flow.persons.register import RegisterKeys
from broker.pseudonyms.derivation import PersonRoot, lp

TransferCode = NewType("TransferCode", str)
"""32 characters `[a-z2-7]`: what the old school hands out. Whoever has it can accept once."""

CODE_BYTES = 20  # 160 bits
CODE_GROUP_CHARACTERS = 4


class OfferStage(StrEnum):
    """How far a transfer is."""

    PREPARED = "prepared"
    OFFERED = "offered"
    USED = "used"


class OfferedAccount(Stored, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the old school offers.

    Attributes:
        account: root of the pupil's account at the supplier.
        last_day: on which it can be accepted, and on which the supplier is told.
    """

    account: bytes
    school: SchoolId
    supplier: SupplierId
    last_day: date


class AcceptingPerson(Stored, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose account is to be told of the old one, while a second person confirms.

    Attributes:
        account: root of the account at the new school.
        holder: root of the row in which its suppliers stand.
    """

    account: bytes
    holder: bytes
    school: SchoolId


@dataclass(frozen=True, slots=True)
class StoredOffer:
    """A transfer as it rests."""

    tag: bytes = field(repr=False)
    person_tag: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    last_day: date
    stage: OfferStage
    accepting: bytes | None = field(default=None, repr=False)


class TransferOffers(Protocol):
    """Where transfers rest. Every method raises `TransfersUnavailable` when it cannot work."""

    def find(self, tag: bytes) -> StoredOffer | None:
        """Return the transfer under a tag."""
        ...

    def add(self, offer: StoredOffer, *, today: date) -> bool:
        """Store a prepared transfer, durably; False when its person has one that counts.

        One that was only prepared, or whose last day is over, counts no more, and goes; and so do
        all whose last day was more than a year ago.
        """
        ...

    def change(self, before: StoredOffer, after: StoredOffer) -> bool:
        """Store what a transfer is now, durably; False when it is not what it was before."""
        ...


def make_code(random_bytes: bytes) -> TransferCode:
    """Return a fresh code.

    >>> make_code(bytes(range(20)))
    'aaaqeayeaudaocajbifqydiob4ibceqt'
    """
    return TransferCode(b32encode(random_bytes).decode().lower())


def group_code(code: TransferCode) -> str:
    """Return a code in groups that can be read out.

    >>> group_code(make_code(bytes(range(20))))
    'aaaq-eaye-auda-ocaj-bifq-ydio-b4ib-ceqt'
    """
    step = CODE_GROUP_CHARACTERS
    return "-".join(code[start : start + step] for start in range(0, len(code), step))


def read_code(typed: str) -> TransferCode:
    """Return a code as somebody typed it: blanks, hyphens and case make no difference.

    Raises:
        TransferUnknown: it has not the form of a code.
    """
    plain = "".join(each for each in typed.lower() if each not in "- \t")
    if len(plain) != len(make_code(bytes(CODE_BYTES))) or set(plain) - set(
        "abcdefghijklmnopqrstuvwxyz234567"
    ):
        raise TransferUnknown("check_code_form")
    return TransferCode(plain)


def derive_offer_tag(keys: RegisterKeys, code: TransferCode) -> bytes:
    """Return under which tag a transfer rests: 32 bytes."""
    return mac(keys.tag, b"schuilnaam/transfer/v1", code)


def derive_transfer_person_tag(
    keys: RegisterKeys, account: PersonRoot, supplier: SupplierId
) -> bytes:
    """Return by what it is known that an account has a transfer at a supplier: 32 bytes."""
    return mac(keys.tag, b"schuilnaam/transfer-person/v1", account, supplier)


def seal_offer(
    offered: OfferedAccount, *, code: TransferCode, keys: RegisterKeys, nonce: bytes
) -> StoredOffer:
    """Return a transfer as it will rest, prepared."""
    tag = derive_offer_tag(keys, code)
    account = as_root(offered.account)
    return StoredOffer(
        tag=tag,
        person_tag=derive_transfer_person_tag(keys, account, offered.supplier),
        sealed=seal(_offer_key(keys, code), offered, nonce=nonce, bound_to=tag),
        last_day=offered.last_day,
        stage=OfferStage.PREPARED,
    )


def open_offer(stored: StoredOffer, *, code: TransferCode, keys: RegisterKeys) -> OfferedAccount:
    """Return what a transfer offers.

    Raises:
        TransfersUnavailable: the row was changed.
    """
    return _open(stored.sealed, _offer_key(keys, code), stored.tag, OfferedAccount)


def seal_accepting(
    person: AcceptingPerson, *, tag: bytes, code: TransferCode, keys: RegisterKeys, nonce: bytes
) -> bytes:
    """Return who accepts, as it rests until a second person confirms."""
    return seal(_accept_key(keys, code), person, nonce=nonce, bound_to=tag)


def open_accepting(
    stored: StoredOffer, *, code: TransferCode, keys: RegisterKeys
) -> AcceptingPerson:
    """Return who accepts.

    Raises:
        TransfersUnavailable: the row was changed.
    """
    return _open(stored.accepting or b"", _accept_key(keys, code), stored.tag, AcceptingPerson)


_StructT = TypeVar("_StructT", bound=msgspec.Struct)


def _open(sealed: bytes, key: bytes, tag: bytes, struct: type[_StructT]) -> _StructT:
    try:
        return msgspec.json.decode(unseal(key, sealed, bound_to=tag), type=struct)
    except (UnreadableRecord, msgspec.DecodeError):
        pass  # refused below: a decoder's message may quote the record
    raise TransfersUnavailable("check_transfer_opens")


def _offer_key(keys: RegisterKeys, code: TransferCode) -> bytes:
    return expand_key(keys.seal, b"schuilnaam/transfer-offer/v1" + lp(code))


def _accept_key(keys: RegisterKeys, code: TransferCode) -> bytes:
    return expand_key(keys.seal, b"schuilnaam/transfer-accept/v1" + lp(code))
