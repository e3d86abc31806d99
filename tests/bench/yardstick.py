"""The yardstick: the same response, decrypted and verified by pysaml2 with the program xmlsec1.

The way in which most Python brokers read a school's answer. Counted is the CPU time of this
process and of the programs that it starts.

Beside it the one RSA private-key operation of a login, by which figures of two machines, or of a
busy and a quiet one, can be compared.
"""

import resource
from collections.abc import Callable
from time import process_time
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from broker.demo.pysaml2 import BINDING_HTTP_POST, XMLSEC1, Saml2Client, SPConfig
from broker.saml_xml.bindings import encode_post
from broker.saml_xml.elements import serialize
from tests.bench.client import UnexpectedAnswer
from tests.bench.schools import SamlSchool, first_name_of
from tests.bench.world import BenchWorld
from tests.builders_pysaml2 import as_files

RESPONSES = 20
RSA_DECRYPTIONS = 200
MILLISECONDS_A_SECOND = 1000


def measure_yardstick(world: BenchWorld, *, advance: Callable[[], None]) -> float:
    """Return the CPU-milliseconds that pysaml2 with xmlsec1 needs for one response."""
    client = make_client(world)
    school, request_id, pupil = SamlSchool(world), "_yardstick", 1
    response = school.encrypt(school.respond(pupil=pupil, request_id=request_id))
    message = encode_post(serialize(response))
    before = used_cpu_seconds()
    for _ in range(RESPONSES):
        read = client.parse_authn_request_response(
            message, BINDING_HTTP_POST, outstanding={request_id: "/"}
        )
        if read is None or read.ava.get("givenName") != [first_name_of(pupil)]:
            raise UnexpectedAnswer("pysaml2 does not read the response")
        advance()
    return (used_cpu_seconds() - before) * MILLISECONDS_A_SECOND / RESPONSES


def make_client(world: BenchWorld) -> Any:
    """Return pysaml2 in the broker's place, with the broker's own decryption key."""
    folder = world.folder / "yardstick"
    folder.mkdir(exist_ok=True)
    pair = as_files(world.broker_decryption, folder)
    keys = {"key_file": str(pair.key_file), "cert_file": str(pair.certificate_file)}
    settings: dict[str, Any] = {
        "entityid": world.addresses.sp_entity_id,
        "xmlsec_binary": XMLSEC1,
        "encryption_keypairs": [keys],
        "allow_unknown_attributes": True,
        "metadata": {"inline": [world.school_metadata]},
        "service": {
            "sp": {
                "endpoints": {
                    "assertion_consumer_service": [(world.addresses.acs_url, BINDING_HTTP_POST)]
                },
                "want_response_signed": False,
                "want_assertions_signed": True,
            }
        },
        **keys,
    }
    return Saml2Client(config=SPConfig().load(settings))


def used_cpu_seconds() -> float:
    """Return the CPU time of this process and of the programs that it ran to their end."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def measure_rsa_decryption(world: BenchWorld) -> float:
    """Return the CPU-milliseconds of unwrapping one content key (RSA-2048, OAEP)."""
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    wrapped = world.broker_decryption.encryption.public_key.encrypt(bytes(32), oaep)
    private_key = world.broker_decryption.decryption.private_key
    began = process_time()
    for _ in range(RSA_DECRYPTIONS):
        private_key.decrypt(wrapped, oaep)
    return (process_time() - began) * MILLISECONDS_A_SECOND / RSA_DECRYPTIONS
