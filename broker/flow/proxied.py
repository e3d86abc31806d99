"""A portal that asks in the name of systems of other suppliers (RequesterID, SAML core 3.4.1.2).

It gets what its own supplier and each of the others may have, and nobody's pseudonym but its own
supplier's. Whom it may speak for says its document (`proxies_for`); the others' agreements count as
in a login of their own.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date

from msgspec.structs import replace

from broker.domain.ids import RelyingPartyId, SchoolId
from broker.domain.registry import Registry
from broker.domain.relations import find_agreement
from broker.domain.release import NoAgreement, keep_asked
from broker.flow.held_state.records import DecidedRelease, SupplierRequest
from broker.flow.parties import Parties, find_parties
from broker.flow.refusals import AgreementChanged
from broker.saml_idp.request import CheckedAuthnRequest

Decide = Callable[[Parties], Awaitable[tuple[DecidedRelease, ...]]]


def find_behind(request: SupplierRequest) -> tuple[RelyingPartyId, ...]:
    """Return the systems in whose name a request comes."""
    return request.on_behalf_of if isinstance(request, CheckedAuthnRequest) else ()


async def keep_for_all(
    decided: Sequence[DecidedRelease],
    request: SupplierRequest,
    *,
    registry: Registry,
    decide: Decide,
) -> tuple[DecidedRelease, ...]:
    """Return what was decided, without what a system behind the request may not have.

    Args:
        decide: what another relying party would get of the same login.

    Raises:
        SupplierNotOpen: one of them is switched off.
        NoAgreement: no school of this login lets people go to all of them.
        Refusal: what no school of this login lets one of them have.
    """
    kept = tuple(decided)
    for each in find_behind(request):
        parties = find_parties(registry, each)
        theirs = {
            own.decision.school: {released.name for released in own.decision.released}
            for own in await decide(parties)
        }
        kept = tuple(
            replace(own, decision=keep_asked(own.decision, theirs[own.decision.school]))
            for own in kept
            if own.decision.school in theirs
        )
        if not kept:
            raise NoAgreement("check_agreement_of_all", subject=parties.supplier.display_name)
    return kept


def check_behind_still_allowed(
    request: SupplierRequest, school: SchoolId, *, registry: Registry, today: date
) -> None:
    """Refuse when a system behind the request was switched off, or lost its agreement, since.

    Raises:
        SupplierNotOpen, AgreementChanged
    """
    for each in find_behind(request):
        supplier = find_parties(registry, each).supplier
        found = find_agreement(registry, registry.schools[school], supplier.id, today)
        if found is None or not found.agreement.is_in_force(today):
            raise AgreementChanged("check_behind_still_allowed", subject=supplier.display_name)
