"""Records of the domain, each in order until a test says what differs.

A school, its login, a supplier with one system, their agreement, and a pupil who logs in. Change a
field by its name: `a_school(branch="11AA01")`. Messages of the protocols have builders of their
own (`builders_oidc.py`, `builders_saml.py`).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from broker.domain.agreements import Agreement
from broker.domain.attributes import (
    ENTREE_NAMES,
    OIDC_NAMES,
    VOCABULARY,
    AttributeName,
    Population,
)
from broker.domain.declared_attributes import DeclaredAttribute
from broker.domain.federation import (
    SamlIdpEndpoints,
    School,
    SchoolFrom,
    SchoolIdp,
    Sector,
    State,
    Supplier,
)
from broker.domain.identity import Identity, VerifiedLogin, read_identity
from broker.domain.ids import BoardId, Brin, RelyingPartyId, SchoolId, SchoolIdpId, SupplierId
from broker.domain.relying_parties import OidcClient, RelyingParty
from broker.domain.takeover import Takeover, TakeoverState

TODAY = date(2026, 3, 2)
LOGGED_IN_AT = datetime(2026, 3, 2, 8, 0, 0, tzinfo=UTC)

AN_ECK_ID = "https://ketenid.nl/201703/" + "5a" * 64

PUPIL: Mapping[str, tuple[str, ...]] = {
    "uid": ("sdevries@vuurvogel.example",),
    "employeeNumber": ("1100417",),
    "givenName": ("Sanne",),
    "sn": ("de Vries",),
    "mail": ("sanne@vuurvogel.example",),
    "eduPersonAffiliation": ("student",),
    "nlEduPersonHomeOrganizationId": ("11AA",),
    "nlEduPersonUnit": ("groep-7b-vuurvogel",),
    "eckId": (AN_ECK_ID,),
}
"""What `a_verified_login` states."""


def a_school(**changes: Any) -> School:
    school = School(
        id=SchoolId("vuurvogel"),
        name="De Vuurvogel",
        place="Utrecht",
        brin=Brin("11AA"),
        sector=Sector.PO,
        board=BoardId("stichting-vuurvogel"),
        state=State.TEST,
    )
    return msgspec.structs.replace(school, **changes)


def a_school_idp(**changes: Any) -> SchoolIdp:
    idp = SchoolIdp(
        id=SchoolIdpId("vuurvogel"),
        schools=(SchoolId("vuurvogel"),),
        state=State.TEST,
        endpoints=SamlIdpEndpoints(
            entity_id="https://login.vuurvogel.example",
            sso_redirect_url="https://login.vuurvogel.example/sso",
            signing_certificates=(),
        ),
        school_from=SchoolFrom.ATTRIBUTE,
        scopes=("vuurvogel.example",),
        attributes={**OIDC_NAMES, **ENTREE_NAMES},
    )
    return msgspec.structs.replace(idp, **changes)


def a_relying_party(**changes: Any) -> RelyingParty:
    party = RelyingParty(
        id=RelyingPartyId("rekenrijk"),
        supplier=SupplierId("rekenrijk"),
        start_url="https://rekenrijk.example/",
        protocol=OidcClient(
            client_id="rekenrijk", redirect_uris=("https://rekenrijk.example/callback",)
        ),
    )
    return msgspec.structs.replace(party, **changes)


def a_declaration(name: str, **changes: Any) -> DeclaredAttribute:
    """Return what a supplier asks for: of everybody, and not required."""
    declared = DeclaredAttribute(name=AttributeName(name), purpose="Greeting you by your name.")
    return msgspec.structs.replace(declared, **changes)


def a_supplier(**changes: Any) -> Supplier:
    supplier = Supplier(
        id=SupplierId("rekenrijk"),
        legal_name="RekenRijk B.V.",
        display_name="RekenRijk",
        state=State.TEST,
        attributes=(a_declaration("givenName"),),
        relying_parties=(a_relying_party(),),
        epoch="a",
    )
    return msgspec.structs.replace(supplier, **changes)


def an_agreement(**changes: Any) -> Agreement:
    """Return the agreement of `a_school` with `a_supplier`: the first name, without end."""
    agreement = Agreement(
        school=SchoolId("vuurvogel"),
        board=None,
        supplier=SupplierId("rekenrijk"),
        version=1,
        first_day=date(2025, 8, 1),
        last_day=None,
        approved=frozenset({AttributeName("givenName")}),
    )
    return msgspec.structs.replace(agreement, **changes)


def a_verified_login(
    *, idp: SchoolIdp | None = None, acr: str = "", **stated: tuple[str, ...] | str | None
) -> VerifiedLogin:
    """Return a login of `PUPIL`; `stated` changes attributes by name, None leaves one out."""
    attributes = dict(PUPIL)
    for name, values in stated.items():
        if values is None:
            del attributes[name]
        else:
            attributes[name] = (values,) if isinstance(values, str) else values
    return VerifiedLogin(idp or a_school_idp(), attributes, LOGGED_IN_AT, acr)


def an_identity(**changes: Any) -> Identity:
    """Return the identity of `PUPIL`; `changes` are fields of `Identity`."""
    school = a_school()
    return replace(read_identity(a_verified_login(), schools={school.id: school}), **changes)


def a_takeover(state: TakeoverState = TakeoverState.PREPARE, **changes: Any) -> Takeover:
    takeover = Takeover(
        school=SchoolId("vuurvogel"),
        supplier=SupplierId("rekenrijk"),
        state=state,
        last_day=TODAY + timedelta(days=30),
        quota=1000,
        document=bytes(32),
        signed_by="anna and bea",
    )
    return msgspec.structs.replace(takeover, **changes)


def values_of(*names: str) -> dict[AttributeName, tuple[str, ...]]:
    """Return one made-up value for each named attribute, as `decide_release` takes them."""
    return {AttributeName(each): (f"value of {each}",) for each in names}


EVERY_ATTRIBUTE: tuple[AttributeName, ...] = tuple(VOCABULARY)
EVERYBODY: tuple[Population, ...] = tuple(Population)
