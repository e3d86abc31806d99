"""Who takes part: schools and their logins, suppliers and their systems.

Compiled once from the documents (`config/README.md`) by `broker apply`. Nothing personal in it.
"""

from datetime import date
from enum import StrEnum
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from broker.domain.announcing import Announcing
from broker.domain.attributes import AttributeName
from broker.domain.declared_attributes import DeclaredAttribute
from broker.domain.ids import (
    BoardId,
    Brin,
    SchoolId,
    SchoolIdpId,
    SupplierId,
)
from broker.domain.relying_parties import RelyingParty
from broker.domain.saml_published import PublishedIdp
from broker.domain.school_hints import SchoolHint
from broker.domain.tolerances import IdpException


class State(StrEnum):
    """Test and production never meet: all parties of one login are in the same state."""

    TEST = "test"
    PRODUCTION = "production"


class Sector(StrEnum):
    """Education sectors; each has ECK iDs of its own."""

    PO = "po"
    VO = "vo"
    MBO = "mbo"
    HO = "ho"


class ApiScope(StrEnum):
    """What a program may be let in for; a token names one or more (RFC 6749 3.3)."""

    ENROLMENT = "enrolment"
    TAKEOVER = "takeover"
    CONVERSION = "conversion"
    SCHOOLS = "schools"
    TRANSFERS = "transfers"


class ApiClient(msgspec.Struct, frozen=True, kw_only=True):
    """A program of a school that may call our API, for its purposes and nothing else; or an API
    of a supplier, which may ask about the tokens that it is shown.

    Its id is no relying party's client id; its keys are a set in JSON, or when empty at `jwks_uri`.
    """

    id: str
    jwks: str = ""
    jwks_uri: str | None = None
    purposes: tuple[ApiScope, ...]


class SingleSignOn(StrEnum):
    """What becomes of a login when its browser opens the next supplier's material."""

    OFF = "off"
    """No session: the school's login asks each time who this is."""
    ASK = "ask"
    """A page says whose login goes on, and offers "that is not me"."""
    ON = "on"
    """It goes on without a page."""


class School(msgspec.Struct, frozen=True, kw_only=True):
    """A school as its document states it.

    Attributes:
        brin, branch: BRIN4 of the institution; BRIN6 of the location, when this school is one.
        eck_id_required: refuse an unknown pupil whose login states no ECK iD.
        shared_devices: pupils share devices, so each login shows who it is for.
        single_sign_on: never anything but `OFF` with shared devices.
        pupils: published head count; how many may come from other schools goes by it.
        four_eyes: who prepared a decision does not sign it.
        processor_agreement: the day on which its board signed one with the federation; None: not
            yet, and then the school signs nothing with suppliers in production.
        enabled: false refuses every login of this school, also those under way, and its programs.
        api_clients: its programs that may call our API.
        objection_blocks: whether an objection of a pupil holds until the school decides it.
    """

    id: SchoolId
    name: str
    place: str
    brin: Brin
    branch: Brin | None = None
    sector: Sector
    board: BoardId
    state: State
    eck_id_required: bool = False
    shared_devices: bool = False
    single_sign_on: SingleSignOn = SingleSignOn.OFF
    pupils: int | None = None
    four_eyes: bool = False
    processor_agreement: date | None = None
    enabled: bool = True
    api_clients: tuple[ApiClient, ...] = ()
    objection_blocks: bool = False


class SchoolFrom(StrEnum):
    """How a login states its school."""

    FIXED = "fixed"
    ATTRIBUTE = "attribute"
    DOMAIN = "domain"


class SamlIdpEndpoints(PublishedIdp, frozen=True, kw_only=True, tag="saml"):
    """What we know of a school's SAML identity provider, compiled from its metadata.

    Attributes:
        entity_id: exactly as registered; every Issuer is compared with it.
        sso_redirect_url: SingleSignOnService with the redirect binding, if it has one.
        sso_post_url: the same with the POST binding.
        signing_certificates: DER; the only keys that may sign for this provider.
        sign_requests: whether our AuthnRequests to it are signed.
    """

    entity_id: str
    sso_redirect_url: str | None = None
    sso_post_url: str | None = None
    signing_certificates: tuple[bytes, ...]
    sign_requests: bool = False


class OidcIdpEndpoints(msgspec.Struct, frozen=True, kw_only=True, tag="oidc"):
    """What we know of a school's OpenID Provider: registered, never widened by discovery.

    Attributes:
        jwks: the provider's public keys as a JSON Web Key Set in JSON; when empty, `jwks_uri`.
        algorithms: allowed for ID tokens (JWA names), never `none` or HMAC.
        authentication: how we authenticate at its token endpoint.
        client_assertion_audience: `aud` of our client assertion (RFC 7523 as revised: the issuer;
            some providers still want their token endpoint).
        can_reauthenticate: honours `prompt=login` and `max_age`.
        states_issuer: puts `iss` into every answer, so that one without is refused (RFC 9207).
        userinfo_endpoint: asked only when the document names it.
        end_session_endpoint: where a person may log out there; likewise.
    """

    issuer: str
    client_id: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    jwks_uri: str | None = None
    jwks: str = ""
    algorithms: tuple[str, ...]
    authentication: Literal["private_key_jwt", "client_secret_basic"] = "private_key_jwt"
    client_assertion_audience: str
    scopes: tuple[str, ...] = ("openid",)
    can_reauthenticate: bool = True
    states_issuer: bool = False


