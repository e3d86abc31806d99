"""Schools that merge, split or get another BRIN: what of the old school goes on at the new one.

A relation holds from its first day to its last, and only then does anything here look through it.
Chains are followed: what came to a school by one relation goes on by the next.

Agreements. Until the new school has its own agreement with a supplier, those of the old schools
hold, and nothing is widened: of several schools only what *all* of them approved goes out, so a
supplier that one of them had no agreement with gets nobody. Another choice is for the new school
to make, and stands in the relation (`agreements_of`), or in an agreement of its own. What a school
decided goes before what a board decided, also when it is carried: else a board's wider agreement
would widen what the old school narrowed.

Numbers. A school's number names a pupil at that school alone, so it goes on only where the school
says that the same numbers go on (`numbers`). After a split both schools could issue the same
number, and whoever came first would get the account of whoever had it before; so numbers go on at
one of them, and at the other one only the ECK iD tells who a pupil is.

BRINs. The old ones may be stated by the new schools' logins for a while; as long as the old school
is one of the same login, its own BRIN still means the old school.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any

from msgspec.structs import replace

from broker.domain.agreements import Agreement, GroupRule, NoticeMode
from broker.domain.federation import Relation, School
from broker.domain.ids import Brin, SchoolId, SupplierId
from broker.domain.registry import Registry


@dataclass(frozen=True, slots=True)
class CarriedFrom:
    """An old school, and which version of an agreement that held there is carried."""

    school: SchoolId
    version: int


@dataclass(frozen=True, slots=True)
class AgreementFound:
    """The agreement that counts for a school, in force or not.

    Attributes:
        agreement: in the name of the school itself, or of its board. Carried from several schools
            its version is the sum of theirs, which grows with each of them.
        carried_from: what it was made of; empty when it is the school's or its board's own.
    """

    agreement: Agreement
    carried_from: tuple[CarriedFrom, ...] = ()

    def is_version(
        self, version: int, *, by_board: bool | None, carried_from: Sequence[CarriedFrom]
    ) -> bool:
        """Tell whether a decision was made by this agreement in this version.

        Args:
            by_board: the board signed it; None: the decision does not say.
        """
        agreement = self.agreement
        return (
            agreement.version == version
            and by_board in (None, agreement.school is None)
            and tuple(carried_from) == self.carried_from
        )


@dataclass(frozen=True, slots=True)
class NumberSource:
    """An old school whose numbers go on, and the day from which they do so elsewhere."""

    school: SchoolId
    since: date


def relation_into(registry: Registry, school: SchoolId, today: date) -> Relation | None:
    """Return the relation that leads to a school on this day; there is at most one."""
    for each in registry.relations_into.get(school, ()):
        if each.is_in_force(today):
            return each
    return None


def predecessors(registry: Registry, school: SchoolId, today: date) -> frozenset[SchoolId]:
    """Return the schools that count as this one, besides itself: those it goes on for, and theirs.

    A pupil who is known at one of them is no newcomer here.

    Args:
        today: the day in the Netherlands.
    """
    found: set[SchoolId] = set()
    waiting = [school]
    while waiting:
        relation = relation_into(registry, waiting.pop(), today)
        for old in () if relation is None else relation.old:
            if old not in found and old != school:
                found.add(old)
                waiting.append(old)
    return frozenset(found)


def successor(registry: Registry, school: SchoolId, today: date) -> SchoolId | None:
    """Return the school as which one goes on today; None when it does not, or as several."""
    found = school
    while True:
        onwards = {
            relation
            for relations in registry.relations_into.values()
            for relation in relations
            if found in relation.old and found not in relation.new and relation.is_in_force(today)
        }
        if not onwards:
            return None if found == school else found
        (relation,) = onwards
        if len(relation.new) > 1:
            return None
        (found,) = relation.new


def number_sources(registry: Registry, school: SchoolId, today: date) -> tuple[NumberSource, ...]:
    """Return the old schools whose numbers mean the same people at this one, nearest first."""
    found: dict[SchoolId, NumberSource] = {}
    waiting = [school]
    while waiting:
        here = waiting.pop(0)
        relation = relation_into(registry, here, today)
        if relation is None or relation.numbers_at != here:
            continue
        for old in relation.numbers_of:
            if old not in found and old != school:
                found[old] = NumberSource(old, relation.first_day)
                waiting.append(old)
    return tuple(found.values())


def number_schools(registry: Registry, school: SchoolId) -> frozenset[SchoolId]:
    """Return the schools whose numbers go on at this one on some day, past or to come.

    For a list of numbers that is read today and used later; on the day itself `number_sources`
    says which count.
    """
    found: set[SchoolId] = set()
    waiting = [school]
    while waiting:
        here = waiting.pop()
        for relation in registry.relations_into.get(here, ()):
            if relation.numbers_at == here:
                new = {*relation.numbers_of} - found - {school}
                found |= new
                waiting += new
    return frozenset(found)


def former_brins(
    registry: Registry, schools: Iterable[SchoolId], today: date
) -> Mapping[SchoolId, frozenset[Brin]]:
    """Return which BRINs of before each of these schools may go on stating; most have none."""
    found = {}
    for school in schools:
        brins = frozenset(_brins_into(registry, school, today))
        if brins:
            found[school] = brins
    return found


def _brins_into(registry: Registry, school: SchoolId, today: date) -> Iterator[Brin]:
    relation = relation_into(registry, school, today)
    if relation is None or today > relation.brins_last_day:
        return
    yield from relation.old_brins
    for old in relation.old:
        if old != school:
            before = registry.schools[old]
            yield before.branch or before.brin
            yield from _brins_into(registry, old, today)


def find_agreement(
    registry: Registry, school: School, supplier: SupplierId, today: date
) -> AgreementFound | None:
    """Return the agreement that counts for a school: its own, a carried one, or its board's.

    An own agreement counts from its first day on, and then also when it has ended: the school let
    it end. One that begins later does not yet stand in the way of a carried one.
    """
    relation = relation_into(registry, school.id, today)
    own = registry.school_agreements.get((school.id, supplier))
    if relation is None or not relation.agreements or (own is not None and own.first_day <= today):
        agreed = own or registry.board_agreements.get((school.board, supplier))
        return None if agreed is None else AgreementFound(agreed)
    carried = _carry(registry, relation, school, supplier, today)
    if carried.school_decided:
        return carried.found
    board = registry.board_agreements.get((school.board, supplier))
    if board is not None:
        return AgreementFound(board)
    return carried.found or (None if own is None else AgreementFound(own))


@dataclass(frozen=True, slots=True)
class _Carried:
    """What comes from the old schools, and whether one of them decided itself, not its board."""

    found: AgreementFound | None
    school_decided: bool


def _carry(
    registry: Registry, relation: Relation, school: School, supplier: SupplierId, today: date
) -> _Carried:
    chosen = relation.old if relation.agreements_of is None else (relation.agreements_of,)
    parts: list[tuple[SchoolId, AgreementFound | None]] = []
    for each in chosen:
        old = registry.schools[each]
        found = (
            find_agreement(registry, old, supplier, today)
            if each != school.id
            else _as_found(registry.agreement(old, supplier))
        )
        parts.append((each, found))
    decided = any(each is not None and each.agreement.school is not None for _, each in parts)
    agreed = [(old, each) for old, each in parts if each is not None]
    if len(agreed) != len(parts):
        return _Carried(None, decided)
    return _Carried(_intersect(agreed, school=school.id), decided)


def _as_found(agreement: Agreement | None) -> AgreementFound | None:
    return None if agreement is None else AgreementFound(agreement)


def _intersect(
    agreed: Sequence[tuple[SchoolId, AgreementFound]], *, school: SchoolId
) -> AgreementFound:
    """Return what all of them approved, in force when all are, with a notice when one gives it."""
    parts = [each.agreement for _, each in agreed]
    ends = [each.last_day for each in parts if each.last_day is not None]
    informs = any(each.notice is NoticeMode.INFORM for each in parts)
    together = replace(
        parts[0],
        school=school,
        board=None,
        version=sum(each.version for each in parts),
        first_day=max(each.first_day for each in parts),
        last_day=min(ends, default=None),
        **_approved_by_all(parts),
        notice=NoticeMode.INFORM if informs else NoticeMode.NONE,
    )
    sources = (
        each.carried_from or (CarriedFrom(old, each.agreement.version),) for old, each in agreed
    )
    return AgreementFound(together, tuple(chain.from_iterable(sources)))


def _approved_by_all(parts: Sequence[Agreement]) -> dict[str, Any]:
    """Return whose what several agreements approve together, as fields of one.

    Each rule for groups is kept with what the others approve of all pupils; a pupil who meets
    rules of two of them gets what both rules and both agreements approve, never more than each.
    """
    of_all = frozenset.intersection(*(each.approved for each in parts))
    rules = tuple(
        GroupRule(
            rule.groups,
            rule.approved.intersection(*(other.approved for other in parts if other is not each)),
        )
        for each in parts
        for rule in each.group_rules
    )
    of_staff = frozenset.intersection(*(each.approved_of_staff for each in parts))
    return {
        "approved": of_all,
        "approved_staff": None if of_staff == of_all else of_staff,
        "group_rules": rules,
        "sheet": min(each.sheet for each in parts),
    }


def notice_signer(carried_from: Iterable[CarriedFrom], school: SchoolId) -> SchoolId:
    """Return by which school a notice is remembered: a carried one may have been seen before.

    Several schools are one name that no school can have.

    >>> notice_signer((), "new"), notice_signer([CarriedFrom("old", 3)], "new")
    ('new', 'old')
    """
    names = sorted({each.school for each in carried_from})
    return SchoolId("+".join(names)) if names else school
