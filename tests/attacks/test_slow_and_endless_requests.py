"""Requests that never end, connections that never speak: each is ended, and honest ones pass.

The limits are small and the clock's are short, so that nothing here waits long; nothing asserts how
long it took. What the honest client does slowly it does within limits that never end.
"""

import asyncio
import contextlib

import pytest
from structlog.testing import capture_logs

from broker.adapters.serving import http_protocol
from broker.adapters.serving.http_limits import HttpLimits
from tests.adapters.small_server import (
    GIVE_UP_SECONDS,
    TOO_LARGE_BODY,
    Client,
    Running,
    a_get,
    a_post,
    limits,
    serving,
)

SOON_SECONDS = 0.05
CHUNKED_HEAD = b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"3e8\r\n" + b"x" * 1000 + b"\r\n"
SECRET = b"s3cret"


async def an_honest_client_is_served(one: Running) -> None:
    """Hold that somebody else is served meanwhile."""
    reply = await (await one.connect()).get("/honest")
    assert (reply.status, reply.body) == (200, b"/honest ")


async def send_without_end(client: Client, piece: bytes) -> None:
    """Send until the server hangs up."""
    with contextlib.suppress(ConnectionError):
        while not client.reader.at_eof():
            client.writer.write(piece)
            await client.writer.drain()
            await asyncio.sleep(0)


class TestEndlessHeads:
    @pytest.mark.parametrize(
        ("begin", "piece"),
        [
            (b"GET /", b"x" * 1000),
            (b"GET / HTTP/1.1\r\nCookie: ", b"x" * 1000),
            (b"GET / HTTP/1.1\r\n", b"X" * 1000),
            (b"GET / HTTP/1.1\r\n", b"A: b\r\n"),
            (b"", b"\r\n" * 500),
        ],
        ids=["address", "value", "name", "headers", "line-breaks"],
    )
    async def test_a_head_without_end_is_cut_off(self, begin: bytes, piece: bytes) -> None:
        async with serving() as one:
            client = await one.connect()
            await client.send(begin)
            sending = asyncio.create_task(send_without_end(client, piece))
            reply = await client.reply()
            assert (reply.status, reply.body) == (431, TOO_LARGE_BODY)
            assert reply.headers["connection"] == "close"
            await client.ended()
            await sending
            (scope,) = one.app.scopes
            assert (scope["path"], scope["query_string"], scope["headers"]) == ("/", b"", [])
            await an_honest_client_is_served(one)

    @pytest.mark.parametrize(
        "request_bytes",
        [
            a_get("/" + "x" * 1000),
            a_get("/", *(f"X-{number}: y" for number in range(10))),
            a_get("/", "Cookie: " + "x" * 2000),
        ],
        ids=["address", "headers", "bytes"],
    )
    async def test_a_whole_head_that_is_too_large_is_refused(self, request_bytes: bytes) -> None:
        async with serving() as one:
            client = await one.connect()
            await client.send(request_bytes)
            assert (await client.reply()).status == 431
            assert await client.ended()

    @pytest.mark.parametrize(
        "request_bytes",
        [
            a_get("/" + "x" * 999),
            a_get("/", *(f"X-{number}: y" for number in range(9))),
            a_get("/", "Cookie: " + "x" * (2000 - len("HostxCookie"))),
        ],
        ids=["address", "headers", "bytes"],
    )
    async def test_a_head_that_just_fits_is_served(self, request_bytes: bytes) -> None:
        async with serving() as one:
            client = await one.connect()
            for _ in range(2):
                await client.send(request_bytes)
                assert (await client.reply()).status == 200

    async def test_the_second_head_of_a_connection_is_bounded_too(self) -> None:
        async with serving() as one:
            client = await one.connect()
            assert (await client.get()).status == 200
            await client.send(b"GET / HTTP/1.1\r\nCookie: " + b"x" * 5000)
            assert (await client.reply()).status == 431


