"""Logins of relying parties with a key: code, token and userinfo are for its owner alone."""

from typing import Any

import pytest

from broker.domain.refusals import Refusal
from broker.domain.relying_parties import CertificateName, CertificateNameKind
from broker.flow.sender_proofs import SenderNotProven
from broker.oidc_op.caller_proof import CallerProof
from broker.oidc_op.client_refusals import ClientNotAuthenticated
from broker.oidc_op.dpop import DpopProofRefused, DpopProofRefusedByResource
from broker.oidc_op.request_checks import ParameterRefused
from broker.oidc_op.token import GrantRefused, TokenResponse
from broker.oidc_op.userinfo import AccessTokenRefused
from tests import builders_oidc as oidc
from tests.flow import pushing
from tests.flow.login_answers import Browser, read_redirect
from tests.flow.login_world import LoginWorld
from tests.proof_builders import DPOP_KEY, OTHER_DPOP_KEY, a_certificate, a_dpop_proof

USERINFO = f"{oidc.ISSUER}/oidc/userinfo"
PUSH = f"{oidc.ISSUER}/oidc/par"


def proof_of(world: LoginWorld, authorization: str | None = None, **changes: Any) -> CallerProof:
    fields = {"jti": world.random(8).hex(), "now": world.now, **changes}
    return CallerProof(authorization, dpop=(a_dpop_proof(**fields),))


async def redeem(world: LoginWorld, code: str, proof: CallerProof) -> TokenResponse:
    return await world.token.redeem(world.token_form(code), proof)


async def show(world: LoginWorld, token: str, *, scheme: str = "DPoP", **changes: Any) -> Any:
    fields = {"htm": "GET", "htu": USERINFO, "access_token": token, **changes}
    proof = proof_of(world, f"{scheme} {token}", **fields)
    return await world.token.userinfo([], proof)


async def log_in(world: LoginWorld, **changes: Any) -> str:
    """Return the code of a login whose request has these changes."""
    browser = Browser()
    at_school = await world.go_to_school(browser, **changes)
    return read_redirect(await world.come_back(browser, at_school)).code


async def test_a_token_is_for_who_has_the_key(world: LoginWorld) -> None:
    tokens = await redeem(world, await log_in(world), proof_of(world))
    assert tokens.token_type == "DPoP"
    assert (await show(world, tokens.access_token))["sub"]
    with pytest.raises(DpopProofRefusedByResource, match="check_proof_key_bound"):
        await show(world, tokens.access_token, key=OTHER_DPOP_KEY)
    with pytest.raises(AccessTokenRefused, match="check_token_shown_as_given"):
        await show(world, tokens.access_token, scheme="Bearer")


async def test_a_token_of_nobodys_key_is_not_shown_with_one(world: LoginWorld) -> None:
    tokens = await world.redeem(await log_in(world))
    assert tokens.token_type == "Bearer"
    with pytest.raises(AccessTokenRefused, match="check_token_shown_as_given"):
        await show(world, tokens.access_token)


async def test_a_proof_that_was_used_takes_the_code_with_it(world: LoginWorld) -> None:
    codes = [await log_in(world) for _ in range(2)]
    proof = proof_of(world)
    assert await redeem(world, codes[0], proof)
    with pytest.raises(DpopProofRefused, match="check_proof_id_once"):
        await redeem(world, codes[1], proof)
    with pytest.raises(GrantRefused, match="check_code_used_once"):
        await redeem(world, codes[1], proof_of(world))


async def test_a_bad_proof_uses_nothing_up(world: LoginWorld) -> None:
    code = await log_in(world)
    with pytest.raises(DpopProofRefused, match="check_proof_address"):
        await redeem(world, code, proof_of(world, htu=USERINFO))
    assert await redeem(world, code, proof_of(world))


async def test_a_proof_shown_twice_at_userinfo(world: LoginWorld) -> None:
    tokens = await redeem(world, await log_in(world), proof_of(world))
    fields = {"htm": "GET", "htu": USERINFO, "access_token": tokens.access_token}
    proof = proof_of(world, f"DPoP {tokens.access_token}", **fields)
    assert await world.token.userinfo([], proof)
    with pytest.raises(DpopProofRefusedByResource, match="check_proof_id_once"):
        await world.token.userinfo([], proof)


async def test_it_costs_one_trip_more_where_the_client_asks(world: LoginWorld) -> None:
    code, bound = await log_in(world), await log_in(world)
    world.faults.start()
    await world.redeem(code)
    plain = list(world.faults.calls)
    world.faults.start()
    await redeem(world, bound, proof_of(world))
    assert len(world.faults.calls) == len(plain) + 1


