"""Who logs in here: the account from the register, with what the audit and both schools are told.

When a school's budget for pupils of other schools is spent, the newcomer alone waits, and both
sides are alarmed: the school that states so many, and the schools of before, each once a day and
without the other's name.
"""

from datetime import date
from functools import partial
from typing import Protocol

from broker.domain.attributes import Population
from broker.domain.federation import School, Supplier
from broker.domain.ids import SchoolId
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.persons.arrival_budgets import ArrivalRules, ArrivalsSpent, budget_of
from broker.flow.persons.login_tally import LoginTally
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_records import PersonEvent, Presented
from broker.flow.persons.person_suppliers import Visit
from broker.flow.persons.persons import KnownPerson, identify_person
from broker.flow.persons.register import PersonRegister
from broker.flow.persons.school_counts import Count, CountFull, CountKind
from broker.flow.persons.successors import Succession
from broker.flow.ports import FlowKeys, Random
from broker.pseudonyms.derivation import root_anew


class RecognitionPorts(Protocol):
    """What it works over; part of `release.ReleasePorts`."""

    @property
    def register(self) -> PersonRegister:
        """Where persons rest."""
        ...

    @property
    def keys(self) -> FlowKeys:
        """Among them the register's."""
        ...

    @property
    def join_rules(self) -> JoinRules:
        """When a join is mature."""
        ...

    @property
    def arrival_rules(self) -> ArrivalRules:
        """How many pupils of other schools may come."""
        ...

    @property
    def tally(self) -> LoginTally:
        """Where logins of pupils are counted, and who waits is remembered for the day."""
        ...

    @property
    def audit(self) -> AuditLog:
        """Where events go."""
        ...

    @property
    def random(self) -> Random:
        """Salts and nonces."""
        ...


def make_visit(supplier: Supplier, *, chosen: SchoolId | None, rules: ArrivalRules) -> Visit:
    """Return to whom a login goes.

    Args:
        chosen: for which of several schools the person just said it is.
    """
    return Visit(
        supplier.id,
        supplier.epoch,
        window_open=supplier.previous_epoch is not None,
        told_days=rules.told_days,
        chosen=chosen,
    )


async def recognise_person(
    presented: Presented,
    *,
    school: School,
    visit: Visit | None,
    confirms: SchoolId | None,
    succession: Succession,
    ports: RecognitionPorts,
    today: date,
    known_only: bool = False,
) -> KnownPerson:
    """Return the account of who logs in, after storing what the rules say and telling of it.

    Args:
        visit: to whom the login goes; None when no pseudonym will be told.
        confirms: the school whose page about this pupil's arrival there led to this login.
        succession: what the school goes on for.
        known_only: a session answers in place of the school, so nobody begins here.

    Raises:
        Refusal: of `identify_person`.
    """
    rules = ports.arrival_rules
    try:
        person = await identify_person(
            presented,
            register=ports.register,
            keys=ports.keys.register,
            school=school.id,
            eck_id_required=school.eck_id_required,
            today=today,
            random=ports.random,
            rules=ports.join_rules,
            visit=visit,
            budget=budget_of(school.pupils, rules=rules, today=today),
            confirms=confirms,
            succession=succession,
            anew=partial(root_anew, key=ports.keys.root),
            known_only=known_only,
        )
    except ArrivalsSpent as spent:
        await alarm_both_sides(spent, presented, school=school.id, ports=ports, today=today)
        raise
    if presented.population is Population.PUPIL:
        ports.tally.note(school.id, today=today, with_eck_id=presented.eck_id is not None)
    if PersonEvent.ECK_ID_PUT_OFF in person.events:
        await alarm_both_sides(
            ArrivalsSpent("check_arrivals_within_budget"),
            presented,
            school=school.id,
            ports=ports,
            today=today,
        )
    for event in person.events:
        ports.audit.record(AuditEvent(action=event.value, school=school.id))
    return person


async def alarm_both_sides(
    spent: ArrivalsSpent,
    presented: Presented,
    *,
    school: SchoolId,
    ports: RecognitionPorts,
    today: date,
) -> None:
    """Count that a newcomer waits, once a day, and tell of it: of each school once a day.

    Raises:
        RegisterUnavailable: nobody knows whether it was counted.
    """
    waiting = ports.tally.waiting
    mark = waiting.mark_of(presented.roots[0], school=school, today=today, random=ports.random)
    if waiting.remembers(mark):
        return
    await ports.register.apply((), [Count(school, today, CountKind.WAITED)])
    alarms = [(school, CountKind.ALARMED, "arrivals-over-budget")]
    alarms += [
        (each, CountKind.LEFT_ALARMED, "pupils-stated-elsewhere")
        for each in sorted(spent.schools_of_before)
    ]
    for whose, kind, action in alarms:
        if await count_first(whose, kind, ports=ports, today=today):
            ports.audit.record(AuditEvent(action=action, school=whose))
    waiting.remember(mark)


async def count_first(
    school: SchoolId, kind: CountKind, *, ports: RecognitionPorts, today: date
) -> bool:
    """Tell whether this is the first of its kind for a school today, on any worker.

    Raises:
        RegisterUnavailable: nobody knows.
    """
    try:
        return await ports.register.apply((), [Count(school, today, kind, at_most=1)])
    except CountFull:
        return False
