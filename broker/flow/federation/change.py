"""From stated documents to one checked change of the registry, or everything that is wrong.

A `CheckedChange` is the only thing that a store takes: its documents are compiled and the whole
federation, as it would be, holds together.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Protocol, TypeAlias, TypeVar

from broker.domain.agreements import Agreement
from broker.domain.documents import (
    AgreementDocument,
    DocumentProblem,
    IdentityProviderDocument,
    Kind,
    MetadataSourceDocument,
    RelationDocument,
    SchoolDocument,
    SupplierDocument,
)
from broker.domain.federation import Relation, School, SchoolIdp, Supplier
from broker.domain.metadata_sources import (
    EntityStanding,
    MetadataSource,
    Origin,
    SourceStanding,
    SourceUpdate,
)
from broker.flow.federation.agreements import compile_agreement
from broker.flow.federation.continuity import (
    find_ended_relations,
    find_new_pseudonyms,
    find_other_identifiers,
    find_returning_agreements,
    find_surprises,
)
from broker.flow.federation.discovery import Fetch
from broker.flow.federation.documents import FederationProblems, Key, Problem, StatedDocument
from broker.flow.federation.links import find_broken_links
from broker.flow.federation.logins import compile_idp
from broker.flow.federation.metadata_origin import is_sourced
from broker.flow.federation.metadata_sources import compile_source
from broker.flow.federation.places import DocumentProblems
from broker.flow.federation.plan import Action, Plan, plan_apply
from broker.flow.federation.published_scopes import warn_of_scopes
from broker.flow.federation.relations import compile_relation
from broker.flow.federation.schools import compile_school
from broker.flow.federation.sheet_versions import find_reused_sheets
from broker.flow.federation.source_reading import SourceAccess
from broker.flow.federation.sourced_texts import SourcedTexts, gather_texts, removed_sources
from broker.flow.federation.suppliers import compile_supplier
from broker.saml_xml.security import XmlSecurity

Record: TypeAlias = School | SchoolIdp | Supplier | Agreement | Relation | MetadataSource
Item = TypeVar("Item")


class Progress(Protocol):
    """Shows how far long work is while it hands on the items."""

    def __call__(self, items: Sequence[Item], /, *, title: str) -> Iterable[Item]:
        """Return the items one by one."""
        ...


def without_progress(items: Sequence[Item], /, *, title: str) -> Iterable[Item]:
    """Show nothing."""
    return items


@dataclass(frozen=True, slots=True)
class CurrentFederation:
    """What is in force.

    Attributes:
        version: 0 when nothing was applied yet.
        pins: supplier -> letter of its epoch; also of suppliers that are gone.
        sources, entities: what is known of sources of metadata, and of parties of them.
    """

    version: int
    documents: Mapping[Key, StatedDocument] = field(repr=False)
    pins: Mapping[str, str] = field(repr=False)
    sources: Mapping[str, SourceStanding] = field(default_factory=dict, repr=False)
    entities: Mapping[Origin, EntityStanding] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class CompiledDocument:
    """A document and the record that it compiled to."""

    stated: StatedDocument
    record: Record = field(repr=False)


@dataclass(frozen=True, slots=True)
class CheckedChange:
    """A change that holds together.

    Attributes:
        base: version of the registry on which it was checked; on another one it must not be done.
        put: documents that are added or replace one.
        new_pins: suppliers that are applied for the first time.
        note: what it is, in words: "apply" or "back to version 3".
        warnings: what may be meant, but should be seen before it is done.
        sources: what is known from now on of sources of metadata.
    """

    base: int
    plan: Plan
    put: tuple[CompiledDocument, ...] = field(repr=False)
    new_pins: Mapping[str, str] = field(repr=False)
    note: str
    warnings: tuple[Problem, ...] = ()
    sources: tuple[SourceUpdate, ...] = field(default=(), repr=False)


class RegistryMoved(Exception):  # noqa: N818 -- an answer of the port
    """Somebody else changed the registry since it was read; nothing was written."""


class EverStated(Protocol):
    """Where every form of a document rests."""

    def ever_stated(self, keys: Sequence[Key]) -> Iterable[StatedDocument]:
        """Return every form that these documents ever had."""
        ...


class FederationStore(EverStated, Protocol):
    """Every version of the registry, with the documents that it was compiled from."""

    def current(self) -> CurrentFederation:
        """Return what is in force."""
        ...

    def documents_at(self, version: int) -> Mapping[Key, StatedDocument] | None:
        """Return the documents of an earlier version, or None when there is no such version."""
        ...

    def write(self, change: CheckedChange, *, by: str, at: datetime) -> int:
        """Put a change in force, all or nothing, and return the new version.

        Raises:
            RegistryMoved: the change was checked on another version.
        """
        ...


class NothingApplied:
    """`FederationStore` before the first apply; nothing can be written to it."""

    def current(self) -> CurrentFederation:
        return CurrentFederation(0, {}, {})

    def documents_at(self, version: int) -> None:
        return None

    def ever_stated(self, keys: Sequence[Key]) -> Iterable[StatedDocument]:
        return ()

    def write(self, change: CheckedChange, *, by: str, at: datetime) -> int:
        raise RegistryMoved


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """What compiling needs from outside.

    Attributes:
        newest_epoch: letter to which a supplier that is new is pinned.
        fetch: for discovery, outside logins only.
        sources: how sources of metadata are asked; None: none can be.
        today: for warnings of agreements that begin later; None: no such warning.
        allow_new_pseudonyms: do also what makes strangers of people who are known.
    """

    xml: XmlSecurity
    newest_epoch: str
    fetch: Fetch
    progress: Progress = without_progress
    today: date | None = None
    allow_new_pseudonyms: bool = False
    sources: SourceAccess | None = None


def check_apply(
    store: FederationStore, stated: Sequence[StatedDocument], *, prune: bool, compiler: Compiler
) -> CheckedChange:
    """Return the change that stating these documents makes.

    Raises:
        FederationProblems: with everything that is wrong.
    """
    current = store.current()
    plan = plan_apply(current.documents, stated, prune=prune)
    changed = {key: plan.after[key] for key in plan.keys(Action.ADDED, Action.CHANGED)}
    problems = list(find_reused_versions(changed, store))
    change = _check(current, plan, compiler=compiler, problems=problems, note="apply")
    surprises = (
        *find_surprises(current.documents, plan, today=compiler.today),
        *find_ended_relations(current.documents, plan, today=compiler.today),
        *find_other_identifiers(current.documents, plan),
        *warn_of_scopes((each.stated, each.record) for each in change.put),
    )
    return replace(change, warnings=surprises)


def check_return(store: FederationStore, *, version: int, compiler: Compiler) -> CheckedChange:
    """Return the change that brings an earlier version's documents back; pins stay where they are.

    Raises:
        FederationProblems: there is no such version, or it would not hold together any more.
    """
    current = store.current()
    earlier = store.documents_at(version)
    if earlier is None:
        raise FederationProblems(
            [
                Problem(
                    "registry",
                    f"version {version}",
                    "does not exist.",
                    f"Name one from 1 to {current.version}.",
                )
            ]
        )
    plan = plan_apply(current.documents, earlier.values(), prune=True)
    note = f"back to version {version}"
    change = _check(current, plan, compiler=compiler, problems=[], note=note)
    surprises = (
        *find_returning_agreements(current.documents, plan),
        *find_surprises(current.documents, plan, today=compiler.today),
        *find_ended_relations(current.documents, plan, today=compiler.today),
        *find_other_identifiers(current.documents, plan),
    )
    return replace(change, warnings=surprises)


def _check(
    current: CurrentFederation,
    plan: Plan,
    *,
    compiler: Compiler,
    problems: list[Problem],
    note: str,
) -> CheckedChange:
    changed = [plan.after[key] for key in plan.keys(Action.ADDED, Action.CHANGED)]
    new_pins = {
        each.document.id: compiler.newest_epoch
        for each in changed
        if each.kind is Kind.SUPPLIER and each.document.id not in current.pins
    }
    pins = {**current.pins, **new_pins}
    sourced = gather_texts(
        current.documents,
        plan.after,
        changed,
        known=current.sources,
        access=compiler.sources,
        xml=compiler.xml,
    )
    problems += [stated.problem(found) for stated, found in sourced.problems]
    put = []
    for stated in compiler.progress(changed, title="Compiling documents"):
        try:
            put.append(compile_stated(stated, pins, compiler, sourced))
        except DocumentProblems as found:
            problems += [stated.problem(each) for each in found.problems]
    problems += find_broken_links(plan.after.values())
    if not compiler.allow_new_pseudonyms:
        problems += find_new_pseudonyms(current.documents, plan.after)
    if problems:
        raise FederationProblems(problems)
    return CheckedChange(
        current.version,
        plan,
        tuple(put),
        new_pins,
        note,
        sources=(*sourced.updates, *removed_sources(plan.keys(Action.REMOVED))),
    )


def compile_stated(
    stated: StatedDocument, pins: Mapping[str, str], compiler: Compiler, sourced: SourcedTexts
) -> CompiledDocument:
    """Return a document with the record that it compiles to.

    Raises:
        DocumentProblems: with everything that is wrong.
    """
    # There already when an earlier version is brought back; of sources, the newest is taken.
    fetched = {key: text for key, text in stated.fetched.items() if not is_sourced(key)}
    stated = replace(stated, fetched=fetched | sourced.put_into(stated))
    fetched = dict(stated.fetched)

    def fetch_once(url: str) -> str:
        if url not in fetched:
            fetched[url] = compiler.fetch(url)
        return fetched[url]

    match stated.document:
        case SchoolDocument() as school:
            record: Record = compile_school(school, stated)
        case IdentityProviderDocument() as idp:
            record = compile_idp(idp, stated, xml=compiler.xml, fetch=fetch_once)
        case SupplierDocument() as supplier:
            record = compile_supplier(supplier, stated, epoch=pins[supplier.id], xml=compiler.xml)
        case RelationDocument() as relation:
            record = compile_relation(relation)
        case MetadataSourceDocument() as source:
            record = compile_source(source, stated)
        case agreement:
            record = compile_agreement(agreement)
    return CompiledDocument(replace(stated, fetched=fetched), record)


def find_reused_versions(
    changed: Mapping[Key, StatedDocument], store: EverStated
) -> Iterable[Problem]:
    """Receipts name the version of an agreement: one number never means two contents."""
    agreements = [key for key in changed if key[0] is Kind.AGREEMENT]
    highest: dict[Key, int] = {}
    for earlier in store.ever_stated(agreements):
        if earlier != changed[earlier.key]:
            highest[earlier.key] = max(highest.get(earlier.key, 0), _version_of(earlier))
    for key, version in highest.items():
        stated = changed[key]
        if _version_of(stated) <= version:
            yield stated.problem(
                DocumentProblem(
                    "version",
                    f"is {_version_of(stated)}, but version {version} said something else.",
                    f"Write {version + 1}: a changed agreement has a higher version.",
                )
            )
    suppliers = [key for key in changed if key[0] is Kind.SUPPLIER]
    yield from find_reused_sheets(changed, store.ever_stated(suppliers))


def _version_of(stated: StatedDocument) -> int:
    return stated.document.version if isinstance(stated.document, AgreementDocument) else 0
