"""The demo's federation documents, and the keys and metadata of its parties.

`write_federation` fills `federation/` with the documents that `broker apply` reads, the SAML
metadata beside the document that names it (`metadata` is a path relative to the document), and
`parties/` with each party's own keys. The keys of the broker are not made here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from joserfc.jwk import ECKey

from broker.demo import people
from broker.demo.addresses import Addresses, Party
from broker.demo.keys import KeyPair, write_ec_key, write_rsa_pair
from broker.demo.login_documents import (
    employees_document,
    jwks_table,
    new_login_document,
    oidc_idp_document,
    saml_idp_document,
)
from broker.demo.oidc_school import OidcSchoolSettings
from broker.demo.oidc_supplier import OidcSupplierSettings
from broker.demo.oidc_tokens import OidcClientSettings
from broker.demo.people import DemoSchool
from broker.demo.saml_messages import idp_metadata
from broker.demo.saml_school import MACE_PREFIX, SamlSchoolSettings
from broker.demo.saml_supplier import SamlSupplierSettings, sp_metadata
from broker.demo.sheets import CLASS_REASON, FIRST_NAME_REASON, ROLE_REASONS, SHEETS
from broker.demo.toml_writer import Table, write_toml

BROKER_CLIENT_ID = "schuilnaam"
"""By which the OIDC school knows the broker."""

AGREED_FROM = date(2024, 8, 1)  # start of a school year, in the past on every day of a demo

EACH_ITS_OWN: Mapping[str, Sequence[str]] = MappingProxyType(
    {each.id: (each.id,) for each in people.SCHOOLS}
)
"""Identity provider -> the schools for which it may speak."""


@dataclass(frozen=True, slots=True)
class DemoFederation:
    """How each party is set up; the documents say the same to the broker."""

    vuurvogel: SamlSchoolSettings
    kompas: OidcSchoolSettings
    regenboog: SamlSchoolSettings
    leerplein: OidcSchoolSettings
    rekenrijk: OidcSupplierSettings
    taaltuin: SamlSupplierSettings
    biosfeer_oidc: OidcSupplierSettings
    biosfeer_saml: SamlSupplierSettings
    rekenrijk_staff: OidcSchoolSettings
    federation_staff: OidcSchoolSettings


def write_federation(
    folder: Path,
    addresses: Addresses,
    *,
    serves: Mapping[str, Sequence[str]] = EACH_ITS_OWN,
    ca_file: Path | None = None,
) -> DemoFederation:
    """Write documents, metadata and keys under `folder`, and return the parties' settings.

    Args:
        folder: `var/demo`; `federation/` and `parties/` in it are made.
        addresses: base URL of each party, the broker's issuer included.
        serves: for which schools each identity provider may speak.
        ca_file: certificate authority of the broker's https, for worlds that are not plain http.
    """
    federation = make_parties(folder / "parties", addresses, ca_file=ca_file)
    documents: dict[str, Table] = {}
    for school in people.SCHOOLS:
        documents[f"schools/{school.id}"] = school_document(school)
    for settings in (federation.vuurvogel, federation.regenboog):
        documents[f"identity_providers/{settings.school.id}"] = saml_idp_document(settings, serves)
    documents["identity_providers/kompas"] = oidc_idp_document(federation.kompas, serves)
    documents["identity_providers/leerplein"] = new_login_document(federation.leerplein)
    documents["identity_providers/rekenrijk-staff"] = employees_document(
        federation.rekenrijk_staff, {"supplier": "rekenrijk"}
    )
    documents["identity_providers/federation-staff"] = employees_document(
        federation.federation_staff, {"federation": True}
    )
    documents |= {f"suppliers/{each['id']}": each for each in supplier_documents(federation)}
    documents |= {
        f"agreements/{each['school']}-{each['supplier']}": each for each in agreement_documents()
    }
    for name, table in documents.items():
        file = folder / "federation" / f"{name}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(write_toml(table, comment="Demo world: made up, written at each start."))
    for name, xml in metadata_of(federation).items():
        (folder / "federation" / name).write_text(xml)
    return federation


def make_parties(
    folder: Path, addresses: Addresses, *, ca_file: Path | None = None
) -> DemoFederation:
    """Make each party's keys in a folder of its own and return how it is set up."""

    def rsa_pair(party: Party, purpose: str = "signing") -> KeyPair:
        return write_rsa_pair(folder / party, purpose=purpose, owner=party)

    def ec_key(party: Party) -> ECKey:
        return write_ec_key(folder / party, purpose="signing")

    def oidc_supplier(party: Party) -> OidcSupplierSettings:
        return OidcSupplierSettings(
            client_id=party,
            base_url=addresses[party],
            issuer=addresses[Party.BROKER],
            key=ec_key(party),
            ca_file=ca_file,
        )

    def oidc_school(school: DemoSchool, party: Party) -> OidcSchoolSettings:
        return OidcSchoolSettings(
            school,
            addresses[party],
            ec_key(party),
            OidcClientSettings(
                client_id=BROKER_CLIENT_ID,
                redirect_uri=f"{addresses[Party.BROKER]}/oidc/callback",
            ),
        )

    return DemoFederation(
        vuurvogel=SamlSchoolSettings(
            people.VUURVOGEL,
            addresses[Party.VUURVOGEL],
            rsa_pair(Party.VUURVOGEL),
            want_signed_requests=True,
        ),
        kompas=oidc_school(people.KOMPAS, Party.KOMPAS),
        regenboog=SamlSchoolSettings(
            people.REGENBOOG,
            addresses[Party.REGENBOOG],
            rsa_pair(Party.REGENBOOG),
            sign_response=True,
            attribute_prefix=MACE_PREFIX,
        ),
        leerplein=oidc_school(people.VUURVOGEL, Party.LEERPLEIN),
        rekenrijk=oidc_supplier(Party.REKENRIJK),
        taaltuin=SamlSupplierSettings(
            Party.TAALTUIN,
            base_url=addresses[Party.TAALTUIN],
            keys=rsa_pair(Party.TAALTUIN),
            sign_requests=True,
        ),
        biosfeer_oidc=oidc_supplier(Party.BIOSFEER_OIDC),
        biosfeer_saml=SamlSupplierSettings(
            Party.BIOSFEER_SAML,
            base_url=addresses[Party.BIOSFEER_SAML],
            keys=rsa_pair(Party.BIOSFEER_SAML),
            encryption_keys=rsa_pair(Party.BIOSFEER_SAML, "encryption"),
            soap_logout=True,
        ),
        rekenrijk_staff=oidc_school(people.REKENRIJK_STAFF, Party.REKENRIJK_STAFF),
        federation_staff=oidc_school(people.FEDERATION_STAFF, Party.FEDERATION_STAFF),
    )


