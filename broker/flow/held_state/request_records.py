"""What is kept of suppliers' requests beside the logins that they begin.

    pushed       -- a request that a relying party left with us (RFC 9126)
    used-object  -- that a request object with this `jti` led to a login, or was pushed

A request leads to one login. Until that is finished its address may be opened again: browsers
reload, and virus checkers and messengers open an address before the browser does. When the code is
given, its request is used up in the same trip to the store, by a claim that only one of any number
of racing logins wins; and the record is replaced by one that says so, for whoever comes later.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from broker.flow.held_state.handles import Handle, parse_handle
from broker.flow.held_state.login_store import Claim, Put
from broker.flow.held_state.sealed_state import SealedRecord, SealedState, StateKind
from broker.oidc_op.pushed import PUSHED_TTL_SECONDS, RequestUriInvalid
from broker.oidc_op.request import CheckedAuthorizationRequest
from broker.oidc_op.request_objects import MAX_OBJECT_LIFE_SECONDS, SKEW_SECONDS

USED_TTL_SECONDS = MAX_OBJECT_LIFE_SECONDS + 2 * SKEW_SECONDS
"""How long a use is remembered, and how old a request may be when its login gets the code: so no
login that began before outlives what is remembered."""

TOLD_AT_ONCE_SECONDS = 30 * 60
"""How long a request object that was used is refused when it comes, and not at the end only."""

PUSHED_USE = "request-uri"
OBJECT_USE = "request-object"
"""Kinds of one-shot values: a pushed request's handle, and the `jti` of a request object."""


class PushedRequest(SealedRecord, frozen=True, kw_only=True):
    """A request that waits for its browser.

    Attributes:
        client_id: who pushed it, and who alone may use it.
        pushed_at: aware UTC.
        parameters: of the request, names and values as a query would hold them; read and checked
            anew when it is used, for much can be switched off meanwhile.
        signed: it came in a signed object.
        used: it led to a login; then nothing else is kept.
    """

    client_id: str
    pushed_at: datetime
    parameters: tuple[tuple[str, str], ...] = ()
    signed: bool = False
    used: bool = False


class UsedObject(SealedRecord, frozen=True, kw_only=True):
    """A request object that led to a login, or was pushed."""


PUSHED = StateKind(
    name="pushed",
    version=1,
    struct=PushedRequest,
    ttl_seconds=PUSHED_TTL_SECONDS,
    tombstone_ttl_seconds=PUSHED_TTL_SECONDS,
)
USED_OBJECT = StateKind(
    name="used-object",
    version=1,
    struct=UsedObject,
    ttl_seconds=TOLD_AT_ONCE_SECONDS,
    tombstone_ttl_seconds=TOLD_AT_ONCE_SECONDS,
)


@dataclass(frozen=True, slots=True)
class Use:
    """What uses something up: a record that says so, and claims that one alone can make."""

    puts: tuple[Put, ...] = field(default=(), repr=False)
    claims: tuple[Claim, ...] = field(default=(), repr=False)


def use_pushed(state: SealedState, handle_text: str, *, client_id: str, pushed_at: datetime) -> Use:
    """Return what uses up a pushed request.

    The login that does so began after the push, and neither would be found in a store that has
    forgotten earlier uses: so the claim is as good as new.
    """
    record = PushedRequest(client_id=client_id, pushed_at=pushed_at, used=True)
    put = state.seal_under(parse_handle(handle_text), PUSHED, record)
    claims = state.claims_for(
        PUSHED_USE,
        issuer=client_id,
        value=handle_text,
        ttl_seconds=USED_TTL_SECONDS,
        made_within=timedelta(0),
    )
    return Use((put,), claims)


def use_object(
    state: SealedState, object_id: str, *, client_id: str, made_within: timedelta
) -> Use:
    """Return what uses up a request object with a `jti`."""
    handle = object_handle(state, object_id, client_id=client_id)
    put = state.seal_under(handle, USED_OBJECT, UsedObject())
    claims = state.claims_for(
        OBJECT_USE,
        issuer=client_id,
        value=object_id,
        ttl_seconds=USED_TTL_SECONDS,
        made_within=made_within,
    )
    return Use((put,), claims)


def object_handle(state: SealedState, object_id: str, *, client_id: str) -> Handle:
    """Return under what stands that a client's request object was used."""
    # JSON may hold half a surrogate pair; it must count as itself and not crash.
    digest = hashlib.sha256(object_id.encode(errors="surrogatepass")).hexdigest()
    return state.name_handle(OBJECT_USE, client_id, digest)


def use_request(state: SealedState, request: CheckedAuthorizationRequest, *, now: datetime) -> Use:
    """Return what uses up the request of a login that gets its code: nothing for most.

    Raises:
        RequestUriInvalid: the request is so old that an earlier use may be forgotten.
    """
    if request.made_after is None:
        return Use()
    made_within = now - request.made_after
    if made_within.total_seconds() > USED_TTL_SECONDS:
        raise RequestUriInvalid("check_request_not_too_old", subject="request_uri")
    client_id = request.client_id
    if request.pushed:
        return use_pushed(state, request.pushed, client_id=client_id, pushed_at=request.made_after)
    return use_object(state, request.object_id, client_id=client_id, made_within=made_within)
