"""An endpoint is found by its address and method, and what it raises is explained."""

import asyncio
from collections.abc import Sequence

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message

from broker.web.endpoints import Endpoints
from broker.web.requests import RequestTooLarge, RequestUnreadable
from tests.web.broker_site import a_scope


async def plain(request: Request) -> Response:
    return PlainTextResponse(request.scope["path"])


async def refusing(_: Request) -> Response:
    raise RequestUnreadable("check_x")


async def faulty(_: Request) -> Response:
    raise LookupError


def explain(_: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        return PlainTextResponse("explained", error.status_code, headers=error.headers)
    if isinstance(error, RequestTooLarge):
        raise error
    return PlainTextResponse("explained", 400)


async def refusing_without_page(_: Request) -> Response:
    raise RequestTooLarge("check_x")


def apologize(_: Request, fault: Exception) -> Response:
    return PlainTextResponse(type(fault).__name__, 500)


ENDPOINTS = Endpoints(
    [
        Route("/plain", plain, methods=["GET"]),
        Route("/files/{name}", plain, methods=["GET"]),
        Route("/refusing", refusing, methods=["POST"]),
        Route("/no-page", refusing_without_page, methods=["POST"]),
        Route("/faulty", faulty, methods=["GET"]),
    ],
    life_span=None,
    explain=explain,
    apologize=apologize,
)


def ask(method: str, path: str) -> Sequence[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(ENDPOINTS(a_scope(method=method, path=path), receive, send))
    return sent


@pytest.mark.parametrize("path", ["/plain", "/files/a.css"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_address_leads_to_its_endpoint(method: str, path: str) -> None:
    start, body = ask(method, path)
    assert (start["status"], body["body"]) == (200, path.encode())


@pytest.mark.parametrize(
    "path", ["/", "/plain/", "/plain\n", "//plain", "/files/", "/files/a/b", "/files/a/b\n"]
)
def test_no_other_address_leads_anywhere(path: str) -> None:
    start, _ = ask("GET", path)
    assert start["status"] == 404


def test_another_method_is_told_which_there_are() -> None:
    start, _ = ask("GET", "/refusing")
    assert start["status"] == 405
    assert dict(start["headers"])[b"allow"] == b"POST"


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("POST", "/refusing", 400, b"explained"),
        ("POST", "/no-page", 500, b"RequestTooLarge"),
        ("GET", "/faulty", 500, b"LookupError"),
    ],
)
def test_what_is_raised_becomes_an_answer(method: str, path: str, status: int, body: bytes) -> None:
    start, sent = ask(method, path)
    assert (start["status"], sent["body"]) == (status, body)
