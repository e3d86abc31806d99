"""Metadata that somebody vouches for by a signature: an aggregate, or one entity.

Metadata interoperability profile 2.6, Kantara's implementation profile IIP-MD03 to MD06, saml2int
2.0 MD03: signed at the root by a key that was pinned, valid until a moment that is stated. Nothing
inside is trusted to say whose key it is, and a signature further down proves nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime

from broker.saml_xml.elements import Element, serialize
from broker.saml_xml.instants import parse_instant
from broker.saml_xml.keys import VerificationKey
from broker.saml_xml.metadata import MetadataUnusable, entities_of
from broker.saml_xml.names import MD
from broker.saml_xml.security import XmlSecurity

VALID_UNTIL = "validUntil"

_ROLES = (f"{{{MD}}}IDPSSODescriptor", f"{{{MD}}}SPSSODescriptor")
_OF_THE_DOCUMENT = (VALID_UNTIL, "cacheDuration", "ID")
"""Attributes of an entity that change with each publication and say nothing of the entity."""


@dataclass(frozen=True, slots=True)
class SignedMetadata:
    """A document of metadata as the owner of a pinned key signed it.

    Attributes:
        valid_until: of the root; what is inside may say less.
        entities: entity id -> its descriptors, nested aggregates included; more than one is a
            defect of that entity.
    """

    valid_until: datetime
    entities: Mapping[str, Sequence[Element]] = field(repr=False)


def open_signed_metadata(
    document: bytes, *, xml: XmlSecurity, keys: Sequence[VerificationKey], now: datetime
) -> SignedMetadata:
    """Return what a source published, if a pinned key signed all of it and it is valid now.

    Args:
        keys: those pinned for this source, nothing else.

    Raises:
        MessageUnreadable: no metadata that the schema allows, too large, DOCTYPE, entities.
        NoKeyRegistered, SignatureMissing, SignatureRefused: see `XmlSecurity.verify`.
        MetadataUnusable: it states no validUntil, or one that has passed.
    """
    root = xml.verify(xml.parse_aggregate(document).root, keys=keys).root
    stated = root.get(VALID_UNTIL)
    if stated is None:
        raise MetadataUnusable("check_validity_stated", subject="validUntil")
    valid_until = parse_instant(stated)
    if valid_until <= now:
        raise MetadataUnusable("check_not_expired", subject="validUntil")
    found: dict[str, list[Element]] = {}
    for each in entities_of(root):
        found.setdefault(each.get("entityID", ""), []).append(each)
    return SignedMetadata(valid_until, found)


@dataclass(frozen=True, slots=True)
class DescribedEntity:
    """One entity as its source describes it, as a document of its own.

    Attributes:
        text: the EntityDescriptor, without what its publication alone says (validUntil, ID), so
            that it is the same text until the entity changes.
        valid_until: the first end of the entity, of its roles that are ours to talk to, and of
            everything around it.
    """

    text: str = field(repr=False)
    valid_until: datetime


def describe_entity(
    metadata: SignedMetadata, *, entity_id: str, now: datetime
) -> DescribedEntity | None:
    """Return what is said of one entity, or None when nothing is.

    Raises:
        MetadataUnusable: it is described more than once, or that has expired.
    """
    found = metadata.entities.get(entity_id, ())
    if not found:
        return None
    if len(found) > 1:
        raise MetadataUnusable("check_entity_described_once", subject="entityID")
    (entity,) = found
    valid_until = min((metadata.valid_until, *_ends(entity)))
    if valid_until <= now:
        raise MetadataUnusable("check_not_expired", subject="validUntil")
    alone = copy(entity)  # a copy has all that is in it, and the prefixes around it
    for name in _OF_THE_DOCUMENT:
        alone.attrib.pop(name, "")
    return DescribedEntity(serialize(alone).decode(), valid_until)


def _ends(entity: Element) -> Iterator[datetime]:
    """A role may end before its entity does (SAML metadata 2.4.1): then so do its keys."""
    for each in (*entity.iterchildren(*_ROLES), entity, *entity.iterancestors()):
        stated = each.get(VALID_UNTIL)
        if stated is not None:
            yield parse_instant(stated)
