"""Published keys: fetched when due, shared while under way, the last good ones kept."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from broker.adapters.calls import party_keys
from broker.adapters.calls.party_keys import (
    ASK_AGAIN_AFTER,
    FRESH,
    TRY_AGAIN_AFTER,
    PublishedKeys,
    RegisteredClientKeys,
    SchoolEndpoints,
)
from broker.domain.ids import SchoolIdpId
from broker.flow.ports import SchoolUnanswered
from broker.jose.keys import KeySet, parse_key_set
from tests.builders_oidc import an_oidc_client, jwks_of, make_key, school_endpoints

ADDRESS = "https://keys.example/jwks"
OLD, NEW = jwks_of(make_key()), jwks_of(make_key())
SECOND = timedelta(seconds=1)


class Publisher:
    """A fetcher whose answer a test sets; None is none."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, tzinfo=UTC)
        self.publishes: str | bytes | None = OLD
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def get(self, url: str, *, headers: object) -> bytes:
        self.asked += 1
        await self.may_answer.wait()
        if self.publishes is None:
            raise SchoolUnanswered
        said = self.publishes
        return said if isinstance(said, bytes) else said.encode()

    async def post_form(self, url: str, *, headers: object, form: object) -> bytes:
        return f"posted to {url}".encode()


@pytest.fixture
def publisher() -> Publisher:
    return Publisher()


@pytest.fixture
def published(publisher: Publisher) -> PublishedKeys:
    return PublishedKeys(publisher, read_seconds=lambda: publisher.now.timestamp())  # type: ignore[arg-type]


async def test_keys_are_asked_once_while_fresh(
    publisher: Publisher, published: PublishedKeys
) -> None:
    assert await published.read(ADDRESS, refresh=False) == OLD
    publisher.now += FRESH
    assert await published.read(ADDRESS, refresh=False) == OLD
    assert publisher.asked == 1


def test_freshness_is_measured_by_a_clock_that_never_goes_back(publisher: Publisher) -> None:
    assert PublishedKeys(publisher)._read_seconds is time.monotonic  # type: ignore[arg-type]


async def test_stale_keys_are_asked_anew(publisher: Publisher, published: PublishedKeys) -> None:
    await published.read(ADDRESS, refresh=False)
    publisher.now += FRESH + SECOND
    publisher.publishes = NEW
    assert await published.read(ADDRESS, refresh=False) == NEW


@pytest.mark.parametrize("said", [None, "", "no json", '{"keys": []}', b"\xff", '{"keys": "x"}'])
async def test_the_last_good_keys_outlive_a_bad_answer(
    publisher: Publisher, published: PublishedKeys, said: str | bytes | None
) -> None:
    await published.read(ADDRESS, refresh=False)
    publisher.now += FRESH + SECOND
    publisher.publishes = said
    assert await published.read(ADDRESS, refresh=False) == OLD


async def test_an_unknown_key_asks_anew_within_bounds(
    publisher: Publisher, published: PublishedKeys
) -> None:
    await published.read(ADDRESS, refresh=False)
    publisher.publishes = NEW
    assert await published.read(ADDRESS, refresh=True) == OLD
    publisher.now += ASK_AGAIN_AFTER + SECOND
    assert await published.read(ADDRESS, refresh=True) == NEW
    assert publisher.asked == 2


async def test_whoever_comes_while_it_is_asked_gets_that_answer(
    publisher: Publisher, published: PublishedKeys
) -> None:
    publisher.may_answer.clear()
    readers = [asyncio.create_task(published.read(ADDRESS, refresh=False)) for _ in range(5)]
    await asyncio.sleep(0)
    publisher.may_answer.set()
    assert await asyncio.gather(*readers) == [OLD] * 5
    assert publisher.asked == 1


async def test_at_a_roll_over_every_login_gets_the_new_keys(
    publisher: Publisher, published: PublishedKeys
) -> None:
    await published.read(ADDRESS, refresh=False)
    publisher.now += ASK_AGAIN_AFTER + SECOND
    publisher.publishes = NEW
    publisher.may_answer.clear()
    readers = [asyncio.create_task(published.read(ADDRESS, refresh=True)) for _ in range(3)]
    await asyncio.sleep(0)
    publisher.may_answer.set()
    assert await asyncio.gather(*readers) == [NEW] * 3


