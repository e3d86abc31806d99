"""What one supplier's system would get of one person, and of each attribute why.

The steps are those of a login, by the same functions, without what keeps something: no pupil is
looked up, there is no receipt, and no pseudonym is derived. Marks on a pupil (protected, objected)
are of real people, so they are not part of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from broker.domain.attributes import VOCABULARY, AttributeName, Population
from broker.domain.dutch_days import day_of
from broker.domain.federation import School, SchoolIdp, Supplier
from broker.domain.identity import Identity
from broker.domain.membership import date_membership
from broker.domain.refusals import Refusal
from broker.domain.registry import Registry
from broker.domain.release import ReleaseDecision, WithheldBecause
from broker.domain.relying_parties import RelyingParty
from broker.flow.asked import keep_asked_of
from broker.flow.held_state.records import DecidedRelease
from broker.flow.insight.shown_answers import (
    ShownMessage,
    ShownNames,
    make_sample_request,
    show_messages,
)
from broker.flow.own_schools import decide_of
from broker.flow.parties import Parties, check_school_open
from broker.flow.persons.person_records import school_year_of
from broker.flow.ports import Random


class Fate(StrEnum):
    """What becomes of one attribute."""

    RELEASED = "released"
    WITHHELD = "withheld"
    MISSING = "missing"
    """Approved and asked, and this login does not state it."""
    NOT_STATED = "not-stated"
    """Asked and not approved, and this login does not state it either."""


@dataclass(frozen=True, slots=True)
class SimulatedAttribute:
    """One attribute.

    Attributes:
        reason: of a withheld one.
        values: as the login states them; of a made-up person, or of who logged in.
        purpose: why the supplier asks for it; "" where it does not.
    """

    name: AttributeName
    fate: Fate
    reason: WithheldBecause | None = None
    values: tuple[str, ...] = field(default=(), repr=False)
    required: bool = False
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class SimulatedAnswer:
    """What would be sent.

    Attributes:
        attributes: of the vocabulary, those that are asked or stated.
        messages: none when the login would be refused.
        refusal: why it would be; None where it would not.
        agreement_version: of the agreement that releases; 0 without one.
    """

    attributes: tuple[SimulatedAttribute, ...] = field(repr=False)
    messages: tuple[ShownMessage, ...] = ()
    refusal: Refusal | None = None
    agreement_version: int = 0

    @property
    def released(self) -> tuple[AttributeName, ...]:
        """Return what goes out."""
        return tuple(each.name for each in self.attributes if each.fate is Fate.RELEASED)


def simulate_answer(
    identity: Identity,
    school: School,
    relying_party: RelyingParty,
    *,
    idp: SchoolIdp,
    registry: Registry,
    names: ShownNames,
    now: datetime,
    random: Random,
) -> SimulatedAnswer:
    """Return what a system would get of a person by a registry, which may be a supposed one.

    Args:
        identity: of the school.
        names: ours, towards suppliers.
        now: aware UTC.
    """
    supplier = registry.suppliers[relying_party.supplier]
    parties = Parties(relying_party, supplier)
    request, today = make_sample_request(relying_party), day_of(now)
    try:
        check_school_open(school, supplier, idp)
        decision = decide_of(identity, school, supplier=supplier, registry=registry, today=today)
        population = identity.population or Population.PUPIL
        decided = DecidedRelease(decision=decision, population=population, role=identity.population)
        (asked,) = keep_asked_of(request, (decided,), parties=parties)
        dated = date_membership(
            asked.decision,
            school=school,
            population=population,
            since_year=school_year_of(today),
        )
        messages = show_messages(
            dated,
            request,
            parties=parties,
            idp=idp,
            population=population,
            registry=registry,
            names=names,
            now=now,
            random=random,
        )
    except Refusal as refusal:
        return SimulatedAnswer(tuple(_of_refused(identity, supplier)), refusal=refusal)
    return SimulatedAnswer(
        tuple(_of_decided(identity, supplier, dated)),
        messages,
        agreement_version=dated.agreement_version,
    )


def _of_decided(
    identity: Identity, supplier: Supplier, decision: ReleaseDecision
) -> Iterator[SimulatedAttribute]:
    released = {each.name: each.values for each in decision.released}
    withheld = {each.name: each.reason for each in decision.withheld}
    for each in _of_refused(identity, supplier):
        if each.name in released:
            yield replace(each, fate=Fate.RELEASED, values=released[each.name])
        elif each.name in withheld:
            yield replace(each, fate=Fate.WITHHELD, reason=withheld[each.name])
        elif each.name in decision.missing:
            yield replace(each, fate=Fate.MISSING)
        else:
            yield each


def _of_refused(identity: Identity, supplier: Supplier) -> Iterator[SimulatedAttribute]:
    """Yield what is asked or stated, where nothing was decided: nothing of it goes out."""
    declared = {each.name: each for each in supplier.attributes}
    for name in VOCABULARY:
        asked, stated = declared.get(name), identity.attributes.get(name, ())
        if asked is not None or stated:
            yield SimulatedAttribute(
                name,
                Fate.WITHHELD if stated else Fate.NOT_STATED,
                values=stated,
                required=asked is not None and asked.required,
                purpose="" if asked is None else asked.purpose,
            )
