"""Suppliers' systems at the back channel: what each is registered with, and what it sends."""

from typing import Any

from msgspec.structs import replace

from broker.demo.people import Person
from broker.domain.ids import RelyingPartyId
from broker.oidc_op.caller_proof import NO_PROOF, CallerProof
from broker.oidc_op.token import TokenResponse
from tests.flow.login_answers import Browser, read_redirect
from tests.flow.login_parties import REKENRIJK, with_party
from tests.flow.login_world import OIDC_CLIENTS, SANNE, LoginWorld

OFFLINE = "openid offline_access"
API = "https://api.rekenrijk.example/"


def register(
    world: LoginWorld,
    party: RelyingPartyId = REKENRIJK,
    supplier: str = "rekenrijk",
    **changes: Any,
) -> None:
    """Change what the document of a relying party says of it as a client."""
    record = world.records[supplier]
    (found,) = [each for each in record.relying_parties if each.id == party]
    world.put(supplier, with_party(record, party, protocol=replace(found.protocol, **changes)))


async def a_code(
    world: LoginWorld, party: str = REKENRIJK, person: Person = SANNE, **request: Any
) -> str:
    """Let a person log in; `request` changes the authorization request."""
    browser = Browser()
    at_school = await world.go_to_school(browser, party, person.school.id, **request)
    return read_redirect(await world.come_back(browser, at_school, person)).code


async def tokens(world: LoginWorld, party: str = REKENRIJK, **request: Any) -> TokenResponse:
    """Let Sanne log in and redeem the code."""
    return await world.redeem(await a_code(world, party, **request), party)


def form_of(world: LoginWorld, party: str = REKENRIJK, **fields: Any) -> Any:
    """Return a form with a client's fresh assertion, and nothing else but `fields`."""
    absent = {"redirect_uri": None, "code_verifier": None, "grant_type": None}
    form = world.token_form("", party, **{**absent, **fields})
    return [(name, value) for name, value in form if name != "code"]


async def refresh(
    world: LoginWorld,
    token: Any,
    party: str = REKENRIJK,
    *,
    proof: CallerProof = NO_PROOF,
    **fields: Any,
) -> TokenResponse:
    """Use a refresh token."""
    asked = {"grant_type": "refresh_token", "refresh_token": token, **fields}
    return await world.token.redeem(form_of(world, party, **asked), proof)


async def introspect(world: LoginWorld, token: Any, party: str = REKENRIJK) -> dict[str, object]:
    """Ask what a token is good for."""
    return dict(await world.status.introspect(form_of(world, party, token=token), NO_PROOF))


async def revoke(world: LoginWorld, token: Any, party: str = REKENRIJK) -> None:
    """End a token."""
    await world.status.revoke(form_of(world, party, token=token), NO_PROOF)


async def userinfo(world: LoginWorld, token: str) -> Any:
    """Ask userinfo with a token in the header."""
    return await world.token.userinfo([], CallerProof(f"Bearer {token}"))


def public_form(world: LoginWorld, party: str = REKENRIJK, **fields: Any) -> Any:
    """Return the form of a client that has nothing to prove who it is."""
    client_id = OIDC_CLIENTS[party]  # type: ignore[index]
    return [("client_id", client_id), *((name, each) for name, each in fields.items())]
