"""What a school shares today by other means, beside what a decision would share. Pure."""

from datetime import date

from broker.domain.attributes import AttributeName, Population
from broker.domain.decision_outline import Choice, GroupChoice, compare_choices
from broker.domain.documents import AgreementDocument, SupplierDocument
from broker.flow.decisions.decision_making import required_of
from broker.flow.decisions.decision_types import Decider, Draft
from broker.flow.decisions.many_decisions import ActivatedService, Compared, ComparedService


def compare_activated(
    activated: ActivatedService,
    *,
    supplier: SupplierDocument,
    own: AgreementDocument | None,
    holds: Choice,
    from_day: date,
    until: date | None,
) -> ComparedService:
    """Return a line of a list beside the draft that would take its place.

    The draft shares what is shared today, as far as the supplier asks it, and what its material
    does not work without: without that nobody could log in.

    Args:
        own: the school's own agreement; None without.
        holds: what the agreement that counts today approves.
    """
    shared = activated.shared
    choice = Choice(
        pupils=_kept(shared.pupils, supplier, Population.PUPIL),
        staff=_kept(shared.staff, supplier, Population.STAFF),
        groups=tuple(
            GroupChoice(each.groups, _kept(each.approved, supplier, Population.PUPIL))
            for each in shared.groups
        ),
    )
    draft = Draft(
        decider=Decider(school=activated.school),
        supplier=activated.supplier,
        choice=choice,
        from_day=from_day,
        until=until,
        sheet=0 if supplier.sheet is None else supplier.sheet.version,
        based_on=0 if own is None else own.version,
    )
    changes = compare_choices(shared, choice)
    more, less = any(each.added for each in changes), any(each.taken for each in changes)
    compared = {
        (False, False): Compared.SAME,
        (True, False): Compared.MORE,
        (False, True): Compared.LESS,
        (True, True): Compared.OTHER,
    }
    return ComparedService(
        activated=activated,
        draft=draft,
        compared=compared[more, less],
        changes=changes,
        differs_from_agreement=compare_choices(holds, choice),
    )


def _kept(
    names: frozenset[AttributeName], supplier: SupplierDocument, population: Population
) -> frozenset[AttributeName]:
    asked = {each.name for each in supplier.attribute if population in each.populations}
    return frozenset(each for each in names if each in asked) | required_of(supplier, population)
