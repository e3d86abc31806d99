"""What a page names and an actor may look at: school, login, supplier and system."""

from datetime import date

from broker.domain.console_roles import Permission
from broker.domain.federation import School, SchoolIdp, Supplier
from broker.domain.ids import RelyingPartyId, SchoolIdpId, SupplierId
from broker.domain.registry import Registry
from broker.domain.relying_parties import RelyingParty
from broker.flow.console.actors import Actor, find_school
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.refusals import SchoolNotOpen


def find_own_school(actor: Actor, unverified_school: str, registry: Registry) -> School:
    """Return the school for which an actor may simulate.

    Raises:
        NotAllowed: there is none, or not for this actor.
    """
    return find_school(
        actor, Permission.SIMULATE, unverified_school=unverified_school, registry=registry
    )


def list_suppliers(school: School, registry: Registry) -> tuple[Supplier, ...]:
    """Return the suppliers of a school's state that are switched on, by name."""
    found = (each for each in registry.suppliers.values() if _is_shown(each, school))
    return tuple(sorted(found, key=lambda each: each.display_name.casefold()))


def find_shown_supplier(unverified_supplier: str, school: School, registry: Registry) -> Supplier:
    """Return a supplier; any school of its state may look at it, for its sheet is for all of them.

    Raises:
        NotAllowed: there is none of that name to be seen.
    """
    found = registry.suppliers.get(SupplierId(unverified_supplier))
    if found is None or not _is_shown(found, school):
        raise NotAllowed("check_supplier_there")
    return found


def find_system(unverified_party: str, supplier: Supplier) -> RelyingParty:
    """Return a system of a supplier that is switched on; the first one for "".

    Raises:
        NotAllowed: it has none, or none of that name.
    """
    wanted = RelyingPartyId(unverified_party)
    for each in supplier.relying_parties:
        if each.enabled and (not wanted or each.id == wanted):
            return each
    raise NotAllowed("check_system_of_supplier")


def find_offered_login(
    unverified_login: str, school: School, registry: Registry, *, today: date
) -> SchoolIdp:
    """Return a login that a school offers; the first one for "".

    Raises:
        SchoolNotOpen: it offers none.
        NotAllowed: none of that name.
    """
    logins = {each.id: each for each in registry.offered_logins(school.id, today=today)}
    if not logins:
        raise SchoolNotOpen("check_school_has_login")
    if not unverified_login:
        return next(iter(logins.values()))
    found = logins.get(SchoolIdpId(unverified_login))
    if found is None:
        raise NotAllowed("check_login_of_school")
    return found


def _is_shown(supplier: Supplier, school: School) -> bool:
    return supplier.enabled and supplier.state is school.state