async def test_a_code_that_was_asked_for_by_a_key(world: LoginWorld) -> None:
    codes = [await log_in(world, dpop_jkt=DPOP_KEY.kid) for _ in range(3)]
    assert await redeem(world, codes[0], proof_of(world))
    with pytest.raises(GrantRefused, match="check_code_bound"):
        await redeem(world, codes[1], proof_of(world, key=OTHER_DPOP_KEY))
    with pytest.raises(GrantRefused, match="check_code_bound"):
        await world.redeem(codes[2])


@pytest.mark.parametrize("jkt", ["x", "A" * 42, "A" * 44, "=" * 43])
async def test_a_key_is_named_by_its_thumbprint(world: LoginWorld, jkt: str) -> None:
    with pytest.raises(ParameterRefused, match="check_dpop_thumbprint_form"):
        world.ask(dpop_jkt=jkt)
    assert world.ask(dpop_jkt=DPOP_KEY.kid).dpop_jkt == DPOP_KEY.kid


@pytest.mark.parametrize("names_it", [False, True])
async def test_a_request_that_is_pushed_with_a_proof(world: LoginWorld, names_it: bool) -> None:
    named = DPOP_KEY.kid if names_it else None
    form = pushing.push_form(world, pushing.a_request(dpop_jkt=named))
    pushed = await world.pushed.push(form, proof_of(world, htu=PUSH))
    asked = await pushing.read(world, pushing.by_reference(pushed.request_uri))
    assert asked.dpop_jkt == DPOP_KEY.kid


async def test_a_request_that_names_another_key_than_its_proof(world: LoginWorld) -> None:
    form = pushing.push_form(world, pushing.a_request(dpop_jkt=OTHER_DPOP_KEY.kid))
    with pytest.raises(DpopProofRefused, match="check_pushed_key_equal"):
        await world.pushed.push(form, proof_of(world, htu=PUSH))
    form = pushing.push_form(world, pushing.a_request())
    with pytest.raises(DpopProofRefused, match="check_proof_address"):
        await world.pushed.push(form, proof_of(world))


async def test_a_proof_beside_a_push_counts_once(world: LoginWorld) -> None:
    proof = proof_of(world, htu=PUSH)
    assert await world.pushed.push(pushing.push_form(world, pushing.a_request()), proof)
    with pytest.raises(DpopProofRefused, match="check_proof_id_once"):
        await world.pushed.push(pushing.push_form(world, pushing.a_request()), proof)


async def test_a_client_of_bound_tokens_may_push_without_a_proof(world: LoginWorld) -> None:
    pushing.change_client(world, dpop_bound=True)
    assert await pushing.push(world)
    code = await log_in(world)
    with pytest.raises(SenderNotProven):
        await world.redeem(code)
    assert await redeem(world, code, proof_of(world))


async def test_a_certificate_authenticates_and_binds(world: LoginWorld) -> None:
    named = CertificateName(kind=CertificateNameKind.SUBJECT_DN, value="CN=rijk")
    pushing.change_client(
        world, authentication="tls_client_auth", certificate_name=named, certificate_bound=True
    )
    code = await log_in(world)
    form = oidc.a_token_request(code=code, client_id=oidc.CLIENT_ID)
    own, other = (a_certificate(subject=f"CN={each}", now=world.now) for each in ("rijk", "other"))
    for certificate in (None, other):
        with pytest.raises(ClientNotAuthenticated):
            await world.token.redeem(form, CallerProof(certificate=certificate))
    tokens = await world.token.redeem(form, CallerProof(certificate=own))
    bearer = f"Bearer {tokens.access_token}"
    assert await world.token.userinfo([], CallerProof(bearer, certificate=own))
    renewed = a_certificate(subject="CN=rijk", now=world.now)
    for certificate in (None, other, renewed):
        with pytest.raises(Refusal, match="check_certificate_bound"):
            await world.token.userinfo([], CallerProof(bearer, certificate=certificate))


async def test_a_client_that_is_switched_off_shows_its_certificate_for_nothing(
    world: LoginWorld,
) -> None:
    named = CertificateName(kind=CertificateNameKind.SUBJECT_DN, value="CN=rijk")
    pushing.change_client(world, authentication="tls_client_auth", certificate_name=named)
    form = oidc.a_token_request(code=await log_in(world), client_id=oidc.CLIENT_ID)
    proof = CallerProof(certificate=a_certificate(subject="CN=rijk", now=world.now))
    world.change("rekenrijk", enabled=False)
    with pytest.raises(ClientNotAuthenticated, match="check_client_enabled"):
        await world.token.redeem(form, proof)
    world.change("rekenrijk", enabled=True)
    assert await world.token.redeem(form, proof)
