"""A proof of possession counts once among workers that share a Redis, also when they race."""

import asyncio
import secrets
from pathlib import Path

import pytest

from broker.adapters.login_store.redis_store import EPOCH_KEY, RedisLoginStore
from broker.oidc_op.caller_proof import CallerProof
from tests.adapters.test_redis_store import FROM_LONG_AGO
from tests.flow.test_sender_proofs import a_client, claim, prove, senders_on
from tests.proof_builders import OTHER_DPOP_KEY, a_dpop_proof
from tests.redis_server import PROGRAMS, running_redis


@pytest.mark.servers
@pytest.mark.parametrize("program", PROGRAMS)
async def test_of_workers_that_race_with_one_proof_one_gives(tmp_path: Path, program: str) -> None:
    with running_redis(tmp_path, program=program) as server:
        stores = [
            RedisLoginStore(
                server.address, mark=None, random=secrets.token_bytes, report=lambda _: None
            )
            for _ in range(4)
        ]
        await stores[0].check()
        await server.ask("EVAL", FROM_LONG_AGO, 1, EPOCH_KEY, await server.ask("GET", EPOCH_KEY))
        for each in stores:
            await each.check()
        workers = [senders_on(each) for each in stores]
        proof = CallerProof(dpop=(a_dpop_proof(),))
        raced = await asyncio.gather(
            *(claim(state, prove(a_client(), proof, senders=each).once) for each, state in workers)
        )
        assert raced.count(None) == 1
        assert {str(each) for each in raced if each} == {"E-OIDC-60 check_proof_id_once"}
        fresh = (a_dpop_proof(jti="proof-2"), a_dpop_proof(key=OTHER_DPOP_KEY))
        for each in fresh:
            once = prove(a_client(), CallerProof(dpop=(each,))).once
            assert await claim(workers[0][1], once) is None
        for store in stores:
            await store.close()
