"""The API for programs of schools and suppliers: one table of endpoints, and what they share.

A row says where, how, for which scope and by whom an endpoint may be called. Who calls is proven
(`broker.flow.programs.api_access`) before any of the body is read. A refusal is JSON with `code`,
`what`, `remedy` and `reference`; nothing is ever kept by a cache.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.federation import ApiScope
from broker.domain.refusals import Refusal
from broker.flow.programs.api_access import (
    ApiCaller,
    ApiCallerRefused,
    ApiTokenRefused,
    SchoolCaller,
    SupplierCaller,
)
from broker.oidc_op.caller_proof import NO_PROOF
from broker.oidc_op.dpop import DpopNonceRequiredByResource, DpopProofRefusedByResource
from broker.oidc_op.presented_tokens import build_resource_challenge
from broker.web.api_conversion import convert_pseudonyms
from broker.web.api_enrolments import take_list
from broker.web.api_schools import show_schools
from broker.web.api_takeover import map_eck_ids
from broker.web.api_transfers import show_transfers
from broker.web.requests import read_caller_proof
from broker.web.responses import give_nonce, json, refuse_program
from broker.web.wiring import Web

ABOUT_THE_TOKEN = (
    ApiTokenRefused,
    ApiCallerRefused,
    DpopProofRefusedByResource,
    DpopNonceRequiredByResource,
)
"""Refusals that say how a token must be shown (RFC 6750 3, RFC 9449 7.1)."""

ApiHandler: TypeAlias = Callable[[Web, Request, ApiCaller], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class ApiEndpoint:
    """One row of the table.

    Attributes:
        scope: that the token must have been given for; None is any.
        callers: who may call.
        handler: is called with who calls; what it raises is answered as a refusal.
    """

    path: str
    method: str
    scope: ApiScope | None
    callers: tuple[type[SchoolCaller] | type[SupplierCaller], ...]
    handler: ApiHandler


async def show_access(_: Web, __: Request, caller: ApiCaller) -> Response:
    """Tell a program who it is to us, so that it can try its key and its permission."""
    party: dict[str, str]
    if isinstance(caller, SchoolCaller):
        party = {"school": caller.school.id}
    else:
        party = {"supplier": caller.supplier.id}
    return json({**party, "scope": " ".join(caller.scopes), "state": caller.state})


API_ENDPOINTS: tuple[ApiEndpoint, ...] = (
    ApiEndpoint("/api/access", "GET", None, (SchoolCaller, SupplierCaller), show_access),
    ApiEndpoint("/api/schools", "GET", ApiScope.SCHOOLS, (SupplierCaller,), show_schools),
    ApiEndpoint("/api/takeover/map", "POST", ApiScope.TAKEOVER, (SupplierCaller,), map_eck_ids),
    ApiEndpoint("/api/enrolments/{school}", "POST", ApiScope.ENROLMENT, (SchoolCaller,), take_list),
    ApiEndpoint(
        "/api/transfers/{school}", "GET", ApiScope.TRANSFERS, (SchoolCaller,), show_transfers
    ),
    ApiEndpoint(
        "/api/pseudonyms/convert",
        "POST",
        ApiScope.CONVERSION,
        (SupplierCaller,),
        convert_pseudonyms,
    ),
)


def api_routes(web: Web, endpoints: Sequence[ApiEndpoint] = API_ENDPOINTS) -> list[Route]:
    """Return the routes of the API: one for each row."""
    return [_route(web, each) for each in endpoints]


def _route(web: Web, row: ApiEndpoint) -> Route:
    async def endpoint(request: Request) -> Response:
        proof = NO_PROOF
        try:
            proof = read_caller_proof(request)
            caller = await web.api.admit(
                proof, scope=row.scope, method=request.method, path=request.url.path
            )
            if not isinstance(caller, row.callers):
                raise ApiCallerRefused("check_caller_kind")
            response = await row.handler(web, request, caller)
        except Refusal as refusal:
            response = refuse_program(web, refusal)
            if isinstance(refusal, ABOUT_THE_TOKEN):
                response.headers["www-authenticate"] = build_resource_challenge(refusal, proof)
        response.headers["cache-control"] = "no-store"
        return give_nonce(web, request, response)

    return Route(row.path, endpoint, methods=[row.method])
