"""What a supplier would get by a login that is tested, and why: by the decision of every login.

The pseudonym is a sample. Only a login for a supplier leads to a person's own one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from broker.domain.attributes import AttributeName
from broker.domain.federation import School, Supplier
from broker.domain.identity import Identity
from broker.domain.ids import SupplierId
from broker.domain.refusals import Refusal
from broker.domain.registry import Registry
from broker.domain.relations import find_agreement
from broker.domain.release import ReleaseDecision
from broker.flow.own_schools import decide_of
from broker.flow.ports import Random
from broker.pseudonyms.derivation import Pseudonym, PseudonymPoint, encode_pseudonym
from broker.pseudonyms.group import Element

MAX_OUTLOOKS = 50
"""Of suppliers on one page; for another one it is chosen."""

SAMPLE_BYTES = 32  # as many as a group element has


@dataclass(frozen=True, slots=True)
class SupplierOutlook:
    """What one supplier would get.

    Attributes:
        sample: looks like a pseudonym, is random, and is nobody's.
        decision: None where a login would be refused.
        refusal: why; None where it would not.
    """

    supplier: Supplier
    sample: str = field(repr=False)
    decision: ReleaseDecision | None = None
    refusal: Refusal | None = None


def look_ahead(
    identity: Identity,
    school: School,
    *,
    chosen: SupplierId | None,
    registry: Registry,
    today: date,
    random: Random,
) -> tuple[SupplierOutlook, ...]:
    """Return what the chosen supplier would get, or each one with an agreement in force.

    Args:
        identity: as a login for a supplier would have it.
        today: the day in the Netherlands.
    """
    return tuple(
        _look(identity, school, each, registry=registry, today=today, random=random)
        for each in find_suppliers(school, chosen=chosen, registry=registry, today=today)
    )


def find_suppliers(
    school: School, *, chosen: SupplierId | None, registry: Registry, today: date
) -> list[Supplier]:
    """Return the suppliers to look at, by their names: of the school's state and switched on."""
    named = None if chosen is None else registry.suppliers.get(chosen)
    found = [named] if named else list(_agreed(school, registry=registry, today=today))
    mine = (each for each in found if each.enabled and each.state is school.state)
    return sorted(mine, key=lambda each: each.display_name)[:MAX_OUTLOOKS]


def wanted_names(school: School, *, registry: Registry, today: date) -> frozenset[AttributeName]:
    """Return what the school's agreements in force would let go out."""
    return frozenset(
        declared.name
        for supplier in _agreed(school, registry=registry, today=today)
        for declared in supplier.attributes
        if (found := find_agreement(registry, school, supplier.id, today)) is not None
        and declared.name in found.agreement.approved_of_anybody
    )


def make_sample(epoch: str, random: Random) -> Pseudonym:
    """Return what looks like a pseudonym of an epoch, at whichever supplier: of no point."""
    return encode_pseudonym(PseudonymPoint(epoch, Element(random(SAMPLE_BYTES))))


def _agreed(school: School, *, registry: Registry, today: date) -> Iterator[Supplier]:
    for each in registry.suppliers.values():
        found = find_agreement(registry, school, each.id, today)
        if each.enabled and found is not None and found.agreement.is_in_force(today):
            yield each


def _look(
    identity: Identity,
    school: School,
    supplier: Supplier,
    *,
    registry: Registry,
    today: date,
    random: Random,
) -> SupplierOutlook:
    sample = make_sample(supplier.epoch, random)
    try:
        decision = decide_of(identity, school, supplier=supplier, registry=registry, today=today)
    except Refusal as refusal:
        return SupplierOutlook(supplier, sample, refusal=refusal)
    return SupplierOutlook(supplier, sample, decision=decision)
