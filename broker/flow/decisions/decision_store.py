"""Port: where drafts wait, what was signed rests, and agreements are put in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from broker.domain.console_roles import Role
from broker.domain.documents import SupplierDocument
from broker.domain.ids import SupplierId
from broker.flow.console.console_audit import ConsoleEntry
from broker.flow.decisions.decision_types import Decider, Draft, PreparedDecision, SignedDecision
from broker.flow.federation.narrow_change import NarrowChange, NarrowStore


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDraft:
    """A draft to keep.

    Attributes:
        replaces: number and revision of the one that it replaces; None: there must be none.
    """

    draft: Draft
    prepared_by: str
    prepared_role: Role
    prepared_at: datetime
    batch: str = ""
    replaces: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSigned:
    """What was signed: its draft's number and revision, and the document."""

    number: int
    revision: int
    decider: Decider
    supplier: SupplierId
    version: int
    document: str = field(repr=False)
    document_hash: str


class DraftMoved(Exception):  # noqa: N818 -- an answer of the port
    """Another draft waits by now than was read, or none; nothing was written."""


class DecisionStore(NarrowStore, Protocol):
    """Every method raises `RegistryUnreadable` when nothing can be read or written."""

    def categories(self) -> Mapping[SupplierId, str]:
        """Return the category of each supplier's sheet; without a sheet, "" or nothing."""
        ...

    def suppliers(self, ids: Sequence[SupplierId]) -> Mapping[SupplierId, SupplierDocument]:
        """Return the documents of suppliers, sheets and all."""
        ...

    def drafts_of(self, decider: Decider) -> tuple[PreparedDecision, ...]:
        """Return what waits of a school or board, the newest first."""
        ...

    def draft_for(self, decider: Decider, supplier: SupplierId) -> PreparedDecision | None:
        """Return what waits about one supplier."""
        ...

    def find_draft(self, number: int) -> PreparedDecision | None:
        """Return one draft."""
        ...

    def drafts_in(self, batch: str) -> tuple[PreparedDecision, ...]:
        """Return the drafts of a batch that still wait, in order."""
        ...

    async def keep_drafts(
        self, drafts: Sequence[NewDraft], *, entries: Sequence[ConsoleEntry]
    ) -> tuple[PreparedDecision, ...]:
        """Keep drafts, all or none.

        Raises:
            DraftMoved
        """
        ...

    async def discard_draft(self, number: int, *, revision: int, entry: ConsoleEntry) -> bool:
        """Remove a draft; False when it is another one by now, or gone, and nothing is written."""
        ...

    async def sign(
        self,
        change: NarrowChange,
        signed: Sequence[NewSigned],
        *,
        by: str,
        at: datetime,
        entries: Sequence[ConsoleEntry],
    ) -> tuple[SignedDecision, ...]:
        """Put agreements in force, keep what was signed and remove the drafts: all or nothing.

        Raises:
            EditedMeanwhile, LeaningMoved, DraftMoved
        """
        ...

    def signed_of(self, decider: Decider, supplier: SupplierId) -> tuple[SignedDecision, ...]:
        """Return what was signed, the newest first."""
        ...

    def signed_from(self, draft: int) -> SignedDecision | None:
        """Return what was signed of a draft."""
        ...
