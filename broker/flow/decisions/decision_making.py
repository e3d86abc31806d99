"""From a draft to the agreement that it becomes, and what a draft breaks before that. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from broker.domain.agreements import StoppedBy
from broker.domain.attributes import AttributeName, Population
from broker.domain.decision_outline import Choice, in_order
from broker.domain.documents import (
    AgreementDocument,
    DocumentProblem,
    GroupRuleDocument,
    StoppedDocument,
    SupplierDocument,
)
from broker.flow.decisions.decision_types import Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftFacts:
    """What a draft is looked at with.

    Attributes:
        own: the decider's own agreement as it is; None without.
        today: the day in the Netherlands.
    """

    draft: Draft
    supplier: SupplierDocument
    own: AgreementDocument | None
    today: date


def agreement_of(draft: Draft, *, version: int, today: date) -> AgreementDocument:
    """Return the agreement that a draft becomes."""
    decider, choice = draft.decider, draft.choice
    if draft.not_here:
        return AgreementDocument(
            school=decider.school,
            board=decider.board,
            supplier=draft.supplier,
            version=version,
            from_day=draft.from_day,
            stopped=StoppedDocument(by=StoppedBy.SCHOOL, on=today),
        )
    return AgreementDocument(
        school=decider.school,
        board=decider.board,
        supplier=draft.supplier,
        version=version,
        from_day=draft.from_day,
        until=draft.until,
        approved=in_order(choice.pupils),
        approved_staff=None if choice.staff == choice.pupils else in_order(choice.staff),
        for_groups=tuple(
            GroupRuleDocument(groups=tuple(sorted(each.groups)), approved=in_order(each.approved))
            for each in choice.groups
        ),
        sheet=draft.sheet or None,
        notice=draft.notice,
    )


def stopped_agreement(
    own: AgreementDocument | None, *, of: Draft, by: StoppedBy, version: int, today: date
) -> AgreementDocument:
    """Return an agreement as it is once somebody stopped it.

    Args:
        own: the decider's own; None where its board's holds, which is stopped for this school.
        of: names the parties, where there is no own one.
    """
    stopped = StoppedDocument(by=by, on=today)
    if own is None:
        return AgreementDocument(
            school=of.decider.school,
            board=of.decider.board,
            supplier=of.supplier,
            version=version,
            from_day=today,
            stopped=stopped,
        )
    return AgreementDocument(
        school=own.school,
        board=own.board,
        supplier=own.supplier,
        version=version,
        from_day=own.from_day,
        until=own.until,
        approved=own.approved,
        approved_staff=own.approved_staff,
        for_groups=own.for_groups,
        sheet=own.sheet,
        notice=own.notice,
        stopped=stopped,
    )


def check_not_here_of_school(facts: DraftFacts) -> Iterator[DocumentProblem]:
    """A board that wants none has none."""
    if facts.draft.not_here and facts.draft.decider.school is None:
        yield DocumentProblem("not_here", "is for a school of a board.", "Stop the agreement.")


def check_begins(facts: DraftFacts) -> Iterator[DocumentProblem]:
    """Until a later day neither version would hold: everybody would be shut out."""
    own, today = facts.own, facts.today
    holds = own is not None and own.from_day <= today and (own.until is None or today <= own.until)
    if own is not None and holds and own.stopped is None and facts.draft.from_day > today:
        yield DocumentProblem(
            "from",
            f"lies after today, but version {own.version} is in force: nobody could log in until"
            " then.",
            "Let it begin today.",
        )


def check_not_over(facts: DraftFacts) -> Iterator[DocumentProblem]:
    """What has ended already lets nobody through."""
    until = facts.draft.until
    if until is not None and until < facts.today:
        yield DocumentProblem("until", "lies before today.", "Give a later day, or none.")


def check_declared(facts: DraftFacts) -> Iterator[DocumentProblem]:
    """Nobody approves beforehand what is not asked: a later sheet would find it approved."""
    pupils, staff = (
        _asked_of(facts.supplier, each) for each in (Population.PUPIL, Population.STAFF)
    )
    for path, approved, asked in _approved(facts.draft.choice, pupils, staff):
        for name in in_order(approved - asked):
            yield DocumentProblem(path, f"approves {name}, which is not asked.", "Remove it.")


def check_groups_named(facts: DraftFacts) -> Iterator[DocumentProblem]:
    for index, each in enumerate(facts.draft.choice.groups):
        if not each.groups:
            yield DocumentProblem(
                f"for_groups[{index}].groups", "names no group.", "Name one, or remove the rule."
            )


DRAFT_CHECKS: tuple[Callable[[DraftFacts], Iterator[DocumentProblem]], ...] = (
    check_not_here_of_school,
    check_begins,
    check_not_over,
    check_declared,
    check_groups_named,
)


def find_draft_problems(facts: DraftFacts) -> list[DocumentProblem]:
    """Return what is wrong with a draft, besides what `broker check` would find."""
    return [found for check in DRAFT_CHECKS for found in check(facts)]


def required_of(supplier: SupplierDocument, population: Population) -> frozenset[AttributeName]:
    """Return what a supplier's material does not work without."""
    return frozenset(
        AttributeName(each.name)
        for each in supplier.attribute
        if each.required and population in each.populations
    )


def _asked_of(supplier: SupplierDocument, population: Population) -> frozenset[AttributeName]:
    return frozenset(
        AttributeName(each.name) for each in supplier.attribute if population in each.populations
    )


def _approved(
    choice: Choice, pupils: frozenset[AttributeName], staff: frozenset[AttributeName]
) -> Iterable[tuple[str, frozenset[AttributeName], frozenset[AttributeName]]]:
    yield "approved", choice.pupils, pupils
    if choice.staff != choice.pupils or pupils == staff:
        yield "approved_staff", choice.staff, staff
    for index, each in enumerate(choice.groups):
        yield f"for_groups[{index}].approved", each.approved, pupils
