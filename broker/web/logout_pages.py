"""Pages of logging out; kin to those of `pages`."""

from dataclasses import dataclass, field
from typing import ClassVar

from broker.web.pages import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class AskLogoutPage:
    """Do you want to log out? One button.

    Attributes:
        logout: name of the step.
        supplier_name: who asks; empty when nobody proved to.
        way_back: for who does not want to; the registered start page of who asks.
    """

    template: ClassVar[str] = "ask_logout.html"
    logout: str
    csrf: str = field(repr=False)
    supplier_name: str = ""
    way_back: Link | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftPlace:
    """A supplier's system of an ended session.

    Attributes:
        url: where it begins, for logging out there; empty where it has no page.
        is_out: None while it has not answered.
        host: tells two places of one name apart; else empty.
    """

    name: str
    url: str
    is_out: bool | None
    host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutStopPage:
    """On the way to one party that must hear it from this browser; back here in a moment.

    Attributes:
        method, action, fields: of the form that leads there.
        name: of who it leads to.
        onward: our own page, which goes on without that party.
        seconds: after which a script goes on by itself.
    """

    template: ClassVar[str] = "logout_stop.html"
    method: str
    action: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)
    name: str
    onward: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerForm:
    """A form that goes back to who asked, with our answer."""

    action: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedOutPage:
    """Where you are logged out, and where not yet.

    Attributes:
        is_partial: everybody has answered, and somebody not that you are out.
        at_school: logins of schools that were asked to log out too.
        is_waiting: the page asks for itself again in a moment.
        is_elsewhere: this browser's own session goes on: it was not the one that was meant.
        frames: pages of suppliers that end their sessions.
        schools: where a person may log out at school too.
        way_back: the registered address of who asked.
        answer: the same by a form; never both.
    """

    template: ClassVar[str] = "logged_out.html"
    places: tuple[LeftPlace, ...]
    is_waiting: bool = False
    is_partial: bool = False
    is_elsewhere: bool = False
    frames: tuple[str, ...] = field(default=(), repr=False)
    schools: tuple[Link, ...] = ()
    at_school: tuple[LeftPlace, ...] = ()
    way_back: Link | None = None
    answer: AnswerForm | None = None
