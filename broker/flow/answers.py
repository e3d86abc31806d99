"""What a step of a journey tells the browser next, without a word of HTTP."""

from dataclasses import dataclass, field

from broker.domain.attributes import AttributeName
from broker.domain.federation import School, SchoolIdp, Supplier
from broker.domain.ids import RelyingPartyId, SchoolId
from broker.domain.refusals import Refusal
from broker.flow.held_state.handles import Handle


@dataclass(frozen=True, slots=True)
class LoginCookie:
    """Binds one step of one login to the browser: `name` may be seen, `handle` opens the record.

    Attributes:
        name: the state that travels (RelayState, `state`, the form field `login`); finds the
            cookie, opens nothing.
        relying_party: where the login began, and where the browser can begin anew when its record
            is lost. No secret towards the device's own user, and proof of nothing.
    """

    name: str
    handle: Handle
    relying_party: RelyingPartyId
    ttl_seconds: int


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """What a browser gets of a session: `handle` lets it log in at the next supplier, `standing`
    finds where it is logged in, and opens nothing else; `name` tells it from others."""

    name: str
    handle: Handle = field(repr=False)
    standing: Handle = field(repr=False)


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the browser to `url` (303)."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PostMessage:
    """Let the browser post a protocol message, by script or by a button.

    Attributes:
        may_be_framed: the supplier asked for no page that anybody sees.
    """

    url: str = field(repr=False)
    fields: tuple[tuple[str, str], ...] = field(repr=False)
    destination_name: str
    may_be_framed: bool = False


@dataclass(frozen=True, slots=True)
class ChooseSchool:
    """Show the chooser for the login that `login` names."""

    login: str


@dataclass(frozen=True, slots=True)
class ChooseLogin:
    """Show the logins of one school, for the login that `login` names."""

    login: str
    school: SchoolId


@dataclass(frozen=True, slots=True)
class OtherLogin:
    """Show one button that goes on at another login of the school, where the work is the same.

    Attributes:
        csrf_bound_to: value of the login's cookie, which the page's form is bound to.
    """

    login: str
    csrf_bound_to: str = field(repr=False)
    school: School
    idp: SchoolIdp


@dataclass(frozen=True, slots=True)
class WhichSchool:
    """Ask a person of several schools for which of them this is.

    Attributes:
        csrf_bound_to: as in `OtherLogin`.
        schools: those that this login stated and that let the person go on, the clicked one first.
        first_name, may_switch: as in `Welcome`.
        is_remembered: whether the choice will be remembered for this supplier.
    """

    login: str
    csrf_bound_to: str = field(repr=False)
    schools: tuple[School, ...]
    supplier: Supplier
    first_name: str = field(repr=False)
    may_switch: bool
    is_remembered: bool


@dataclass(frozen=True, slots=True)
class Welcome:
    """Show who is logged in and what is shared, before anything leaves.

    Attributes:
        csrf_bound_to: value of the login's cookie, which the page's forms are bound to.
        first_name: to be shown and forgotten; empty when not stated or not needed.
        shared: canonical names of what goes out; None when no notice is due.
        may_switch: whether "that is not me" is offered (shared devices).
    """

    login: str
    csrf_bound_to: str = field(repr=False)
    school: School
    supplier: Supplier
    first_name: str = field(repr=False)
    shared: tuple[AttributeName, ...] | None
    may_switch: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """Show a page of our own that says what happened.

    Attributes:
        reference: 8 speakable characters, the same as in the audit.
        way_back: the relying party's registered start page, or "".
        way_back_name: the supplier's name.
        retry: the login that can go on at `retry_school` (or at the chooser when that is "").
    """

    refusal: Refusal
    reference: str
    way_back: str = ""
    way_back_name: str = ""
    retry: LoginCookie | None = None
    retry_school: str = ""


Answer = (
    Redirect
    | PostMessage
    | ChooseSchool
    | ChooseLogin
    | OtherLogin
    | WhichSchool
    | Welcome
    | Refused
)


@dataclass(frozen=True, slots=True)
class Step:
    """An answer with the cookies to set and to clear.

    Attributes:
        opened, closed: of a login's step.
        session: a new one, that this browser gets.
        leaves_session: the one that it had is over.
    """

    answer: Answer
    opened: LoginCookie | None = None
    closed: str = ""
    session: BrowserSession | None = None
    leaves_session: bool = False
