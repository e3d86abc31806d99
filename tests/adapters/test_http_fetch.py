"""Calls to other parties: one good answer, and everything else is no answer."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from broker.adapters.calls import http_fetch
from broker.adapters.calls.egress_guard import is_public
from broker.adapters.calls.http_connection import MAX_ANSWER_BYTES
from broker.adapters.calls.http_fetch import Fetcher
from broker.flow.ports import SchoolUnanswered
from tests.adapters.answering_server import Answering, an_answer, answering

HERE = ("127.0.0.1", "localhost")


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    made = Fetcher(allowed_hosts=HERE, timeout_seconds=10)
    yield made
    await made.close()


async def test_the_body_of_a_good_answer_comes_back(fetcher: Fetcher) -> None:
    async with answering(an_answer(b'{"keys": []}')) as server:
        assert await fetcher.get(server.url, headers={"X-A": "b"}) == b'{"keys": []}'
    (head,) = server.heads
    assert head.startswith(b"GET /answer HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}\r\n".encode() in head
    assert b"X-A: b\r\n" in head
    assert b"Accept-Encoding: identity\r\n" in head


async def test_a_form_is_posted(fetcher: Fetcher) -> None:
    async with answering(an_answer(b"ok")) as server:
        answer = await fetcher.post_form(server.url, headers={}, form={"code": "a b&c"})
    assert answer == b"ok"
    assert b"POST /answer HTTP/1.1\r\n" in server.heads[0]
    assert b"Content-Type: application/x-www-form-urlencoded\r\n" in server.heads[0]
    assert b"Content-Length: 12\r\n" in server.heads[0]  # code=a+b%26c


@pytest.mark.parametrize("status", ["201 Created", "400 Bad Request", "404 Not Found", "500 Oops"])
async def test_any_other_status_is_no_answer(fetcher: Fetcher, status: str) -> None:
    async with answering(an_answer(status=status)) as server:
        with pytest.raises(SchoolUnanswered):
            await fetcher.get(server.url, headers={})


async def test_no_content_is_an_empty_answer(fetcher: Fetcher) -> None:
    """OpenID Connect Back-Channel Logout 2.8: some servers say it instead of 200."""
    async with answering(an_answer(status="204 No Content")) as server:
        assert await fetcher.get(server.url, headers={}) == b""


async def test_an_answer_at_the_limit_is_read(fetcher: Fetcher) -> None:
    async with answering(an_answer(b"x" * MAX_ANSWER_BYTES)) as server:
        assert len(await fetcher.get(server.url, headers={})) == MAX_ANSWER_BYTES


@pytest.mark.parametrize("said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Le"])
async def test_what_is_no_http_is_no_answer(fetcher: Fetcher, said: bytes) -> None:
    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(said)

    async with answering(say) as server:
        with pytest.raises(SchoolUnanswered):
            await fetcher.get(server.url, headers={})


async def test_a_closed_port_is_no_answer(fetcher: Fetcher) -> None:
    async with answering(an_answer()) as server:
        url = server.url
    with pytest.raises(SchoolUnanswered):
        await fetcher.get(url, headers={})


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "https://",
        "http://127.0.0.1:99999/", "http://127.0.0.1:x/", "http://[::1/",
        "http://127.0.0.1/\r\nX: y",
        "https://ü.invalid/", "http://nobody.invalid/", "https://nobody.invalid/",
    ],
)  # fmt: skip
async def test_an_address_that_no_request_can_go_to_is_no_answer(
    fetcher: Fetcher, url: str
) -> None:
    with pytest.raises(SchoolUnanswered):
        await fetcher.get(url, headers={})


@pytest.mark.parametrize("value", ["a\r\nb: c", "é", "\x00"])
async def test_a_header_that_no_request_can_hold_is_no_answer(fetcher: Fetcher, value: str) -> None:
    async with answering(an_answer()) as server:
        with pytest.raises(SchoolUnanswered):
            await fetcher.get(server.url, headers={"Authorization": f"Bearer {value}"})


async def test_plain_http_is_for_allowed_loopback_alone() -> None:
    strict = Fetcher(allowed_hosts=(), timeout_seconds=10)
    async with answering(an_answer()) as server:
        with pytest.raises(SchoolUnanswered):
            await strict.get(server.url, headers={})
    assert server.heads == []
    await strict.close()


async def test_one_host_gets_so_many_calls_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_fetch, "MAX_CALLS_TO_ONE_HOST", 2)
    fetcher = Fetcher(allowed_hosts=HERE, timeout_seconds=10)
    go_on = asyncio.Event()

    async def say_later(writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        await an_answer()(writer)

    async with answering(say_later) as slow, answering(an_answer()) as other:
        calls = [asyncio.create_task(fetcher.get(slow.url, headers={})) for _ in range(5)]
        other_url = other.url.replace("127.0.0.1", "localhost")
        await wait_for_heads(slow, 2)
        assert await fetcher.get(other_url, headers={}) == b"{}"
        assert len(slow.heads) == 2
        go_on.set()
        assert await asyncio.gather(*calls) == [b"{}"] * 5
    await fetcher.close()


async def wait_for_heads(server: Answering, count: int) -> None:
    while len(server.heads) < count:
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:4700:4700::1111", "2002:5db8:d822::1", "64:ff9b::5db8:d822"]
)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "198.18.0.1",
        "::", "::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::10.0.0.1",
        "2002:7f00:1::", "2002:a00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1",
        "ff02::1", "2001:db8::1", "2001:0:7f00:1::", "100::1", "4000::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)
