"""Receipts: one sealed record of each release, for the pupil, the parent and the school.

A receipt names what went out and what stayed, never a value.
It is written before the answer leaves: `ReceiptLog.append` returns when it is durable, or refuses.
How receipts are chained, signed and checked is `broker.flow.receipts.receipt_chain`'s business.

Format 1 (frozen in `tests/vectors/receipts.json`):

    K          = HKDF-SHA-256(receipt key, salt = the person's salt,
                 info = "schuilnaam/receipt/v1" || lp(person root, school)), 64 bytes:
                 32 to seal, 32 to locate
    locator    = HMAC-SHA-256(K locate, "schuilnaam/receipt-locator/v1" || lp(week, supplier))
    ciphertext = 0x01 || nonce || AES-256-GCM(K seal, nonce, JSON padded to steps of 256,
                 0x01 || lp(locator, school, week))

The salt stands in the person's register row and nowhere else: when that row is deleted, nobody can
find or open that person's receipts again, while the chain over the ciphertexts stays whole. The
root is that of the account that was opened (the canonical one), so that a login with the school's
number alone is found beside those with an ECK iD.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Protocol

import msgspec

from broker.domain.ids import RelyingPartyId, SchoolId, SupplierId
from broker.domain.refusals import Refusal, WhoseTask
from broker.domain.relations import CarriedFrom
from broker.domain.release import ReleaseDecision
from broker.flow.held_state.framing import UnreadableRecord, derive_key, mac, seal, unseal
from broker.pseudonyms.derivation import PersonRoot, lp

COARSE_TIME_SECONDS = 300  # as the times that suppliers get
LOCATOR_BYTES = 32
RECEIPT_NONCE_BYTES = 12  # NIST SP 800-38D 5.2.1.1


class ReceiptsUnavailable(Refusal):
    """The log is full, closed or down: then nothing is released."""

    code = "E-RECEIPT-1"
    whose_task = WhoseTask.BROKER
    what = "We could not write down what would be shared, so nothing was shared."
    remedy = "This is our fault and we have been told. Please try again in a few minutes."
    http_status = 503
    oauth_error = "temporarily_unavailable"
    saml_status = "Responder"
    may_retry = True


class WithheldName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One attribute that was stated and stayed: its name and the reason's code."""

    name: str
    reason: str


class ReceiptContent(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What a receipt says. Names, never values.

    Attributes:
        carried_from: old schools whose agreements released, in place of one of this school's own.
        epoch: letter of the pseudonym's epoch, or "" when no pseudonym went out (transient).
        at: seconds since 1970, floored to 5 minutes.
        previous_epoch: letter of the epoch of the `previous_sub` that went out too, or "".
        released, withheld: names of attributes, sorted, so that order tells nothing.
    """

    school: SchoolId
    supplier: SupplierId
    relying_party: RelyingPartyId
    agreement_version: int
    epoch: str
    at: int
    released: tuple[str, ...]
    withheld: tuple[WithheldName, ...]
    previous_epoch: str = ""
    carried_from: tuple[CarriedFrom, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiptKeys:
    """What seals and finds one account's receipts at one school."""

    seal: bytes = field(repr=False)
    locate: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SealedReceipt:
    """A receipt as it rests: what `ReceiptLog` gets and gives."""

    locator: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)
    school: SchoolId
    week: int


class ReceiptLog(Protocol):
    """Where receipts rest. Append-only."""

    @property
    def healthy(self) -> bool:
        """False from a failed append until the next that succeeds; health then shows red."""
        ...

    async def append(self, receipt: SealedReceipt) -> None:
        """Return when the receipt is durable: it survives a power cut from then on.

        Raises:
            ReceiptsUnavailable: it is not, or nobody knows whether it is.
        """
        ...

    async def find(self, locators: Sequence[bytes]) -> list[SealedReceipt]:
        """Return the receipts with one of these locators, oldest first.

        Raises:
            ReceiptsUnavailable: the log cannot be read.
        """
        ...


def week_of(day: date) -> int:
    """Return the ISO 8601 week as year and week: what a row shows of its time.

    >>> week_of(date(2027, 1, 1))
    202653
    """
    year, week, _ = day.isocalendar()
    return year * 100 + week


