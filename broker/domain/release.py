"""What a supplier gets: declared by the supplier ∩ approved by the school ∩ stated by this login.

`decide_release` is the only place that decides; its result is shown, sent and audited as the same
value. `lint_claims` looks at what is about to be signed and refuses anything that the decision
does not hold: two independent pieces of code must agree before a value leaves.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from broker.domain.agreements import Agreement, approved_for
from broker.domain.attributes import (
    AFFILIATION,
    VOCABULARY,
    AttributeName,
    Population,
    is_never_released,
)
from broker.domain.declared_attributes import DeclaredAttribute
from broker.domain.federation import Supplier
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.refusals import Refusal, WhoseTask
from broker.domain.relations import CarriedFrom
from broker.domain.stopped_agreements import check_not_stopped
from broker.domain.takeover import OLD_KEYS


class NoAgreement(Refusal):
    code = "E-RELEASE-1"
    whose_task = WhoseTask.SCHOOL
    what = "Your school has no agreement with {subject} yet."
    remedy = "Only your school can decide this. Please ask your school."
    http_status = 403
    may_redirect = False
    oauth_error = "access_denied"


class AgreementNotInForce(Refusal):
    code = "E-RELEASE-2"
    whose_task = WhoseTask.SCHOOL
    what = "The agreement of your school with {subject} is not in force today."
    remedy = "Only your school can begin or renew it. Please ask your school."
    http_status = 403
    oauth_error = "access_denied"


class RequiredAttributeNotApproved(Refusal):
    code = "E-RELEASE-3"
    whose_task = WhoseTask.SCHOOL
    what = "This material does not work without {subject}, and your school did not approve that."
    remedy = "Your school can approve it, or choose other material. Please ask your school."
    http_status = 403
    oauth_error = "access_denied"


class RequiredAttributeNotStated(Refusal):
    code = "E-RELEASE-4"
    whose_task = WhoseTask.SCHOOL
    what = "This material does not work without {subject}, and your school's login did not send it."
    remedy = "The school must let its login send this. Please tell your school."
    http_status = 403
    oauth_error = "access_denied"


class ClaimsBeyondDecision(Refusal):
    """What was built is more than what was decided: our own fault, and nothing is sent."""

    code = "E-RELEASE-5"
    whose_task = WhoseTask.BROKER
    what = "Something went wrong on our side. Nothing was shared."
    remedy = "We have been told. Please try again later."
    http_status = 500
    oauth_error = "server_error"
    saml_status = "Responder"


class WithheldBecause(StrEnum):
    """Why an attribute that the login stated does not go out."""

    NEVER = "never"
    NOT_DECLARED = "not-declared"
    NOT_FOR_POPULATION = "not-for-population"
    NOT_APPROVED = "not-approved"
    NOT_ENTITLED = "not-entitled"
    NO_END_DATE = "no-end-date"
    OTHER_SCHOOL = "other-school"
    TAKEN_OVER = "taken-over"
    NOT_ASKED = "not-asked"
    SHIELDED = "shielded"
    OBJECTED = "objected"


@dataclass(frozen=True, slots=True)
class Released:
    """One attribute that goes out, with its values as stated."""

    name: AttributeName
    values: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Withheld:
    """One attribute that was stated and stays, and why."""

    name: AttributeName
    reason: WithheldBecause


@dataclass(frozen=True, slots=True)
class ReleaseDecision:
    """What leaves, what stays and why. Released and withheld make up what was stated.

    Attributes:
        agreement_version: of the agreement that released.
        carried_from: the old schools whose agreements that is made of; empty when it is the
            school's or its board's own.
        missing: declared for this person and approved, but not stated by this login.
        rules: the agreement's rules for groups that this person met.
        by_board: the board signed the agreement; None in decisions held by an earlier release.
    """

    school: SchoolId
    supplier: SupplierId
    agreement_version: int
    released: tuple[Released, ...]
    withheld: tuple[Withheld, ...]
    missing: tuple[AttributeName, ...]
    carried_from: tuple[CarriedFrom, ...] = ()
    rules: tuple[int, ...] = field(default=(), repr=False)
    by_board: bool | None = None


def decide_release(
    *,
    supplier: Supplier,
    school: SchoolId,
    agreement: Agreement | None,
    carried_from: tuple[CarriedFrom, ...] = (),
    population: Population | None,
    stated: Mapping[AttributeName, tuple[str, ...]],
    rules: Sequence[int] | None = (),
    elsewhere: Collection[AttributeName] = (),
    today: date,
    taken_over: bool = False,
) -> ReleaseDecision:
    """Decide what one login releases to one supplier.

    Args:
        agreement: of this school (or its board) with this supplier; None when there is none.
        carried_from: where it comes from, when a relation carries it (`relations.find_agreement`).
        taken_over: accounts go by the pseudonym alone now (`takeover_scope.is_taken_over`).
        population: None when the login states no role: then only what the supplier declares for
            every population goes out.
        stated: canonical attribute -> values of this login, none of them empty.
        rules: of `agreements.rules_met` by the groups that the login or the school's list states.
        elsewhere: attributes that this login states for another of its schools alone.
        today: the day in the Netherlands.

    Raises:
        NoAgreement, AgreementNotInForce, AgreementStopped: nothing may go out, not even a
            pseudonym.
        RequiredAttributeNotApproved, RequiredAttributeNotStated: the supplier's material does not
            work without the attribute that `subject` names.
    """
    in_force = check_agreement_in_force(agreement, supplier=supplier, today=today)
    if in_force.school not in (None, school):
        raise NoAgreement("check_agreement_of_school", subject=supplier.display_name)
    approved = approved_for(in_force, population, rules)
    declared = {each.name: each for each in supplier.attributes}
    released: list[Released] = []
    withheld: list[Withheld] = []
    for name, values in stated.items():
        reason = why_withheld(
            name,
            declared=declared.get(name),
            approved=approved,
            agreement=in_force,
            entitled=supplier.eck_id_entitled,
            population=population,
            taken_over=taken_over,
        )
        if reason is None:
            released.append(Released(name, values))
        else:
            withheld.append(Withheld(name, reason))
    withheld += (Withheld(name, WithheldBecause.OTHER_SCHOOL) for name in elsewhere)
    decision = ReleaseDecision(
        school=school,
        supplier=supplier.id,
        agreement_version=in_force.version,
        released=tuple(released),
        withheld=tuple(withheld),
        missing=tuple(
            each.name
            for each in declared.values()
            if each.name in approved
            and not each.is_new_since(in_force.sheet, population)
            and each.name not in stated
            and is_declared_for(each, population)
            and not (taken_over and each.name in OLD_KEYS)
        ),
        carried_from=carried_from,
        rules=() if rules is None else tuple(rules),
        by_board=in_force.school is None,
    )
    check_required_released(
        decision, in_force, supplier=supplier, population=population, taken_over=taken_over
    )
    return decision


def keep_asked(decision: ReleaseDecision, asked: Collection[AttributeName]) -> ReleaseDecision:
    """Return a decision of which a request wants no more than `asked`; it never releases more."""
    left = tuple(
        Withheld(each.name, WithheldBecause.NOT_ASKED)
        for each in decision.released
        if each.name not in asked
    )
    return replace(
        decision,
        released=tuple(each for each in decision.released if each.name in asked),
        withheld=(*decision.withheld, *left),
    )


def restate_released(
    decision: ReleaseDecision, name: AttributeName, values: tuple[str, ...]
) -> ReleaseDecision:
    """Return a decision with other values of an attribute that the broker states itself.

    What goes out stays what was decided; only what the register knows of it is filled in.
    """
    released = tuple(
        Released(name, values) if each.name == name else each for each in decision.released
    )
    return replace(decision, released=released)


def check_agreement_in_force(
    agreement: Agreement | None, *, supplier: Supplier, today: date
) -> Agreement:
    """Return the agreement, or refuse: without one nothing may go out, not even a pseudonym.

    An agreement with another supplier is none.
    """
    if agreement is None or agreement.supplier != supplier.id:
        raise NoAgreement("check_agreement_exists", subject=supplier.display_name)
    check_not_stopped(agreement, name=supplier.display_name, today=today)
    if not agreement.is_in_force(today):
        raise AgreementNotInForce("check_agreement_in_force", subject=supplier.display_name)
    return agreement


def why_withheld(
    name: AttributeName,
    *,
    declared: DeclaredAttribute | None,
    approved: Collection[AttributeName],
    agreement: Agreement,
    entitled: bool,
    population: Population | None,
    taken_over: bool = False,
) -> WithheldBecause | None:
    """Return the first reason to withhold a stated attribute, or None when it is released.

    Args:
        approved: what the agreement approves for this person (`agreements.approved_for`).
        taken_over: accounts go by the pseudonym alone now (`takeover_scope.is_taken_over`).
    """
    if is_never_released(name) or name not in VOCABULARY:
        return WithheldBecause.NEVER
    if declared is None:
        return WithheldBecause.NOT_DECLARED
    if not is_declared_for(declared, population):
        return WithheldBecause.NOT_FOR_POPULATION
    if name not in approved or declared.is_new_since(agreement.sheet, population):
        return WithheldBecause.NOT_APPROVED
    if VOCABULARY[name].restricted and not entitled:
        return WithheldBecause.NOT_ENTITLED
    if VOCABULARY[name].restricted and agreement.last_day is None:
        return WithheldBecause.NO_END_DATE
    if taken_over and name in OLD_KEYS:
        return WithheldBecause.TAKEN_OVER
    return None


def is_declared_for(declared: DeclaredAttribute, population: Population | None) -> bool:
    """Tell whether the supplier asks this of such a person; role unknown: of everybody."""
    if population is None:
        return set(declared.populations) == set(Population)
    return population in declared.populations


def check_required_released(
    decision: ReleaseDecision,
    agreement: Agreement,
    *,
    supplier: Supplier,
    population: Population | None,
    taken_over: bool = False,
) -> None:
    """Refuse a login that would arrive without something the supplier's material needs.

    When the login states no role, what is asked of pupils or staff alone is withheld; what the
    school must then send is the role. A key that a take-over replaced is not needed any more.
    What the supplier requires only since a later sheet than was signed on is not waited for.
    """
    released = {each.name for each in decision.released}
    for declared in supplier.attributes:
        if declared.name in released or not declared.is_required_since(agreement.sheet, population):
            continue
        if taken_over and declared.name in OLD_KEYS:
            continue
        check = f"check_required_released:{declared.name}"
        if is_declared_for(declared, population):
            if declared.name in decision.missing:
                raise RequiredAttributeNotStated(check, subject=declared.name)
            raise RequiredAttributeNotApproved(check, subject=declared.name)
        if population is None:
            raise RequiredAttributeNotStated(check, subject=AFFILIATION)


def lint_claims(
    claims: Iterable[tuple[str, Collection[str]]],
    *,
    decision: ReleaseDecision,
    names: Mapping[str, AttributeName],
) -> None:
    """Refuse claims that hold more than the decision released, just before they are signed.

    Args:
        claims: outgoing claim or SAML attribute name -> values, protocol claims left out.
        decision: what was decided, by other code.
        names: outgoing name -> canonical name, of this relying party's claim profile.

    Raises:
        ClaimsBeyondDecision: an unknown name, a name or value that was not released, or more
            often than it was released, or a name of the never-release list.
    """
    left = {each.name: Counter(each.values) for each in decision.released}
    for name, values in claims:
        canonical = names.get(name)
        if canonical is None or is_never_released(name) or is_never_released(canonical):
            raise ClaimsBeyondDecision("lint_claim_name", subject=name)
        released = left.pop(canonical, None)
        if released is None or not Counter(values) <= released:
            raise ClaimsBeyondDecision("lint_claim_values", subject=canonical)
