"""What drafts meet when they are prepared or signed: the documents of now, and whether each draft
was made on them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from broker.domain.documents import AgreementDocument, Kind, SupplierDocument
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.decisions.decision_making import DraftFacts, agreement_of, find_draft_problems
from broker.flow.decisions.decision_refusals import DecisionEditedMeanwhile, DecisionUnusable
from broker.flow.decisions.decision_store import DecisionStore
from broker.flow.decisions.decision_types import Draft
from broker.flow.federation.documents import Key, Problem
from broker.flow.federation.narrow_change import NOT_THERE, NarrowPut


@dataclass(frozen=True, slots=True)
class DraftStanding:
    """A draft beside the documents of now.

    Attributes:
        own: the decider's own agreement; None without.
        since: its form; `NOT_THERE` without.
        version: the next one of the agreement, higher than any that there ever was.
    """

    draft: Draft
    supplier: SupplierDocument = field(repr=False)
    own: AgreementDocument | None
    since: int
    version: int

    def agreement(self, today: date) -> AgreementDocument:
        """Return what the draft becomes."""
        return agreement_of(self.draft, version=self.version, today=today)

    def put(self, agreement: AgreementDocument) -> NarrowPut:
        """Return an agreement in place of the one that was read."""
        return NarrowPut(agreement, self.since)


def read_standings(store: DecisionStore, drafts: Sequence[Draft]) -> tuple[DraftStanding, ...]:
    """Return what each draft meets; all is read at once.

    Raises:
        NotAllowed: a supplier is not there any more.
    """
    own_keys = [each.decider.key(each.supplier) for each in drafts]
    suppliers = sorted({each.supplier for each in drafts})
    found = store.read_documents([*own_keys, *((Kind.SUPPLIER, each) for each in suppliers)])
    highest: dict[Key, int] = {}
    forms = (
        (each.key, each.document.version)
        for each in store.ever_stated(sorted(set(own_keys)))
        if isinstance(each.document, AgreementDocument)
    )
    for key, version in forms:
        highest[key] = max(highest.get(key, 0), version)
    standings = []
    for draft, key in zip(drafts, own_keys, strict=True):
        stored = found.get(key)
        own = None if stored is None else stored.stated.document
        there = found.get((Kind.SUPPLIER, draft.supplier))
        supplier = None if there is None else there.stated.document
        if not isinstance(supplier, SupplierDocument):
            raise NotAllowed("check_supplier_there")
        standings.append(
            DraftStanding(
                draft,
                supplier,
                own if isinstance(own, AgreementDocument) else None,
                NOT_THERE if stored is None else stored.since,
                highest.get(key, 0) + 1,
            )
        )
    return tuple(standings)


def check_made_on(standing: DraftStanding) -> None:
    """Refuse a draft that was made on another agreement or sheet than there is.

    Raises:
        DecisionEditedMeanwhile
    """
    draft, own, supplier = standing.draft, standing.own, standing.supplier
    if draft.based_on != (0 if own is None else own.version):
        raise DecisionEditedMeanwhile("check_agreement_as_shown", agreement=own)
    if draft.sheet != (0 if supplier.sheet is None else supplier.sheet.version):
        raise DecisionEditedMeanwhile("check_sheet_as_shown", sheet=supplier)


def check_usable(standing: DraftStanding, *, today: date) -> None:
    """Refuse a draft that cannot be put in force.

    Raises:
        DecisionUnusable: with everything that is wrong, besides what `check_narrow` finds.
    """
    facts = DraftFacts(
        draft=standing.draft, supplier=standing.supplier, own=standing.own, today=today
    )
    problems = find_draft_problems(facts)
    if problems:
        key = standing.draft.decider.key(standing.draft.supplier)
        raise unusable(
            [Problem(file_of(key), each.path, each.problem, each.remedy) for each in problems]
        )


def unusable(problems: Sequence[Problem]) -> DecisionUnusable:
    """Return the refusal that tells problems."""
    path = problems[0].path
    return DecisionUnusable("check_decision_usable", subject=path, problems=problems)


def file_of(key: Key) -> str:
    """Return by what problems of a document name it."""
    return f"{key[0]}/{key[1]}"
