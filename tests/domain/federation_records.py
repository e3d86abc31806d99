"""Compiled records that are flawless until a test says what differs."""

from datetime import date
from typing import Any

from broker.domain.agreements import Agreement
from broker.domain.federation import (
    OidcIdpEndpoints,
    Relation,
    RelationKind,
    SamlIdpEndpoints,
    School,
    SchoolFrom,
    SchoolIdp,
    Sector,
    State,
    Supplier,
)
from broker.domain.ids import SupplierId
from broker.domain.relying_parties import (
    AssertionConsumerService,
    OidcClient,
    RelyingParty,
    SamlServiceProvider,
)


def a_school(school: str = "vuurvogel", **changes: Any) -> School:
    return School(
        **{
            "id": school,
            "name": "De Vuurvogel",
            "place": "Utrecht",
            "brin": "11AA",
            "sector": Sector.PO,
            "board": "stichting",
            "state": State.TEST,
        }
        | changes
    )


def a_login(*schools: str, **changes: Any) -> SchoolIdp:
    named = schools or ("vuurvogel",)
    return SchoolIdp(
        **{
            "id": named[0],
            "schools": named,
            "state": State.TEST,
            "school_from": SchoolFrom.FIXED,
            "endpoints": SamlIdpEndpoints(
                entity_id=f"https://{named[0]}.example/saml", signing_certificates=()
            ),
        }
        | changes
    )


def oidc_endpoints(issuer: str) -> OidcIdpEndpoints:
    return OidcIdpEndpoints(
        issuer=issuer,
        client_id="schuilnaam",
        authorization_endpoint=f"{issuer}/authorize",
        token_endpoint=f"{issuer}/token",
        algorithms=("ES256",),
        client_assertion_audience=issuer,
    )


def a_client(party: str = "rekenrijk") -> RelyingParty:
    return RelyingParty(
        id=party,  # type: ignore[arg-type]
        supplier=SupplierId("rekenrijk"),
        start_url="https://rekenrijk.example/",
        protocol=OidcClient(
            client_id=f"client-{party}", redirect_uris=("https://rekenrijk.example/cb",)
        ),
    )


def a_service_provider(party: str = "taaltuin") -> RelyingParty:
    acs = AssertionConsumerService(url="https://taaltuin.example/acs", index=0)
    return RelyingParty(
        id=party,  # type: ignore[arg-type]
        supplier=SupplierId("rekenrijk"),
        start_url="https://taaltuin.example/",
        protocol=SamlServiceProvider(
            entity_id=f"https://{party}.example", assertion_consumer_services=(acs,)
        ),
    )


def a_supplier(*parties: RelyingParty, **changes: Any) -> Supplier:
    return Supplier(
        **{
            "id": "rekenrijk",
            "legal_name": "RekenRijk B.V.",
            "display_name": "RekenRijk",
            "state": State.TEST,
            "relying_parties": parties,
            "epoch": "a",
        }
        | changes
    )


def an_agreement(**changes: Any) -> Agreement:
    return Agreement(
        **{
            "school": "vuurvogel",
            "board": None,
            "supplier": "rekenrijk",
            "version": 1,
            "first_day": date(2024, 8, 1),
            "last_day": None,
            "approved": frozenset(),
        }
        | changes
    )


def a_relation(*old: str, new: tuple[str, ...] = ("samenklank",), **changes: Any) -> Relation:
    """A merge from 1 August 2026 that carries agreements, and numbers when `numbers_of` says so."""
    named = old or ("vuurvogel", "regenboog")
    last_day = changes.get("last_day", date(2027, 7, 31))
    return Relation(
        **{
            "id": "relation",
            "kind": RelationKind.MERGE,
            "old": named,
            "new": new,
            "first_day": date(2026, 8, 1),
            "last_day": last_day,
            "brins_last_day": last_day,
        }
        | changes
    )
