"""Whether a supplier may ask about a school's pupils today: checks, before anything is counted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from broker.domain.federation import Supplier
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.registry import Registry
from broker.domain.relations import find_agreement
from broker.domain.takeover import MEANINGS, Takeover, TakeoverState
from broker.domain.takeover_refusals import (
    EckIdNotApproved,
    MappingNotOpen,
    NotEntitled,
    NotSignedFor,
    TakeoverEnded,
)
from broker.flow.takeover.takeovers import find_takeover


@dataclass(frozen=True, slots=True)
class Asking:
    """What the checks look at: who asks about whose pupils, today."""

    registry: Registry
    takeover: Takeover
    supplier: Supplier
    today: date


def check_not_ended(asking: Asking) -> None:
    """After the last day that the school signed for it is shut for good."""
    if asking.takeover.state_on(asking.today) is TakeoverState.CLOSED:
        raise TakeoverEnded("check_takeover_not_ended")


def check_begun(asking: Asking) -> None:
    """The school signed, and the take-over has begun."""
    if not MEANINGS[asking.takeover.state_on(asking.today)].mapping_open:
        raise MappingNotOpen("check_mapping_open")


def check_parties_open(asking: Asking) -> None:
    """Both are switched on and in the same state: test and production never meet."""
    school = asking.registry.schools[asking.takeover.school]
    supplier = asking.supplier
    if not (school.enabled and supplier.enabled and school.state is supplier.state):
        raise NotSignedFor("check_parties_open")


def check_entitled(asking: Asking) -> None:
    """The federation lets this supplier have ECK iDs."""
    if not asking.supplier.eck_id_entitled:
        raise NotEntitled("check_supplier_entitled")


def check_agreement(asking: Asking) -> None:
    """Without an agreement in force nothing goes out, not even a pseudonym."""
    school = asking.registry.schools[asking.takeover.school]
    found = find_agreement(asking.registry, school, asking.supplier.id, asking.today)
    if found is None or not found.agreement.is_in_force(asking.today):
        raise EckIdNotApproved("check_agreement_in_force")


CHECKS: tuple[Callable[[Asking], None], ...] = (
    check_parties_open,
    check_not_ended,
    check_begun,
    check_entitled,
    check_agreement,
)
"""In this order; that the school signed at all comes first, and the quota last."""


def check_may_ask(
    registry: Registry, *, school: SchoolId, supplier: SupplierId, today: date
) -> Takeover:
    """Return the take-over under which a supplier may ask about a school's pupils today.

    Raises:
        Refusal: of `broker.domain.takeover_refusals`; it tells of no other party.
    """
    takeover = find_takeover(registry, school, supplier)
    asking = Asking(registry, takeover, registry.suppliers[supplier], today)
    for check in CHECKS:
        check(asking)
    return takeover
