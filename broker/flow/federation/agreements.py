"""Agreements: checks on one document, and the record that it compiles to."""

from collections.abc import Callable, Iterator

from broker.domain.agreements import Agreement, GroupRule, Stopped
from broker.domain.attributes import AttributeName
from broker.domain.documents import AgreementDocument, DocumentProblem
from broker.domain.ids import BoardId, SchoolId, SupplierId
from broker.flow.federation.attribute_names import check_attribute_known, is_restricted
from broker.flow.federation.places import refuse_any


def check_one_side_signed(document: AgreementDocument) -> Iterator[DocumentProblem]:
    if (document.school is None) == (document.board is None):
        yield DocumentProblem(
            "school",
            "and board: exactly one of them signs an agreement.",
            "Name the school, or the board for all its schools.",
        )


def check_approved_attributes(document: AgreementDocument) -> Iterator[DocumentProblem]:
    """What identifies across suppliers is approved with an end, so that it is looked at again."""
    for path, name in approved_paths(document):
        yield from check_attribute_known(path, name)
        if is_restricted(name) and document.until is None:
            yield DocumentProblem(
                path,
                f"approves {name}, which identifies across suppliers, without an end.",
                "State until, the last day.",
            )


def check_days_in_order(document: AgreementDocument) -> Iterator[DocumentProblem]:
    if document.until is not None and document.until < document.from_day:
        yield DocumentProblem("until", "lies before from.", "Correct one of the two days.")


AGREEMENT_CHECKS: tuple[Callable[[AgreementDocument], Iterator[DocumentProblem]], ...] = (
    check_one_side_signed,
    check_approved_attributes,
    check_days_in_order,
)


def compile_agreement(document: AgreementDocument) -> Agreement:
    """Return the record of an agreement.

    Raises:
        DocumentProblems: with everything that is wrong.
    """
    refuse_any(found for check in AGREEMENT_CHECKS for found in check(document))
    return Agreement(
        school=None if document.school is None else SchoolId(document.school),
        board=None if document.board is None else BoardId(document.board),
        supplier=SupplierId(document.supplier),
        version=document.version,
        first_day=document.from_day,
        last_day=document.until,
        approved=frozenset(map(AttributeName, document.approved)),
        notice=document.notice,
        approved_staff=None
        if document.approved_staff is None
        else frozenset(map(AttributeName, document.approved_staff)),
        group_rules=tuple(
            GroupRule(frozenset(each.groups), frozenset(map(AttributeName, each.approved)))
            for each in document.for_groups
        ),
        sheet=document.sheet or 0,
        stopped=None
        if document.stopped is None
        else Stopped(document.stopped.by, document.stopped.on),
    )


def approved_paths(document: AgreementDocument) -> Iterator[tuple[str, str]]:
    """Yield what an agreement approves of anybody: key path and name of each attribute."""
    lists = [("approved", document.approved), ("approved_staff", document.approved_staff or ())]
    lists += (
        (f"for_groups[{index}].approved", rule.approved)
        for index, rule in enumerate(document.for_groups)
    )
    for path, names in lists:
        yield from ((f"{path}[{index}]", name) for index, name in enumerate(names))
