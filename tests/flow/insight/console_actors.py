"""Who is at work, for flows of the console."""

from datetime import UTC, datetime

from broker.domain.console_roles import ConsoleUserId, HeldRole, PlaceKind, Role
from broker.flow.console.actors import Actor, ActorKind


def an_actor(role: Role = Role.SCHOOL_ADMIN, place: str = "vuurvogel") -> Actor:
    """Return somebody who holds one role; at the federation for `place` ""."""
    kinds = {
        Role.SUPPLIER_ADMIN: PlaceKind.SUPPLIER,
        Role.OPERATOR: PlaceKind.FEDERATION,
        Role.BOARD_ADMIN: PlaceKind.BOARD,
        Role.SIGNER: PlaceKind.BOARD,
    }
    held = HeldRole(role, kinds.get(role, PlaceKind.SCHOOL), place)
    user = ConsoleUserId("0" * 32)
    return Actor(user, ActorKind.PERSON, (held,), datetime(2026, 1, 1, tzinfo=UTC))
