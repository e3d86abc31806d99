"""What a release decision lets go of somebody whom the school shields: less, and never more."""

from collections.abc import Iterable
from dataclasses import replace

from broker.domain.agreements import Agreement
from broker.domain.attributes import AttributeName, Population
from broker.domain.federation import Supplier
from broker.domain.refusals import Refusal, WhoseTask
from broker.domain.release import ReleaseDecision, Withheld, WithheldBecause
from broker.domain.shielding import Shield, ShieldedBy, find_shield, is_shut_out, shields_at


class PersonShielded(Refusal):
    """The school shields this person, so this supplier gets less than its material needs.

    One page for whoever is shut out and whoever has less: who looks over a pupil's shoulder reads
    what many causes could mean.
    """

    code = "E-RELEASE-10"
    whose_task = WhoseTask.SCHOOL
    what = "Your school has not opened {subject} for you."
    remedy = "Please ask your teacher or your school what you can use instead."
    http_status = 403
    oauth_error = "access_denied"


def shield_release(
    decision: ReleaseDecision,
    shields: Iterable[Shield],
    *,
    supplier: Supplier,
    agreement: Agreement,
    population: Population | None,
) -> ReleaseDecision:
    """Return a decision without what shields take away.

    Args:
        decision: of `release.decide_release`, by this agreement.
        shields: of this person at this school, for whatever supplier.

    Raises:
        PersonShielded: nothing may go out, or less than the supplier's material needs.
    """
    held = shields_at(shields, supplier.id)
    if is_shut_out(held):
        raise PersonShielded("check_not_shut_out", subject=supplier.display_name)
    withheld = {
        each.name: shield
        for each in decision.released
        if (shield := find_shield(held, each.name)) is not None
    }
    for declared in supplier.attributes:
        if declared.name in withheld and declared.is_required_since(agreement.sheet, population):
            check = f"check_required_not_shielded:{declared.name}"
            raise PersonShielded(check, subject=supplier.display_name)
    return replace(
        decision,
        released=tuple(each for each in decision.released if each.name not in withheld),
        withheld=(*decision.withheld, *(_withhold(*each) for each in withheld.items())),
        missing=tuple(each for each in decision.missing if find_shield(held, each) is None),
    )


def _withhold(name: AttributeName, shield: Shield) -> Withheld:
    by_school = shield.by is ShieldedBy.SCHOOL
    return Withheld(name, WithheldBecause.SHIELDED if by_school else WithheldBecause.OBJECTED)
