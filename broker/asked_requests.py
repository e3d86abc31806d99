"""Wires what reads suppliers' requests: for `app.py`, which works with more than fits one file."""

from dataclasses import dataclass

from broker.adapters.calls.http_fetch import Fetcher
from broker.adapters.calls.party_keys import PublishedKeys, RegisteredClientKeys
from broker.adapters.calls.request_places import PublishedRequests
from broker.callers import Callers
from broker.flow.authorization_requests import AuthorizationRequests
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.ports import ClientKeys, Clock, Snapshots
from broker.flow.pushed_requests import PushBudget, PushedRequests
from broker.settings import Settings


@dataclass(frozen=True, slots=True)
class AskedTools:
    """What reading requests works with besides keys; it stays while those change."""

    snapshots: Snapshots
    client_keys: ClientKeys
    places: PublishedRequests
    budget: PushBudget
    clock: Clock


@dataclass(frozen=True, slots=True)
class Asked:
    """What suppliers ask: through a browser, and pushed before."""

    authorization: AuthorizationRequests
    pushed: PushedRequests


def prepare_asked(
    settings: Settings,
    snapshots: Snapshots,
    fetcher: Fetcher,
    published: PublishedKeys,
    clock: Clock,
) -> AskedTools:
    """Return the tools; what they keep outlasts a change of keys."""
    return AskedTools(
        snapshots=snapshots,
        client_keys=RegisteredClientKeys(published),
        places=PublishedRequests(fetcher),
        budget=PushBudget(settings.limits.pushed_requests_a_minute),
        clock=clock,
    )


def wire_asked(tools: AskedTools, *, issuer: str, state: SealedState, callers: Callers) -> Asked:
    """Return what reads requests, with the keys of one moment."""
    authorization = AuthorizationRequests(
        issuer=issuer,
        snapshots=tools.snapshots,
        state=state,
        client_keys=tools.client_keys,
        places=tools.places,
        clock=tools.clock,
    )
    pushed = PushedRequests(
        requests=authorization,
        clients=callers.clients,
        senders=callers.senders,
        state=state,
        budget=tools.budget,
        clock=tools.clock,
    )
    return Asked(authorization, pushed)
