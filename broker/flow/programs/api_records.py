"""What an API token stands for, while it lives. Sealed as every record of the login store is."""

from datetime import datetime

from broker.domain.federation import ApiScope
from broker.domain.ids import RelyingPartyId, SchoolId, SupplierId
from broker.flow.held_state.sealed_state import SealedRecord, StateKind
from broker.oidc_op.client_credentials import API_TOKEN_TTL_SECONDS
from broker.oidc_op.sender_keys import BEARER, SenderKey


class ApiTokenRecord(SealedRecord, frozen=True, kw_only=True):
    """Who got the token, and for what: a school by a program of its own, or a supplier by a
    relying party. Looked up anew in the registry whenever it is used.

    Attributes:
        key: to which the token is bound.
    """

    client_id: str
    scopes: tuple[ApiScope, ...]
    school: SchoolId | None = None
    supplier: SupplierId | None = None
    relying_party: RelyingPartyId | None = None
    key: SenderKey = BEARER
    given_at: datetime


API_TOKEN = StateKind(
    name="api-token",
    version=2,
    struct=ApiTokenRecord,
    ttl_seconds=API_TOKEN_TTL_SECONDS,
    tombstone_ttl_seconds=API_TOKEN_TTL_SECONDS,
)
