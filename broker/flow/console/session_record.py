"""What is kept of somebody who is logged in to the console."""

from datetime import datetime

from broker.domain.console_roles import ConsoleUserId, PlaceKind
from broker.domain.ids import SchoolIdpId
from broker.flow.held_state.sealed_state import SealedRecord, StateKind

LONGEST_CONSOLE_SECONDS = 8 * 60 * 60  # a working day; the setting is at most this


class ConsoleSession(SealedRecord, frozen=True, kw_only=True):
    """Who is logged in to the console.

    Attributes:
        user: keyed hash of where they log in and as whom.
        login_kind, login_place: where: school, supplier or federation; "" for the federation.
        idp: by which login.
        first_name: as stated, to greet; "" for none.
        groups: classes that the login states.
        level: of the login, one of `assurance.ACR_VALUES` or "".
        logged_in_at: the newest login, aware UTC.
        forced_at: the newest login that the school was made to ask for; None for none.
        began_at, seen_at: of the session, aware UTC.
        also: as whom the same account comes in at other schools of the board.
        by_link: by a one-time link, as the login is broken: no level, and no signing.
    """

    user: ConsoleUserId
    login_kind: PlaceKind
    login_place: str
    idp: SchoolIdpId
    first_name: str = ""
    groups: tuple[str, ...] = ()
    level: str = ""
    logged_in_at: datetime
    forced_at: datetime | None = None
    began_at: datetime
    seen_at: datetime
    by_link: bool = False
    also: tuple[ConsoleUserId, ...] = ()


CONSOLE_SESSION = StateKind(
    name="console-session",
    version=2,
    struct=ConsoleSession,
    ttl_seconds=LONGEST_CONSOLE_SECONDS,
    tombstone_ttl_seconds=LONGEST_CONSOLE_SECONDS,
)
