"""Who is at work in the console, and what they may: the one question that every flow asks first.

Pages, programs and commands make an `Actor` each in their own way, and hand it to the same flows.
A flow that is about a school, board or supplier calls `check_may` itself, with the record that it
works on; so no form and no address leads to somebody else's.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from broker.domain.console_roles import MAY, ConsoleUserId, HeldRole, Permission, PlaceKind, Role
from broker.domain.federation import School, Supplier
from broker.domain.ids import BoardId, SchoolId, SupplierId
from broker.domain.registry import Registry
from broker.flow.console.console_refusals import LevelNeeded, NotAllowed


class ActorKind(StrEnum):
    """Who or what is at work."""

    PERSON = "person"
    PROGRAM = "program"
    OPERATOR = "operator"
    """An operator at the command line; what needs two persons is confirmed before."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is at work.

    Attributes:
        id: of a person; the program's id, or the operator's name.
        held: the roles in force today, read for this request, so one that was withdrawn is gone.
        groups: classes that the login states, of a teacher.
        level: of the login, one of `assurance.ACR_VALUES` or "".
        since: when they logged in, aware.
        also: ids under which the same account of the login comes in at other schools of the board.
        may_sign_until: aware; None while the login is not sure or not new enough for signing.
    """

    id: ConsoleUserId
    kind: ActorKind
    held: tuple[HeldRole, ...]
    since: datetime
    groups: tuple[str, ...] = field(default=(), repr=False)
    level: str = ""
    also: frozenset[ConsoleUserId] = frozenset()
    may_sign_until: datetime | None = None

    def is_same(self, user: str) -> bool:
        """Tell whether somebody is this very person, as far as the login shows."""
        return user == self.id or user in self.also


def check_may(
    actor: Actor,
    permission: Permission,
    *,
    school: School | None = None,
    board: BoardId | None = None,
    supplier: SupplierId | None = None,
    registry: Registry,
) -> Role:
    """Return the role by which an actor may do this there.

    Args:
        school, board, supplier: where, at most one of them. Without any it is about the whole
            federation, which the federation's own roles alone may; so nobody gets further by
            naming something that is not there.
        registry: in force.

    Raises:
        NotAllowed: no role of the actor at that place may, or there is no such place.
    """
    for held in actor.held:
        if permission in MAY[held.role] and _covers(held, school, board, supplier, registry):
            return held.role
    raise NotAllowed("check_role_at_place")


def may(
    actor: Actor,
    permission: Permission,
    *,
    school: School | None = None,
    board: BoardId | None = None,
    supplier: SupplierId | None = None,
    registry: Registry,
) -> bool:
    """Tell whether an actor may do this there, for what a page offers; a flow checks anew."""
    try:
        check_may(
            actor, permission, school=school, board=board, supplier=supplier, registry=registry
        )
    except NotAllowed:
        return False
    return True


def find_school(
    actor: Actor, permission: Permission, *, unverified_school: str, registry: Registry
) -> School:
    """Return the school that a form or an address names, where the actor may do this.

    Raises:
        NotAllowed: there is none, or not for this actor.
    """
    school = registry.schools.get(SchoolId(unverified_school))
    if school is None:
        raise NotAllowed("check_school_there")
    check_may(actor, permission, school=school, registry=registry)
    return school


def find_supplier(
    actor: Actor, permission: Permission, *, unverified_supplier: str, registry: Registry
) -> Supplier:
    """Return the supplier that a form or an address names, where the actor may do this.

    Raises:
        NotAllowed: there is none, or not for this actor.
    """
    supplier = registry.suppliers.get(SupplierId(unverified_supplier))
    if supplier is None:
        raise NotAllowed("check_supplier_there")
    check_may(actor, permission, supplier=supplier.id, registry=registry)
    return supplier


def schools_of(
    actor: Actor, registry: Registry, permission: Permission = Permission.SEE_SCHOOL
) -> tuple[School, ...]:
    """Return the schools at which an actor may do something, by name.

    A role of the federation counts for none here: who runs the broker searches for a school.
    """
    places = {
        (each.kind, each.place)
        for each in actor.held
        if permission in MAY[each.role] and each.kind in (PlaceKind.SCHOOL, PlaceKind.BOARD)
    }
    boards = {place for kind, place in places if kind is PlaceKind.BOARD}
    named = {SchoolId(place) for kind, place in places if kind is PlaceKind.SCHOOL}
    if boards:  # the only question for which all schools are gone through
        named |= {each.id for each in registry.schools.values() if each.board in boards}
    found = (registry.schools[each] for each in named if each in registry.schools)
    return tuple(sorted(found, key=lambda each: (each.name.casefold(), each.id)))


def boards_of(actor: Actor, permission: Permission) -> tuple[BoardId, ...]:
    """Return the boards at which an actor may do something, in order."""
    held = (each for each in actor.held if permission in MAY[each.role])
    return tuple(sorted({BoardId(each.place) for each in held if each.kind is PlaceKind.BOARD}))


def suppliers_of(
    actor: Actor, registry: Registry, permission: Permission = Permission.SEE_SUPPLIER
) -> tuple[Supplier, ...]:
    """Return the suppliers at which an actor may do something, by name."""
    held = (each for each in actor.held if permission in MAY[each.role])
    named = {SupplierId(each.place) for each in held if each.kind is PlaceKind.SUPPLIER}
    found = (registry.suppliers[each] for each in named if each in registry.suppliers)
    return tuple(sorted(found, key=lambda each: (each.display_name.casefold(), each.id)))


def check_may_sign(actor: Actor, *, now: datetime) -> None:
    """Refuse a signature by a login that is not sure or not new enough. Programs never sign.

    Raises:
        LevelNeeded
    """
    if actor.kind is not ActorKind.PERSON or actor.may_sign_until is None:
        raise LevelNeeded("check_login_sure_enough")
    if now > actor.may_sign_until:
        raise LevelNeeded("check_login_new_enough")


def _covers(
    held: HeldRole,
    school: School | None,
    board: BoardId | None,
    supplier: SupplierId | None,
    registry: Registry,
) -> bool:
    if held.kind is PlaceKind.FEDERATION:
        return True
    if sum(each is not None for each in (school, board, supplier)) != 1:
        return False
    if school is not None:
        place = school.id if held.kind is PlaceKind.SCHOOL else school.board
        is_there = registry.schools.get(school.id) is not None
        return is_there and held.kind is not PlaceKind.SUPPLIER and held.place == place
    if board is not None:
        return held.kind is PlaceKind.BOARD and held.place == board
    return held.kind is PlaceKind.SUPPLIER and held.place == supplier
