"""Asking a source for metadata, and what it says of the parties that documents name.

One document with all parties is parsed and verified once; by the Metadata Query Protocol there is
one for each party, signed by the same pinned key, and each stands or falls alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from urllib.parse import quote

from broker.domain.metadata_sources import (
    EntityStanding,
    MetadataSource,
    SourceStanding,
    believed_until,
)
from broker.flow.federation.discovery import FetchFailed
from broker.saml_xml.keys import VerificationKey
from broker.saml_xml.refusals import XmlRefusal
from broker.saml_xml.registered_keys import verification_keys
from broker.saml_xml.security import XmlSecurity
from broker.saml_xml.signed_metadata import (
    DescribedEntity,
    SignedMetadata,
    describe_entity,
    open_signed_metadata,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One document to ask for, unless it is still the one that these marks are of.

    Attributes:
        place: URL, or the absolute path of a file.
    """

    place: str
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: a document, that it is still the same one, or that there is none (404)."""

    what: Literal["new", "same", "absent"]
    content: bytes = field(default=b"", repr=False)
    etag: str = ""
    last_modified: str = ""


Ask: TypeAlias = Callable[[Sequence[Asked]], Sequence[Answer | FetchFailed]]
"""Asks for several documents, within bounds of size and time; gives an answer for each."""


@dataclass(frozen=True, slots=True)
class SourceAccess:
    """How sources are asked, and the moment by which what they say is valid or not."""

    ask: Ask
    now: datetime


class SourceUnusable(Exception):  # noqa: N818 -- worded for people
    """Nothing of what a source says can be used; the argument says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceNews:
    """What a source says of the parties that were asked about.

    Attributes:
        standing: of the source, after this look.
        described: entity id -> what is said of it now.
        same: parties of whom nothing is new, by the source's word.
        absent: parties that it does not describe.
        unusable: entity id -> why what is said of it cannot be used.
        marks: by MDQ, of each party that is described.
    """

    standing: SourceStanding
    described: Mapping[str, DescribedEntity] = field(default_factory=dict, repr=False)
    same: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    unusable: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, EntityStanding] = field(default_factory=dict, repr=False)


def mdq_url(base: str, entity_id: str) -> str:
    """Return where one party's metadata are (Metadata Query Protocol, SAML profile 2).

    >>> mdq_url("https://mdq.example/", "https://login.example/idp")
    'https://mdq.example/entities/https%3A%2F%2Flogin.example%2Fidp'
    """
    return f"{base.rstrip('/')}/entities/{quote(entity_id, safe='')}"


def read_source(
    source: MetadataSource,
    entity_ids: Sequence[str],
    *,
    document: bytes,
    known: SourceStanding | None,
    known_entities: Mapping[str, EntityStanding],
    access: SourceAccess,
    xml: XmlSecurity,
) -> SourceNews:
    """Return what a source says of these parties.

    Args:
        document: SHA-256 of the source's document.
        known, known_entities: of the last look, by whose marks is asked whether something is new;
            None and nothing to have all again.

    Raises:
        SourceUnusable: it does not answer, is not signed by a pinned key, or not valid now.
    """
    keys = verification_keys(source.certificates)
    if source.kind == "mdq":
        return _read_each(
            source,
            entity_ids,
            keys=keys,
            document=document,
            known_entities=known_entities,
            access=access,
            xml=xml,
        )
    return _read_all(
        source, entity_ids, keys=keys, document=document, known=known, access=access, xml=xml
    )


def _read_all(
    source: MetadataSource,
    entity_ids: Sequence[str],
    *,
    keys: Sequence[VerificationKey],
    document: bytes,
    known: SourceStanding | None,
    access: SourceAccess,
    xml: XmlSecurity,
) -> SourceNews:
    now = access.now
    marks = ("", "") if known is None else (known.etag, known.last_modified)
    (answer,) = access.ask([Asked(source.place, *marks)])
    if isinstance(answer, FetchFailed):
        raise SourceUnusable(str(answer))
    if answer.what == "same" and known is not None:
        if known.valid_until is None or known.valid_until <= now:
            raise SourceUnusable("has nothing newer than metadata that are no longer valid")
        standing = SourceStanding(
            document=document,
            etag=known.etag,
            last_modified=known.last_modified,
            valid_until=known.valid_until,
            confirmed_at=now,
            looked_at=now,
        )
        return SourceNews(standing=standing, same=frozenset(entity_ids))
    if answer.what != "new":
        raise SourceUnusable("has no metadata at that place")
    metadata = _open(answer.content, keys=keys, xml=xml, now=now)
    described, absent, unusable = _describe(metadata, entity_ids, now=now)
    standing = SourceStanding(
        document=document,
        etag=answer.etag,
        last_modified=answer.last_modified,
        valid_until=metadata.valid_until,
        confirmed_at=now,
        looked_at=now,
    )
    return SourceNews(
        standing=standing, described=described, absent=frozenset(absent), unusable=unusable
    )


