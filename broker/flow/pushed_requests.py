"""A relying party leaves its request with us before it sends the browser (RFC 9126).

It proves who it is as at the token endpoint, and every check of an authorization request is made
at once, so that what is wrong comes back as JSON to the program that can mend it. What is kept is
the request as it was pushed: it is checked again when the browser brings it, for much can be
switched off meanwhile. One trip to the login store.

A client may push so many a minute, counted by each worker for itself, and never by address: a
school is one address. An app has nothing to prove who it is, so anybody can spend what it may push;
that keeps no other client from pushing, and nobody from logging in at the app, which may send its
request unpushed at any time (`client_authentication.check_party_pushes_provenly`).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from broker.flow.authorization_requests import AuthorizationRequests, FoundRequest
from broker.flow.client_login import ClientLogin, UsedOnce
from broker.flow.held_state.browser_steps import store_in_words
from broker.flow.held_state.login_store import ClaimedBefore, Put, Unstorable
from broker.flow.held_state.request_records import PUSHED, PushedRequest, use_object
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.ports import Clock
from broker.flow.sender_proofs import SenderProofs
from broker.oidc_op.caller_proof import CallerProof
from broker.oidc_op.client_auth import AuthenticatedClient
from broker.oidc_op.dpop import DpopProofRefused
from broker.oidc_op.parameters import RequestTooLarge
from broker.oidc_op.pushed import (
    PUSHED_PREFIX,
    PUSHED_TTL_SECONDS,
    PushedInPush,
    PushResponse,
    TooManyPushed,
)
from broker.oidc_op.received import (
    AuthorizationRequest,
    list_parameters,
    parse_authorization_request,
)
from broker.oidc_op.request_objects import RequestObjectInvalid

SECONDS_A_MINUTE = 60


class PushBudget:
    """How many requests each client may leave in one minute, in this process.

    Args:
        a_minute: for each client.
    """

    def __init__(self, a_minute: int) -> None:
        self._a_minute = a_minute
        self._minute = 0
        self._pushed: dict[str, int] = {}

    def spend(self, client_id: str, *, now: datetime) -> None:
        """Count one.

        Raises:
            TooManyPushed: this minute's are spent.
        """
        minute = int(now.timestamp()) // SECONDS_A_MINUTE
        if minute != self._minute:
            self._minute, self._pushed = minute, {}
        pushed = self._pushed.get(client_id, 0)
        if pushed >= self._a_minute:
            raise TooManyPushed("check_pushes_a_minute")
        self._pushed[client_id] = pushed + 1


def bind_to_key(found: FoundRequest, thumbprint: str) -> FoundRequest:
    """Return a request whose code is redeemed by one key alone: that of the proof beside the push.

    Args:
        thumbprint: of the proven key; "" when there was no proof.

    Raises:
        DpopProofRefused: the request itself names another key (RFC 9449 10.1).
    """
    if not thumbprint:
        return found
    if found.request.dpop_jkt not in (None, thumbprint):
        raise DpopProofRefused("check_pushed_key_equal")
    return replace(found, request=replace(found.request, dpop_jkt=thumbprint))


class PushedRequests:
    """Answers the pushed authorization request endpoint over its ports."""

    def __init__(
        self,
        *,
        requests: AuthorizationRequests,
        clients: ClientLogin,
        senders: SenderProofs,
        state: SealedState,
        budget: PushBudget,
        clock: Clock,
    ) -> None:
        self._requests = requests
        self._clients = clients
        self._senders = senders
        self._state = state
        self._budget = budget
        self._clock = clock

    async def push(self, form: Sequence[tuple[str, str]], proof: CallerProof) -> PushResponse:
        """Return by what the browser names the request that a client leaves with us.

        Raises:
            ClientNotAuthenticated, ClientAuthenticationAmbiguous: who calls is not proven.
            PushedInPush, TooManyPushed
            DpopProofRefused, DpopNonceRequired: the proof beside it is none, or of another key.
            Refusal: of the request itself, as at the authorization endpoint.
        """
        now = self._clock()
        received = parse_authorization_request(form)
        if received.request_uri is not None:
            raise PushedInPush("check_no_pushed_in_push", subject="request_uri")
        client = await self._clients.authenticate(form, proof, now=now)
        self._budget.spend(client.client_id, now=now)
        sender = self._senders.prove(
            client.client,
            proof,
            endpoint=lambda each: each.pushed_requests,
            now=now,
            required=False,
        )
        found = bind_to_key(await self._find(received, client), sender.key.jkt)
        self._requests.check(found)
        used = self._clients.used_once(client, now=now) + sender.once
        puts: tuple[Put, ...] = ()
        if found.made_after is not None:
            use = use_object(
                self._state,
                found.object_id,
                client_id=client.client_id,
                made_within=now - found.made_after,
            )
            puts = use.puts
            refusal = (RequestObjectInvalid, "check_object_id_once")
            used += UsedOnce(use.claims, (refusal,) * len(use.claims))
        return await self._keep(found, client, puts, used, now=now)

    async def _find(
        self, received: AuthorizationRequest, client: AuthenticatedClient
    ) -> FoundRequest:
        """Who calls is who asks: an assertion may be all that names the client (RFC 7521 4.2)."""
        if received.request is None:
            return FoundRequest(replace(received, client_id=client.client_id, pushed=True))
        found = await self._requests.find_by_value(received, client.client)
        return replace(found, request=replace(found.request, pushed=True))

    async def _keep(
        self,
        found: FoundRequest,
        client: AuthenticatedClient,
        puts: tuple[Put, ...],
        used: UsedOnce,
        *,
        now: datetime,
    ) -> PushResponse:
        record = PushedRequest(
            client_id=client.client_id,
            pushed_at=now,
            parameters=tuple(list_parameters(found.request)),
            signed=found.request.signed,
        )
        try:
            with store_in_words(known=(ClaimedBefore, Unstorable)):
                handle, put = self._state.seal(PUSHED, record)
                await self._state.put(put, *puts, claims=used.claims)
        except Unstorable:
            raise RequestTooLarge("check_pushed_size") from None
        except ClaimedBefore as claimed:
            raise used.refusal_of(claimed) from None
        return PushResponse(request_uri=PUSHED_PREFIX + handle.text, expires_in=PUSHED_TTL_SECONDS)
