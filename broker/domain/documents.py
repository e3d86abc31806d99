"""Federation documents: the TOML files in which schools, suppliers and agreements are written.

Each kind has its folder and its struct here; every key is explained in `config/README.md`, and a
test compares the two. A document says what people decide; `flow.federation` compiles it, with the
metadata and keys that it names, into the records of `federation.py`. Reading the files is
`document_reading`'s.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from broker.domain.agreements import NoticeMode, StoppedBy
from broker.domain.document_forms import (
    BrinText,
    Document,
    EntityId,
    RedirectUri,
    SecretHash,
    Slug,
    Text,
    Url,
)
from broker.domain.federation import (
    ApiScope,
    RelationKind,
    SchoolFrom,
    Sector,
    SingleSignOn,
    State,
)
from broker.domain.relying_parties import (
    AccessTokenName,
    ClaimProfile,
    ClientAuthentication,
    ProfileName,
    TokenAlgorithm,
)
from broker.domain.saml_answer_forms import AttributeNaming, NameIdChoice, Signed
from broker.domain.school_hints import SchoolHint
from broker.domain.sheet_documents import AttributeDocument, SheetDocument


class Kind(StrEnum):
    """A kind of document; its value is the name of its folder."""

    SCHOOL = "schools"
    IDENTITY_PROVIDER = "identity_providers"
    SUPPLIER = "suppliers"
    AGREEMENT = "agreements"
    RELATION = "relations"
    METADATA_SOURCE = "metadata_sources"


class ApiClientDocument(Document, frozen=True, kw_only=True):
    """`[[api_client]]` of a school: a program of its own that may call our API."""

    id: Slug
    purposes: Annotated[tuple[ApiScope, ...], Meta(min_length=1)]
    jwks: str | dict[str, object] | None = None
    jwks_uri: Url | None = None


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
    single_sign_on: SingleSignOn | UnsetType = UNSET
    """Default: `off` with shared devices, `on` elsewhere."""
    pupils: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    four_eyes: bool = False
    processor_agreement: date | None = None
    enabled: bool = True
    objection_blocks: bool = False
    api_client: tuple[ApiClientDocument, ...] = ()


class ExceptionDocument(Document, frozen=True, kw_only=True):
    """`[[exception]]`: a tolerance of one login, with an end."""

    name: Text
    until: date
    reason: Text


class AnnouncementDocument(Document, frozen=True, kw_only=True):
    """`[announcement]` of a login: how its ELO may announce the school of its pupils."""

    key_hashes: Annotated[tuple[SecretHash, ...], Meta(min_length=1, max_length=2)]
    return_to: Annotated[tuple[Url, ...], Meta(min_length=1, max_length=32)]


class IdentityProviderDocument(Document, frozen=True, kw_only=True):
    """`identity_providers/<id>.toml`: one login, of one school or several; or of the employees of
    a supplier or the federation, to our own pages."""

    id: Slug
    name: Text | None = None
    schools: tuple[Slug, ...] = ()
    supplier: Slug | None = None
    federation: bool = False
    protocol: Literal["saml", "oidc"]
    state: State
    identifier: Text = "employeeNumber"
    login_identifier: Text | None = None
    shared_numbers: bool = False
    school_from: SchoolFrom | UnsetType = UNSET
    """Default: `fixed` for one school, `attribute` for several."""
    scopes: tuple[Text, ...] = ()
    domains: dict[str, Slug] = msgspec.field(default_factory=dict)
    attributes: dict[str, str] = msgspec.field(default_factory=dict)
    acr: dict[Text, str] = msgspec.field(default_factory=dict)
    school_hint: SchoolHint | UnsetType = UNSET
    """Default: `brin` for a SAML login of several schools, else `none`."""
    exception: tuple[ExceptionDocument, ...] = ()
    enabled: bool = True
    rehearsal_only: bool = False
    single_logout: bool = False
    announcement: AnnouncementDocument | None = None
    entity_id: EntityId | None = None
    metadata: str | None = None
    metadata_source: Slug | None = None
    sign_requests: bool | UnsetType = UNSET
    """Default: what the metadata says (WantAuthnRequestsSigned)."""
    issuer: Url | None = None
    client_id: Text | None = None
    algorithms: tuple[Literal["ES256", "RS256", "PS256", "EdDSA"], ...] = ()
    authentication: Literal["private_key_jwt", "client_secret_basic"] = "private_key_jwt"
    client_assertion_audience: Url | None = None
    authorization_endpoint: Url | None = None
    token_endpoint: Url | None = None
    userinfo_endpoint: Url | None = None
    end_session_endpoint: Url | None = None
    jwks: str | dict[str, object] | None = None
    jwks_uri: Url | None = None
    oidc_scopes: tuple[Text, ...] = ("openid",)
    can_reauthenticate: bool = True
    states_issuer: bool = False


class RelyingPartyDocument(Document, frozen=True, kw_only=True):
    """`[[relying_party]]` of a supplier: one of its systems."""

    id: Slug
    protocol: Literal["oidc", "saml"]
    profile: ProfileName = "strict"
    claims: ClaimProfile = ClaimProfile.STANDARD
    start_url: Url | None = None
    initiate_login_uri: Url | None = None
    start_targets: Annotated[tuple[Url, ...], Meta(max_length=32)] = ()
    session_answer_url: Url | None = None
    enabled: bool = True
    client_id: Text | None = None
    redirect_uris: tuple[RedirectUri, ...] = ()
    authentication: ClientAuthentication | UnsetType = UNSET
    """Default: `private_key_jwt`; with `compat` and nothing but a secret, `client_secret_basic`;
    with `native`, `none`."""
    jwks: str | dict[str, object] | None = None
    jwks_uri: Url | None = None
    client_secret_hash: SecretHash | None = None
    next_client_secret_hash: SecretHash | None = None
    certificate_subject_dn: Text | None = None
    certificate_san_dns: Text | None = None
    certificate_san_uri: Text | None = None
    certificate_san_ip: Text | None = None
    certificate_san_email: Text | None = None
    dpop_bound_access_tokens: bool = False
    certificate_bound_access_tokens: bool = False
    id_token_algorithm: TokenAlgorithm = "ES256"
    userinfo_algorithm: TokenAlgorithm | None = None
    access_tokens: AccessTokenName | None = None
    refresh_hours: Annotated[int, Meta(ge=0, le=24 * 366)] = 0
    refresh_idle_hours: Annotated[int, Meta(ge=1, le=24 * 366)] | None = None
    request_object_algorithm: TokenAlgorithm | None = None
    request_uris: Annotated[tuple[Url, ...], Meta(max_length=8)] = ()
    require_pushed_requests: bool = False
    post_logout_redirect_uris: tuple[Url, ...] = ()
    backchannel_logout_uri: Url | None = None
    frontchannel_logout_uri: Url | None = None
    entity_id: EntityId | None = None
    metadata: str | None = None
    metadata_source: Slug | None = None
    require_signed_requests: bool = False
    encrypt_assertions: bool = False
    sign: Signed | UnsetType = UNSET
    """Default: `response`, or `both` unless its metadata say WantAssertionsSigned="false"."""
    name_ids: NameIdChoice = "asked"
    pseudonym_attributes: Annotated[tuple[Text, ...], Meta(max_length=4)] = ()
    attribute_names: AttributeNaming = "basic"
    unsolicited: bool = False
    proxies_for: Annotated[tuple[Slug, ...], Meta(max_length=64)] = ()


class ApiDocument(Document, frozen=True, kw_only=True):
    """`[[api]]` of a supplier: where its own systems may use tokens of their logins."""

    id: Slug
    resource: Url
    jwks: str | dict[str, object] | None = None
    jwks_uri: Url | None = None


class SupplierDocument(Document, frozen=True, kw_only=True):
    """`suppliers/<id>.toml`: a legal party with what it asks for and its systems."""

    id: Slug
    legal_name: Text
    display_name: Text | None = None
    state: State
    eck_id_entitled: bool = False
    may_ask_session: bool = False
    enabled: bool = True
    sheet: SheetDocument | None = None
    attribute: tuple[AttributeDocument, ...] = ()
    relying_party: tuple[RelyingPartyDocument, ...] = ()
    api: tuple[ApiDocument, ...] = ()


class GroupRuleDocument(Document, frozen=True, kw_only=True):
    """`[[for_groups]]` of an agreement: what is approved of pupils of some classes or groups."""

    groups: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=200)]
    approved: tuple[Text, ...] = ()


class StoppedDocument(Document, frozen=True, kw_only=True):
    """`[stopped]` of an agreement: who lets nobody through any more, and from which day on."""

    by: StoppedBy
    on: date


class AgreementDocument(Document, frozen=True, kw_only=True, rename={"from_day": "from"}):
    """`agreements/<any name>.toml`: one version of what a school or its board approved."""

    school: Slug | None = None
    board: Slug | None = None
    supplier: Slug
    version: Annotated[int, Meta(ge=1)]
    from_day: date
    until: date | None = None
    approved: tuple[Text, ...] = ()
    approved_staff: tuple[Text, ...] | None = None
    """Default: as `approved`, which then is of pupils and staff."""
    for_groups: Annotated[tuple[GroupRuleDocument, ...], Meta(max_length=50)] = ()
    sheet: Annotated[int, Meta(ge=1)] | None = None
    notice: NoticeMode = NoticeMode.NONE
    stopped: StoppedDocument | None = None

    @property
    def id(self) -> str:
        """Return by what this agreement is kept: its two parties."""
        side = f"school/{self.school}" if self.school is not None else f"board/{self.board}"
        return f"{side}/{self.supplier}"


class RelationDocument(Document, frozen=True, kw_only=True, rename={"from_day": "from"}):
    """`relations/<id>.toml`: schools that merge, split or get another BRIN, from a day on."""

    id: Slug
    kind: RelationKind
    old: Annotated[tuple[Slug, ...], Meta(min_length=1, max_length=8)]
    new: Annotated[tuple[Slug, ...], Meta(min_length=1, max_length=8)]
    from_day: date
    until: date
    agreements: Literal["carried", "none"] = "carried"
    agreements_of: Slug | None = None
    numbers: Literal["kept", "new"] = "new"
    numbers_of: tuple[Slug, ...] = ()
    numbers_at: Slug | None = None
    distinct_numbers: bool = False
    old_brins: tuple[BrinText, ...] = ()
    brins_until: date | None = None


class MetadataSourceDocument(Document, frozen=True, kw_only=True):
    """`metadata_sources/<id>.toml`: where signed SAML metadata of logins and systems come from."""

    id: Slug
    state: State
    url: Url | None = None
    mdq: Url | None = None
    file: Annotated[str, Meta(pattern=r"^/", max_length=1000)] | None = None
    signing_certificates: Annotated[tuple[str, ...], Meta(min_length=1, max_length=8)]
    refresh_hours: Annotated[int, Meta(ge=1, le=168)] = 6
    alarm_days: Annotated[int, Meta(ge=1, le=60)] = 2


AnyDocument = (
    SchoolDocument
    | IdentityProviderDocument
    | SupplierDocument
    | AgreementDocument
    | RelationDocument
    | MetadataSourceDocument
)

DOCUMENT_TYPES: Mapping[Kind, type[AnyDocument]] = MappingProxyType(
    {
        Kind.SCHOOL: SchoolDocument,
        Kind.IDENTITY_PROVIDER: IdentityProviderDocument,
        Kind.SUPPLIER: SupplierDocument,
        Kind.AGREEMENT: AgreementDocument,
        Kind.RELATION: RelationDocument,
        Kind.METADATA_SOURCE: MetadataSourceDocument,
    }
)


class DocumentProblem(Exception):  # noqa: N818 -- said to people, with its remedy
    """What is wrong with a document: `path` of the key, `problem`, `remedy`. The file is known
    to whoever read it."""

    def __init__(self, path: str, problem: str, remedy: str) -> None:
        super().__init__(path, problem, remedy)
        self.path, self.problem, self.remedy = path, problem, remedy