def _open(
    content: bytes, *, keys: Sequence[VerificationKey], xml: XmlSecurity, now: datetime
) -> SignedMetadata:
    try:
        return open_signed_metadata(content, xml=xml, keys=keys, now=now)
    except XmlRefusal as refusal:
        raise SourceUnusable(_WORDS.get(refusal.check, f"is refused ({refusal.check})")) from None


_WORDS: Mapping[str, str] = {
    "signature-present": "is not signed",
    "signature-value": "is not signed by a key that its document pins",
    "digest": "was changed after it was signed",
    "check_validity_stated": "does not say until when it is valid",
    "check_not_expired": "is no longer valid",
    "size": "is too large",
    "markup-declaration": "holds a DOCTYPE",
    "schema": "is no SAML metadata",
    "well-formed": "is no XML",
}


def _describe(
    metadata: SignedMetadata, entity_ids: Sequence[str], *, now: datetime
) -> tuple[dict[str, DescribedEntity], list[str], dict[str, str]]:
    described: dict[str, DescribedEntity] = {}
    absent: list[str] = []
    unusable: dict[str, str] = {}
    for entity_id in entity_ids:
        try:
            found = describe_entity(metadata, entity_id=entity_id, now=now)
        except XmlRefusal as refusal:
            twice = refusal.check == "check_entity_described_once"
            unusable[entity_id] = (
                "is described more than once" if twice else "is described by what is not valid"
            )
            continue
        if found is None:
            absent.append(entity_id)
        else:
            described[entity_id] = found
    return described, absent, unusable


def _ends_soon(known: EntityStanding, source: MetadataSource, *, now: datetime) -> bool:
    """Tell whether a party's metadata must be had again, though they may be the same: "the same"
    moves no end, and ours comes before that which a source states for years ahead."""
    return known.valid_until <= now + timedelta(days=source.alarm_days)


def _read_each(
    source: MetadataSource,
    entity_ids: Sequence[str],
    *,
    keys: Sequence[VerificationKey],
    document: bytes,
    known_entities: Mapping[str, EntityStanding],
    access: SourceAccess,
    xml: XmlSecurity,
) -> SourceNews:
    now = access.now
    described: dict[str, DescribedEntity] = {}
    same: list[str] = []
    absent: list[str] = []
    unusable: dict[str, str] = {}
    marks: dict[str, EntityStanding] = {}
    before = [known_entities.get(each) for each in entity_ids]
    answers = access.ask(
        [
            Asked(
                mdq_url(source.place, entity_id),
                *(
                    ("", "")
                    if known is None or _ends_soon(known, source, now=now)
                    else (known.etag, known.last_modified)
                ),
            )
            for entity_id, known in zip(entity_ids, before, strict=True)
        ]
    )
    for entity_id, known, answer in zip(entity_ids, before, answers, strict=True):
        if isinstance(answer, FetchFailed):
            unusable[entity_id] = f"gets no answer ({answer})"
        elif answer.what == "same" and known is not None:
            same.append(entity_id)
        elif answer.what != "new":
            absent.append(entity_id)
        else:
            try:
                metadata = _open(answer.content, keys=keys, xml=xml, now=now)
            except SourceUnusable as why:
                unusable[entity_id] = f"is described by what {why}"
                continue
            found, not_found, wrong = _describe(metadata, [entity_id], now=now)
            described |= found
            unusable |= wrong | dict.fromkeys(not_found, "is not in the answer that is about it")
            for entity in found.values():
                marks[entity_id] = EntityStanding(
                    valid_until=believed_until(entity.valid_until, confirmed_at=now),
                    etag=answer.etag,
                    last_modified=answer.last_modified,
                )
    if entity_ids and len(unusable) == len(entity_ids):
        raise SourceUnusable(next(iter(unusable.values())))
    standing = SourceStanding(document=document, valid_until=None, confirmed_at=now, looked_at=now)
    return SourceNews(
        standing=standing,
        described=described,
        same=frozenset(same),
        absent=frozenset(absent),
        unusable=unusable,
        marks=marks,
    )
