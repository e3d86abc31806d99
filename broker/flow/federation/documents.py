"""Reading federation documents, with the texts of the files that they name.

Nothing here opens a file: the caller brings contents, and a function that reads a file by the name
that stands in a document. What comes out can be stored and compiled again on another machine.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from broker.domain.document_reading import (
    DocumentTable,
    named_files,
    parse_table,
    read_toml,
    split_tables,
)
from broker.domain.documents import AgreementDocument, AnyDocument, DocumentProblem, Kind

Key: TypeAlias = tuple[Kind, str]
"""By what a document is kept: its kind and id."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that somebody must put right: where it stands, what it is, what to do."""

    file: str
    path: str
    problem: str
    remedy: str


class FederationProblems(Exception):  # noqa: N818 -- findings that people read
    """Documents cannot be used; `problems` holds everything that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(*self.problems)


class FileUnreadable(Exception):  # noqa: N818 -- the reader's answer, worded for people
    """A file that a document names cannot be read; the argument says why."""


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """A file that may hold documents.

    Attributes:
        name: as people know it; problems name it.
        folder: the kind that its folder states, or None.
        read_beside: returns the text of a file named in it, or raises `FileUnreadable`.
    """

    name: str
    folder: Kind | None
    content: bytes = field(repr=False)
    read_beside: Callable[[str], str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class StatedDocument:
    """One document as it was stated, complete in itself.

    Attributes:
        file: where it was read, for problems; not part of what it says.
        prefix: of its key paths in that file.
        files: key path of `metadata` or `jwks` -> text of the file named there.
        fetched: URL -> text that was fetched when it was applied; not part of what it says.
    """

    kind: Kind
    document: AnyDocument
    file: str = field(default="", compare=False)
    prefix: str = field(default="", compare=False)
    files: Mapping[str, str] = field(default_factory=dict, repr=False)
    fetched: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def key(self) -> Key:
        """Return by what it is kept."""
        return self.kind, self.document.id

    def problem(self, found: DocumentProblem) -> Problem:
        """Return a problem of this document, with its file."""
        return Problem(self.file, self.prefix + found.path, found.problem, found.remedy)


def read_documents(files: Iterable[DocumentFile]) -> list[StatedDocument]:
    """Return the documents in all files, each id once.

    Raises:
        FederationProblems: with every file that cannot be read as documents.
    """
    problems: list[Problem] = []
    found: dict[Key, StatedDocument] = {}
    for file in files:
        for stated in _read_file(file, problems):
            first = found.setdefault(stated.key, stated)
            if first is not stated:
                problems.append(stated.problem(_stated_twice(stated, first)))
    if problems:
        raise FederationProblems(problems)
    return list(found.values())


def _stated_twice(stated: StatedDocument, first: StatedDocument) -> DocumentProblem:
    path = "version" if isinstance(stated.document, AgreementDocument) else "id"
    where = f"{first.file} ({first.prefix.rstrip('.')})" if first.prefix else first.file
    return DocumentProblem(
        path, f"states {stated.document.id} once more, after {where}.", "Keep one of the two."
    )


def _read_file(file: DocumentFile, problems: list[Problem]) -> list[StatedDocument]:
    try:
        tables = split_tables(read_toml(file.content), folder=file.folder)
    except DocumentProblem as found:
        problems.append(Problem(file.name, found.path, found.problem, found.remedy))
        return []
    stated = (_read_table(file, each, problems) for each in tables)
    return [each for each in stated if each is not None]


def _read_table(
    file: DocumentFile, table: DocumentTable, problems: list[Problem]
) -> StatedDocument | None:
    try:
        document = parse_table(table)
    except DocumentProblem as found:
        problems.append(Problem(file.name, found.path, found.problem, found.remedy))
        return None
    texts = {}
    for path, name in named_files(document).items():
        try:
            texts[path] = file.read_beside(name)
        except FileUnreadable as why:
            problems.append(
                Problem(
                    file.name,
                    table.prefix + path,
                    f"names {name}, which cannot be read: {why}.",
                    "Put that file beside the document, or correct its name.",
                )
            )
    return StatedDocument(table.kind, document, file.name, table.prefix, texts)
