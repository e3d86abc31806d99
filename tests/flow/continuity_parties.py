"""Who is around the broker in `continuity_machine`: honest schools, one that lies, and suppliers.

De Vuurvogel and De Regenboog teach the same sector, Het Kompas another one: there a pupil has
another ECK iD. `de-fluisteraar` has a login of its own, and states whatever it likes.
"""

from datetime import date
from typing import Any

import msgspec

from broker.demo.people import DemoSchool, Person, made_up_eck_id
from broker.domain.attributes import ECK_ID
from broker.domain.federation import SamlIdpEndpoints, SchoolFrom
from broker.domain.ids import BoardId, Brin, SchoolId, SchoolIdpId, SupplierId
from broker.flow.persons.arrival_budgets import ArrivalRules
from tests import builders_saml as saml
from tests.builders import a_declaration, a_school, a_school_idp, an_agreement
from tests.flow.login_parties import (
    FIRST_NAME,
    REKENRIJK,
    ROLE,
    SAML_IDP,
    TAALTUIN,
    every_party,
)

VUURVOGEL, REGENBOOG, KOMPAS = map(SchoolId, ("vuurvogel", "regenboog", "kompas"))
LIAR = SchoolId("de-fluisteraar")
HONEST = (VUURVOGEL, REGENBOOG, KOMPAS)
FENIKS = SchoolId("feniks")
"""As which De Vuurvogel goes on, for a while or for good; it shares that school's login."""

SCHOOLS = {
    VUURVOGEL: DemoSchool("vuurvogel", "De Vuurvogel", "Utrecht", "11AA", "po"),
    REGENBOOG: DemoSchool("regenboog", "De Regenboog", "Amersfoort", "33CC", "po"),
    KOMPAS: DemoSchool("kompas", "Het Kompas", "Zwolle", "22BB", "vo"),
    FENIKS: DemoSchool("feniks", "De Feniks", "Houten", "44DD", "po"),
    LIAR: DemoSchool("de-fluisteraar", "De Fluisteraar", "Ede", "66ZZ", "po"),
}
LIAR_ENTITY = "https://login.de-fluisteraar.example"
LIAR_IDP = SchoolIdpId("de-fluisteraar-login")
NEW_IDP = SchoolIdpId("vuurvogel-nieuw")
"""De Vuurvogel's login to be."""

LIAR_PUPILS = 6
"""Its head count, by which its budget goes."""

REKENRIJK_ID, TAALTUIN_ID, BIOSFEER_ID = map(SupplierId, ("rekenrijk", "taaltuin", "biosfeer"))
SUPPLIER_OF = {
    REKENRIJK: REKENRIJK_ID,
    TAALTUIN: TAALTUIN_ID,
    "biosfeer-web": BIOSFEER_ID,
    "biosfeer-saml": BIOSFEER_ID,
}
RULES = ArrivalRules(daily_minimum=2, first_minimum=2)


def parties() -> dict[str, Any]:
    """Return the parties of the journeys, and the school that lies with its own login."""
    records = every_party()
    records[FENIKS] = a_school(
        id=FENIKS,
        name="De Feniks",
        place="Houten",
        brin=Brin("44DD"),
        board=BoardId("stichting-feniks"),
    )
    records[SAML_IDP] = msgspec.structs.replace(
        records[SAML_IDP],
        schools=(VUURVOGEL, REGENBOOG, FENIKS),
        scopes=(*records[SAML_IDP].scopes, "feniks.example"),
    )
    for honest in (*HONEST, FENIKS):
        records[honest] = msgspec.structs.replace(records[honest], pupils=400)
    records[LIAR] = a_school(
        id=LIAR,
        name="De Fluisteraar",
        place="Ede",
        brin=Brin("66ZZ"),
        board=BoardId("stichting-fluister"),
        pupils=LIAR_PUPILS,
    )
    records[LIAR_IDP] = a_school_idp(
        id=LIAR_IDP,
        schools=(LIAR,),
        scopes=("de-fluisteraar.example",),
        school_from=SchoolFrom.ATTRIBUTE,
        endpoints=SamlIdpEndpoints(
            entity_id=LIAR_ENTITY,
            sso_redirect_url=f"{LIAR_ENTITY}/sso",
            signing_certificates=(saml.STRANGER_KEY.certificate,),
        ),
    )
    biosfeer = records["biosfeer"]
    records["biosfeer"] = msgspec.structs.replace(
        biosfeer, eck_id_entitled=True, attributes=(*biosfeer.attributes, a_declaration(ECK_ID))
    )
    records[NEW_IDP] = msgspec.structs.replace(
        records["kompas-login"],
        id=NEW_IDP,
        schools=(VUURVOGEL,),
        scopes=("vuurvogel.example",),
        rehearsal_only=True,
    )
    records["kompas-login"] = msgspec.structs.replace(
        records["kompas-login"], login_identifier="sub"
    )
    for supplier in ("rekenrijk", "taaltuin", "biosfeer"):
        for school in (FENIKS, LIAR):
            records[f"{school}/{supplier}"] = an_agreement(
                school=school, supplier=SupplierId(supplier), approved=frozenset({FIRST_NAME, ROLE})
            )
    for school in (VUURVOGEL, LIAR):  # each signs for a take-over of what Biosfeer has
        records[f"{school}/biosfeer"] = msgspec.structs.replace(
            records[f"{school}/biosfeer"],
            approved=frozenset({FIRST_NAME, ROLE, ECK_ID}),
            last_day=date(2090, 7, 31),
        )
    return records


def eck_id_at(pupil: str, school: SchoolId) -> str:
    """Return the ECK iD that a pupil has in the sector of a school."""
    return made_up_eck_id(f"{pupil} vo" if school == KOMPAS else pupil)


def a_person(
    pupil: str, school: SchoolId, *, eck_id: str | None, number: str | None, staff: bool = False
) -> Person:
    """Return what a school states of somebody."""
    at = SCHOOLS[school]
    attributes = {
        "uid": (f"{pupil}@{at.realm}",),
        "givenName": (pupil.capitalize(),),
        "eduPersonAffiliation": ("employee" if staff else "student",),
        "nlEduPersonHomeOrganizationId": (at.brin,),
    }
    if number is not None:
        attributes["employeeNumber"] = (number,)
    if eck_id is not None:
        attributes["eckId"] = (eck_id,)
    return Person(f"{pupil}-{school}", at, attributes)