def build_receipt(
    decision: ReleaseDecision,
    *,
    relying_party: RelyingPartyId,
    epoch: str,
    previous_epoch: str = "",
    now: datetime,
) -> ReceiptContent:
    """Return the receipt of one release decision.

    Args:
        epoch: of the pseudonym that goes out, or "".
        previous_epoch: of the `previous_sub` that goes out beside it, or "".
        now: aware; floored to 5 minutes.
    """
    seconds = int(now.timestamp())
    return ReceiptContent(
        school=decision.school,
        supplier=decision.supplier,
        relying_party=relying_party,
        agreement_version=decision.agreement_version,
        epoch=epoch,
        previous_epoch=previous_epoch,
        at=seconds - seconds % COARSE_TIME_SECONDS,
        released=tuple(sorted(each.name for each in decision.released)),
        withheld=tuple(
            WithheldName(each.name, each.reason)
            for each in sorted(decision.withheld, key=lambda each: each.name)
        ),
        carried_from=decision.carried_from,
    )


def derive_receipt_keys(
    receipt_key: bytes, *, root: PersonRoot, school: SchoolId, salt: bytes
) -> ReceiptKeys:
    """Return what seals and finds the receipts of one account at one school.

    Args:
        receipt_key: 32 bytes, of this purpose alone.
        root: of the account that was opened.
        salt: of the person's register row.
    """
    both = derive_key(receipt_key, b"schuilnaam/receipt/v1", root, school, salt=salt, length=64)
    return ReceiptKeys(seal=both[:32], locate=both[32:])


def derive_locator(keys: ReceiptKeys, *, week: int, supplier: SupplierId) -> bytes:
    """Return where the receipts of one week and supplier are found: 32 bytes."""
    return mac(keys.locate, b"schuilnaam/receipt-locator/v1", week.to_bytes(4, "big"), supplier)


def seal_receipt(content: ReceiptContent, *, keys: ReceiptKeys, nonce: bytes) -> SealedReceipt:
    """Return the receipt as it will rest.

    Args:
        keys: of the account at `content.school`.
        nonce: `RECEIPT_NONCE_BYTES` random bytes.
    """
    week = week_of(_day_of(content.at))
    locator = derive_locator(keys, week=week, supplier=content.supplier)
    bound_to = _place(locator, content.school, week)
    return SealedReceipt(
        locator=locator,
        ciphertext=seal(keys.seal, content, nonce=nonce, bound_to=bound_to),
        school=content.school,
        week=week,
    )


def open_receipt(receipt: SealedReceipt, *, keys: ReceiptKeys) -> ReceiptContent:
    """Return what a receipt says.

    Raises:
        UnreadableRecord: of another person or school, or changed.
    """
    plain = unseal(
        keys.seal,
        receipt.ciphertext,
        bound_to=_place(receipt.locator, receipt.school, receipt.week),
    )
    try:
        return msgspec.json.decode(plain, type=ReceiptContent)
    except msgspec.DecodeError:
        pass  # refused below: a decoder's message may quote the record
    raise UnreadableRecord


def locate_receipts(
    receipt_key: bytes,
    *,
    root: PersonRoot,
    salt: bytes,
    schools: Iterable[SchoolId],
    suppliers: Sequence[SupplierId],
    weeks: Sequence[int],
) -> Mapping[bytes, ReceiptKeys]:
    """Return every locator under which an account may have receipts, with the keys that open them.

    What `/me` and `broker` ask the log for: one locator for each school, supplier and week.
    """
    found: dict[bytes, ReceiptKeys] = {}
    for school in schools:
        keys = derive_receipt_keys(receipt_key, root=root, school=school, salt=salt)
        for supplier in suppliers:
            for week in weeks:
                found[derive_locator(keys, week=week, supplier=supplier)] = keys
    return found


async def read_receipts(
    log: ReceiptLog, located: Mapping[bytes, ReceiptKeys]
) -> list[ReceiptContent]:
    """Return an account's receipts, oldest first.

    Args:
        located: from `locate_receipts`.

    Raises:
        ReceiptsUnavailable: the log cannot be read.
        UnreadableRecord: a receipt was changed; `verify_receipts` tells which.
    """
    receipts = await log.find(list(located))
    opened = [open_receipt(each, keys=located[each.locator]) for each in receipts]
    return sorted(opened, key=lambda each: each.at)


def _place(locator: bytes, school: SchoolId, week: int) -> bytes:
    return lp(locator, school, week.to_bytes(4, "big"))


def _day_of(seconds: int) -> date:
    return datetime.fromtimestamp(seconds, tz=UTC).date()
