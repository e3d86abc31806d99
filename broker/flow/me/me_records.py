"""What is kept while somebody looks at what was shared: one short sealed session."""

from datetime import datetime
from typing import Literal

from broker.domain.attributes import Population
from broker.domain.ids import SchoolId
from broker.flow.held_state.sealed_state import SealedRecord, StateKind
from broker.flow.persons.person_records import Presented, as_root

ME_SECONDS = 15 * 60
"""Long enough to read and to send one request; a device that somebody leaves shows nothing more."""


LEFT_SECONDS = 30
"""After a page was left: who goes back or loads it again does so within these."""


class MeSession(SealedRecord, frozen=True, kw_only=True):
    """Who looks. Roots open rows and receipts with our keys; nothing that the login stated does.

    Attributes:
        visitor: the person themself, or a parent with a code of the school.
        first_name: to be shown; "" for a parent, who is not told whose it is beyond the letter.
        old_roots: of the number at schools that this one goes on for.
        code: where the parent's code stands (32 bytes); b"" for the person themself.
        is_left: the page was left; unless another one is asked for soon, the session ends.
    """

    visitor: Literal["self", "parent"]
    school: SchoolId
    population: Population
    eck_root: bytes | None
    local_root: bytes | None
    old_roots: dict[SchoolId, bytes]
    first_name: str
    began_at: datetime
    code: bytes = b""
    is_left: bool = False

    @property
    def presented(self) -> Presented:
        """Return by what the person is found."""
        eck, local = self.eck_root, self.local_root
        return Presented(
            self.population,
            eck_id=None if eck is None else as_root(eck),
            local=None if local is None else as_root(local),
        )


ME_SESSION = StateKind(
    name="me-session",
    version=1,
    struct=MeSession,
    ttl_seconds=ME_SECONDS,
    tombstone_ttl_seconds=ME_SECONDS,
)