async def test_a_silent_address_is_no_hammer(
    publisher: Publisher, published: PublishedKeys
) -> None:
    publisher.publishes = None
    for _ in range(10):
        with pytest.raises(SchoolUnanswered):
            await published.read(ADDRESS, refresh=True)
    assert publisher.asked == 1
    publisher.now += TRY_AGAIN_AFTER + SECOND
    publisher.publishes = OLD
    assert await published.read(ADDRESS, refresh=False) == OLD


async def test_one_address_says_nothing_about_another(
    publisher: Publisher, published: PublishedKeys
) -> None:
    await published.read(ADDRESS, refresh=False)
    publisher.publishes = None
    with pytest.raises(SchoolUnanswered):
        await published.read(ADDRESS + "2", refresh=False)


async def test_so_many_addresses_are_kept(
    publisher: Publisher, published: PublishedKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(party_keys, "MAX_ADDRESSES", 2)
    for name in ("a", "b", "a", "c"):
        await published.read(ADDRESS + name, refresh=False)
    assert publisher.asked == 3
    await published.read(ADDRESS + "a", refresh=False)
    assert publisher.asked == 3
    await published.read(ADDRESS + "b", refresh=False)
    assert publisher.asked == 4


class TestClients:
    async def test_keys_in_the_document_are_not_fetched(
        self, publisher: Publisher, published: PublishedKeys
    ) -> None:
        found = await RegisteredClientKeys(published).find(an_oidc_client(jwks=NEW))
        assert found == parse_key_set(NEW)
        assert publisher.asked == 0

    async def test_keys_at_an_address_are(
        self, publisher: Publisher, published: PublishedKeys
    ) -> None:
        client = an_oidc_client(jwks=None, jwks_uri=ADDRESS)
        keys = RegisteredClientKeys(published)
        assert await keys.find(client) == parse_key_set(OLD)
        publisher.publishes = NEW
        assert await keys.find(client, refresh=True) == parse_key_set(OLD)  # too soon
        publisher.now += ASK_AGAIN_AFTER + SECOND
        assert await keys.find(client, refresh=True) == parse_key_set(NEW)

    @pytest.mark.parametrize(
        "keys", [{"jwks": "broken"}, {"jwks": None, "jwks_uri": ADDRESS}, {"jwks": None}]
    )
    async def test_without_usable_keys_nothing_verifies(
        self, publisher: Publisher, published: PublishedKeys, keys: dict[str, str | None]
    ) -> None:
        publisher.publishes = None
        assert await RegisteredClientKeys(published).find(an_oidc_client(**keys)) == KeySet()


class TestSchools:
    @pytest.fixture
    def endpoints(self, publisher: Publisher, published: PublishedKeys) -> SchoolEndpoints:
        return SchoolEndpoints(
            publisher,  # type: ignore[arg-type]
            published=published,
            read_secret={SchoolIdpId("kompas"): "secret"}.get,
        )

    async def test_calls_go_to_the_fetcher(self, endpoints: SchoolEndpoints) -> None:
        assert await endpoints.get(ADDRESS, headers={}) == OLD.encode()
        assert await endpoints.post_form("u", headers={}, form={}) == b"posted to u"

    def test_a_secret_is_of_one_provider(self, endpoints: SchoolEndpoints) -> None:
        assert endpoints.client_secret(SchoolIdpId("kompas")) == "secret"
        assert endpoints.client_secret(SchoolIdpId("other")) is None
        assert "secret" not in repr(endpoints)

    async def test_keys_are_those_of_its_registered_address(
        self, endpoints: SchoolEndpoints
    ) -> None:
        there = school_endpoints(jwks=None, jwks_uri=ADDRESS)
        assert await endpoints.fetch_keys(there, refresh=False) == OLD
        with pytest.raises(SchoolUnanswered):
            await endpoints.fetch_keys(school_endpoints(jwks_uri=None), refresh=False)
