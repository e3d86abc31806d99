"""Metadata of one source anew: what changed of the parties that documents name, as one change.

All of it or nothing comes into force, with what is known from then on of the source. A party whose
new metadata cannot be used keeps what it has, for as long as that was valid; one that the source
no longer describes is out at once, which is how a federation takes trust away. A source that lost
more than a tenth of its registered parties looks like a mishap, and needs an operator who agrees.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from broker.domain.federation import SchoolIdp, Supplier
from broker.domain.metadata_sources import (
    EntityStanding,
    Origin,
    SourceStanding,
    SourceUpdate,
    Validity,
    apply_update,
    believed_until,
    build_validity,
)
from broker.flow.federation.change import (
    CheckedChange,
    CompiledDocument,
    Compiler,
    CurrentFederation,
    Record,
    compile_stated,
)
from broker.flow.federation.documents import Key, Problem, StatedDocument
from broker.flow.federation.metadata_changes import changes_keys, compare_parties
from broker.flow.federation.metadata_origin import origins_of, texts_of
from broker.flow.federation.places import DocumentProblems
from broker.flow.federation.plan import Action, Plan, PlannedDocument
from broker.flow.federation.published_scopes import warn_of_scopes
from broker.flow.federation.source_reading import (
    SourceAccess,
    SourceNews,
    SourceUnusable,
    read_source,
)
from broker.flow.federation.sourced_texts import SourcedTexts, compile_stated_source, sources_of

MOST_LOST_PERCENT = 10
"""Of a source's registered parties, that may be gone at a refresh that nobody looks at."""


class SourceRefused(Exception):  # noqa: N818 -- worded for people
    """Nothing of a source was taken over: what is in force stays. `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.problem)
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """What a source would change.

    Attributes:
        change: with an empty plan when no party changed; what is known of the source is kept all
            the same.
        registered: how many of the source's parties documents name.
        keys_changed: documents of which a party has other keys.
        absent: parties that are out, since the source no longer describes them.
        adds_version: whether brokers that run must be told: what ends later, they see by
            themselves.
    """

    change: CheckedChange
    registered: int
    keys_changed: tuple[Key, ...] = ()
    absent: tuple[Origin, ...] = ()
    adds_version: bool = False


@dataclass(slots=True)
class _Found:
    """What was found of the documents, one after the other."""

    put: list[CompiledDocument] = field(default_factory=list)
    planned: list[PlannedDocument] = field(default_factory=list)
    told: list[Problem] = field(default_factory=list)
    held_back: set[Origin] = field(default_factory=set)


def check_refresh(
    current: CurrentFederation,
    records: Mapping[Key, Record],
    *,
    source_id: str,
    access: SourceAccess,
    compiler: Compiler,
    accept_loss: bool = False,
    all_again: bool = False,
) -> Refresh:
    """Return what asking a source again changes.

    Args:
        records: of the documents in force, by which is told what changed.
        accept_loss: take over also what loses parties, or no longer asks for signatures.
        all_again: ask for everything, also where the source says that nothing is new.

    Raises:
        SourceRefused: it cannot be used, or lost too much.
    """
    documents = [
        stated
        for stated in current.documents.values()
        if any(origin.source == source_id for _, origin in origins_of(stated.document))
    ]
    origins = sorted({each for stated in documents for each in _of_source(stated, source_id)})
    news = _ask(current, source_id, origins, access=access, compiler=compiler, all_again=all_again)
    absent = tuple(each for each in origins if each.entity_id in news.absent)
    if not accept_loss and len(absent) * 100 > len(origins) * MOST_LOST_PERCENT:
        raise SourceRefused(
            Problem(
                f"metadata_sources/{source_id}",
                "-",
                f"no longer describes {len(absent)} of {len(origins)} registered parties.",
                "If that is right, run `broker metadata refresh` with --accept-loss.",
            )
        )
    found = _Found()
    for stated in documents:
        _look_at(stated, records, news, source_id, compiler, found, accept_loss=accept_loss)
    found.told += (_told_of(source_id, *each) for each in sorted(news.unusable.items()))
    before = build_validity(current.sources, current.entities)
    update = _update(source_id, origins, news, found.held_back, before, access)
    after = build_validity(*apply_update(current.sources, current.entities, update))
    return Refresh(
        change=CheckedChange(
            current.version,
            Plan(
                tuple(found.planned),
                len(documents) - len(found.planned),
                {**current.documents, **{each.stated.key: each.stated for each in found.put}},
            ),
            tuple(found.put),
            {},
            f"metadata of {source_id}",
            (*found.told, *warn_of_scopes((each.stated, each.record) for each in found.put)),
            (update,),
        ),
        registered=len(origins),
        keys_changed=tuple(each.key for each in found.planned if changes_keys(each.changes)),
        absent=absent,
        adds_version=bool(found.put)
        or any(_moves(each, before, after, access) for each in origins),
    )


def fail(
    known: SourceStanding | None, refused: SourceRefused, *, access: SourceAccess
) -> SourceStanding | None:
    """Return what is known of a source after a look that gave nothing."""
    if known is None:
        return None
    return replace(
        known,
        looked_at=access.now,
        failures=known.failures + 1,
        failure=refused.problem.problem,
    )


def _of_source(stated: StatedDocument, source_id: str) -> Iterator[Origin]:
    return (each for _, each in origins_of(stated.document) if each.source == source_id)


def _ask(
    current: CurrentFederation,
    source_id: str,
    origins: Sequence[Origin],
    *,
    access: SourceAccess,
    compiler: Compiler,
    all_again: bool,
) -> SourceNews:
    known = current.sources.get(source_id)
    try:
        source, document = compile_stated_source(sources_of(current.documents)[source_id])
        anew = all_again or known is None or known.document != document
        return read_source(
            source,
            [each.entity_id for each in origins],
            document=document,
            known=None if anew else known,
            known_entities={}
            if anew
            else {
                origin.entity_id: each
                for origin, each in current.entities.items()
                if origin.source == source_id
            },
            access=access,
            xml=compiler.xml,
        )
    except (SourceUnusable, DocumentProblems) as why:
        raise SourceRefused(
            Problem(
                f"metadata_sources/{source_id}",
                "-",
                f"{why}.",
                "What is in force stays until it ends; see with whoever publishes it.",
            )
        ) from None


def _look_at(
    stated: StatedDocument,
    records: Mapping[Key, Record],
    news: SourceNews,
    source_id: str,
    compiler: Compiler,
    found: _Found,
    *,
    accept_loss: bool,
) -> None:
    """Add what is new of one document's parties to what was found."""
    kept = texts_of(stated)
    new = {
        origin: news.described[origin.entity_id].text
        for origin in _of_source(stated, source_id)
        if origin.entity_id in news.described
    }
    before = records[stated.key]
    if not isinstance(before, SchoolIdp | Supplier) or all(
        kept.get(origin) == text for origin, text in new.items()
    ):
        return
    pins = {str(before.id): before.epoch} if isinstance(before, Supplier) else {}
    try:
        compiled = compile_stated(stated, pins, compiler, SourcedTexts({**kept, **new}))
    except DocumentProblems as problems:
        found.held_back.update(new)
        found.told += (
            Problem(f"{stated.kind}/{stated.document.id}", each.path, each.problem, each.remedy)
            for each in problems.problems
        )
        return
    record, changes, taken_back = compare_parties(before, compiled.record, keep=not accept_loss)
    found.told += (
        Problem(
            f"{stated.kind}/{stated.document.id}",
            path,
            "is no longer asked for by its metadata; it stays required.",
            "If that is right, run `broker metadata refresh` with --accept-loss.",
        )
        for path in taken_back
    )
    if record != before:
        found.put.append(CompiledDocument(compiled.stated, record))
        found.planned.append(PlannedDocument(Action.CHANGED, stated.key, changes))


