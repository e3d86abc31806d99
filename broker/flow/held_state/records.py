"""What is kept between two requests of one login, and for how long. All of it sealed.

Three steps can be waiting for a browser and three for a relying party:

    choosing  -- the supplier's request, until a school is chosen        (browser)
    pending   -- the pupil is at school; what the answer must be         (browser)
    prepared  -- checked and decided; waits for a button                 (browser)
    grant     -- what a code stands for                                  (relying party)
    userinfo  -- what an access token shows                              (relying party)
    refresh   -- what the refresh tokens of one login stand for          (relying party)

Each holds the login's id (`broker.flow.following.trail`), which nobody outside ever sees. The
token of a program that calls our API belongs to no login (`broker.flow.programs.api_records`), and
what a supplier pushes to none yet (`request_records`).
"""

from datetime import datetime

import msgspec
from msgspec.structs import replace

from broker.domain.attributes import Population
from broker.domain.ids import RelyingPartyId, SchoolId, SchoolIdpId, SupplierId
from broker.domain.release import ReleaseDecision
from broker.flow.following.trail import LoginId
from broker.flow.held_state.sealed_state import SealedRecord, StateKind
from broker.flow.receipts.receipts import SealedReceipt
from broker.flow.sessions.session_records import HeldSession
from broker.flow.shielding.held_shields import HeldShields
from broker.oidc_op.asked_claims import AskedClaims
from broker.oidc_op.grants import OidcGrant, UserinfoGrant
from broker.oidc_op.profiles import PROFILES
from broker.oidc_op.request import CheckedAuthorizationRequest
from broker.oidc_op.sender_keys import BEARER, SenderKey
from broker.pseudonyms.derivation import Pseudonym
from broker.saml_idp.request import CheckedAuthnRequest

SupplierRequest = CheckedAuthorizationRequest | CheckedAuthnRequest
"""A supplier's request after its checks. The flow asks both the same few questions."""

CHOOSING_TTL_SECONDS = 30 * 60  # a class that waits for its teacher
PENDING_TTL_SECONDS = 30 * 60  # a forgotten password at school
PREPARED_TTL_SECONDS = 10 * 60  # a page with one button
CODE_TTL_SECONDS = 60  # RFC 6749 4.1.2 allows ten minutes; ASVS 10.4.3 L3 one


class ChoosingLogin(SealedRecord, frozen=True, kw_only=True):
    """A supplier's request that waits for a school.

    Attributes:
        ask_again: the person said "that is not me": the school must ask again.
        choose_again: a person of several schools wishes to say anew for which one this is.
        confirms_arrival: the school at which a protected pupil's arrival must be confirmed, whose
            page of that led here.
    """

    login: LoginId
    request: SupplierRequest
    ask_again: bool = False
    choose_again: bool = False
    confirms_arrival: SchoolId | None = None


class PendingLogin(SealedRecord, frozen=True, kw_only=True):
    """A pupil who was sent to a school's login.

    Attributes:
        idp: the only provider whose answer is accepted.
        school: the one that was clicked, for another try; it decides nothing.
        request_id: ID of our AuthnRequest, or `state` of our authorization request.
        nonce, code_verifier: of OpenID Connect; "" for SAML.
        sent_at: aware UTC.
        force_login: whether the school was told to ask for a new login.
        ask_again: the person said "that is not me"; another try must ask again too.
        choose_again: as in `ChoosingLogin`.
        confirms_arrival: as of `ChoosingLogin`.
    """

    login: LoginId
    request: SupplierRequest
    idp: SchoolIdpId
    school: SchoolId
    request_id: str
    nonce: str = ""
    code_verifier: str = ""
    sent_at: datetime
    force_login: bool = False
    ask_again: bool = False
    choose_again: bool = False
    confirms_arrival: SchoolId | None = None


