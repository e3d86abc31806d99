"""At what roles are held, as one value: a school, a board, a supplier or the federation."""

from dataclasses import dataclass

from broker.domain.console_roles import Permission, PlaceKind, Role
from broker.domain.federation import School
from broker.domain.ids import BoardId, SchoolId, SupplierId
from broker.domain.registry import Registry
from broker.flow.console.actors import Actor, check_may
from broker.flow.console.console_refusals import NotAllowed


@dataclass(frozen=True, slots=True)
class Place:
    """A school, a board, a supplier, or the federation, whose `id` is ""."""

    kind: PlaceKind
    id: str = ""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose matter something at a place is, in the words of the audit."""

    school: SchoolId | None = None
    board: BoardId | None = None
    supplier: SupplierId | None = None


def whose_matter(place: Place) -> Whose:
    """Return whose matter a place is; nobody's but the federation's own for the federation."""
    return Whose(
        school=SchoolId(place.id) if place.kind is PlaceKind.SCHOOL else None,
        board=BoardId(place.id) if place.kind is PlaceKind.BOARD else None,
        supplier=SupplierId(place.id) if place.kind is PlaceKind.SUPPLIER else None,
    )


def check_at(actor: Actor, permission: Permission, place: Place, *, registry: Registry) -> Role:
    """Return the role by which an actor may do this at a place.

    Raises:
        NotAllowed: no role may, or there is no such place.
    """
    whose, school = whose_matter(place), None
    if whose.school is not None:
        school = registry.schools.get(whose.school)
    if not _is_there(place, school, registry):
        raise NotAllowed("check_place_there")
    return check_may(
        actor,
        permission,
        school=school,
        board=whose.board,
        supplier=whose.supplier,
        registry=registry,
    )


def _is_there(place: Place, school: School | None, registry: Registry) -> bool:
    if place.kind is PlaceKind.SCHOOL:
        return school is not None
    if place.kind is PlaceKind.BOARD:
        return any(each.board == place.id for each in registry.schools.values())
    return place.kind is PlaceKind.FEDERATION or SupplierId(place.id) in registry.suppliers