class TestSlowHeads:
    @pytest.mark.parametrize("sent", [b"G", b"GET / HTTP/1.1\r\nHost: x\r\n", b"\r\n"])
    async def test_a_head_that_stays_away_is_not_waited_for(self, sent: bytes) -> None:
        async with serving(head_seconds=SOON_SECONDS) as one:
            client = await one.connect()
            await client.send(sent)
            reply = await client.reply()
            assert (reply.status, reply.body) == (408, b"")
            assert await client.ended()
            assert one.app.scopes == []

    async def test_a_head_that_trickles_is_not_waited_for(self) -> None:
        async with serving(head_seconds=SOON_SECONDS, header_bytes=10**9, headers=10**9) as one:
            client = await one.connect()
            await client.send(b"GET / HTTP/1.1\r\n")
            sending = asyncio.create_task(send_without_end(client, b"A: b\r\n"))
            assert (await client.reply()).status == 408
            await client.ended()
            await sending

    async def test_a_second_head_that_stays_away_is_not_waited_for(self) -> None:
        async with serving(head_seconds=SOON_SECONDS) as one:
            client = await one.connect()
            await client.send(a_get() + b"GET /")
            assert (await client.reply()).status == 200
            assert (await client.reply()).status == 408

    async def test_who_opens_a_connection_and_says_nothing_is_let_go(self) -> None:
        async with serving(head_seconds=SOON_SECONDS) as one:
            assert await (await one.connect()).ended()  # without a word: browsers do so

    async def test_who_idles_between_two_requests_is_let_go(self) -> None:
        async with serving(keep_alive_seconds=SOON_SECONDS) as one:
            client = await one.connect()
            assert (await client.get()).status == 200
            assert await client.ended()

    async def test_slow_but_honest(self) -> None:
        async with serving() as one:
            client = await one.connect()
            for byte in a_get("/slow"):
                await client.send(bytes([byte]))
                await an_honest_client_is_served(one)
            assert (await client.reply()).body == b"/slow "


