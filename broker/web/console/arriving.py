"""Somebody comes back from a login to the console: a session under a new handle."""

from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from broker.flow.own_logins.own_logins import OwnLoginResult
from broker.web.responses import redirect
from broker.web.wiring import Web

HOME, STEP_UP = "/console", "/console/step-up"
INVITED = "invitation:"
"""What a login carries that is to accept an invitation, before its code."""


async def arrive_at_console(web: Web, request: Request, result: OwnLoginResult) -> Response:
    """Return what opens the console for somebody who logged in.

    Raises:
        NoEmployee, StoreUnavailable
        InvitationOver, InvitedElsewhere: they came by an invitation, and are not let in by it.
    """
    before = web.cookies.read_console(request)
    if result.carried.startswith(INVITED):
        user = web.console.sign_in.identify(result)
        code = result.carried.removeprefix(INVITED)
        await web.console.people.accept(code, user=user, login=result.place)
    opened = await web.console.sign_in.sign_in(result, before=before)
    back = own_place(result.back)
    if back.startswith(STEP_UP + "?"):
        back = _after_step_up(back, is_sure=web.console.desk.signing.is_enough(result.level))
    response = redirect(back)
    web.cookies.open_console(response, opened.handle.text)
    return response


def _after_step_up(asked: str, *, is_sure: bool) -> str:
    """Return the page for which somebody logged in once more, or the one that tells why not."""
    if not is_sure:
        return f"{asked}&failed=1"
    return own_place(parse_qs(urlsplit(asked).query).get("back", [""])[0])


def own_place(unverified: str) -> str:
    """Return an address of the console to go back to; its first page when it is none.

    >>> own_place("/console/people?page=2"), own_place("//elsewhere.example/console")
    ('/console/people?page=2', '/console')
    """
    parts = urlsplit(unverified)
    is_ours = not parts.scheme and not parts.netloc and not unverified.startswith("//")
    plain = unverified.isascii() and unverified.isprintable() and "\\" not in unverified
    below = parts.path == HOME or parts.path.startswith(HOME + "/")
    return unverified if is_ours and plain and below else HOME
