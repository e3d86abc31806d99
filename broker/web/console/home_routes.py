"""The first page of the console."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.web.console.doors import Seat, console_route, show_console
from broker.web.console.home_pages import HomePage
from broker.web.console.role_words import show_roles
from broker.web.console.waiting import find_waiting
from broker.web.wiring import Web


def home_routes(web: Web) -> list[Route]:
    """Return the route of the first page."""

    async def home(request: Request, seat: Seat) -> Response:
        roles = show_roles(seat.actor.held, registry=web.snapshots.registry)
        page = HomePage(roles=roles, waiting=await find_waiting(web, seat))
        return show_console(web, request, seat, page)

    return [console_route(web, "/console", home)]
