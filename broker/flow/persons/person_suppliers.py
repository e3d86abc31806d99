"""Which suppliers know a person, and by what: noted before a pseudonym leaves.

They stand in one row, the *holder's*: the row of the account's root, or, when that root is a
school's own number that is bound to an ECK iD, the row of that ECK iD; a number that was carried
to another school is there. So whoever has an account's root finds them: `find_holder`. A number
that was issued anew keeps `held_by`: its account stays with the ECK iD that it was joined to,
whoever has the number now. When that one is erased the number's row goes, and where it led stands
in a row of its own (`register.way_root`).

Noted at the first login at a supplier and when something of it changes; the daily login costs no
write. A page may still keep the pseudonym from leaving: a supplier that stands here may know it,
one that does not stand here does not.
"""

from dataclasses import dataclass, field
from dataclasses import replace as replace_fields
from datetime import date, timedelta

from msgspec.structs import replace

from broker.domain.ids import SchoolId, SupplierId
from broker.flow.persons.announcements import announcements_of, drop_ended, with_announcements
from broker.flow.persons.person_fresh import accounts_of, is_closed_to
from broker.flow.persons.person_records import (
    Change,
    FoundRecords,
    PersonRecord,
    Presented,
    Resolved,
    SupplierSeen,
    as_root,
)
from broker.flow.persons.person_rows import find_records
from broker.flow.persons.register import PersonRegister, RegisterKeys, way_root
from broker.pseudonyms.derivation import PersonRoot


@dataclass(frozen=True, slots=True)
class Visit:
    """To which supplier a login goes.

    Attributes:
        epoch: letter of the pseudonym that it will get.
        window_open: whether this supplier's key is being rotated: other announcements wait.
        told_days: for how long it is told of an account that was left behind.
        chosen: which of several schools the person chose for it just now; None when none was.
    """

    supplier: SupplierId
    epoch: str
    window_open: bool = False
    told_days: int = 365
    chosen: SchoolId | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """The row in which a person's suppliers stand."""

    root: PersonRoot = field(repr=False)
    record: PersonRecord = field(repr=False)


def note_visit(
    presented: Presented,
    found: FoundRecords,
    resolved: Resolved,
    *,
    visit: Visit,
    today: date,
    here: frozenset[SchoolId],
) -> tuple[Resolved, PersonRoot | None]:
    """Return what to store, now with this visit, and the account to tell of as `previous_sub`.

    Args:
        resolved: what `resolve_person` made of `found`.
        here: the school of the login, under all names that count as its own.
    """
    before = _holder_of(presented, found)
    written = {change.root: change.record for change in resolved.changes}
    holder = Holder(before, written.get(before) or _found_under(before, presented, found))
    known = holder.record.suppliers.get(visit.supplier)
    seen = SupplierSeen(epoch=visit.epoch) if known is None else replace(known, epoch=visit.epoch)
    if visit.chosen is not None:
        seen = replace(seen, school=visit.chosen)
    previous = None
    if not visit.window_open:
        seen, previous = _tell(
            drop_ended(seen, today=today),
            account=resolved.account,
            here=here,
            until=today + timedelta(days=visit.told_days),
        )
    if seen == known:
        return resolved, previous
    suppliers = {**holder.record.suppliers, visit.supplier: seen}
    change = Change(holder.root, replace(holder.record, suppliers=suppliers))
    others = tuple(each for each in resolved.changes if each.root != holder.root)
    return (
        replace_fields(resolved, changes=(change, *others)),
        previous,
    )


def _tell(
    seen: SupplierSeen, *, account: PersonRoot, here: frozenset[SchoolId], until: date
) -> tuple[SupplierSeen, PersonRoot | None]:
    """Return of which account a supplier is told beside this one, and until when from now on.

    Args:
        until: last day of one that was not told before.
    """
    told = announcements_of(seen)
    for index, each in enumerate(told):
        told_here = each.told_at is None or each.told_at in here
        if told_here and each.beside in (None, account):
            dated = replace(each, until=each.until or until)
            previous = None if dated.previous == account else as_root(dated.previous)
            return (
                with_announcements(seen, (*told[:index], dated, *told[index + 1 :])),
                previous,
            )
    return seen, None


