"""Who may do what in the console: roles, at which place each is held, and one table of permissions.

A role is held at one place: a school, a board (and so at all its schools), a supplier, or the
federation. Nobody holds one by logging in, but `TEACHER`: any employee whose school's login says
so is one, with the groups that the login states. What a role may do stands in `MAY` and nowhere
else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import NewType

ConsoleUserId = NewType("ConsoleUserId", str)
"""A keyed hash of where somebody logs in and by which number: 32 hexadecimal digits. No name."""


class PlaceKind(StrEnum):
    """At what a role is held."""

    SCHOOL = "school"
    BOARD = "board"
    SUPPLIER = "supplier"
    FEDERATION = "federation"


class Role(StrEnum):
    """What somebody is in the console."""

    SCHOOL_ADMIN = "school-admin"
    BOARD_ADMIN = "board-admin"
    SIGNER = "signer"
    """Signs what a school or its board decides."""
    ICT_PARTNER = "ict-partner"
    """Helps named schools until a day, and never signs."""
    PRIVACY_OFFICER = "privacy-officer"
    """Reads everything of the place and changes nothing, but decides requests."""
    SUPPLIER_ADMIN = "supplier-admin"
    OPERATOR = "operator"
    TEACHER = "teacher"
    """Given by nobody: an employee who logged in at a school."""


class Permission(StrEnum):
    """One kind of act; every flow of the console asks for one."""

    SEE_SCHOOL = "see-school"
    PREPARE_DECISION = "prepare-decision"
    SIGN_DECISION = "sign-decision"
    STOP_DECISION = "stop-decision"
    INVITE = "invite"
    SEE_PEOPLE = "see-people"
    PROTECT_PUPIL = "protect-pupil"
    SEE_PROTECTED = "see-protected"
    SEE_REQUESTS = "see-requests"
    DECIDE_REQUEST = "decide-request"
    FIND_PSEUDONYMS = "find-pseudonyms"
    ISSUE_CODES = "issue-codes"
    """One-time codes with which parents get in."""
    SEE_REGISTERS = "see-registers"
    SIMULATE = "simulate"
    CONFIGURE_SCHOOL = "configure-school"
    SEE_SUPPLIER = "see-supplier"
    EDIT_SHEET = "edit-sheet"
    PUBLISH_SHEET = "publish-sheet"
    SEE_AUDIT = "see-audit"
    OPERATE = "operate"


_P = Permission
_READS_SCHOOL = frozenset(
    {
        *(_P.SEE_SCHOOL, _P.SEE_PEOPLE, _P.SEE_PROTECTED, _P.SEE_REQUESTS),
        *(_P.SEE_REGISTERS, _P.SIMULATE, _P.SEE_AUDIT),
    }
)
_RUNS_SCHOOL = _READS_SCHOOL | {
    *(_P.PREPARE_DECISION, _P.STOP_DECISION, _P.INVITE, _P.PROTECT_PUPIL),
    *(_P.FIND_PSEUDONYMS, _P.ISSUE_CODES, _P.CONFIGURE_SCHOOL),
}

MAY: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.SCHOOL_ADMIN: _RUNS_SCHOOL,
        Role.BOARD_ADMIN: _RUNS_SCHOOL,
        Role.SIGNER: frozenset(
            {_P.SEE_SCHOOL, _P.SIGN_DECISION, _P.STOP_DECISION, _P.SEE_REGISTERS, _P.SEE_AUDIT}
        ),
        Role.ICT_PARTNER: frozenset(
            {_P.SEE_SCHOOL, _P.PREPARE_DECISION, _P.SIMULATE, _P.SEE_REGISTERS}
        ),
        Role.PRIVACY_OFFICER: _READS_SCHOOL | {_P.DECIDE_REQUEST},
        Role.SUPPLIER_ADMIN: frozenset(
            {
                *(_P.SEE_SUPPLIER, _P.EDIT_SHEET, _P.PUBLISH_SHEET, _P.INVITE, _P.SEE_PEOPLE),
                *(_P.SEE_REGISTERS, _P.SEE_AUDIT),
            }
        ),
        Role.OPERATOR: frozenset(
            {
                *(_P.OPERATE, _P.INVITE, _P.SEE_PEOPLE, _P.SEE_AUDIT),
                *(_P.SEE_SCHOOL, _P.SEE_SUPPLIER, _P.SEE_REGISTERS),
            }
        ),
        Role.TEACHER: frozenset({_P.FIND_PSEUDONYMS}),
    }
)
"""The one table of who may do what. Where a flow narrows it further (a teacher to own groups), it
says so itself; no flow widens it."""

PLACES: Mapping[Role, tuple[PlaceKind, ...]] = MappingProxyType(
    {
        Role.SCHOOL_ADMIN: (PlaceKind.SCHOOL,),
        Role.BOARD_ADMIN: (PlaceKind.BOARD,),
        Role.SIGNER: (PlaceKind.BOARD,),
        Role.ICT_PARTNER: (PlaceKind.SCHOOL,),
        Role.PRIVACY_OFFICER: (PlaceKind.SCHOOL, PlaceKind.BOARD),
        Role.SUPPLIER_ADMIN: (PlaceKind.SUPPLIER,),
        Role.OPERATOR: (PlaceKind.FEDERATION,),
        Role.TEACHER: (PlaceKind.SCHOOL,),
    }
)
"""At what each role is held."""

INVITES: Mapping[Role, frozenset[Role]] = MappingProxyType(
    {
        Role.SCHOOL_ADMIN: frozenset({Role.ICT_PARTNER, Role.PRIVACY_OFFICER}),
        Role.BOARD_ADMIN: frozenset(
            {Role.SCHOOL_ADMIN, Role.SIGNER, Role.PRIVACY_OFFICER, Role.ICT_PARTNER}
        ),
        Role.SUPPLIER_ADMIN: frozenset({Role.SUPPLIER_ADMIN}),
        Role.OPERATOR: frozenset({Role.BOARD_ADMIN, Role.SUPPLIER_ADMIN}),
    }
)
"""Whom each role may invite, and whose role it may withdraw: at places of its own alone."""

ENDS = frozenset({Role.ICT_PARTNER})
"""Roles that are never without an end."""


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role that somebody holds.

    Attributes:
        kind: of `place`.
        place: id of the school, board or supplier; "" for the federation.
        last_day: up to and including this day in the Netherlands; None is without end.
    """

    role: Role
    kind: PlaceKind
    place: str = ""
    last_day: date | None = None

    def __post_init__(self) -> None:
        if self.kind not in PLACES[self.role]:
            raise ValueError(f"{self.role} is not held at a {self.kind}")
        if (self.kind is PlaceKind.FEDERATION) is not (self.place == ""):
            raise ValueError("the federation alone has no id")

    def is_in_force(self, today: date) -> bool:
        """Tell whether it is held on this day, in the Netherlands."""
        return self.last_day is None or today <= self.last_day


@dataclass(frozen=True, slots=True)
class LoginPlace:
    """Where somebody logs in: at a school, a supplier, or the federation (then `place` is "")."""

    kind: PlaceKind
    place: str = ""
