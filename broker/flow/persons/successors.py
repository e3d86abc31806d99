"""A person who was known at an old school logs in at the one that goes on for it.

To the rules (`person_rules`) it is as if the pupil had been at the new school all along: before
they look, the rows of the old school are read as rows of the new one.

    ECK iD   known at an old school, new at this one: what it opens there, it opens here. Nobody is
             a newcomer because the school has another name: a school that merged does not use up
             its own budget, and what waits for confirmation goes on waiting.
    number   unknown here, known at one old school whose numbers go on: the same account, bound to
             the same ECK iD. Written down at once in a row of this school, so that the relation
             can end.

A number opens nothing of before when two old schools know it (the ECK iD decides, or it is a fresh
account), when it was carried to another row already, and when nobody logged in with it since the
school year before the relation began: its owner had left, and the number may have been issued
anew. With another ECK iD than the one that it is bound to, it is re-bound and merges nothing (rules
10 and 14).

Where a number went on from, another pupil may have it once the relation is undone. So its row there
is read in the light of the one that it led to: the ECK iD that came with the number since is its
owner's, and another ECK iD re-binds it.

All is read in the login's own look-up, one statement for all roots. Only the login that carries a
number to which an ECK iD is bound and not stated makes a second one, as everywhere (`look_up`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as with_fields
from datetime import date

from msgspec.structs import replace

from broker.domain.attributes import Population
from broker.domain.identity import Identity
from broker.domain.ids import SchoolId
from broker.domain.registry import Registry
from broker.domain.relations import number_sources, predecessors
from broker.flow.persons.person_records import (
    Change,
    FoundRecords,
    Login,
    PersonEvent,
    PersonRecord,
    Presented,
    Resolved,
    SeenAt,
    as_root,
    school_year_of,
)
from broker.pseudonyms.derivation import (
    PersonRoot,
    RootKey,
    root_from_local,
    root_from_local_staff,
)


@dataclass(frozen=True, slots=True)
class OldNumber:
    """The root that the number of a login has at an old school, whose numbers go on."""

    school: SchoolId
    root: PersonRoot = field(repr=False)
    since: date


@dataclass(frozen=True, slots=True)
class Succession:
    """What the school of a login goes on for, on this day."""

    predecessors: frozenset[SchoolId] = frozenset()
    numbers: tuple[OldNumber, ...] = ()


NO_SUCCESSION = Succession()


def derive_old_roots(
    identity: Identity, registry: Registry, today: date, key: RootKey
) -> dict[SchoolId, PersonRoot]:
    """Return the roots that the stated number has at the schools whose numbers go on at this one.

    Most schools go on for none, and most logins cost nothing here.
    """
    number, population = identity.identifier, identity.population
    if number is None or population is None:
        return {}
    derive = root_from_local_staff if population is Population.STAFF else root_from_local
    return {
        each.school: derive(each.school, number, key=key)
        for each in number_sources(registry, identity.school, today)
    }


def find_succession(
    registry: Registry, school: SchoolId, today: date, old_roots: Mapping[SchoolId, bytes]
) -> Succession:
    """Return what the school of a login goes on for; nothing, without a relation in force.

    Args:
        old_roots: of `derive_old_roots`.
    """
    before = predecessors(registry, school, today)
    if not before:
        return NO_SUCCESSION
    numbers = (
        OldNumber(each.school, as_root(old_roots[each.school]), each.since)
        for each in number_sources(registry, school, today)
        if each.school in old_roots
    )
    return Succession(before, tuple(numbers))


@dataclass(frozen=True, slots=True)
class OldRow:
    """A row at an old school from which a number may go on; its tag finds it."""

    number: OldNumber
    record: PersonRecord = field(repr=False)
    tag: bytes = field(repr=False)


def may_go_on(record: PersonRecord, *, local: PersonRoot) -> bool:
    """Tell whether a number's row was not carried to another row than this one yet."""
    return record.carried_to in (None, local)


