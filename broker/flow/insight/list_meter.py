"""A school measures by a list of its pupils what suppliers could tell apart, and match.

What a supplier gets of whom, the decision of every login says, asked about made-up persons of the
same role and class. The list is in memory while it is counted, and counts alone are told.
"""

from dataclasses import dataclass, field
from functools import cache

from broker.domain.attributes import AttributeName, Population
from broker.domain.dutch_days import day_of
from broker.domain.federation import School, SchoolIdp, Supplier
from broker.domain.linkability import Matches
from broker.domain.refusals import Refusal
from broker.domain.registry import Registry
from broker.flow.console.actors import Actor
from broker.flow.insight.class_lists import (
    ClassList,
    Released,
    SupplierMeter,
    match_suppliers,
    measure_supplier,
    read_class_list,
)
from broker.flow.insight.insight_places import (
    find_offered_login,
    find_own_school,
    find_shown_supplier,
    list_suppliers,
)
from broker.flow.insight.sample_persons import identify_sample
from broker.flow.own_schools import decide_of
from broker.flow.ports import Clock, Snapshots


@dataclass(frozen=True, slots=True)
class Measured:
    """What an uploaded list tells of one supplier or two.

    Attributes:
        matches: whom the two could match; None of one alone.
    """

    school: School
    listed: ClassList = field(repr=False)
    meters: tuple[tuple[Supplier, SupplierMeter], ...]
    matches: Matches | None


class ListMeter:
    """Measures. Keeps nothing."""

    def __init__(self, *, snapshots: Snapshots, clock: Clock) -> None:
        self._snapshots = snapshots
        self._clock = clock

    def look(self, actor: Actor, unverified_school: str) -> tuple[School, tuple[Supplier, ...]]:
        """Return a school, and the suppliers that may be chosen.

        Raises:
            NotAllowed: no such school, or not for this actor.
        """
        registry = self._snapshots.registry
        school = find_own_school(actor, unverified_school, registry)
        return school, list_suppliers(school, registry)

    def measure(
        self,
        actor: Actor,
        unverified_school: str,
        body: bytes,
        *,
        unverified_supplier: str,
        unverified_other: str = "",
    ) -> Measured:
        """Return what an uploaded list tells.

        Args:
            body: a table as it was sent.
            unverified_other: "" to measure one supplier alone.

        Raises:
            NotAllowed: no such school or supplier, or not for this actor.
            SchoolNotOpen: the school offers no login.
            Refusal: of `read_class_list`.
        """
        registry = self._snapshots.registry
        school = find_own_school(actor, unverified_school, registry)
        idp = find_offered_login("", school, registry, today=day_of(self._clock()))
        named = dict.fromkeys([unverified_supplier, *filter(None, [unverified_other])])
        chosen = [find_shown_supplier(each, school, registry) for each in named]
        listed = read_class_list(body)
        released = [self._released_by(each, school, idp, registry) for each in chosen]
        meters = (measure_supplier(listed, each) for each in released)
        return Measured(
            school,
            listed,
            tuple(zip(chosen, meters, strict=True)),
            match_suppliers(listed, *released) if len(released) > 1 else None,
        )

    def _released_by(
        self, supplier: Supplier, school: School, idp: SchoolIdp, registry: Registry
    ) -> Released:
        now = self._clock()

        @cache  # of one list, in which there are a handful of classes
        def released(
            population: Population, groups: tuple[str, ...]
        ) -> frozenset[AttributeName] | None:
            identity = identify_sample(
                idp, school, population, registry=registry, groups=groups, now=now
            )
            try:
                decision = decide_of(
                    identity, school, supplier=supplier, registry=registry, today=day_of(now)
                )
            except Refusal:
                return None
            return frozenset(each.name for each in decision.released)

        return released