def _told_of(source_id: str, entity_id: str, why: str) -> Problem:
    return Problem(
        f"metadata_sources/{source_id}",
        entity_id,
        f"{why}; what is in force of it stays until it ends.",
        "Ask whoever publishes the source.",
    )


def _update(
    source_id: str,
    origins: Sequence[Origin],
    news: SourceNews,
    held_back: set[Origin],
    before: Validity,
    access: SourceAccess,
) -> SourceUpdate:
    """Return what is known of a source and its parties after this look."""
    now = access.now
    entities: dict[str, EntityStanding] = {}
    if news.same and news.standing.valid_until is not None:
        return SourceUpdate(source_id, news.standing)
    for origin in origins:
        entity_id, until = origin.entity_id, before.until(origin)
        described = news.described.get(entity_id)
        if entity_id in news.absent:
            entities[entity_id] = EntityStanding(valid_until=min(now, until or now))
        elif entity_id in news.unusable or origin in held_back:
            entities[entity_id] = EntityStanding(valid_until=until or now)
        elif entity_id in news.marks:
            entities[entity_id] = news.marks[entity_id]
        elif described is not None and described.valid_until != news.standing.valid_until:
            entities[entity_id] = EntityStanding(
                valid_until=believed_until(described.valid_until, confirmed_at=now)
            )
    standing = news.standing
    if news.unusable or held_back:  # what could not be used is looked at again, new or not
        standing = replace(standing, etag="", last_modified="")
    return SourceUpdate(source_id, standing, entities, all_entities=not news.same)


def _moves(origin: Origin, before: Validity, after: Validity, access: SourceAccess) -> bool:
    """Tell whether a party is let in again, or ends sooner than brokers that run believe."""
    past = datetime.min.replace(tzinfo=UTC)
    old, new = (each.until(origin) or past for each in (before, after))
    return old <= access.now < new or new < old
