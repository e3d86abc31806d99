"""Signed requests at registered addresses: asked once in a while, and shared by who comes."""

import asyncio
import gzip

import pytest

from broker.adapters.calls import request_places
from broker.adapters.calls.http_fetch import Fetcher
from broker.adapters.calls.request_places import (
    FRESH_SECONDS,
    TRY_AGAIN_SECONDS,
    PublishedRequests,
)
from broker.flow.ports import SchoolUnanswered
from broker.jose.tokens import MAX_TOKEN_CHARS
from tests.adapters.answering_server import an_answer, answering

PLACE = "https://rekenrijk.example/object.jwt"


class Publisher:
    """A fetcher whose answer a test sets; None is none."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.publishes: bytes | None = b"e30.e30.AA"
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def get(self, url: str, *, headers: dict[str, str]) -> bytes:
        self.asked.append(url)
        assert headers == {"Accept": "application/oauth-authz-req+jwt, application/jwt"}
        await self.may_answer.wait()
        if self.publishes is None:
            raise SchoolUnanswered
        return self.publishes


@pytest.fixture
def publisher() -> Publisher:
    return Publisher()


@pytest.fixture
def places(publisher: Publisher) -> PublishedRequests:
    return PublishedRequests(publisher, read_seconds=lambda: publisher.now)  # type: ignore[arg-type]


async def test_an_object_is_kept_for_a_while(
    publisher: Publisher, places: PublishedRequests
) -> None:
    assert await places.fetch(PLACE) == "e30.e30.AA"
    publisher.publishes = b" e30.e30.BB\n"
    publisher.now += FRESH_SECONDS - 1
    assert await places.fetch(PLACE) == "e30.e30.AA"
    publisher.now += 1
    assert await places.fetch(PLACE) == "e30.e30.BB"
    assert publisher.asked == [PLACE] * 2


@pytest.mark.parametrize("said", [None, b"", b" \n", b"\xff", b"x" * (MAX_TOKEN_CHARS + 1)])
async def test_what_is_no_object_is_not_asked_for_at_once_again(
    publisher: Publisher, places: PublishedRequests, said: bytes | None
) -> None:
    publisher.publishes = said
    for _ in range(5):
        with pytest.raises(SchoolUnanswered):
            await places.fetch(PLACE)
    assert len(publisher.asked) == 1
    publisher.now += TRY_AGAIN_SECONDS
    publisher.publishes = b"x" * MAX_TOKEN_CHARS
    assert await places.fetch(PLACE)


async def test_an_old_object_is_not_given_when_there_is_none_now(
    publisher: Publisher, places: PublishedRequests
) -> None:
    await places.fetch(PLACE)
    publisher.publishes = None
    publisher.now += FRESH_SECONDS
    with pytest.raises(SchoolUnanswered):
        await places.fetch(PLACE)


async def test_who_comes_meanwhile_gets_the_same_answer(
    publisher: Publisher, places: PublishedRequests
) -> None:
    publisher.may_answer.clear()
    readers = [asyncio.create_task(places.fetch(PLACE)) for _ in range(5)]
    await asyncio.sleep(0)
    publisher.may_answer.set()
    assert await asyncio.gather(*readers) == ["e30.e30.AA"] * 5
    assert len(publisher.asked) == 1


async def test_so_many_places_are_kept(
    publisher: Publisher, places: PublishedRequests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_places, "MAX_PLACES", 2)
    for name in ("a", "b", "a", "c", "a"):
        await places.fetch(PLACE + name)
    assert [each[-1] for each in publisher.asked] == ["a", "b", "c"]


async def test_a_decompression_bomb_stays_packed() -> None:
    """Whoever packs what we asked for plain sends bytes that are no object."""
    bomb = gzip.compress(b"e30.e30." + b"A" * 50_000_000)
    say = an_answer(bomb, headers=("Content-Encoding: gzip",))
    fetcher = Fetcher(allowed_hosts=("127.0.0.1",), timeout_seconds=10)
    async with answering(say) as server:
        with pytest.raises(SchoolUnanswered):
            await PublishedRequests(fetcher).fetch(server.url)
        assert b"Accept-Encoding: identity" in server.heads[0]
    await fetcher.close()
