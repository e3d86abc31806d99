"""Which services and schools of the federation a table of today means, by whatever name. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from broker.domain.activated_file import ActivatedRow
from broker.domain.attributes import Population
from broker.domain.csv_reading import fold_header
from broker.domain.decision_outline import Choice
from broker.domain.federation import School, Supplier
from broker.domain.ids import SchoolId, SupplierId

Meant = TypeVar("Meant", SchoolId, SupplierId)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedService:
    """What one school shares with one supplier today."""

    school: SchoolId
    supplier: SupplierId
    shared: Choice


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A row that means nothing here: `words` as it names the service, or else the school."""

    line: int
    words: str
    is_school: bool


@dataclass(frozen=True, slots=True)
class MatchedFile:
    """What a table means: each school and supplier once, and what nobody knows, by line."""

    services: tuple[MatchedService, ...]
    unmatched: tuple[Unmatched, ...]


def match_rows(
    rows: Iterable[ActivatedRow], *, schools: Iterable[School], suppliers: Iterable[Supplier]
) -> MatchedFile:
    """Return what rows mean; several rows of one school and supplier add up.

    Args:
        schools: those of whom the table may speak; when it is one, a row need not name it.
        suppliers: every supplier that may be meant.
    """
    own = tuple(schools)
    by_supplier, by_school = index_suppliers(suppliers), _index_schools(own)
    found: dict[tuple[SchoolId, SupplierId], Choice] = {}
    unmatched: list[Unmatched] = []
    for row in rows:
        supplier = by_supplier.get(fold_header(row.service))
        school = by_school.get(fold_header(row.school))
        if school is None and not row.school and len(own) == 1:
            school = own[0].id
        if supplier is None:
            unmatched.append(Unmatched(row.line, row.service, is_school=False))
        elif school is None:
            unmatched.append(Unmatched(row.line, row.school, is_school=True))
        else:
            key = school, supplier
            found[key] = _add(found.get(key), row)
    services = (
        MatchedService(school=school, supplier=supplier, shared=shared)
        for (school, supplier), shared in found.items()
    )
    return MatchedFile(tuple(services), tuple(unmatched))


def index_suppliers(suppliers: Iterable[Supplier]) -> Mapping[str, SupplierId]:
    """Return suppliers by each of their names, folded; a name of two suppliers means nobody."""
    return _unambiguous(
        (name, each.id)
        for each in suppliers
        for name in (
            *(each.id, each.display_name, each.legal_name),
            *(party.id for party in each.relying_parties),
        )
    )


def _index_schools(schools: Iterable[School]) -> Mapping[str, SchoolId]:
    return _unambiguous(
        (name, each.id)
        for each in schools
        for name in (each.id, each.name, each.branch or each.brin)
    )


def _unambiguous(names: Iterable[tuple[str, Meant]]) -> Mapping[str, Meant]:
    found: dict[str, set[Meant]] = {}
    for name, meant in names:
        found.setdefault(fold_header(name), set()).add(meant)
    return {name: meant.pop() for name, meant in found.items() if name and len(meant) == 1}


def _add(before: Choice | None, row: ActivatedRow) -> Choice:
    pupils = row.approved if Population.PUPIL in row.populations else frozenset()
    staff = row.approved if Population.STAFF in row.populations else frozenset()
    if before is None:
        return Choice(pupils=pupils, staff=staff)
    return Choice(pupils=before.pupils | pupils, staff=before.staff | staff)
