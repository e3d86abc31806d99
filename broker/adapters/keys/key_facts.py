"""What may be told of the keys in the folder and of the certificates in the registry."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from broker.adapters.keys.keys_on_disk import BrokerKeys, HexKey
from broker.adapters.keys.keys_standing import find_slots
from broker.adapters.keys.pem_keys import SamlKey, TokenKey
from broker.domain.federation import SamlIdpEndpoints, SchoolIdp
from broker.domain.registry import Registry
from broker.domain.relying_parties import SamlServiceProvider
from broker.flow.key_plans.key_facts import LASTS, CertificateFacts, KeyFacts
from broker.flow.key_plans.key_schedule import KeyState, find_next_change
from broker.jose.keys import signing_key_of
from broker.saml_xml.keys import signing_key

HEX_KIND = "32 bytes"
SHOWN_ID_CHARACTERS = 16


def read_key_facts(
    keys: BrokerKeys, states: Mapping[str, KeyState], *, now: datetime
) -> tuple[KeyFacts, ...]:
    """Return what may be told of every key, those that last first.

    Args:
        states: of `find_standing` at this moment.
    """
    lasting = (
        KeyFacts(file, file.partition("/")[0], HEX_KIND, "", _made_at(keys, file, now), LASTS)
        for file in sorted(keys.checks)
    )
    rotating: tuple[HexKey | SamlKey | TokenKey, ...] = (
        *keys.token,
        *keys.saml_signing,
        *keys.saml_decryption,
        *keys.storage,
        *keys.cookie,
    )
    slots = {file: slot.files for slot in find_slots(keys) for file in slot.files}
    return (*lasting, *(_describe(each, keys, states, slots[each.file], now) for each in rotating))


def _describe(
    key: HexKey | SamlKey | TokenKey,
    keys: BrokerKeys,
    states: Mapping[str, KeyState],
    files: tuple[str, ...],
    now: datetime,
) -> KeyFacts:
    kind, key_id, expires_at = HEX_KIND, "", None
    if isinstance(key, TokenKey):
        kind, key_id = key.algorithm, signing_key_of(key.private_key).kid
    elif isinstance(key, SamlKey):
        certificate = key.certificate.public_bytes(Encoding.DER)
        kind, key_id = "RSA", signing_key(key.private_key, certificate).key_id
        expires_at = key.certificate.not_valid_after_utc
    else:
        key_id = key.letter
    return KeyFacts(
        file=key.file,
        purpose=key.file.partition("/")[0],
        kind=kind,
        key_id=key_id[:SHOWN_ID_CHARACTERS],
        made_at=_made_at(keys, key.file, now),
        state=states[key.file],
        changes_at=find_next_change(key.file, keys.schedule, files=files, now=now),
        expires_at=expires_at,
    )


def read_certificate_facts(registry: Registry) -> Iterator[CertificateFacts]:
    """Yield the certificates of every SAML partner in force."""
    yield from read_login_certificates(registry.idps.values())
    for party in registry.relying_parties.values():
        if isinstance(party.protocol, SamlServiceProvider):
            place = f"relying_parties/{party.id}"
            provider = party.protocol
            yield from _read_certificates(place, "signing", provider.signing_certificates)
            yield from _read_certificates(place, "encryption", provider.encryption_certificates)


def read_login_certificates(logins: Iterable[SchoolIdp]) -> Iterator[CertificateFacts]:
    """Yield the certificates of schools' logins; one of OpenID Connect has none."""
    for idp in logins:
        if isinstance(idp.endpoints, SamlIdpEndpoints):
            place = f"identity_providers/{idp.id}"
            yield from _read_certificates(place, "signing", idp.endpoints.signing_certificates)


def _read_certificates(
    place: str, purpose: str, certificates: tuple[bytes, ...]
) -> Iterator[CertificateFacts]:
    for each in certificates:
        ends = load_der_x509_certificate(each).not_valid_after_utc
        yield CertificateFacts(place, purpose, ends, only=len(certificates) == 1)


def _made_at(keys: BrokerKeys, file: str, now: datetime) -> datetime:
    times = keys.schedule.get(file)
    if times is not None and times.published_at is not None:
        return times.published_at
    return _written_at(keys.folder / file, now)


def _written_at(file: Path, now: datetime) -> datetime:
    """Return when a file was written; now when it vanished since it was read."""
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except FileNotFoundError:
        return now
