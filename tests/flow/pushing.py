"""A relying party that pushes and signs its requests, and the browsers that bring them."""

from typing import Any

from broker.flow.answers import Answer, ChooseSchool
from broker.flow.authorization_requests import RefusedRequest
from broker.oidc_op.caller_proof import NO_PROOF, CallerProof
from broker.oidc_op.pushed import PushResponse
from broker.oidc_op.request import CheckedAuthorizationRequest
from tests import builders_oidc as oidc
from tests.flow.login_answers import Browser, read_at_school
from tests.flow.login_parties import REKENRIJK, with_party
from tests.flow.login_world import OIDC_CLIENTS, SANNE, SUPPLIER_STATE, LoginWorld, Worker
from tests.proof_builders import a_dpop_proof

Parameters = list[tuple[str, str]]


def change_client(world: LoginWorld, **changes: Any) -> None:
    """Change what is registered of RekenRijk's client, in force at once."""
    client = oidc.an_oidc_client(**changes)
    world.put(REKENRIJK, with_party(world.records[REKENRIJK], REKENRIJK, protocol=client))


def a_request(**changes: str | None) -> Parameters:
    return oidc.an_authorization_request(**{"state": SUPPLIER_STATE, **changes})


def an_object(world: LoginWorld, **changes: Any) -> str:
    """Return a request object that is made now; its `jti` is fresh unless given."""
    seconds = int(world.now.timestamp())
    fields = {"state": SUPPLIER_STATE, "iat": seconds, "nbf": seconds, "exp": seconds + 300}
    fields["jti"] = f"object-{world.random(8).hex()}"
    return oidc.a_request_object(**{**fields, **changes})


def by_value(token: str, **changes: str | None) -> Parameters:
    """Return what the browser brings of a signed request."""
    return oidc.pairs({"client_id": oidc.CLIENT_ID, "request": token}, **changes)


def by_reference(request_uri: str, **changes: str | None) -> Parameters:
    """Return what the browser brings of a request that stands elsewhere."""
    return oidc.pairs({"client_id": oidc.CLIENT_ID, "request_uri": request_uri}, **changes)


def push_form(world: LoginWorld, request: Parameters, **changes: Any) -> Parameters:
    """Return what the client posts: the request and a fresh assertion, changed by `changes`."""
    seconds = int(world.now.timestamp())
    client = changes.pop("by", OIDC_CLIENTS[REKENRIJK])
    fields = {
        "iss": client,
        "sub": client,
        "iat": seconds,
        "exp": seconds + 60,
        "jti": f"jti-{world.random(8).hex()}",
    }
    return request + oidc.assertion_form(oidc.an_assertion(**{**fields, **changes}))


async def push(
    world: LoginWorld,
    request: Parameters | None = None,
    *,
    worker: Worker | None = None,
    proof: CallerProof = NO_PROOF,
    **changes: Any,
) -> PushResponse:
    """Push a request, by default a plain one."""
    form = push_form(world, a_request() if request is None else request, **changes)
    return await (worker or world).pushed.push(form, proof)


def dpop(world: LoginWorld, **changes: Any) -> CallerProof:
    """Return a proof of possession for the endpoint of pushed requests."""
    fields = {"htu": f"{oidc.ISSUER}/oidc/par", "jti": f"proof-{world.random(8).hex()}"}
    return CallerProof(dpop=(a_dpop_proof(now=world.now, **{**fields, **changes}),))


async def read(
    world: LoginWorld | Worker, parameters: Parameters
) -> CheckedAuthorizationRequest | RefusedRequest:
    return await world.authorization.read(parameters)


async def arrive_with(
    world: LoginWorld, parameters: Parameters, browser: Browser | None = None
) -> tuple[Browser, Any]:
    """Bring a request to the chooser and the school; return the browser and where it is."""
    browser = browser or Browser()
    asked = await read(world, parameters)
    assert isinstance(asked, CheckedAuthorizationRequest), asked
    chooser = browser.follow(await world.flow.begin(asked))
    assert isinstance(chooser, ChooseSchool), chooser
    at_school = read_at_school(await world.choose(browser, chooser.login, SANNE.school.id))
    return browser, at_school


async def finish(world: LoginWorld, arrived: tuple[Browser, Any]) -> Answer:
    """Log in at school and come back."""
    browser, at_school = arrived
    return await world.come_back(browser, at_school)
