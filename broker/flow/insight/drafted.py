"""The agreement that a prepared decision would become, as if it began today."""

from collections.abc import Callable

from msgspec.structs import replace

from broker.domain.agreements import Agreement
from broker.domain.dutch_days import day_of
from broker.domain.federation import School
from broker.domain.ids import SupplierId
from broker.flow.decisions.decision_making import agreement_of
from broker.flow.decisions.decision_types import Decider, PreparedDecision
from broker.flow.federation.agreements import compile_agreement
from broker.flow.ports import Clock

DraftFor = Callable[[Decider, SupplierId], PreparedDecision | None]
"""Returns what waits to be signed."""


def find_drafted(
    school: School, supplier: SupplierId, *, draft_for: DraftFor, clock: Clock
) -> Agreement | None:
    """Return the agreement of what a school, else its board, prepared; None when nothing waits.

    Raises:
        RegistryUnreadable: of the store of decisions.
    """
    own = draft_for(Decider(school=school.id), supplier)
    prepared = own or draft_for(Decider(board=school.board), supplier)
    if prepared is None:
        return None
    draft, today = prepared.draft, day_of(clock())
    agreement = compile_agreement(agreement_of(draft, version=draft.based_on + 1, today=today))
    return replace(agreement, first_day=min(today, agreement.first_day))
