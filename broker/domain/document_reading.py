"""From the text of a TOML file to the federation documents that it holds.

A file holds one document, or several as `[[...]]` tables. An unknown key is a problem, never
ignored: a misspelt `approved` must not release something else.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import msgspec

from broker.domain.documents import (
    DOCUMENT_TYPES,
    AnyDocument,
    DocumentProblem,
    IdentityProviderDocument,
    Kind,
    MetadataSourceDocument,
    SchoolDocument,
    SupplierDocument,
)

KIND_OF_TABLE: Mapping[str, Kind] = MappingProxyType(
    {
        "school": Kind.SCHOOL,
        "identity_provider": Kind.IDENTITY_PROVIDER,
        "supplier": Kind.SUPPLIER,
        "agreement": Kind.AGREEMENT,
        "relation": Kind.RELATION,
        "metadata_source": Kind.METADATA_SOURCE,
    }
)
"""The arrays of tables in a bundle: one file that holds documents of several kinds."""

_TELLING_KEYS: Mapping[Kind, frozenset[str]] = MappingProxyType(
    {
        Kind.METADATA_SOURCE: frozenset({"signing_certificates", "refresh_hours"}),
        Kind.RELATION: frozenset({"old", "new"}),  # first: it has a `from` too
        Kind.AGREEMENT: frozenset({"approved", "notice", "from"}),
        Kind.SUPPLIER: frozenset({"legal_name", "relying_party", "eck_id_entitled"}),
        Kind.IDENTITY_PROVIDER: frozenset({"schools", "school_from", "protocol"}),
        Kind.SCHOOL: frozenset({"brin", "sector", "place"}),
    }
)


_FIELD = re.compile(r"field `(.+)`")
"""Names the key in what msgspec says of one that is unknown or missing."""


@dataclass(frozen=True, slots=True)
class DocumentTable:
    """One document's table as it stands in a file.

    Attributes:
        prefix: of its key paths in the file: "" or, in a bundle, like `supplier[0].`.
    """

    kind: Kind
    prefix: str
    stated: Mapping[str, object] = field(repr=False)


def read_toml(toml: bytes) -> dict[str, object]:
    """Return a file's table.

    Raises:
        DocumentProblem: no TOML.
    """
    try:
        found: dict[str, object] = msgspec.toml.decode(toml)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DocumentProblem("-", f"is not TOML: {error}.", "Correct that line.") from error
    return found


def split_tables(table: Mapping[str, object], *, folder: Kind | None) -> list[DocumentTable]:
    """Return the documents of one file: itself, or the tables of a bundle.

    Args:
        folder: the kind that its folder states; None elsewhere, then its keys tell.

    Raises:
        DocumentProblem: a bundle with other keys, or keys that tell nothing.
    """
    arrays = {name: value for name, value in table.items() if _is_bundle_of(name, value)}
    if not arrays:
        return [DocumentTable(guess_kind(table) if folder is None else folder, "", table)]
    for name in table.keys() - arrays.keys():
        raise DocumentProblem(
            name,
            "stands beside [[...]] tables of documents.",
            f"A file with several documents holds only {_list(KIND_OF_TABLE)}.",
        )
    return [
        DocumentTable(KIND_OF_TABLE[name], f"{name}[{index}].", each)
        for name, tables in arrays.items()
        for index, each in enumerate(msgspec.convert(tables, list[dict[str, object]]))
    ]


def _is_bundle_of(name: str, value: object) -> bool:
    return (
        name in KIND_OF_TABLE
        and isinstance(value, list)
        and all(isinstance(each, dict) for each in value)
    )


def guess_kind(stated: Mapping[str, object]) -> Kind:
    """Tell by its keys what a document is, for a file that stands outside the four folders.

    Raises:
        DocumentProblem: no key tells.

    >>> guess_kind({"supplier": "x", "approved": []}).name
    'AGREEMENT'
    """
    for kind, keys in _TELLING_KEYS.items():
        if stated.keys() & keys:
            return kind
    raise DocumentProblem(
        "-",
        "is no federation document.",
        f"Put it into a folder {_list(Kind)}, or write [[...]] tables {_list(KIND_OF_TABLE)}.",
    )


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def parse_table(table: DocumentTable) -> AnyDocument:
    """Return one document.

    Raises:
        DocumentProblem: an unknown or missing key, or a value of the wrong form.
    """
    try:
        return msgspec.convert(table.stated, type=DOCUMENT_TYPES[table.kind])
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at ")
        field_ = _FIELD.search(problem)
        keys = [path.strip("`$."), field_[1] if field_ is not None else ""]
        raise DocumentProblem(
            table.prefix + ".".join(filter(None, keys)), f"{problem}.", "See config/README.md."
        ) from error


def parse_document(kind: Kind, toml: bytes) -> AnyDocument:
    """Read one document that stands alone in its file.

    Raises:
        DocumentProblem: no TOML, an unknown or missing key, or a value of the wrong form.
    """
    return parse_table(DocumentTable(kind, "", read_toml(toml)))


def named_files(document: AnyDocument) -> dict[str, str]:
    """Return the files beside it that a document names: key path -> name as written.

    `metadata` may be XML, `jwks` JSON or a table and a certificate PEM, right in the document: then
    no file is named.
    """
    if isinstance(document, IdentityProviderDocument):
        parts: list[tuple[str, str | None, object]] = [("", document.metadata, document.jwks)]
    elif isinstance(document, SupplierDocument):
        parts = [
            (f"relying_party[{index}].", each.metadata, each.jwks)
            for index, each in enumerate(document.relying_party)
        ]
        parts += [(f"api[{index}].", None, each.jwks) for index, each in enumerate(document.api)]
    elif isinstance(document, SchoolDocument):
        parts = [
            (f"api_client[{index}].", None, each.jwks)
            for index, each in enumerate(document.api_client)
        ]
    else:
        parts = []
    found = {}
    if isinstance(document, MetadataSourceDocument):
        for index, certificate in enumerate(document.signing_certificates):
            if not certificate.lstrip().startswith("-----BEGIN"):
                found[f"signing_certificates[{index}]"] = certificate
    for prefix, metadata, jwks in parts:
        if metadata is not None and not metadata.lstrip().startswith("<"):
            found[f"{prefix}metadata"] = metadata
        if isinstance(jwks, str) and not jwks.lstrip().startswith("{"):
            found[f"{prefix}jwks"] = jwks
    return found
