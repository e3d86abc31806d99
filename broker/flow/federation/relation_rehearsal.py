"""What a relation would change, before it is put in force: agreements, BRINs and numbers.

Nothing is written, and no row of a person is opened but under a number that somebody lists: lists
are read, looked up and forgotten, and what comes out are counts.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from broker.domain.agreements import Agreement
from broker.domain.attributes import AttributeName, Population
from broker.domain.federation import Relation, School
from broker.domain.ids import Brin, SchoolId, SupplierId
from broker.domain.registry import Registry
from broker.domain.relations import CarriedFrom, find_agreement, former_brins, number_sources
from broker.flow.federation.change import CheckedChange, Progress, without_progress
from broker.flow.federation.documents import FederationProblems, Problem
from broker.flow.persons.person_records import school_year_of
from broker.flow.persons.person_rows import find_records
from broker.flow.persons.register import PersonRegister, RegisterKeys
from broker.pseudonyms.derivation import (
    IdentifierNotDerivable,
    RootKey,
    root_from_local,
    root_from_local_staff,
)

MAX_NUMBERS_BYTES = 16 * 1024 * 1024
BATCH = 64
"""Numbers between two steps of the progress bar."""


class Becomes(StrEnum):
    """What becomes of a supplier at a new school on the first day."""

    OWN = "own"
    CARRIED = "carried"
    BOARD = "board"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class SupplierForeseen:
    """One supplier at one new school.

    Attributes:
        approved: attributes that may go out there.
        lost: those that an old school approved and that go out no more.
        carried_from: old schools whose agreements are carried.
    """

    school: SchoolId
    supplier: SupplierId
    becomes: Becomes
    approved: tuple[AttributeName, ...]
    lost: tuple[AttributeName, ...]
    carried_from: tuple[CarriedFrom, ...] = ()


@dataclass(frozen=True, slots=True)
class NumbersForeseen:
    """Counts over lists of numbers.

    Attributes:
        listed: different numbers, of all schools together.
        stay: known at one old school, and open the same account at the new one.
        fresh: known at an old school, but their numbers go on nowhere, or nobody logged in with
            them in the last school year.
        collide: in the lists of two schools, so one of two pupils gets another number, or both
            begin anew without an ECK iD.
        unknown: nobody logged in with them yet.
    """

    listed: int
    stay: int
    fresh: int
    collide: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a relation would change."""

    relation: Relation
    day: date
    suppliers: tuple[SupplierForeseen, ...]
    brins: Mapping[SchoolId, frozenset[Brin]]


def registry_after(registry: Registry, change: CheckedChange) -> Registry:
    """Return the registry as it would be, as far as relations look at it."""
    records = [each.record for each in change.put]
    schools = dict(registry.schools) | {
        each.id: each for each in records if isinstance(each, School)
    }
    agreed = dict(registry.school_agreements), dict(registry.board_agreements)
    into: dict[SchoolId, dict[str, Relation]] = {}
    for school, relations in registry.relations_into.items():
        into[school] = {each.id: each for each in relations}
    for record in records:
        if isinstance(record, Agreement):
            if record.school is not None:
                agreed[0][record.school, record.supplier] = record
            if record.board is not None:
                agreed[1][record.board, record.supplier] = record
        if isinstance(record, Relation):
            for found in into.values():
                found.pop(record.id, None)
            for school in record.new:
                into.setdefault(school, {})[record.id] = record
    return replace(
        registry,
        schools=MappingProxyType(schools),
        school_agreements=MappingProxyType(agreed[0]),
        board_agreements=MappingProxyType(agreed[1]),
        relations_into=MappingProxyType(
            {school: tuple(found.values()) for school, found in into.items()}
        ),
    )


def rehearse_relation(relation: Relation, *, registry: Registry, today: date) -> Rehearsal:
    """Return what a relation would change on its first day, or today when that is past.

    Args:
        registry: as it would be.
    """
    day = max(relation.first_day, today)
    return Rehearsal(
        relation,
        day,
        tuple(
            found
            for school in relation.new
            for supplier in sorted(registry.suppliers)
            for found in _foresee_supplier(relation, school, supplier, registry, day)
        ),
        former_brins(registry, relation.new, day),
    )


