"""Logins to pages of our own: on the way to a login, and back to the page that asked for it."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from broker.flow.held_state.browser_steps import BrowserStep
from broker.flow.own_logins.own_login_records import OwnPurpose
from broker.flow.own_logins.own_logins import OwnLoginBegun, OwnLoginResult
from broker.web.console.arriving import arrive_at_console
from broker.web.me.me_arriving import arrive_at_me
from broker.web.own_steps import OwnStep
from broker.web.responses import send_on
from broker.web.wiring import Web

Receive = Callable[[Web, Request, OwnLoginResult], Awaitable[Response]]

STEPS: Mapping[OwnPurpose, OwnStep] = MappingProxyType(
    {OwnPurpose.CONSOLE: OwnStep.CONSOLE, OwnPurpose.ME: OwnStep.ME}
)
RECEIVERS: Mapping[OwnPurpose, Receive] = MappingProxyType(
    {OwnPurpose.CONSOLE: arrive_at_console, OwnPurpose.ME: arrive_at_me}
)
"""What becomes of somebody who logged in, by what for: each closes its own step."""


def send_to_own_login(
    web: Web, request: Request, purpose: OwnPurpose, begun: OwnLoginBegun
) -> Response:
    """Return what sends the browser to the login, and binds the way back to it."""
    response = send_on(web, request, begun.leads_to)
    step, opened = STEPS[purpose], begun.opened
    web.cookies.close_steps(request, response, step)
    web.cookies.open_step(
        response, step, opened.name, opened.handle.text, seconds=opened.ttl_seconds
    )
    return response


def find_held_own_login(web: Web, request: Request, state: str) -> BrowserStep | None:
    """Return the login to a page of ours that this browser holds; None when it holds none."""
    for step in STEPS.values():
        handle = web.cookies.read_step(request, step, state)
        if handle:
            return BrowserStep(state, handle)
    return None


async def receive_own_login(web: Web, request: Request, result: OwnLoginResult) -> Response:
    """Return the page to which a login leads."""
    response = await RECEIVERS[result.purpose](web, request, result)
    web.cookies.close_steps(request, response, STEPS[result.purpose])
    return response
