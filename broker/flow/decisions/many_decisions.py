"""What is given of several decisions at once: those that end, a list beside them, a batch."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from broker.domain.decision_outline import Choice, ShareChange
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.decisions.decision_types import (
    Decider,
    Draft,
    PreparedDecision,
)


@dataclass(frozen=True, slots=True)
class ExpiringDecision:
    """An agreement that ends soon and has no successor."""

    decider: Decider
    supplier: SupplierId
    last_day: date


class Compared(StrEnum):
    """What a decision would share, beside what is shared by other means today."""

    LESS = "less"
    SAME = "same"
    MORE = "more"
    OTHER = "other"
    """Some more and some less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivatedService:
    """What a school shares with a supplier today, by a list that it brought."""

    school: SchoolId
    supplier: SupplierId
    shared: Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedService:
    """One line of such a list beside what would be decided.

    Attributes:
        draft: what would be prepared: of what is shared today, what the supplier declares.
        compared: what the draft shares, beside what is shared today.
        changes: in detail.
        differs_from_agreement: what the draft changes of the agreement that counts today.
    """

    activated: ActivatedService
    draft: Draft
    compared: Compared
    changes: tuple[ShareChange, ...]
    differs_from_agreement: tuple[ShareChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftProblem:
    """Why one of many drafts cannot be prepared or signed: code and subject of its refusal."""

    draft: Draft
    refused_by: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedBatch:
    """Many drafts at once, to be signed by one signature; none is kept when there are problems."""

    batch: str
    prepared: tuple[PreparedDecision, ...]
    problems: tuple[DraftProblem, ...] = ()
