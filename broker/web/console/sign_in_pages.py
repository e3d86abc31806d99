"""The pages on which somebody logs in to the console, once more for signing, and out."""

from dataclasses import dataclass, field
from typing import ClassVar

from broker.web.console.home_pages import ShownRole


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLogin:
    """A login to choose: `value` is what its button sends, `name` tells it from others or is ""."""

    value: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPlace:
    """A school, supplier or the federation, with its logins; `name` is "" for the federation."""

    name: str
    where: str = ""
    logins: tuple[SignInLogin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPage:
    """Where do you work?

    Attributes:
        back: where it leads afterwards; opens nothing.
        query: what was searched for.
        places: those that fit, none while too many do.
        found_count: how many fit.
    """

    template: ClassVar[str] = "console/sign_in.html"
    csrf: str = field(repr=False)
    back: str = field(default="", repr=False)
    query: str = field(default="", repr=False)
    places: tuple[SignInPlace, ...] = ()
    found_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUpPage:
    """To sign, log in once more.

    Attributes:
        has_failed: a login came back that was not sure enough.
        can_be_asked: the login's document says in which words it states such a level.
        place_name: where they log in.
        minutes: for how long they may sign afterwards.
    """

    template: ClassVar[str] = "console/step_up.html"
    csrf: str = field(repr=False)
    back: str = field(repr=False)
    place_name: str
    minutes: int
    has_failed: bool = False
    can_be_asked: bool = True
    by_link: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoAmIPage:
    """Who is logged in, and the way out.

    Attributes:
        code: by which others tell this person from others; no name is kept.
        since: moment of the login, in the Netherlands.
        may_sign: the login is sure and new enough.
    """

    template: ClassVar[str] = "console/who_am_i.html"
    csrf: str = field(repr=False)
    code: str = field(repr=False)
    place_name: str
    since: str
    may_sign: bool
    by_link: bool = False
    roles: tuple[ShownRole, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOutPage:
    """Nobody is logged in to the console any more in this browser."""

    template: ClassVar[str] = "console/signed_out.html"
