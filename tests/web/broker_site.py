"""A whole broker over HTTP without a socket: the demo's federation behind an ASGI client.

Tests are plain functions; the site has an event loop of its own, so that hypothesis can drive it.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from lxml import html
from starlette.types import ASGIApp, Message, Scope
from structlog.testing import capture_logs

from broker.app import build_broker
from broker.demo.addresses import DEMO_PORTS, Party
from broker.demo.run import prepare_world
from broker.domain.registry import Registry
from broker.domain.school_search import build_school_index
from broker.web.edge import Edge
from broker.web.site_in_force import SiteInForce
from broker.web.wiring import Web

FORM_TYPE = "application/x-www-form-urlencoded"
PLACES = {party: f"http://localhost:{port - 7000}" for party, port in DEMO_PORTS.items()}
"""Ports on which nobody listens, so that a demo beside the tests changes nothing."""

REDIRECT_URI = f"{PLACES[Party.REKENRIJK]}/callback"

OIDC_REQUEST = {
    "client_id": "rekenrijk",
    "redirect_uri": REDIRECT_URI,
    "response_type": "code",
    "scope": "openid",
    "state": "the-suppliers-own-state",
    "nonce": "a-nonce",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}
"""Of a supplier, in order; the challenge is the example of RFC 7636 appendix B."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, and what the broker wrote down meanwhile."""

    response: httpx2.Response
    lines: Sequence[Mapping[str, Any]] = field(repr=False)

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def refused(self) -> list[str]:
        """Return the checks that refused."""
        return [each["check"] for each in self.lines if each["event"] == "refused"]

    @property
    def policy(self) -> str:
        return self.response.headers["content-security-policy"]


class Site:
    """A running broker; `visit` makes browsers for it."""

    def __init__(self, app: ASGIApp, runner: asyncio.Runner, issuer: str) -> None:
        assert isinstance(app, SiteInForce)
        self.app = app
        self.issuer = issuer
        self._runner = runner

    @property
    def web(self) -> Web:
        assert isinstance(self.app.site, Edge)
        return self.app.site._web

    def visit(self, **headers: str) -> "Browser":
        return Browser(self, headers)

    def run(self, doing: Any) -> Any:
        return self._runner.run(doing)

    def send_raw(
        self, scope: Mapping[str, Any], messages: Sequence[Message]
    ) -> tuple[list[Message], Sequence[Mapping[str, Any]]]:
        """Hand over what no client would send; return what was answered and written down."""
        sent: list[Message] = []
        waiting = list(messages)

        async def receive() -> Message:
            if not waiting:
                await asyncio.Event().wait()  # a sender that never ends
            return waiting.pop(0)

        async def send(message: Message) -> None:
            sent.append(message)

        with capture_logs() as lines:
            self.run(self.app(a_scope(**scope), receive, send))
        return sent, lines

    @contextmanager
    def having(self, registry: Registry) -> Iterator[None]:
        """Put another registry in force for a while."""
        snapshots: Any = self.web.snapshots
        before = snapshots._index
        snapshots._index = build_school_index(registry)
        try:
            yield
        finally:
            snapshots._index = before


class Browser:
    """One cookie jar; follows nothing by itself."""

    def __init__(self, site: Site, headers: Mapping[str, str]) -> None:
        self._site = site
        self._client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(site.app), base_url=site.issuer, headers=headers
        )

    @property
    def cookies(self) -> httpx2.Cookies:
        return self._client.cookies

    def send(self, method: str, address: str, **how: Any) -> Answer:
        with capture_logs() as lines:
            response = self._site.run(self._client.request(method, address, **how))
        return Answer(response, lines)

    def get(self, address: str, **how: Any) -> Answer:
        return self.send("GET", address, **how)

    def post(self, address: str, form: Mapping[str, str], **how: Any) -> Answer:
        return self.send("POST", address, data=form, **how)

    def begin(self, **changes: str) -> Answer:
        """Bring the request of a supplier."""
        return self.get("/oidc/authorize", params=OIDC_REQUEST | changes)

    def choose(self, **changes: str) -> Answer:
        """Begin, and open the chooser."""
        return self.get(self.begin(**changes).response.headers["location"])

    def go_to_school(self, school: str = "kompas") -> str:
        """Begin and choose a school; return the state of the login that waits."""
        form = fields_of(self.choose()) | {"school": school}
        return query_of(self.post("/schools", form)).get("state", "")


def fields_of(answer: Answer, action: str = "/schools") -> dict[str, str]:
    """Return the fields of the page's form for an address."""
    page = html.fromstring(answer.response.content)
    form = next(each for each in page.forms if each.action == action and each.method == "POST")
    return dict(form.form_values())


def query_of(answer: Answer) -> dict[str, str]:
    """Return the parameters of the address that an answer redirects to."""
    found = parse_qs(urlsplit(answer.response.headers["location"]).query)
    return {name: values[0] for name, values in found.items()}


def a_scope(**changes: Any) -> Scope:
    """Return what a server hands over for `GET /schools`."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/schools",
        "raw_path": b"/schools",
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 8000),
    } | changes


@contextmanager
def running_site(folder: Path, *, issuer: str = PLACES[Party.BROKER]) -> Iterator[Site]:
    """Set a broker up in a folder and run it while the context lasts."""
    world = prepare_world(folder, PLACES | {Party.BROKER: issuer})
    with asyncio.Runner() as runner:
        app = build_broker(world.loaded)
        incoming: asyncio.Queue[Message] = asyncio.Queue()
        outgoing: asyncio.Queue[Message] = asyncio.Queue()

        async def start() -> asyncio.Task[None]:
            scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
            task = asyncio.create_task(app(scope, incoming.get, outgoing.put))
            await incoming.put({"type": "lifespan.startup"})
            assert (await outgoing.get())["type"] == "lifespan.startup.complete"
            return task

        async def stop(task: asyncio.Task[None]) -> None:
            await incoming.put({"type": "lifespan.shutdown"})
            await task

        life = runner.run(start())
        try:
            yield Site(app, runner, issuer)
        finally:
            runner.run(stop(life))
