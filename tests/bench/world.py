"""The broker that is measured: a folder with everything on, and `broker serve` in it.

7,000 schools are registered, one of which is the school of the made-up pupils; its SAML provider
signs (RSA-2048) and encrypts (AES-256-GCM, RSA-OAEP) and wants no signed requests. One supplier
has one OpenID Connect client with private_key_jwt. The databases lie on the disk of the checkout,
because a commit on a memory file system costs nothing and proves nothing.
"""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding

from broker.adapters.keys_init import init_keys
from broker.adapters.keys_on_disk import load_keys
from broker.demo.addresses import LOOPBACK
from broker.demo.run import reset_folder
from broker.demo.saml_messages import idp_metadata
from broker.demo.toml_writer import Table, write_toml
from broker.jose.keys import SigningKey
from broker.web.documents import OwnAddresses
from tests.bench.accounting import on_core
from tests.builders_oidc import jwks_of, make_key
from tests.builders_pysaml2 import as_files
from tests.saml_xml.corpus.keys import PartyKey, rsa_key

FOLDER = Path("var/bench")
SCHOOL = "meetlat"
BRIN = "55ZZ"
SCHOOL_URL = "https://login.meetlat.example"
COMMON_URL = "https://login.samen.example"
"""Of the provider that serves the other schools."""

CLIENT_ID = "bench"
REDIRECT_URI = "https://bench.example/callback"
SCHOOLS = 7_000
START_WITHIN_SECONDS = 30

BROKER = (sys.executable, "-m", "broker")
"""The command, as in this environment."""

TOWNS = ("Assen", "Breda", "Delft", "Ede", "Gouda", "Hoorn", "Lelystad", "Sneek", "Venlo", "Zeist")
NAMES = ("De Regenboog", "Het Kompas", "De Ark", "Willem de Zwijger", "De Klimop", "Sint Jan")


class BrokerDidNotStart(Exception):  # noqa: N818 -- stops the benchmark
    """`broker` ended or stayed silent; its own words stand above."""


@dataclass(frozen=True, slots=True)
class BenchWorld:
    """What the driver knows: the broker's addresses, and the keys of the parties that it plays.

    Attributes:
        school_metadata: XML, for the yardstick.
        broker_decryption: the broker's own key, which the yardstick decrypts with.
    """

    folder: Path
    port: int
    school_metadata: str = field(repr=False)
    school_key: PartyKey = field(repr=False)
    client_key: SigningKey = field(repr=False)
    broker_decryption: PartyKey = field(repr=False)

    @property
    def addresses(self) -> OwnAddresses:
        """Return the broker's own addresses."""
        return OwnAddresses(issuer_on(self.port))


def issuer_on(port: int) -> str:
    """Return the issuer of a broker on a port."""
    return f"http://{LOOPBACK}:{port}"


def prepare_world(folder: Path = FOLDER) -> BenchWorld:
    """Wipe the folder and set a broker up in it: settings, keys, registry."""
    reset_folder(folder)
    port = find_free_port()
    settings: Table = {
        "issuer": issuer_on(port),
        "server": {"host": LOOPBACK, "port": port},
        "logging": {"file": str(folder.absolute() / "broker.log")},
    }
    (folder / "broker.toml").write_text(write_toml(settings, comment="Settings of the benchmark."))
    init_keys(folder / "keys", now=datetime.now(UTC), issuer_name="bench")
    school_key, client_key = rsa_key("meetlat"), make_key()
    pair = as_files(school_key, folder)
    metadata = idp_metadata(SCHOOL_URL, keys=pair, want_signed_requests=False)
    documents = write_documents(folder, metadata=metadata, client_key=client_key)
    run_broker("apply", "--config", str(folder), str(documents))
    decryption = load_keys(folder / "keys").saml_decryption[0]
    return BenchWorld(
        folder=folder,
        port=port,
        school_metadata=metadata,
        school_key=school_key,
        client_key=client_key,
        broker_decryption=PartyKey(
            decryption.private_key, decryption.certificate.public_bytes(Encoding.DER)
        ),
    )


def write_documents(folder: Path, *, metadata: str, client_key: SigningKey) -> Path:
    """Write all federation documents as one bundle and return its place."""
    own_provider: Table = {
        "id": SCHOOL,
        "schools": [SCHOOL],
        "protocol": "saml",
        "state": "production",
        "school_from": "attribute",
        "scopes": ["meetlat.example"],
        "entity_id": f"{SCHOOL_URL}/saml/metadata",
        "metadata": metadata,
    }
    others = [made_up_school(number) for number in range(SCHOOLS - 1)]
    common_provider: Table = {
        **own_provider,
        "id": "samen",
        "schools": [str(each["id"]) for each in others],
        "scopes": ["samen.example"],
        "entity_id": f"{COMMON_URL}/saml/metadata",
        "metadata": metadata.replace(SCHOOL_URL, COMMON_URL),
    }
    bundle: Table = {
        "school": [school_table(SCHOOL, "De Meetlat", "Utrecht", BRIN), *others],
        "identity_provider": [own_provider, common_provider],
        "supplier": [supplier_table(client_key)],
        "agreement": [
            {
                "school": SCHOOL,
                "supplier": "bench",
                "version": 1,
                "from": date(2024, 8, 1),
                "approved": ["givenName", "eduPersonAffiliation"],
                "notice": "none",
            }
        ],
    }
    file = folder / "bundle.toml"
    file.write_bytes(msgspec.toml.encode(bundle))
    return file


def school_table(school: str, name: str, place: str, brin: str) -> dict[str, Any]:
    """Return one school in secondary education; no shared devices, so no page between."""
    return {
        "id": school,
        "name": name,
        "place": place,
        "brin": brin,
        "sector": "vo",
        "board": "stichting-meetlat",
        "state": "production",
        "shared_devices": False,
    }


def made_up_school(number: int) -> dict[str, Any]:
    """Return one of the many others, each with a BRIN of its own."""
    letters = chr(65 + number // 2600 % 26) + chr(65 + number // 100 % 26)
    return school_table(
        f"school-{number}",
        f"{NAMES[number % len(NAMES)]} {number}",
        TOWNS[number // 7 % len(TOWNS)],
        f"{number % 100:02}{letters}",
    )


def supplier_table(client_key: SigningKey) -> dict[str, Any]:
    """Return the supplier: a first name and a role, one client with private_key_jwt."""
    return {
        "id": "bench",
        "legal_name": "Bench B.V.",
        "state": "production",
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
            }
        ],
    }


def find_free_port() -> int:
    """Return a loopback port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def run_broker(*arguments: str) -> None:
    """Run the command `broker` to its end."""
    done = subprocess.run([*BROKER, *arguments], stdout=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise BrokerDidNotStart(" ".join(arguments))


@contextmanager
def serving(world: BenchWorld, *, core: int | None) -> Iterator[int]:
    """Run `broker serve` on a core while the context lasts; gives its process id."""
    with on_core(core):
        process = subprocess.Popen(
            [*BROKER, "serve", "--config", str(world.folder)],
            stdout=subprocess.DEVNULL,
        )
    try:
        wait_until_ready(world, process)
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=START_WITHIN_SECONDS)


def wait_until_ready(world: BenchWorld, process: subprocess.Popen[bytes]) -> None:
    """Return when the broker can log somebody in."""
    deadline = time.monotonic() + START_WITHIN_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{world.addresses.issuer}/health/ready", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise BrokerDidNotStart("serve")
