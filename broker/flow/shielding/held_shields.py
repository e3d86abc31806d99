"""Where it rests whether somebody is shielded, as it waits with what was decided."""

from broker.domain.ids import SchoolId
from broker.flow.held_state.sealed_state import SealedRecord


class HeldShields(SealedRecord, frozen=True, kw_only=True):
    """Enough to look again before something goes out; it opens that person's shields alone.

    Attributes:
        schools, tags, keys: of each place (`shield_records.ShieldPlace`).
        ids: of the shields that held at this supplier when it was decided.
    """

    schools: tuple[SchoolId, ...]
    tags: tuple[bytes, ...]
    keys: tuple[bytes, ...]
    ids: tuple[str, ...] = ()
