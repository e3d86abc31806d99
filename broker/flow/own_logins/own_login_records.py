"""What is kept of a login to pages of our own while the browser is at the login. No person."""

from datetime import datetime
from enum import StrEnum

from broker.domain.console_roles import LoginPlace
from broker.domain.ids import SchoolIdpId
from broker.flow.at_school import LevelAsked
from broker.flow.following.trail import LoginId
from broker.flow.held_state.sealed_state import SealedRecord, StateKind

OWN_LOGIN_TTL_SECONDS = 30 * 60  # as of a login


class OwnPurpose(StrEnum):
    """What somebody logs in for."""

    CONSOLE = "console"
    ME = "me"


class OwnLoginSent(SealedRecord, frozen=True, kw_only=True):
    """A browser that was sent to a login; fields as of `PendingLogin`.

    Attributes:
        back: address of ours to which it goes on afterwards, with its query.
        carried: what the purpose needs then, in its own words; opens nothing by itself.
    """

    login: LoginId
    purpose: OwnPurpose
    place: LoginPlace
    idp: SchoolIdpId
    request: LevelAsked
    back: str
    carried: str = ""
    request_id: str
    nonce: str = ""
    code_verifier: str = ""
    sent_at: datetime
    force_login: bool = False


OWN_LOGIN = StateKind(
    name="own-login",
    version=1,
    struct=OwnLoginSent,
    ttl_seconds=OWN_LOGIN_TTL_SECONDS,
    tombstone_ttl_seconds=OWN_LOGIN_TTL_SECONDS,
)
