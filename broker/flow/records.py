"""What is kept between two requests of one login, and for how long. All of it sealed.

Three steps can be waiting for a browser and two for a relying party:

    choosing  -- the supplier's request, until a school is chosen        (browser)
    pending   -- the pupil is at school; what the answer must be         (browser)
    prepared  -- checked and decided; waits for a button                 (browser)
    grant     -- what a code stands for                                  (relying party)
    userinfo  -- what an access token shows                              (relying party)
"""

from broker.domain.attributes import AttributeName
from broker.domain.ids import SchoolId, SchoolIdpId
from broker.flow.sealed_state import SealedRecord, StateKind
from broker.oidc_op.grants import OidcGrant, UserinfoGrant
from broker.oidc_op.request import CheckedAuthorizationRequest
from broker.saml_idp.request import CheckedAuthnRequest

SupplierRequest = CheckedAuthorizationRequest | CheckedAuthnRequest
"""A supplier's request after its checks. The flow asks both the same few questions."""

CHOOSING_TTL_SECONDS = 30 * 60  # a class that waits for its teacher
PENDING_TTL_SECONDS = 30 * 60  # a forgotten password at school
PREPARED_TTL_SECONDS = 10 * 60  # a page with one button
CODE_TTL_SECONDS = 60  # RFC 6749 4.1.2 allows ten minutes; ASVS 10.4.3 L3 one
ACCESS_TOKEN_TTL_SECONDS = 10 * 60  # userinfo is asked at once


class ChoosingLogin(SealedRecord, frozen=True, kw_only=True):
    """A supplier's request that waits for a school.

    Attributes:
        force_login: the person said "that is not me": the school must ask again.
    """

    request: SupplierRequest
    force_login: bool = False


class PendingLogin(SealedRecord, frozen=True, kw_only=True):
    """A pupil who was sent to a school's login.

    Attributes:
        idp: the only provider whose answer is accepted.
        school: the one that was clicked, for another try; it decides nothing.
        request_id: ID of our AuthnRequest, or `state` of our authorization request.
        nonce, code_verifier: of OpenID Connect; "" for SAML.
        sent_at: seconds since 1970.
        force_login: whether the school was told to ask again.
    """

    request: SupplierRequest
    idp: SchoolIdpId
    school: SchoolId
    request_id: str
    nonce: str = ""
    code_verifier: str = ""
    sent_at: int
    force_login: bool = False


class SealedReceiptFields(SealedRecord, frozen=True, kw_only=True):
    """A receipt as it will rest, sealed before the page that waits."""

    locator: bytes
    ciphertext: bytes
    school: SchoolId
    week: int


class PreparedRelease(SealedRecord, frozen=True, kw_only=True):
    """Everything that a supplier will get, checked and decided. Holds released values only.

    Attributes:
        idp, clicked: for "that is not me".
        school: the one that the login stated.
        pseudonym: "" when the supplier asked for a transient NameID.
        authenticated_at: seconds since 1970, exact; made coarse when the answer is built.
        forced: whether this request forced the login.
        eck_root, local_root: what the login presented; finds the register's row for `notice`.
        notice: whether the page told what is shared.
    """

    request: SupplierRequest
    idp: SchoolIdpId
    clicked: SchoolId
    school: SchoolId
    agreement_version: int
    pseudonym: str
    released: tuple[tuple[AttributeName, tuple[str, ...]], ...]
    receipt: SealedReceiptFields
    authenticated_at: int
    acr: str
    forced: bool
    population: str
    eck_root: bytes | None = None
    local_root: bytes | None = None
    notice: bool = False


class GrantRecord(SealedRecord, frozen=True, kw_only=True):
    """What a code stands for."""

    grant: OidcGrant


class UserinfoRecord(SealedRecord, frozen=True, kw_only=True):
    """What an access token shows, and to whom."""

    grant: UserinfoGrant


CHOOSING = StateKind(
    name="choosing",
    version=1,
    struct=ChoosingLogin,
    ttl_seconds=CHOOSING_TTL_SECONDS,
    tombstone_ttl_seconds=CHOOSING_TTL_SECONDS,
)
PENDING = StateKind(
    name="pending",
    version=1,
    struct=PendingLogin,
    ttl_seconds=PENDING_TTL_SECONDS,
    tombstone_ttl_seconds=PENDING_TTL_SECONDS,
)
PREPARED = StateKind(
    name="prepared",
    version=1,
    struct=PreparedRelease,
    ttl_seconds=PREPARED_TTL_SECONDS,
    tombstone_ttl_seconds=PREPARED_TTL_SECONDS,
)
USERINFO = StateKind(
    name="userinfo",
    version=1,
    struct=UserinfoRecord,
    ttl_seconds=CODE_TTL_SECONDS + ACCESS_TOKEN_TTL_SECONDS,
    tombstone_ttl_seconds=CODE_TTL_SECONDS + ACCESS_TOKEN_TTL_SECONDS,
)
GRANT = StateKind(
    name="grant",
    version=1,
    struct=GrantRecord,
    ttl_seconds=CODE_TTL_SECONDS,
    # A second use revokes the access token, for as long as that lives (RFC 6749 4.1.2).
    tombstone_ttl_seconds=USERINFO.tombstone_ttl_seconds,
)
EVERY_KIND = (CHOOSING, PENDING, PREPARED, GRANT, USERINFO)
