"""What is kept while a browser logs out, and of what became of it. All of it sealed."""

from broker.domain.ids import RelyingPartyId, SchoolIdpId
from broker.flow.held_state.sealed_state import SealedRecord, StateKind

LOGOUT_TTL_SECONDS = 10 * 60  # a page with one button
TOLD_TTL_SECONDS = 30 * 60  # the page that says what became of it


class LogoutRecord(SealedRecord, frozen=True, kw_only=True):
    """A checked request to log out; see `oidc_op.logout.CheckedLogout`."""

    relying_party: RelyingPartyId | None
    redirect_uri: str | None
    state: str | None
    sid: str
    is_proven: bool


class LeftParty(SealedRecord, frozen=True, kw_only=True):
    """A relying party that took part in a session which was ended.

    Attributes:
        asked: it asked for this, so it ended its own session.
        is_told: a message goes to it by the back channel; else only the person can log out there.
        frontchannel_url: its page that ends its session, "" when none is shown.
    """

    relying_party: RelyingPartyId
    asked: bool
    is_told: bool
    frontchannel_url: str = ""


class LoggedOutRecord(SealedRecord, frozen=True, kw_only=True):
    """What was ended.

    Attributes:
        parties: each relying party once.
        idps: whose logins they were; a person may log out there too.
        is_elsewhere: the session that was meant is none of this browser's: those go on.
    """

    logout: LogoutRecord
    parties: tuple[LeftParty, ...]
    idps: tuple[SchoolIdpId, ...]
    is_elsewhere: bool = False


class LogoutResultRecord(SealedRecord, frozen=True, kw_only=True):
    """What a relying party answered, in the end."""

    is_out: bool


LOGOUT = StateKind(
    name="logout",
    version=1,
    struct=LogoutRecord,
    ttl_seconds=LOGOUT_TTL_SECONDS,
    tombstone_ttl_seconds=TOLD_TTL_SECONDS,
)
LOGGED_OUT = StateKind(
    name="logged-out",
    version=1,
    struct=LoggedOutRecord,
    ttl_seconds=TOLD_TTL_SECONDS,
    tombstone_ttl_seconds=TOLD_TTL_SECONDS,
)
LOGOUT_RESULT = StateKind(
    name="logout-result",
    version=1,
    struct=LogoutResultRecord,
    ttl_seconds=TOLD_TTL_SECONDS,
    tombstone_ttl_seconds=TOLD_TTL_SECONDS,
)
