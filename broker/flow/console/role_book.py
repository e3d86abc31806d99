"""Who holds which role: the port to where that rests, and the invitations that give roles."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from broker.domain.console_roles import ConsoleUserId, HeldRole, LoginPlace, PlaceKind, Role
from broker.domain.ids import BoardId, SchoolId
from broker.flow.console.console_audit import ConsoleEntry


@dataclass(frozen=True, slots=True)
class GivenRole:
    """A role that somebody holds or held.

    Attributes:
        number: of the record.
        login: where they log in.
        given_by: whose id, or the names of two operators.
    """

    number: int
    user: ConsoleUserId
    login: LoginPlace
    held: HeldRole
    given_at: datetime
    given_by: str
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewRole:
    """A role that is given now."""

    user: ConsoleUserId
    login: LoginPlace
    held: HeldRole
    given_by: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that waits, or is over.

    Attributes:
        places: of the role; several for an ICT partner's schools.
        login: where it is accepted; `kind` may be a board: at any of its schools.
    """

    number: int
    role: Role
    kind: PlaceKind
    places: tuple[str, ...]
    last_day: date | None
    login: LoginPlace
    invited_at: datetime
    invited_by: str
    expires_at: datetime
    outcome: str = ""

    @property
    def roles(self) -> tuple[HeldRole, ...]:
        """Return the roles that it gives."""
        return tuple(HeldRole(self.role, self.kind, each, self.last_day) for each in self.places)


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """An invitation that is made now; `code` is a keyed hash of its code, 32 bytes."""

    code: bytes = field(repr=False)
    role: Role
    kind: PlaceKind
    places: tuple[str, ...]
    last_day: date | None
    login: LoginPlace
    invited_by: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NewLink:
    """A one-time link for somebody whose login is broken; `code` as of an invitation."""

    code: bytes = field(repr=False)
    user: ConsoleUserId
    made_by: tuple[str, ...]
    expires_at: datetime


class RoleBook(Protocol):
    """Where roles, invitations and links rest. Each change takes its entry of the audit along.

    Every method raises `RegistryUnreadable` when it cannot be read or written; nothing is done
    then.
    """

    def roles_of(self, user: ConsoleUserId) -> tuple[GivenRole, ...]:
        """Return what was given to somebody and not withdrawn, ended or not."""
        ...

    def roles_at(
        self, *, schools: Sequence[SchoolId] = (), board: BoardId | None = None, supplier: str = ""
    ) -> tuple[GivenRole, ...]:
        """Return what is held at places and was not withdrawn, the newest first; at nothing: at
        the federation."""
        ...

    def find_role(self, number: int) -> GivenRole | None:
        """Return one that was not withdrawn."""
        ...

    async def give(
        self, roles: Sequence[NewRole], *, at: datetime, entries: Sequence[ConsoleEntry]
    ) -> None:
        """Give roles; one that the person holds already is given anew, with its new end."""
        ...

    async def withdraw(self, number: int, *, at: datetime, by: str, entry: ConsoleEntry) -> bool:
        """Take a role away; False when it was gone already, and nothing is written."""
        ...

    async def invite(self, invitation: NewInvitation, *, at: datetime, entry: ConsoleEntry) -> int:
        """Keep an invitation and return its number."""
        ...

    def invitation_by(self, code: bytes) -> Invitation | None:
        """Return the invitation of a code, over or not."""
        ...

    def find_invitation(self, number: int) -> Invitation | None:
        """Return an invitation, over or not."""
        ...

    def waiting_at(
        self, *, schools: Sequence[SchoolId] = (), board: BoardId | None = None, supplier: str = ""
    ) -> tuple[Invitation, ...]:
        """Return invitations that nobody accepted or withdrew, the newest first; as `roles_at`."""
        ...

    async def accept(
        self,
        code: bytes,
        roles: Sequence[NewRole],
        *,
        at: datetime,
        entries: Sequence[ConsoleEntry],
    ) -> bool:
        """Use an invitation up and give its roles; False when it was over already."""
        ...

    async def take_back(self, number: int, *, at: datetime, entry: ConsoleEntry) -> bool:
        """Withdraw an invitation; False when it was over already."""
        ...

    async def keep_link(
        self, link: NewLink, *, at: datetime, entries: Sequence[ConsoleEntry]
    ) -> None:
        """Keep a one-time link."""
        ...

    def link_user(self, code: bytes, *, now: datetime) -> ConsoleUserId | None:
        """Return whose link this is; None when it is used, over or unknown."""
        ...

    async def use_link(
        self, code: bytes, *, at: datetime, entries: Sequence[ConsoleEntry]
    ) -> ConsoleUserId | None:
        """Use a link up and return whose it is; None when it is used, over or unknown."""
        ...
