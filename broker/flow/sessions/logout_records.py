"""What is kept while a browser logs out, and of what became of it. All of it sealed."""

from broker.domain.ids import RelyingPartyId, SchoolIdpId
from broker.flow.held_state.sealed_state import SealedRecord, StateKind
from broker.flow.sessions.session_records import NamedSession
from broker.saml_xml.logout.messages import LogoutBinding

LOGOUT_TTL_SECONDS = 10 * 60  # a page with one button
TOLD_TTL_SECONDS = 30 * 60  # the page that says what became of it


class SamlAsked(SealedRecord, frozen=True, kw_only=True):
    """A signed LogoutRequest: whom it means, and where the answer goes.

    Attributes:
        name_id: as the party that asks knows the person.
        session_indexes: of its sessions; empty means all of them in this browser.
        binding: by which it came; the answer goes the same way where that is registered.
        is_async: it wants no answer.
    """

    message_id: str
    relay_state: str | None
    name_id: str
    session_indexes: tuple[str, ...]
    binding: LogoutBinding
    is_async: bool


class LogoutRecord(SealedRecord, frozen=True, kw_only=True):
    """A checked request to log out; see `oidc_op.logout.CheckedLogout`.

    Attributes:
        idp: of the school whose login asks; then `relying_party` is None.
        saml: what was asked by SAML; then `redirect_uri`, `state` and `sid` are empty.
    """

    relying_party: RelyingPartyId | None
    redirect_uri: str | None = None
    state: str | None = None
    sid: str = ""
    is_proven: bool
    idp: SchoolIdpId | None = None
    saml: SamlAsked | None = None


class LeftParty(SealedRecord, frozen=True, kw_only=True):
    """A relying party that took part in a session which was ended.

    Attributes:
        asked: it asked for this, so it ended its own session.
        is_told: a message goes to it by the back channel.
        visited: as what the browser must be brought there to log out; None where it need not, or
            where nothing of the kind is possible and only the person can log out.
        frontchannel_url: its page that ends its session, "" when none is shown.
    """

    relying_party: RelyingPartyId
    asked: bool
    is_told: bool
    visited: NamedSession | None = None
    frontchannel_url: str = ""


class LeftSchool(SealedRecord, frozen=True, kw_only=True):
    """A school's SAML login whose document asks for logout; the browser is brought there last."""

    idp: SchoolIdpId
    named: NamedSession


class LoggedOutRecord(SealedRecord, frozen=True, kw_only=True):
    """What was ended.

    Attributes:
        parties: each relying party once.
        idps: whose logins they were; a person may log out there too.
        schools: those of them that are asked to log the person out.
        is_elsewhere: the session that was meant is none of this browser's: those go on.
    """

    logout: LogoutRecord
    parties: tuple[LeftParty, ...]
    idps: tuple[SchoolIdpId, ...]
    schools: tuple[LeftSchool, ...] = ()
    is_elsewhere: bool = False


class LogoutResultRecord(SealedRecord, frozen=True, kw_only=True):
    """What a party answered, in the end; None while the browser is there."""

    is_out: bool | None


LOGOUT = StateKind(
    name="logout",
    version=2,
    struct=LogoutRecord,
    ttl_seconds=LOGOUT_TTL_SECONDS,
    tombstone_ttl_seconds=TOLD_TTL_SECONDS,
)
LOGGED_OUT = StateKind(
    name="logged-out",
    version=2,
    struct=LoggedOutRecord,
    ttl_seconds=TOLD_TTL_SECONDS,
    tombstone_ttl_seconds=TOLD_TTL_SECONDS,
)
LOGOUT_RESULT = StateKind(
    name="logout-result",
    version=2,
    struct=LogoutResultRecord,
    ttl_seconds=TOLD_TTL_SECONDS,
    tombstone_ttl_seconds=TOLD_TTL_SECONDS,
)
