"""A change of a few documents, at a cost that does not depend on how many there are.

An `apply` looks at the whole federation. A decision of one school does not have to: the checks on
the documents themselves are the same, and of the checks between documents those are made that an
agreement can fail. What other documents look at (`_LOOKED_AT`) cannot change in this way, so that
all else that was checked goes on holding.

Each document is put in place of the form that it was made of, and what it leans on must stay as it
was read; so two schools that decide at once never meet, and two people at one school do:
`EditedMeanwhile`.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol

import msgspec

from broker.domain.documents import (
    DOCUMENT_TYPES,
    AgreementDocument,
    AnyDocument,
    IdentityProviderDocument,
    Kind,
    SchoolDocument,
    SupplierDocument,
)
from broker.flow.console.console_audit import ConsoleEntry
from broker.flow.federation.change import (
    CompiledDocument,
    Compiler,
    compile_stated,
    find_reused_versions,
)
from broker.flow.federation.documents import FederationProblems, Key, Problem, StatedDocument
from broker.flow.federation.link_parts import gather
from broker.flow.federation.links import AGREEMENT_LINK_CHECKS
from broker.flow.federation.metadata_origin import fetched_key, origins_of
from broker.flow.federation.places import DocumentProblems
from broker.flow.federation.sourced_texts import SourcedTexts

MAX_ATTEMPTS = 5
"""Of a change while others change what it leans on."""

KINDS: Mapping[type[AnyDocument], Kind] = MappingProxyType(
    {type_: kind for kind, type_ in DOCUMENT_TYPES.items()}
)

NOT_THERE = 0
"""In place of a form's version: there is no such document."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document in force.

    Attributes:
        since: version of the registry that brought this form; it tells forms apart.
    """

    stated: StatedDocument
    since: int


@dataclass(frozen=True, slots=True)
class NarrowPut:
    """A document that is put in force; files and what was fetched for it stay those of before.

    Attributes:
        instead_of: `since` of the form that it replaces; `NOT_THERE` for a new one.
    """

    document: AnyDocument = field(repr=False)
    instead_of: int


@dataclass(frozen=True, slots=True)
class NarrowChange:
    """A few documents that hold together with what is in force.

    Attributes:
        put: those that say something new; whoever puts the same again changes nothing.
        instead_of: key -> form that it replaces, or `NOT_THERE`.
        leaning_on: key -> form of each document that the checks read.
        note: what it is, in words, for the list of versions.
    """

    put: tuple[CompiledDocument, ...] = field(repr=False)
    instead_of: Mapping[Key, int]
    leaning_on: Mapping[Key, int]
    note: str


class EditedMeanwhile(Exception):  # noqa: N818 -- an answer of the port
    """Another form of a document is in force than was read; nothing was written.

    Args:
        key: of the document.
        there: its form now; None when it is gone.
    """

    def __init__(self, key: Key, there: StoredDocument | None) -> None:
        super().__init__(f"{key[0]}/{key[1]}")
        self.key, self.there = key, there


class LeaningMoved(Exception):  # noqa: N818 -- an answer of the port
    """A document that the checks read was changed meanwhile; nothing was written. Check anew."""


class NotNarrow(Exception):  # noqa: N818 -- an answer to our own code
    """A change that only `broker apply` can check; the argument says of which document."""


class NarrowStore(Protocol):
    """Single documents of the registry. Raises `RegistryUnreadable`."""

    def read_documents(self, keys: Sequence[Key]) -> Mapping[Key, StoredDocument]:
        """Return those of these documents that are in force."""
        ...

    def ever_stated(self, keys: Sequence[Key]) -> Iterable[StatedDocument]:
        """Return every form that these documents ever had."""
        ...

    def pins_of(self, suppliers: Sequence[str]) -> Mapping[str, str]:
        """Return the letters of the epochs to which suppliers are pinned."""
        ...

    async def put_in_force(
        self, change: NarrowChange, *, by: str, at: datetime, entries: Sequence[ConsoleEntry]
    ) -> int:
        """Put documents in force with their entries of the audit, all or nothing.

        Returns:
            The version of the registry; the one before when nothing changes.

        Raises:
            EditedMeanwhile, LeaningMoved
        """
        ...


def check_narrow(
    store: NarrowStore,
    puts: Sequence[NarrowPut],
    *,
    schools_of_board: Callable[[str], Iterable[str]],
    compiler: Compiler,
    note: str,
) -> NarrowChange:
    """Return the change that these documents make.

    Args:
        schools_of_board: ids, by the registry in memory; what they are now is read anew.
        note: "decision", "sheet", ...

    Raises:
        FederationProblems: with everything that is wrong, in the words of `apply`.
        EditedMeanwhile: one of them has another form by now.
        NotNarrow
    """
    wanted = {_key(each.document): each for each in puts}
    leaning = {key for each in puts for key in _leans_on(each.document, schools_of_board)}
    found = store.read_documents(sorted(leaning | wanted.keys()))
    changed: dict[Key, StatedDocument] = {}
    for key, put in wanted.items():
        there = found.get(key)
        if put.instead_of != (NOT_THERE if there is None else there.since):
            raise EditedMeanwhile(key, there)
        stated = _stated(put.document, there)
        if there is None or stated != there.stated:
            _check_narrow(stated, there)
            changed[key] = stated
    problems = list(find_reused_versions(changed, store))
    pins = store.pins_of([id_ for kind, id_ in changed if kind is Kind.SUPPLIER])
    compiled: list[CompiledDocument] = []
    for stated in changed.values():
        try:
            compiled.append(compile_stated(stated, pins, compiler, _sourced(stated)))
        except DocumentProblems as why:
            problems += [stated.problem(each) for each in why.problems]
    parties = [each.stated for (kind, _), each in found.items() if kind is not Kind.AGREEMENT]
    problems += _find_broken_links([*parties, *changed.values()])
    if problems:
        raise FederationProblems(problems)
    return NarrowChange(
        tuple(compiled),
        {key: wanted[key].instead_of for key in changed},
        {key: found[key].since for key in leaning - changed.keys() if key in found},
        note,
    )


async def change_narrowly(
    store: NarrowStore,
    puts: Sequence[NarrowPut],
    *,
    schools_of_board: Callable[[str], Iterable[str]],
    compiler: Compiler,
    note: str,
    by: str,
    at: datetime,
    entries: Sequence[ConsoleEntry],
) -> int:
    """Check documents and put them in force with their entries of the audit.

    Returns:
        The version of the registry.

    Raises:
        FederationProblems, EditedMeanwhile, NotNarrow
        LeaningMoved: what they lean on changes all the time.
    """
    moved = LeaningMoved()
    for _ in range(MAX_ATTEMPTS):
        change = await asyncio.to_thread(
            check_narrow,
            store,
            puts,
            schools_of_board=schools_of_board,
            compiler=compiler,
            note=note,
        )
        try:
            return await store.put_in_force(change, by=by, at=at, entries=entries)
        except LeaningMoved as again:
            moved = again
    raise moved


def _key(document: AnyDocument) -> Key:
    return StatedDocument(KINDS[type(document)], document).key


def _leans_on(
    document: AnyDocument, schools_of_board: Callable[[str], Iterable[str]]
) -> Iterator[Key]:
    if isinstance(document, AgreementDocument):
        yield Kind.SUPPLIER, document.supplier
        if document.school is not None:
            yield Kind.SCHOOL, document.school
        if document.board is not None:
            yield from ((Kind.SCHOOL, each) for each in schools_of_board(document.board))


def _stated(document: AnyDocument, there: StoredDocument | None) -> StatedDocument:
    if there is None:
        stated = StatedDocument(KINDS[type(document)], document)
    else:
        stated = replace(there.stated, document=document, prefix="")
    return replace(stated, file=f"{stated.kind}/{document.id}")


def _sourced(stated: StatedDocument) -> SourcedTexts:
    """Return what sources of metadata said of it when it was put in force: nobody is asked."""
    return SourcedTexts(
        {
            origin: stated.fetched[fetched_key(origin)]
            for _, origin in origins_of(stated.document)
            if fetched_key(origin) in stated.fetched
        }
    )


def _find_broken_links(documents: Iterable[StatedDocument]) -> Iterator[Problem]:
    """Yield what does not hold between agreements that change and their parties."""
    federation = gather(documents)
    for check in AGREEMENT_LINK_CHECKS:
        for stated, found in check(federation):
            yield stated.problem(found)


def _check_narrow(stated: StatedDocument, there: StoredDocument | None) -> None:
    kind, document = stated.kind, stated.document
    if kind is Kind.AGREEMENT:
        return
    if there is None or kind not in _LOOKED_AT:
        raise NotNarrow(f"{kind}/{document.id}")
    looked_at = _LOOKED_AT[kind]
    if looked_at(document) != looked_at(there.stated.document):
        raise NotNarrow(f"{kind}/{document.id}")
    if _sheet_version(document) < _sheet_version(there.stated.document):
        raise NotNarrow(f"{kind}/{document.id}: agreements were signed on a later sheet")


def _sheet_version(document: AnyDocument) -> int:
    sheet = document.sheet if isinstance(document, SupplierDocument) else None
    return 0 if sheet is None else sheet.version


def _of_school(document: Any) -> object:
    of: SchoolDocument = document
    return of.id, of.brin, of.branch, of.sector, of.board, of.state, of.api_client


def _of_login(document: Any) -> object:
    of: IdentityProviderDocument = document
    return msgspec.structs.replace(of, enabled=True, name=None)


def _of_supplier(document: Any) -> object:
    of: SupplierDocument = document
    parties = tuple(msgspec.structs.replace(each, enabled=True) for each in of.relying_party)
    return of.id, of.legal_name, of.state, of.eck_id_entitled, parties, of.api


_LOOKED_AT: Mapping[Kind, Callable[[AnyDocument], object]] = MappingProxyType(
    {
        Kind.SCHOOL: _of_school,
        Kind.IDENTITY_PROVIDER: _of_login,
        Kind.SUPPLIER: _of_supplier,
    }
)
"""What of a document other documents are checked against: it cannot change here. Of what is not
here, nothing can."""
