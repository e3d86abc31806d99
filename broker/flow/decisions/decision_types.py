"""What a decision is made of: who decides, what was chosen, what waits to be signed, what is shown.

A draft says what somebody chose after reading a sheet. It waits in `registry.db` until somebody
signs or discards it; signed, it is the next version of the agreement, and in force.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

import msgspec

from broker.domain.agreements import NoticeMode
from broker.domain.attributes import AttributeName
from broker.domain.console_roles import Role
from broker.domain.decision_outline import Choice, GroupChoice
from broker.domain.documents import AgreementDocument, Kind, SupplierDocument
from broker.domain.federation import School
from broker.domain.ids import BoardId, SchoolId, SupplierId
from broker.flow.federation.documents import Key


class Decider(msgspec.Struct, frozen=True):
    """Who decides: a school for itself, or a board for all its schools. One of the two."""

    school: SchoolId | None = None
    board: BoardId | None = None

    def key(self, supplier: SupplierId) -> Key:
        """Return by what the agreement of this decider with a supplier is kept."""
        side = f"school/{self.school}" if self.school is not None else f"board/{self.board}"
        return Kind.AGREEMENT, f"{side}/{supplier}"


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody chose, after reading a sheet.

    Attributes:
        choice: what is approved, of whom. With `not_here`, nothing.
        until: needed to approve what identifies across suppliers.
        sheet: version that was read; 0: the supplier has none.
        based_on: version of the decider's own agreement that was shown; 0: there was none.
        not_here: the school wants none of its board's agreement.
    """

    decider: Decider
    supplier: SupplierId
    choice: Choice
    notice: NoticeMode = NoticeMode.NONE
    from_day: date
    until: date | None = None
    sheet: int = 0
    based_on: int = 0
    not_here: bool = False


class PreparedDecision(msgspec.Struct, frozen=True, kw_only=True):
    """A draft that waits to be signed.

    Attributes:
        number: of the record; never used again.
        revision: counts how often it was prepared anew; a form carries it, so that nobody signs
            another draft than was read.
        prepared_by: whose id; four eyes are another's.
        batch: those that were prepared at once; "" for one alone.
    """

    number: int
    revision: int
    draft: Draft
    prepared_by: str
    prepared_role: Role
    prepared_at: datetime
    batch: str = ""


class SignedDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What was signed, to keep: canonical JSON, and its SHA-256 as in the audit.

    Attributes:
        number: of the record.
        document: the text; `signed_documents` says what stands in it.
        document_hash: 64 hexadecimal digits.
    """

    number: int
    decider: Decider
    supplier: SupplierId
    version: int
    signed_at: datetime
    document: str = msgspec.field(default="")
    document_hash: str = ""


class Standing(StrEnum):
    """How a school or board stands with a supplier today."""

    NONE = "none"
    IN_FORCE = "in-force"
    LATER = "later"
    ENDED = "ended"
    STOPPED = "stopped"


class DecidedBy(StrEnum):
    """Whose agreement counts."""

    NOBODY = "nobody"
    ITSELF = "itself"
    BOARD = "board"
    """The school has none of its own."""
    OLD_SCHOOLS = "old-schools"
    """Schools that this one goes on for; it has none of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueLine:
    """One service in the catalogue of a school or board.

    Attributes:
        name: for people.
        category: of the sheet; "" without.
        version, last_day: of the agreement that counts; 0 and None without.
        waiting: attributes asked or required since a later sheet than was signed on.
        draft: number of a draft that waits to be signed; None without.
        is_linkable: the supplier gets something by which two suppliers can match a pupil.
        ends_soon: within 60 days.
    """

    supplier: SupplierId
    name: str
    category: str
    sheet: int
    standing: Standing
    decided_by: DecidedBy
    version: int = 0
    last_day: date | None = None
    waiting: tuple[AttributeName, ...] = ()
    draft: int | None = None
    is_linkable: bool = False
    ends_soon: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView:
    """All that one needs to decide about one service.

    Attributes:
        school: when a school decides.
        document: of the supplier, with its sheet, as it is now.
        own: the decider's own agreement as stated; None without.
        counting: the agreement that counts today: its own, its board's, or made of old schools'
            (then `document_of_counting` is None).
        choice: what counts today approves; nothing without.
        version: of the own agreement; what a form is based on.
        waiting: attributes asked or required since the sheet that was signed on.
        draft: what waits to be signed.
        exceptions: of a board: schools with an agreement of their own, with its standing.
        four_eyes: who prepared may not sign.
        may_prepare, may_sign, may_stop: what this actor may.
        lacks_processor_agreement: nothing can be signed until the school signed with the
            federation.
    """

    decider: Decider
    school: School | None
    supplier: SupplierId
    document: SupplierDocument = field(repr=False)
    own: AgreementDocument | None
    counting: AgreementDocument | None
    standing: Standing
    decided_by: DecidedBy
    choice: Choice
    version: int
    signed_on: int
    waiting: tuple[AttributeName, ...]
    draft: PreparedDecision | None
    exceptions: Mapping[SchoolId, Standing]
    four_eyes: bool
    may_prepare: bool
    may_sign: bool
    may_stop: bool
    lacks_processor_agreement: bool


def choice_of(document: AgreementDocument) -> Choice:
    """Return what an agreement approves, of whom."""
    pupils = frozenset(map(AttributeName, document.approved))
    staff = document.approved_staff
    return Choice(
        pupils=pupils,
        staff=pupils if staff is None else frozenset(map(AttributeName, staff)),
        groups=tuple(
            GroupChoice(frozenset(each.groups), frozenset(map(AttributeName, each.approved)))
            for each in document.for_groups
        ),
    )
