"""Carrying out a plan about one person: prepared by one operator, confirmed by another.

A prepared action holds the rows as they shall rest, sealed, and marks of those that must be there;
so whoever confirms needs no number, and what a login changed meanwhile stops it:

    parameters[tag] = mark "/" sealed row "/" school year "/" moves in suppliers' counts

in hexadecimal digits; an empty sealed row deletes. What a school's list says goes without people:
`broker.flow.persons.listed_moves`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from broker.flow.held_state.framing import NONCE_BYTES
from broker.flow.operators.operator_refusals import PreparedUnreadable
from broker.flow.operators.two_persons import Action
from broker.flow.persons.person_plans import OpenedPerson, Plan
from broker.flow.persons.person_records import Presented, as_root
from broker.flow.persons.person_rows import look_up
from broker.flow.persons.register import (
    PersonRegister,
    RegisterKeys,
    RowRewrite,
    StoredRow,
    SupplierMove,
    derive_tag,
    mark_of,
    open_record,
    seal_record,
)
from broker.flow.persons.supplier_counts import find_moves

MAX_ATTEMPTS = 8
PERSON_CHANGES = frozenset(
    {
        *(Action.OBJECT_TRANSFER, Action.CONFIRM_TRANSFER, Action.WITHDRAW_OBJECTION),
        *(Action.PROTECT_PERSON, Action.UNPROTECT_PERSON),
        *(Action.SPLIT_PERSON, Action.UNDO_JOIN, Action.JOIN_PERSON, Action.BEGIN_ANEW),
    }
)
"""Actions of two persons that put a person's rows in place of others."""


@dataclass(frozen=True, slots=True)
class PlanPorts:
    """Where rows rest, and what seals them."""

    register: PersonRegister
    keys: RegisterKeys = field(repr=False)
    random: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """A plan with the rows that it takes the place of."""

    plan: Plan
    rewrites: tuple[RowRewrite, ...] = field(repr=False)


async def plan_change(
    presented: Presented, decide: Callable[[OpenedPerson], Plan], *, ports: PlanPorts
) -> PlannedChange:
    """Return what a decision changes, sealed, and against what it was made.

    Of a number alone the ECK iD that it is bound to is looked up too.

    Raises:
        Refusal: of `decide`.
        RegisterUnavailable: the register cannot be read.
    """
    looked_up = await look_up(presented, register=ports.register, keys=ports.keys)
    found, rows = looked_up.records, looked_up.rows
    eck_root, eck = presented.eck_id, found.eck_id
    if eck_root is None and found.local is not None and found.local.bound_to is not None:
        eck_root, eck = as_root(found.local.bound_to), found.bound
    plan = decide(OpenedPerson(eck_root, eck, presented.local, found.local, found))
    known = {
        root: open_record(row, root=root, keys=ports.keys)
        for root, row in rows.items()
        if not row.is_closed
    }
    rewrites = []
    for change in plan.changes:
        row = seal_record(
            change.record, root=change.root, keys=ports.keys, nonce=ports.random(NONCE_BYTES)
        )
        tag = derive_tag(ports.keys, change.root)
        before = rows.get(change.root) or await _row_under(tag, ports=ports)
        moves = find_moves(known.get(change.root), change.record, root=change.root, keys=ports.keys)
        rewrites.append(RowRewrite(tag, _mark(before), row, moves))
    return PlannedChange(plan, tuple(rewrites))


async def _row_under(tag: bytes, *, ports: PlanPorts) -> StoredRow | None:
    return (await ports.register.find([tag])).get(tag)


def _mark(row: StoredRow | None) -> bytes:
    return mark_of(None if row is None else row.sealed)


def write_rewrites(rewrites: Sequence[RowRewrite]) -> dict[str, str]:
    """Return a prepared action's parameters: keyed tags and sealed rows, no value of a person."""
    return {each.tag.hex(): _write_one(each) for each in rewrites}


def read_rewrites(parameters: Mapping[str, str]) -> list[RowRewrite]:
    """Return the rows that a confirmed action names.

    Raises:
        PreparedUnreadable: they are not in that form.
    """
    try:
        return [_read_one(bytes.fromhex(tag), text) for tag, text in parameters.items()]
    except (ValueError, msgspec.DecodeError):
        raise PreparedUnreadable("check_names_rows") from None


def _write_one(each: RowRewrite) -> str:
    row = each.row or StoredRow(b"", 0)
    moves = msgspec.json.encode(each.moves)
    parts = (each.mark.hex(), row.sealed.hex(), str(row.school_year), moves.hex(), row.life.hex())
    return "/".join(parts)


def _read_one(tag: bytes, text: str) -> RowRewrite:
    mark, sealed, year, moves, *life = text.split("/")  # prepared before rows had one: none
    return RowRewrite(
        tag=tag,
        mark=bytes.fromhex(mark),
        row=_row(sealed, year, "".join(life)) if sealed else None,
        moves=msgspec.json.decode(bytes.fromhex(moves), type=tuple[SupplierMove, ...]),
    )


def _row(sealed: str, year: str, life: str) -> StoredRow:
    return StoredRow(bytes.fromhex(sealed), int(year), bytes.fromhex(life))
