"""What is kept of a login test while the browser is at the school's login. Sealed; no person."""

from datetime import datetime

from broker.domain.ids import SchoolId, SchoolIdpId, SupplierId
from broker.flow.at_school import NothingAsked
from broker.flow.following.trail import LoginId
from broker.flow.held_state.sealed_state import SealedRecord, StateKind

LOGIN_TEST_TTL_SECONDS = 30 * 60  # as of a login


class LoginTestSent(SealedRecord, frozen=True, kw_only=True):
    """A browser that was sent to the login that is tested; fields as of `PendingLogin`.

    Attributes:
        supplier: of which one wishes to see what it would get; None: of those with an agreement.
    """

    login: LoginId
    school: SchoolId
    idp: SchoolIdpId
    supplier: SupplierId | None = None
    request: NothingAsked = NothingAsked()
    request_id: str
    nonce: str = ""
    code_verifier: str = ""
    sent_at: datetime
    force_login: bool = False


LOGIN_TESTED = StateKind(
    name="login-test",
    version=1,
    struct=LoginTestSent,
    ttl_seconds=LOGIN_TEST_TTL_SECONDS,
    tombstone_ttl_seconds=LOGIN_TEST_TTL_SECONDS,
)
