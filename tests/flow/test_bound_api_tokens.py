"""Tokens for our own API that are bound to a key of the program (RFC 9449, RFC 8705)."""

from typing import Any

import pytest

from broker.domain.federation import ApiScope
from broker.flow.programs.api_access import ApiTokenRefused, SchoolCaller, SupplierCaller
from broker.flow.sender_proofs import SenderNotProven
from broker.oidc_op.caller_proof import NO_PROOF, CallerProof
from broker.oidc_op.client_credentials import ApiTokenResponse
from broker.oidc_op.dpop import (
    DpopNonceRequired,
    DpopNonceRequiredByResource,
    DpopProofRefused,
    DpopProofRefusedByResource,
)
from tests import builders_oidc as oidc
from tests.flow.login_parties import SAML_SCHOOL
from tests.flow.login_world import LoginWorld
from tests.flow.test_api_access import PATH, PROGRAM, a_form, a_program
from tests.flow.token_desk import register
from tests.proof_builders import OTHER_DPOP_KEY, a_certificate, a_dpop_proof


def proof_of(world: LoginWorld, **changes: Any) -> CallerProof:
    """A proof for the token endpoint, used nowhere before."""
    fields = {"jti": world.random(8).hex(), "now": world.now, **changes}
    return CallerProof(dpop=(a_dpop_proof(**fields),))


def use_of(world: LoginWorld, token: str, **changes: Any) -> CallerProof:
    """A token with a proof for POST at an endpoint of the API."""
    fields = {"htu": oidc.ISSUER + PATH, "access_token": token, **changes}
    return CallerProof(f"DPoP {token}", dpop=proof_of(world, **fields).dpop)


async def grant(
    world: LoginWorld, proof: CallerProof, client: str = oidc.CLIENT_ID
) -> ApiTokenResponse:
    return await world.api.grant(a_form(world, client), proof)


async def admit(world: LoginWorld, proof: CallerProof) -> SchoolCaller | SupplierCaller:
    return await world.api.admit(proof, scope=None, method="POST", path=PATH)


def nonce_of(world: LoginWorld) -> str:
    return world.token._senders.give_nonce(world.now)


async def test_who_showed_a_key_alone_may_use_it(world: LoginWorld) -> None:
    given = await grant(world, proof_of(world))
    assert given.token_type == "DPoP"
    token = given.access_token
    assert isinstance(await admit(world, use_of(world, token)), SupplierCaller)
    for stolen in (
        use_of(world, token, key=OTHER_DPOP_KEY),
        use_of(world, token, htm="GET"),
        use_of(world, token, htu=f"{oidc.ISSUER}/api/takeover/map"),
        use_of(world, token, access_token="another"),
        CallerProof(f"DPoP {token}"),
    ):
        with pytest.raises(DpopProofRefusedByResource):
            await admit(world, stolen)
    with pytest.raises(ApiTokenRefused, match="check_token_shown_as_given"):
        await admit(world, CallerProof(f"Bearer {token}"))


async def test_a_proof_counts_once_on_both_ways(world: LoginWorld) -> None:
    asked = proof_of(world)
    given = await grant(world, asked)
    with pytest.raises(DpopProofRefused, match="check_proof_id_once"):
        await grant(world, asked)
    shown = use_of(world, given.access_token)
    assert await admit(world, shown)
    with pytest.raises(DpopProofRefusedByResource, match="check_proof_id_once"):
        await admit(world, shown)


async def test_an_unbound_one_is_no_dpop_token(world: LoginWorld) -> None:
    given = await grant(world, NO_PROOF)
    assert given.token_type == "Bearer"
    with pytest.raises(ApiTokenRefused, match="check_token_shown_as_given"):
        await admit(world, use_of(world, given.access_token))
    assert await admit(world, CallerProof(f"Bearer {given.access_token}"))


async def test_a_school_s_program_may_bind_its_own(world: LoginWorld) -> None:
    world.change(SAML_SCHOOL, api_clients=(a_program(),))
    given = await grant(world, proof_of(world), PROGRAM)
    assert given.token_type == "DPoP"
    with pytest.raises(ApiTokenRefused):
        await admit(world, CallerProof(f"Bearer {given.access_token}"))
    assert isinstance(await admit(world, use_of(world, given.access_token)), SchoolCaller)
    unbound = await grant(world, NO_PROOF, PROGRAM)
    assert unbound.token_type == "Bearer"
    assert await admit(world, CallerProof(f"Bearer {unbound.access_token}"))


@pytest.mark.parametrize("stated", [{"dpop_bound": True}, {"certificate_bound": True}])
async def test_who_must_bind_gets_none_without(world: LoginWorld, stated: dict[str, Any]) -> None:
    assert (await grant(world, NO_PROOF)).token_type == "Bearer"
    register(world, **stated)
    with pytest.raises(SenderNotProven, match="check_sender_proven"):
        await grant(world, NO_PROOF)
    assert (await grant(world, proof_of(world))).token_type == "DPoP"


async def test_fapi_binds_always_and_by_a_nonce_of_ours(world: LoginWorld) -> None:
    register(world, profile="fapi2")
    with pytest.raises(SenderNotProven, match="check_sender_proven"):
        await grant(world, NO_PROOF)
    with pytest.raises(DpopNonceRequired):
        await grant(world, proof_of(world))
    token = (await grant(world, proof_of(world, nonce=nonce_of(world)))).access_token
    with pytest.raises(DpopNonceRequiredByResource):
        await admit(world, use_of(world, token))
    assert await admit(world, use_of(world, token, nonce=nonce_of(world)))


async def test_over_its_certificate_alone(world: LoginWorld) -> None:
    register(world, certificate_bound=True)
    certificate = a_certificate(now=world.now)
    given = await grant(world, CallerProof(certificate=certificate))
    assert given.token_type == "Bearer"
    header = f"Bearer {given.access_token}"
    assert await admit(world, CallerProof(header, certificate=certificate))
    for stolen in (None, a_certificate(now=world.now)):
        with pytest.raises(ApiTokenRefused, match="check_certificate_bound"):
            await admit(world, CallerProof(header, certificate=stolen))


async def test_a_bound_one_costs_one_trip_more(world: LoginWorld) -> None:
    plain = (await grant(world, NO_PROOF)).access_token
    bound = (await grant(world, proof_of(world))).access_token
    world.faults.start()
    await admit(world, CallerProof(f"Bearer {plain}"))
    assert world.faults.calls == ["store.get"]
    world.faults.start()
    await world.api.admit(use_of(world, bound), scope=ApiScope.TAKEOVER, method="POST", path=PATH)
    assert world.faults.calls == ["store.get", "store.put"]
