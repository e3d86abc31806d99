"""`metadata-7000`: schools whose logins come from one signed aggregate, through the commands.

Each login has two keys of its own, names in two languages, a scope, a logo, and places to log in or
out: some 4 kB, as a federation publishes them. The worker is compared with one that has a single
school; then the aggregate is published again with other keys of a part of the schools, refreshed as
`serve` does it, and the same worker looked at again.
"""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from broker.adapters.keys.keys_init import init_keys
from broker.demo.run import reset_folder
from broker.demo.toml_writer import write_toml
from broker.saml_xml import names as n
from tests.bench.accounting import worker_megabytes
from tests.bench.broker_process import BROKER, serving_folder
from tests.bench.documents import STATE, the_schools
from tests.bench.figures import Line
from tests.bench.progress import Bar
from tests.bench.world import FOLDER, find_free_port, write_settings
from tests.builders_metadata_sources import FEDERATION_KEY, an_aggregate, pem_of
from tests.builders_saml_metadata import a_key, an_endpoint, an_idp, ui_info

SCHOOLS = 7_000
OTHER_KEYS = 70
"""Schools of which the second aggregate has other keys."""
KEYS = 16
"""RSA keys that stand in for those of all schools; each school has certificates of its own."""
FOLLOW_WITHIN_SECONDS = 60


class Certificates:
    """Makes certificates of the usual size, each other bytes."""

    def __init__(self) -> None:
        self._keys = [
            rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(KEYS)
        ]
        self._made = 0

    def make(self, name: str) -> bytes:
        """Return a certificate (DER) of a key for 2048-bit RSA."""
        key = self._keys[self._made % KEYS]
        self._made += 1
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime(2026, 1, 1, tzinfo=UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(1000 + self._made)
            .not_valid_before(now)
            .not_valid_after(now + timedelta(days=3650))
            .sign(key, SHA256())
        )
        return made.public_bytes(Encoding.DER)


def a_login(number: int, certificates: Certificates) -> str:
    """Return a school's login as a federation describes it."""
    host = f"login.school-{number}.example"
    names = (
        f'<mdui:DisplayName xml:lang="nl">Inloggen bij school {number}</mdui:DisplayName>',
        f'<mdui:DisplayName xml:lang="en">Log in at school {number}</mdui:DisplayName>',
        f'<mdui:Logo height="60" width="80">https://{host}/logo.png</mdui:Logo>',
    )
    keys = (
        a_key(certificates.make(host)),
        a_key(certificates.make(host), use="encryption"),
    )
    logout = (
        an_endpoint("SingleLogoutService", binding, f"https://{host}/saml/slo")
        for binding in (n.BINDING_REDIRECT, n.BINDING_POST)
    )
    scope = f'<shibmd:Scope regexp="false">school-{number}.example</shibmd:Scope>'
    return an_idp(
        *logout,
        of_role=(scope, ui_info(*names)),
        keys=keys,
        sso=f"https://{host}/saml/sso",
        entity_id=f"https://{host}/saml/metadata",
    )


