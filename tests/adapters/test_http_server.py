"""The server under the broker: what honest clients send passes, and a stop loses nobody."""

import asyncio
import socket
from pathlib import Path

import pytest

from broker.adapters.serving.http_server import take_waiting
from tests.adapters.small_server import a_get, a_post, serving


async def test_a_connection_serves_one_request_after_another() -> None:
    async with serving() as one:
        client = await one.connect()
        for path in ("/a", "/b"):
            reply = await client.get(path)
            assert (reply.status, reply.body) == (200, path.encode() + b" ")
            assert "connection" not in reply.headers
        assert one.open_connections == 1


async def test_a_request_that_comes_byte_by_byte_is_read() -> None:
    async with serving() as one:
        client = await one.connect()
        for byte in a_post(b"honest"):
            await client.send(bytes([byte]))
            await asyncio.sleep(0)
        assert (await client.reply()).body == b"/ honest"


async def test_a_chunked_body_is_read() -> None:
    async with serving() as one:
        client = await one.connect()
        await client.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        await client.send(b"3\r\nhon\r\n3\r\nest\r\n0\r\n\r\n")
        assert (await client.reply()).body == b"/ honest"
        assert (await client.get("/next")).status == 200


async def test_a_large_body_and_the_next_head_in_one_go() -> None:
    async with serving() as one:
        client = await one.connect()
        await client.send(a_post(b"x" * 4900) + a_get("/next"))
        assert (await client.reply()).body == b"/ " + b"x" * 4900
        assert (await client.reply()).body == b"/next "


async def test_requests_sent_ahead_are_answered_in_order() -> None:
    async with serving() as one:
        client = await one.connect()
        await client.send(b"".join(a_get(f"/{number}") for number in range(4)))
        assert [(await client.reply()).body for _ in range(4)] == [b"/0 ", b"/1 ", b"/2 ", b"/3 "]


async def test_a_client_that_waits_for_leave_to_send_a_body_gets_it() -> None:
    async with serving() as one:
        client = await one.connect()
        await client.send(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n"
        )
        assert b"100 Continue" in await client.reader.readuntil(b"\r\n\r\n")
        await client.send(b"honest")
        assert (await client.reply()).body == b"/ honest"


async def test_who_would_speak_another_protocol_is_answered_in_this_one() -> None:
    async with serving() as one:
        client = await one.connect()
        reply = await client.get("/", "Connection: Upgrade", "Upgrade: websocket")
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert await client.ended()


async def test_over_tls_all_is_the_same(tmp_path: Path) -> None:
    async with serving(tls_folder=tmp_path) as one:
        client = await one.connect()
        assert (await client.get("/honest")).body == b"/honest "
        assert one.app.scopes[0]["scheme"] == "https"
        refused = await client.get("/", "Cookie: " + "x" * 5000)
        assert (refused.status, refused.headers["connection"]) == (431, "close")
        assert await client.ended()


class TestStopping:
    async def test_what_runs_is_finished_and_its_answer_is_the_last(self) -> None:
        async with serving() as one:
            client = await one.connect()
            await client.send(a_get("/wait"))
            await one.app.arrived.wait()
            one.server.stop()
            async with asyncio.timeout(60):
                while one.server.servers[0].sockets:
                    await asyncio.sleep(0)
            with pytest.raises(ConnectionRefusedError):
                await one.connect()
            assert not one.task.done()
            one.app.release.set()
            reply = await client.reply()
            assert reply.headers["connection"] == "close"
            assert await client.ended()
            await one.task

    async def test_an_idle_connection_may_ask_once_more(self) -> None:
        async with serving() as one:
            client, idle = await one.connect(), await one.connect()
            for each in (client, idle):
                await each.get()
            one.server.stop()
            async with asyncio.timeout(60):
                while not one.server.lifespan.state:
                    await asyncio.sleep(0)
            reply = await client.get()
            assert reply.body == b"/  draining"
            assert reply.headers["connection"] == "close"
            assert await client.ended()
            assert not one.task.done()
            await idle.close()  # as the proxy does, when it has not used it for a while
            await one.task

    async def test_an_idle_connection_that_stays_is_closed_in_the_end(self) -> None:
        async with serving(drain_seconds=0.1) as one:
            client = await one.connect()
            await client.get()
            one.server.stop()
            assert await client.ended()
            await one.task

    async def test_who_stands_at_the_door_is_let_in(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            clients = [socket.create_connection(listener.getsockname()) for _ in range(3)]
            taken = take_waiting([listener])
            assert len(taken) == 3
            for each in (*clients, *taken):
                each.close()

    async def test_asked_again_it_stops_at_once(self) -> None:
        async with serving() as one:
            client = await one.connect()
            await client.send(a_get("/wait"))
            await one.app.arrived.wait()
            one.server.stop()
            one.server.stop()
            await one.task
            await client.ended()
