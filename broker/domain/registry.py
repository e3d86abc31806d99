"""The registry as a worker reads it: one immutable snapshot, swapped whole when a version moves.

Every look-up that a login needs is here and in memory; nothing below reads a database or a clock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from broker.domain.federation import (
    Agreement,
    OidcClient,
    RelyingParty,
    SamlIdpEndpoints,
    SamlServiceProvider,
    School,
    SchoolIdp,
    Supplier,
)
from broker.domain.ids import BoardId, RelyingPartyId, SchoolId, SchoolIdpId, SupplierId


@dataclass(frozen=True, slots=True)
class Registry:
    """All parties and agreements of one registry version. Build it with `build_registry`.

    Attributes:
        version: counts the changes of the registry; 0 is an empty one.
        idps_of_school: enabled logins of each school, in document order.
    """

    version: int
    schools: Mapping[SchoolId, School]
    idps: Mapping[SchoolIdpId, SchoolIdp]
    suppliers: Mapping[SupplierId, Supplier]
    relying_parties: Mapping[RelyingPartyId, RelyingParty]
    idps_of_school: Mapping[SchoolId, tuple[SchoolIdp, ...]]
    by_client_id: Mapping[str, RelyingParty] = field(repr=False)
    by_sp_entity_id: Mapping[str, RelyingParty] = field(repr=False)
    by_idp_entity_id: Mapping[str, SchoolIdp] = field(repr=False)
    school_agreements: Mapping[tuple[SchoolId, SupplierId], Agreement] = field(repr=False)
    board_agreements: Mapping[tuple[BoardId, SupplierId], Agreement] = field(repr=False)

    def agreement(self, school: School, supplier: SupplierId) -> Agreement | None:
        """Return the school's own agreement, else its board's, else None."""
        own = self.school_agreements.get((school.id, supplier))
        return own or self.board_agreements.get((school.board, supplier))

    def schools_of(self, idp: SchoolIdp) -> Mapping[SchoolId, School]:
        """Return the schools for which this provider may speak, by id."""
        return {each: self.schools[each] for each in idp.schools}


def build_registry(
    version: int,
    *,
    schools: Iterable[School],
    idps: Iterable[SchoolIdp],
    suppliers: Iterable[Supplier],
    agreements: Iterable[Agreement],
) -> Registry:
    """Index compiled records, which hold together (`flow.federation` checked them), for look-up."""
    by_idp = {each.id: each for each in idps}
    by_supplier = {each.id: each for each in suppliers}
    parties = [party for each in by_supplier.values() for party in each.relying_parties]
    of_school: dict[SchoolId, list[SchoolIdp]] = {}
    for idp in by_idp.values():
        for school in idp.schools:
            of_school.setdefault(school, []).append(idp)
    agreed = list(agreements)
    return Registry(
        version=version,
        schools=MappingProxyType({each.id: each for each in schools}),
        idps=MappingProxyType(by_idp),
        suppliers=MappingProxyType(by_supplier),
        relying_parties=MappingProxyType({each.id: each for each in parties}),
        idps_of_school=MappingProxyType(
            {school: _enabled(found) for school, found in of_school.items()}
        ),
        by_client_id=MappingProxyType(
            {
                each.protocol.client_id: each
                for each in parties
                if isinstance(each.protocol, OidcClient)
            }
        ),
        by_sp_entity_id=MappingProxyType(
            {
                each.protocol.entity_id: each
                for each in parties
                if isinstance(each.protocol, SamlServiceProvider)
            }
        ),
        by_idp_entity_id=MappingProxyType(
            {
                each.endpoints.entity_id: each
                for each in by_idp.values()
                if isinstance(each.endpoints, SamlIdpEndpoints)
            }
        ),
        school_agreements=MappingProxyType(
            {(each.school, each.supplier): each for each in agreed if each.school is not None}
        ),
        board_agreements=MappingProxyType(
            {(each.board, each.supplier): each for each in agreed if each.board is not None}
        ),
    )


def _enabled(idps: Sequence[SchoolIdp]) -> tuple[SchoolIdp, ...]:
    return tuple(each for each in idps if each.enabled)
