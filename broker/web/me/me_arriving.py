"""Somebody comes back from a login at school to look: a session under a new handle."""

from starlette.requests import Request
from starlette.responses import Response

from broker.flow.own_logins.own_logins import OwnLoginResult
from broker.web.responses import redirect
from broker.web.wiring import Web

ME = "/me"


async def arrive_at_me(web: Web, request: Request, result: OwnLoginResult) -> Response:
    """Return what opens `/me` for somebody who logged in.

    Raises:
        MeClosed, StoreUnavailable, Refusal: of `MeVisits.arrive`.
    """
    opened = await web.me.visits.arrive(result)
    response = redirect(ME)
    web.cookies.open_me(response, opened.handle.text)
    return response