async def find_holder(
    account: PersonRoot,
    *,
    register: PersonRegister,
    keys: RegisterKeys,
    supplier: SupplierId | None = None,
) -> Holder | None:
    """Return the row in which the suppliers of an account stand; None when nothing rests of it.

    Args:
        account: the root that pseudonyms are derived from.
        supplier: as `holder_root`.

    Raises:
        RegisterUnavailable: the register cannot be read, or a row does not open.
    """
    at, onward = await _find_row(account, register=register, keys=keys), account
    if at is not None and is_closed_to(account, at.record):
        at = None
    while at is not None:
        onward = holder_root(at.root, at.record, supplier=supplier)
        if onward == at.root:
            return at
        found = await _find_row(onward, register=register, keys=keys)
        if found is None:
            break
        at = found
    for each in (account, onward):
        way = await _find_row(way_root(keys, each), register=register, keys=keys)
        if way is not None and way.record.held_by is not None:
            to = await _find_row(as_root(way.record.held_by), register=register, keys=keys)
            if to is not None and account in accounts_of(to.record):
                return to
    return at


async def _find_row(
    root: PersonRoot, *, register: PersonRegister, keys: RegisterKeys
) -> Holder | None:
    record = (await find_records((root,), register=register, keys=keys)).get(root)
    return None if record is None else Holder(root, record)


def holder_root(
    account: PersonRoot, record: PersonRecord, *, supplier: SupplierId | None
) -> PersonRoot:
    """Return the root in whose row the suppliers of an account stand, or on the way there.

    Args:
        record: of the account's own row. When it leads to another one, that one may lead on: from
            the number at an old school to that at the new one, and from there to an ECK iD.
        supplier: who is looked for. One that stands here is not looked for elsewhere: it came after
            the relation by which the number went on was taken back.
    """
    if supplier in record.suppliers:
        return account
    stored = record.bound_to if record.held_by is None else record.held_by
    stored = record.carried_to if stored is None else stored
    return account if stored is None else as_root(stored)


async def find_supplier_seen(
    account: PersonRoot, *, supplier: SupplierId, register: PersonRegister, keys: RegisterKeys
) -> SupplierSeen | None:
    """Return what a supplier knows of the person with this account; None when nothing.

    Raises:
        RegisterUnavailable: as `find_holder`.
    """
    holder = await find_holder(account, register=register, keys=keys, supplier=supplier)
    return None if holder is None else holder.record.suppliers.get(supplier)


def holder_found(presented: Presented, found: FoundRecords) -> Holder | None:
    """Return the row in which the suppliers of a login's person stand; None when there is none."""
    root = _holder_of(presented, found)
    record = _record_under(root, presented, found)
    return None if record is None else Holder(root, record)


def _holder_of(presented: Presented, found: FoundRecords) -> PersonRoot:
    """Return the holder's root of a login: the ECK iD's, presented or bound, else the number's."""
    if presented.eck_id is None and found.local is not None and found.bound is not None:
        return as_root(found.local.bound_to or b"")
    return presented.roots[0]


def _found_under(root: PersonRoot, presented: Presented, found: FoundRecords) -> PersonRecord:
    """Return the holder's record as it was found; there is one when nothing of it is written."""
    record = _record_under(root, presented, found)
    if record is None:
        raise ValueError("a login's holder was found or is written")
    return record


def _record_under(
    root: PersonRoot, presented: Presented, found: FoundRecords
) -> PersonRecord | None:
    if root not in presented.roots:
        return found.bound
    return found.eck_id if root == presented.eck_id else found.local
