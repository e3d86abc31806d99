"""What a visit to `/me` is, and what it shows."""

from dataclasses import dataclass, field
from typing import Protocol

from broker.domain.documents import AgreementDocument
from broker.domain.federation import School, Supplier
from broker.domain.ids import BoardId, SchoolId, SupplierId
from broker.flow.held_state.handles import Handle
from broker.flow.me.me_records import ME_SECONDS, MeSession
from broker.flow.me.shares import SupplierShare


class AgreementHistory(Protocol):
    """Every form that agreements ever had."""

    async def find(
        self, *, school: SchoolId, board: BoardId, supplier: SupplierId, version: int
    ) -> tuple[AgreementDocument, ...]:
        """Return what has this version: the school's own, the board's, or one of each.

        Raises:
            RegistryUnreadable: it cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class VisitOpened:
    """The handle for the browser's cookie."""

    handle: Handle = field(repr=False)
    ttl_seconds: int = ME_SECONDS


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks, and at which school.

    Attributes:
        seconds_left: until the session ends by itself.
    """

    session: MeSession
    school: School
    seconds_left: int


@dataclass(frozen=True, slots=True)
class OwnYear:
    """What was shared in one school year.

    Attributes:
        years: to choose from, the last one first; none for who was never seen.
        unreadable: how many receipts there are that do not open.
    """

    visit: Visit
    year: int
    years: tuple[int, ...]
    shares: tuple[SupplierShare, ...] = field(repr=False)
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What a decision said.

    Attributes:
        supplier: None when it is not there any more.
    """

    document: AgreementDocument
    school: School
    supplier: Supplier | None
