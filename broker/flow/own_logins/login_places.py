"""Where somebody can log in to pages of our own: at a school, a supplier, or the federation."""

from collections.abc import Sequence
from datetime import date

from broker.domain.console_roles import LoginPlace, PlaceKind
from broker.domain.federation import SchoolIdp
from broker.domain.ids import SchoolId, SchoolIdpId, SupplierId
from broker.domain.registry import Registry
from broker.flow.refusals import SchoolNotOpen, StatesDiffer


def find_logins(registry: Registry, place: LoginPlace, *, today: date) -> tuple[SchoolIdp, ...]:
    """Return the logins at a place, the first one first; test and production never meet.

    Raises:
        SchoolNotOpen: there is no such place, it is switched off, or it has no login.
        StatesDiffer
    """
    if place.kind is PlaceKind.SCHOOL:
        school = registry.schools.get(SchoolId(place.place))
        if school is None or not school.enabled:
            raise SchoolNotOpen("check_school_enabled")
        logins, state = registry.offered_logins(school.id, today=today), school.state
    else:
        logins, state = _find_own(registry, place), None
    if not logins:
        raise SchoolNotOpen("check_place_has_login")
    if state is not None and any(each.state is not state for each in logins):
        raise StatesDiffer("check_states_equal")
    return logins


def _find_own(registry: Registry, place: LoginPlace) -> tuple[SchoolIdp, ...]:
    """Return the logins of a supplier's employees, or of the federation's; enabled ones."""
    if place.kind is PlaceKind.SUPPLIER:
        supplier = registry.suppliers.get(SupplierId(place.place))
        if supplier is None or not supplier.enabled:
            raise SchoolNotOpen("check_supplier_enabled")
        return registry.idps_of_supplier.get(supplier.id, ())
    is_federation = place.kind is PlaceKind.FEDERATION and not place.place  # one name, one person
    return registry.idps_of_federation if is_federation else ()


def choose_of(logins: Sequence[SchoolIdp], unverified_idp: str) -> SchoolIdp:
    named = SchoolIdpId(unverified_idp) if unverified_idp else logins[0].id
    found = next((each for each in logins if each.id == named), None)
    if found is None:
        raise SchoolNotOpen("check_login_of_place")
    return found
