"""The registry as a worker reads it: one immutable snapshot, swapped whole when a version moves.

Every look-up that a login needs is here and in memory; nothing below reads a database or a clock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

from broker.domain.agreements import Agreement
from broker.domain.federation import (
    ApiClient,
    OidcIdpEndpoints,
    Relation,
    SamlIdpEndpoints,
    School,
    SchoolIdp,
    Supplier,
    SupplierApi,
)
from broker.domain.ids import BoardId, RelyingPartyId, SchoolId, SchoolIdpId, SupplierId
from broker.domain.relying_parties import OidcClient, RelyingParty, SamlServiceProvider
from broker.domain.switches import NO_SWITCHES, LoginSwitch, Switches, order_logins, step_in_force
from broker.domain.takeover import Takeover


@dataclass(frozen=True, slots=True)
class Registry:
    """All parties and agreements of one registry version. Build it with `build_registry`.

    Attributes:
        version: counts the changes of the registry; 0 is an empty one.
        by_api_client: a school's program by its id, with the school.
        by_resource: a supplier's API by its identifier, with the supplier.
        idps_of_school: enabled logins of each school, in document order, without those for
            rehearsal only.
        idps_of_supplier, idps_of_federation: enabled logins of employees, in document order; they
            stand in `idps` besides and nowhere else, so that no hint or message finds them.
        relations_into: of each new school, what leads to it, in force or not (`relations.py`).
        by_hint: lower-case school id, BRIN or realm -> the schools that it may mean.
        switches: steps of the schools that are between two logins.
        takeovers: those that a school signed for; most schools and suppliers have none.
        metadata_end: when metadata of a party end next, so that it must be switched off; None while
            nothing ends, and where nobody logs in by this snapshot.
    """

    version: int
    schools: Mapping[SchoolId, School]
    idps: Mapping[SchoolIdpId, SchoolIdp]
    suppliers: Mapping[SupplierId, Supplier]
    relying_parties: Mapping[RelyingPartyId, RelyingParty]
    idps_of_school: Mapping[SchoolId, tuple[SchoolIdp, ...]]
    relations_into: Mapping[SchoolId, tuple[Relation, ...]]
    by_client_id: Mapping[str, RelyingParty] = field(repr=False)
    by_api_client: Mapping[str, tuple[School, ApiClient]] = field(repr=False)
    by_resource: Mapping[str, tuple[Supplier, SupplierApi]] = field(repr=False)
    by_sp_entity_id: Mapping[str, RelyingParty] = field(repr=False)
    by_idp_entity_id: Mapping[str, SchoolIdp] = field(repr=False)
    by_idp_issuer: Mapping[str, SchoolIdp] = field(repr=False)
    by_hint: Mapping[str, tuple[SchoolId, ...]] = field(repr=False)
    school_agreements: Mapping[tuple[SchoolId, SupplierId], Agreement] = field(repr=False)
    board_agreements: Mapping[tuple[BoardId, SupplierId], Agreement] = field(repr=False)
    switches: Switches = field(default_factory=lambda: NO_SWITCHES, repr=False)
    takeovers: Mapping[tuple[SchoolId, SupplierId], Takeover] = field(
        default_factory=lambda: MappingProxyType({}), repr=False
    )
    metadata_end: datetime | None = None
    idps_of_supplier: Mapping[SupplierId, tuple[SchoolIdp, ...]] = field(
        default_factory=lambda: MappingProxyType({}), repr=False
    )
    idps_of_federation: tuple[SchoolIdp, ...] = ()

    def agreement(self, school: School, supplier: SupplierId) -> Agreement | None:
        """Return the school's own agreement, else its board's, else None."""
        own = self.school_agreements.get((school.id, supplier))
        return own or self.board_agreements.get((school.board, supplier))

    def schools_of(self, idp: SchoolIdp) -> Mapping[SchoolId, School]:
        """Return the schools for which this provider may speak, by id."""
        return {each: self.schools[each] for each in idp.schools}

    def has_login(self, school: SchoolId) -> bool:
        """Tell whether pupils can log in at this school at all."""
        return bool(self.idps_of_school.get(school) or self.switches.get(school))

    def step_in_force(self, school: SchoolId, *, today: date) -> LoginSwitch | None:
        """Return how far a school is from one login to another, on a day in the Netherlands."""
        return step_in_force(self.switches.get(school, ()), today=today)

    def offered_logins(self, school: SchoolId, *, today: date) -> tuple[SchoolIdp, ...]:
        """Return the logins that a school offers on a day in the Netherlands, first one first."""
        own = self.idps_of_school.get(school, ())
        step = self.step_in_force(school, today=today)
        new = None if step is None else self.idps.get(step.to_idp)
        if new is not None and not (new.enabled and school in new.schools):
            new = None
        return order_logins(own, new=new, step=step)


def build_registry(
    version: int,
    *,
    schools: Iterable[School],
    idps: Iterable[SchoolIdp],
    suppliers: Iterable[Supplier],
    agreements: Iterable[Agreement],
    relations: Iterable[Relation] = (),
    switches: Switches = NO_SWITCHES,
    takeovers: Iterable[Takeover] = (),
) -> Registry:
    """Index compiled records, which hold together (`flow.federation` checked them), for look-up."""
    by_idp = {each.id: each for each in idps}
    by_supplier = {each.id: each for each in suppliers}
    parties = [party for each in by_supplier.values() for party in each.relying_parties]
    of_school: dict[SchoolId, list[SchoolIdp]] = {}
    for idp in by_idp.values():
        for school in idp.schools:
            of_school.setdefault(school, []).append(idp)
    into: dict[SchoolId, list[Relation]] = {}
    for relation in relations:
        for successor in relation.new:
            into.setdefault(successor, []).append(relation)
    by_school = {each.id: each for each in schools}
    agreed = list(agreements)
    return Registry(
        version=version,
        schools=MappingProxyType(by_school),
        idps=MappingProxyType(by_idp),
        suppliers=MappingProxyType(by_supplier),
        relying_parties=MappingProxyType({each.id: each for each in parties}),
        idps_of_school=MappingProxyType(
            {school: _enabled(found) for school, found in of_school.items()}
        ),
        relations_into=MappingProxyType({school: tuple(found) for school, found in into.items()}),
        by_client_id=MappingProxyType(
            {
                each.protocol.client_id: each
                for each in parties
                if isinstance(each.protocol, OidcClient)
            }
        ),
        by_api_client=MappingProxyType(
            {
                client.id: (school, client)
                for school in by_school.values()
                for client in school.api_clients
            }
        ),
        by_resource=MappingProxyType(
            {
                api.resource: (supplier, api)
                for supplier in by_supplier.values()
                for api in supplier.apis
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
                if each.schools and isinstance(each.endpoints, SamlIdpEndpoints)
            }
        ),
        by_idp_issuer=MappingProxyType(
            {
                each.endpoints.issuer: each
                for each in by_idp.values()
                if each.schools and isinstance(each.endpoints, OidcIdpEndpoints)
            }
        ),
        by_hint=MappingProxyType(_index_hints(by_school.values(), by_idp.values())),
        school_agreements=MappingProxyType(
            {(each.school, each.supplier): each for each in agreed if each.school is not None}
        ),
        board_agreements=MappingProxyType(
            {(each.board, each.supplier): each for each in agreed if each.board is not None}
        ),
        switches=MappingProxyType(dict(switches)),
        takeovers=MappingProxyType({(each.school, each.supplier): each for each in takeovers}),
        idps_of_supplier=MappingProxyType(_by_supplier(by_idp.values())),
        idps_of_federation=_enabled([each for each in by_idp.values() if each.federation]),
    )


def _index_hints(
    schools: Iterable[School], idps: Iterable[SchoolIdp]
) -> dict[str, tuple[SchoolId, ...]]:
    """Return what each hint may mean; one that fits several schools is left to the chooser."""
    found: dict[str, dict[SchoolId, None]] = {}
    for school in schools:
        for hint in (school.id, school.brin, school.branch):
            if hint is not None:
                found.setdefault(hint.lower(), {})[school.id] = None
    for idp in idps:
        realms = [(realm, idp.schools) for realm in idp.scopes]
        for realm, of in (*realms, *((domain, (one,)) for domain, one in idp.domains.items())):
            for each in of:
                found.setdefault(realm.lower(), {})[each] = None
    return {hint: tuple(of) for hint, of in found.items()}


def _by_supplier(idps: Iterable[SchoolIdp]) -> dict[SupplierId, tuple[SchoolIdp, ...]]:
    found: dict[SupplierId, list[SchoolIdp]] = {}
    for each in idps:
        if each.supplier is not None:
            found.setdefault(each.supplier, []).append(each)
    return {supplier: _enabled(of) for supplier, of in found.items()}


def _enabled(idps: Sequence[SchoolIdp]) -> tuple[SchoolIdp, ...]:
    return tuple(each for each in idps if each.enabled and not each.rehearsal_only)
