"""To which key a token is bound, and who may show it."""

import asyncio
from datetime import datetime, timedelta

import pytest

from broker.adapters.login_store.memory import MemoryLoginStore
from broker.domain.refusals import Refusal
from broker.flow.client_login import UsedOnce
from broker.flow.dpop_nonces import STEP_SECONDS, DpopNonces
from broker.flow.held_state.handles import StorageKey
from broker.flow.held_state.login_store import ClaimedBefore, LoginStore
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.sender_proofs import ProvenSender, SenderNotProven, SenderProofs
from broker.oidc_op.caller_proof import NO_PROOF, CallerProof
from broker.oidc_op.client_certificates import thumbprint_of
from broker.oidc_op.clients import KnownClient, find_client
from broker.oidc_op.discovery import Endpoints
from broker.oidc_op.dpop import (
    DpopNonceRequired,
    DpopNonceRequiredByResource,
    DpopProofRefused,
    DpopProofRefusedByResource,
)
from broker.oidc_op.presented_tokens import PresentedToken
from broker.oidc_op.sender_keys import BEARER, SenderKey, build_confirmation
from broker.oidc_op.userinfo import AccessTokenRefused
from tests.builders_oidc import CLIENT_ID, ISSUER, NOW, a_registry, an_oidc_client
from tests.flow.sealed_builders import CountingRandom
from tests.proof_builders import DPOP_KEY, OTHER_DPOP_KEY, a_certificate, a_dpop_proof

KEYS = (StorageKey(bytes(32)), StorageKey(bytes([1] * 32), "b"))
USERINFO = f"{ISSUER}/oidc/userinfo"
CLIENTS = "https://clients.example"
BOUND = SenderKey(jkt=DPOP_KEY.kid)


def senders_on(store: LoginStore) -> tuple[SenderProofs, SealedState]:
    state = SealedState(store, storage_keys=KEYS, issuer=ISSUER, random=CountingRandom())
    names = (Endpoints(ISSUER), Endpoints(CLIENTS))
    return SenderProofs(endpoints=names, state=state, nonces=DpopNonces(KEYS)), state


SENDERS, STATE = senders_on(MemoryLoginStore(monotonic=lambda: 0.0))


def a_client(**changes: object) -> KnownClient:
    return find_client(CLIENT_ID, registry=a_registry(an_oidc_client(**changes)))


def prove(
    client: KnownClient,
    proof: CallerProof,
    *,
    required: bool = True,
    now: datetime = NOW,
    senders: SenderProofs | None = None,
) -> ProvenSender:
    return (senders or SENDERS).prove(
        client, proof, endpoint=lambda each: each.token, now=now, required=required
    )


def shown(token: str, *, key=DPOP_KEY, **changes: object) -> CallerProof:
    proof = a_dpop_proof(key=key, access_token=token, **{"htm": "GET", "htu": USERINFO, **changes})
    return CallerProof(f"DPoP {token}", dpop=(proof,))


def use(key: SenderKey, proof: CallerProof, *, scheme: str = "dpop", nonce=False) -> UsedOnce:
    return SENDERS.check_use(
        key,
        PresentedToken("token-1", scheme),
        proof,
        endpoint=lambda each: each.userinfo,
        method="GET",
        nonce_required=nonce,
        given_at=NOW - timedelta(seconds=5),
        now=NOW,
    )


# Where tokens are given -------------------------------------------------------------------------


def test_without_proof_a_token_is_for_its_bearer() -> None:
    assert prove(a_client(), NO_PROOF).key == BEARER
    assert build_confirmation(BEARER) is None
    assert (BEARER.token_type, bool(BEARER)) == ("Bearer", False)


def test_a_proof_binds_to_its_key() -> None:
    proven = prove(a_client(), CallerProof(dpop=(a_dpop_proof(),)))
    assert proven.key == BOUND
    assert build_confirmation(proven.key) == {"jkt": DPOP_KEY.kid}
    assert proven.key.token_type == "DPoP"
    assert len(proven.once.claims) == len(KEYS)


