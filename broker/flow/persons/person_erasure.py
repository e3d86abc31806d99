"""Everything that rests of one person, and its deletion."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from broker.domain.ids import SchoolId, SupplierId
from broker.flow.persons.person_fresh import accounts_of
from broker.flow.persons.person_records import PersonRecord, Presented, as_root
from broker.flow.persons.person_rows import find_records
from broker.flow.persons.register import (
    PersonRegister,
    RegisterKeys,
    SupplierMove,
    derive_tag,
    mark_of,
)
from broker.flow.persons.successors import is_carried_from
from broker.flow.persons.supplier_counts import find_moves
from broker.pseudonyms.derivation import PersonRoot


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """Everything that rests of one person, without opening it to whoever holds this.

    Attributes:
        rows: by tag, the `mark_of` what rests under it.
        roots: all that are known: what was presented, what it is bound to, and the accounts.
        schools: those that stated what was presented, or the ECK iD it is bound to; or signed for
            it in a take-over, which answered for it.
        suppliers: that know this person.
        moves: out of the counts of suppliers.
        closes: of `rows`, those where `CLOSED` stands afterwards
            (`broker.flow.persons.person_fresh`).
    """

    rows: Mapping[bytes, bytes] = field(repr=False)
    roots: frozenset[PersonRoot] = field(repr=False)
    schools: frozenset[SchoolId] = field(repr=False)
    suppliers: frozenset[SupplierId] = field(repr=False)
    moves: tuple[SupplierMove, ...] = field(repr=False)
    closes: frozenset[bytes] = field(repr=False)


async def find_person(
    presented: Presented, *, register: PersonRegister, keys: RegisterKeys
) -> FoundPerson:
    """Return what rests of a person: what is presented, its ECK iD, and all numbers bound to that.

    Who is presented by a school's number alone is found with the ECK iD it is bound to.

    Raises:
        RegisterUnavailable: the register cannot be read.
    """
    records = await _find_kin(presented, register=register, keys=keys)
    roots = {*presented.roots, *records}
    aliases = {
        tag for each in records.values() for seen in each.seen.values() for tag in seen.aliases
    }
    tags = {root: derive_tag(keys, root) for root in roots}
    of_eck_ids = {presented.eck_id, *(each.bound_to for each in records.values())}
    open_again = {
        tags[root]
        for root in roots
        if root in of_eck_ids and not (root in records and _stays_closed(records[root]))
    }
    ways = {tag for each in records.values() for seen in each.seen.values() for tag in seen.ways}
    open_again |= ways  # as with a fresh account: no login presents what they stand for
    accounts = {account for each in records.values() for account in accounts_of(each)}
    others = accounts - records.keys()
    open_again |= await _find_account_rows(others, register=register, keys=keys)
    rows = await _mark_rows(aliases.union(ways, tags.values()), register=register)
    there_are = {tag for tag, mark in rows.items() if mark != mark_of(None)}
    return FoundPerson(
        rows=rows,
        closes=frozenset(there_are - open_again),
        roots=frozenset({*roots, *accounts}),
        schools=frozenset(
            school for each in records.values() for school in (*each.seen, *each.promised)
        ),
        suppliers=frozenset(name for each in records.values() for name in each.suppliers),
        moves=tuple(
            move
            for root, each in records.items()
            for move in find_moves(each, replace(each, suppliers={}), root=root, keys=keys)
        ),
    )


def _stays_closed(record: PersonRecord) -> bool:
    """Tell whether an ECK iD's own account is not to be opened any more: more than one pupil may
    have used it, or the pupil was protected. With the row goes the protection, and the next school
    to state this ECK iD would open what suppliers kept without anybody being asked."""
    return record.protected or _was_parted(record)


def _was_parted(record: PersonRecord) -> bool:
    """Tell whether more than one pupil may have used an ECK iD's account: people parted something
    from it, or it began anew after that."""
    joined = None if record.join is None else record.join.account
    return record.own is not None or any(
        seen.objected
        or seen.objected_by is not None  # taken back since, as what waited in vain
        or seen.in_vain
        or seen.apart
        or seen.account not in (record.account, joined)
        for seen in record.seen.values()
    )


async def _find_account_rows(
    accounts: Iterable[PersonRoot], *, register: PersonRegister, keys: RegisterKeys
) -> set[bytes]:
    """Return the tags of rows that only lead from a fresh account to who opens it: no login
    presents such a root, so nobody can open it anew."""
    found: set[bytes] = set()
    for account in accounts:
        record = (await find_records((account,), register=register, keys=keys)).get(account)
        if record is not None and not record.seen:
            found.add(derive_tag(keys, account))
    return found


async def _find_kin(
    presented: Presented, *, register: PersonRegister, keys: RegisterKeys
) -> dict[PersonRoot, PersonRecord]:
    """Return the records of what is presented, of the ECK iD that a number alone is bound to, and
    of the number at schools that it was carried to, as far as it stayed this person's."""
    found: dict[PersonRoot, PersonRecord] = {}
    waiting = [(root, b"") for root in presented.roots]
    while waiting:
        root, came_from = waiting.pop()
        if root in found:
            continue
        record = (await find_records((root,), register=register, keys=keys)).get(root)
        if record is None or (came_from and not is_carried_from(record, came_from)):
            continue
        found[root] = record
        if record.carried_to is not None:
            waiting.append((as_root(record.carried_to), derive_tag(keys, root)))
        if presented.eck_id is None and record.bound_to is not None:
            waiting.append((as_root(record.bound_to), b""))
    return found


async def erase_person(
    presented: Presented, *, register: PersonRegister, keys: RegisterKeys
) -> int:
    """Delete every row of a person at once and return how many there were.

    With the rows goes the salt, so nobody finds or opens this person's receipts again.

    Raises:
        PersonChanged: a login wrote meanwhile, so nothing was deleted.
        RegisterUnavailable: nobody knows whether they are gone; erase again.
    """
    found = await find_person(presented, register=register, keys=keys)
    return await register.erase(found.rows, found.moves, closes=found.closes)


async def _mark_rows(tags: Iterable[bytes], *, register: PersonRegister) -> dict[bytes, bytes]:
    """Return the `mark_of` each row: two tags in one look-up, as a login asks."""
    ordered = sorted(tags)
    marks = dict.fromkeys(ordered, mark_of(None))
    for start in range(0, len(ordered), 2):
        rows = await register.find(ordered[start : start + 2])
        marks |= {tag: mark_of(row.sealed) for tag, row in rows.items()}
    return marks