def bench_metadata(bar: Bar) -> Iterator[Line]:
    """Measure applying, serving and refreshing."""
    advance = bar("metadata-7000", 6)
    certificates = Certificates()
    logins = [a_login(number, certificates) for number in range(SCHOOLS)]
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=14)
    first = an_aggregate(*logins, valid_until=until)
    for number in range(0, SCHOOLS, SCHOOLS // OTHER_KEYS):
        logins[number] = a_login(number, certificates)
    second = an_aggregate(*logins, valid_until=until + timedelta(days=1))
    advance()
    one, all_schools = FOLDER.with_name("bench-metadata-1"), FOLDER.with_name("bench-metadata")
    try:
        write_world(one, first, schools=1)
        run(one, "apply", str(one / "federation"))
        with serving_folder(one, issuer=issuer_of(one)) as running:
            memory_of_one = worker_megabytes(running.pid)
            start_of_one = running.start_seconds
        advance()
        write_world(all_schools, first, schools=SCHOOLS)
        apply_seconds = run(all_schools, "apply", str(all_schools / "federation"))
        advance()
        with serving_folder(all_schools, issuer=issuer_of(all_schools)) as running:
            memory = worker_megabytes(running.pid)
            advance()
            nothing_new = run(all_schools, "metadata", "refresh")
            (all_schools / "all.xml").write_bytes(second)
            refresh_seconds = run(all_schools, "metadata", "refresh")
            wait_for_version(all_schools, version=2)
            after = worker_megabytes(running.pid)
            advance()
        yield {
            "bench": "metadata-7000",
            "schools": SCHOOLS,
            "aggregate_mb": round(len(first) / 1e6, 1),
            "apply_seconds": round(apply_seconds, 2),
            "refresh_nothing_new_seconds": round(nothing_new, 2),
            "refresh_seconds": round(refresh_seconds, 2),
            "keys_changed": OTHER_KEYS,
            "memory_mb": round(memory, 1),
            "memory_mb_one_school": round(memory_of_one, 1),
            "memory_growth_mb": round(memory - memory_of_one, 1),
            "memory_growth_mb_after_refresh": round(after - memory_of_one, 1),
            "start_seconds": round(running.start_seconds, 2),
            "start_seconds_one_school": round(start_of_one, 2),
        }
        advance()
    finally:
        for folder in (one, all_schools):
            shutil.rmtree(folder, ignore_errors=True)


def write_world(folder: Path, aggregate: bytes, *, schools: int) -> None:
    """Write settings, keys, documents and the aggregate of a broker."""
    reset_folder(folder)
    init_keys(folder / "keys", now=datetime.now(UTC), issuer_name="bench")
    write_settings(folder, port=find_free_port())
    (folder / "all.xml").write_bytes(aggregate)
    documents = folder / "federation"
    for kind in ("schools", "identity_providers", "metadata_sources"):
        (documents / kind).mkdir(parents=True)
    source = {
        "id": "federation",
        "state": STATE,
        "file": str((folder / "all.xml").resolve()),
        "signing_certificates": [pem_of(FEDERATION_KEY.certificate)],
    }
    comment = "Made up for a benchmark."
    (documents / "metadata_sources/federation.toml").write_text(write_toml(source, comment=comment))
    for number, school in enumerate(the_schools(SCHOOLS)[:schools]):
        login = {
            "id": school["id"],
            "schools": [school["id"]],
            "protocol": "saml",
            "state": STATE,
            "entity_id": f"https://login.school-{number}.example/saml/metadata",
            "metadata_source": "federation",
            "scopes": [f"school-{number}.example"],
        }
        for kind, table in (("schools", school), ("identity_providers", login)):
            file = documents / kind / f"{school['id']}.toml"
            file.write_text(write_toml(table, comment=comment))


def issuer_of(folder: Path) -> str:
    """Return where a broker serves."""
    found = re.search(r'issuer = "([^"]+)"', (folder / "broker.toml").read_text())
    if found is None:
        raise ValueError("settings without an issuer")
    return found[1]


def run(folder: Path, *words: str) -> float:
    """Run a command and return how long it took, in seconds."""
    began = time.monotonic()
    subprocess.run(
        [*BROKER, *words, "--config", str(folder)], check=True, stdout=subprocess.DEVNULL
    )
    return time.monotonic() - began


def wait_for_version(folder: Path, *, version: int) -> None:
    """Return when the broker has put a version of the registry in force."""
    deadline = time.monotonic() + FOLLOW_WITHIN_SECONDS
    told = re.compile(rf'"version":{version}\b')
    while time.monotonic() < deadline:
        lines = (folder / "broker.log").read_text().splitlines()
        if any("registry-loaded" in each and told.search(each) for each in lines):
            return
        time.sleep(0.05)
    raise TimeoutError("the broker did not follow")
