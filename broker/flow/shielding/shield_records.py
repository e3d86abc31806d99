"""How a shield rests: found by a keyed tag of school and person, opened by whoever that person is.

    tag    = mac(shield tag key, "schuilnaam/shield-tag/v1", school, root)
    sealed = seal(expand_key(shield seal key, "schuilnaam/shield-row/v1" || lp(school, root)),
             JSON of `ShieldRecord`, bound to tag and id)

A person has a tag for each root that a login may present, so a row for each. The keys are derived
from the register's with labels of their own: the rows rest in the same database, and live and die
with it. Without keys the table shows how many shields which school has. With all keys it opens
those of persons whose ECK iD or school number the thief knows. Tags of one pupil at two schools
have nothing in common, so what one school decides, another one's logins never find.

By the same tag the requests of a person are found (`broker.flow.requests`).
"""

from dataclasses import dataclass, field

import msgspec

from broker.domain.attributes import AttributeName
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.shielding import Shield, ShieldedBy, ShieldLevel
from broker.flow.held_state.framing import (
    MacKey,
    UnreadableRecord,
    derive_key,
    expand_key,
    extract_key,
    mac,
    seal,
    unseal,
)
from broker.flow.persons.person_records import Presented, Stored
from broker.pseudonyms.derivation import PersonRoot, lp


@dataclass(frozen=True, slots=True)
class ShieldKeys:
    """One finds rows, one opens them together with a root, one seals what a request is about."""

    tag: MacKey = field(repr=False)
    seal: MacKey = field(repr=False)
    subject: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ShieldPlace:
    """Where shields of one root at one school rest, and what opens them; without the root."""

    school: SchoolId
    tag: bytes = field(repr=False)
    key: bytes = field(repr=False)


class ShieldRecord(Stored, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a row holds once opened; the attributes are those of `Shield`."""

    level: ShieldLevel
    suppliers: tuple[SupplierId, ...] = ()
    attributes: tuple[AttributeName, ...] = ()


def record_of(shield: Shield) -> ShieldRecord:
    """Return a shield as it rests."""
    return ShieldRecord(
        level=shield.level,
        suppliers=tuple(sorted(shield.suppliers)),
        attributes=tuple(sorted(shield.attributes)),
    )


def derive_shield_keys(register_key: bytes) -> ShieldKeys:
    """Return the keys from the one of 32 bytes that rests on disk."""
    return ShieldKeys(
        tag=MacKey(derive_key(register_key, b"schuilnaam/shield-tag-key/v1")),
        seal=extract_key(derive_key(register_key, b"schuilnaam/shield-seal-key/v1")),
        subject=derive_key(register_key, b"schuilnaam/request-subject-key/v1"),
    )


def derive_shield_tag(keys: ShieldKeys, school: SchoolId, root: PersonRoot) -> bytes:
    """Return under which tag the shields of a root at a school are found: 32 bytes."""
    return mac(keys.tag, b"schuilnaam/shield-tag/v1", school, root)


def places_of(
    presented: Presented, *, school: SchoolId, keys: ShieldKeys
) -> tuple[ShieldPlace, ...]:
    """Return where the shields of a person at a school rest: one place for each root."""
    return tuple(
        ShieldPlace(
            school,
            derive_shield_tag(keys, school, root),
            expand_key(keys.seal, b"schuilnaam/shield-row/v1" + lp(school, root)),
        )
        for root in presented.roots
    )


def seal_shield(record: ShieldRecord, *, place: ShieldPlace, of: str, nonce: bytes) -> bytes:
    """Return a row of one place as it will rest."""
    return seal(place.key, record, nonce=nonce, bound_to=lp(place.tag, of))


def open_shield(sealed: bytes, *, place: ShieldPlace, of: str, by: ShieldedBy) -> Shield:
    """Return what a row says.

    Raises:
        UnreadableRecord: another key, another person's row, or changed.
    """
    plain = unseal(place.key, sealed, bound_to=lp(place.tag, of))
    try:
        record = msgspec.json.decode(plain, type=ShieldRecord)
    except msgspec.DecodeError:
        raise UnreadableRecord from None  # a decoder's message may quote the record
    return Shield(
        by=by,
        level=record.level,
        suppliers=frozenset(record.suppliers),
        attributes=frozenset(record.attributes),
    )
