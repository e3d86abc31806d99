"""What is known of the request in hand, so that one login can be followed over all its requests.

Names and verdicts, never a value of a pupil. A request's trail hangs on its own context: steps,
audit and stores add to it, and whoever opened it writes it down and counts it when the request is
done. What runs outside a request adds to a trail that nobody reads.

The login's id is random, made when a login begins and kept in the sealed records of its steps. It
stands in logs alone: it is in no cookie, address, page, token or message, and nothing that leaves
is derived from it. Another try and "that is not me" go on with the same id; two logins of one
person share none.
"""

from base64 import b32encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, Protocol

LoginId = NewType("LoginId", str)
"""16 characters `[a-z2-7]`; internal."""

LOGIN_ID_BYTES = 10  # 80 bits: a year of a country's logins shares none


class LoginStep(StrEnum):
    """A request that takes a login further, or tries to."""

    START = "start"
    """A link of a portal, tile or poster; the login begins at the supplier that it leads to."""
    ANNOUNCE = "announce"
    """An ELO says which school this browser is at."""
    ASK = "ask"
    """A supplier asks whether somebody is logged in."""
    BEGIN = "begin"
    SHOW_SCHOOLS = "show-schools"
    CHOOSE_SCHOOL = "choose-school"
    SCHOOL_ANSWER = "school-answer"
    OWN_SCHOOL = "own-school"
    GO_ON = "go-on"
    NOT_ME = "not-me"
    REDEEM = "redeem"
    USERINFO = "userinfo"
    END_SESSION = "end-session"
    LOG_OUT = "log-out"


class Outcome(StrEnum):
    """What a request did to its login."""

    NONE = ""
    BEGUN = "begun"
    RELEASED = "released"
    REDEEMED = "redeemed"
    ENDED = "ended"
    """Logged out."""
    REFUSED = "refused"
    """A page of ours, or an error to a program."""
    TOLD = "told"
    """Refused, and the supplier was told."""


@dataclass(slots=True)
class Trail:
    """One request.

    Attributes:
        relying_party, idp: with whom this login speaks; "" while unknown.
        supplier_protocol, school_protocol: `oidc` or `saml`; "" while unknown.
        code, check, reference: of the refusal, if one was made.
        exceptions: of the school's login, without which its answer would have been refused.
        store_trips, store_seconds: to the login store.
    """

    login: LoginId = LoginId("")
    relying_party: str = ""
    idp: str = ""
    supplier_protocol: str = ""
    school_protocol: str = ""
    outcome: Outcome = Outcome.NONE
    code: str = ""
    check: str = ""
    reference: str = ""
    exceptions: tuple[str, ...] = ()
    store_trips: int = 0
    store_seconds: float = 0.0


class Watch(Protocol):
    """Counts what happens. Its numbers say nothing of a person, a school or a supplier."""

    def request_began(self) -> None:
        """Count one more request in work."""

    def request_ended(self, trail: Trail, *, step: LoginStep | None, seconds: float) -> None:
        """Count a request as done; `step` is None when it is none of a login."""

    def refused_busy(self) -> None:
        """Count a request that was turned away because too many are in work."""


_current: ContextVar[Trail | None] = ContextVar("trail", default=None)


def current_trail() -> Trail:
    """Return the trail of the request in hand; outside one, a trail that nobody reads."""
    return _current.get() or Trail()


@contextmanager
def following() -> Iterator[Trail]:
    """Open the trail of one request."""
    trail = Trail()
    token = _current.set(trail)
    try:
        yield trail
    finally:
        _current.reset(token)


def make_login_id(random: Callable[[int], bytes]) -> LoginId:
    """Return a fresh id.

    >>> make_login_id(lambda count: bytes(range(count)))
    'aaaqeayeaudaocaj'
    """
    return LoginId(b32encode(random(LOGIN_ID_BYTES)).decode().lower())