def is_carried_from(record: PersonRecord, tag: bytes) -> bool:
    """Tell whether a number's row is still that of the person whose row of before has this tag."""
    return any(tag in each.aliases for each in record.seen.values())


def with_suppliers_of(number: PersonRecord, other: PersonRecord | None) -> PersonRecord:
    """Return a number's row with the suppliers of its row at the other school of a relation.

    After a relation was taken back the number is used at the old school again, and after it was
    made once more at the new one: who knew its account must be told when it is left behind. There
    they stay: what goes on there is the same account.
    """
    if other is None or other.bound_to is not None:
        return number
    return replace(
        number,
        suppliers={**other.suppliers, **number.suppliers},
        protected=number.protected or other.protected,
    )


@dataclass(frozen=True, slots=True)
class WentOn:
    """What became of a number at the school that it went on to, as its own school asks again.

    Attributes:
        record: None when it is closed there.
        tag: of the row at its own school.
    """

    record: PersonRecord | None = field(repr=False)
    tag: bytes = field(repr=False)

    @property
    def is_same_person(self) -> bool:
        """Tell whether it is still the same person's there."""
        return self.record is not None and is_carried_from(self.record, self.tag)


def seen_from_before(
    local: PersonRecord, went_on: WentOn, *, eck_id: PersonRoot
) -> PersonRecord | None:
    """Return a number's row as a login with an ECK iD shall see it, at the school it went on from.

    Another ECK iD than the one that came with the number at the other school says that the number
    was issued anew (rules 10 and 14). None when whose it was is not known any more; nobody opens
    its account then.
    """
    if local.bound_to is not None:
        return local
    if went_on.record is None:
        return None
    if went_on.is_same_person:
        owner = went_on.record.bound_to
        return local if owner in (None, eck_id) else replace(local, bound_to=owner, held_by=owner)
    owner = went_on.record.held_by
    if owner == eck_id:
        return local
    return None if owner is None else replace(local, bound_to=owner, held_by=owner)


@dataclass(frozen=True, slots=True)
class Carried:
    """The rows as the rules shall see them, and what must be stored because of that."""

    records: FoundRecords = field(repr=False)
    changes: tuple[Change, ...] = ()
    events: tuple[PersonEvent, ...] = ()

    def complete(self, resolved: Resolved) -> Resolved:
        """Return what the rules made of it, with what they left as it was."""
        written = {each.root for each in resolved.changes}
        return with_fields(
            resolved,
            changes=(
                *resolved.changes,
                *(each for each in self.changes if each.root not in written),
            ),
            events=(*self.events, *resolved.events),
        )


def carry_over(
    presented: Presented,
    found: FoundRecords,
    *,
    old_rows: Sequence[OldRow],
    succession: Succession,
    login: Login,
) -> Carried:
    """Return the rows of a login as those of its school, whatever the school's name was before.

    Args:
        found: its `local` None, and `bound` that of the one old row, when `old_rows` are given.
        old_rows: that may go on to a number that is unknown here; several collide.
    """
    changes: list[Change] = []
    events: list[PersonEvent] = []
    eck_id, local = found.eck_id, found.local
    if eck_id is not None:
        eck_id, local = _carry_back(
            _carry_pin(eck_id, succession, login), found, eck_root=presented.eck_id, login=login
        )
    if eck_id is not None and eck_id != found.eck_id:
        events.append(PersonEvent.PIN_CARRIED)
    if presented.local is not None and local is not None and local != found.local:
        changes.append(Change(presented.local, local))
    carried = with_fields(found, eck_id=eck_id, local=local)
    if len(old_rows) > 1:
        events.append(PersonEvent.NUMBER_COLLIDES)
    elif old_rows and presented.local is not None and _is_recent(old_rows[0]):
        (old,) = old_rows
        local = _as_row_of(login.school, old)
        bound = found.bound
        if bound is not None and local.bound_to is not None and presented.eck_id is None:
            bound = _know_number(_carry_pin(bound, succession, login), local, old, login)
            changes.append(Change(as_root(local.bound_to), bound))
        carried = with_fields(found, eck_id=eck_id, local=local, bound=bound)
        changes += (
            Change(presented.local, local),
            # Suppliers stand in one row, the one that is read from now on (`person_suppliers`).
            Change(old.number.root, replace(old.record, carried_to=presented.local, suppliers={})),
        )
        events.append(PersonEvent.NUMBER_CARRIED)
    root, known = presented.eck_id, carried.eck_id
    if root is not None and known is not None and known != found.eck_id:
        changes.append(Change(root, known))
    return Carried(carried, tuple(changes), tuple(events))


