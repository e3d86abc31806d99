"""The broker that is measured: a folder with settings, keys, and a registry of any size.

The SAML school signs (RSA-2048) and encrypts (AES-256-GCM, RSA-OAEP) and wants no signed requests;
the OpenID Connect school signs with ES256 and states everything in the ID token. The supplier has
a client with private_key_jwt, and a service provider that signs its requests. The databases lie on
the disk of the checkout, because a commit on a memory file system costs nothing and proves nothing.
"""

import socket
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from broker.adapters.databases.data_folder import DataFolder
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.keys.keys_init import init_keys
from broker.adapters.keys.keys_on_disk import load_keys
from broker.commands.registry import make_compiler, registry_file
from broker.demo.addresses import LOOPBACK
from broker.demo.run import reset_folder
from broker.demo.saml_messages import idp_metadata
from broker.demo.saml_supplier import SamlSupplierSettings, sp_metadata
from broker.demo.toml_writer import write_toml
from broker.domain.document_reading import DocumentTable, parse_table
from broker.domain.documents import Kind
from broker.flow.federation.change import check_apply, without_progress
from broker.flow.federation.documents import StatedDocument
from broker.jose.keys import SigningKey
from broker.settings import load_settings
from broker.web.own_documents import OwnAddresses
from tests.bench.documents import (
    COMMON_URL,
    SAML_SCHOOL,
    SAML_SCHOOL_URL,
    SAML_SUPPLIER_URL,
    Table,
    a_saml_login,
    an_oidc_login,
    another_supplier,
    the_agreements,
    the_schools,
    the_supplier,
)
from tests.builders_oidc import make_key
from tests.builders_pysaml2 import as_files
from tests.saml_xml.corpus.keys import PartyKey, rsa_key

FOLDER = Path("var/bench")
SCHOOLS = 7_000
PATIENCE = 10_000


@dataclass(frozen=True, slots=True)
class BenchWorld:
    """What the driver knows: the broker's addresses, and the keys of the parties that it plays.

    Attributes:
        suppliers: at least so many.
        school_port: where the OpenID Connect school's token endpoint listens while it is needed.
        school_metadata: XML of the SAML school, for the yardstick.
        broker_decryption: the broker's own key, to encrypt for it, and for the yardstick.
    """

    folder: Path
    port: int
    school_port: int
    schools: int
    agreements: int
    suppliers: int
    school_metadata: str = field(repr=False)
    saml_school_key: PartyKey = field(repr=False)
    oidc_school_key: SigningKey = field(repr=False)
    client_key: SigningKey = field(repr=False)
    saml_supplier_key: PartyKey = field(repr=False)
    broker_decryption: PartyKey = field(repr=False)

    @property
    def addresses(self) -> OwnAddresses:
        """Return the broker's own addresses."""
        return OwnAddresses(f"http://{LOOPBACK}:{self.port}")


def prepare_world(
    folder: Path = FOLDER, *, schools: int = SCHOOLS, agreements: int = 0, suppliers: int = 0
) -> BenchWorld:
    """Wipe the folder and set a broker up in it: settings, keys, registry.

    Args:
        suppliers: at least so many; agreements are with as few as have them.
    """
    reset_folder(folder)
    port, school_port = find_free_port(), find_free_port()
    write_settings(folder, port=port)
    init_keys(folder / "keys", now=datetime.now(UTC), issuer_name="bench")
    saml_school_key, saml_supplier_key = rsa_key("meetlat"), rsa_key("bench supplier")
    pair = as_files(saml_school_key, folder)
    decryption = load_keys(folder / "keys").saml_decryption[0]
    world = BenchWorld(
        folder=folder,
        port=port,
        school_port=school_port,
        schools=schools,
        agreements=max(agreements, 2),
        suppliers=suppliers,
        school_metadata=idp_metadata(SAML_SCHOOL_URL, keys=pair, want_signed_requests=False),
        saml_school_key=saml_school_key,
        oidc_school_key=make_key(),
        client_key=make_key(),
        saml_supplier_key=saml_supplier_key,
        broker_decryption=PartyKey(
            decryption.private_key, decryption.certificate.public_bytes(Encoding.DER)
        ),
    )
    apply_documents(world, list(make_documents(world)))
    return world


def write_settings(folder: Path, *, port: int) -> None:
    """Write the settings; which login store, each benchmark says by the environment."""
    settings: dict[str, Any] = {
        "issuer": f"http://{LOOPBACK}:{port}",
        "fetch_allowed_hosts": [LOOPBACK],
        "server": {
            "host": LOOPBACK,
            "port": port,
            "metrics_port": find_free_port(),
            "drain_seconds": 1,
        },
        # A busy machine must not fail a login here: what it costs is the question.
        "store": {"connect_milliseconds": PATIENCE, "operation_milliseconds": PATIENCE},
        "logging": {"file": str(folder.absolute() / "broker.log")},
    }
    (folder / "broker.toml").write_text(write_toml(settings, comment="Settings of the benchmark."))


def make_documents(world: BenchWorld) -> Iterable[StatedDocument]:
    """Yield all federation documents."""
    own_login = a_saml_login(
        SAML_SCHOOL, [SAML_SCHOOL], url=SAML_SCHOOL_URL, metadata=world.school_metadata
    )
    oidc_login = an_oidc_login(
        token_endpoint=f"http://{LOOPBACK}:{world.school_port}/token", key=world.oidc_school_key
    )
    schools = the_schools(world.schools)
    common_login = a_saml_login(
        "samen",
        [each["id"] for each in schools[2:]],
        url=COMMON_URL,
        metadata=world.school_metadata.replace(SAML_SCHOOL_URL, COMMON_URL),
    )
    pair = as_files(world.saml_supplier_key, world.folder)
    sp = SamlSupplierSettings("bench-saml", SAML_SUPPLIER_URL, pair, sign_requests=True)
    supplier = the_supplier(client_key=world.client_key, saml_metadata=sp_metadata(sp))
    agreements, suppliers = the_agreements(schools, world.agreements)
    suppliers += map(another_supplier, range(len(suppliers), world.suppliers - 1))
    yield from state(Kind.SCHOOL, schools)
    yield from state(Kind.IDENTITY_PROVIDER, [own_login, oidc_login, common_login])
    yield from state(Kind.SUPPLIER, chain([supplier], suppliers))
    yield from state(Kind.AGREEMENT, agreements)


def state(kind: Kind, tables: Iterable[Table]) -> Iterable[StatedDocument]:
    """Yield tables as documents of one kind."""
    for each in tables:
        yield StatedDocument(kind, parse_table(DocumentTable(kind, "", each)))


def apply_documents(world: BenchWorld, documents: list[StatedDocument]) -> None:
    """Put documents in force as `broker apply` does, without writing and reading 30 MB of TOML."""
    loaded = load_settings(world.folder, environment={})
    keys = load_keys(loaded.keys_folder)
    DataFolder(loaded.data_folder, loaded.keys_folder, keys).open_registry()
    registry = SqliteRegistry(registry_file(loaded))
    compiler = make_compiler(loaded, epoch=keys.pairwise.newest)
    change = check_apply(
        registry, documents, prune=False, compiler=replace(compiler, progress=without_progress)
    )
    registry.write(change, by="bench", at=datetime.now(UTC))


def find_free_port() -> int:
    """Return a loopback port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
