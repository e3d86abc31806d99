"""What differs between two records of a party's metadata, as people read it, and what of it a
source may not change by itself.

A source may bring other places, keys and names. It never makes us ask for less: where a service
provider signed its requests, one that says it no longer does stays bound to them until somebody
who looks at it agrees.
"""

import json
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import msgspec
from msgspec import structs

from broker.domain.federation import SamlIdpEndpoints, SchoolIdp, Supplier
from broker.domain.relying_parties import SamlServiceProvider
from broker.flow.federation.change import Record
from broker.flow.federation.plan import KeyChange
from broker.saml_xml.keys import UnusableKey, verification_key

Party: TypeAlias = SamlIdpEndpoints | SamlServiceProvider

CERTIFICATES = ("signing_certificates", "encryption_certificates")
FINGERPRINT_DIGITS = 16

ASKS_MORE = ("sign_requests", "require_signed_requests", "want_assertions_signed")
"""What a party's metadata may ask for, and not take back by themselves."""

BOTH = "both"
"""Signatures of an answer: of the Response, and of the assertion (`domain.saml_answer_forms`)."""


def compare_parties(
    before: Record, after: Record, *, keep: bool
) -> tuple[Record, tuple[KeyChange, ...], tuple[str, ...]]:
    """Return the record to put in force, what differs, and what it may not take back."""
    known, parties = _saml_parties(before), _saml_parties(after)
    changes: list[KeyChange] = []
    taken_back: list[str] = []
    for prefix, party in parties.items():
        was = known.get(prefix, party)
        if keep and party.metadata_source:
            party, less = keep_asking(was, party)
            taken_back += (prefix + each for each in less)
        changes += find_party_changes(was, party, prefix=prefix)
        parties[prefix] = party
    return _with_parties(after, parties), tuple(changes), tuple(taken_back)


def _saml_parties(record: Record) -> dict[str, SamlIdpEndpoints | SamlServiceProvider]:
    """Return what of a record was read from SAML metadata, each by the prefix of what it tells."""
    if isinstance(record, Supplier):
        return {
            f"{each.id}.": each.protocol
            for each in record.relying_parties
            if isinstance(each.protocol, SamlServiceProvider)
        }
    found = record.endpoints if isinstance(record, SchoolIdp) else None
    return {"": found} if isinstance(found, SamlIdpEndpoints) else {}


def _with_parties(
    record: Record, parties: Mapping[str, SamlIdpEndpoints | SamlServiceProvider]
) -> Record:
    if isinstance(record, Supplier):
        return structs.replace(
            record,
            relying_parties=tuple(
                structs.replace(each, protocol=parties.get(f"{each.id}.", each.protocol))
                for each in record.relying_parties
            ),
        )
    return structs.replace(record, endpoints=parties[""])


def find_party_changes(before: Party, after: Party, *, prefix: str) -> Iterator[KeyChange]:
    """Yield each field that differs; a key is told by the beginning of its fingerprint."""
    for name in CERTIFICATES:
        old, new = (_fingerprints(getattr(each, name)) for each in (before, after))
        path = f"{prefix}{name.removesuffix('_certificates')} key"
        yield from (KeyChange(path, None, each) for each in new if each not in old)
        yield from (KeyChange(path, each, None) for each in old if each not in new)
    for field in structs.fields(before):
        old_value, new_value = getattr(before, field.name), getattr(after, field.name)
        if field.name not in CERTIFICATES and old_value != new_value:
            yield KeyChange(prefix + field.name, _written(old_value), _written(new_value))


def changes_keys(changes: tuple[KeyChange, ...]) -> bool:
    """Tell whether a key is among what changed that signs or that we encrypt to."""
    return any(each.path.endswith(" key") for each in changes)


def keep_asking(before: Party, after: Party) -> tuple[Party, tuple[str, ...]]:
    """Return a party that still asks for what it asked for before, and what it took back."""
    taken_back = [
        name
        for name in ASKS_MORE
        if getattr(before, name, False) and not getattr(after, name, False)
    ]
    kept: dict[str, object] = dict.fromkeys(taken_back, True)
    if isinstance(before, SamlServiceProvider) and isinstance(after, SamlServiceProvider):
        was, now = before.answers, after.answers
        if was.signed == BOTH != now.signed:
            taken_back.append("answers.signed")
            kept["answers"] = structs.replace(now, signed=BOTH)
    return structs.replace(after, **kept), tuple(taken_back)


def _fingerprints(certificates: tuple[bytes, ...]) -> dict[str, None]:
    found: dict[str, None] = {}
    for each in certificates:
        try:
            found[f"sha256 {verification_key(each).key_id[:FINGERPRINT_DIGITS]}"] = None
        except UnusableKey:  # of a registry from before a check
            found["unusable"] = None
    return found


def _written(value: object) -> str:
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
