"""When more comes in than one worker does at once: a page that tries again, and nothing is lost."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from broker.web.busy import RETRY_AFTER_SECONDS
from broker.web.edge import Edge
from broker.web.texts import Language
from tests.web.broker_site import Site, a_scope
from tests.web.page_examples import Document

MAX_REQUESTS = 2
SAYS = {
    (Language.EN, "GET"): "this page tries again by itself",
    (Language.EN, "POST"): "load this page again",
    (Language.NL, "GET"): "deze pagina probeert het vanzelf opnieuw",
    (Language.NL, "POST"): "laad deze pagina dan opnieuw",
}


class Slow:
    """An application that works until it may go on; what is `/form` reads a body first."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.served = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/form":
            await receive()
        elif scope["path"] != "/static/x":
            await self.go_on.wait()
        self.served += 1
        await PlainTextResponse("done")(scope, receive, send)


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def edge(site: Site, slow: Slow) -> Edge:
    return Edge(slow, replace(site.web, max_requests=MAX_REQUESTS), templates={})


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def ask(edge: Edge, receive: Receive = never, **scope: Any) -> list[Message]:
    """Return what is answered to a request."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await edge(a_scope(**scope), receive, send)
    return sent


def headers_of(sent: list[Message]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def while_busy(site: Site, edge: Edge, slow: Slow, asking: Callable[[], Any]) -> Any:
    """Return what `asking` returns while as many requests are in work as may be."""

    async def run() -> Any:
        working = [asyncio.create_task(ask(edge, path="/work")) for _ in range(MAX_REQUESTS)]
        await asyncio.sleep(0)
        try:
            return await asking()
        finally:
            slow.go_on.set()
            for each in working:
                assert (await each)[0]["status"] == 200

    return site.run(run())


@pytest.mark.parametrize(("language", "method"), SAYS)
def test_a_visitor_is_told_to_come_back(
    site: Site, edge: Edge, slow: Slow, language: Language, method: str
) -> None:
    header = (b"accept-language", language.value.encode())
    with capture_logs() as lines:
        sent = while_busy(
            site, edge, slow, lambda: ask(edge, path="/work", method=method, headers=[header])
        )
    headers, page = headers_of(sent), Document(sent[1]["body"].decode())
    assert sent[0]["status"] == 503
    assert SAYS[language, method] in page.text
    assert "E-HTTP-8" in page.text
    assert int(headers["retry-after"]) in RETRY_AFTER_SECONDS
    assert headers.get("refresh") == (headers["retry-after"] if method == "GET" else None)
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    (refused,) = [each for each in lines if each["event"] == "refused"]
    assert refused["check"] == "check_requests_at_once"
    assert refused["reference"] in "".join(page.text.split())
    assert slow.served == MAX_REQUESTS  # the one that was turned away used nothing up


def test_a_machine_is_told_so_in_json(site: Site, edge: Edge, slow: Slow) -> None:
    sent = while_busy(site, edge, slow, lambda: ask(edge, path="/oidc/token", method="POST"))
    assert sent[0]["status"] == 503
    assert b'"temporarily_unavailable"' in sent[1]["body"]
    assert "refresh" not in headers_of(sent)
    assert int(headers_of(sent)["retry-after"]) in RETRY_AFTER_SECONDS


@pytest.mark.parametrize("path", ["/health/ready", "/health/live", "/static/x"])
def test_what_costs_nothing_is_answered_all_the_same(
    site: Site, edge: Edge, slow: Slow, path: str
) -> None:
    async def asking() -> list[Message]:
        slow.go_on.set()
        return await ask(edge, path=path)

    assert while_busy(site, edge, slow, asking)[0]["status"] == 200


def test_whoever_comes_after_the_crowd_is_served(site: Site, edge: Edge, slow: Slow) -> None:
    assert while_busy(site, edge, slow, lambda: ask(edge, path="/work"))[0]["status"] == 503
    assert site.run(ask(edge, path="/work"))[0]["status"] == 200


def test_bodies_that_stay_away_keep_nobody_out(site: Site, edge: Edge, slow: Slow) -> None:
    async def run() -> list[Message]:
        waiting = [asyncio.create_task(ask(edge, path="/form")) for _ in range(MAX_REQUESTS + 5)]
        await asyncio.sleep(0)
        slow.go_on.set()
        try:
            return await ask(edge, path="/work")
        finally:
            for each in waiting:
                each.cancel()
            await asyncio.wait(waiting)

    assert site.run(run())[0]["status"] == 200
    assert edge._in_work == 0


def test_answers_that_are_not_taken_keep_nobody_out(site: Site, edge: Edge, slow: Slow) -> None:
    async def is_not_taken(_: Message) -> None:
        await asyncio.Event().wait()

    async def run() -> list[Message]:
        slow.go_on.set()
        waiting = [
            asyncio.create_task(edge(a_scope(path="/work"), never, is_not_taken))
            for _ in range(MAX_REQUESTS + 5)
        ]
        await asyncio.sleep(0)
        try:
            return await ask(edge, path="/work")
        finally:
            for each in waiting:
                each.cancel()
            await asyncio.wait(waiting)

    assert site.run(run())[0]["status"] == 200
    assert edge._in_work == 0