def metadata_of(federation: DemoFederation) -> dict[str, str]:
    """Return the SAML metadata of each party, by its path under `federation/`."""
    schools = (federation.vuurvogel, federation.regenboog)
    suppliers = (federation.taaltuin, federation.biosfeer_saml)
    return {
        f"identity_providers/{each.school.id}.xml": idp_metadata(
            each.base_url, keys=each.keys, want_signed_requests=each.want_signed_requests
        )
        for each in schools
    } | {f"suppliers/{each.system}.xml": sp_metadata(each) for each in suppliers}


def school_document(school: DemoSchool) -> Table:
    """Return `schools/<id>.toml`."""
    return {
        "id": school.id,
        "name": school.name,
        "place": school.place,
        "brin": school.brin,
        "sector": school.sector,
        "board": f"stichting-{school.id}",
        "state": "test",
        "eck_id": "optional",
    }


ROLE = "eduPersonAffiliation"
FIRST_NAME = "givenName"
CLASS = "nlEduPersonUnit"


def supplier_documents(federation: DemoFederation) -> list[Table]:
    """Return the suppliers: what each asks for and why, and its systems."""
    first_name: dict[str, Any] = {"name": FIRST_NAME, "required": False, **FIRST_NAME_REASON}
    return [
        {
            "id": "rekenrijk",
            "legal_name": "RekenRijk B.V.",
            "display_name": "RekenRijk",
            "state": "test",
            "sheet": SHEETS["rekenrijk"],
            "attribute": [first_name],
            "relying_party": [oidc_relying_party(federation.rekenrijk)],
        },
        {
            "id": "taaltuin",
            "legal_name": "Uitgeverij Taaltuin B.V.",
            "display_name": "Taaltuin",
            "state": "test",
            "sheet": SHEETS["taaltuin"],
            "attribute": [{"name": ROLE, "required": False, **ROLE_REASONS["taaltuin"]}],
            "relying_party": [saml_relying_party(federation.taaltuin)],
        },
        {
            "id": "biosfeer",
            "legal_name": "Stichting Biosfeer",
            "display_name": "Biosfeer",
            "state": "test",
            "sheet": SHEETS["biosfeer"],
            "attribute": [
                {"name": ROLE, "required": True, **ROLE_REASONS["biosfeer"]},
                first_name,
                {"name": CLASS, "required": False, **CLASS_REASON},
            ],
            "relying_party": [
                oidc_relying_party(federation.biosfeer_oidc),
                saml_relying_party(federation.biosfeer_saml),
            ],
        },
    ]