class TestBodies:
    async def test_a_body_that_says_it_is_too_large_is_answered_and_ended(self) -> None:
        async with serving() as one:
            client = await one.connect()
            await client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n")
            sending = asyncio.create_task(send_without_end(client, b"x" * 1000))
            reply = await client.reply()
            assert (reply.status, reply.body) == (413, TOO_LARGE_BODY)
            assert reply.headers["connection"] == "close"
            await client.ended()
            await sending

    async def test_a_chunked_body_without_end_is_answered_and_ended(self) -> None:
        async with serving() as one:
            client = await one.connect()
            await client.send(CHUNKED_HEAD % b"/")
            sending = asyncio.create_task(send_without_end(client, CHUNK))
            assert (await client.reply()).status == 413
            await client.ended()
            await sending

    @pytest.mark.parametrize("path", [b"/ignore", b"/wait"])
    async def test_a_body_that_nobody_reads_does_not_go_on_for_ever(self, path: bytes) -> None:
        async with serving() as one:
            client = await one.connect()
            await client.send(CHUNKED_HEAD % path)
            sending = asyncio.create_task(send_without_end(client, CHUNK))
            if path == b"/ignore":
                assert (await client.reply()).status == 200
                await client.ended()
                await sending
            else:  # it is not even taken in
                await one.app.arrived.wait()
                await an_honest_client_is_served(one)
                sending.cancel()

    async def test_an_application_without_a_limit_is_kept_from_a_flood(self) -> None:
        async with serving(body_bytes=1000) as one:
            one.app.max_body_bytes = 10**12
            client = await one.connect()
            await client.send(CHUNKED_HEAD % b"/")
            await send_without_end(client, b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await one.until_open(0)
            assert one.app.disconnects == 1

    @pytest.mark.parametrize(
        "begin",
        [b"3;", b"3;a=", b"3\r\nabc\r\n0\r\nX: ", b"3\r\nabc\r\n0\r\n"],
        ids=["extension", "extension-value", "trailer-value", "trailer-name"],
    )
    async def test_what_frames_a_body_is_bounded_too(self, begin: bytes) -> None:
        async with serving() as one:
            client = await one.connect()
            await client.send(CHUNKED_HEAD % b"/" + begin)
            await send_without_end(client, b"x" * 65536)
            await one.until_open(0)
            await an_honest_client_is_served(one)

    async def test_a_body_in_small_pieces_with_a_trailer_passes(self) -> None:
        async with serving() as one:
            client = await one.connect()
            await client.send(CHUNKED_HEAD % b"/" + b"1;a=b\r\nx\r\n" * 5000)
            await client.send(b"0\r\nX: y\r\n\r\n")
            assert (await client.reply()).body == b"/ " + b"x" * 5000
            assert (await client.get()).status == 200

    @pytest.mark.parametrize("path", [b"/ignore", b"/"])
    async def test_a_body_that_stays_away_is_not_waited_for(self, path: bytes) -> None:
        async with serving(body_seconds=SOON_SECONDS) as one:
            client = await one.connect()
            await client.send(CHUNKED_HEAD % path + b"3\r\nab")
            if path == b"/ignore":
                assert (await client.reply()).status == 200
            else:  # our pages wait no longer than this, and say so themselves
                await one.app.arrived.wait()
                await client.close()
            await client.ended()
            await one.until_open(0)

    async def test_a_body_that_just_fits_comes_slowly(self) -> None:
        async with serving() as one:
            client = await one.connect()
            head, _, body = a_post(b"x" * 5000).partition(b"\r\n\r\n")
            await client.send(head + b"\r\n\r\n")
            for start in range(0, 5000, 100):
                await client.send(body[start : start + 100])
                await an_honest_client_is_served(one)
            assert (await client.reply()).body == b"/ " + b"x" * 5000


class TestMalformed:
    @pytest.mark.parametrize(
        "sent",
        [
            SECRET + b"\x00\x01\x02\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS where none is spoken
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
            b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
            CHUNKED_HEAD % b"/" + b"zz\r\n",
        ],
    )
    async def test_what_is_no_http_gets_a_bare_400(self, sent: bytes) -> None:
        async with serving() as one:
            client = await one.connect()
            with capture_logs() as lines:
                await client.send(sent)
                reply = await client.reply()
            assert (reply.status, reply.body) == (400, b"")
            assert reply.headers["connection"] == "close"
            assert await client.ended()
            assert [each["why"] for each in lines] == ["malformed"]
            assert "s3cret" not in repr(lines)
            await an_honest_client_is_served(one)

    async def test_what_follows_an_honest_request_does_not_spoil_its_answer(self) -> None:
        async with serving() as one:
            client = await one.connect()
            await client.send(a_get("/wait") + b"\x00\x01\x02")
            await one.app.arrived.wait()
            one.app.release.set()
            assert (await client.reply()).body == b"/wait "
            await client.ended()

    async def test_a_crowd_of_requests_sent_ahead_is_ended(self) -> None:
        async with serving() as one:
            client = await one.connect()
            await client.send(a_get("/wait") * 50)
            await client.ended()
            assert len(one.app.scopes) <= 1


class TestManyConnections:
    async def test_a_crowd_that_says_nothing_shuts_nobody_out(self) -> None:
        async with serving(connections=20) as one:
            crowd = [await one.connect() for _ in range(200)]
            await an_honest_client_is_served(one)
            assert one.open_connections <= 20
            assert await crowd[0].ended()

    async def test_a_crowd_that_begins_a_request_shuts_nobody_out(self) -> None:
        async with serving(connections=20) as one:
            for _ in range(200):
                await (await one.connect()).send(b"GET / HTTP/1.1\r\nHost:")
            await an_honest_client_is_served(one)
            assert one.open_connections <= 20

    @pytest.mark.parametrize("ahead", [b"", a_get()], ids=["alone", "behind-another"])
    async def test_a_crowd_whose_bodies_stay_away_shuts_nobody_out(self, ahead: bytes) -> None:
        async with serving(connections=20) as one:
            for number in range(1, 101):
                await (await one.connect()).send(ahead + CHUNKED_HEAD % b"/" + b"3\r\nab")
                while len(one.app.scopes) < number * (2 if ahead else 1):
                    await asyncio.sleep(0)
            await an_honest_client_is_served(one)
            assert one.open_connections <= 20

    async def test_whose_body_came_slowly_makes_no_room_once_it_is_whole(self) -> None:
        async with serving(connections=3) as one:
            client = await one.connect()
            await client.send(CHUNKED_HEAD % b"/wait" + b"3\r\nab")
            await one.app.arrived.wait()
            await client.send(b"c\r\n0\r\n\r\n")
            await an_honest_client_is_served(one)
            for _ in range(50):
                await one.connect()
            await one.until_open(3)
            one.app.release.set()
            assert (await client.reply()).body == b"/wait abc"

    async def test_a_crowd_that_was_served_and_stays_shuts_nobody_out(self) -> None:
        async with serving(connections=20) as one:
            for _ in range(100):
                assert (await (await one.connect()).get()).status == 200
            await an_honest_client_is_served(one)
            assert one.open_connections <= 20

    async def test_who_is_being_answered_makes_no_room(self) -> None:
        async with serving(connections=3) as one:
            honest = [await one.connect() for _ in range(2)]
            for each in honest:
                await each.send(a_get("/wait"))
            async with asyncio.timeout(60):
                while len(one.app.scopes) < 2:
                    await asyncio.sleep(0)
            for _ in range(50):
                await one.connect()
            await one.until_open(3)
            one.app.release.set()
            assert [(await each.reply()).status for each in honest] == [200, 200]

    async def test_where_everybody_is_being_answered_the_next_is_told(self) -> None:
        async with serving(connections=2) as one:
            for _ in range(2):
                await (await one.connect()).send(a_get("/wait"))
            async with asyncio.timeout(60):
                while len(one.app.scopes) < 2:
                    await asyncio.sleep(0)
            late = await one.connect()
            assert (await late.reply()).status == 503
            assert await late.ended()
            one.app.release.set()
            await an_honest_client_is_served(one)


async def test_who_does_not_take_an_answer_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "TAKE_ANSWER_WITHIN_SECONDS", SOON_SECONDS)
    large = 50_000_000
    async with serving(body_bytes=large) as one:
        one.app.max_body_bytes = large
        client = await one.connect()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        sending = asyncio.create_task(
            client.send(a_post(b"x" * (large // 2)).replace(b"Host: x", b"Connection: close"))
        )
        await one.until_open(1)
        await one.until_open(0)
        await sending


class TestAnswersThatAreNotTaken:
    """One request after the other, on a connection that stays open."""

    async def ask_until_it_waits(self, one: Running) -> tuple[Client, int]:
        """Return a client that took no answer, and how many it waits for."""
        client = await one.connect()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        connection = next(iter(one.server.server_state.connections))
        asked = 0
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while not connection.flow.write_paused:
                await client.send(a_post(b"x" * 50_000))
                asked += 1
                while len(one.app.scopes) < asked:
                    await asyncio.sleep(0)
                await asyncio.sleep(0)
        await client.send(a_get("/behind"))
        return client, asked

    async def test_who_takes_none_is_let_go(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(http_protocol, "TAKE_ANSWER_WITHIN_SECONDS", SOON_SECONDS)
        async with serving(body_bytes=50_000) as one:
            one.app.max_body_bytes = 50_000
            await self.ask_until_it_waits(one)
            await one.until_open(0)
            async with asyncio.timeout(GIVE_UP_SECONDS):
                while one.server.server_state.tasks:
                    await asyncio.sleep(0)
            await an_honest_client_is_served(one)

    async def test_who_takes_them_late_gets_them_all(self) -> None:
        async with serving(body_bytes=50_000) as one:
            one.app.max_body_bytes = 50_000
            client, asked = await self.ask_until_it_waits(one)
            client.writer.transport.resume_reading()  # type: ignore[attr-defined]
            for _ in range(asked):
                assert len((await client.reply()).body) == 50_002
            assert (await client.reply()).body == b"/behind "


def test_what_a_head_may_weigh_is_never_less_than_what_its_parts_may() -> None:
    each = limits()
    assert isinstance(each, HttpLimits)
    names_and_values = each.header_bytes + each.headers * len(": \r\n")
    assert each.head_bytes > each.address_bytes + names_and_values + len(
        "OPTIONS  HTTP/1.1\r\n\r\n"
    )
