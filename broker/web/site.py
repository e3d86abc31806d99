"""The broker as an ASGI application: routes, headers of every answer, and what an error becomes."""

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Lifespan, Message, Receive, Scope, Send

from broker.domain.refusals import Refusal, WhoseTask
from broker.web.headers import common_headers
from broker.web.oidc_routes import oidc_routes
from broker.web.pages import MessagePage
from broker.web.people_routes import people_routes
from broker.web.responses import json, refuse, show
from broker.web.saml_routes import saml_routes
from broker.web.texts import NOTHING_HERE
from broker.web.wiring import Web

_log = structlog.get_logger("broker.web")


class Unexpected(Refusal):
    """A fault of ours that no check foresaw. The log holds its kind and place, never its text."""

    code = "E-HTTP-5"
    whose_task = WhoseTask.BROKER
    what = "Something went wrong on our side."
    remedy = "We have been told. Please try again in a few minutes."
    http_status = 500


def build_site(web: Web, *, life_span: Lifespan[Starlette] | None = None) -> ASGIApp:
    """Return the whole site; `life_span` opens and closes what it works with."""

    async def on_refusal(request: Request, refusal: Exception) -> Response:
        if not isinstance(refusal, Refusal):
            raise refusal
        return refuse(web, request, refusal)

    async def on_http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        response = show(web, request, MessagePage(text=NOTHING_HERE), status=status)
        if isinstance(error, HTTPException) and error.headers:
            response.headers.update(error.headers)
        return response

    async def live(_: Request) -> Response:
        return json({"status": "live"})

    async def ready(_: Request) -> Response:
        failing = web.health.failing()
        return json(
            {"status": "failing" if failing else "ready", "failing": failing},
            status=503 if failing else 200,
        )

    async def on_fault(request: Request, fault: Exception) -> Response:
        """The last place: a page, never a stack trace; the log gets the kind and place alone."""
        frame = fault.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        place = "" if frame is None else f"{frame.tb_frame.f_code.co_name}:{frame.tb_lineno}"
        _log.error("unexpected", kind=type(fault).__name__, place=place)
        return refuse(web, request, Unexpected(type(fault).__name__))

    routes = [
        *oidc_routes(web),
        *saml_routes(web),
        *people_routes(web),
        Route("/health/live", live, methods=["GET"]),
        Route("/health/ready", ready, methods=["GET"]),
    ]
    site = Starlette(
        routes=routes,
        lifespan=life_span,
        exception_handlers={
            Refusal: on_refusal,
            HTTPException: on_http,
            Exception: on_fault,
        },
    )
    return Edge(site, web)


class Edge:
    """Around everything: headers of every answer."""

    def __init__(self, site: ASGIApp, web: Web) -> None:
        self._site = site
        self._web = web
        self._headers = list(common_headers(secure=web.secure))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._site(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        try:
            await self._site(scope, receive, send_with_headers)
        except Exception:
            if not started:  # else Starlette raises once more what `on_fault` has answered
                raise
