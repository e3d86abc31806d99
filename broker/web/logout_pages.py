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
class LoggedOutPage:
    """Where you are logged out, and where not yet.

    Attributes:
        is_waiting: the page asks for itself again in a moment.
        is_elsewhere: this browser's own session goes on: it was not the one that was meant.
        frames: pages of suppliers that end their sessions.
        schools: where a person may log out at school too.
        way_back: the registered address of who asked.
    """

    template: ClassVar[str] = "logged_out.html"
    places: tuple[LeftPlace, ...]
    is_waiting: bool = False
    is_elsewhere: bool = False
    frames: tuple[str, ...] = field(default=(), repr=False)
    schools: tuple[Link, ...] = ()
    way_back: Link | None = None
