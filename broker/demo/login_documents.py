"""The demo's documents of schools' logins."""

from collections.abc import Mapping, Sequence
from typing import Any

from joserfc.jwk import ECKey

from broker.demo.addresses import Party
from broker.demo.oidc_school import CLAIM_NAMES, OidcSchoolSettings, public_jwks
from broker.demo.saml_school import SamlSchoolSettings
from broker.demo.toml_writer import Table
from broker.domain.assurance import MULTI_FACTOR

SECOND_STEP = {MULTI_FACTOR: MULTI_FACTOR}
"""The demo's logins have a second step that nobody sees: what is asked, they state."""


def saml_idp_document(settings: SamlSchoolSettings, serves: Mapping[str, Sequence[str]]) -> Table:
    """Return `identity_providers/<id>.toml` of a SAML school."""
    school = settings.school
    return {
        "id": school.id,
        "name": school.name,  # shown where its school has a second login, or goes on as another
        "schools": list(serves[school.id]),
        "protocol": "saml",
        "state": "test",
        "identifier": "employeeNumber",
        "shared_numbers": len(serves[school.id]) > 1,
        "school_from": "attribute",
        "scopes": [school.realm],
        "single_logout": True,
        "acr": SECOND_STEP,
        "entity_id": f"{settings.base_url}/saml/metadata",
        "metadata": f"{school.id}.xml",
    }


def oidc_idp_document(settings: OidcSchoolSettings, serves: Mapping[str, Sequence[str]]) -> Table:
    """Return `identity_providers/<id>.toml` of an OpenID Connect school."""
    school = settings.school
    not_built_in = ("roles", "brin", "school", "groups", "pupil_number")
    return {
        "id": school.id,
        "schools": list(serves[school.id]),
        "protocol": "oidc",
        "state": "test",
        "identifier": "employeeNumber",
        "school_from": "attribute",
        "scopes": [school.realm],
        "issuer": settings.base_url,
        "client_id": settings.client.client_id,
        "algorithms": ["ES256"],
        "authentication": "private_key_jwt",
        "authorization_endpoint": f"{settings.base_url}/authorize",
        "token_endpoint": f"{settings.base_url}/token",
        "attributes": {claim: name for name, claim in CLAIM_NAMES.items() if claim in not_built_in},
        "jwks": jwks_table(settings.key),
        "acr": SECOND_STEP,
    }


def employees_document(settings: OidcSchoolSettings, whose: Table) -> Table:
    """Return the login of a supplier's or the federation's employees.

    Args:
        whose: `supplier` or `federation`.
    """
    document = dict(oidc_idp_document(settings, {settings.school.id: ()}))
    for key in ("schools", "school_from", "scopes"):
        del document[key]
    return {**document, **whose, "name": settings.school.name}


def new_login_document(settings: OidcSchoolSettings) -> Table:
    """Return the login to which De Vuurvogel can change; until then nobody is offered it."""
    document = dict(oidc_idp_document(settings, {settings.school.id: (settings.school.id,)}))
    document.update(id=str(Party.LEERPLEIN), name="Het Leerplein", rehearsal_only=True)
    return document


def jwks_table(key: ECKey) -> dict[str, Any]:
    """Return the public key set as a table of a document."""
    return public_jwks(key)
