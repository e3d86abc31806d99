"""The receipts of one person at one school, found, opened and put in order.

A locator stands for one account, school, supplier and week (`broker.flow.receipts.receipts`), so
looking costs as many of them. A school year at a time, and only suppliers that the person's row
names, or that may be told without a pseudonym and then stand in no row: with 25 suppliers 1,300
locators, in three questions.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from broker.domain.dutch_days import NETHERLANDS
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.held_state.framing import UnreadableRecord
from broker.flow.me.me_refusals import ReceiptsNotShown
from broker.flow.persons.person_reading import ReadableAccount, ReadPerson
from broker.flow.persons.person_records import SCHOOL_YEAR_FIRST_MONTH, school_year_of
from broker.flow.receipts.receipts import (
    ReceiptContent,
    ReceiptKeys,
    ReceiptLog,
    ReceiptsUnavailable,
    derive_locator,
    derive_receipt_keys,
    open_receipt,
    week_of,
)
from broker.pseudonyms.derivation import Pseudonym, derive_pseudonym
from broker.pseudonyms.epochs import PairwiseKeys

DAYS_A_WEEK = 7


@dataclass(frozen=True, slots=True)
class OpenedReceipt:
    """One release: what its receipt says, and under which name.

    Attributes:
        at: aware, in the Netherlands; floored to 5 minutes.
        pseudonym: None when none went out, or when its key is gone.
        previous: the one of before that went out beside it, as far as it can still be told.
    """

    content: ReceiptContent = field(repr=False)
    at: datetime
    pseudonym: Pseudonym | None = field(default=None, repr=False)
    previous: Pseudonym | None = field(default=None, repr=False)

    @property
    def day(self) -> date:
        return self.at.date()


@dataclass(frozen=True, slots=True)
class OwnReceipts:
    """The receipts of one school year, oldest first.

    Attributes:
        unreadable: how many there are that do not open: changed since they were written.
    """

    year: int
    receipts: tuple[OpenedReceipt, ...] = field(repr=False)
    unreadable: int = 0


def weeks_of_year(year: int, *, today: date) -> tuple[int, ...]:
    """Return the ISO weeks of the school year that began in `year`, up to today.

    >>> weeks = weeks_of_year(2026, today=date(2027, 12, 1))
    >>> weeks[0], weeks[-1], len(weeks)
    (202631, 202730, 53)
    """
    first = date(year, SCHOOL_YEAR_FIRST_MONTH, 1)
    last = min(date(year + 1, SCHOOL_YEAR_FIRST_MONTH, 1) - timedelta(days=1), today)
    days = range(0, (last - first).days + DAYS_A_WEEK, DAYS_A_WEEK)
    return tuple(dict.fromkeys(week_of(min(first + timedelta(days=each), last)) for each in days))


async def read_own_receipts(
    person: ReadPerson,
    *,
    year: int,
    suppliers: Iterable[SupplierId],
    receipts: ReceiptLog,
    receipt_key: bytes,
    pairwise: PairwiseKeys,
    today: date,
) -> OwnReceipts:
    """Return what was shared of a person in one school year.

    Args:
        suppliers: where to look besides those that the person's row names.

    Raises:
        ReceiptsNotShown: the log cannot be read.
    """
    located = _locate(
        person,
        sorted(person.suppliers.union(suppliers)),
        weeks_of_year(year, today=today),
        receipt_key=receipt_key,
    )
    try:
        sealed = await receipts.find(list(located)) if located else []
    except ReceiptsUnavailable:
        raise ReceiptsNotShown("check_receipts_readable") from None
    namer = _Namer(pairwise)
    opened: list[OpenedReceipt] = []
    unreadable = 0
    for each in sealed:
        account, keys = located[each.locator]
        try:
            content = open_receipt(each, keys=keys)
        except UnreadableRecord:
            unreadable += 1
            continue
        at = datetime.fromtimestamp(content.at, tz=UTC).astimezone(NETHERLANDS)
        if school_year_of(at.date()) == year:  # the first and the last week are of two years
            opened.append(namer.name(content, account, at=at))
    opened.sort(key=lambda each: each.at)
    return OwnReceipts(year, tuple(opened), unreadable)


def _locate(
    person: ReadPerson,
    suppliers: Sequence[SupplierId],
    weeks: Sequence[int],
    *,
    receipt_key: bytes,
) -> Mapping[bytes, tuple[ReadableAccount, ReceiptKeys]]:
    """Return under what this person may have receipts, with what opens them."""
    return {
        derive_locator(keys, week=week, supplier=supplier): (account, keys)
        for account, keys in _keys_of(person.accounts, person.schools, receipt_key)
        for supplier in suppliers
        for week in weeks
    }


def _keys_of(
    accounts: Sequence[ReadableAccount], schools: Sequence[SchoolId], receipt_key: bytes
) -> Iterator[tuple[ReadableAccount, ReceiptKeys]]:
    for account in accounts:
        for school in schools:
            yield (
                account,
                derive_receipt_keys(
                    receipt_key, root=account.root, school=school, salt=account.salt
                ),
            )


class _Namer:
    """Derives the pseudonyms that receipts name, each once; none that no receipt names."""

    def __init__(self, pairwise: PairwiseKeys) -> None:
        self._pairwise = pairwise
        self._made: dict[tuple[bytes, SupplierId, str], Pseudonym] = {}

    def name(
        self, content: ReceiptContent, account: ReadableAccount, *, at: datetime
    ) -> OpenedReceipt:
        epoch, before = content.epoch, content.previous_epoch
        # Of the same epoch it was another account's, which the receipt does not name.
        return OpenedReceipt(
            content,
            at,
            pseudonym=self._derive(content.supplier, account, epoch),
            previous=None if before == epoch else self._derive(content.supplier, account, before),
        )

    def _derive(
        self, supplier: SupplierId, account: ReadableAccount, epoch: str
    ) -> Pseudonym | None:
        if epoch not in self._pairwise:
            return None
        wanted = (account.root, supplier, epoch)
        if wanted not in self._made:
            key = self._pairwise.by_letter[epoch]
            self._made[wanted] = derive_pseudonym(account.root, supplier=supplier, key=key)
        return self._made[wanted]