def _carry_pin(record: PersonRecord, succession: Succession, login: Login) -> PersonRecord:
    """Return an ECK iD's record with what it opens at the old school pinned at this one too.

    Old schools at which it opens different accounts leave it open, as at any new school. What was
    promised there (`person_promises`) is promised here.
    """
    if login.school in record.seen:
        return record
    if not succession.predecessors.isdisjoint(record.promised):
        record = replace(record, promised=tuple(dict.fromkeys((*record.promised, login.school))))
    before = [record.seen[each] for each in sorted(record.seen.keys() & succession.predecessors)]
    before = [each for each in before if not each.objected] or before
    if not before or any(each.account != before[0].account for each in before):
        return record
    # Of several the one that says least of this pupil being confirmed.
    pinned = min(before, key=lambda each: (each.confirmed, each.held_since is None))
    seen = {**record.seen, login.school: _without_rows(pinned)}
    return replace(record, seen=seen)


def _carry_back(
    record: PersonRecord, found: FoundRecords, *, eck_root: PersonRoot | None, login: Login
) -> tuple[PersonRecord, PersonRecord | None]:
    """Return the records of an ECK iD and a number that met at the school that went on for this
    one, as they meet here again.

    There the ECK iD came to the number's own account, when that school counted as this one (rule
    9). Once the relation is taken back it would be a newcomer here, kept apart from the work that
    it opened (rule 12).
    """
    local, onward = found.local, found.onward
    if local is None or onward is None or local.bound_to is not None:
        return record, local
    there = [each for at, each in record.seen.items() if at in onward.seen and not each.objected]
    met = onward.bound_to == eck_root and any(each.account == local.account for each in there)
    if not met or login.school in record.seen:
        return record, local
    seen = {**record.seen, login.school: _without_rows(there[0])}
    return (
        replace(
            record,
            seen=seen,
            suppliers={**local.suppliers, **record.suppliers},
            protected=record.protected or local.protected,
        ),
        replace(local, salt=record.salt, bound_to=eck_root, held_by=eck_root, suppliers={}),
    )


def _without_rows(there: SeenAt) -> SeenAt:
    """Return what an ECK iD is at the old school, without the rows of numbers that it has there."""
    return replace(there, aliases=(), apart=(), ways=(), last_year=None)


def _is_recent(old: OldRow) -> bool:
    return old.record.school_year >= school_year_of(old.number.since) - 1


def _as_row_of(school: SchoolId, old: OldRow) -> PersonRecord:
    there = old.record.seen[old.number.school]
    seen = {school: replace(there, aliases=(old.tag, *there.aliases), last_year=None)}
    return replace(old.record, account=there.account, seen=seen, carried_to=None)


def _know_number(
    eck_id: PersonRecord, local: PersonRecord, old: OldRow, login: Login
) -> PersonRecord:
    """Return an ECK iD's record that knows the number's new row: erasing it must find that too.

    Where the old schools leave open what it opens, it opens what it does at the number's own: held
    if it is held there, or objected to.
    """
    here = eck_id.seen.get(login.school)
    if here is None:
        there = eck_id.seen.get(old.number.school, local.seen[login.school])
        here = _without_rows(there)
    here = replace(here, aliases=tuple(dict.fromkeys((*here.aliases, login.local_tag))))
    return replace(eck_id, seen={**eck_id.seen, login.school: here})
