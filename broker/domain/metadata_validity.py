"""What of metadata a worker keeps in memory.

Parties whose metadata ended are switched off in a snapshot, like any that an operator switches
off: each step of a login refuses them, and a login costs nothing for it. What no login reads of
thousands of logins is left in the registry.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec.structs import replace

from broker.domain.federation import SamlIdpEndpoints, SchoolIdp, Supplier
from broker.domain.metadata_sources import Origin, Validity
from broker.domain.relying_parties import RelyingParty, SamlServiceProvider

NO_NAMES: dict[str, str] = {}
"""One object for all of them; nobody changes it."""


def without_unread(idp: SchoolIdp) -> SchoolIdp:
    """Return a login without what is read only where changes are told, and when it is applied.

    Names in other languages, logo, scopes and categories as published, and the keys to encrypt to:
    some 2 kB each, of 7,000.
    """
    if not isinstance(idp.endpoints, SamlIdpEndpoints):
        return idp
    endpoints = replace(
        idp.endpoints,
        display_names=NO_NAMES,
        logo=None,
        scopes=(),
        entity_categories=(),
        digest_algorithms=(),
        encryption_methods=(),
        encryption_certificates=(),
        error_url=None,
    )
    return replace(idp, endpoints=endpoints)


def valid_logins(
    idps: Iterable[SchoolIdp], validity: Validity, *, now: datetime | None
) -> Iterator[SchoolIdp]:
    """Yield each login, switched off when its metadata have ended; at no moment, none is."""
    for each in idps:
        at = each.endpoints
        if now is None or not isinstance(at, SamlIdpEndpoints) or _is_valid(at, validity, now):
            yield each
        else:
            yield replace(each, enabled=False)


def valid_suppliers(
    suppliers: Iterable[Supplier], validity: Validity, *, now: datetime | None
) -> Iterator[Supplier]:
    """Yield each supplier, with those of its systems switched off whose metadata have ended."""
    for each in suppliers:
        ended = {
            party.id
            for party in each.relying_parties
            if now is not None
            and isinstance(party.protocol, SamlServiceProvider)
            and not _is_valid(party.protocol, validity, now)
        }
        if not ended:
            yield each
            continue
        parties: tuple[RelyingParty, ...] = tuple(
            replace(party, enabled=False) if party.id in ended else party
            for party in each.relying_parties
        )
        yield replace(each, relying_parties=parties)


def _is_valid(
    party: SamlIdpEndpoints | SamlServiceProvider, validity: Validity, now: datetime
) -> bool:
    source = party.metadata_source
    return not source or validity.is_valid(Origin(source, party.entity_id), now=now)