@pytest.mark.parametrize("name", [ISSUER, CLIENTS])
def test_a_proof_is_for_either_name_of_ours(name: str) -> None:
    assert prove(a_client(), CallerProof(dpop=(a_dpop_proof(htu=f"{name}/oidc/token"),)))


def test_a_bad_proof_gives_nothing_even_where_none_is_needed() -> None:
    with pytest.raises(DpopProofRefused, match="check_proof_method"):
        prove(a_client(), CallerProof(dpop=(a_dpop_proof(htm="GET"),)))
    with pytest.raises(DpopProofRefused, match="check_one_proof"):
        prove(a_client(), CallerProof(dpop=(a_dpop_proof(), a_dpop_proof(jti="other"))))


def test_a_certificate_binds_where_the_client_says_so() -> None:
    certificate = a_certificate()
    proof = CallerProof(certificate=certificate)
    assert prove(a_client(), proof).key == BEARER
    proven = prove(a_client(certificate_bound=True), proof)
    assert proven.key == SenderKey(x5t_s256=thumbprint_of(certificate.der))
    assert build_confirmation(proven.key) == {"x5t#S256": thumbprint_of(certificate.der)}
    assert proven.key.token_type == "Bearer"
    with pytest.raises(SenderNotProven):
        prove(a_client(certificate_bound=True), NO_PROOF)


def test_a_client_of_bound_tokens_gets_no_other() -> None:
    dpop = a_client(dpop_bound=True)
    assert prove(dpop, CallerProof(dpop=(a_dpop_proof(),))).key == BOUND
    for without in (NO_PROOF, CallerProof(certificate=a_certificate())):
        with pytest.raises(SenderNotProven, match="check_sender_proven"):
            prove(dpop, without)
    assert prove(dpop, NO_PROOF, required=False).key == BEARER  # a pushed request, RFC 9449 10.1


def test_a_profile_that_asks_for_bound_tokens_takes_either_key() -> None:
    fapi = a_client(profile="fapi2")
    assert prove(fapi, CallerProof(certificate=a_certificate())).key.x5t_s256
    with pytest.raises(SenderNotProven):
        prove(fapi, NO_PROOF)


def test_a_profile_that_asks_for_nonces_gives_them() -> None:
    fapi = a_client(profile="fapi2")
    for stale in (None, "x", SENDERS.give_nonce(NOW - timedelta(hours=1))):
        with pytest.raises(DpopNonceRequired):
            prove(fapi, CallerProof(dpop=(a_dpop_proof(nonce=stale),)))
    nonce = SENDERS.give_nonce(NOW)
    later = NOW + timedelta(seconds=2 * STEP_SECONDS)
    for now in (NOW, later):
        proof = CallerProof(dpop=(a_dpop_proof(nonce=nonce, now=now),))
        assert prove(fapi, proof, now=now).key == BOUND


def test_a_nonce_of_every_key_in_force_is_taken_and_of_no_other() -> None:
    old, both = DpopNonces(KEYS[:1]), DpopNonces(KEYS[::-1])
    assert old.give(NOW) in both.taken(NOW)
    assert both.give(NOW) in both.taken(NOW)
    assert both.give(NOW) not in old.taken(NOW)
    assert both.give(NOW + timedelta(seconds=STEP_SECONDS)) in both.taken(NOW)
    assert both.give(NOW + timedelta(seconds=3 * STEP_SECONDS)) not in both.taken(NOW)


# Where tokens are used --------------------------------------------------------------------------


def test_who_has_the_key_may_show_the_token() -> None:
    assert use(BOUND, shown("token-1")).claims
    assert use(BEARER, CallerProof("Bearer token-1"), scheme="bearer") == UsedOnce()


