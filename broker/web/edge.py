"""Around everything: what is too much is turned away, and every request leaves one line.

nginx in front bounds lines, headers, bodies and time before we see them; these limits hold where
it does not, because the server below us takes megabytes of headers. The line names the route's
template and never the path or query: both may hold what nobody should read.
"""

from collections.abc import Mapping
from time import perf_counter
from types import TracebackType

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.following.trail import Trail, following
from broker.web.busy import ALWAYS_ANSWERED, BusyPages
from broker.web.certificate_hop import HOP_IN_SCOPE
from broker.web.headers import DENY_ALL, common_headers
from broker.web.request_line import describe, find_step
from broker.web.responses import refuse
from broker.web.wiring import Web

MAX_HEADERS = 100
MAX_HEADER_BYTES = 32_768  # nginx: large_client_header_buffers 4 8k
MAX_ADDRESS_BYTES = 65_536
"""Of path and query; the redirect binding of SAML puts whole messages there."""

HEAD_TOO_LARGE = "schuilnaam.head-too-large"
"""Extension by which the server below us says that it did not read on."""

API_PREFIX = "/api/"
_FOR_MACHINES = ("/oidc/", "/.well-known/", "/health/", "/saml/idp/slo/soap", API_PREFIX)
_FOR_PEOPLE = frozenset({"/oidc/authorize", "/oidc/callback", "/oidc/end-session"})

_log = structlog.get_logger("broker.web")


class HeadersTooLarge(Refusal):
    """More headers than a browser with every cookie of ours sends, or an endless address."""

    code = "E-HTTP-6"
    whose_task = WhoseTask.PUPIL
    what = "Your browser sent us more than we can read."
    remedy = "Close your browser and start again. If it keeps happening, remove our cookies."
    http_status = 431


class Edge:
    """The outermost application: limits, headers of every answer, and the line in the log.

    Args:
        templates: endpoint -> template of its route.
    """

    def __init__(self, site: ASGIApp, web: Web, *, templates: Mapping[object, str]) -> None:
        self._site = site
        self._web = web
        self._templates = templates
        self._headers = list(common_headers(secure=web.secure))
        self._busy = BusyPages(web)
        self._in_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; nothing is raised to the server, which would write it down whole."""
        if scope["type"] != "http":
            await self._site(scope, receive, send)
            return
        scope[HOP_IN_SCOPE] = self._web.certificate_hop
        with following() as trail:
            await self._serve(scope, receive, send, trail)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, trail: Trail) -> None:
        began, status = perf_counter(), 0
        self._web.watch.request_began()

        async def send_with_headers(message: Message) -> None:
            """An answer that is not taken is no work either."""
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._complete(message["headers"])
            self._in_work -= counts
            try:
                await send(message)
            finally:
                self._in_work += counts

        async def receive_in_time() -> Message:
            """A body that is waited for is no work: slow senders keep nobody else out."""
            self._in_work -= 1
            try:
                return await receive()
            finally:
                self._in_work += 1

        counts = not scope["path"].startswith(ALWAYS_ANSWERED)
        is_busy = counts and self._in_work >= self._web.max_requests
        self._in_work += counts
        try:
            if is_busy:
                self._web.watch.refused_busy()
                response = self._busy.answer(Request(scope), for_machines=is_for_machines(scope))
                await response(scope, receive, send_with_headers)
            elif is_too_large(scope):
                # What was sent is not looked at any more, not even for a language.
                scope = {**scope, "headers": [], "query_string": b""}
                response = refuse(self._web, Request(scope), HeadersTooLarge("check_header_size"))
                await response(scope, receive, send_with_headers)
            else:
                waiting = receive_in_time if counts else receive
                await self._site(scope, waiting, send_with_headers)
        except Exception as fault:  # Starlette raises once more what a page has answered
            if not status:
                note_fault(fault)
                await _send_bare_fault(send_with_headers)
        finally:
            self._in_work -= counts
            self._note(scope, trail, status=status, seconds=perf_counter() - began)

    def _note(self, scope: Scope, trail: Trail, *, status: int, seconds: float) -> None:
        """Count a request, and write its line."""
        method, route = scope["method"], self._templates.get(scope.get("endpoint"), "")
        step, protocol = find_step(method=method, route=route)
        self._web.watch.request_ended(trail, step=step, seconds=seconds)
        line = describe(trail, method=method, route=route, step=step, protocol=protocol)
        _log.info("request", status=status, ms=round(seconds * 1000, 1), **line)

    def _complete(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Add the headers of every answer; what is no page of ours may do nothing in a browser."""
        has_policy = any(name == b"content-security-policy" for name, _ in headers)
        return [*headers, *self._headers, *(() if has_policy else (DENY_ALL,))]


def is_for_machines(scope: Scope) -> bool:
    """Tell whether an error is read by a program rather than a person."""
    path: str = scope["path"]
    return path.startswith(_FOR_MACHINES) and path not in _FOR_PEOPLE


def is_for_programs(scope: Scope) -> bool:
    """Tell whether it is the API that is called, whose errors have a form of their own."""
    path: str = scope["path"]
    return path.startswith(API_PREFIX)


def is_too_large(scope: Scope) -> bool:
    """Tell whether address or headers are larger than anything honest."""
    headers = scope["headers"]
    return (
        HEAD_TOO_LARGE in scope.get("extensions", ())
        or len(scope["path"]) + len(scope["query_string"]) > MAX_ADDRESS_BYTES
        or len(headers) > MAX_HEADERS
        or sum(len(name) + len(value) for name, value in headers) > MAX_HEADER_BYTES
    )


def note_fault(fault: Exception) -> None:
    """Log kind and place of a fault of ours, never its text: that may hold anything."""
    _log.error("unexpected", kind=type(fault).__name__, place=_place(fault.__traceback__))


def _place(frame: TracebackType | None) -> str:
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    if frame is None:
        return ""
    module = frame.tb_frame.f_globals.get("__name__", "")
    return f"{module}.{frame.tb_frame.f_code.co_name}:{frame.tb_lineno}"


async def _send_bare_fault(send: Send) -> None:
    """Answer where not even the page for faults could be made."""
    headers = [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": b"E-HTTP-5"})
