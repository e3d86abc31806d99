"""What parties from a source say of themselves, when documents that name them are applied.

A text that is in force already is taken again: a source need not answer for a change of something
else, and going back to an earlier version brings no key back that the source took away since.
Otherwise the source is asked, once for all of its parties.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeAlias

import msgspec

from broker.domain.documents import DocumentProblem, Kind, MetadataSourceDocument
from broker.domain.metadata_sources import (
    EntityStanding,
    MetadataSource,
    Origin,
    SourceStanding,
    SourceUpdate,
    believed_until,
)
from broker.flow.federation.documents import Key, StatedDocument
from broker.flow.federation.metadata_origin import fetched_key, origins_of, texts_of
from broker.flow.federation.metadata_sources import PLACES, compile_source
from broker.flow.federation.places import DocumentProblems
from broker.flow.federation.source_reading import (
    SourceAccess,
    SourceNews,
    SourceUnusable,
    read_source,
)
from broker.saml_xml.security import XmlSecurity

Documents = Mapping[Key, StatedDocument]


@dataclass(frozen=True, slots=True)
class SourcedTexts:
    """The metadata of parties from sources.

    Attributes:
        texts: of those that can be used.
        why_not: of the others.
        updates: of the standing of sources that were asked.
        problems: of sources themselves.
    """

    texts: Mapping[Origin, str] = field(default_factory=dict, repr=False)
    why_not: Mapping[Origin, str] = field(default_factory=dict)
    updates: tuple[SourceUpdate, ...] = ()
    problems: tuple[tuple[StatedDocument, DocumentProblem], ...] = ()

    def put_into(self, stated: StatedDocument) -> dict[str, str]:
        """Return what was fetched for a document, with the texts of its parties from sources.

        Raises:
            DocumentProblems: for each of them that has none; of a source that does not exist, the
                checks between documents tell.
        """
        problems, texts, lacking = [], {}, False
        for path, origin in origins_of(stated.document):
            if origin in self.texts:
                texts[fetched_key(origin)] = self.texts[origin]
                continue
            lacking, why = True, self.why_not.get(origin)
            if why is not None:
                problems.append(
                    DocumentProblem(
                        path,
                        f"names {origin.source}, which {why}.",
                        "See what is wrong with that source, or bring the metadata as a file.",
                    )
                )
        if lacking:
            raise DocumentProblems(problems)
        return texts


def digest_source(document: MetadataSourceDocument, stated: StatedDocument) -> bytes:
    """Return by what is known whether a source's document changed: 32 bytes."""
    parts = (msgspec.json.encode(document), msgspec.json.encode(sorted(stated.files.items())))
    return sha256(b"\0".join(parts)).digest()


StatedSource: TypeAlias = tuple[StatedDocument, MetadataSourceDocument]


def sources_of(documents: Documents) -> dict[str, StatedSource]:
    """Return the documents of sources by their id."""
    return {
        stated.document.id: (stated, stated.document)
        for stated in documents.values()
        if isinstance(stated.document, MetadataSourceDocument)
    }


def gather_texts(
    current: Documents,
    after: Documents,
    changed: Sequence[StatedDocument],
    *,
    known: Mapping[str, SourceStanding],
    access: SourceAccess | None,
    xml: XmlSecurity,
) -> SourcedTexts:
    """Return what is needed to compile the documents that change.

    A source whose own document is new or changed is asked in any case: a wrong key shows now.
    """
    wanted = {origin for each in changed for _, origin in origins_of(each.document)}
    own = {each.document.id for each in changed if each.kind is Kind.METADATA_SOURCE}
    if not wanted and not own:
        return SourcedTexts()
    texts = {
        origin: text
        for stated in current.values()
        for origin, text in texts_of(stated).items()
        if origin in wanted and origin.source not in own
    }
    why_not: dict[Origin, str] = {}
    updates: list[SourceUpdate] = []
    problems: list[tuple[StatedDocument, DocumentProblem]] = []
    sources = sources_of(after)
    missing = wanted - texts.keys()
    for name in sorted(own | {each.source for each in missing} & sources.keys()):
        stated, document = sources[name]
        entity_ids = sorted(each.entity_id for each in missing if each.source == name)
        try:
            news = _ask_anew((stated, document), entity_ids, access=access, xml=xml)
        except DocumentProblems as found:
            problems += ((stated, each) for each in found.problems)
            why_not |= dict.fromkeys((Origin(name, each) for each in entity_ids), "has problems")
            continue
        except SourceUnusable as why:
            if name in own:
                problems.append((stated, _unusable(document, why)))
            why_not |= dict.fromkeys((Origin(name, each) for each in entity_ids), str(why))
            continue
        texts |= {Origin(name, each): found.text for each, found in news.described.items()}
        why_not |= {Origin(name, each): f"does not describe {each}" for each in news.absent}
        why_not |= {
            Origin(name, each): f"is of no use for {each}: it {why}"
            for each, why in news.unusable.items()
        }
        updates.append(_update_of(name, news, known=known.get(name)))
    return SourcedTexts(texts, why_not, tuple(updates), tuple(problems))


def removed_sources(keys: Iterable[Key]) -> tuple[SourceUpdate, ...]:
    """Return that of sources that go nothing is kept."""
    return tuple(
        SourceUpdate(name, None, all_entities=True)
        for kind, name in keys
        if kind is Kind.METADATA_SOURCE
    )


def compile_stated_source(found: StatedSource) -> tuple[MetadataSource, bytes]:
    """Return the record of a source, and the digest of its document.

    Raises:
        DocumentProblems: with everything that is wrong.
    """
    stated, document = found
    return compile_source(document, stated), digest_source(document, stated)


def _ask_anew(
    found: StatedSource,
    entity_ids: Sequence[str],
    *,
    access: SourceAccess | None,
    xml: XmlSecurity,
) -> SourceNews:
    source, document = compile_stated_source(found)
    if access is None:
        raise SourceUnusable("cannot be asked here")
    return read_source(
        source,
        entity_ids,
        document=document,
        known=None,
        known_entities={},
        access=access,
        xml=xml,
    )


def _unusable(document: MetadataSourceDocument, why: SourceUnusable) -> DocumentProblem:
    (path,) = (name for name in PLACES if getattr(document, name) is not None)
    return DocumentProblem(path, f"{why}.", "Ask whoever publishes it, or correct this document.")


def _update_of(name: str, news: SourceNews, *, known: SourceStanding | None) -> SourceUpdate:
    """Return what is known now of a source of which some parties were asked about.

    What was read before for its other parties is as old as it was: so where the source is known,
    its own standing stays, and the new ones have theirs.
    """
    ends = {
        each: EntityStanding(
            valid_until=believed_until(found.valid_until, confirmed_at=news.standing.confirmed_at)
        )
        for each, found in news.described.items()
        if known is not None or found.valid_until != news.standing.valid_until
    }
    return SourceUpdate(name, known or news.standing, {**ends, **news.marks})
