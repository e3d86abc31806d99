"""The broker as an ASGI application: routes, and what an error becomes."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Lifespan

from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.audit import make_reference, note_refusal
from broker.oidc_op.response import build_error_body
from broker.web.api_routes import api_routes
from broker.web.console.routes import console_routes
from broker.web.edge import Edge, is_for_machines, is_for_programs, note_fault
from broker.web.endpoints import Endpoints
from broker.web.first_party_routes import first_party_routes
from broker.web.login_test_routes import login_test_routes
from broker.web.logout_routes import logout_routes
from broker.web.me.me_routes import me_routes
from broker.web.metadata_routes import metadata_routes
from broker.web.oidc_routes import oidc_routes
from broker.web.pages import MessagePage
from broker.web.people_routes import people_routes
from broker.web.rehearsal_routes import rehearsal_routes
from broker.web.responses import json, refuse, refuse_program, show
from broker.web.saml_logout_routes import saml_logout_routes
from broker.web.saml_routes import saml_routes
from broker.web.start_routes import start_routes
from broker.web.texts import NOTHING_HERE
from broker.web.wiring import Web

DRAINING = "schuilnaam.draining"
"""What a server that is told to stop puts into the state of each request."""

_MACHINE_ERRORS = {404: "not_found", 405: "method_not_allowed"}


class Unexpected(Refusal):
    """A fault of ours that no check foresaw. The log holds its kind and place, never its text."""

    code = "E-HTTP-5"
    whose_task = WhoseTask.BROKER
    what = "Something went wrong on our side."
    remedy = "We have been told. Please try again in a few minutes."
    http_status = 500
    oauth_error = "server_error"


def build_site(web: Web, *, life_span: Lifespan[None] | None = None) -> Edge:
    """Return the whole site; `life_span` opens and closes what it works with."""

    def explain(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException):
            return _explain_http(web, request, error)
        if isinstance(error, Refusal):
            return _refuse(web, request, error)
        raise error

    def apologize(request: Request, fault: Exception) -> Response:
        """The last place: a page, never a stack trace."""
        note_fault(fault)
        return _refuse(web, request, Unexpected(type(fault).__name__))

    async def live(_: Request) -> Response:
        return json({"status": "live"})

    async def ready(request: Request) -> Response:
        failing = web.health.failing()
        if request.scope.get("state", {}).get(DRAINING):
            failing.append("stopping")
        return json(
            {"status": "failing" if failing else "ready", "failing": failing},
            status=503 if failing else 200,
        )

    routes = [
        *oidc_routes(web),
        *saml_routes(web),
        *metadata_routes(web),
        *logout_routes(web),
        *saml_logout_routes(web),
        *start_routes(web),
        *first_party_routes(web),
        *people_routes(web),
        *rehearsal_routes(web),
        *login_test_routes(web),
        *console_routes(web),
        *me_routes(web),
        *api_routes(web),
        Route("/health/live", live, methods=["GET"]),
        Route("/health/ready", ready, methods=["GET"]),
    ]
    site = Endpoints(routes, life_span=life_span, explain=explain, apologize=apologize)
    return Edge(site, web, templates={each.endpoint: each.path for each in routes})


def _explain_http(web: Web, request: Request, error: HTTPException) -> Response:
    status = error.status_code
    if is_for_machines(request.scope):
        response = json({"error": _MACHINE_ERRORS.get(status, "invalid_request")}, status=status)
    else:
        response = show(web, request, MessagePage(text=NOTHING_HERE), status=status)
    response.headers.update(error.headers or {})
    return response


def _refuse(web: Web, request: Request, refusal: Refusal) -> Response:
    if is_for_programs(request.scope):
        return refuse_program(web, refusal)
    if not is_for_machines(request.scope):
        return refuse(web, request, refusal)
    note_refusal(web.audit, refusal, reference=make_reference(web.random))
    return json(build_error_body(refusal), status=refusal.http_status)
