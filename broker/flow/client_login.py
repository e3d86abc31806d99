"""Who calls an endpoint for machines, and what of it counts once: one object for all of them.

The token endpoint, pushed requests, introspection, revocation and the API ask the same question.
What the caller showed that counts once (the `jti` of an assertion) is claimed in the very trip to
the login store that the endpoint makes anyway: `used_once` gives the claims, and the words in which
a second showing is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from broker.domain.federation import ApiClient, School, Supplier, SupplierApi
from broker.domain.refusals import Refusal
from broker.flow.client_keys_anew import check_with_keys_of
from broker.flow.held_state.login_store import Claim, ClaimedBefore, claim_seconds
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.ports import ClientKeys, Snapshots
from broker.oidc_op.caller_proof import CallerProof
from broker.oidc_op.client_assertions import AssertionId, check_client_assertion
from broker.oidc_op.client_auth import (
    AuthenticatedClient,
    ClientCredentials,
    check_client_authentication,
    find_presented_client,
    parse_client_authentication,
    read_presented_id,
)
from broker.oidc_op.client_refusals import ClientNotAuthenticated

CLIENT_JTI = "client-jti"
"""Kind of one-shot value: the `jti` of a client's assertion (RFC 7523 3)."""


@dataclass(frozen=True, slots=True)
class UsedOnce:
    """One-shot values to claim in one trip, and how each one's second showing is refused.

    >>> UsedOnce().claims
    ()
    """

    claims: tuple[Claim, ...] = field(default=(), repr=False)
    refusals: tuple[tuple[type[Refusal], str], ...] = ()

    def __add__(self, other: "UsedOnce") -> "UsedOnce":
        return UsedOnce(self.claims + other.claims, self.refusals + other.refusals)

    def refusal_of(self, claimed: ClaimedBefore) -> Refusal:
        """Return what to raise where the store says that one was claimed before."""
        refusal, check = self.refusals[claimed.index]
        return refusal(check)


@dataclass(frozen=True, slots=True)
class AuthenticatedProgram:
    """A school's program that proved who it is; its school is open."""

    school: School
    client: ApiClient
    assertion_id: AssertionId | None

    @property
    def client_id(self) -> str:
        """Return the registered id."""
        return self.client.id


@dataclass(frozen=True, slots=True)
class AuthenticatedApi:
    """A supplier's API that proved who it is; its supplier is open."""

    supplier: Supplier
    api: SupplierApi
    assertion_id: AssertionId | None

    @property
    def client_id(self) -> str:
        """Return its identifier: for itself an API is called as its tokens call it."""
        return self.api.resource


class ClientLogin:
    """Tells who calls. Keeps nothing between calls.

    Args:
        issuer: ours: the sole audience of an assertion.
        token_endpoint: ours: accepted instead in profiles that say so, at the token endpoint.
    """

    def __init__(
        self,
        *,
        issuer: str,
        token_endpoint: str,
        snapshots: Snapshots,
        state: SealedState,
        client_keys: ClientKeys,
    ) -> None:
        self._issuer = issuer
        self._token_endpoint = token_endpoint
        self._snapshots = snapshots
        self._state = state
        self._client_keys = client_keys

    async def authenticate(
        self, form: Sequence[tuple[str, str]], proof: CallerProof, *, now: datetime
    ) -> AuthenticatedClient:
        """Return the relying party that calls; `used_once` of it must be claimed.

        Raises:
            ClientNotAuthenticated, ClientAuthenticationAmbiguous: who calls is not proven.
            DuplicatedParameter, RequestTooLarge: the form is malformed.
        """
        credentials = parse_client_authentication(form, proof=proof)
        return await self._check(credentials, proof, now=now)

    async def authenticate_caller(
        self, form: Sequence[tuple[str, str]], proof: CallerProof, *, now: datetime
    ) -> AuthenticatedClient | AuthenticatedProgram:
        """Return the relying party or the school's program that calls; never by a secret.

        Raises as `authenticate`.
        """
        credentials = parse_client_authentication(form, proof=proof)
        if credentials.secret:
            raise ClientNotAuthenticated("check_authentication_method_registered")
        client_id = read_presented_id(credentials) or ""
        found = self._snapshots.registry.by_api_client.get(client_id)
        if found is None:
            return await self._check(credentials, proof, now=now)
        school, client = found
        if credentials.method != "private_key_jwt":
            raise ClientNotAuthenticated("check_authentication_method_registered")
        if not school.enabled:
            raise ClientNotAuthenticated("check_school_enabled")
        used = await self._check_assertion(client, credentials, now=now)
        return AuthenticatedProgram(school, client, used)

    async def authenticate_asker(
        self, form: Sequence[tuple[str, str]], proof: CallerProof, *, now: datetime
    ) -> AuthenticatedClient | AuthenticatedApi:
        """Return the relying party or the supplier's API that asks about a token.

        An API has keys of its own (OAuth NL GOV: distinct from those of other clients).

        Raises as `authenticate`.
        """
        credentials = parse_client_authentication(form, proof=proof)
        registry, client_id = self._snapshots.registry, read_presented_id(credentials) or ""
        found = registry.by_resource.get(client_id)
        if found is None or client_id in registry.by_client_id:
            return await self._check(credentials, proof, now=now)
        supplier, api = found
        if api.program is None or credentials.method != "private_key_jwt":
            raise ClientNotAuthenticated("check_authentication_method_registered")
        if not supplier.enabled:
            raise ClientNotAuthenticated("check_supplier_enabled")
        used = await self._check_assertion(api.program, credentials, now=now)
        return AuthenticatedApi(supplier, api, used)

    async def _check_assertion(
        self, program: ApiClient, credentials: ClientCredentials, *, now: datetime
    ) -> AssertionId:
        check = partial(
            check_client_assertion,
            credentials.assertion,
            client_id=program.id,
            audiences=(self._issuer,),
            now=now,
        )
        return await check_with_keys_of(program, check, client_keys=self._client_keys)

    def used_once(
        self,
        client: AuthenticatedClient | AuthenticatedProgram | AuthenticatedApi,
        *,
        now: datetime,
    ) -> UsedOnce:
        """Return what must be claimed before anything is given to this client."""
        used = client.assertion_id
        if used is None:
            return UsedOnce()
        claims = self._state.claims_for(
            CLIENT_JTI,
            issuer=client.client_id,
            value=used.value,
            ttl_seconds=claim_seconds(used.until, now=now),
            made_within=used.made_within,
        )
        refusal = (ClientNotAuthenticated, "check_assertion_id_once")
        return UsedOnce(claims, (refusal,) * len(claims))

    async def _check(
        self, credentials: ClientCredentials, proof: CallerProof, *, now: datetime
    ) -> AuthenticatedClient:
        client = find_presented_client(credentials, registry=self._snapshots.registry)
        check = partial(
            check_client_authentication,
            credentials,
            proof=proof,
            client=client,
            issuer=self._issuer,
            token_endpoint=self._token_endpoint,
            now=now,
        )
        return await check_with_keys_of(client.oidc, check, client_keys=self._client_keys)
