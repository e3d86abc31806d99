"""Every token that we sign or give, shown at every door: each opens its own alone.

RFC 8725 3.11 and 3.12, RFC 9068 4, Back-Channel Logout 1.0 2.6: tokens of one signer are told apart
by type and content, or a party that got one for one purpose would use it for another.
"""

import base64
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from broker.domain.federation import SupplierApi
from broker.domain.refusals import Refusal
from broker.flow.authorization_requests import RefusedRequest
from broker.oidc_op.caller_proof import NO_PROOF
from broker.oidc_op.logout import build_logout_token
from tests import builders_oidc as oidc
from tests.flow.conftest import world
from tests.flow.login_answers import Browser, read_redirect
from tests.flow.login_parties import BIOSFEER_OIDC, REKENRIJK
from tests.flow.login_world import LoginWorld
from tests.flow.pushing import an_object, by_value, read
from tests.flow.token_desk import (
    API,
    OFFLINE,
    a_code,
    form_of,
    introspect,
    refresh,
    register,
    tokens,
    userinfo,
)

__all__ = ["world"]

LOGOUT_SID = "s" * 43
Door = Callable[[LoginWorld, str], Awaitable[bool]]


def claims_in(token: str) -> dict[str, object]:
    """Return what a token of ours says, unverified."""
    segment = token.split(".")[1]
    found = msgspec.json.decode(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return dict(found)


async def every_token(world: LoginWorld) -> dict[str, str]:
    """Return one of each, all of one pupil and client."""
    register(world, access_tokens="jwt", refresh_hours=24, userinfo_algorithm="ES256")
    given = await tokens(world, scope=OFFLINE)
    world.change("rekenrijk", apis=(SupplierApi(id="api", resource=API),))
    for_api = await tokens(world, resource=API)
    register(world, access_tokens="opaque")
    opaque = await tokens(world)
    signed_userinfo = await userinfo(world, opaque.access_token)
    return {
        "code": await a_code(world),
        "id token": given.id_token,
        "signed access token": given.access_token,
        "opaque access token": opaque.access_token,
        "access token for an API": for_api.access_token,
        "its jti": str(claims_in(given.access_token)["jti"]),
        "refresh token": str(given.refresh_token),
        "family": str(given.refresh_token).partition(".")[0],
        "userinfo": signed_userinfo,
        "logout token": build_logout_token(
            client_id=oidc.CLIENT_ID,
            subject=str(claims_in(given.id_token)["sub"]),
            sid=LOGOUT_SID,
            issuer=oidc.ISSUER,
            key=oidc.BROKER_KEY,
            now=world.now,
            jti="jti",
        ),
        "request object": an_object(world),
        "client assertion": dict(form_of(world))["client_assertion"],
    }


async def at_userinfo(world: LoginWorld, token: str) -> bool:
    return bool(await userinfo(world, token))


async def as_code(world: LoginWorld, token: str) -> bool:
    return bool(await world.redeem(token))


async def as_refresh_token(world: LoginWorld, token: str) -> bool:
    return bool(await refresh(world, token))


async def as_hint(world: LoginWorld, token: str) -> bool:
    answer = await world.begin(Browser(), REKENRIJK, id_token_hint=token, prompt="none")
    return read_redirect(answer).error == "login_required"  # a hint that is none is refused


async def as_request(world: LoginWorld, token: str) -> bool:
    return not isinstance(await read(world, by_value(token)), RefusedRequest)


async def as_assertion(world: LoginWorld, token: str) -> bool:
    form = dict(form_of(world, token="x"))
    form["client_assertion"] = token
    return bool(await world.status.introspect(list(form.items()), NO_PROOF))


async def asked_by_its_supplier(world: LoginWorld, token: str) -> bool:
    return bool((await introspect(world, token))["active"])


async def asked_by_another_supplier(world: LoginWorld, token: str) -> bool:
    return bool((await introspect(world, token, BIOSFEER_OIDC))["active"])


ACCESS = {"signed access token", "opaque access token", "access token for an API"}
DOORS: dict[str, tuple[Door, set[str]]] = {
    "userinfo": (at_userinfo, ACCESS - {"access token for an API"}),
    "code": (as_code, {"code"}),
    "refresh": (as_refresh_token, {"refresh token"}),
    "hint": (as_hint, {"id token"}),
    "request": (as_request, {"request object"}),
    "assertion": (as_assertion, {"client assertion"}),
    "its own supplier": (asked_by_its_supplier, {*ACCESS, "refresh token"}),
    "another supplier": (asked_by_another_supplier, set()),
}


@pytest.mark.parametrize("door", DOORS)
async def test_a_token_opens_its_own_door_alone(world: LoginWorld, door: str) -> None:
    shown_at, own = DOORS[door]
    opened = set()
    for name, token in (await every_token(world)).items():
        try:
            if await shown_at(world, token):
                opened.add(name)
        except Refusal:
            continue
    assert opened == own
