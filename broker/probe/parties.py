"""The probe's made-up school and supplier: their keys, and the documents that the broker applies.

    probe/school.pem          signs the school's answers        probe/federation/   the documents
    probe/supplier.pem        proves the supplier's client      probe/pseudonym     of the first run

All names end in `.invalid` (RFC 2606 2): whatever goes astray reaches nobody. School and supplier
are in state `test`, so they never meet anybody in production.
"""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding

from broker.adapters.keys.key_files import FOLDER_MODE, read_safely, write_once
from broker.adapters.keys.keys_init import make_saml_key, make_token_key
from broker.adapters.keys.pem_keys import read_saml_key, read_token_key
from broker.adapters.xml.xml_security import LxmlSecurity
from broker.jose.keys import SigningKey as TokenSigningKey
from broker.jose.keys import signing_key_of
from broker.oidc_op.jwks import TokenKeys, build_jwks
from broker.saml_idp.own_metadata import build_idp_metadata
from broker.saml_xml.keys import SigningKey, signing_key

NAME = "schuilnaam-probe"
"""Id of every party of the probe; permanent, since the pseudonym hangs on it."""

SCHOOL_ENTITY = "https://school.probe.invalid/saml"
SCHOOL_SSO = "https://school.probe.invalid/sso"
CLIENT_ID = NAME
REDIRECT_URI = "https://supplier.probe.invalid/callback"

STATED = (
    ("uid", ("proef@school.probe.invalid",)),
    ("employeeNumber", ("proefleerling-1",)),
    ("givenName", ("Proefleerling",)),
    ("sn", ("van de Proef",)),
    ("mail", ("proef@school.probe.invalid",)),
    ("eduPersonAffiliation", ("student",)),
    ("nlEduPersonHomeOrganizationId", ("99ZZ",)),
)
"""What the school states of its one pupil, who has no ECK iD."""

APPROVED = {"given_name": "Proefleerling"}
"""What of it may arrive: declared and approved. The surname is declared and not approved, the mail
address approved and not declared."""

FOLDER = "probe"
FEDERATION = "federation"
SCHOOL_KEY, SUPPLIER_KEY, PSEUDONYM = "school.pem", "supplier.pem", "pseudonym"

_COMMENT = "# Made up, for the probe; written by `broker probe init`.\n"

_DOCUMENTS = {
    f"schools/{NAME}.toml": f"""
id = "{NAME}"
name = "Proefschool (bestaat niet)"
place = "Nergens"
brin = "99ZZ"
sector = "po"
board = "{NAME}"
state = "test"
""",
    f"identity_providers/{NAME}.toml": f"""
id = "{NAME}"
schools = ["{NAME}"]
protocol = "saml"
state = "test"
entity_id = "{SCHOOL_ENTITY}"
metadata = "{NAME}.xml"
scopes = ["school.probe.invalid"]
""",
    f"suppliers/{NAME}.toml": f"""
id = "{NAME}"
legal_name = "Proef (bestaat niet)"
state = "test"

[[attribute]]
name = "givenName"
purpose = "De proef ziet dat de voornaam aankomt."

[[attribute]]
name = "sn"
purpose = "De proef ziet dat de achternaam niet aankomt."

[[relying_party]]
id = "{NAME}"
protocol = "oidc"
client_id = "{CLIENT_ID}"
redirect_uris = ["{REDIRECT_URI}"]
jwks = "{NAME}.json"
""",
    f"agreements/{NAME}.toml": f"""
school = "{NAME}"
supplier = "{NAME}"
version = 1
from = 2024-08-01
approved = ["givenName", "mail"]
""",
}


@dataclass(frozen=True, slots=True)
class ProbeParties:
    """The keys that the probe plays with."""

    folder: Path
    school: SigningKey = field(repr=False)
    supplier: TokenSigningKey = field(repr=False)


def make_parties(folder: Path, *, now: datetime) -> ProbeParties:
    """Make the keys that are missing, and write the documents that go with them.

    Args:
        folder: `probe` beside `broker.toml`; made when it is not there.
        now: aware.

    Raises:
        KeyProblem: a key that exists cannot be used.
        OSError: the folder cannot be written.
    """
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    if not (folder / SCHOOL_KEY).exists():
        _, content = make_saml_key(now=now, issuer_name=NAME)
        write_once(folder / SCHOOL_KEY, content)
    if not (folder / SUPPLIER_KEY).exists():
        _, content = make_token_key("ES256", now=now)
        write_once(folder / SUPPLIER_KEY, content)
    parties = load_parties(folder)
    for name, content in _write_documents(parties).items():
        file = folder / FEDERATION / name
        file.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        file.write_bytes(content)
    return parties


def load_parties(folder: Path) -> ProbeParties:
    """Return the keys of a folder that `make_parties` made.

    Raises:
        KeyProblem: one is missing or cannot be used.
    """
    school = read_saml_key(folder / SCHOOL_KEY, root=folder)
    supplier = read_token_key(folder / SUPPLIER_KEY, root=folder)
    return ProbeParties(
        folder,
        signing_key(school.private_key, school.certificate.public_bytes(Encoding.DER)),
        signing_key_of(supplier.private_key),
    )


def read_pseudonym(folder: Path) -> str | None:
    """Return the pseudonym that the first run wrote down; None before it.

    Raises:
        KeyProblem: the file cannot be read safely.
    """
    file = folder / PSEUDONYM
    return read_safely(file, root=folder).decode().strip() if file.exists() else None


def keep_pseudonym(folder: Path, pseudonym: str) -> None:
    """Write down the pseudonym of the first run."""
    write_once(folder / PSEUDONYM, f"{pseudonym}\n".encode())


def _write_documents(parties: ProbeParties) -> dict[str, bytes]:
    """Return every document by its path; the same for the same keys, so that nothing changes."""
    school = read_saml_key(parties.folder / SCHOOL_KEY, root=parties.folder)
    metadata = build_idp_metadata(
        entity_id=SCHOOL_ENTITY,
        sso_url=SCHOOL_SSO,
        signing_certificates=[parties.school.certificate],
        document_id=f"_{NAME}",
        valid_until=school.certificate.not_valid_after_utc,
        xml=LxmlSecurity(),
    )
    # A school that asks for signed questions: so the probe sees the broker's signing key at work.
    metadata = metadata.replace(b'Signed="false"', b'Signed="true"')
    jwks = msgspec.json.encode(build_jwks(TokenKeys(active=(parties.supplier,))))
    texts = {name: (_COMMENT + text.lstrip()).encode() for name, text in _DOCUMENTS.items()}
    return {
        **texts,
        f"identity_providers/{NAME}.xml": metadata,
        f"suppliers/{NAME}.json": jwks,
    }
