"""A message about logging out counts once among workers that share a Redis, and not again when that
forgets: a store that began to remember lately takes none that may have been used before."""

import secrets
from datetime import timedelta
from pathlib import Path

import pytest

from broker.adapters.login_store.redis_store import EPOCH_KEY, RedisLoginStore
from broker.flow.refusals import StoreUnavailable
from broker.saml_xml.clock import CLOCK_SKEW
from broker.saml_xml.instants import format_instant
from broker.saml_xml.logout.refusals import SupplierLogoutUsed
from tests.adapters.test_redis_store import FROM_LONG_AGO
from tests.builders_logout import by_redirect
from tests.builders_saml import SUPPLIER_KEY
from tests.flow.login_answers import Browser
from tests.flow.login_world import LoginWorld
from tests.flow.test_saml_logout import SamlDesk
from tests.redis_server import RedisServer, running_redis


def a_message(desk: SamlDesk, message_id: str, *, age: timedelta = timedelta(0)) -> bytes:
    made = format_instant(desk.world.now - age)
    return by_redirect(desk.request(ID=message_id, IssueInstant=made), key=SUPPLIER_KEY)


async def let_it_be_old(server: RedisServer, stores: list[RedisLoginStore]) -> None:
    """As if the server had always been there, and remembered every claim."""
    await stores[0].check()
    await server.ask("EVAL", FROM_LONG_AGO, 1, EPOCH_KEY, await server.ask("GET", EPOCH_KEY))
    for each in stores:
        await each.check()


@pytest.mark.servers
async def test_a_message_is_replayed_at_no_worker_and_after_no_restart(
    tmp_path: Path, telling_values: frozenset[str]
) -> None:
    with running_redis(tmp_path) as server:
        stores = [
            RedisLoginStore(
                server.address, mark=None, random=secrets.token_bytes, report=lambda _: None
            )
            for _ in range(2)
        ]
        await let_it_be_old(server, stores)
        world = LoginWorld(telling_values)
        desks = []
        for each in stores:
            world.use(world.make_worker(each))
            desks.append(SamlDesk(world))
        one, other = desks
        message = a_message(one, "_once")
        assert await one.look(await one.receive(message), Browser())
        for each in desks:
            with pytest.raises(SupplierLogoutUsed):
                await each.receive(message)
        await server.ask("FLUSHALL")
        for store in stores:
            await store.check()
        for each in desks:
            with pytest.raises(StoreUnavailable):
                await each.receive(message)
        # By the supplier's clock, which may be ahead of ours, nobody can have used it before.
        assert await other.receive(a_message(other, "_surely-new", age=-CLOCK_SKEW))
        await let_it_be_old(server, stores)
        assert await other.receive(a_message(other, "_new"))
        for store in stores:
            await store.close()
