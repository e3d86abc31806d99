"""One connection: an answer goes to who asked, and to nobody when it is not clear whose it is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from broker.adapters.login_store.redis_connection import (
    RedisAddress,
    RedisConnection,
    RedisError,
    connect,
)
from broker.adapters.login_store.redis_connections import (
    RedisConnections,
    RedisProblem,
    describe,
    run_script,
)
from broker.adapters.login_store.redis_scripts import GET

PING = b"*1\r\n$4\r\nPING\r\n"


class Server(asyncio.Protocol):
    """Answers nothing by itself."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.received = b""
        self.ended = asyncio.Event()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        self.asked.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[RedisConnection, Server]]:
    made: asyncio.Queue[Server] = asyncio.Queue()

    def make() -> Server:
        made.put_nowait(Server())
        return made._queue[-1]  # type: ignore[attr-defined]

    listening = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        connection = await connect(RedisAddress("127.0.0.1", port))
        try:
            yield connection, await made.get()
        finally:
            connection.end()


async def asked(connection: RedisConnection, server: Server) -> asyncio.Future[Any]:
    server.asked.clear()
    asked = connection.ask("PING")
    await server.asked.wait()
    return asked


@pytest.mark.parametrize(
    ("sent", "means"),
    [
        (b"+PONG\r\n", b"PONG"),
        (b":7\r\n", 7),
        (b"$-1\r\n", None),
        (b"*2\r\n$4\r\ndone\r\n$3\r\n\r\n\x00\r\n", [b"done", b"\r\n\x00"]),
    ],
)
async def test_an_answer_is_read_in_whatever_pieces_it_comes(sent: bytes, means: object) -> None:
    async with connected() as (connection, server):
        for pieces in ([sent], [sent[index : index + 1] for index in range(len(sent))]):
            question = await asked(connection, server)
            assert not connection.in_order  # one question at a time
            for each in pieces:
                assert not question.done()
                connection.data_received(each)
            assert await question == means
            assert connection.in_order
        assert server.received == PING * 2


async def test_an_error_is_an_answer_and_leaves_its_text_behind() -> None:
    async with connected() as (connection, server):
        question = await asked(connection, server)
        server.transport.write(b"-OOM secret-1 \xff\r\n")
        with pytest.raises(RedisError) as refused:
            await question
        assert refused.value.word == "OOM"
        assert "secret-1" not in repr(refused.value) + str(refused.value)
        assert connection.in_order


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"*99999999999\r\n",
        b"%1\r\n*1\r\n+a\r\n+b\r\n",
        b"+PONG\r\n+PONG\r\n",  # whose?
        b"+PONG\r\n$",
    ],
)
async def test_what_is_no_one_answer_ends_it(sent: bytes) -> None:
    async with connected() as (connection, server):
        question = await asked(connection, server)
        server.transport.write(sent)
        with pytest.raises(ConnectionError):
            await question
        assert not connection.in_order
        await server.ended.wait()
        with pytest.raises(ConnectionError):
            await connection.ask("PING")
        assert server.received == PING


@pytest.mark.parametrize("sent", [b"+PONG\r\n", b"$"])
async def test_what_comes_unasked_ends_it(sent: bytes) -> None:
    async with connected() as (connection, server):
        assert connection.in_order
        server.transport.write(sent)
        await server.ended.wait()
        assert not connection.in_order


async def test_an_answer_to_who_went_away_ends_it() -> None:
    async with connected() as (connection, server):
        question = await asked(connection, server)
        question.cancel()
        assert not connection.in_order
        with pytest.raises(ConnectionError):  # else it might get the answer to the first
            await connection.ask("PING")
        server.transport.write(b"+PONG\r\n")
        await server.ended.wait()
        assert server.received == PING


@pytest.mark.parametrize("part", [b"", b"$4\r\nPO"])
async def test_an_end_before_the_answer_is_told(part: bytes) -> None:
    async with connected() as (connection, server):
        question = await asked(connection, server)
        server.transport.write(part)
        server.transport.close()
        with pytest.raises(ConnectionError):
            await question
        assert not connection.in_order


async def test_an_end_of_ours_refuses_who_waits() -> None:
    async with connected() as (connection, server):
        question = await asked(connection, server)
        connection.end()
        with pytest.raises(ConnectionError):
            await question
        await server.ended.wait()


@pytest.mark.parametrize("sent", [b"+done\r\n", b"*0\r\n", b":1\r\n", b"$-1\r\n"])
async def test_a_script_answers_with_a_list(sent: bytes) -> None:
    async with connected() as (connection, server):
        running = asyncio.ensure_future(run_script(connection, GET, [], []))
        await server.asked.wait()
        server.transport.write(sent)
        with pytest.raises(RedisProblem):
            await running
        running = asyncio.ensure_future(run_script(connection, GET, [], []))
        server.transport.write(b"*1\r\n$6\r\nabsent\r\n")
        assert await running == [b"absent"]


def lent_by(connection: RedisConnection) -> RedisConnections:
    """Return connections of which one is idle."""
    connections = RedisConnections(RedisAddress("127.0.0.1", 9, max_connections=1))
    connections._idle.append(connection)
    return connections


async def refused(reason: Exception, connections: RedisConnections) -> None:
    with pytest.raises(type(reason)):
        async with connections.connection():
            raise reason


async def test_a_connection_in_doubt_is_dropped_and_others_go_on() -> None:
    async with connected() as (connection, _):
        connections = lent_by(connection)
        for _ in range(2):  # what answered comes back
            async with connections.connection() as lent:
                assert lent is connection
            await refused(RedisError("OOM"), connections)
        assert connection.in_order
        await refused(TimeoutError(), connections)
        assert not connection.in_order
        assert not connections._idle


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("NOPERM no", "does not let us run"),
        ("ERR can't run this command", "does not let us run"),
        ("ERR AUTH <password> called without any password", "refuses our user or password."),
        ("NOAUTH secret-1", "refuses our user or password."),
        ("WRONGPASS secret-1", "refuses our user or password."),
        ("LOADING secret-1", "is still loading its data."),
        ("READONLY secret-1", "is a replica, which takes no writes."),
        ("OOM secret-1", "is full."),
        ("SECRET-1", "answers with an error, SECRET."),
        ("secret-1", "answers with an error, ERR."),
    ],
)
def test_what_the_server_says_is_told_without_its_text(text: str, told: str) -> None:
    problem = describe(RedisError(text))
    assert problem.problem.startswith(told)
    assert "secret-1" not in problem.problem + problem.remedy
