"""A school sees what would be sent before it is sent: as it is, and as it would be.

Nothing of it is kept: no receipt, no row of the register, no event. Whoever may simulate at a
school may do so with made-up persons of that school alone; what a real login states, and what
would become of it, the page on which logins are tested shows to whom it is about.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from msgspec.structs import replace

from broker.domain.agreements import Agreement
from broker.domain.attributes import VOCABULARY, AttributeName, Population
from broker.domain.dutch_days import day_of
from broker.domain.federation import School, SchoolIdp, Supplier
from broker.domain.ids import SupplierId
from broker.domain.refusals import Refusal
from broker.domain.registry import Registry
from broker.domain.relations import find_agreement
from broker.domain.relying_parties import RelyingParty
from broker.flow.console.actors import Actor
from broker.flow.insight.insight_places import (
    find_offered_login,
    find_own_school,
    find_shown_supplier,
    find_system,
    list_suppliers,
)
from broker.flow.insight.sample_persons import (
    SAMPLE_GROUPS,
    identify_sample,
    stated_names,
)
from broker.flow.insight.shown_answers import ShownNames
from broker.flow.insight.simulated import SimulatedAnswer, simulate_answer
from broker.flow.insight.supposed import suppose_agreement
from broker.flow.ports import Clock, Random, Snapshots

MAX_GROUPS = 5
GROUP_CHARACTERS = 60


class Situation(StrEnum):
    """By what it would be sent."""

    AS_IT_IS = "as-it-is"
    WITH_DRAFT = "with-draft"
    """By a decision that is prepared and not signed yet."""
    WITH_SHEET = "with-sheet"
    """When the school signs for the newest sheet, and approves what that requires."""


FindDraft = Callable[[School, SupplierId], Agreement | None]
"""Returns the agreement of a decision that is prepared for a school; None when none is."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen for a school.

    Attributes:
        logins: those that it offers.
        suppliers: of its state, by name.
        states: what its first login can state.
    """

    school: School
    logins: tuple[SchoolIdp, ...]
    suppliers: tuple[Supplier, ...]
    states: tuple[AttributeName, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a page asks to be shown; nothing of it was looked at yet.

    Attributes:
        relying_party, login: "" for the first one.
        left_out: what the made-up person's login does not state.
    """

    school: str
    supplier: str
    relying_party: str = ""
    login: str = ""
    population: Population = Population.PUPIL
    groups: tuple[str, ...] = SAMPLE_GROUPS
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Simulation:
    """What would be sent, by situation, side by side; the first is as it is."""

    school: School
    supplier: Supplier
    relying_party: RelyingParty
    login: SchoolIdp
    answers: tuple[tuple[Situation, SimulatedAnswer], ...]


@dataclass(frozen=True, slots=True)
class SimulatorPorts:
    """What is in force, and what is prepared."""

    snapshots: Snapshots
    names: ShownNames
    find_draft: FindDraft
    clock: Clock
    random: Random


class Simulator:
    """Shows. Keeps nothing."""

    def __init__(self, ports: SimulatorPorts) -> None:
        self._ports = ports

    def look(self, actor: Actor, unverified_school: str) -> Choices:
        """Return what can be chosen for a school.

        Raises:
            NotAllowed: no such school, or not for this actor.
        """
        registry = self._ports.snapshots.registry
        school = find_own_school(actor, unverified_school, registry)
        logins = registry.offered_logins(school.id, today=day_of(self._ports.clock()))
        states = stated_names(logins[0]) if logins else ()
        return Choices(school, logins, list_suppliers(school, registry), states)

    def simulate(self, actor: Actor, asked: Asked) -> Simulation:
        """Return what a supplier's system would get of a made-up person of a school.

        Raises:
            NotAllowed: no such school, supplier, system or login, or not for this actor.
            SchoolNotOpen: the school offers no login.
        """
        ports = self._ports
        registry, now = ports.snapshots.registry, ports.clock()
        school = find_own_school(actor, asked.school, registry)
        supplier = find_shown_supplier(asked.supplier, school, registry)
        party = find_system(asked.relying_party, supplier)
        idp = find_offered_login(asked.login, school, registry, today=day_of(now))
        answers: list[tuple[Situation, SimulatedAnswer]] = []
        try:
            identity = identify_sample(
                idp,
                school,
                asked.population,
                registry=registry,
                left_out=[each for each in VOCABULARY if each in asked.left_out],
                groups=tuple(each[:GROUP_CHARACTERS] for each in asked.groups[:MAX_GROUPS]),
                now=now,
            )
        except Refusal as refusal:  # whatever was decided: such a login names nobody
            answers.append((Situation.AS_IT_IS, SimulatedAnswer((), refusal=refusal)))
        else:
            for situation, supposed in self._suppose(school, supplier, registry, day_of(now)):
                answer = simulate_answer(
                    identity,
                    school,
                    party,
                    idp=idp,
                    registry=supposed,
                    names=ports.names,
                    now=now,
                    random=ports.random,
                )
                answers.append((situation, answer))
        return Simulation(school, supplier, party, idp, tuple(answers))

    def _suppose(
        self, school: School, supplier: Supplier, registry: Registry, today: date
    ) -> Iterator[tuple[Situation, Registry]]:
        yield Situation.AS_IT_IS, registry
        draft = self._ports.find_draft(school, supplier.id)
        if draft is not None:
            yield Situation.WITH_DRAFT, suppose_agreement(registry, draft)
        found = find_agreement(registry, school, supplier.id, today)
        if found is not None and found.agreement.sheet < supplier.sheet_version:
            newest = approve_required(found.agreement, supplier)
            yield Situation.WITH_SHEET, suppose_agreement(registry, newest)


def approve_required(agreement: Agreement, supplier: Supplier) -> Agreement:
    """Return an agreement as signed for the newest sheet, with what that requires approved."""
    required = [each for each in supplier.attributes if each.required]

    def of(population: Population) -> frozenset[AttributeName]:
        return frozenset(each.name for each in required if population in each.populations)

    return replace(
        agreement,
        sheet=supplier.sheet_version,
        approved=agreement.approved | of(Population.PUPIL),
        approved_staff=agreement.approved_of_staff | of(Population.STAFF),
        group_rules=tuple(
            replace(each, approved=each.approved | of(Population.PUPIL))
            for each in agreement.group_rules
        ),
    )