class SchoolIdp(msgspec.Struct, frozen=True, kw_only=True):
    """One login of one or more schools.

    Attributes:
        schools: for which it may speak; the school that a login *states* decides.
        scopes: realms and BRINs that it may assert besides its schools' own BRINs.
        domains: for `SchoolFrom.DOMAIN`, the school behind each mail or user-name domain.
        identifier: the attribute that names a person inside a school and never changes.
        attributes: incoming name -> canonical name or `ignore`, built-in names included.
        login_identifier: incoming name of what its schools' lists know a login by, if they do.
        shared_numbers: a number is one person's at all its schools, also at once.
        name: by which people know it from the school's other logins; "" when none was given.
        acr: what it states of its level -> a level of `assurance.ACR_VALUES`.
        rehearsal_only: offered to nobody until a switch brings the school to it.
        exceptions: what is tolerated of it, with an end; of no other login.
        school_hint: how it is told which school was chosen; None: by BRIN where it speaks SAML and
            serves several.
        single_logout: logging out here logs out there too, and the other way round (SAML).
        announcing: how its ELO may announce the school; None: it may not.
        supplier, federation: whose employees log in by it, in place of schools; to our own pages
            alone, and never a pupil.
    """

    id: SchoolIdpId
    schools: tuple[SchoolId, ...]
    state: State
    endpoints: SamlIdpEndpoints | OidcIdpEndpoints
    school_from: SchoolFrom
    scopes: tuple[str, ...] = ()
    domains: dict[str, SchoolId] = msgspec.field(default_factory=dict)
    identifier: AttributeName = AttributeName("employeeNumber")
    attributes: dict[str, str] = msgspec.field(default_factory=dict)
    login_identifier: str | None = None
    enabled: bool = True
    shared_numbers: bool = False
    name: str = ""
    acr: dict[str, str] = msgspec.field(default_factory=dict)
    rehearsal_only: bool = False
    exceptions: tuple[IdpException, ...] = ()
    school_hint: SchoolHint | None = None
    single_logout: bool = False
    announcing: Announcing | None = None
    supplier: SupplierId | None = None
    federation: bool = False

    @property
    def place(self) -> str:
        """Return the host of the login, by which people may know it too."""
        at = self.endpoints
        url = at.issuer if isinstance(at, OidcIdpEndpoints) else at.sso_redirect_url
        if url is None and isinstance(at, SamlIdpEndpoints):
            url = at.sso_post_url
        return urlsplit(url or "").netloc


class SupplierApi(msgspec.Struct, frozen=True, kw_only=True):
    """An API of a supplier, to which its own systems bring access tokens (RFC 8707, RFC 9068).

    Attributes:
        id: among the supplier's APIs.
        resource: its identifier, an absolute URI; the `aud` of tokens for it. One supplier's alone.
        program: the API itself, where it asks us about tokens; its id is `resource`. None where it
            verifies them alone.
    """

    id: str
    resource: str
    program: ApiClient | None = None


class Supplier(msgspec.Struct, frozen=True, kw_only=True):
    """A legal party to whom pseudonyms belong.

    Attributes:
        apis: where its systems may use tokens of their logins.
        display_name: what people read; the legal name when no other was given.
        eck_id_entitled: the federation lets schools approve the ECK iD or own identifiers for it.
        epoch: letter of the pairwise key that was newest when it was first applied; pinned, and
            moved by a rotation of this supplier alone.
        previous_epoch: letter of the key that its pseudonyms came from before, or will again: told
            by `previous_sub`. None while no window of a rotation is open.
        may_ask_session: its systems may ask whether somebody is logged in.
        sheet_version: of its service sheet; 0 while it has none. What else stands there is read
            from the document by those who show it, never by a login.
    """

    id: SupplierId
    legal_name: str
    display_name: str
    state: State
    eck_id_entitled: bool = False
    attributes: tuple[DeclaredAttribute, ...] = ()
    relying_parties: tuple[RelyingParty, ...] = ()
    apis: tuple[SupplierApi, ...] = ()
    epoch: str
    previous_epoch: str | None = None
    enabled: bool = True
    may_ask_session: bool = False
    sheet_version: int = 0


class RelationKind(StrEnum):
    """What became of schools."""

    MERGE = "merge"
    SPLIT = "split"
    RENUMBER = "renumber"


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """Schools that go on as other schools, and what goes on with them (`relations.py`).

    Attributes:
        old, new: a school that goes on under its own id stands in both.
        first_day, last_day: from and up to which day it holds, in the Netherlands.
        agreements: until the new school has its own, those of the old schools hold.
        agreements_of: the school whose agreements were chosen; None: what all of them approved.
        numbers_of: old schools whose pupil and staff numbers go on; none: all numbers are new.
        numbers_at: the new school where they go on.
        old_brins: BRINs that the new schools' logins may go on stating, besides the old schools'.
        brins_last_day: up to which day.
    """

    id: str
    kind: RelationKind
    old: tuple[SchoolId, ...]
    new: tuple[SchoolId, ...]
    first_day: date
    last_day: date
    agreements: bool = True
    agreements_of: SchoolId | None = None
    numbers_of: tuple[SchoolId, ...] = ()
    numbers_at: SchoolId | None = None
    old_brins: tuple[Brin, ...] = ()
    brins_last_day: date

    def is_in_force(self, today: date) -> bool:
        """Tell whether it holds on this day, in the Netherlands."""
        return self.first_day <= today <= self.last_day
