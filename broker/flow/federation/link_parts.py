"""All documents side by side, as the checks on what must hold between them see them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from broker.domain.documents import (
    AgreementDocument,
    AnyDocument,
    DocumentProblem,
    IdentityProviderDocument,
    MetadataSourceDocument,
    RelationDocument,
    RelyingPartyDocument,
    SchoolDocument,
    SupplierDocument,
)
from broker.domain.federation import State
from broker.flow.federation.documents import StatedDocument

Of = TypeVar("Of", bound=AnyDocument)
Found = Iterator[tuple[StatedDocument, DocumentProblem]]


@dataclass(frozen=True, slots=True)
class Federation:
    """All documents as they would be, by kind; each with where it was stated."""

    schools: Mapping[str, tuple[StatedDocument, SchoolDocument]] = field(repr=False)
    idps: Mapping[str, tuple[StatedDocument, IdentityProviderDocument]] = field(repr=False)
    suppliers: Mapping[str, tuple[StatedDocument, SupplierDocument]] = field(repr=False)
    agreements: Mapping[str, tuple[StatedDocument, AgreementDocument]] = field(repr=False)
    relations: Mapping[str, tuple[StatedDocument, RelationDocument]] = field(repr=False)
    boards: Mapping[str, frozenset[State]] = field(repr=False)
    sources: Mapping[str, tuple[StatedDocument, MetadataSourceDocument]] = field(repr=False)

    @property
    def parties(self) -> Iterator[tuple[StatedDocument, str, RelyingPartyDocument]]:
        """Return every relying party with the prefix of its key paths."""
        for stated, supplier in self.suppliers.values():
            for index, party in enumerate(supplier.relying_party):
                yield stated, f"relying_party[{index}].", party


def gather(documents: Iterable[StatedDocument]) -> Federation:
    """Sort documents by kind."""
    everything = list(documents)
    schools = _of_type(everything, SchoolDocument)
    boards: dict[str, frozenset[State]] = {}
    for _, school in schools.values():
        boards[school.board] = boards.get(school.board, frozenset()) | {school.state}
    return Federation(
        schools,
        _of_type(everything, IdentityProviderDocument),
        _of_type(everything, SupplierDocument),
        _of_type(everything, AgreementDocument),
        _of_type(everything, RelationDocument),
        boards,
        _of_type(everything, MetadataSourceDocument),
    )


def _of_type(
    documents: Iterable[StatedDocument], kind: type[Of]
) -> dict[str, tuple[StatedDocument, Of]]:
    return {
        each.document.id: (each, each.document)
        for each in documents
        if isinstance(each.document, kind)
    }


def unknown(path: str, what: str, name: str) -> DocumentProblem:
    """Return that a document names what does not exist."""
    return DocumentProblem(
        path, f"names the {what} {name}, which does not exist.", "Correct the name, or add it."
    )


def other_state(path: str, own: State, other: str, state: State) -> DocumentProblem:
    """Return that a document joins test with production."""
    return DocumentProblem(
        path,
        f"joins {own} with {other}, which is in state {state}.",
        "Test and production never meet: name one of the same state.",
    )