def _foresee_supplier(
    relation: Relation, school: SchoolId, supplier: SupplierId, registry: Registry, day: date
) -> Iterable[SupplierForeseen]:
    before: set[AttributeName] = set()
    had = False
    for old in relation.old:
        was = registry.agreement(registry.schools[old], supplier)
        if was is not None and was.is_in_force(day):
            had, before = True, before | was.approved_of_anybody
    found = find_agreement(registry, registry.schools[school], supplier, day)
    if found is None or not found.agreement.is_in_force(day):
        if had:
            yield SupplierForeseen(school, supplier, Becomes.LOST, (), tuple(sorted(before)))
        return
    becomes = Becomes.OWN if found.agreement.school is not None else Becomes.BOARD
    yield SupplierForeseen(
        school,
        supplier,
        Becomes.CARRIED if found.carried_from else becomes,
        tuple(sorted(found.agreement.approved_of_anybody)),
        tuple(sorted(before - found.agreement.approved_of_anybody)),
        found.carried_from,
    )


def read_numbers(content: bytes, *, file: str) -> frozenset[str]:
    """Return the numbers of a list: one a line, UTF-8, blank lines and doubles left out.

    Raises:
        FederationProblems: it is no such list; told without a value.
    """
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise FederationProblems(
            [Problem(file, "-", "is no UTF-8 text.", "Save it as UTF-8, one number a line.")]
        ) from None
    numbers = frozenset(filter(None, (each.strip() for each in lines)))
    if not numbers:
        raise FederationProblems(
            [Problem(file, "-", "holds no number.", "Write one number a line.")]
        )
    return numbers


@dataclass(frozen=True, slots=True)
class Lists:
    """Numbers by the school that gave them out."""

    numbers: Mapping[SchoolId, frozenset[str]] = field(repr=False)
    population: Population = Population.PUPIL


async def rehearse_numbers(
    relation: Relation,
    lists: Lists,
    *,
    registry: Registry,
    day: date,
    register: PersonRegister,
    keys: RegisterKeys,
    root_key: RootKey,
    progress: Progress = without_progress,
) -> NumbersForeseen:
    """Return how many pupils keep their work by their number alone.

    Args:
        registry: as it would be.
        day: of `Rehearsal.day`.

    Raises:
        FederationProblems: a list is of a school that is no old one.
        RegisterUnavailable: the register cannot be read.
    """
    schools_of: dict[str, list[SchoolId]] = {}
    for school, numbers in lists.numbers.items():
        if school not in relation.old:
            raise FederationProblems(
                [Problem("--numbers", school, "is no old school.", "Name one of old.")]
            )
        for number in numbers:
            schools_of.setdefault(number, []).append(school)
    derive = root_from_local if lists.population is Population.PUPIL else root_from_local_staff
    goes_on = {
        source.school: source.since
        for school in relation.new
        for source in number_sources(registry, school, day)
    } | {school: date.min for school in relation.old if school in relation.new}
    counts: Counter[str] = Counter()
    ordered = sorted(schools_of.items())
    batches: Sequence[list[tuple[str, list[SchoolId]]]] = [
        ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)
    ]
    for batch in progress(batches, title="Looking up numbers"):
        for number, schools in batch:
            if len(schools) > 1:
                counts["collide"] += 1
                continue
            try:
                root = derive(schools[0], number, key=root_key)
            except IdentifierNotDerivable:
                counts["unknown"] += 1
                continue
            record = (await find_records((root,), register=register, keys=keys)).get(root)
            if record is None:
                counts["unknown"] += 1
            elif schools[0] in goes_on and _was_recent(record.school_year, goes_on[schools[0]]):
                counts["stay"] += 1
            else:
                counts["fresh"] += 1
    return NumbersForeseen(
        listed=len(ordered),
        stay=counts["stay"],
        fresh=counts["fresh"],
        collide=counts["collide"],
        unknown=counts["unknown"],
    )


def _was_recent(school_year: int, since: date) -> bool:
    return since == date.min or school_year >= school_year_of(since) - 1