def test_a_bound_token_is_no_bearer_token_and_the_reverse() -> None:
    for key, proof, scheme in (
        (BOUND, CallerProof("Bearer token-1"), "bearer"),
        (BOUND, shown("token-1"), "bearer"),
        (BEARER, shown("token-1"), "dpop"),
        (SenderKey(x5t_s256="x"), shown("token-1"), "dpop"),
    ):
        with pytest.raises(AccessTokenRefused, match="check_token_shown_as_given"):
            use(key, proof, scheme=scheme)


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"key": OTHER_DPOP_KEY}, "check_proof_key_bound"),
        ({"htm": "POST"}, "check_proof_method"),
        ({"htu": f"{ISSUER}/oidc/token"}, "check_proof_address"),
        ({"ath": None}, "check_proof_access_token"),
        ({"iat": 1}, "check_proof_age"),
    ],
)
def test_who_lacks_the_key_may_not(changes: dict[str, object], check: str) -> None:
    with pytest.raises(DpopProofRefusedByResource, match=check) as caught:
        use(BOUND, shown("token-1", **changes))
    assert (caught.value.http_status, caught.value.oauth_error) == (401, "invalid_dpop_proof")


def test_a_proof_for_another_token_is_none() -> None:
    with pytest.raises(DpopProofRefusedByResource, match="check_proof_access_token"):
        use(BOUND, shown("token-2"))
    with pytest.raises(DpopProofRefusedByResource, match="check_one_proof"):
        use(BOUND, CallerProof("DPoP token-1"))


def test_a_nonce_is_asked_for_where_the_profile_does() -> None:
    with pytest.raises(DpopNonceRequiredByResource) as caught:
        use(BOUND, shown("token-1"), nonce=True)
    assert (caught.value.http_status, caught.value.oauth_error) == (401, "use_dpop_nonce")
    assert use(BOUND, shown("token-1", nonce=SENDERS.give_nonce(NOW)), nonce=True)


def test_a_token_of_a_certificate_comes_with_that_one() -> None:
    own, other = a_certificate(), a_certificate()
    key = SenderKey(x5t_s256=thumbprint_of(own.der))
    bearer = "Bearer token-1"
    assert use(key, CallerProof(bearer, certificate=own), scheme="bearer") == UsedOnce()
    for proof in (CallerProof(bearer), CallerProof(bearer, certificate=other)):
        with pytest.raises(AccessTokenRefused, match="check_certificate_bound"):
            use(key, proof, scheme="bearer")


# Once -------------------------------------------------------------------------------------------


async def claim(state: SealedState, once: UsedOnce) -> Refusal | None:
    try:
        await state.put(claims=once.claims)
    except ClaimedBefore as claimed:
        return once.refusal_of(claimed)
    return None


async def test_of_workers_that_race_with_one_proof_one_gives() -> None:
    store = MemoryLoginStore(monotonic=lambda: 0.0)
    proof = CallerProof(dpop=(a_dpop_proof(),))
    workers = [senders_on(store) for _ in range(4)]
    raced = await asyncio.gather(
        *(claim(state, prove(a_client(), proof, senders=each).once) for each, state in workers)
    )
    assert raced.count(None) == 1
    assert {str(each) for each in raced if each} == {"E-OIDC-60 check_proof_id_once"}
    another = CallerProof(dpop=(a_dpop_proof(jti="proof-2"),))
    of_another_key = CallerProof(dpop=(a_dpop_proof(key=OTHER_DPOP_KEY),))
    for each in (another, of_another_key):
        once = prove(a_client(), each).once
        assert await claim(workers[0][1], once) is None


async def test_a_proof_that_was_used_at_one_endpoint_is_used_at_all() -> None:
    _, state = senders_on(MemoryLoginStore(monotonic=lambda: 0.0))
    proof = shown("token-1")
    assert await claim(state, use(BOUND, proof)) is None
    refusal = await claim(state, use(BOUND, proof))
    assert isinstance(refusal, DpopProofRefusedByResource)


def test_a_proof_is_no_older_than_its_token_and_its_window() -> None:
    """So that a store that began to remember meanwhile knows whether it can have forgotten one."""
    claims = use(BOUND, shown("token-1")).claims
    assert {each.made_within_milliseconds for each in claims} == {5000}
    given = prove(a_client(), CallerProof(dpop=(a_dpop_proof(),))).once.claims
    assert {each.made_within_milliseconds for each in given} == {120_000}
