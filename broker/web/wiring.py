"""What every route works with. Made by `app.py`, anew whenever keys change; nothing in it does."""

from asyncio import Semaphore
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from broker.domain.ids import SchoolId
from broker.flow.audit import AuditLog
from broker.flow.enrolment.enrolment_feed import EnrolmentDesk, FeedOvertaken
from broker.flow.following.trail import Watch
from broker.flow.login import LoginFlow
from broker.flow.ports import Clock, Random, Snapshots
from broker.flow.programs.api_access import ApiAccess
from broker.flow.programs.quotas import QuotaLedger
from broker.flow.rotation.supplier_conversion import SupplierConversion
from broker.flow.switching.volunteers import VolunteerFlow
from broker.flow.takeover.takeover_mapping import TakeoverMapping
from broker.flow.token import TokenFlow
from broker.saml_xml.security import XmlSecurity
from broker.web.cookies import Cookies
from broker.web.documents import Documents
from broker.web.pages import Pages


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a login can succeed now: each name with its check."""

    checks: tuple[tuple[str, Callable[[], bool]], ...]

    def failing(self) -> list[str]:
        """Return the names of what is not well."""
        return [name for name, is_well in self.checks if not is_well()]


@dataclass(frozen=True, slots=True)
class ApiLists:
    """Where schools' programs send lists of who is there, and how often.

    A list of the largest size takes some hundred megabytes while it is worked on, so one is in
    work at a time, and a school that is sending one cannot send another beside it.

    Attributes:
        turn: whose list is in work, in this worker.
        sending: schools of which one is arriving or in work, in this worker.
    """

    desk: EnrolmentDesk
    quotas: QuotaLedger
    lists_a_day: int
    turn: Semaphore = field(default_factory=lambda: Semaphore(1), repr=False)
    sending: set[SchoolId] = field(default_factory=set, repr=False)

    @contextmanager
    def one_of(self, school: SchoolId) -> Iterator[None]:
        """Hold that a school sends one list at a time.

        Raises:
            FeedOvertaken: another one is arriving or in work.
        """
        if school in self.sending:
            raise FeedOvertaken("check_one_list_at_a_time")
        self.sending.add(school)
        try:
            yield
        finally:
            self.sending.discard(school)


@dataclass(frozen=True, slots=True)
class Web:
    """The flows and everything that turns their answers into HTTP.

    Attributes:
        issuer: our origin; never taken from a request's Host.
        cookie_keys: 32 bytes each; the first makes the tokens in our own forms, all are accepted.
        max_body_bytes: of any form that is posted to us.
        max_api_body_bytes: of what a program sends, once it proved who it is.
        max_requests: in work at once.
    """

    issuer: str
    sso_url: str
    login: LoginFlow
    volunteers: VolunteerFlow
    token: TokenFlow
    api: ApiAccess
    mapping: TakeoverMapping
    lists: ApiLists
    conversion: SupplierConversion
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

    @property
    def secure(self) -> bool:
        """Tell whether we are reached by https; plain http is for loopback only."""
        return self.cookies.secure