class DecidedRelease(SealedRecord, frozen=True, kw_only=True):
    """What one login would release in the name of one school, before anything is written.

    Attributes:
        decision: released values and names of the rest.
        population: what the person is in the register.
        role: what the login states; None when it states none.
        eck_root, local_root: what the login presents at this school.
        old_roots: of the number at the schools that this one goes on for
            (`flow.persons.successors`).
        shields: None where no school of this login has any.
    """

    decision: ReleaseDecision
    population: Population
    role: Population | None
    eck_root: bytes | None = None
    local_root: bytes | None = None
    old_roots: dict[SchoolId, bytes] = msgspec.field(default_factory=dict)
    shields: HeldShields | None = None


class SchoolsOffered(SealedRecord, frozen=True, kw_only=True):
    """A person of several schools, who says for which this is. Holds released values only.

    Attributes:
        school: the one that was clicked before the login; it decides nothing.
        offered: what each of the stated schools would release; no other can be chosen.
        authenticated_at: as in `PreparedRelease`.
        acr: as in `PreparedRelease`.
        greeted: whether the page showed who is logged in (shared devices).
        session: of this login, if there is one.
        confirms_arrival: as of `ChoosingLogin`.
    """

    login: LoginId
    request: SupplierRequest
    idp: SchoolIdpId
    school: SchoolId
    offered: tuple[DecidedRelease, ...]
    authenticated_at: datetime
    acr: str = ""
    greeted: bool = False
    confirms_arrival: SchoolId | None = None
    session: HeldSession | None = None


class HeldPerson(SealedRecord, frozen=True, kw_only=True):
    """What a refresh needs to know of a person, in place of who it is.

    Attributes:
        receipt_seal, receipt_locate: keys of this person's receipts at this school, and no other.
        rows: tags under which the register knows what the login presented; gone once the person
            is erased. They open nothing.
        lives: of each row, the mark that stood beside it (`register.derive_life`).
    """

    receipt_seal: bytes
    receipt_locate: bytes
    rows: tuple[bytes, ...]
    lives: tuple[bytes, ...]


class PreparedRelease(SealedRecord, frozen=True, kw_only=True):
    """Everything that a supplier will get, checked and decided. Holds released values only.

    Attributes:
        idp, clicked: for "that is not me".
        decision: for the school that the login stated; released values and names of the rest.
        pseudonym: None when the supplier asked for a transient NameID.
        previous: of the same person and supplier, told as `previous_sub`; None when nothing is.
        authenticated_at: of the login at school, exact, aware UTC; told only when the request
            forced the login (`asked.told_moment`).
        acr: the level to tell the supplier; "" when it did not ask, or none is known.
        eck_root, local_root: what the login presented, to find the register's row when `notice`;
            else None.
        notice: whether the page told what is shared.
        session: of this login, if there is one.
        person: only when the supplier will get a refresh token.
        shields: as of what was decided; besides, whenever there is a refresh token.
    """

    login: LoginId
    request: SupplierRequest
    idp: SchoolIdpId
    clicked: SchoolId
    decision: ReleaseDecision
    pseudonym: Pseudonym | None
    previous: Pseudonym | None = None
    receipt: SealedReceipt
    authenticated_at: datetime
    acr: str = ""
    population: Population
    eck_root: bytes | None = None
    local_root: bytes | None = None
    notice: bool = False
    session: HeldSession | None = None
    person: HeldPerson | None = None
    shields: HeldShields | None = None


class ReleasedBetween(SealedRecord, frozen=True, kw_only=True):
    """Who stands behind what was released: all must still be open when it is fetched, and the
    agreement that released it still in force.

    Attributes:
        old_keys: something was released that a take-over of accounts withholds from some state on.
        shields: as of what was released.
    """

    relying_party: RelyingPartyId
    supplier: SupplierId
    school: SchoolId
    idp: SchoolIdpId
    agreement_version: int
    old_keys: bool = False
    shields: HeldShields | None = None


class GrantRecord(SealedRecord, frozen=True, kw_only=True):
    """What a code stands for."""

    login: LoginId
    grant: OidcGrant
    between: ReleasedBetween


class UserinfoRecord(SealedRecord, frozen=True, kw_only=True):
    """What an access token shows, and to whom.

    Attributes:
        family: handle of the refresh family that it came with and that must still live; "" when
            there is none.
    """

    login: LoginId
    grant: UserinfoGrant
    between: ReleasedBetween
    family: str = ""


