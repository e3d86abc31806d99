"""Rows of persons, looked up and opened, sealed and stored: between the rules and the register."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from broker.flow.held_state.framing import NONCE_BYTES, UnreadableRecord
from broker.flow.persons.person_fresh import own_account
from broker.flow.persons.person_records import (
    Change,
    FoundRecords,
    FoundWay,
    PersonRecord,
    Presented,
    as_root,
)
from broker.flow.persons.register import (
    PersonRegister,
    RegisterKeys,
    RegisterUnavailable,
    RowWrite,
    StoredRow,
    derive_tag,
    open_record,
    seal_record,
    way_root,
)
from broker.flow.persons.school_counts import Count
from broker.flow.persons.successors import (
    NO_SUCCESSION,
    OldRow,
    Succession,
    WentOn,
    is_carried_from,
    may_go_on,
    seen_from_before,
    with_suppliers_of,
)
from broker.flow.persons.supplier_counts import find_moves
from broker.pseudonyms.derivation import PersonRoot


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What was found, opened and as it rests.

    Attributes:
        old_rows: of a number that is unknown at this school: its rows at those it goes on for.
    """

    records: FoundRecords = field(repr=False)
    rows: Mapping[PersonRoot, StoredRow] = field(repr=False)
    old_rows: tuple[OldRow, ...] = ()


async def look_up(
    presented: Presented,
    *,
    register: PersonRegister,
    keys: RegisterKeys,
    succession: Succession = NO_SUCCESSION,
) -> LookedUp:
    """Return what rests of what a login presents: one look-up; two for a number that is bound
    elsewhere, more for one that went on at another school.

    Args:
        succession: what the login's school goes on for; its rows are read in the same look-up.

    Raises:
        RegisterUnavailable: the register cannot be read, or a row does not open.
    """
    old_roots = [each.root for each in succession.numbers]
    rows = await _find_rows((*presented.roots, *old_roots), register=register, keys=keys)
    eck_id = _open_row(rows, presented.eck_id, keys)
    local = _open_row(rows, presented.local, keys)
    bound = None
    old_rows: tuple[OldRow, ...] = ()
    closed = frozenset(root for root, row in rows.items() if row.is_closed)
    # Where one of them is closed, who has the number now need not be who the others knew.
    if (
        local is None
        and presented.local is not None
        and closed.isdisjoint({presented.local, *old_roots})
    ):
        before = (
            OldRow(each, _open(rows[each.root], each.root, keys), derive_tag(keys, each.root))
            for each in succession.numbers
            if each.root in rows
        )
        old_rows = tuple(each for each in before if may_go_on(each.record, local=presented.local))
    came_to = _root_carried_to(presented, local)
    went_on = None
    if came_to is not None and local is not None and presented.local is not None:
        went_on, there = await _find_went_on(presented.local, came_to, register=register, keys=keys)
        rows |= there
        if presented.eck_id is not None:
            local = seen_from_before(local, went_on, eck_id=presented.eck_id)
            closed = closed if local is not None else closed | {presented.local}
    known = old_rows[0].record if len(old_rows) == 1 else local
    other = None if known is None else _root_unless(presented.eck_id, known.bound_to)
    way = None
    if other is not None:
        way_to = _root_of_way(presented, local, keys)
        wanted = (other,) if way_to is None else (other, way_to)
        rows |= await _find_rows(wanted, register=register, keys=keys)
        bound = _open_row(rows, other, keys)
        if way_to is not None:
            way = FoundWay(way_to, derive_tag(keys, way_to), _open_row(rows, way_to, keys))
    onward = None if presented.eck_id is None else _open_row(rows, came_to, keys)
    if onward is not None and local is not None:
        onward = onward if is_carried_from(onward, _tag_of(presented, keys)) else None
        local = with_suppliers_of(local, onward)
    if presented.eck_id is not None and local is not None and local.bound_to is None:
        local = _with_suppliers_of_before(local, presented, rows, succession, keys)
    records = FoundRecords(
        eck_id,
        local,
        bound,
        onward=onward,
        onward_tag=b"" if came_to is None else derive_tag(keys, came_to),
        way=way,
        closed=closed & frozenset(presented.roots),
        reissued=presented.eck_id is None and went_on is not None and not went_on.is_same_person,
    )
    return LookedUp(records, rows, old_rows)


