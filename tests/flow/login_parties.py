"""The registry of the journeys: three schools, three suppliers, four relying parties.

Schools `vuurvogel` and `regenboog` share one SAML login that states which of them speaks; `kompas`
has an OpenID Provider. `rekenrijk` speaks OpenID Connect, `taaltuin` SAML, `biosfeer` both.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from broker.domain.agreements import Agreement
from broker.domain.attributes import ENTREE_NAMES, OIDC_NAMES, AttributeName
from broker.domain.federation import (
    Relation,
    SamlIdpEndpoints,
    School,
    SchoolFrom,
    SchoolIdp,
    Sector,
    Supplier,
)
from broker.domain.ids import BoardId, Brin, RelyingPartyId, SchoolId, SchoolIdpId, SupplierId
from broker.domain.registry import Registry, build_registry
from broker.domain.relying_parties import AssertionConsumerService, RelyingParty
from broker.domain.takeover import Takeover
from tests.builders import a_declaration, a_relying_party, a_school, a_supplier, an_agreement
from tests.builders import a_school_idp as a_mapped_idp
from tests.builders_oidc import an_oidc_client, school_endpoints
from tests.builders_saml import SCHOOL_ENTITY, SCHOOL_KEY, SCHOOL_SSO, a_service_provider

SAML_SCHOOL, OIDC_SCHOOL, OTHER_SCHOOL = map(SchoolId, ("vuurvogel", "kompas", "regenboog"))
SAML_IDP, OIDC_IDP = SchoolIdpId("vuurvogel-login"), SchoolIdpId("kompas-login")
REKENRIJK, TAALTUIN = RelyingPartyId("rekenrijk"), RelyingPartyId("taaltuin")
BIOSFEER_OIDC, BIOSFEER_SAML = RelyingPartyId("biosfeer-web"), RelyingPartyId("biosfeer-saml")

BIOSFEER_REDIRECT = "https://biosfeer.example/callback"
BIOSFEER_ENTITY = "https://biosfeer.example/saml/metadata"
BIOSFEER_ACS = "https://biosfeer.example/saml/acs"

FIRST_NAME, ROLE = AttributeName("givenName"), AttributeName("eduPersonAffiliation")

Records = dict[str, Any]
"""Parties by id, of any kind; agreements by `school/supplier`."""


def every_party() -> Records:
    """Return the parties and agreements, all open."""
    schools: tuple[School, ...] = (
        a_school(id=SAML_SCHOOL),
        a_school(id=OTHER_SCHOOL, name="De Regenboog", place="Amersfoort", brin=Brin("33CC"),
                 board=BoardId("stichting-regenboog")),
        a_school(id=OIDC_SCHOOL, name="Het Kompas", place="Zwolle", brin=Brin("22BB"),
                 sector=Sector.VO, board=BoardId("stichting-kompas")),
    )  # fmt: skip
    idps: tuple[SchoolIdp, ...] = (
        a_mapped_idp(
            id=SAML_IDP,
            schools=(SAML_SCHOOL, OTHER_SCHOOL),
            shared_numbers=True,
            scopes=("vuurvogel.example", "regenboog.example"),
            school_from=SchoolFrom.ATTRIBUTE,
            endpoints=SamlIdpEndpoints(
                entity_id=SCHOOL_ENTITY,
                sso_redirect_url=SCHOOL_SSO,
                signing_certificates=(SCHOOL_KEY.certificate,),
            ),
        ),
        a_mapped_idp(
            id=OIDC_IDP,
            schools=(OIDC_SCHOOL,),
            scopes=("kompas.example",),
            school_from=SchoolFrom.FIXED,
            attributes={**ENTREE_NAMES, **OIDC_NAMES},
            endpoints=school_endpoints(),
        ),
    )
    suppliers = (
        _a_supplier("rekenrijk", "RekenRijk", _an_oidc_party(REKENRIJK)),
        _a_supplier("taaltuin", "Taaltuin", _a_saml_party(TAALTUIN)),
        _a_supplier(
            "biosfeer",
            "Biosfeer",
            _an_oidc_party(BIOSFEER_OIDC, client_id="biosfeer", redirect_uris=(BIOSFEER_REDIRECT,)),
            _a_saml_party(
                BIOSFEER_SAML,
                entity_id=BIOSFEER_ENTITY,
                assertion_consumer_services=(AssertionConsumerService(url=BIOSFEER_ACS, index=1),),
            ),
        ),
    )
    agreements = [
        an_agreement(school=school.id, supplier=supplier.id, approved=frozenset({FIRST_NAME, ROLE}))
        for school in schools
        for supplier in suppliers
    ]
    records: Records = {each.id: each for each in (*schools, *idps, *suppliers)}
    return records | {f"{each.school}/{each.supplier}": each for each in agreements}


def registry_of(records: Mapping[str, Any], *, version: int = 1) -> Registry:
    """Return the registry of these records; None stands for one that was removed."""

    def of(kind: type) -> list[Any]:
        return [each for each in records.values() if isinstance(each, kind)]

    return build_registry(
        version,
        schools=of(School),
        idps=of(SchoolIdp),
        suppliers=of(Supplier),
        agreements=of(Agreement),
        takeovers=of(Takeover),
        relations=of(Relation),
    )


def with_party(supplier: Supplier, party: RelyingPartyId, **changes: Any) -> Supplier:
    """Return a supplier with one of its relying parties changed."""
    parties = tuple(
        replace(each, **changes) if each.id == party else each for each in supplier.relying_parties
    )
    return replace(supplier, relying_parties=parties)


def _a_supplier(supplier: str, name: str, *parties: RelyingParty) -> Supplier:
    own = SupplierId(supplier)
    return a_supplier(
        id=own,
        legal_name=f"{name} B.V.",
        display_name=name,
        attributes=(a_declaration("givenName"), a_declaration("eduPersonAffiliation")),
        relying_parties=tuple(replace(each, supplier=own) for each in parties),
    )


def _an_oidc_party(party: RelyingPartyId, **client: Any) -> RelyingParty:
    return a_relying_party(
        id=party, start_url=f"https://{party}.example/", protocol=an_oidc_client(**client)
    )


def _a_saml_party(party: RelyingPartyId, **provider: Any) -> RelyingParty:
    return a_relying_party(
        id=party, start_url=f"https://{party}.example/", protocol=a_service_provider(**provider)
    )
