"""What is kept of a browser's session, under five handles, of which each opens less than the last.

    session        the browser's own handle      what the school's login stated: decides for the
                                                 next supplier
    standing       child of it                   that the session was not ended; where it is found
    participation  child of that, one for each   whom the relying party knows by which pseudonym;
                   relying party: its `sid`      the relying party has this handle
    told-login     child of that                 as when it was told that the login took place
    at-school      child of standing             by what name the school's login knows the session,
                                                 where its document asks for logout

A parent's handle gives its children's, never the other way round, and in none of these five records
stands a handle: what a relying party holds opens its own part, and neither the others that take
part nor what the school stated. Handles of children are derived: any number of tabs write the part
of one relying party at the same place, and nobody's part gets lost.
Each release writes `standing` anew, in the same trip as its part: once it was ended, nothing more
can take part.
"""

from datetime import datetime

from broker.domain.ids import RelyingPartyId, SchoolId, SchoolIdpId, SupplierId
from broker.flow.following.trail import LoginId
from broker.flow.held_state.sealed_state import SealedRecord, StateKind

LONGEST_SESSION_SECONDS = 12 * 60 * 60  # a day at school; the setting is at most this
LOGOUT_REACH_SECONDS = 12 * 60 * 60  # the same


class NamedSession(SealedRecord, frozen=True, kw_only=True):
    """How a SAML party on the other side knows a session: what a message about logging out names.

    Attributes:
        format, name_qualifier, sp_name_qualifier: of the NameID, as stated; "" and None for none.
        session_index: None when it gave none.
    """

    name_id: str
    format: str = ""
    name_qualifier: str | None = None
    sp_name_qualifier: str | None = None
    session_index: str | None = None


class HeldSession(SealedRecord, frozen=True, kw_only=True):
    """A session that a login in hand belongs to.

    Attributes:
        handle: text of its handle.
        is_new: this login made it; the browser gets it with the answer to the supplier.
        asks: a page must say whose it is first.
    """

    handle: str
    is_new: bool
    asks: bool = False


class SessionRecord(SealedRecord, frozen=True, kw_only=True):
    """What a school's login stated, as far as its rules and the school's agreements need it.

    Attributes:
        idp: whose login it was.
        school: the one that was clicked; it decides nothing.
        schools: those that it stated.
        attributes: incoming name -> values as sent.
        authenticated_at: at school, aware UTC.
        acr: as the school stated it.
        began_at: when we took it in, aware UTC.
    """

    idp: SchoolIdpId
    school: SchoolId
    schools: tuple[SchoolId, ...]
    attributes: dict[str, tuple[str, ...]]
    authenticated_at: datetime
    acr: str
    began_at: datetime


class StandingRecord(SealedRecord, frozen=True, kw_only=True):
    """That a session was not ended.

    Attributes:
        session: where its record is found (32 bytes); it opens nothing.
        idp: whose login it was, for logging out there too.
    """

    session: bytes
    idp: SchoolIdpId


class ParticipationRecord(SealedRecord, frozen=True, kw_only=True):
    """That a relying party takes part in a session.

    Attributes:
        login: of the newest release to it.
        session: where the session's record is found (32 bytes), to end it; it opens nothing.
        subject: the pseudonym by which it knows the person, or its transient NameID.
        name_format: of the NameID that it got; "" for OpenID Connect.
    """

    login: LoginId
    session: bytes
    relying_party: RelyingPartyId
    supplier: SupplierId
    subject: str
    name_format: str = ""


class SchoolSessionRecord(SealedRecord, frozen=True, kw_only=True):
    """By what name a school's login knows the session that began there; only to log out."""

    idp: SchoolIdpId
    named: NamedSession


class ToldLoginRecord(SealedRecord, frozen=True, kw_only=True):
    """When a relying party was told that the login of a session took place.

    It hears the same again for as long as the session lasts (OIDC Core 2, `auth_time`), and others
    hear their own: the moment at school would be one mark for all of them.
    """

    moment: datetime


SESSION = StateKind(
    name="browser-session",
    version=1,
    struct=SessionRecord,
    ttl_seconds=LONGEST_SESSION_SECONDS,
    tombstone_ttl_seconds=LONGEST_SESSION_SECONDS,
)
STANDING = StateKind(
    name="session-standing",
    version=1,
    struct=StandingRecord,
    ttl_seconds=LOGOUT_REACH_SECONDS,
    tombstone_ttl_seconds=LOGOUT_REACH_SECONDS,
)
PARTICIPATION = StateKind(
    name="participation",
    version=3,
    struct=ParticipationRecord,
    ttl_seconds=LOGOUT_REACH_SECONDS,
    tombstone_ttl_seconds=LOGOUT_REACH_SECONDS,
)
TOLD_LOGIN = StateKind(
    name="told-login",
    version=1,
    struct=ToldLoginRecord,
    ttl_seconds=LONGEST_SESSION_SECONDS,
    tombstone_ttl_seconds=LONGEST_SESSION_SECONDS,
)
SESSION_AT_SCHOOL = StateKind(
    name="session-at-school",
    version=1,
    struct=SchoolSessionRecord,
    ttl_seconds=LONGEST_SESSION_SECONDS + LOGOUT_REACH_SECONDS,
    tombstone_ttl_seconds=LONGEST_SESSION_SECONDS + LOGOUT_REACH_SECONDS,
)
