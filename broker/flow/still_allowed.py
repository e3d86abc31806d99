"""What was decided before a page is still so when its button is pressed."""

from datetime import date

from broker.domain.agreements import approved_for
from broker.domain.attributes import Population
from broker.domain.ids import SchoolIdpId
from broker.domain.registry import Registry
from broker.domain.relations import AgreementFound, find_agreement
from broker.domain.release import ReleaseDecision, why_withheld
from broker.domain.takeover_scope import is_taken_over
from broker.flow.parties import Parties, check_school_open, find_idp, follow_idp
from broker.flow.refusals import AgreementChanged, SchoolNotOpen


def check_still_allowed(
    decision: ReleaseDecision,
    *,
    idp: SchoolIdpId,
    population: Population,
    parties: Parties,
    registry: Registry,
    today: date,
) -> None:
    """Refuse a decision when somebody was switched off or decided anew since.

    Raises:
        SchoolNotOpen, StatesDiffer, AgreementChanged
    """
    check_school_still_open(decision, idp=idp, parties=parties, registry=registry)
    check_agreement_unchanged(
        decision, population=population, parties=parties, registry=registry, today=today
    )


def check_school_still_open(
    decision: ReleaseDecision, *, idp: SchoolIdpId, parties: Parties, registry: Registry
) -> None:
    """Refuse when the stated school, or the login that spoke for it, was switched off since.

    Raises:
        SchoolNotOpen, StatesDiffer
    """
    found = find_idp(registry, idp)
    follow_idp(found)
    school = registry.schools.get(decision.school)
    if school is None or school.id not in found.schools:
        raise SchoolNotOpen("check_school_of_idp")
    check_school_open(school, parties.supplier, found)


def check_agreement_unchanged(
    decision: ReleaseDecision,
    *,
    population: Population,
    parties: Parties,
    registry: Registry,
    today: date,
) -> None:
    """Refuse when what was decided on was withdrawn or replaced, by the school or the supplier.

    Raises:
        AgreementChanged: also when the relying party is another supplier's by now, and when an
            attribute that would go out is not declared, approved or entitled any more, or is
            withheld by a take-over of accounts.
    """
    supplier = parties.supplier
    found = find_agreement(registry, registry.schools[decision.school], supplier.id, today)
    if (
        found is None
        or decision.supplier != supplier.id
        or not is_unchanged(decision, found)
        or not found.agreement.is_in_force(today)
    ):
        raise AgreementChanged("check_agreement_unchanged", subject=supplier.display_name)
    approved = approved_for(found.agreement, population, decision.rules)
    declared = {each.name: each for each in supplier.attributes}
    taken_over = is_taken_over(registry, decision.school, supplier.id, today=today)
    for each in decision.released:
        reason = why_withheld(
            each.name,
            declared=declared.get(each.name),
            approved=approved,
            agreement=found.agreement,
            entitled=supplier.eck_id_entitled,
            population=population,
            taken_over=taken_over,
        )
        if reason is not None:
            raise AgreementChanged("check_released_still_allowed", subject=supplier.display_name)


def is_unchanged(decision: ReleaseDecision, found: AgreementFound) -> bool:
    """Tell whether a decision was made by what is agreed today."""
    return found.is_version(
        decision.agreement_version,
        by_board=decision.by_board,
        carried_from=decision.carried_from,
    )
