"""What is asked and answered about the people of the console."""

from dataclasses import dataclass, field
from datetime import date

from broker.domain.console_roles import LoginPlace, Role
from broker.flow.console.places import Place
from broker.flow.console.role_book import GivenRole, Invitation


@dataclass(frozen=True, slots=True)
class InvitationWish:
    """What a form asks for.

    Attributes:
        more_schools: of an ICT partner, besides `place`.
        last_day: of the role; None is without end.
        login: where it is to be accepted; None: at the place itself.
    """

    role: Role
    place: Place
    more_schools: tuple[str, ...] = ()
    last_day: date | None = None
    login: LoginPlace | None = None


@dataclass(frozen=True, slots=True)
class PeopleView:
    """Who is at a place.

    Attributes:
        may_invite: to which roles the one who looks may invite there.
    """

    place: Place
    given: tuple[GivenRole, ...]
    waiting: tuple[Invitation, ...]
    may_invite: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class InvitationMade:
    """An invitation with its code, which is shown this once."""

    code: str = field(repr=False)
    invitation: Invitation