def oidc_relying_party(settings: OidcSupplierSettings) -> dict[str, Any]:
    """Return `[[relying_party]]` of an OpenID Connect system."""
    return {
        "id": str(settings.client_id),
        "protocol": "oidc",
        "start_url": f"{settings.base_url}/",
        "initiate_login_uri": f"{settings.base_url}/login",
        "start_targets": [f"{settings.base_url}/les/"],
        "client_id": str(settings.client_id),
        "redirect_uris": [settings.redirect_uri],
        "post_logout_redirect_uris": [f"{settings.base_url}/"],
        "backchannel_logout_uri": f"{settings.base_url}/backchannel-logout",
        "jwks": jwks_table(settings.key),
    }


def saml_relying_party(settings: SamlSupplierSettings) -> dict[str, Any]:
    """Return `[[relying_party]]` of a SAML system; each demo system does more than it must."""
    return {
        "id": str(settings.system),
        "protocol": "saml",
        "start_url": f"{settings.base_url}/",
        "initiate_login_uri": f"{settings.base_url}/login",
        "start_targets": [f"{settings.base_url}/les/"],
        "entity_id": f"{settings.base_url}/saml/metadata",
        "metadata": f"{settings.system}.xml",
        "require_signed_requests": settings.sign_requests,
        "encrypt_assertions": settings.encryption_keys is not None,
    }


APPROVED: Mapping[tuple[str, str], Sequence[str]] = MappingProxyType(
    {
        ("vuurvogel", "rekenrijk"): (FIRST_NAME,),
        ("vuurvogel", "taaltuin"): (ROLE,),
        ("vuurvogel", "biosfeer"): (FIRST_NAME, ROLE),
        ("kompas", "rekenrijk"): (FIRST_NAME,),
        ("kompas", "biosfeer"): (FIRST_NAME, ROLE),
        ("regenboog", "rekenrijk"): (),
        ("regenboog", "taaltuin"): (ROLE,),
        ("regenboog", "biosfeer"): (FIRST_NAME, ROLE),
    }
)
"""School and supplier -> approved attributes; Het Kompas has no agreement with Taaltuin."""

WITH_NOTICE = frozenset({("vuurvogel", "biosfeer")})
"""Where pupils are told once what is shared."""


def agreement_documents() -> list[Table]:
    """Return what the schools approved."""
    return [
        {
            "school": school,
            "supplier": supplier,
            "version": 1,
            "from": AGREED_FROM,
            "approved": list(approved),
            "sheet": 1,
            "notice": "inform" if (school, supplier) in WITH_NOTICE else "none",
        }
        for (school, supplier), approved in APPROVED.items()
    ]
