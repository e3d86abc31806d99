"""Scripts of relying parties at the endpoints for machines (Fetch, CORS protocol; NL GOV OIDC).

A script in a browser may read our answer when its page stands where a registered redirect URI
leads, and no other: never `*`, and never with cookies, which these endpoints do not look at. The
authorization endpoint is not among them (RFC 9700 2.6).
"""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.registry import Registry
from broker.domain.relying_parties import OidcClient
from broker.flow.ports import Snapshots

PREFLIGHT_KEPT_SECONDS = 600  # a supplier that is switched off is refused at use anyway
NO_CONTENT = 204
SHOWN = "www-authenticate, dpop-nonce"
ASKED_WITH = "authorization, content-type, dpop"

Endpoint = Callable[[Request], Awaitable[Response]]


class CrossOrigin:
    """Tells whose scripts may read an answer. Keeps the origins of one version of the registry."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._of: Registry | None = None
        self._origins: frozenset[str] = frozenset()

    def route(self, path: str, endpoint: Endpoint, *, methods: list[str]) -> Route:
        """Return a route that scripts of relying parties may call too."""

        async def answer(request: Request) -> Response:
            if request.method == "OPTIONS":
                response = Response(status_code=NO_CONTENT)
                response.headers["access-control-allow-methods"] = ", ".join(methods)
                response.headers["access-control-allow-headers"] = ASKED_WITH
                response.headers["access-control-max-age"] = str(PREFLIGHT_KEPT_SECONDS)
            else:
                response = await endpoint(request)
            origin = request.headers.get("origin")
            response.headers["vary"] = "origin"
            if origin is not None and origin in self._find_origins():
                response.headers["access-control-allow-origin"] = origin
                response.headers["access-control-expose-headers"] = SHOWN
            return response

        return Route(path, answer, methods=[*methods, "OPTIONS"])

    def _find_origins(self) -> frozenset[str]:
        registry = self._snapshots.registry
        if self._of is not registry:
            self._of, self._origins = registry, origins_of(registry)
        return self._origins


def origins_of(registry: Registry) -> frozenset[str]:
    """Return where relying parties' pages stand: the origins of registered redirect URIs."""
    places = (
        urlsplit(uri)
        for party in registry.relying_parties.values()
        if party.enabled and isinstance(party.protocol, OidcClient)
        for uri in party.protocol.redirect_uris
    )
    return frozenset(
        f"{each.scheme}://{each.netloc}" for each in places if each.scheme in ("https", "http")
    )
