"""What the pages of decisions are given: one method for each thing that somebody does there.

`unverified_` ids come from forms and addresses: each method finds whose they are, and refuses
another's (`NotAllowed`, E-CONSOLE-1). A school or a board decides: exactly one of both is named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from broker.domain.decision_outline import Choice, ShareChange
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.console.actors import Actor
from broker.flow.decisions.decision_types import (
    CatalogueLine,
    Decider,
    DecisionView,
    Draft,
    PreparedDecision,
    SignedDecision,
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


class DecisionFlow(Protocol):
    """What somebody does with decisions."""

    def catalogue(
        self, actor: Actor, *, unverified_school: str = "", unverified_board: str = ""
    ) -> tuple[CatalogueLine, ...]:
        """Return every service that this school or board could use, by name."""
        ...

    def look(
        self,
        actor: Actor,
        *,
        unverified_school: str = "",
        unverified_board: str = "",
        unverified_supplier: str,
    ) -> DecisionView:
        """Return all that one needs to decide about one service."""
        ...

    async def prepare(self, actor: Actor, draft: Draft, *, replaces: int = 0) -> PreparedDecision:
        """Keep a draft for whoever signs; the same draft once more changes nothing.

        Args:
            replaces: revision of the draft that was shown; 0: none was.

        Raises:
            DecisionEditedMeanwhile: the draft, agreement or sheet is another one by now.
            DecisionUnusable: it cannot be put in force.
        """
        ...

    async def discard(self, actor: Actor, number: int, *, revision: int) -> None:
        """Throw a draft away; one that is gone already stays so."""
        ...

    def waiting(
        self, actor: Actor, *, unverified_school: str = "", unverified_board: str = ""
    ) -> tuple[PreparedDecision, ...]:
        """Return the drafts that wait to be signed, the newest first."""
        ...

    def find_prepared(self, actor: Actor, number: int) -> PreparedDecision:
        """Return one draft."""
        ...

    async def sign(self, actor: Actor, number: int, *, revision: int) -> SignedDecision:
        """Put a draft in force. Signing twice does nothing twice.

        Raises:
            LevelNeeded, FourEyesNeeded, ProcessorAgreementMissing
            DecisionEditedMeanwhile, DecisionUnusable
        """
        ...

    async def stop(
        self,
        actor: Actor,
        *,
        unverified_school: str = "",
        unverified_board: str = "",
        unverified_supplier: str,
        based_on: int,
    ) -> int:
        """Stop the logins of a school or board at a supplier at once; return the new version."""
        ...

    async def compare(
        self,
        actor: Actor,
        activated: Sequence[ActivatedService],
        *,
        from_day: date,
        until: date | None,
    ) -> tuple[ComparedService, ...]:
        """Return each line of a list beside what would be decided."""
        ...

    async def prepare_many(self, actor: Actor, drafts: Sequence[Draft]) -> PreparedBatch:
        """Keep many drafts, all or none."""
        ...

    def batch(self, actor: Actor, batch: str) -> PreparedBatch:
        """Return the drafts of a batch that still wait."""
        ...

    async def sign_many(
        self, actor: Actor, batch: str, *, revisions: Mapping[int, int]
    ) -> tuple[SignedDecision, ...]:
        """Put all drafts of a batch in force by one signature, all or none.

        Args:
            revisions: number -> revision of each draft, as they were shown.
        """
        ...

    def expiring(self, actor: Actor, *, days: int = 60) -> tuple[ExpiringDecision, ...]:
        """Return what ends within so many days at the actor's schools and boards."""
        ...

    def signed(
        self,
        actor: Actor,
        *,
        unverified_school: str = "",
        unverified_board: str = "",
        unverified_supplier: str,
    ) -> tuple[SignedDecision, ...]:
        """Return what was signed, the newest first."""
        ...
