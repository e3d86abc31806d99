"""The pages about people of the console: who holds a role, invitations, and links."""

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceChoice:
    """A place to look at: `value` is kind and id."""

    value: str
    name: str
    is_here: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """Somebody with a role: no name is kept, so a code tells them apart.

    Attributes:
        number: of the role's record, for the button that takes it away; 0 without one.
    """

    spoken: str = field(repr=False)
    role: str
    login_name: str
    since: str
    last_day: str = ""
    number: int = 0
    is_me: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationRow:
    """An invitation that waits."""

    number: int
    role: str
    places: tuple[str, ...]
    expires: str
    last_day: str = ""
    may_take_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePage:
    """Who holds a role at a place."""

    template: ClassVar[str] = "console/people.html"
    csrf: str = field(repr=False)
    place: str
    place_name: str
    places: tuple[PlaceChoice, ...]
    people: tuple[PersonRow, ...]
    invitations: tuple[InvitationRow, ...]
    may_invite: bool
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitePage:
    """Invite somebody.

    Attributes:
        roles: value and words of each role that may be given here.
        schools: of an ICT partner: value and name.
        suppliers: at whose login an ICT partner may log in: value and name.
        errors: id of a field and what to do.
    """

    template: ClassVar[str] = "console/invite.html"
    csrf: str = field(repr=False)
    place: str
    place_name: str
    roles: tuple[tuple[str, str], ...]
    schools: tuple[tuple[str, str], ...] = ()
    suppliers: tuple[tuple[str, str], ...] = ()
    role: str = ""
    last_day: str = ""
    earliest: str = ""
    errors: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitedPage:
    """The link of an invitation, shown this once."""

    template: ClassVar[str] = "console/invited.html"
    link: str = field(repr=False)
    role: str
    place: str
    expires: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationPage:
    """You are invited: log in at the right place to accept.

    Attributes:
        logins: value of the button and name of where it leads.
    """

    template: ClassVar[str] = "console/invitation.html"
    csrf: str = field(repr=False)
    invitation: str = field(repr=False)
    role: str
    places: tuple[str, ...]
    login_name: str
    logins: tuple[tuple[str, str], ...]
    last_day: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPage:
    """A one-time link: one button opens the console."""

    template: ClassVar[str] = "console/login_link.html"
    csrf: str = field(repr=False)
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawPage:
    """Sure? One button takes a role away, or an invitation back."""

    template: ClassVar[str] = "console/withdraw.html"
    csrf: str = field(repr=False)
    action: str
    number: int
    spoken: str = field(repr=False)
    role: str
    place: str
    place_name: str
    is_me: bool = False
