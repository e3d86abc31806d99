"""The site in force: exchanged whole when keys change, while requests go on.

A request is answered to its end by the site that it came to. What is opened and closed with the
broker hangs on the first site's life span; later ones work with the same.
"""

from starlette.types import Receive, Scope, Send

from broker.web.edge import Edge
from broker.web.wiring import Health


class SiteInForce:
    """An ASGI application that is another one from time to time.

    Attributes:
        site: answers from now on.
        health: whether a login can succeed now; the same for every site.
    """

    def __init__(self, first: Edge, *, health: Health) -> None:
        self._first = first
        self.site = first
        self.health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand over to the site in force, or to the first one what is about life and end."""
        site = self._first if scope["type"] == "lifespan" else self.site
        await site(scope, receive, send)
