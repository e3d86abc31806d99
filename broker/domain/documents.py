"""Federation documents: the TOML files in which schools, suppliers and agreements are written.

Each kind has its folder and its struct here; every key is explained in `config/README.md`, and a
test compares the two. A document says what people decide; `flow.federation` compiles it, with the
metadata and keys that it names, into the records of `federation.py`. An unknown key is a problem,
never ignored: a misspelt `approved` must not release something else.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from broker.domain.attributes import Population
from broker.domain.federation import ClaimProfile, NoticeMode, SchoolFrom, Sector, State
from broker.domain.ids import BRIN_PATTERN, SLUG_PATTERN

Slug = Annotated[str, Meta(pattern=f"^{SLUG_PATTERN.pattern}")]
BrinText = Annotated[str, Meta(pattern=f"^{BRIN_PATTERN.pattern}")]
Text = Annotated[str, Meta(min_length=1, max_length=500)]
Url = Annotated[str, Meta(pattern=r"^https?://[^\s]+\Z", max_length=2000)]
EntityId = Annotated[str, Meta(min_length=1, max_length=1024)]  # SAML core 8.3.6


class Kind(StrEnum):
    """A kind of document; its value is the name of its folder."""

    SCHOOL = "schools"
    IDENTITY_PROVIDER = "identity_providers"
    SUPPLIER = "suppliers"
    AGREEMENT = "agreements"


class Document(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Base of every table of a document. Written out, it holds what differs from the defaults."""


class SchoolDocument(Document, frozen=True, kw_only=True):
    """`schools/<id>.toml`: one school, as its board registers it."""

    id: Slug
    name: Text
    place: Text
    brin: BrinText
    branch: BrinText | None = None
    sector: Sector
    board: Slug
    state: State
    eck_id: Literal["optional", "required"] = "optional"
    shared_devices: bool | UnsetType = UNSET
    """Default: true in po, where children share tablets, and false elsewhere."""
    enabled: bool = True


class ExceptionDocument(Document, frozen=True, kw_only=True):
    """`[[exception]]`: a tolerance of one school, with an end; none exists yet."""

    name: Text
    until: date
    reason: Text


class IdentityProviderDocument(Document, frozen=True, kw_only=True):
    """`identity_providers/<id>.toml`: one login, of one school or several."""

    id: Slug
    schools: Annotated[tuple[Slug, ...], Meta(min_length=1)]
    protocol: Literal["saml", "oidc"]
    state: State
    identifier: Text = "employeeNumber"
    school_from: SchoolFrom | UnsetType = UNSET
    """Default: `fixed` for one school, `attribute` for several."""
    scopes: tuple[Text, ...] = ()
    domains: dict[str, Slug] = msgspec.field(default_factory=dict)
    attributes: dict[str, str] = msgspec.field(default_factory=dict)
    exception: tuple[ExceptionDocument, ...] = ()
    enabled: bool = True
    entity_id: EntityId | None = None
    metadata: str | None = None
    issuer: Url | None = None
    client_id: Text | None = None
    algorithms: tuple[Literal["ES256", "RS256", "PS256", "EdDSA"], ...] = ()
    authentication: Literal["private_key_jwt", "client_secret_basic"] = "private_key_jwt"
    client_assertion_audience: Url | None = None
    authorization_endpoint: Url | None = None
    token_endpoint: Url | None = None
    userinfo_endpoint: Url | None = None
    jwks: str | dict[str, object] | None = None
    jwks_uri: Url | None = None
    oidc_scopes: tuple[Text, ...] = ("openid",)
    can_reauthenticate: bool = True
    states_issuer: bool = False


class AttributeDocument(Document, frozen=True, kw_only=True):
    """`[[attribute]]` of a supplier: what it asks for, and why, in words for parents."""

    name: Text
    purpose: Text
    required: bool = False
    populations: Annotated[tuple[Population, ...], Meta(min_length=1)] = (
        Population.PUPIL,
        Population.STAFF,
    )


