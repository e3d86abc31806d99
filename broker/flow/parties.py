"""Who takes part in one login: looked up anew at every step, so that a switch works mid-flow."""

from dataclasses import dataclass

from broker.domain.federation import RelyingParty, School, SchoolIdp, Supplier
from broker.domain.ids import RelyingPartyId
from broker.domain.registry import Registry
from broker.flow.refusals import SchoolNotOpen, StatesDiffer, SupplierNotOpen


@dataclass(frozen=True, slots=True)
class Parties:
    """A relying party and its supplier, both switched on at this moment."""

    relying_party: RelyingParty
    supplier: Supplier


def find_parties(registry: Registry, relying_party: RelyingPartyId) -> Parties:
    """Return who asked for this login.

    Raises:
        SupplierNotOpen: it was removed or switched off since.
    """
    found = registry.relying_parties.get(relying_party)
    if found is None or not found.enabled:
        raise SupplierNotOpen("check_relying_party_enabled")
    supplier = registry.suppliers[found.supplier]
    if not supplier.enabled:
        raise SupplierNotOpen("check_supplier_enabled")
    return Parties(found, supplier)


def check_school_open(school: School, supplier: Supplier, idp: SchoolIdp) -> None:
    """Refuse a school or login that is switched off, or in another state than the supplier.

    Raises:
        SchoolNotOpen, StatesDiffer
    """
    if not school.enabled:
        raise SchoolNotOpen("check_school_enabled")
    if not idp.enabled:
        raise SchoolNotOpen("check_idp_enabled")
    if not school.state == idp.state == supplier.state:
        raise StatesDiffer("check_states_equal")
