"""Programs that call us for themselves: who they are, and what they may be let in for.

A token is an opaque handle in the login store (`api_records`), for five minutes, bound to the
caller and to scopes, and to the key that the caller showed (RFC 9449, RFC 8705), which some
profiles and documents demand. It is believed only as far as the registry says so when it is used: a
school, supplier, relying party or program that was switched off, removed or given other purposes
since is refused at once. Every refusal of a token is one and the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from broker.domain.federation import ApiClient, ApiScope, School, State, Supplier
from broker.domain.refusals import Refusal, WhoseTask
from broker.domain.registry import Registry
from broker.domain.relying_parties import RelyingParty
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.client_login import AuthenticatedProgram, ClientLogin, UsedOnce
from broker.flow.held_state.browser_steps import store_in_words
from broker.flow.held_state.handles import parse_handle
from broker.flow.held_state.login_store import Absent, ClaimedBefore
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.ports import Clock, Snapshots
from broker.flow.programs.api_records import API_TOKEN, ApiTokenRecord
from broker.flow.sender_proofs import ProvenSender, SenderProofs
from broker.flow.tokens.claimed_once import claim_once
from broker.oidc_op.caller_proof import CallerProof
from broker.oidc_op.client_credentials import ApiTokenResponse, check_scopes, parse_scopes
from broker.oidc_op.clients import ClientUnknown, KnownClient, find_client
from broker.oidc_op.discovery import Endpoints
from broker.oidc_op.presented_tokens import PresentedToken, parse_presented_token
from broker.oidc_op.userinfo import AccessTokenMissing, AccessTokenRefused

SUPPLIER_SCOPES = (ApiScope.TAKEOVER, ApiScope.CONVERSION, ApiScope.SCHOOLS)
"""What a supplier's relying party may be let in for; whether it is entitled, the endpoint says."""


class ApiTokenRefused(Refusal):
    """No token, an unknown or old one, or of a caller that is switched off (RFC 6750 3.1)."""

    code = "E-API-2"
    whose_task = WhoseTask.SUPPLIER
    what = "A program called us without a permission that is valid now."
    remedy = "Whoever runs that program must let it ask for a new permission."
    http_status = 401
    oauth_error = "invalid_token"


class ApiCallerRefused(Refusal):
    """A token that is valid, and not for this (RFC 6750 3.1 `insufficient_scope`)."""

    code = "E-API-3"
    whose_task = WhoseTask.SUPPLIER
    what = "A program asked for something that its permission is not for."
    remedy = "Whoever runs that program must ask only for what it was registered for."
    http_status = 403
    oauth_error = "insufficient_scope"


@dataclass(frozen=True, slots=True)
class SchoolCaller:
    """A school, by a program of its own; both as they are now."""

    school: School
    client: ApiClient
    scopes: tuple[ApiScope, ...]

    @property
    def state(self) -> State:
        """Test and production never meet."""
        return self.school.state


@dataclass(frozen=True, slots=True)
class SupplierCaller:
    """A supplier, by one of its relying parties; both as they are now."""

    supplier: Supplier
    relying_party: RelyingParty
    scopes: tuple[ApiScope, ...]

    @property
    def state(self) -> State:
        """Test and production never meet."""
        return self.supplier.state


ApiCaller = SchoolCaller | SupplierCaller


