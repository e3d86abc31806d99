"""From the parameters of a supplier's authorization request to a request that passed every check.

    plain        -- it stands in the query or form as it is
    by value     -- it stands in a signed object in `request` (RFC 9101)
    by reference -- the object stands at an address that the client's document names
    pushed       -- the client left it with us before (RFC 9126, `pushed_requests`)

This file finds it, and everything after it sees one checked request. A pushed request, and an
object with a `jti`, lead to one login: they are looked at here and used up when the code is given
(`held_state.request_records`), so that a browser may reload. An object that was fetched from its
registered place is good for as long as it stands there and has not expired, `jti` or not.

A refusal that the supplier must learn comes back with the address where an answer may go; any other
is raised and becomes a page of ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from msgspec import structs

from broker.domain.refusals import Refusal
from broker.flow.client_keys_anew import check_with_keys_of
from broker.flow.held_state.browser_steps import store_in_words
from broker.flow.held_state.handles import parse_handle
from broker.flow.held_state.login_store import Absent
from broker.flow.held_state.request_records import PUSHED, USED_OBJECT, object_handle
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.ports import ClientKeys, Clock, RequestObjectPlaces, SchoolUnanswered, Snapshots
from broker.oidc_op.clients import KnownClient, find_client
from broker.oidc_op.pushed import (
    PUSHED_PREFIX,
    RequestUriInvalid,
    RequestUsed,
    check_objects_allowed,
    check_request_uri_registered,
)
from broker.oidc_op.received import AuthorizationRequest, parse_authorization_request
from broker.oidc_op.request import (
    CheckedAuthorizationRequest,
    ReturnAddress,
    check_authorization_request,
    prove_return_address,
)
from broker.oidc_op.request_objects import (
    RequestObjectInvalid,
    SignedRequest,
    read_request_object,
)


@dataclass(frozen=True, slots=True)
class RefusedRequest:
    """A request that failed a check after its return address was proven."""

    refusal: Refusal
    address: ReturnAddress


@dataclass(frozen=True, slots=True)
class FoundRequest:
    """What a client asks, where it stood. Not yet checked.

    Attributes:
        request: with the proofs that it was pushed or signed.
        pushed: handle of the pushed request; "" when it came otherwise.
        object_id: `jti` of an object that came by value; "" otherwise.
        made_after: aware UTC; what was pushed, or that object, is no older; None for others.
    """

    request: AuthorizationRequest
    pushed: str = field(default="", repr=False)
    object_id: str = field(default="", repr=False)
    made_after: datetime | None = None


class AuthorizationRequests:
    """Finds and checks what suppliers ask, over its ports. Keeps nothing between calls.

    Args:
        issuer: ours: the audience of request objects.
        places: fetches request objects from where documents say that they stand.
    """

    def __init__(
        self,
        *,
        issuer: str,
        snapshots: Snapshots,
        state: SealedState,
        client_keys: ClientKeys,
        places: RequestObjectPlaces,
        clock: Clock,
    ) -> None:
        self._issuer = issuer
        self._snapshots = snapshots
        self._state = state
        self._client_keys = client_keys
        self._places = places
        self._clock = clock

    async def read(
        self, parameters: Sequence[tuple[str, str]]
    ) -> CheckedAuthorizationRequest | RefusedRequest:
        """Return what the query of a GET or the form of a POST asks, checked.

        No trip to the login store for a plain request; one for a pushed one, and for an object
        with a `jti`.

        Raises:
            Refusal: one that may not go to the supplier, or whose address is not proven.
        """
        known = parse_authorization_request(parameters)
        try:
            found = await self._find(known)
            known = found.request
            return self.check(found)
        except Refusal as refusal:
            address = self._find_address(known) if refusal.may_redirect else None
            if address is None:
                raise
            return RefusedRequest(refusal, address)

    def check(self, found: FoundRequest) -> CheckedAuthorizationRequest:
        """Return the request as one that passed every check.

        Raises:
            Refusal: of the first check that refuses.
        """
        checked = check_authorization_request(found.request, registry=self._snapshots.registry)
        return structs.replace(
            checked,
            pushed=found.pushed,
            object_id=found.object_id,
            made_after=found.made_after,
        )

    async def find_by_value(
        self, received: AuthorizationRequest, client: KnownClient
    ) -> FoundRequest:
        """Return the request in the object that a client sent; whether it was used is not known.

        Raises:
            RequestObjectRefused, RequestObjectInvalid
        """
        signed = await self._read_object(received.request or "", received, client)
        if not signed.object_id:
            return FoundRequest(signed.request)
        return FoundRequest(
            signed.request, object_id=signed.object_id, made_after=signed.made_after
        )

    async def _find(self, received: AuthorizationRequest) -> FoundRequest:
        if received.request is None and received.request_uri is None:
            return FoundRequest(received)
        client = find_client(received.client_id, registry=self._snapshots.registry)
        if received.request is not None and received.request_uri is not None:
            raise RequestObjectInvalid("check_one_request", subject="request")
        if received.request_uri is None:
            return await self._find_unused_object(received, client)
        if received.request_uri.startswith(PUSHED_PREFIX):
            return await self._find_pushed(received.request_uri, client)
        return await self._find_by_reference(received.request_uri, received, client)

    async def _find_unused_object(
        self, received: AuthorizationRequest, client: KnownClient
    ) -> FoundRequest:
        found = await self.find_by_value(received, client)
        if found.object_id:
            await self._check_object_unused(found.object_id, client)
        return found

    async def _find_by_reference(
        self, request_uri: str, received: AuthorizationRequest, client: KnownClient
    ) -> FoundRequest:
        check_request_uri_registered(request_uri, client)
        try:
            token = await self._places.fetch(request_uri)
        except SchoolUnanswered:
            raise RequestUriInvalid("check_request_uri_answers", subject="request_uri") from None
        signed = await self._read_object(token, received, client)
        return FoundRequest(signed.request)

    async def _find_pushed(self, request_uri: str, client: KnownClient) -> FoundRequest:
        """RFC 9126 4: by the client that pushed it, whatever else stands in the query."""
        handle_text = request_uri.removeprefix(PUSHED_PREFIX)
        try:
            with store_in_words(known=(Absent,)):
                record = await self._state.get(PUSHED, parse_handle(handle_text))
        except Absent:
            raise RequestUriInvalid("check_pushed_known", subject="request_uri") from None
        if record.client_id != client.oidc.client_id:
            raise RequestUriInvalid("check_pushed_by_client", subject="request_uri")
        if record.used:
            raise RequestUsed("check_pushed_unused")
        request = parse_authorization_request(record.parameters)
        return FoundRequest(
            replace(request, pushed=True, signed=record.signed),
            pushed=handle_text,
            made_after=record.pushed_at,
        )

    async def _read_object(
        self, token: str, outside: AuthorizationRequest, client: KnownClient
    ) -> SignedRequest:
        check_objects_allowed(client)
        read = partial(
            read_request_object,
            token,
            client=client,
            issuer=self._issuer,
            response_type=outside.response_type,
            now=self._clock(),
        )
        return await check_with_keys_of(client.oidc, read, client_keys=self._client_keys)

    async def _check_object_unused(self, object_id: str, client: KnownClient) -> None:
        handle = object_handle(self._state, object_id, client_id=client.oidc.client_id)
        try:
            with store_in_words(known=(Absent,)):
                await self._state.get(USED_OBJECT, handle)
        except Absent:
            return
        raise RequestUsed("check_object_unused")

    def _find_address(self, request: AuthorizationRequest) -> ReturnAddress | None:
        try:
            return prove_return_address(request, registry=self._snapshots.registry)
        except Refusal:
            return None
