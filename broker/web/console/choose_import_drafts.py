"""From a compared list to the drafts that are prepared: fewer attributes, or one for a board."""

from collections.abc import Iterable, Sequence

import msgspec

from broker.domain.attributes import AttributeName, Population
from broker.domain.decision_outline import Choice
from broker.domain.declared_attributes import DeclaredAttribute
from broker.domain.ids import BoardId, SupplierId
from broker.domain.registry import Registry
from broker.flow.decisions.decision_types import Decider, Draft


def only_required(draft: Draft, declared: Iterable[DeclaredAttribute]) -> Draft:
    """Return a draft that approves no more than what the service does not work without."""
    needed = tuple(each for each in declared if each.required)

    def of(population: Population, chosen: frozenset[AttributeName]) -> frozenset[AttributeName]:
        return chosen & {each.name for each in needed if population in each.populations}

    chosen = draft.choice
    choice = Choice(
        pupils=of(Population.PUPIL, chosen.pupils), staff=of(Population.STAFF, chosen.staff)
    )
    return msgspec.structs.replace(draft, choice=choice)


def for_board(drafts: Sequence[Draft], board: str, registry: Registry) -> tuple[Draft, ...]:
    """Return drafts of schools as one of their board for each supplier, and exceptions.

    What most schools share becomes the board's, when the list names all schools of the board; a
    school that shares something else, or has a decision of its own already, keeps a draft of its
    own. So 22 schools with 60 services are some 60 decisions.
    """
    of_board = {each.id for each in registry.schools.values() if each.board == board}
    by_supplier: dict[SupplierId, list[Draft]] = {}
    for each in drafts:
        by_supplier.setdefault(each.supplier, []).append(each)
    found: list[Draft] = []
    for supplier, of_schools in by_supplier.items():
        if {each.decider.school for each in of_schools} != of_board:
            found += of_schools
            continue
        choices = [each.choice for each in of_schools]
        most = max(choices, key=choices.count)
        found.append(_of_board(of_schools[choices.index(most)], BoardId(board), registry))
        found += (
            each
            for each in of_schools
            if each.choice != most or (each.decider.school, supplier) in registry.school_agreements
        )
    return tuple(found)


def _of_board(draft: Draft, board: BoardId, registry: Registry) -> Draft:
    own = registry.board_agreements.get((board, draft.supplier))
    return msgspec.structs.replace(
        draft, decider=Decider(board=board), based_on=0 if own is None else own.version
    )
