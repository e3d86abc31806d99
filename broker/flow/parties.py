"""Who takes part in one login: looked up anew at every step, so that a switch works mid-flow."""

from dataclasses import dataclass
from datetime import date

from broker.domain.federation import OidcIdpEndpoints, School, SchoolIdp, Supplier
from broker.domain.ids import RelyingPartyId, SchoolIdpId
from broker.domain.registry import Registry
from broker.domain.relations import find_agreement
from broker.domain.relying_parties import OidcClient, RelyingParty, SamlServiceProvider
from broker.domain.takeover_scope import is_taken_over
from broker.flow.following.trail import current_trail
from broker.flow.held_state.records import ReleasedBetween, SupplierRequest
from broker.flow.refusals import (
    AgreementChanged,
    SchoolNotOpen,
    StatesDiffer,
    SupplierNotOpen,
)
from broker.oidc_op.profiles import find_profile
from broker.oidc_op.redirect_uris import is_registered
from broker.oidc_op.request import CheckedAuthorizationRequest


@dataclass(frozen=True, slots=True)
class Parties:
    """A relying party and its supplier, both switched on at this moment."""

    relying_party: RelyingParty
    supplier: Supplier


def find_parties(registry: Registry, relying_party: RelyingPartyId) -> Parties:
    """Return a relying party with its supplier.

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


def find_asking_parties(registry: Registry, request: SupplierRequest) -> Parties:
    """Return who asked for this login.

    Raises:
        SupplierNotOpen: removed or switched off since, or the address to which the answer would
            go is not registered any more; nothing may be sent there, no refusal either.
    """
    parties = find_parties(registry, request.relying_party)
    protocol = parties.relying_party.protocol
    if isinstance(request, CheckedAuthorizationRequest):
        registered = (
            isinstance(protocol, OidcClient)
            and request.client_id == protocol.client_id
            and is_registered(
                request.redirect_uri,
                registered=protocol.redirect_uris,
                native=find_profile(protocol.profile).native_redirects,
            )
        )
    else:
        registered = isinstance(protocol, SamlServiceProvider) and request.acs_url in {
            each.url for each in protocol.assertion_consumer_services
        }
    if not registered:
        raise SupplierNotOpen("check_return_address_registered")
    return parties


def find_idp(registry: Registry, idp: SchoolIdpId) -> SchoolIdp:
    """Return a school's login that is switched on.

    Raises:
        SchoolNotOpen: it was removed or switched off since.
    """
    found = registry.idps.get(idp)
    if found is None or not found.enabled:
        raise SchoolNotOpen("check_idp_enabled")
    return found


def follow_idp(idp: SchoolIdp) -> None:
    """Note which school's login the request in hand is about."""
    trail = current_trail()
    trail.idp = idp.id
    trail.school_protocol = "oidc" if isinstance(idp.endpoints, OidcIdpEndpoints) else "saml"


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


def check_still_open(between: ReleasedBetween, *, registry: Registry, today: date) -> Parties:
    """Return to whom something was released, if all who stand behind it are still open.

    Args:
        today: the day in the Netherlands.

    Raises:
        SupplierNotOpen: or the relying party is another supplier's by now, to whom the pseudonym
            does not belong.
        SchoolNotOpen, StatesDiffer
        AgreementChanged: the school withdrew or replaced the agreement that released it, or a
            take-over of accounts withholds by now what it holds.
    """
    parties = find_parties(registry, between.relying_party)
    if parties.supplier.id != between.supplier:
        raise SupplierNotOpen("check_supplier_unchanged")
    school = registry.schools.get(between.school)
    if school is None:
        raise SchoolNotOpen("check_school_known")
    check_school_open(school, parties.supplier, find_idp(registry, between.idp))
    found = find_agreement(registry, school, between.supplier, today)
    if (
        found is None
        or found.agreement.version != between.agreement_version
        or not found.agreement.is_in_force(today)
    ):
        raise AgreementChanged("check_agreement_unchanged", subject=parties.supplier.display_name)
    if between.old_keys and is_taken_over(registry, school.id, between.supplier, today=today):
        raise AgreementChanged("check_takeover_unchanged", subject=parties.supplier.display_name)
    return parties
