"""Rows of persons, looked up and opened, sealed and stored: between the rules and the register."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from broker.flow.framing import NONCE_BYTES, UnreadableRecord
from broker.flow.person_records import Change, FoundRecords, PersonRecord, Presented, as_root
from broker.flow.register import (
    PersonRegister,
    RegisterKeys,
    RegisterUnavailable,
    RowWrite,
    StoredRow,
    derive_tag,
    open_record,
    seal_record,
)
from broker.flow.school_counts import Count
from broker.flow.supplier_counts import find_moves
from broker.pseudonyms.derivation import PersonRoot


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What was found, opened and as it rests."""

    records: FoundRecords = field(repr=False)
    rows: Mapping[PersonRoot, StoredRow] = field(repr=False)


async def look_up(
    presented: Presented, *, register: PersonRegister, keys: RegisterKeys
) -> LookedUp:
    """Return what rests of what a login presents: one look-up, two for a number bound elsewhere.

    Raises:
        RegisterUnavailable: the register cannot be read, or a row does not open.
    """
    rows = await _find_rows(presented.roots, register=register, keys=keys)
    eck_id = _open_row(rows, presented.eck_id, keys)
    local = _open_row(rows, presented.local, keys)
    bound = None
    if local is not None and local.bound_to is not None:
        other = as_root(local.bound_to)
        if other != presented.eck_id:
            rows |= await _find_rows((other,), register=register, keys=keys)
            bound = _open_row(rows, other, keys)
    return LookedUp(FoundRecords(eck_id, local, bound), rows)


async def find_records(
    roots: Sequence[PersonRoot], *, register: PersonRegister, keys: RegisterKeys
) -> dict[PersonRoot, PersonRecord]:
    """Return the records of one or two roots, those that are there.

    Raises:
        RegisterUnavailable: the register cannot be read, or a row does not open.
    """
    rows = await _find_rows(roots, register=register, keys=keys)
    return {root: _open(row, root, keys) for root, row in rows.items()}


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
                replaces=None if before is None else before.sealed,
                moves=find_moves(
                    None if before is None else _open(before, change.root, keys),
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
    return None if root is None or root not in rows else _open(rows[root], root, keys)


def _open(row: StoredRow, root: PersonRoot, keys: RegisterKeys) -> PersonRecord:
    try:
        return open_record(row, root=root, keys=keys)
    except UnreadableRecord:
        pass  # a fresh account in place of a damaged row would hide the damage
    raise RegisterUnavailable("check_register_row_opens")