class ApiAccess:
    """Gives tokens to programs, and tells who shows one. Keeps nothing between calls."""

    def __init__(
        self,
        *,
        snapshots: Snapshots,
        state: SealedState,
        clients: ClientLogin,
        senders: SenderProofs,
        audit: AuditLog,
        clock: Clock,
    ) -> None:
        self._snapshots = snapshots
        self._state = state
        self._clients = clients
        self._senders = senders
        self._audit = audit
        self._clock = clock

    async def grant(self, form: Sequence[tuple[str, str]], proof: CallerProof) -> ApiTokenResponse:
        """Return a token to a program that proves who it is; one trip to the login store.

        Raises:
            ClientNotAuthenticated, ClientAuthenticationAmbiguous: who calls is not proven.
            ScopeRefused: nothing, or more than it may have, is asked for.
            DpopProofRefused, DpopNonceRequired, SenderNotProven: of its key.
            StoreUnavailable, DuplicatedParameter, RequestTooLarge
        """
        now = self._clock()
        scopes = parse_scopes(form)
        client = await self._clients.authenticate_caller(form, proof, now=now)
        if isinstance(client, AuthenticatedProgram):
            allowed: Sequence[ApiScope] = client.client.purposes
            sender = self._prove(None, proof, now=now)
            record = ApiTokenRecord(
                client_id=client.client_id,
                scopes=scopes,
                school=client.school.id,
                key=sender.key,
                given_at=now,
            )
        else:
            party = client.client.relying_party
            allowed = SUPPLIER_SCOPES if client.client.profile.client_credentials else ()
            sender = self._prove(client.client, proof, now=now)
            record = ApiTokenRecord(
                client_id=client.client_id,
                scopes=scopes,
                supplier=party.supplier,
                relying_party=party.id,
                key=sender.key,
                given_at=now,
            )
        check_scopes(scopes, allowed=allowed)
        token = await self._keep(record, self._clients.used_once(client, now=now) + sender.once)
        self._audit.record(
            AuditEvent(
                action="api-token",
                school=record.school,
                supplier=record.supplier,
                relying_party=record.relying_party,
                names=scopes,
            )
        )
        return ApiTokenResponse(
            access_token=token, token_type=sender.key.token_type, scope=" ".join(scopes)
        )

    def _prove(
        self, client: KnownClient | None, proof: CallerProof, *, now: datetime
    ) -> ProvenSender:
        """Return to which key a token will be bound; a school's program may show one, or none."""
        if client is None:
            return self._senders.prove_possession(
                proof, endpoint=_token_endpoint, nonce_required=False, now=now
            )
        return self._senders.prove(client, proof, endpoint=_token_endpoint, now=now)

    async def _keep(self, record: ApiTokenRecord, once: UsedOnce) -> str:
        try:
            with store_in_words(known=(ClaimedBefore,)):
                handle, put = self._state.seal(API_TOKEN, record)
                await self._state.put(put, claims=once.claims)
        except ClaimedBefore as claimed:
            raise once.refusal_of(claimed) from None
        return handle.text

    async def admit(
        self, proof: CallerProof, *, scope: ApiScope | None, method: str, path: str
    ) -> ApiCaller:
        """Return who shows a token, as the registry has it now.

        One trip to the login store; one more where the token is bound to a key by DPoP.

        Args:
            proof: what the caller shows.
            scope: for what; None for what every token is good for.
            method, path: of the request, which a proof of possession must name.

        Raises:
            ApiTokenRefused, ApiCallerRefused, StoreUnavailable
            DpopProofRefusedByResource, DpopNonceRequiredByResource: its proof is not one.
        """
        try:
            presented = parse_presented_token([], proof)
            with store_in_words(known=(Absent,)):
                record = await self._state.get(API_TOKEN, parse_handle(presented.unverified_token))
        except (AccessTokenMissing, AccessTokenRefused):
            raise ApiTokenRefused("check_access_token_present") from None
        except Absent:
            raise ApiTokenRefused("check_access_token_known") from None
        caller = find_caller(record, registry=self._snapshots.registry)
        await self._check_use(record, presented, proof, method=method, path=path)
        if scope is not None and scope not in caller.scopes:
            raise ApiCallerRefused("check_scope_granted")
        return caller

    async def _check_use(
        self,
        record: ApiTokenRecord,
        presented: PresentedToken,
        proof: CallerProof,
        *,
        method: str,
        path: str,
    ) -> None:
        """Refuse a token that another shows than has its key; what it shows counts once."""
        nonce_required = False
        if record.supplier is not None:
            known = find_client(record.client_id, registry=self._snapshots.registry)
            nonce_required = known.profile.dpop_nonce_required
        now = self._clock()
        try:
            once = self._senders.check_use(
                record.key,
                presented,
                proof,
                endpoint=lambda each: each.issuer + path,
                method=method,
                nonce_required=nonce_required,
                given_at=record.given_at,
                now=now,
            )
        except AccessTokenRefused as refusal:
            raise ApiTokenRefused(refusal.check) from None
        await claim_once(once, state=self._state)

    def still_admitted(self, caller: ApiCaller) -> ApiCaller:
        """Return who called, as the registry has it now: what a program sends may take minutes.

        Raises:
            ApiTokenRefused: switched off or removed since.
        """
        return find_caller(_record_of(caller, now=self._clock()), registry=self._snapshots.registry)


def _token_endpoint(each: Endpoints) -> str:
    return each.token


def _record_of(caller: ApiCaller, *, now: datetime) -> ApiTokenRecord:
    """Return what a caller's token stands for."""
    if isinstance(caller, SchoolCaller):
        return ApiTokenRecord(
            client_id=caller.client.id,
            scopes=caller.scopes,
            school=caller.school.id,
            given_at=now,
        )
    party = caller.relying_party
    return ApiTokenRecord(
        client_id=getattr(party.protocol, "client_id", ""),  # SAML systems get no token
        scopes=caller.scopes,
        supplier=party.supplier,
        relying_party=party.id,
        given_at=now,
    )


def find_caller(record: ApiTokenRecord, *, registry: Registry) -> ApiCaller:
    """Return who stands behind a token, if all of them are still open.

    Raises:
        ApiTokenRefused: removed, switched off, another party's or with other purposes by now.
    """
    if record.school is not None:
        school, client = registry.by_api_client.get(record.client_id, (None, None))
        if school is None or client is None or school.id != record.school:
            raise ApiTokenRefused("check_caller_known")
        if not school.enabled:
            raise ApiTokenRefused("check_school_enabled")
        if not set(record.scopes) <= set(client.purposes):
            raise ApiTokenRefused("check_purposes_unchanged")
        return SchoolCaller(school, client, record.scopes)
    try:
        known = find_client(record.client_id, registry=registry)
    except ClientUnknown as unknown:
        raise ApiTokenRefused(unknown.check) from None
    party = known.relying_party
    if (party.id, party.supplier) != (record.relying_party, record.supplier):
        raise ApiTokenRefused("check_caller_unchanged")
    if not known.profile.client_credentials:
        raise ApiTokenRefused("check_purposes_unchanged")
    return SupplierCaller(registry.suppliers[party.supplier], party, record.scopes)