class RelyingPartyDocument(Document, frozen=True, kw_only=True):
    """`[[relying_party]]` of a supplier: one of its systems."""

    id: Slug
    protocol: Literal["oidc", "saml"]
    profile: Literal["strict", "compat"] = "strict"
    claims: ClaimProfile = ClaimProfile.STANDARD
    start_url: Url | None = None
    enabled: bool = True
    client_id: Text | None = None
    redirect_uris: tuple[Url, ...] = ()
    authentication: Literal["private_key_jwt", "client_secret_basic"] | UnsetType = UNSET
    """Default: `private_key_jwt`; with `compat` and nothing but a secret, `client_secret_basic`."""
    jwks: str | dict[str, object] | None = None
    jwks_uri: Url | None = None
    client_secret_hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | None = None
    id_token_algorithm: Literal["ES256", "RS256"] = "ES256"
    entity_id: EntityId | None = None
    metadata: str | None = None
    require_signed_requests: bool = False
    encrypt_assertions: bool = False


class SupplierDocument(Document, frozen=True, kw_only=True):
    """`suppliers/<id>.toml`: a legal party with what it asks for and its systems."""

    id: Slug
    legal_name: Text
    display_name: Text | None = None
    state: State
    eck_id_entitled: bool = False
    enabled: bool = True
    attribute: tuple[AttributeDocument, ...] = ()
    relying_party: tuple[RelyingPartyDocument, ...] = ()


class AgreementDocument(Document, frozen=True, kw_only=True, rename={"from_day": "from"}):
    """`agreements/<any name>.toml`: one version of what a school or its board approved."""

    school: Slug | None = None
    board: Slug | None = None
    supplier: Slug
    version: Annotated[int, Meta(ge=1)]
    from_day: date
    until: date | None = None
    approved: tuple[Text, ...] = ()
    notice: NoticeMode = NoticeMode.NONE

    @property
    def id(self) -> str:
        """Return by what this agreement is kept: its two parties."""
        side = f"school/{self.school}" if self.school is not None else f"board/{self.board}"
        return f"{side}/{self.supplier}"


AnyDocument = SchoolDocument | IdentityProviderDocument | SupplierDocument | AgreementDocument

DOCUMENT_TYPES: Mapping[Kind, type[AnyDocument]] = MappingProxyType(
    {
        Kind.SCHOOL: SchoolDocument,
        Kind.IDENTITY_PROVIDER: IdentityProviderDocument,
        Kind.SUPPLIER: SupplierDocument,
        Kind.AGREEMENT: AgreementDocument,
    }
)


KIND_OF_TABLE: Mapping[str, Kind] = MappingProxyType(
    {
        "school": Kind.SCHOOL,
        "identity_provider": Kind.IDENTITY_PROVIDER,
        "supplier": Kind.SUPPLIER,
        "agreement": Kind.AGREEMENT,
    }
)
"""The arrays of tables in a bundle: one file that holds documents of several kinds."""

_TELLING_KEYS: Mapping[Kind, frozenset[str]] = MappingProxyType(
    {
        Kind.AGREEMENT: frozenset({"approved", "notice", "from"}),
        Kind.SUPPLIER: frozenset({"legal_name", "relying_party", "eck_id_entitled"}),
        Kind.IDENTITY_PROVIDER: frozenset({"schools", "school_from", "protocol"}),
        Kind.SCHOOL: frozenset({"brin", "sector", "place"}),
    }
)


_FIELD = re.compile(r"field `(.+)`")
"""Names the key in what msgspec says of one that is unknown or missing."""


class DocumentProblem(Exception):  # noqa: N818 -- said to people, with its remedy
    """What is wrong with a document: `path` of the key, `problem`, `remedy`. The file is known
    to whoever read it."""

    def __init__(self, path: str, problem: str, remedy: str) -> None:
        super().__init__(path, problem, remedy)
        self.path, self.problem, self.remedy = path, problem, remedy


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

    `metadata` may be XML and `jwks` JSON or a table, right in the document: then no file is named.
    """
    if isinstance(document, IdentityProviderDocument):
        parts: list[tuple[str, str | None, object]] = [("", document.metadata, document.jwks)]
    elif isinstance(document, SupplierDocument):
        parts = [
            (f"relying_party[{index}].", each.metadata, each.jwks)
            for index, each in enumerate(document.relying_party)
        ]
    else:
        parts = []
    found = {}
    for prefix, metadata, jwks in parts:
        if metadata is not None and not metadata.lstrip().startswith("<"):
            found[f"{prefix}metadata"] = metadata
        if isinstance(jwks, str) and not jwks.lstrip().startswith("{"):
            found[f"{prefix}jwks"] = jwks
    return found
