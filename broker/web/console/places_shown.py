"""Places in addresses and forms, and which ones somebody may look at."""

from broker.domain.console_roles import Permission, PlaceKind
from broker.domain.registry import Registry
from broker.flow.console.actors import Actor, boards_of, schools_of, suppliers_of
from broker.flow.console.places import Place


def find_places(actor: Actor, permission: Permission, *, registry: Registry) -> tuple[Place, ...]:
    """Return the places at which somebody may do something: boards first, schools, suppliers."""
    own = any(each.kind is PlaceKind.FEDERATION for each in actor.held)
    return (
        *((Place(PlaceKind.FEDERATION),) if own else ()),
        *(Place(PlaceKind.BOARD, each) for each in boards_of(actor, permission)),
        *(Place(PlaceKind.SCHOOL, each.id) for each in schools_of(actor, registry, permission)),
        *(Place(PlaceKind.SUPPLIER, each.id) for each in suppliers_of(actor, registry, permission)),
    )


def read_place(unverified: str) -> Place | None:
    """Return the place that a form or an address names; None when it names none.

    >>> read_place("school/vuurvogel").id, read_place("nonsense")
    ('vuurvogel', None)
    """
    kind, _, name = unverified.partition("/")
    return Place(PlaceKind(kind), name) if kind in set(PlaceKind) else None


def write_place(place: Place) -> str:
    """Return a place as `read_place` reads it."""
    return f"{place.kind}/{place.id}"
