"""The federation of the benchmarks: two schools that log in, a supplier, and many others.

All of it is of state `test`, because the OpenID Connect school's token endpoint is on loopback.
"""

from datetime import date
from typing import Any

from broker.jose.keys import SigningKey
from tests.builders_oidc import jwks_of

Table = dict[str, Any]

STATE = "test"

SAML_SCHOOL, SAML_BRIN = "meetlat", "55ZZ"
SAML_SCHOOL_URL = "https://login.meetlat.example"
OIDC_SCHOOL, OIDC_BRIN = "duimstok", "56ZZ"
OIDC_SCHOOL_ISSUER = "https://id.duimstok.example"
OIDC_SCHOOL_CLIENT = "schuilnaam"
COMMON_URL = "https://login.samen.example"
"""Of the provider that serves the other schools."""

SUPPLIER = "bench"
CLIENT_ID = "bench"
REDIRECT_URI = "https://bench.example/callback"
SAML_SUPPLIER_URL = "https://bench-saml.example"
SAML_SUPPLIER_ENTITY = f"{SAML_SUPPLIER_URL}/saml/metadata"
SAML_SUPPLIER_ACS = f"{SAML_SUPPLIER_URL}/saml/acs"

TOWNS = ("Assen", "Breda", "Delft", "Ede", "Gouda", "Hoorn", "Lelystad", "Sneek", "Venlo", "Zeist")
NAMES = ("De Regenboog", "Het Kompas", "De Ark", "Willem de Zwijger", "De Klimop", "Sint Jan")

FIRST_DAY = date(2024, 8, 1)
APPROVED = ("givenName", "eduPersonAffiliation")


def a_school(school: str, name: str, place: str, brin: str) -> Table:
    """Return one school in secondary education; no shared devices, so no page between."""
    return {
        "id": school,
        "name": name,
        "place": place,
        "brin": brin,
        "sector": "vo",
        "pupils": 1_000_000,  # whoever a benchmark makes up is let in
        "board": "stichting-meetlat",
        "state": STATE,
        "shared_devices": False,
    }


def a_made_up_school(number: int) -> Table:
    """Return one of the many others, each with a BRIN of its own."""
    letters = chr(65 + number // 2600 % 26) + chr(65 + number // 100 % 26)
    return a_school(
        f"school-{number}",
        f"{NAMES[number % len(NAMES)]} {number}",
        TOWNS[number // 7 % len(TOWNS)],
        f"{number % 100:02}{letters}",
    )


def the_schools(count: int) -> list[Table]:
    """Return so many schools, among them the two that log in."""
    return [
        a_school(SAML_SCHOOL, "De Meetlat", "Utrecht", SAML_BRIN),
        a_school(OIDC_SCHOOL, "De Duimstok", "Utrecht", OIDC_BRIN),
        *map(a_made_up_school, range(count - 2)),
    ]


def a_saml_login(login: str, schools: list[str], *, url: str, metadata: str) -> Table:
    """Return a SAML login of some schools; each of its logins states a BRIN."""
    return {
        "id": login,
        "schools": schools,
        "protocol": "saml",
        "state": STATE,
        "school_from": "attribute",
        "scopes": [f"{login}.example"],
        "entity_id": f"{url}/saml/metadata",
        "metadata": metadata,
    }


def an_oidc_login(*, token_endpoint: str, key: SigningKey) -> Table:
    """Return the OpenID Connect login; all that it states is in the ID token."""
    return {
        "id": OIDC_SCHOOL,
        "schools": [OIDC_SCHOOL],
        "protocol": "oidc",
        "state": STATE,
        "school_from": "attribute",
        "scopes": [f"{OIDC_SCHOOL}.example"],
        "issuer": OIDC_SCHOOL_ISSUER,
        "client_id": OIDC_SCHOOL_CLIENT,
        "algorithms": ["ES256"],
        "authorization_endpoint": f"{OIDC_SCHOOL_ISSUER}/authorize",
        "token_endpoint": token_endpoint,
        "jwks": jwks_of(key),
    }


def the_supplier(*, client_key: SigningKey, saml_metadata: str) -> Table:
    """Return the supplier: a first name and a role, a client with private_key_jwt, SAML beside."""
    return {
        "id": SUPPLIER,
        "legal_name": "Bench B.V.",
        "state": STATE,
        "attribute": [
            {"name": "givenName", "purpose": "We greet you."},
            {"name": "eduPersonAffiliation", "purpose": "Teachers prepare.", "required": True},
        ],
        "relying_party": [
            {
                "id": CLIENT_ID,
                "protocol": "oidc",
                "client_id": CLIENT_ID,
                "redirect_uris": [REDIRECT_URI],
                "jwks": jwks_of(client_key),
                "start_url": "https://bench.example/",
            },
            {
                "id": "bench-saml",
                "protocol": "saml",
                "entity_id": SAML_SUPPLIER_ENTITY,
                "metadata": saml_metadata,
                "start_url": SAML_SUPPLIER_URL,
            },
        ],
    }


def another_supplier(number: int) -> Table:
    """Return one of the suppliers with whom the schools have the other agreements."""
    return {
        "id": f"supplier-{number}",
        "legal_name": f"Supplier {number} B.V.",
        "state": STATE,
        "attribute": [{"name": each, "purpose": "We need it."} for each in APPROVED],
    }


def an_agreement(school: str, supplier: str) -> Table:
    """Return an agreement that approves what is declared, and tells nobody a notice."""
    return {
        "school": school,
        "supplier": supplier,
        "version": 1,
        "from": FIRST_DAY,
        "approved": list(APPROVED),
        "notice": "none",
    }


def the_agreements(schools: list[Table], count: int) -> tuple[list[Table], list[Table]]:
    """Return so many agreements, and the other suppliers that they are with.

    The two schools that log in agree with the supplier of the benchmarks; the others follow,
    supplier after supplier.
    """
    agreements = [an_agreement(each, SUPPLIER) for each in (SAML_SCHOOL, OIDC_SCHOOL)]
    suppliers: list[Table] = []
    while len(agreements) < count:
        suppliers.append(another_supplier(len(suppliers)))
        agreements += [an_agreement(each["id"], suppliers[-1]["id"]) for each in schools]
    return agreements[: max(count, 2)], suppliers