class RefreshFamily(SealedRecord, frozen=True, kw_only=True):
    """What the refresh tokens of one login stand for. Holds released values only.

    Attributes:
        grant: of the login, without what counted for its code alone.
        decision: what was released last; a refresh can only take away from it.
        asked_claims: where the login asked to be told what.
        number: of the token that counts; those before it were used.
        bound_to: the key of a client that cannot prove otherwise who it is.
        ends_at: when the last one ends, however often they are used; aware UTC.
    """

    login: LoginId
    grant: OidcGrant
    between: ReleasedBetween
    decision: ReleaseDecision
    asked_claims: AskedClaims | None = None
    population: Population
    person: HeldPerson
    number: int = 0
    bound_to: SenderKey = BEARER
    ends_at: datetime


def another_try(
    of: PendingLogin | SchoolsOffered | PreparedRelease, *, ask_again: bool
) -> ChoosingLogin:
    """Return with what the same login starts anew at the chooser."""
    return ChoosingLogin(
        login=of.login,
        request=of.request,
        ask_again=ask_again,
        choose_again=isinstance(of, PendingLogin) and of.choose_again,
        confirms_arrival=None if isinstance(of, PreparedRelease) else of.confirms_arrival,
    )


def kept_of(request: SupplierRequest) -> SupplierRequest:
    """Return what must be kept of a request once its hints were read: not what it wished besides.

    Anybody can send requests, so each is kept small.
    """
    if isinstance(request, CheckedAuthnRequest):
        return replace(request, hints=())
    return replace(request, hints=(), ui_locales=(), id_token_hint=None)


CHOOSING = StateKind(
    name="choosing",
    version=7,
    struct=ChoosingLogin,
    ttl_seconds=CHOOSING_TTL_SECONDS,
    tombstone_ttl_seconds=CHOOSING_TTL_SECONDS,
)
PENDING = StateKind(
    name="pending",
    version=7,
    struct=PendingLogin,
    ttl_seconds=PENDING_TTL_SECONDS,
    tombstone_ttl_seconds=PENDING_TTL_SECONDS,
)
OFFERED = StateKind(
    name="offered",
    version=5,
    struct=SchoolsOffered,
    ttl_seconds=PREPARED_TTL_SECONDS,
    tombstone_ttl_seconds=PREPARED_TTL_SECONDS,
)
PREPARED = StateKind(
    name="prepared",
    version=7,
    struct=PreparedRelease,
    ttl_seconds=PREPARED_TTL_SECONDS,
    tombstone_ttl_seconds=PREPARED_TTL_SECONDS,
)
ACCESS_TOKEN_TTL_SECONDS = max(each.access_token_ttl_seconds for each in PROFILES.values())
REFRESH_IDLE_SECONDS = max(each.refresh.idle_seconds for each in PROFILES.values() if each.refresh)

USERINFO = StateKind(
    name="userinfo",
    version=4,
    struct=UserinfoRecord,
    ttl_seconds=CODE_TTL_SECONDS + ACCESS_TOKEN_TTL_SECONDS,
    tombstone_ttl_seconds=CODE_TTL_SECONDS + ACCESS_TOKEN_TTL_SECONDS,
)
REFRESH = StateKind(
    name="refresh",
    version=2,
    struct=RefreshFamily,
    ttl_seconds=REFRESH_IDLE_SECONDS,
    tombstone_ttl_seconds=REFRESH_IDLE_SECONDS,
)
GRANT = StateKind(
    name="grant",
    version=5,
    struct=GrantRecord,
    ttl_seconds=CODE_TTL_SECONDS,
    # A second use revokes the access token, for as long as that lives (RFC 6749 4.1.2).
    tombstone_ttl_seconds=USERINFO.tombstone_ttl_seconds,
)
ACCESS_TOKEN, FAMILY = "access-token", "refresh-family"
"""Labels by which the handles of what a code gives hang on the code's
(`SealedState.derive_handle`)."""
