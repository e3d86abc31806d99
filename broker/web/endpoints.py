"""From a request to its endpoint, and from what that raises to an answer.

Starlette's application does the same in seven layers, and tries the pattern of every route in turn.
Ours has a table of addresses instead; of Starlette it keeps the routes with their patterns, and
what opens and closes with the server.
"""

import re
from collections.abc import Callable, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Lifespan, Receive, Scope, Send

from broker.domain.refusals import Refusal

Explain = Callable[[Request, Exception], Response]


class Endpoints:
    """The ASGI application that answers requests.

    Args:
        routes: each with an endpoint that takes a request and returns a response.
        life_span: opens and closes what they work with.
        explain: what becomes of a `Refusal` or an `HTTPException` that an endpoint raises.
        apologize: what becomes of anything else.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        *,
        life_span: Lifespan[None] | None,
        explain: Explain,
        apologize: Explain,
    ) -> None:
        self._fixed = {each.path: each for each in routes if not each.param_convertors}
        # Starlette's patterns end with `$`, before which a line break may still stand.
        self._varying = [
            (re.compile(each.path_regex.pattern.removesuffix("$") + r"\Z"), each)
            for each in routes
            if each.param_convertors
        ]
        self._router = Router(lifespan=life_span)
        self._explain = explain
        self._apologize = apologize

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or begin and end with the server."""
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except Exception as fault:
            response = self._apologize(request, fault)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        scope = request.scope
        try:
            route = self._fixed.get(scope["path"]) or self._find_varying(scope)
            scope["endpoint"] = route.endpoint
            check_method(route, scope["method"])
            response: Response = await route.endpoint(request)
        except (Refusal, HTTPException) as error:
            return self._explain(request, error)
        return response

    def _find_varying(self, scope: Scope) -> Route:
        for pattern, route in self._varying:
            if (found := pattern.match(scope["path"])) is not None:
                scope["path_params"] = found.groupdict()
                return route
        raise HTTPException(404)


def check_method(route: Route, method: str) -> None:
    """Refuse what the route is not asked by (RFC 9110 15.5.6).

    Raises:
        HTTPException: with the methods that it is asked by.
    """
    methods = route.methods or set()
    if method not in methods:
        raise HTTPException(405, headers={"Allow": ", ".join(methods)})