def _with_suppliers_of_before(
    local: PersonRecord,
    presented: Presented,
    rows: Mapping[PersonRoot, StoredRow],
    succession: Succession,
    keys: RegisterKeys,
) -> PersonRecord:
    """Return a number's row with the suppliers that came to know it at the school that it went on
    from, while the relation was taken back."""
    for each in succession.numbers:
        there = _open_row(rows, each.root, keys)
        came = is_carried_from(local, derive_tag(keys, each.root))
        if there is not None and there.carried_to == presented.local and came:
            local = with_suppliers_of(local, there)
    return local


async def _find_went_on(
    number: PersonRoot, onward: PersonRoot, *, register: PersonRegister, keys: RegisterKeys
) -> tuple[WentOn, dict[PersonRoot, StoredRow]]:
    """Return what became of a number at the last school that it went on to, and the rows there.

    Asked at this school again, after the relation was undone, the number may be another pupil's at
    either. One more look-up for each school on the way, for such numbers alone.
    """
    tag, rows = derive_tag(keys, number), dict[PersonRoot, StoredRow]()
    while True:
        rows |= await _find_rows((onward,), register=register, keys=keys)
        went_on = WentOn(_open_row(rows, onward, keys), tag)
        if went_on.record is None or went_on.record.carried_to is None:
            return went_on, rows
        onward = as_root(went_on.record.carried_to)


def _root_unless(presented: PersonRoot | None, stored: bytes | None) -> PersonRoot | None:
    return None if stored is None or stored == presented else as_root(stored)


def _root_carried_to(presented: Presented, local: PersonRecord | None) -> PersonRoot | None:
    """Return where a number went on that comes without an ECK iD, or with one that it is not
    bound to."""
    if local is None or (presented.eck_id is not None and presented.eck_id == local.bound_to):
        return None
    return _root_unless(None, local.carried_to)


def _root_of_way(
    presented: Presented, local: PersonRecord | None, keys: RegisterKeys
) -> PersonRoot | None:
    """Return where it stands to whom a number's account leads, which comes with another ECK iD."""
    if presented.eck_id is None or presented.local is None or local is None:
        return None
    return way_root(keys, own_account(presented.local, local))


def _tag_of(presented: Presented, keys: RegisterKeys) -> bytes:
    return b"" if presented.local is None else derive_tag(keys, presented.local)


async def find_records(
    roots: Sequence[PersonRoot], *, register: PersonRegister, keys: RegisterKeys
) -> dict[PersonRoot, PersonRecord]:
    """Return the records of one or two roots, those that are there.

    Raises:
        RegisterUnavailable: the register cannot be read, or a row does not open.
    """
    rows = await _find_rows(roots, register=register, keys=keys)
    return {root: _open(row, root, keys) for root, row in rows.items() if not row.is_closed}


async def store_changes(
    changes: Sequence[Change],
    rows: Mapping[PersonRoot, StoredRow],
    *,
    register: PersonRegister,
    keys: RegisterKeys,
    random: Callable[[int], bytes],
    counts: Sequence[Count] = (),
) -> bool:
    """Store what changed and count; False when another worker was first: the caller looks again.

    Args:
        rows: what each change takes the place of.

    Raises:
        CountFull: a count would go beyond its bound; nothing was stored.
        RegisterUnavailable: nobody knows whether it is stored.
    """
    if not changes and not counts:
        return True
    writes = []
    for change in changes:
        row = seal_record(change.record, root=change.root, keys=keys, nonce=random(NONCE_BYTES))
        before = rows.get(change.root)
        writes.append(
            RowWrite(
                tag=derive_tag(keys, change.root),
                sealed=row.sealed,
                school_year=row.school_year,
                life=row.life,
                replaces=None if before is None else before.sealed,
                moves=find_moves(
                    _open_row(rows, change.root, keys),
                    change.record,
                    root=change.root,
                    keys=keys,
                ),
            )
        )
    return await register.apply(writes, counts)


async def _find_rows(
    roots: Sequence[PersonRoot], *, register: PersonRegister, keys: RegisterKeys
) -> dict[PersonRoot, StoredRow]:
    tags = {derive_tag(keys, root): root for root in roots}
    return {tags[tag]: row for tag, row in (await register.find(list(tags))).items()}


def _open_row(
    rows: Mapping[PersonRoot, StoredRow], root: PersonRoot | None, keys: RegisterKeys
) -> PersonRecord | None:
    """Return the record of a root, None when the register holds none."""
    if root is None or root not in rows or rows[root].is_closed:
        return None
    return _open(rows[root], root, keys)


def _open(row: StoredRow, root: PersonRoot, keys: RegisterKeys) -> PersonRecord:
    try:
        return open_record(row, root=root, keys=keys)
    except UnreadableRecord:
        pass  # a fresh account in place of a damaged row would hide the damage
    raise RegisterUnavailable("check_register_row_opens")
