"""Which other accounts a supplier is still to be told of, in their order.

A supplier can be told one account at a time (`previous_sub`). Two reasons may wait for it at once:
a transfer from another sector, which two persons put in force until a stated day, and an account
that a join left behind (rule 11). None drives out the other: the transfer goes first, for its day
comes; then the newest join. A join that was told once makes room for the next one.

The first one stands in the fields of `SupplierSeen` itself, the others in `later`: what rested
before there was `later` reads as it did.
"""

from datetime import date

from msgspec.structs import replace

from broker.domain.ids import SupplierId
from broker.flow.persons.person_records import Announcement, PersonRecord, SupplierSeen
from broker.pseudonyms.derivation import PersonRoot


def announcements_of(seen: SupplierSeen) -> tuple[Announcement, ...]:
    """Return what a supplier is still to be told, the first one first."""
    if seen.previous is None:
        return ()
    first = Announcement(
        previous=seen.previous, until=seen.until, beside=seen.beside, told_at=seen.told_at
    )
    return (first, *seen.later)


def with_announcements(seen: SupplierSeen, told: tuple[Announcement, ...]) -> SupplierSeen:
    """Return what a supplier knows, with these to be told and no others."""
    if not told:
        return replace(seen, previous=None, until=None, beside=None, told_at=None, later=())
    first, *later = told
    return replace(
        seen,
        previous=first.previous,
        until=first.until,
        beside=first.beside,
        told_at=first.told_at,
        later=tuple(later),
    )


def announce(seen: SupplierSeen, new: Announcement) -> SupplierSeen:
    """Return what a supplier knows, with one more account to be told of."""
    others = [each for each in announcements_of(seen) if each.previous != new.previous]
    if is_transfer(new):
        return with_announcements(seen, (new, *others))
    transfers = [each for each in others if is_transfer(each)]
    joins = [
        each
        for each in others
        if not is_transfer(each) and not (each.until is not None and each.beside == new.beside)
    ]
    return with_announcements(seen, (*transfers, new, *joins))


def drop_ended(seen: SupplierSeen, *, today: date) -> SupplierSeen:
    """Return what a supplier knows, without what was to be told until a day that is over."""
    told = announcements_of(seen)
    kept = tuple(each for each in told if each.until is None or today <= each.until)
    return seen if kept == told else with_announcements(seen, kept)


def suppliers_of(
    eck: PersonRecord, account: PersonRoot, *, joined: bool
) -> dict[SupplierId, SupplierSeen]:
    """Return the suppliers that knew a number's account: all of a joined one, else those told."""
    if joined:
        return {
            supplier: with_announcements(
                each, tuple(one for one in announcements_of(each) if one.beside == account)
            )
            for supplier, each in eck.suppliers.items()
        }
    return {
        supplier: SupplierSeen(epoch=each.epoch, school=each.school)
        for supplier, each in eck.suppliers.items()
        if tells(each, account)
    }


def suppliers_without(eck: PersonRecord, account: PersonRoot) -> dict[SupplierId, SupplierSeen]:
    """Return the ECK iD's suppliers after a split; none is told of the other account any more,
    or of what was told beside that one.

    Which of a joined account's suppliers also know the ECK iD's own is known to nobody, so they
    stay with both: one that stands there too much is told nothing by it.
    """
    return {
        supplier: with_announcements(
            each,
            tuple(
                one for one in announcements_of(each) if account not in (one.previous, one.beside)
            ),
        )
        for supplier, each in eck.suppliers.items()
    }


def tells(seen: SupplierSeen, account: bytes) -> bool:
    """Tell whether a supplier is still to be told of an account."""
    return any(each.previous == account for each in announcements_of(seen))


def is_transfer(each: Announcement) -> bool:
    """Tell whether two persons put it in force, and not a join."""
    return each.told_at is None
