"""What every route works with. Made by `app.py`, anew whenever keys change; nothing in it does."""

from collections.abc import Callable
from dataclasses import dataclass, field

from broker.flow.audit import AuditLog
from broker.flow.authorization_requests import AuthorizationRequests
from broker.flow.first_party.announced_schools import SchoolAnnouncements
from broker.flow.first_party.session_questions import SessionQuestions
from broker.flow.following.trail import Watch
from broker.flow.login import LoginFlow
from broker.flow.login_tests.login_tests import LoginTestFlow
from broker.flow.own_logins.own_logins import OwnLoginFlow
from broker.flow.ports import Clock, Random, Snapshots
from broker.flow.programs.api_access import ApiAccess
from broker.flow.programs.transfer_notices import TransferNotices
from broker.flow.pushed_requests import PushedRequests
from broker.flow.rotation.supplier_conversion import SupplierConversion
from broker.flow.sender_proofs import SenderProofs
from broker.flow.sessions.logout import LogoutFlow
from broker.flow.switching.volunteers import VolunteerFlow
from broker.flow.takeover.takeover_mapping import TakeoverMapping
from broker.flow.token import TokenFlow
from broker.flow.tokens.status import TokenStatus
from broker.saml_xml.security import XmlSecurity
from broker.web.api_lists import ApiLists
from broker.web.certificate_hop import CertificateHop
from broker.web.console.wiring import ConsoleWeb
from broker.web.cookies import Cookies
from broker.web.me.wiring import MeWeb
from broker.web.own_documents import Documents
from broker.web.rendering import Pages


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a login can succeed now: each name with its check."""

    checks: tuple[tuple[str, Callable[[], bool]], ...]

    def failing(self) -> list[str]:
        """Return the names of what is not well."""
        return [name for name, is_well in self.checks if not is_well()]


@dataclass(frozen=True, slots=True)
class Web:
    """The flows and everything that turns their answers into HTTP.

    Attributes:
        issuer: our origin; never taken from a request's Host.
        certificate_hop: who may state a client's certificate; None when nobody may.
        cookie_keys: 32 bytes each; the first makes the tokens in our own forms, all are accepted.
        max_body_bytes: of any form that is posted to us.
        max_api_body_bytes: of what a program sends, once it proved who it is.
        max_requests: in work at once.
        logout_stop_seconds: that a browser waits for one party while it logs out.
    """

    issuer: str
    sso_url: str
    authorization: AuthorizationRequests
    pushed: PushedRequests
    login: LoginFlow
    logout: LogoutFlow
    announcements: SchoolAnnouncements
    session_questions: SessionQuestions
    volunteers: VolunteerFlow
    login_tests: LoginTestFlow
    own_logins: OwnLoginFlow
    console: ConsoleWeb
    me: MeWeb
    token: TokenFlow
    token_status: TokenStatus
    api: ApiAccess
    mapping: TakeoverMapping
    lists: ApiLists
    notices: TransferNotices
    conversion: SupplierConversion
    senders: SenderProofs
    certificate_hop: CertificateHop | None
    snapshots: Snapshots
    xml: XmlSecurity
    pages: Pages
    cookies: Cookies
    cookie_keys: tuple[bytes, ...] = field(repr=False)
    documents: Documents = field(repr=False)
    health: Health
    audit: AuditLog
    watch: Watch
    clock: Clock
    random: Random
    max_body_bytes: int
    max_api_body_bytes: int
    max_requests: int
    logout_stop_seconds: int

    @property
    def secure(self) -> bool:
        """Tell whether we are reached by https; plain http is for loopback only."""
        return self.cookies.secure
