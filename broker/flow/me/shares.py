"""What was shared with whom, in the order in which people ask: by supplier, then by day.

Pure: from opened receipts to what a page shows. Names of attributes and suppliers' ids; words are
the page's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from broker.domain.ids import RelyingPartyId, SchoolId, SupplierId
from broker.domain.relations import CarriedFrom
from broker.flow.me.own_receipts import OpenedReceipt


@dataclass(frozen=True, slots=True)
class DecisionRef:
    """Which decision of which school let something out.

    Attributes:
        carried_from: where it was made of decisions of schools that went on as this one.
    """

    school: SchoolId
    supplier: SupplierId
    version: int
    carried_from: tuple[CarriedFrom, ...] = ()


@dataclass(frozen=True, slots=True)
class SharedDay:
    """One day at one supplier.

    Attributes:
        times: of each release, floored to 5 minutes.
        names: of attributes that went out that day, sorted.
        systems: of the supplier that were told.
    """

    day: date
    times: tuple[datetime, ...]
    names: tuple[str, ...]
    decisions: tuple[DecisionRef, ...]
    systems: tuple[RelyingPartyId, ...]


@dataclass(frozen=True, slots=True)
class SharedChange:
    """From a day on other attributes went out than before.

    Attributes:
        more, less: names of attributes.
    """

    day: date
    more: tuple[str, ...]
    less: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SupplierShare:
    """What one supplier was told in one school year.

    Attributes:
        names: of attributes that went out at the last release.
        kept: of those that the login stated then and that stayed at school.
        pseudonyms: by which the supplier was told of this person, the last one first.
        days: the last one first.
        without_name: whether it was told at least once without any pseudonym.
    """

    supplier: SupplierId
    names: tuple[str, ...]
    kept: tuple[str, ...]
    decision: DecisionRef
    pseudonyms: tuple[str, ...] = field(repr=False)
    days: tuple[SharedDay, ...] = field(repr=False)
    changes: tuple[SharedChange, ...] = ()
    without_name: bool = False

    @property
    def count(self) -> int:
        """Return how many releases there were."""
        return sum(len(each.times) for each in self.days)

    @property
    def last(self) -> datetime:
        """Return when the last one was."""
        return self.days[0].times[-1]


def arrange_shares(receipts: Sequence[OpenedReceipt]) -> tuple[SupplierShare, ...]:
    """Return what each supplier was told, the one that was told last first.

    Args:
        receipts: oldest first.
    """
    by_supplier: dict[SupplierId, list[OpenedReceipt]] = {}
    for each in receipts:
        by_supplier.setdefault(each.content.supplier, []).append(each)
    shares = [_share_of(supplier, found) for supplier, found in by_supplier.items()]
    return tuple(sorted(shares, key=lambda each: each.last, reverse=True))


def decision_of(receipt: OpenedReceipt) -> DecisionRef:
    """Return which decision let a release out."""
    content = receipt.content
    return DecisionRef(
        content.school, content.supplier, content.agreement_version, content.carried_from
    )


def _share_of(supplier: SupplierId, receipts: Sequence[OpenedReceipt]) -> SupplierShare:
    newest_first = list(reversed(receipts))
    last = newest_first[0]
    named = (name for each in newest_first for name in (each.pseudonym, each.previous))
    return SupplierShare(
        supplier=supplier,
        names=last.content.released,
        kept=tuple(each.name for each in last.content.withheld),
        decision=decision_of(last),
        pseudonyms=tuple(dict.fromkeys(str(name) for name in named if name is not None)),
        days=tuple(_days_of(receipts))[::-1],
        changes=tuple(_changes_of(receipts))[::-1],
        without_name=any(not each.content.epoch for each in receipts),
    )


def _days_of(receipts: Sequence[OpenedReceipt]) -> Iterator[SharedDay]:
    by_day: dict[date, list[OpenedReceipt]] = {}
    for each in receipts:
        by_day.setdefault(each.day, []).append(each)
    for day, found in by_day.items():
        yield SharedDay(
            day,
            times=tuple(each.at for each in found),
            names=tuple(sorted({name for each in found for name in each.content.released})),
            decisions=tuple(dict.fromkeys(map(decision_of, found))),
            systems=tuple(dict.fromkeys(each.content.relying_party for each in found)),
        )


def _changes_of(receipts: Sequence[OpenedReceipt]) -> Iterator[SharedChange]:
    """Yield what changed at one system from one release to the next: another system of the same
    supplier may ask for less each time."""
    last: dict[RelyingPartyId, set[str]] = {}
    for each in receipts:
        has = set(each.content.released)
        had = last.setdefault(each.content.relying_party, has)
        if had != has:
            yield SharedChange(each.day, tuple(sorted(has - had)), tuple(sorted(had - has)))
        last[each.content.relying_party] = has
