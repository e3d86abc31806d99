"""Roles in words for people."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from broker.domain.console_roles import HeldRole, PlaceKind, Role
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.registry import Registry
from broker.web.console.home_pages import ShownRole
from broker.web.texts import N_

ROLE_WORDS: Mapping[Role, str] = MappingProxyType(
    {
        Role.SCHOOL_ADMIN: N_("school administrator"),
        Role.BOARD_ADMIN: N_("board administrator"),
        Role.SIGNER: N_("signer for the board"),
        Role.ICT_PARTNER: N_("ICT partner"),
        Role.PRIVACY_OFFICER: N_("privacy officer"),
        Role.SUPPLIER_ADMIN: N_("supplier administrator"),
        Role.OPERATOR: N_("operator of the federation"),
        Role.TEACHER: N_("employee"),
    }
)


def name_place(kind: PlaceKind, place: str, *, registry: Registry) -> str:
    """Return the name of a place as people know it; its id when it is not there any more."""
    if kind is PlaceKind.SCHOOL:
        school = registry.schools.get(SchoolId(place))
        return place if school is None else school.name
    if kind is PlaceKind.SUPPLIER:
        supplier = registry.suppliers.get(SupplierId(place))
        return place if supplier is None else supplier.display_name
    return place


def show_roles(held: Iterable[HeldRole], *, registry: Registry) -> tuple[ShownRole, ...]:
    """Return roles in words."""
    return tuple(
        ShownRole(
            words=ROLE_WORDS[each.role],
            place_name=name_place(each.kind, each.place, registry=registry),
            last_day="" if each.last_day is None else each.last_day.isoformat(),
        )
        for each in held
    )
